"""Reading one person again because Jira or Confluence said that they came, changed or went.

What is seen is stored as a sync stores it. Who is not in the directory any more is left to the next sync: one search
that finds nobody is too little to say that somebody left. Everything may be repeated: the same person is only stored
again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connect.errors import AppError, Gone, RateLimited, SiteMoved, Unauthorized, Unavailable
from connect.gateway.organization import OrganizationGateway
from models.audit import APP
from models.credential import CredentialState, admin_keys_of
from models.organization import Organization, close_gate
from models.people import Membership, Person, Seat, find_person
from models.reread import EVERYBODY, Reread, held_reread
from models.run import Case
from models.sync import Sync, SyncState, latest_sync, newest_sync_id, running_sync
from rules.case import CaseState
from rules.person import PersonFacts
from services import access_rule_news
from services.directory import store_people
from services.doors import opened
from services.leasing import PAUSES, lease
from services.syncing import start_sync
from services.toolbox import Toolbox

AT_WORK = timedelta(minutes=5)
"""Only then is an attempt believed to have died."""
WHOLE_EVERY = timedelta(hours=1)
"""Events ask for whole syncs at most this often, however many come."""


@dataclass(frozen=True, slots=True)
class _Job:
    """`began`: everything that Atlassian shows was asked after it. `directory_ids` are those of the last sync."""

    organization_id: str
    reread_id: str
    attempt: int
    account_id: str
    newcomer: bool
    directory_ids: tuple[str, ...]
    began: datetime


def lease_due(tools: Toolbox, limit: int = 20) -> list[tuple[str, str, int]]:
    """(organization id, row id, next attempt) of who is to be read now, an equal share for every organization.

    An organization whose directory is being read, or that Atlassian asked to wait, gets none.
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
    )


def reread(tools: Toolbox, organization_id: str, reread_id: str, attempt: int) -> None:
    """Reads and stores one person, or starts the sync that was asked for instead. Nothing to do: does nothing."""
    job = _begin(tools, organization_id, reread_id, attempt)
    if job is None:
        return
    if job.account_id == EVERYBODY:
        _start_sync(tools, job)
        return
    try:
        with opened(tools, organization_id) as gateway:
            found = _look(gateway, job)
    except RateLimited as pause:
        _pause(tools, job, pause.until)
    except (Unavailable, Unauthorized, SiteMoved):
        _later(tools, job)
    except AppError:
        # Without a key that may read, no reading works: what is wrong is said where the key is, and by the next sync.
        _forget(tools, job)
    else:
        _store(tools, job, found)


def fail(tools: Toolbox, organization_id: str, reread_id: str, attempt: int) -> None:
    """It met a fault of our own, which is in the log: the next sync reads them anyway."""
    with tools.begin() as session:
        row = held_reread(session, organization_id, reread_id)
        if row is not None and row.attempt <= attempt:
            session.delete(row)


def _begin(tools: Toolbox, organization_id: str, reread_id: str, attempt: int) -> _Job | None:
    now = tools.clock()
    settle = timedelta(seconds=tools.settings.settle_seconds)
    with tools.begin() as session:
        # A new sync either sees what is stored behind the gate, or reads people later than we did. And SQLite lets
        # nobody write from here on: an event that comes now finds the row, or that it is gone.
        close_gate(session, organization_id)
        row = held_reread(session, organization_id, reread_id)
        if row is None or row.attempt > attempt:
            return None
        # A worker that was killed comes back with the same attempt, and goes on at once.
        row.attempt, row.resume_at = attempt, now + AT_WORK
        if running_sync(session, organization_id) is not None:
            row.resume_at = now
            return None
        sync = latest_sync(session, organization_id, SyncState.COMPLETE)
        if sync is None or sync.started_at >= row.asked_at + settle:
            # Before the first sync nobody is known; and whoever was asked for before the last one is in it.
            session.delete(row)
            return None
        settles_at = _settles_at(session, row, now, settle)
        if settles_at is not None:
            row.resume_at = settles_at
            return None
        return _Job(
            organization_id,
            reread_id,
            attempt,
            row.account_id,
            row.newcomer,
            tuple(sync.directory_ids.split(",")),
            now,
        )


