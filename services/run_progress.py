"""Runs as people see them: counts, speed, and what can be done next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from models.people import Person
from models.rule import rule_names
from models.run import Case, Run, count_cases
from rules.case import CHANGED, CHOSEN, OPEN, QUEUED, CaseState, RunState
from rules.deeds import Deed
from rules.roster import Origin
from services.doors import require_organization
from services.names import names_of
from services.runs import paused_until, require_run
from services.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as people see it. `seconds_left` is None while nobody can say.

    A run of a rule has `rule_id`, counts in `scope` whom the rule is about, and in `new` and `gone` who came and went
    since the plan before. `waiting` counts those in their grace or waiting for an operator, `by_deed` those who were
    changed, or told. `asking`: Atlassian is still being asked whether the accounts of this preview may be changed.
    """

    id: str
    deed: Deed | None
    state: RunState
    reason: str
    rule_id: str | None
    rule_name: str
    rule_version: int | None
    origin: Origin
    origin_id: str
    mode: str
    scope: int
    new: int
    gone: int
    purpose: dict[str, Any]
    asking: bool
    undoes: str | None
    undone_by: str | None
    requested_by: str
    requested_by_name: str
    created_at: datetime
    confirmed_at: datetime | None
    finished_at: datetime | None
    counts: dict[CaseState, int]
    by_deed: dict[Deed, int]
    total: int
    chosen: int
    done: int
    to_do: int
    waiting: int
    seats: int
    paused_until: datetime | None
    per_second: float
    seconds_left: int | None
    can_confirm: bool
    can_release: bool
    can_stop: bool
    can_retry: bool
    can_undo: bool


def show_run(tools: Toolbox, caller: Caller, run_id: str) -> RunView:
    """Everything a page says about one run. Raises NotFound for another organization's run."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        return view_of(session, require_run(session, organization_id, run_id), tools.clock())


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
    to_do = sum(counts.get(state, 0) for state in OPEN)
    waiting = to_do - counts.get(CaseState.PLANNED, 0) - counts.get(CaseState.ACTING, 0)
    chosen = sum(count for state, count in counts.items() if state in CHOSEN)
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
        deed=Deed(run.deed) if run.deed else None,
        state=RunState(run.state),
        reason=run.reason,
        rule_id=run.rule_id,
        rule_name=rule_names(session, run.organization_id, [run.rule_id]).get(run.rule_id or "", ""),
        rule_version=run.rule_version,
        origin=Origin(run.origin),
        origin_id=run.origin_id,
        mode=run.mode,
        scope=run.scope,
        new=run.new,
        gone=run.gone,
        purpose=run.purpose or {},
        asking=run.ask_at is not None and run.state == RunState.PREVIEW,
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
        by_deed=_by_deed(session, run),
        total=total,
        chosen=chosen,
        done=done,
        to_do=to_do,
        waiting=waiting,
        seats=run.seats if run.seats is not None else _seats_held(session, run),
        paused_until=paused_until(session, run.organization_id, now) if running else None,
        per_second=per_second,
        seconds_left=round(to_do / per_second) if running and done and not waiting else None,
        can_confirm=run.state == RunState.PREVIEW
        and ((run.rule_id is None and run.origin != Origin.ACCESS_RULE) or run.undoes is not None)
        and counts.get(CaseState.PLANNED, 0) > 0,
        can_release=run.state == RunState.BRAKED,
        can_stop=(running or run.state == RunState.BRAKED) and any(counts.get(state) for state in QUEUED),
        can_retry=over and counts.get(CaseState.FAILED, 0) > 0,
        can_undo=over and run.undoes is None and _has_changed_somebody(session, run),
    )


def _by_deed(session: Session, run: Run) -> dict[Deed, int]:
    done = [state.value for state in (CaseState.ACTED, CaseState.UNDONE, CaseState.UNDO_SKIPPED)]
    query = (
        select(Case.deed, func.count())
        .where(Case.organization_id == run.organization_id, Case.run_id == run.id, Case.state.in_(done))
        .group_by(Case.deed)
    )
    return {Deed(deed): count for deed, count in session.execute(query)}


def _has_changed_somebody(session: Session, run: Run) -> bool:
    query = select(Case.id).where(
        Case.organization_id == run.organization_id,
        Case.run_id == run.id,
        Case.changed.is_(True),
        Case.state.in_([state.value for state in CHANGED]),
    )
    return session.scalar(query.limit(1)) is not None


def _seats_held(session: Session, run: Run) -> int:
    """Seats of everybody the run is about: what suspending frees."""
    about = [state.value for state in CHOSEN]
    query = (
        select(func.coalesce(func.sum(Person.seat_count), 0))
        .join(Case, (Case.organization_id == Person.organization_id) & (Case.account_id == Person.account_id))
        .where(Case.organization_id == run.organization_id, Case.run_id == run.id, Case.state.in_(about))
    )
    return session.scalar(query) or 0
