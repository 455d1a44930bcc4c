"""Runs: from a preview that shows everybody with a verdict, to the deed, to taking it back. Only writes rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict, Invalid, NotFound, NotReady
from models.audit import APP, Event
from models.credential import credential_holders
from models.organization import Organization
from models.people import Person, facts_of, select_people
from models.run import Case, Run, count_cases, find_run
from models.sync import SyncState, latest_sync
from rules.case import UNFINISHED, CaseState, Deed, RunState
from rules.filters import PeopleFilter
from rules.guards import Guarded
from rules.person import PersonFacts
from rules.plan import judge
from services.audit import record
from services.doors import require_organization
from services.names import names_of
from services.toolbox import Toolbox

MOST_PEOPLE = 5000
FRESH = timedelta(hours=48)
"""A plan is made only from a complete sync that is not older than this (S46)."""
PREVIEWS_LIVE = timedelta(days=1)
OPPOSITE = {Deed.SUSPEND: Deed.RESTORE, Deed.RESTORE: Deed.SUSPEND}


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as people see it. `seconds_left` is None while nobody can say."""

    id: str
    deed: Deed
    state: RunState
    undoes: str | None
    undone_by: str | None
    requested_by: str
    requested_by_name: str
    created_at: datetime
    confirmed_at: datetime | None
    finished_at: datetime | None
    counts: dict[CaseState, int]
    total: int
    chosen: int
    done: int
    to_do: int
    seats: int
    paused_until: datetime | None
    per_second: float
    seconds_left: int | None
    can_confirm: bool
    can_stop: bool
    can_retry: bool
    can_undo: bool


def preview(
    tools: Toolbox,
    caller: Caller,
    deed: Deed,
    *,
    account_ids: Sequence[str] | None,
    filter: PeopleFilter | None,
) -> str:
    """Works out a verdict for everybody selected, by ids or by filter, and keeps it as a run to be confirmed.

    Returns the run's id. Raises NotReady (no fresh complete sync) and Invalid (nobody, or too many).
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        require_fresh_sync(session, organization_id, now)
        query = select_people(organization_id, filter or PeopleFilter(), now)
        if account_ids is not None:
            query = query.where(Person.account_id.in_(list(account_ids)[: MOST_PEOPLE + 1]))
        people = list(session.scalars(query.limit(MOST_PEOPLE + 1)))
        if not people:
            raise Invalid("people", "Nobody is selected.", "Select people in the list first.")
        if len(people) > MOST_PEOPLE:
            raise Invalid(
                "people",
                f"More than {MOST_PEOPLE:,} people are selected.",
                "Narrow the filter and do it in several runs.",
            )
        run = _new_run(session, organization_id, caller, deed, now)
        guarded = Guarded(caller.account_id or "", frozenset(credential_holders(session, organization_id)))
        _add_cases(session, run, ((person, facts_of(person), None) for person in people), deed, guarded)
        return run.id


def preview_undo(tools: Toolbox, caller: Caller, run_id: str) -> str:
    """A preview of taking a run back: the opposite deed for everybody it changed, and for nobody else (S51)."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        undone = _run(session, organization_id, run_id)
        if undone.undoes is not None or undone.state not in (RunState.FINISHED, RunState.STOPPED):
            raise Conflict("This run cannot be taken back now.", "Wait until it has finished.")
        acted = {
            case.account_id: case
            for case in session.scalars(
                select(Case).where(
                    Case.organization_id == organization_id,
                    Case.run_id == run_id,
                    Case.state.in_([CaseState.ACTED.value, CaseState.UNDO_SKIPPED.value]),
                )
            )
        }
        if not acted:
            raise Conflict("Nobody is left whom this run changed.", "There is nothing to take back.")
        people = session.scalars(
            select(Person).where(Person.organization_id == organization_id, Person.account_id.in_(acted))
        )
        deed = OPPOSITE[Deed(undone.deed)]
        run = _new_run(session, organization_id, caller, deed, now, undoes=run_id)
        guarded = Guarded(caller.account_id or "", frozenset(credential_holders(session, organization_id)))
        settle = timedelta(seconds=tools.settings.settle_seconds)
        rows = (
            (person, _as_left(person, acted[person.account_id], settle), acted[person.account_id].id)
            for person in people
        )
        _add_cases(session, run, rows, deed, guarded)
        return run.id


