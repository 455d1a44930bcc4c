"""Looking for what a leaver owns: one page of one question at a time, its place kept in its row (S46)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from connect.errors import (
    AccessForbidden,
    AppError,
    AtlassianError,
    Gone,
    NotReady,
    RateLimited,
    Unavailable,
    Unexpected,
    Why,
)
from connect.gateway.confluence_spaces import ConfluenceSpaces
from connect.gateway.jira_belongings import JiraBelongings
from connect.gateway.site_calls import FoundPage
from models.leaver import PLACES, Belonging, Leaver, Look, LookState
from models.people import find_person
from rules.farewell import LeaverState
from rules.handover import Found, Kind
from services.doors import opened
from services.leaver_circle import lonely_groups, lonely_spaces
from services.leaver_obstacles import guides_to_words, obstacles_now
from services.leavers import PERSON
from services.rounds import cursor_at, place_after
from services.sites import Site, site_opened
from services.toolbox import Toolbox

ENDLESS = 100_000
"""More open issues than anybody has: a search that goes on beyond them does not end."""
MOST_TROUBLES = 6


def look_on(tools: Toolbox, leaver: Leaver) -> bool:
    """The next page of the next question. True while there is more to ask."""
    with tools.begin() as session:
        look = session.scalars(
            select(Look)
            .where(
                Look.organization_id == leaver.organization_id,
                Look.leaver_id == leaver.id,
                Look.state == LookState.WAITING.value,
            )
            .order_by(Look.place)
            .limit(1)
        ).first()
        if look is None:
            _finish(session, leaver, tools.clock())
            return False
        session.expunge(look)
    try:
        _ask(tools, leaver, look)
    except RateLimited:
        raise
    except Unavailable as trouble:
        if leaver.troubles < MOST_TROUBLES:
            raise
        _close(tools, look, LookState.UNSEEN, _words(trouble))
    except (NotReady, AtlassianError) as problem:
        _close(tools, look, LookState.UNSEEN, _words(problem))
    return True


def _ask(tools: Toolbox, leaver: Leaver, look: Look) -> None:
    if look.kind == PERSON:
        _look_at_person(tools, leaver, look)
    elif look.kind == Kind.GROUP:
        with tools.begin() as session:
            found = lonely_groups(session, leaver.organization_id, leaver.account_id)
        _keep(tools, look, FoundPage(tuple(found), None))
    elif look.kind == Kind.TOKEN:
        _keep(tools, look, FoundPage(tuple(tokens_of(tools, leaver)), None))
    else:
        with site_opened(tools, leaver.organization_id, look.client_key) as site:
            page, total = _page(tools, site, leaver, look)
        _keep(tools, look, page, total)


def _page(tools: Toolbox, site: Site, leaver: Leaver, look: Look) -> tuple[FoundPage, int | None]:
    """One page, and how many there are altogether where that is told."""
    who, start = leaver.account_id, look.cursor or "0"
    if isinstance(site, ConfluenceSpaces):
        page = site.spaces(cursor_at(look.cursor))
        with tools.begin() as session:
            spaces = lonely_spaces(session, leaver, page.spaces)
        following = place_after(look.cursor, page.next) if page.next else None
        return FoundPage(tuple(spaces), following), None
    if look.kind == Kind.ISSUE:
        total = look.found if look.cursor else site.count_open_issues(who)
        if look.listed >= ENDLESS:
            raise Unexpected(200, reason="atlassian_endless_list")
        return site.open_issues_of(who, look.cursor), total
    asked: dict[str, Callable[[str, str], FoundPage]] = _questions(site)
    return asked[look.kind](who, start), None


def _questions(site: JiraBelongings) -> dict[str, Callable[[str, str], FoundPage]]:
    return {
        Kind.PROJECT: site.projects_led_by,
        Kind.COMPONENT: site.components_led_by,
        Kind.FILTER: site.filters_of,
        Kind.DASHBOARD: site.dashboards_of,
    }


def tokens_of(tools: Toolbox, leaver: Leaver) -> list[Found]:
    """Their API tokens, with their last use.

    Raises NotReady for an account that another organization manages, AccessForbidden where the key may not do this.
    """
    with opened(tools, leaver.organization_id) as gateway:
        try:
            tokens = gateway.tokens_of(leaver.account_id)
        except AccessForbidden as problem:
            if problem.why is not Why.RIGHTS or _is_managed_here(tools, leaver):
                raise
            raise NotReady(
                "Their account is managed elsewhere: only that organization sees and revokes its API tokens.",
                "Ask them to revoke their tokens themselves.",
                reason="not_managed",
            ) from None
        except Gone:
            return []
    return [
        Found(
            Kind.TOKEN,
            token.id,
            token.label or "Without a name",
            detail=f"Last used on {_day(token.last_used)}."
            if token.last_used
            else "Never used, as far as known.",
        )
        for token in tokens
    ]


def _is_managed_here(tools: Toolbox, leaver: Leaver) -> bool:
    """As the directory showed it a moment ago: the person is looked at before their tokens are."""
    with tools.begin() as session:
        person = find_person(session, leaver.organization_id, leaver.account_id)
        return person is not None and person.claim_status == "managed"


def _look_at_person(tools: Toolbox, leaver: Leaver, look: Look) -> None:
    found = obstacles_now(tools, leaver, leaver.created_by)
    with tools.begin() as session:
        session.execute(
            update(Leaver)
            .where(Leaver.organization_id == leaver.organization_id, Leaver.id == leaver.id)
            .values(obstacles=guides_to_words(found))
        )
    _close(tools, look, LookState.SEEN, "")


def _keep(tools: Toolbox, look: Look, page: FoundPage, total: int | None = None) -> None:
    """The page and the place where it ends, in one transaction; a page that was kept already is not kept twice."""
    listed = look.listed + len(page.found)
    # What Jira counts beforehand is about right; after the last page it is known.
    found = max(total or 0, listed) if page.next else listed
    with tools.begin() as session:
        kept = session.execute(
            update(Look)
            .where(*_key(look), Look.state == LookState.WAITING.value, Look.cursor == look.cursor)
            .values(
                cursor=page.next or "",
                found=found,
                listed=listed,
                state=(LookState.WAITING if page.next else LookState.SEEN).value,
            )
        )
        if not kept.rowcount:  # type: ignore[attr-defined]
            return
        add_belongings(session, look.organization_id, look.leaver_id, look.client_key, page.found)


def add_belongings(
    session: Session, organization_id: str, leaver_id: str, client_key: str, found: Sequence[Found]
) -> None:
    """Rows for what was found; what has a row already keeps it."""
    if not found:
        return
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    rows = [
        {
            "organization_id": organization_id,
            "leaver_id": leaver_id,
            "kind": one.kind.value,
            "client_key": client_key,
            "reference": one.reference[:100],
            "place": PLACES[one.kind],
            "key": one.key[:255],
            "name": (one.name or one.key or one.reference)[:500],
            "detail": one.detail[:300],
            "project": one.place[:100],
        }
        for one in found
    ]
    session.execute(dialect.insert(Belonging).on_conflict_do_nothing(), rows)


def _close(tools: Toolbox, look: Look, state: LookState, reason: str) -> None:
    with tools.begin() as session:
        session.execute(
            update(Look)
            .where(*_key(look), Look.state == LookState.WAITING.value)
            .values(state=state.value, reason=reason[:500])
        )


def _key(look: Look) -> tuple[ColumnElement[bool], ...]:
    return (
        Look.organization_id == look.organization_id,
        Look.leaver_id == look.leaver_id,
        Look.client_key == look.client_key,
        Look.kind == look.kind,
    )


def _finish(session: Session, leaver: Leaver, now: datetime) -> None:
    session.execute(
        update(Leaver)
        .where(
            Leaver.organization_id == leaver.organization_id,
            Leaver.id == leaver.id,
            Leaver.state == LeaverState.LOOKING.value,
        )
        .values(state=LeaverState.READY.value, looked_at=now, resume_at=None, reason="")
    )


def _words(problem: AppError) -> str:
    return f"{problem.sentence} {problem.next_step}"


def _day(moment: datetime) -> str:
    return f"{moment:%-d %B %Y}"
