"""Syncs: asked for, begun daily, stopped, ended, and how far they are. The reading is services/directory_reading.py."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict
from models.audit import APP, Event
from models.credential import CredentialState, admin_keys_of
from models.organization import Organization, close_gate
from models.sync import Sync, SyncState, latest_sync, running_sync
from services.apart import apart
from services.audit import record
from services.doors import require_organization
from services.toolbox import Toolbox
from services.workers import silent_since

EVERY = timedelta(days=1)
OUR_FAULT = "Something went wrong inside Rollcall. Start another sync."
"""What people read; the fault itself is in the log."""


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """A sync as people see it. `seconds_left` is None while nobody can say.

    `silent_since` is since when no worker has given a sign of life, while it runs.
    """

    id: str
    state: str
    people: int
    expected: int | None
    pages: int
    started_at: datetime
    finished_at: datetime | None
    resume_at: datetime | None
    silent_since: datetime | None
    per_second: float
    seconds_left: int | None
    problem: str
    requested_by: str


def request_sync(tools: Toolbox, caller: Caller) -> str:
    """*Sync now*. Returns the sync's id. Raises Conflict when one runs already."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        sync = start_sync(session, organization_id, requested_by=caller.account_id or "", now=tools.clock())
        if sync is None:
            raise Conflict("A sync is running already.", "Wait for it, or stop it first.")
        return sync.id


def start_sync(session: Session, organization_id: str, *, requested_by: str, now: datetime) -> Sync | None:
    """Writes down that a sync is due; the worker finds the row. None when one runs already."""
    close_gate(session, organization_id)
    if running_sync(session, organization_id) is not None:
        return None
    before = latest_sync(session, organization_id, SyncState.COMPLETE)
    sync = Sync(
        id=str(uuid.uuid4()),
        organization_id=organization_id,
        requested_by=requested_by,
        started_at=now,
        expected=before.people if before is not None else None,
    )
    session.add(sync)
    record(session, Event.SYNC_STARTED, at=now, actor=requested_by, organization_id=organization_id)
    return sync


def start_daily_syncs(tools: Toolbox) -> int:
    """Starts the syncs that are due: every organization with a working key, a day after its last one began."""
    with tools.begin() as session:
        organization_ids = list(
            session.scalars(select(Organization.id).where(Organization.doorless_since.is_(None)))
        )
    return sum(apart(lambda each: _start_daily_sync(tools, each), organization_ids, "the daily sync"))


def _start_daily_sync(tools: Toolbox, organization_id: str) -> bool:
    now = tools.clock()
    with tools.begin() as session:
        latest = latest_sync(session, organization_id)
        keys = admin_keys_of(session, organization_id)
        if latest is not None and latest.started_at > now - EVERY:
            return False
        if not keys or keys[0].state == CredentialState.REJECTED.value:
            return False
        return start_sync(session, organization_id, requested_by=APP, now=now) is not None


def stop_sync(tools: Toolbox, caller: Caller) -> None:
    """Stops the running sync; what was read stays, but the sync does not count as complete."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        sync = running_sync(session, organization_id)
        by = caller.account_id or ""
        # The worker may be ending it this moment.
        if sync is None or not end_sync(session, sync, SyncState.STOPPED, now=tools.clock(), actor=by):
            raise Conflict("No sync is running.", "There is nothing to stop.")


def progress(tools: Toolbox, organization_id: str) -> SyncProgress | None:
    """The newest sync of an organization."""
    with tools.begin() as session:
        sync = latest_sync(session, organization_id)
        return None if sync is None else _progress_of(session, sync, tools.clock())


def due_syncs(tools: Toolbox, limit: int = 100) -> list[tuple[str, str, int]]:
    """(organization id, sync id, next attempt) of the syncs that nobody has taken up, or whose pause is over."""
    now = tools.clock()
    query = (
        select(Sync.organization_id, Sync.id, Sync.attempt)
        .where(Sync.state == SyncState.RUNNING.value)
        .where(((Sync.resume_at.is_(None)) & (Sync.attempt == 0)) | (Sync.resume_at <= now))
        .limit(limit)
    )
    with tools.begin() as session:
        return [
            (organization_id, sync_id, attempt + 1)
            for organization_id, sync_id, attempt in session.execute(query)
        ]


def syncs_under_way(tools: Toolbox) -> list[tuple[str, str, int]]:
    """(organization id, sync id, attempt) of the syncs that somebody has taken up, and that do not wait."""
    query = select(Sync.organization_id, Sync.id, Sync.attempt).where(
        Sync.state == SyncState.RUNNING.value, Sync.resume_at.is_(None), Sync.attempt > 0
    )
    with tools.begin() as session:
        return [
            (organization_id, sync_id, attempt)
            for organization_id, sync_id, attempt in session.execute(query)
        ]


def take_up(tools: Toolbox, organization_id: str, sync_id: str, attempt: int) -> bool:
    """Begins an attempt. False when the sync has ended or a later attempt has begun."""
    with tools.begin() as session:
        taken = session.execute(
            update(Sync)
            .where(
                Sync.organization_id == organization_id,
                Sync.id == sync_id,
                Sync.state == SyncState.RUNNING.value,
                Sync.attempt <= attempt,
            )
            .values(attempt=attempt, resume_at=None)
        )
        return bool(taken.rowcount)  # type: ignore[attr-defined]


def fail_sync(tools: Toolbox, organization_id: str, sync_id: str, problem: str) -> None:
    """Ends a sync that cannot go on. It may have ended already."""
    with tools.begin() as session:
        sync = session.get(Sync, sync_id)
        if (
            sync is not None
            and sync.organization_id == organization_id
            and sync.state == SyncState.RUNNING.value
        ):
            end_sync(session, sync, SyncState.FAILED, now=tools.clock(), actor=APP, problem=problem)


def end_sync(
    session: Session, sync: Sync, state: SyncState, *, now: datetime, actor: str, problem: str = ""
) -> bool:
    """Ends a sync and writes it into the audit. False when it has ended meanwhile: it stays what it became."""
    ended = session.execute(
        update(Sync)
        .where(Sync.id == sync.id, Sync.state == SyncState.RUNNING.value)
        .values(state=state.value, finished_at=now, resume_at=None, problem=problem[:500], outline=None)
        .execution_options(synchronize_session=False)
    )
    session.refresh(sync)
    if not ended.rowcount:  # type: ignore[attr-defined]
        return False
    events = {
        SyncState.COMPLETE: Event.SYNC_COMPLETED,
        SyncState.STOPPED: Event.SYNC_STOPPED,
        SyncState.FAILED: Event.SYNC_FAILED,
    }
    record(
        session,
        events[state],
        at=now,
        actor=actor,
        organization_id=sync.organization_id,
        result=problem or f"{sync.people} people, {sync.pages} pages",
    )
    return True


def _progress_of(session: Session, sync: Sync, now: datetime) -> SyncProgress:
    running = sync.state == SyncState.RUNNING.value
    seconds = max(((sync.finished_at or now) - sync.started_at).total_seconds(), 0.001)
    per_second = sync.people / seconds
    left = None
    if running and sync.expected and per_second > 0:
        left = round(max(sync.expected - sync.people, 0) / per_second)
    return SyncProgress(
        id=sync.id,
        state=sync.state,
        people=sync.people,
        expected=sync.expected,
        pages=sync.pages,
        started_at=sync.started_at,
        finished_at=sync.finished_at,
        resume_at=sync.resume_at,
        silent_since=silent_since(session, now, sync.started_at) if running else None,
        per_second=per_second,
        seconds_left=left,
        problem=sync.problem,
        requested_by=sync.requested_by,
    )