def confirm(tools: Toolbox, caller: Caller, run_id: str) -> None:
    """Lets a preview become real: the worker finds the people who are due. Raises Conflict when it is too late."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        run = _run(session, organization_id, run_id)
        if run.state != RunState.PREVIEW or run.created_at < now - PREVIEWS_LIVE:
            raise Conflict("This preview was used already, or is too old.", "Make a new preview.")
        if not count_cases(session, organization_id, run_id).get(CaseState.PLANNED):
            raise Conflict("Nobody in this preview can be changed.", "Select other people.")
        confirmed = session.execute(
            update(Run)
            .where(
                Run.organization_id == organization_id, Run.id == run_id, Run.state == RunState.PREVIEW.value
            )
            .values(state=RunState.RUNNING.value, confirmed_by=caller.account_id, confirmed_at=now)
        )
        if not confirmed.rowcount:  # type: ignore[attr-defined]
            raise Conflict("This preview was used already.", "Look at the list of runs.")
        _make_due(session, organization_id, run_id, CaseState.PLANNED, now)
        _record(session, Event.RUN_CONFIRMED, run, caller.account_id or "", now)


def stop(tools: Toolbox, caller: Caller, run_id: str) -> None:
    """Cancels everybody who is still waiting, at once. Whoever is being acted on this moment gets a result."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        run = _run(session, organization_id, run_id)
        if run.state != RunState.RUNNING:
            raise Conflict("This run is not running.", "There is nothing to stop.")
        stop_run(session, run, caller.account_id or "", now, "The run was stopped before this person's turn.")


def stop_all(session: Session, organization_id: str, actor: str, now: datetime, reason: str) -> None:
    """Stops every run of an organization: its last door was closed."""
    query = select(Run).where(Run.organization_id == organization_id, Run.state == RunState.RUNNING.value)
    for run in session.scalars(query).all():
        stop_run(session, run, actor, now, reason)


def stop_run(session: Session, run: Run, actor: str, now: datetime, reason: str) -> None:
    """Stops one run in the caller's transaction."""
    session.execute(
        update(Case)
        .where(
            Case.organization_id == run.organization_id,
            Case.run_id == run.id,
            Case.state == CaseState.PLANNED.value,
        )
        .values(state=CaseState.CANCELLED.value, reason=reason, finished_at=now, resume_at=None)
    )
    run.state, run.stopped_by, run.finished_at = RunState.STOPPED.value, actor, now
    _record(session, Event.RUN_STOPPED, run, actor, now)


