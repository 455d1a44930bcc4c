"""Runs: a preview becomes real, is stopped, tried again, finished. Only rows are written; the worker acts."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session, aliased

from connect.caller import Caller
from connect.errors import Conflict, NotFound
from models.audit import APP, Event
from models.organization import Organization
from models.run import Case, Run, count_cases, find_run
from rules.case import OPEN, QUEUED, CaseState, RunState
from rules.roster import Origin
from rules.topics import Topic
from services.apart import apart
from services.audit import record
from services.doors import require_organization
from services.half_way import follow_what_landed
from services.run_notices import tell_finished, tell_not_begun, tell_started
from services.toolbox import Toolbox

PREVIEWS_LIVE = timedelta(days=1)
GOING = (RunState.RUNNING.value, RunState.BRAKED.value)


def confirm(tools: Toolbox, caller: Caller, run_id: str) -> None:
    """Lets a preview become real: the worker finds the people who are due. Raises Conflict when it is too late."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        run = require_run(session, organization_id, run_id)
        if run.rule_id is not None and run.undoes is None:
            raise Conflict("This preview belongs to a rule.", "Open the rule and run it from there.")
        if run.origin == Origin.ACCESS_RULE and run.undoes is None:
            raise Conflict("This list belongs to an access rule.", "Open the rule and switch it live.")
        if run.state != RunState.PREVIEW:
            raise Conflict("This preview was used already.", "Look at the list of runs.")
        if run.created_at < now - PREVIEWS_LIVE:
            raise Conflict("This preview is too old.", "Make a new preview.")
        require_that_it_rests(session, run)
        chosen = count_cases(session, organization_id, run_id).get(CaseState.PLANNED, 0)
        if not chosen:
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
        make_due(session, organization_id, run_id, CaseState.PLANNED, now)
        record_run(session, Event.RUN_CONFIRMED, run, caller.account_id or "", now)
        tell_started(session, run, chosen, now)


def stop(tools: Toolbox, caller: Caller, run_id: str) -> None:
    """Cancels everybody who is still waiting, at once. Whoever is being acted on this moment gets a result."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        run = require_run(session, organization_id, run_id)
        if run.state not in GOING:
            raise Conflict("This run is not running.", "There is nothing to stop.")
        stop_run(session, run, caller.account_id or "", now, "The run was stopped before this person's turn.")


def stop_all(session: Session, organization_id: str, actor: str, now: datetime, reason: str) -> None:
    """Stops every run of an organization: its last door was closed."""
    query = select(Run).where(Run.organization_id == organization_id, Run.state.in_(GOING))
    for run in session.scalars(query).all():
        stop_run(session, run, actor, now, reason)


def stop_runs_of(
    session: Session,
    organization_id: str,
    origin: Origin,
    origin_id: str,
    actor: str,
    now: datetime,
    reason: str,
) -> None:
    """Stops all that one rule or connection has begun; taking something back is no deed of theirs."""
    going = select(Run).where(
        Run.organization_id == organization_id,
        Run.origin == origin.value,
        Run.origin_id == origin_id,
        Run.undoes.is_(None),
        Run.state.in_(GOING),
    )
    for run in session.scalars(going).all():
        stop_run(session, run, actor, now, reason)


def stop_run(
    session: Session,
    run: Run,
    actor: str,
    now: datetime,
    reason: str,
    as_state: CaseState = CaseState.CANCELLED,
) -> None:
    """Stops one run in the caller's transaction; whoever waited ends in `as_state`.

    Of somebody whose last call nobody knows the outcome of, the worker finds it out first.
    """
    session.execute(
        update(Case)
        .where(
            Case.organization_id == run.organization_id,
            Case.run_id == run.id,
            Case.state.in_([state.value for state in QUEUED]),
            Case.acting_since.is_(None),
        )
        .values(state=as_state.value, reason=reason, finished_at=now, resume_at=None)
    )
    _follow_those_half_way(session, run, as_state, actor, now)
    run.state, run.stopped_by, run.finished_at = RunState.STOPPED.value, actor, now
    record_run(session, Event.RUN_STOPPED, run, actor, now, reason)


def _follow_those_half_way(
    session: Session, run: Run, as_state: CaseState, actor: str, now: datetime
) -> None:
    """Of those who were stopped half-way: what they have ends on its day, and what an undo gave back is given back."""
    halfway = select(Case).where(
        Case.organization_id == run.organization_id,
        Case.run_id == run.id,
        Case.state == as_state.value,
        Case.finished_at == now,
        Case.changed.is_(True),
    )
    for case in session.scalars(halfway).all():
        follow_what_landed(session, case, run, actor, now)


def require_that_it_rests(session: Session, undo: Run) -> None:
    """Raises Conflict when the run that `undo` takes back is at it again with one of its people: whom it tries anew.

    With others it may go on for weeks: a grace, or an operator's word, keeps nobody from getting back what they had.
    """
    if undo.undoes is None:
        return
    undone = aliased(Case)
    again = (
        select(Case.id)
        .join(undone, (undone.organization_id == Case.organization_id) & (undone.id == Case.undoes))
        .where(
            Case.organization_id == undo.organization_id,
            Case.run_id == undo.id,
            undone.state.in_([state.value for state in OPEN]),
        )
    )
    if session.scalar(again.limit(1)) is not None:
        raise Conflict("The run that this would take back goes on again.", "Wait until it has finished.")


def goes_on(session: Session, organization_id: str, which: ColumnElement[bool]) -> bool:
    """Whether any of these runs has not ended."""
    going = select(Run.id).where(Run.organization_id == organization_id, which, Run.state.in_(GOING))
    return session.scalar(going.limit(1)) is not None


def finish_runs(tools: Toolbox) -> set[str]:
    """Closes the runs in which nobody is left to act on. Returns the organizations they belonged to."""
    now = tools.clock()
    still_open = select(Case.run_id).where(
        Case.organization_id == Run.organization_id,
        Case.run_id == Run.id,
        Case.state.in_([state.value for state in OPEN]),
    )
    over = (Run.state == RunState.RUNNING.value, ~still_open.exists())
    with tools.begin() as session:
        organization_ids = session.scalars(select(Run.organization_id).where(*over).distinct()).all()

    def finish(organization_id: str) -> str:
        with tools.begin() as session:
            for run in session.scalars(
                select(Run).where(Run.organization_id == organization_id, *over)
            ).all():
                finish_run(session, run, now)
        return organization_id

    return set(apart(finish, organization_ids, "the end of runs"))


def finish_run(session: Session, run: Run, now: datetime) -> None:
    """Closes a run in the caller's transaction, with the counts in the audit."""
    counts = count_cases(session, run.organization_id, run.id)
    run.state, run.finished_at = RunState.FINISHED.value, now
    result = ", ".join(f"{state.value} {count}" for state, count in sorted(counts.items()))
    record_run(session, Event.RUN_FINISHED, run, APP, now, result)
    tell_finished(session, run, counts, now)


