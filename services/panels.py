"""The panels on issues and pages: which of their people are away, in words that suit who reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote

from sqlalchemy import bindparam, select

from config import APP_KEY
from connect.caller import Caller
from models.absence import Absence
from models.organization import Organization
from models.people import Person
from models.tenant import find_tenant
from rules import panel
from rules.panel import Detail, Role, Standing
from rules.topics import Privacy
from services.doors import organization_of
from services.keeping import OwnWarning, own_warning
from services.operators import is_operator
from services.participants import Content, Issue, Participants
from services.toolbox import Toolbox

MOST_SHOWN = 8

# Asked on every issue: columns, no objects, and not built anew each time.
_STANDINGS = (
    select(
        Organization.panel_privacy,
        Organization.panel_days,
        Person.account_id,
        Person.name,
        Person.status,
        Person.activity,
        Person.seen_at,
        Person.added_at,
        Person.status_since,
        Person.is_bot,
        Person.left_at,
        Absence.reason,
        Absence.began_at,
        Absence.ends_on,
    )
    .select_from(Organization)
    .outerjoin(
        Person,
        (Person.organization_id == Organization.id)
        & Person.account_id.in_(bindparam("account_ids", expanding=True)),
    )
    .outerjoin(
        Absence,
        (Absence.organization_id == Person.organization_id)
        & (Absence.account_id == Person.account_id)
        & Absence.ended_at.is_(None),
    )
    .where(Organization.id == bindparam("organization_id"))
    .order_by(Absence.began_at)
)


@dataclass(frozen=True, slots=True)
class Said:
    """What is said about one person. `address` is their page in Rollcall, for operators alone."""

    account_id: str
    name: str
    role: Role
    words: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """Everything in it. Empty is the usual case: nothing is shown then."""

    people: list[Said] = field(default_factory=list)
    more: int = 0
    warning: OwnWarning | None = None

    @property
    def is_empty(self) -> bool:
        return not self.people and self.warning is None


def look(tools: Toolbox, caller: Caller, participants: Participants, place: Issue | Content) -> Panel:
    """What the reader is told about the people of an issue or a page, and about themselves.

    Nobody is told anything without being logged in: issues and pages may be open to the world.
    """
    organization_id = organization_of(tools, caller)
    if organization_id is None or caller.account_id is None:
        return Panel()
    warning = own_warning(tools, caller)
    roles = participants.of(tools, caller.tenant, place)
    if not roles:
        return Panel(warning=warning)
    privacy, days, people = _standings(tools, organization_id, roles)
    now = tools.clock()
    # Their own warning says what concerns the reader themselves.
    away = {
        account_id: person
        for account_id, person in people.items()
        if account_id != caller.account_id and panel.is_away(person[1], days, now)
    }
    if not away:
        return Panel(warning=warning)
    operator = is_operator(tools, caller, fresh=False)
    if not operator and privacy is Privacy.OFF:
        return Panel(warning=warning)
    if not operator:
        away = _visible(tools, caller, participants, place, away, roles)
    detail = _detail(tools, caller, participants, place, privacy, operator=operator)
    home = app_address(tools, caller.tenant) if operator else ""
    said = [
        Said(
            account_id,
            away[account_id][0],
            role,
            panel.words(away[account_id][1], detail, days, now),
            f"{home}#!people/{quote(account_id, safe='')}" if home else "",
        )
        for account_id, role in roles.items()
        if account_id in away
    ]
    return Panel(said[:MOST_SHOWN], max(len(said) - MOST_SHOWN, 0), warning)


def app_address(tools: Toolbox, client_key: str) -> str:
    """The address of Rollcall's page in the product, as people open it."""
    with tools.begin() as session:
        tenant = find_tenant(session, client_key)
        base = (tenant.display_url or tenant.base_url) if tenant is not None else ""
    return f"{base.rstrip('/')}/plugins/servlet/ac/{APP_KEY}/rollcall-app" if base else ""


def _standings(
    tools: Toolbox, organization_id: str, account_ids: Iterable[str]
) -> tuple[Privacy, int, dict[str, tuple[str, Standing]]]:
    asked = {"organization_id": organization_id, "account_ids": list(account_ids)}
    with tools.look() as connection:
        rows = connection.execute(_STANDINGS, asked).all()
    privacy, days = Privacy(rows[0].panel_privacy), rows[0].panel_days
    people = {
        row.account_id: (
            row.name,
            Standing(
                status=row.status,
                activity=row.activity,
                seen_at=row.seen_at,
                added_at=row.added_at,
                status_since=row.status_since,
                is_bot=row.is_bot,
                has_left=row.left_at is not None,
                away_reason=row.reason or "",
                away_since=row.began_at,
                away_until=row.ends_on,
            ),
        )
        for row in rows
        if row.account_id is not None
    }
    return privacy, days, people


def _visible(
    tools: Toolbox,
    caller: Caller,
    participants: Participants,
    place: Issue | Content,
    away: dict[str, tuple[str, Standing]],
    roles: dict[str, Role],
) -> dict[str, tuple[str, Standing]]:
    """Without those who watch, for readers whom Jira does not show who watches."""
    if not any(roles[account_id] is Role.WATCHER for account_id in away):
        return away
    if participants.rights(tools, caller, place).sees_watchers:
        return away
    return {account_id: one for account_id, one in away.items() if roles[account_id] is not Role.WATCHER}


def _detail(
    tools: Toolbox,
    caller: Caller,
    participants: Participants,
    place: Issue | Content,
    privacy: Privacy,
    *,
    operator: bool,
) -> Detail:
    asks = privacy is Privacy.DATES_FOR_ADMINS and not operator
    administers = asks and participants.rights(tools, caller, place).administers
    return panel.detail(privacy, operator=operator, administers=administers)
