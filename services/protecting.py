"""Protected: adding to the organization's own list, and taking away from it."""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Invalid, NotFound
from models.audit import Event
from models.people import Group, Person, find_person
from models.protected import Protected, find_protected, protected_of
from rules.organization import ProtectedKind
from services.audit import record
from services.doors import require_organization
from services.ground import day_in
from services.toolbox import Toolbox

_DOMAIN = re.compile(r"(?=.{3,255}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.ASCII)
LONGEST_REASON = 300


def list_protected(tools: Toolbox, caller: Caller) -> list[Protected]:
    """The whole list; entries that are over are still in it."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        found = protected_of(session, organization_id)
        session.expunge_all()
        return found


def gone_groups(tools: Toolbox, caller: Caller) -> set[str]:
    """The ids of the groups that were deleted at Atlassian: an entry about one of them protects nobody."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        query = select(Group.group_id).where(Group.organization_id == organization_id, Group.gone.is_(True))
        return set(session.scalars(query))


def protect(tools: Toolbox, caller: Caller, *, kind: str, value: str, reason: str, until: str) -> Protected:
    """Adds an entry, or renews the one that is there. `value`: account id or exact e-mail address, group id, domain.

    Raises Invalid with the field that is wrong.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    if kind not in set(ProtectedKind):
        raise Invalid("kind", "Protect a person, a group or a domain.", "Choose one of them.")
    with tools.begin() as session:
        value, label = _resolved(session, organization_id, ProtectedKind(kind), value.strip())
        entry = _add(
            session,
            organization_id,
            caller,
            ProtectedKind(kind),
            value,
            label,
            reason=reason,
            until=until,
            now=now,
        )
        session.flush()
        session.expunge(entry)
        return entry


def protect_person(
    session: Session,
    organization_id: str,
    caller: Caller,
    account_id: str,
    name: str,
    *,
    reason: str,
    until: str,
    now: datetime,
) -> None:
    """Protects one person in the caller's transaction. Raises Invalid for a bad reason or date."""
    _add(
        session,
        organization_id,
        caller,
        ProtectedKind.PERSON,
        account_id,
        name,
        reason=reason,
        until=until,
        now=now,
    )


def unprotect(tools: Toolbox, caller: Caller, protected_id: str) -> None:
    """Takes an entry away. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        entry = find_protected(session, organization_id, protected_id)
        if entry is None:
            raise NotFound("This entry does not exist, or not any more.", "Reload the list.")
        _record(session, Event.PROTECTED_REMOVED, entry, caller, now)
        session.delete(entry)


def typed_day(field: str, word: str, today: date) -> date | None:
    """A typed date from today on, None when left empty. Raises Invalid."""
    word = word.strip()
    if not word:
        return None
    try:
        day = date.fromisoformat(word)
    except ValueError as problem:
        raise Invalid(field, "This is no date.", "Write it as 2027-05-01, or leave it empty.") from problem
    if day < today:
        raise Invalid(field, "This day is over.", "Choose a day from today on, or leave it empty.")
    if day.year > today.year + 50:
        raise Invalid(field, "This day is too far away.", "Choose an earlier day, or leave it empty.")
    return day


def _add(
    session: Session,
    organization_id: str,
    caller: Caller,
    kind: ProtectedKind,
    value: str,
    label: str,
    *,
    reason: str,
    until: str,
    now: datetime,
) -> Protected:
    reason = reason.replace("\0", "").strip()
    if not reason:
        raise Invalid("reason", "Say why: whoever reads this list next year will ask.", "Write a few words.")
    if len(reason) > LONGEST_REASON:
        raise Invalid("reason", f"At most {LONGEST_REASON} characters fit here.", "Shorten the reason.")
    day = typed_day("until", until, day_in(session, organization_id, now))
    entry = session.scalar(
        select(Protected).where(
            Protected.organization_id == organization_id,
            Protected.kind == kind.value,
            Protected.value == value,
        )
    )
    if entry is None:
        entry = Protected(organization_id=organization_id, id=str(uuid.uuid4()), kind=kind.value, value=value)
        session.add(entry)
    entry.label, entry.reason, entry.until = label[:255], reason, day
    entry.added_by, entry.added_at = caller.account_id or "", now
    _record(session, Event.PROTECTED_ADDED, entry, caller, now)
    return entry


def _resolved(session: Session, organization_id: str, kind: ProtectedKind, value: str) -> tuple[str, str]:
    """(value, label): what was typed, found in the directory. Raises Invalid."""
    match kind:
        case ProtectedKind.PERSON:
            return _resolved_person(session, organization_id, value)
        case ProtectedKind.GROUP:
            group = session.get(Group, (organization_id, value))
            if group is None or group.gone:
                raise Invalid("value", "Your organization has no such group.", "Choose one from the list.")
            return group.group_id, group.name
        case ProtectedKind.DOMAIN:
            domain = value.lower().removeprefix("@")
            if not _DOMAIN.fullmatch(domain):
                raise Invalid("value", "This is no domain.", "Write it as example.com.")
            return domain, domain


def _resolved_person(session: Session, organization_id: str, value: str) -> tuple[str, str]:
    person = find_person(session, organization_id, value) if value else None
    if person is None and "@" in value:
        # An account may have been made anew for an address: who is here comes first, then who left last.
        query = (
            select(Person)
            .where(Person.organization_id == organization_id, Person.address == value.lower())
            .order_by(Person.left_at.is_not(None), Person.left_at.desc(), Person.account_id)
        )
        person = session.scalar(query.limit(1))
    if person is None:
        raise Invalid(
            "value",
            "Nobody in your directory has this account id or e-mail address.",
            "Copy it from the person's page. People who hide their address are found by account id alone.",
        )
    return person.account_id, person.name


def _record(session: Session, event: Event, entry: Protected, caller: Caller, now: datetime) -> None:
    person = entry.kind == ProtectedKind.PERSON
    record(
        session,
        event,
        at=now,
        actor=caller.account_id or "",
        organization_id=entry.organization_id,
        client_key=caller.tenant,
        subject=entry.value if person else None,
        result=entry.reason if event is Event.PROTECTED_ADDED else "",
        details={"kind": entry.kind} | ({} if person else {"value": entry.value}),
    )