def hold_back(session: Session, run: Run, objection: str, now: datetime) -> None:
    """The brake has stopped a run before anybody was touched: its list is kept, and operators are told (S47)."""
    run.state, run.reason = RunState.BRAKED.value, objection
    session.flush()
    session.execute(
        update(Case)
        .where(Case.organization_id == run.organization_id, Case.run_id == run.id)
        .values(resume_at=None)
    )
    record_run(session, Event.RUN_STOPPED_BY_BRAKE, run, APP, now, objection)
    tell_not_begun(session, run, Topic.RUN_BRAKED, now)


def paused_until(session: Session, organization_id: str, now: datetime) -> datetime | None:
    """Until when Atlassian asked us to leave this organization alone."""
    until = session.scalar(select(Organization.paused_until).where(Organization.id == organization_id))
    return until if until is not None and until > now else None


def make_due(
    session: Session,
    organization_id: str,
    run_id: str,
    state: CaseState,
    now: datetime,
    *which: ColumnElement[bool],
) -> int:
    """Lets the worker find everybody of a run who is in `state`, whoever has a start when that has come: how many."""
    due = session.execute(
        update(Case)
        .where(
            Case.organization_id == organization_id, Case.run_id == run_id, Case.state == state.value, *which
        )
        .values(
            state=CaseState.PLANNED.value,
            reason="",
            resume_at=func.coalesce(Case.starts_at, now),
            finished_at=None,
            troubles=0,
        )
        .execution_options(synchronize_session=False)
    )
    return int(due.rowcount)  # type: ignore[attr-defined]


def require_run(session: Session, organization_id: str, run_id: str) -> Run:
    """A run of this organization. Raises NotFound."""
    run = find_run(session, organization_id, run_id)
    if run is None:
        raise NotFound("This run does not exist.", "Look at the list of runs.")
    return run


def record_run(session: Session, event: Event, run: Run, actor: str, now: datetime, result: str = "") -> None:
    """Writes what happened to a run into the audit."""
    details = {"deed": run.deed, "rule": run.rule_id, "undoes": run.undoes}
    if run.rule_version is not None:
        details["version"] = str(run.rule_version)
    record(
        session,
        event,
        at=now,
        actor=actor,
        organization_id=run.organization_id,
        run_id=run.id,
        result=result,
        details={name: value for name, value in details.items() if value},
    )