def retry_failed(tools: Toolbox, caller: Caller, run_id: str) -> None:
    """Takes up again everybody whose deed failed. Raises Conflict when nobody did."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        run = _run(session, organization_id, run_id)
        failed = count_cases(session, organization_id, run_id).get(CaseState.FAILED, 0)
        if run.state not in (RunState.FINISHED, RunState.STOPPED) or not failed:
            raise Conflict("There is nobody to try again.", "Look at the results.")
        _make_due(session, organization_id, run_id, CaseState.FAILED, now)
        run.state, run.finished_at = RunState.RUNNING.value, None
        _record(session, Event.RUN_RETRIED, run, caller.account_id or "", now, f"{failed} people")


def finish_runs(tools: Toolbox) -> set[str]:
    """Closes the runs in which nobody is left to act on. Returns the organizations they belonged to."""
    now = tools.clock()
    unfinished = select(Case.run_id).where(
        Case.organization_id == Run.organization_id,
        Case.run_id == Run.id,
        Case.state.in_([state.value for state in UNFINISHED]),
    )
    with tools.begin() as session:
        query = select(Run).where(Run.state == RunState.RUNNING.value, ~unfinished.exists())
        finished = session.scalars(query).all()
        for run in finished:
            counts = count_cases(session, run.organization_id, run.id)
            run.state, run.finished_at = RunState.FINISHED.value, now
            result = ", ".join(f"{state.value} {count}" for state, count in sorted(counts.items()))
            _record(session, Event.RUN_FINISHED, run, APP, now, result)
        return {run.organization_id for run in finished}


def purge_previews(tools: Toolbox) -> None:
    """Deletes previews that nobody confirmed in time."""
    old = tools.clock() - PREVIEWS_LIVE
    with tools.begin() as session:
        session.execute(delete(Run).where(Run.state == RunState.PREVIEW.value, Run.created_at < old))


def show_run(tools: Toolbox, caller: Caller, run_id: str) -> RunView:
    """Everything a page says about one run. Raises NotFound for another organization's run."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        return view_of(session, _run(session, organization_id, run_id), tools.clock())


