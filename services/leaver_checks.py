"""The dry run: for every belonging, may its successor have it? Nothing is changed, here or there."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select, update

from connect.errors import AtlassianError, Gone, NotReady, RateLimited, Unauthorized, Unavailable
from models.leaver import Belonging, Leaver
from models.people import Group
from rules.farewell import LeaverState
from rules.handover import BelongingState, Kind
from services.hands import NOT_STEWARD, Hands, words_for
from services.leaver_circle import members_of
from services.leaver_obstacles import guides_to_words, obstacles_now
from services.sites import token_owner
from services.successors import Successors
from services.toolbox import Toolbox

AT_A_TIME = 40


class _Checks:
    """What one round has found out, so that nobody is asked twice."""

    def __init__(self, tools: Toolbox, leaver: Leaver, hands: Hands) -> None:
        self._tools = tools
        self._leaver = leaver
        self._hands = hands
        self._successors = Successors(tools, leaver)
        self._assignable: dict[tuple[str, str, str], bool] = {}
        self._names: dict[tuple[str, str, str], frozenset[str]] = {}

    def objection(self, belonging: Belonging) -> str:
        found = self._successors.objection(belonging)
        if found:
            return found
        match Kind(belonging.kind):
            case Kind.ISSUE:
                return self._of_issue(belonging)
            case Kind.FILTER | Kind.DASHBOARD:
                return self._of_name(belonging)
            case Kind.SPACE:
                return self._of_space(belonging)
            case Kind.GROUP:
                return self._of_group(belonging)
            case _:
                return ""

    def _of_issue(self, belonging: Belonging) -> str:
        key = (belonging.client_key, belonging.project, belonging.successor)
        if key not in self._assignable:
            jira = self._hands.jira(belonging)
            self._assignable[key] = (
                jira is None
                or not belonging.project
                or jira.may_be_assigned(belonging.successor, belonging.project)
            )
        if self._assignable[key]:
            return ""
        return "May not have issues in this project: give them the permission there, or choose somebody else."

    def _of_name(self, belonging: Belonging) -> str:
        key = (belonging.client_key, belonging.kind, belonging.successor)
        if key not in self._names:
            self._names[key] = self._names_of(belonging)
        if belonging.name not in self._names[key]:
            return ""
        return (
            f"Owns a {belonging.kind} of this name already: rename one of the two, or choose somebody else."
        )

    def _names_of(self, belonging: Belonging) -> frozenset[str]:
        jira = self._hands.jira(belonging)
        names: set[str] = set()
        start: str | None = "0"
        while jira is not None and start is not None:
            ask = jira.filters_of if belonging.kind == Kind.FILTER else jira.dashboards_of
            page = ask(belonging.successor, start)
            names |= {one.name for one in page.found}
            start = page.next
        return frozenset(names)

    def _of_space(self, belonging: Belonging) -> str:
        organization_id = self._leaver.organization_id
        owner = token_owner(self._tools, organization_id, belonging.client_key)
        users, groups = self._hands.stewards_of(belonging)
        if owner in users:
            return ""
        with self._tools.begin() as session:
            may = any(owner in members_of(session, organization_id, each) for each in groups)
        return "" if may else NOT_STEWARD

    def _of_group(self, belonging: Belonging) -> str:
        with self._tools.begin() as session:
            group = session.scalars(
                select(Group).where(
                    Group.organization_id == self._leaver.organization_id,
                    Group.group_id == belonging.reference,
                )
            ).first()
            if group is None:
                return "The group is not there any more: look again."
            if group.synced or not group.modifiable:
                return "Your identity provider owns this group: put somebody into it there."
        return ""


def check_on(tools: Toolbox, leaver: Leaver) -> bool:
    """The next belongings. True while there are more."""
    with tools.begin() as session:
        waiting = select(Belonging).where(*_unchecked(leaver))
        rows = session.scalars(waiting.order_by(Belonging.place, Belonging.client_key).limit(AT_A_TIME)).all()
        session.expunge_all()
    if not rows:
        _plan(tools, leaver)
        return False
    with Hands(tools, leaver) as hands:
        checks = _Checks(tools, leaver, hands)
        for belonging in rows:
            _write(tools, belonging, _objection(checks, belonging))
    return True


def _plan(tools: Toolbox, leaver: Leaver) -> None:
    """The dry run is over. The ending that was chosen may be another one than the one they were looked at for.

    So may all that was chosen, when somebody stopped it meanwhile and chose anew: then it is not over.
    """
    guides = obstacles_now(tools, leaver, leaver.created_by)
    with tools.begin() as session:
        session.execute(
            update(Leaver)
            .where(
                Leaver.organization_id == leaver.organization_id,
                Leaver.id == leaver.id,
                Leaver.state == LeaverState.CHECKING.value,
                Leaver.deed == leaver.deed,
                Leaver.revoke_tokens.is_(leaver.revoke_tokens),
                ~select(Belonging.kind).where(*_unchecked(leaver)).exists(),
            )
            .values(
                state=LeaverState.PLANNED.value, obstacles=guides_to_words(guides), reason="", resume_at=None
            )
        )


def _unchecked(leaver: Leaver) -> tuple[ColumnElement[bool], ...]:
    return (
        Belonging.organization_id == leaver.organization_id,
        Belonging.leaver_id == leaver.id,
        Belonging.state == BelongingState.CHOSEN.value,
        Belonging.kind != Kind.TOKEN.value,
        Belonging.checked.is_(False),
    )


def _objection(checks: _Checks, belonging: Belonging) -> str:
    try:
        return checks.objection(belonging)
    except (RateLimited, Unauthorized, Unavailable):
        raise
    except Gone:
        return "It is not there any more: look again."
    except (NotReady, AtlassianError) as problem:
        return words_for(Kind(belonging.kind), problem)


def _write(tools: Toolbox, belonging: Belonging, objection: str) -> None:
    with tools.begin() as session:
        session.execute(
            update(Belonging)
            .where(
                Belonging.organization_id == belonging.organization_id,
                Belonging.leaver_id == belonging.leaver_id,
                Belonging.kind == belonging.kind,
                Belonging.client_key == belonging.client_key,
                Belonging.reference == belonging.reference,
                Belonging.successor == belonging.successor,
            )
            .values(objection=objection[:500], checked=True)
        )
