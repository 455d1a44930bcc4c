"""The panels on issues and pages: which of their people are away, in words that suit who reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from sqlalchemy import bindparam, exists, func, select

from connect.caller import Caller
from models.absence import Absence
from models.notice import Notice
from models.organization import Organization
from models.people import Person, Seat
from models.tenant import Tenant, find_tenant
from rules import panel
from rules.activity import never_came
from rules.panel import Privacy, Role, Standing
from services.app_links import app_home
from services.doors import organization_of
from services.keeping import OwnWarning, own_warning
from services.operators import counts_as_operator
from services.participants import Content, Issue, Participants
from services.toolbox import Toolbox

MOST_SHOWN = 8

# Asked on every issue: one question, columns instead of objects, and not built anew each time.
_QUESTION = (
    select(
        Organization.panel_privacy,
        Organization.panel_days,
        Tenant.base_url,
        Tenant.display_url,
        counts_as_operator(Organization.id, bindparam("reader")).label("operator"),
        # Whoever was never told anything has no warning: nothing more is asked then.
        exists()
        .where(Notice.organization_id == Organization.id, Notice.account_id == bindparam("reader"))
        .label("told"),
        Person.account_id,
        Person.name,
        Person.status,
        Person.activity,
        Person.seen_at,
        Person.added_at,
        select(func.max(Seat.since))
        .where(Seat.organization_id == Person.organization_id, Seat.account_id == Person.account_id)
        .correlate(Person)
        .scalar_subquery()
        .label("newest_seat"),
        Person.status_since,
        Person.is_bot,
        Person.left_at,
        Absence.reason,
        Absence.began_at,
        Absence.ends_on,
    )
    .select_from(Organization)
    .join(Tenant, Tenant.client_key == bindparam("client_key"))
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


class Silence(StrEnum):
    """Why it is not known whether somebody is away: only whoever asked is told."""

    NOT_CONNECTED = "not_connected"
    NOT_LOGGED_IN = "not_logged_in"
    NO_ANSWER = "no_answer"


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
    """Everything in it. Empty is the usual case: nothing is shown then. `silence` None: nobody is away."""

    people: list[Said] = field(default_factory=list)
    more: int = 0
    warning: OwnWarning | None = None
    silence: Silence | None = None

    @property
    def is_empty(self) -> bool:
        return not self.people and self.warning is None


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database says: about the organization, about the reader, about the people by account id."""

    privacy: Privacy
    days: int
    home: str
    operator: bool
    told: bool
    people: dict[str, tuple[str, Standing]]


def look(tools: Toolbox, caller: Caller, participants: Participants, place: Issue | Content) -> Panel:
    """What the reader is told about the people of an issue or a page, and about themselves.

    Nobody is told anything without being logged in: issues and pages may be open to the world.
    """
    organization_id = organization_of(tools, caller)
    if caller.account_id is None:
        return Panel(silence=Silence.NOT_LOGGED_IN)
    if organization_id is None:
        return Panel(silence=Silence.NOT_CONNECTED)
    told = participants.of(tools, caller.tenant, place)
    roles = told or {}
    known = _known(tools, organization_id, caller, roles)
    warning = own_warning(tools, caller) if known.told else None
    if told is None:
        return Panel(warning=warning, silence=Silence.NO_ANSWER)
    now = tools.clock()
    # Their own warning says what concerns the reader themselves.
    away = {
        account_id: person
        for account_id, person in known.people.items()
        if account_id != caller.account_id and panel.is_away(person[1], known.days, now)
    }
    if not away or (known.privacy is Privacy.OFF and not known.operator):
        return Panel(warning=warning)
    if not known.operator:
        away = _visible(tools, caller, participants, place, away, roles)
    asks = known.privacy is Privacy.DATES_FOR_ADMINS and not known.operator
    administers = asks and participants.rights(tools, caller, place).administers
    detail = panel.detail(known.privacy, operator=known.operator, administers=administers)
    said = [
        Said(
            account_id,
            away[account_id][0],
            role,
            panel.words(away[account_id][1], detail, known.days, now),
            f"{known.home}#!people/{quote(account_id, safe='')}" if known.operator else "",
        )
        for account_id, role in roles.items()
        if account_id in away
    ]
    return Panel(said[:MOST_SHOWN], max(len(said) - MOST_SHOWN, 0), warning)


def app_address(tools: Toolbox, client_key: str) -> str:
    """The address of Rollcall's page in the product, as people open it."""
    with tools.begin() as session:
        tenant = find_tenant(session, client_key)
        return app_home(tenant.display_url, tenant.base_url) if tenant is not None else ""


def _known(tools: Toolbox, organization_id: str, caller: Caller, account_ids: Iterable[str]) -> _Known:
    asked = {
        "organization_id": organization_id,
        "client_key": caller.tenant,
        "reader": caller.account_id,
        "account_ids": list(account_ids),
    }
    with tools.look() as connection:
        rows = connection.execute(_QUESTION, asked).all()
    first = rows[0]
    return _Known(
        privacy=Privacy(first.panel_privacy),
        days=first.panel_days,
        home=app_home(first.display_url, first.base_url),
        operator=bool(first.operator),
        told=bool(first.told),
        people={row.account_id: (row.name, _standing(row)) for row in rows if row.account_id is not None},
    )


def _standing(row: Any) -> Standing:
    return Standing(
        status=row.status,
        activity=row.activity,
        seen_at=row.seen_at,
        never_since=never_came(row.added_at, row.newest_seat).at,
        status_since=row.status_since,
        is_bot=row.is_bot,
        has_left=row.left_at is not None,
        away_reason=row.reason or "",
        away_since=row.began_at,
        away_until=row.ends_on,
    )


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