def _settles_at(session: Session, row: Reread, now: datetime, settle: timedelta) -> datetime | None:
    """When Atlassian shows what was just done to them: read before, we would forget what we know better."""
    query = select(Case.finished_at).where(
        Case.organization_id == row.organization_id,
        Case.account_id == row.account_id,
        (Case.state == CaseState.ACTING.value) | (Case.changed.is_(True) & (Case.finished_at > now - settle)),
    )
    found = [finished_at or now for finished_at in session.scalars(query)]
    return max(found) + settle if found else None


def _look(gateway: OrganizationGateway, job: _Job) -> list[tuple[str, PersonFacts]]:
    found = []
    for directory_id in job.directory_ids:
        try:
            found.append((directory_id, gateway.person(job.organization_id, directory_id, job.account_id)))
        except Gone:
            continue
    return found


def _store(tools: Toolbox, job: _Job, found: list[tuple[str, PersonFacts]]) -> None:
    with tools.begin() as session:
        close_gate(session, job.organization_id)
        row = _mine(session, job)
        if row is None:
            return
        if running_sync(session, job.organization_id) is not None:
            row.resume_at = job.began
            return
        before = _shown(session, job)
        person = find_person(session, job.organization_id, job.account_id)
        # With the id of the sync that saw them, somebody in several directories stays known as that.
        sync_id = person.sync_id if person is not None else newest_sync_id(session, job.organization_id)
        for directory_id, facts in found:
            store_people(session, job.organization_id, directory_id, sync_id, [facts], job.began)
        if found and (job.newcomer or _shown(session, job) != before):
            access_rule_news.tell(session, job.organization_id, job.account_id)
        _done(tools, session, row, job)


def _shown(session: Session, job: _Job) -> tuple[Any, ...]:
    """What rules about people's access go by."""
    columns = (
        Person.status,
        Person.account_status,
        Person.membership_status,
        Person.is_bot,
        Person.left_at,
    )
    person = session.execute(
        select(*columns).where(
            Person.organization_id == job.organization_id, Person.account_id == job.account_id
        )
    ).first()
    seats = select(Seat.resource_id).where(
        Seat.organization_id == job.organization_id, Seat.account_id == job.account_id
    )
    groups = select(Membership.group_id).where(
        Membership.organization_id == job.organization_id, Membership.account_id == job.account_id
    )
    return (
        tuple(person) if person is not None else None,
        frozenset(session.scalars(seats)),
        frozenset(session.scalars(groups)),
    )


def _start_sync(tools: Toolbox, job: _Job) -> None:
    with tools.begin() as session:
        close_gate(session, job.organization_id)
        row = _mine(session, job)
        if row is None:
            return
        latest = latest_sync(session, job.organization_id)
        if latest is not None and latest.started_at > job.began - WHOLE_EVERY:
            row.resume_at = latest.started_at + WHOLE_EVERY
            return
        keys = admin_keys_of(session, job.organization_id)
        if keys and keys[0].state != CredentialState.REJECTED.value:
            start_sync(session, job.organization_id, requested_by=APP, now=job.began)
        _done(tools, session, row, job)


def _done(tools: Toolbox, session: Session, row: Reread, job: _Job) -> None:
    """It is over, unless an event came so late that what was read may not show it."""
    shows_at = row.asked_at + timedelta(seconds=tools.settings.settle_seconds)
    if shows_at <= job.began:
        session.delete(row)
    else:
        row.resume_at, row.troubles = shows_at, 0


def _mine(session: Session, job: _Job) -> Reread | None:
    row = held_reread(session, job.organization_id, job.reread_id)
    return row if row is not None and row.attempt == job.attempt else None


def _pause(tools: Toolbox, job: _Job, until: datetime) -> None:
    """429: nobody of this organization is read or acted on before."""
    with tools.begin() as session:
        session.get_one(Organization, job.organization_id).paused_until = until
        row = _mine(session, job)
        if row is not None:
            row.resume_at = until


def _later(tools: Toolbox, job: _Job) -> None:
    with tools.begin() as session:
        row = _mine(session, job)
        if row is None:
            return
        row.troubles += 1
        if row.troubles > len(PAUSES):
            session.delete(row)
        else:
            row.resume_at = tools.clock() + PAUSES[row.troubles - 1]


def _forget(tools: Toolbox, job: _Job) -> None:
    with tools.begin() as session:
        row = _mine(session, job)
        if row is not None:
            session.delete(row)