def list_runs(tools: Toolbox, caller: Caller, limit: int = 50) -> list[RunView]:
    """The newest runs; previews that nobody confirmed are left out."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        query = select(Run).where(Run.organization_id == organization_id, Run.state != RunState.PREVIEW.value)
        return [
            view_of(session, run, now)
            for run in session.scalars(query.order_by(Run.created_at.desc()).limit(limit))
        ]


def view_of(session: Session, run: Run, now: datetime) -> RunView:
    """Counts, speed and what can be done next."""
    counts = count_cases(session, run.organization_id, run.id)
    total = sum(counts.values())
    to_do = sum(counts.get(state, 0) for state in UNFINISHED)
    chosen = total - counts.get(CaseState.GUARDED, 0) - counts.get(CaseState.NOT_POSSIBLE, 0)
    done = chosen - to_do
    running = run.state == RunState.RUNNING
    over = run.state in (RunState.FINISHED, RunState.STOPPED)
    seconds = max(((run.finished_at or now) - (run.confirmed_at or now)).total_seconds(), 0.001)
    per_second = done / seconds
    undone_by = session.scalar(
        select(Run.id)
        .where(
            Run.organization_id == run.organization_id,
            Run.undoes == run.id,
            Run.state != RunState.PREVIEW.value,
        )
        .order_by(Run.created_at.desc())
        .limit(1)
    )
    return RunView(
        id=run.id,
        deed=Deed(run.deed),
        state=RunState(run.state),
        undoes=run.undoes,
        undone_by=undone_by,
        requested_by=run.requested_by,
        requested_by_name=names_of(session, run.organization_id, [run.requested_by]).get(
            run.requested_by, ""
        ),
        created_at=run.created_at,
        confirmed_at=run.confirmed_at,
        finished_at=run.finished_at,
        counts=counts,
        total=total,
        chosen=chosen,
        done=done,
        to_do=to_do,
        seats=_seats_held(session, run),
        paused_until=paused_until(session, run.organization_id, now) if running else None,
        per_second=per_second,
        seconds_left=round(to_do / per_second) if running and done else None,
        can_confirm=run.state == RunState.PREVIEW and counts.get(CaseState.PLANNED, 0) > 0,
        can_stop=running and counts.get(CaseState.PLANNED, 0) > 0,
        can_retry=over and counts.get(CaseState.FAILED, 0) > 0,
        can_undo=over
        and run.undoes is None
        and counts.get(CaseState.ACTED, 0) + counts.get(CaseState.UNDO_SKIPPED, 0) > 0,
    )


def require_fresh_sync(session: Session, organization_id: str, now: datetime) -> None:
    """Raises NotReady unless the newest complete sync is recent enough to decide about people (S46)."""
    sync = latest_sync(session, organization_id, SyncState.COMPLETE)
    if sync is None:
        raise NotReady(
            "Rollcall has not read your directory completely yet.",
            "Start a sync on the Overview page and wait until it is complete.",
            reason="no_complete_sync",
        )
    if sync.started_at < now - FRESH:
        raise NotReady(
            "The last complete sync is too old to decide about people.",
            "Start a sync on the Overview page and wait until it is complete.",
            reason="stale_sync",
        )


def paused_until(session: Session, organization_id: str, now: datetime) -> datetime | None:
    """Until when Atlassian asked us to leave this organization alone."""
    until = session.scalar(select(Organization.paused_until).where(Organization.id == organization_id))
    return until if until is not None and until > now else None


def _new_run(
    session: Session,
    organization_id: str,
    caller: Caller,
    deed: Deed,
    now: datetime,
    undoes: str | None = None,
) -> Run:
    run = Run(
        organization_id=organization_id,
        id=str(uuid.uuid4()),
        deed=deed.value,
        state=RunState.PREVIEW.value,
        undoes=undoes,
        requested_by=caller.account_id or "",
        created_at=now,
    )
    session.add(run)
    _record(session, Event.RUN_PREVIEWED, run, caller.account_id or "", now)
    return run


def _as_left(person: Person, case: Case, settle: timedelta) -> PersonFacts:
    # A sync that read the person before the deed could show says nothing about what somebody did since.
    facts = facts_of(person)
    if case.finished_at is not None and person.synced_at > case.finished_at + settle:
        return facts
    return replace(facts, membership_status=case.left_as or facts.membership_status)


def _add_cases(
    session: Session,
    run: Run,
    people: Iterable[tuple[Person, PersonFacts, str | None]],
    deed: Deed,
    guarded: Guarded,
) -> None:
    rows = []
    for person, facts, undoes in people:
        verdict = judge(deed, facts, guarded, in_several_directories=person.in_several_directories)
        rows.append(
            {
                "organization_id": run.organization_id,
                "id": str(uuid.uuid4()),
                "run_id": run.id,
                "account_id": person.account_id,
                "directory_id": person.directory_id,
                "name": person.name,
                "state": verdict.state.value,
                "reason": verdict.reason,
                "undoes": undoes,
                "attempt": 0,
                "troubles": 0,
            }
        )
    if rows:
        session.execute(insert(Case), rows)


def _make_due(session: Session, organization_id: str, run_id: str, state: CaseState, now: datetime) -> None:
    session.execute(
        update(Case)
        .where(Case.organization_id == organization_id, Case.run_id == run_id, Case.state == state.value)
        .values(state=CaseState.PLANNED.value, reason="", resume_at=now, finished_at=None, troubles=0)
    )


def _seats_held(session: Session, run: Run) -> int:
    """Seats of everybody the run is about: what suspending frees."""
    about = [state.value for state in CaseState if state not in (CaseState.GUARDED, CaseState.NOT_POSSIBLE)]
    query = (
        select(func.coalesce(func.sum(Person.seat_count), 0))
        .join(Case, (Case.organization_id == Person.organization_id) & (Case.account_id == Person.account_id))
        .where(Case.organization_id == run.organization_id, Case.run_id == run.id, Case.state.in_(about))
    )
    return session.scalar(query) or 0


def _run(session: Session, organization_id: str, run_id: str) -> Run:
    run = find_run(session, organization_id, run_id)
    if run is None:
        raise NotFound("This run does not exist.", "Look at the list of runs.")
    return run


def _record(session: Session, event: Event, run: Run, actor: str, now: datetime, result: str = "") -> None:
    record(
        session,
        event,
        at=now,
        actor=actor,
        organization_id=run.organization_id,
        run_id=run.id,
        result=result,
        details={"deed": run.deed} | ({"undoes": run.undoes} if run.undoes else {}),
    )
