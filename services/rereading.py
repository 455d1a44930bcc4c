"""Reading people again, a few at a time, because Jira or Confluence said that they came, changed or went.

What is seen is stored as a sync stores it. Who is not in the directory any more is left to the next sync: one search
that finds nobody is too little to say that somebody left. Everything may be repeated: the same people are only stored
again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connect.errors import AppError, RateLimited, SiteMoved, Unauthorized, Unavailable
from connect.gateway.organization import MOST_BY_ID, OrganizationGateway
from models.audit import APP
from models.credential import CredentialState, admin_keys_of
from models.organization import Organization, close_gate
from models.people import Membership, Person, Seat
from models.reread import EVERYBODY, Reread, held_rereads
from models.sync import Sync, SyncState, latest_sync, newest_sync_id, running_sync
from rules.person import PersonFacts
from services import access_rule_news
from services.batches import batches
from services.directory import store_people
from services.doors import opened
from services.leasing import PAUSES, lease
from services.left_out import left_out
from services.org_admins import known_org_admins, with_org_admins
from services.settling import settling
from services.syncing import start_sync
from services.toolbox import Toolbox

AT_WORK = timedelta(minutes=5)
"""Only then is an attempt believed to have died."""
WHOLE_EVERY = timedelta(hours=1)
"""Events ask for whole syncs at most this often, however many come."""


Readings = Sequence[tuple[str, int]]
"""(reread id, attempt) of a few people of one organization, or of the sync that was asked for instead."""


@dataclass(frozen=True, slots=True)
class _One:
    """Somebody whose turn it is."""

    reread_id: str
    attempt: int
    account_id: str
    newcomer: bool


@dataclass(frozen=True, slots=True)
class _Round:
    """`began`: everything that Atlassian shows was asked after it. `directory_ids` are those of the last sync."""

    organization_id: str
    directory_ids: tuple[str, ...]
    began: datetime
    people: tuple[_One, ...]
    whole: _One | None


def lease_due(
    tools: Toolbox, limit: int = 20, each: int | None = None, but_not: Sequence[str] = ()
) -> list[tuple[str, str, int]]:
    """(organization id, row id, next attempt) of who is to be read now, an equal share for every organization.

    An organization whose directory is being read, that Atlassian asked to wait, or that is in `but_not` gets none.
    """
    reading = select(Sync.organization_id).where(Sync.state == SyncState.RUNNING.value)
    resting = select(Organization.id).where(
        (Organization.paused_until > tools.clock()) | Organization.doorless_since.is_not(None)
    )
    return lease(
        tools,
        Reread,
        limit,
        Reread.organization_id.not_in(reading),
        Reread.organization_id.not_in(resting),
        Reread.organization_id.not_in(but_not),
        each=each,
    )


def reread(tools: Toolbox, organization_id: str, readings: Readings) -> None:
    """Reads and stores these people, and starts the sync that was asked for. Nothing to do: does nothing."""
    begun = _begin(tools, organization_id, readings)
    if begun.whole is not None:
        _start_sync(tools, begun, begun.whole)
    if not begun.people:
        return
    try:
        with opened(tools, organization_id) as gateway:
            found = _look(tools, gateway, begun)
    except RateLimited as pause:
        _pause(tools, begun, pause.until)
    except (Unavailable, Unauthorized, SiteMoved):
        _later(tools, begun)
    except AppError:
        # Without a key that may read, no reading works: what is wrong is said where the key is, and by the next sync.
        _forget(tools, begun)
    else:
        _store(tools, begun, found)


def fail(tools: Toolbox, organization_id: str, readings: Readings) -> None:
    """They met a fault of our own, which is in the log: the next sync reads them anyway."""
    attempts = dict(readings)
    with tools.begin() as session:
        for row in held_rereads(session, organization_id, attempts).values():
            if row.attempt <= attempts[row.id]:
                session.delete(row)


def _begin(tools: Toolbox, organization_id: str, readings: Readings) -> _Round:
    now = tools.clock()
    settle = timedelta(seconds=tools.settings.settle_seconds)
    mine: list[_One] = []
    with tools.begin() as session:
        # A new sync either sees what is stored behind the gate, or reads people later than we did. And SQLite lets
        # nobody write from here on: an event that comes now finds the row, or that it is gone.
        close_gate(session, organization_id)
        rows = _taken_up(session, organization_id, readings, now)
        is_reading = running_sync(session, organization_id) is not None
        sync = latest_sync(session, organization_id, SyncState.COMPLETE)
        shows_at = settling(tools, session, organization_id, [row.account_id for row in rows])
        for row in rows:
            if is_reading:
                row.resume_at = now
            elif sync is None or sync.started_at >= row.asked_at + settle:
                # Before the first sync nobody is known; and whoever was asked for before the last one is in it.
                session.delete(row)
            elif row.account_id in shows_at:
                row.resume_at = shows_at[row.account_id]
            else:
                mine.append(_One(row.id, row.attempt, row.account_id, row.newcomer))
        return _Round(
            organization_id,
            tuple(sync.directory_ids.split(",")) if sync is not None else (),
            now,
            tuple(one for one in mine if one.account_id != EVERYBODY),
            next((one for one in mine if one.account_id == EVERYBODY), None),
        )


def _taken_up(session: Session, organization_id: str, readings: Readings, now: datetime) -> list[Reread]:
    """The rows that wait for these attempts. A worker that was killed comes back with the same, and goes on at once."""
    attempts = dict(readings)
    held = held_rereads(session, organization_id, attempts).values()
    rows = [row for row in held if row.attempt <= attempts[row.id]]
    for row in rows:
        row.attempt, row.resume_at = attempts[row.id], now + AT_WORK
    return rows


def _look(tools: Toolbox, gateway: OrganizationGateway, begun: _Round) -> list[tuple[str, PersonFacts]]:
    """(directory id, person) of those whom Atlassian shows."""
    found = [
        (directory_id, facts)
        for directory_id in begun.directory_ids
        for some in batches(begun.people, MOST_BY_ID)
        for facts in gateway.people(begun.organization_id, directory_id, [one.account_id for one in some])
    ]
    with tools.begin() as session:
        known = known_org_admins(session, begun.organization_id, [one.account_id for one in begun.people])
    told = with_org_admins(gateway.org_admins, begun.organization_id, [facts for _, facts in found], known)
    return [(directory_id, facts) for (directory_id, _), facts in zip(found, told, strict=True)]


def _store(tools: Toolbox, begun: _Round, found: Sequence[tuple[str, PersonFacts]]) -> None:
    with tools.begin() as session:
        close_gate(session, begun.organization_id)
        rows = {row.account_id: row for row in _mine(session, begun)}
        if running_sync(session, begun.organization_id) is not None:
            for row in rows.values():
                row.resume_at = begun.began
            return
        # Somebody may have been acted on while they were read.
        acted_on = settling(tools, session, begun.organization_id, list(rows), read_since=begun.began)
        for account_id, shows_again in acted_on.items():
            rows.pop(account_id).resume_at = shows_again
        found = [each for each in found if not left_out(session, begun.organization_id, each[1])]
        before = _shown(session, begun.organization_id, rows.keys())
        _store_people(session, begun, [(place, facts) for place, facts in found if facts.account_id in rows])
        after = _shown(session, begun.organization_id, rows.keys())
        seen = {facts.account_id for _directory_id, facts in found}
        newcomers = {one.account_id for one in begun.people if one.newcomer}
        for account_id, row in rows.items():
            if account_id in seen and (
                account_id in newcomers or after.get(account_id) != before.get(account_id)
            ):
                access_rule_news.tell(session, begun.organization_id, account_id)
            _done(tools, session, row, begun)


def _store_people(session: Session, begun: _Round, found: Sequence[tuple[str, PersonFacts]]) -> None:
    """With the id of the sync that saw them, somebody in several directories stays known as that."""
    account_ids = [facts.account_id for _directory_id, facts in found]
    seen_by = dict(
        session.execute(
            select(Person.account_id, Person.sync_id).where(
                Person.organization_id == begun.organization_id, Person.account_id.in_(account_ids)
            )
        ).all()
    )
    newest = newest_sync_id(session, begun.organization_id)
    pages: dict[tuple[str, str], list[PersonFacts]] = {}
    for directory_id, facts in found:
        sync_id = seen_by.get(facts.account_id, newest)
        pages.setdefault((directory_id, sync_id), []).append(facts)
    for (directory_id, sync_id), people in pages.items():
        store_people(session, begun.organization_id, directory_id, sync_id, people, begun.began)


def _shown(
    session: Session, organization_id: str, account_ids: Collection[str]
) -> dict[str, tuple[Any, ...]]:
    """Account id → what rules about people's access go by. Who is unknown is absent."""
    people = select(
        Person.account_id,
        Person.status,
        Person.account_status,
        Person.membership_status,
        Person.is_bot,
        Person.left_at,
    ).where(Person.organization_id == organization_id, Person.account_id.in_(account_ids))
    seats = select(Seat.account_id, Seat.resource_id).where(
        Seat.organization_id == organization_id, Seat.account_id.in_(account_ids)
    )
    groups = select(Membership.account_id, Membership.group_id).where(
        Membership.organization_id == organization_id, Membership.account_id.in_(account_ids)
    )
    held: dict[str, set[tuple[str, str]]] = {}
    for kind, query in (("seat", seats), ("group", groups)):
        for account_id, place in session.execute(query):
            held.setdefault(account_id, set()).add((kind, place))
    return {row[0]: (*row[1:], held.get(row[0], set())) for row in session.execute(people)}


def _start_sync(tools: Toolbox, begun: _Round, whole: _One) -> None:
    with tools.begin() as session:
        close_gate(session, begun.organization_id)
        row = held_rereads(session, begun.organization_id, [whole.reread_id]).get(whole.reread_id)
        if row is None or row.attempt != whole.attempt:
            return
        latest = latest_sync(session, begun.organization_id)
        if latest is not None and latest.started_at > begun.began - WHOLE_EVERY:
            row.resume_at = latest.started_at + WHOLE_EVERY
            return
        keys = admin_keys_of(session, begun.organization_id)
        if keys and keys[0].state != CredentialState.REJECTED.value:
            start_sync(session, begun.organization_id, requested_by=APP, now=begun.began)
        _done(tools, session, row, begun)


def _done(tools: Toolbox, session: Session, row: Reread, begun: _Round) -> None:
    """It is over, unless an event came so late that what was read may not show it."""
    shows_at = row.asked_at + timedelta(seconds=tools.settings.settle_seconds)
    if shows_at <= begun.began:
        session.delete(row)
    else:
        row.resume_at, row.troubles = shows_at, 0


def _mine(session: Session, begun: _Round) -> list[Reread]:
    """The rows of these people that nobody else has taken up since."""
    held = held_rereads(session, begun.organization_id, [one.reread_id for one in begun.people])
    return [
        held[one.reread_id]
        for one in begun.people
        if one.reread_id in held and held[one.reread_id].attempt == one.attempt
    ]


def _pause(tools: Toolbox, begun: _Round, until: datetime) -> None:
    """429: nobody of this organization is read or acted on before."""
    with tools.begin() as session:
        session.get_one(Organization, begun.organization_id).paused_until = until
        for row in _mine(session, begun):
            row.resume_at = until


def _later(tools: Toolbox, begun: _Round) -> None:
    with tools.begin() as session:
        for row in _mine(session, begun):
            row.troubles += 1
            if row.troubles > len(PAUSES):
                session.delete(row)
            else:
                row.resume_at = tools.clock() + PAUSES[row.troubles - 1]


def _forget(tools: Toolbox, begun: _Round) -> None:
    with tools.begin() as session:
        for row in _mine(session, begun):
            session.delete(row)
