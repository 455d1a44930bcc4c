"""Runs as people see them: counts, speed, and what can be done next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from models.people import Person
from models.rule import rule_names
from models.run import Case, Run, count_cases_of, count_left_alone
from rules.case import CHANGED, CHOSEN, OPEN, QUEUED, CaseState, RunState
from rules.deeds import Deed
from rules.roster import Origin
from services.doors import require_organization
from services.names import names_of
from services.runs import paused_until, require_run
from services.toolbox import Toolbox
from services.workers import silent_since


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as people see it. `seconds_left` is None while nobody can say.

    A run of a rule has `rule_id`, counts in `scope` whom the rule is about, and in `new` and `gone` who came and went
    since the plan before. `waiting` counts those in their grace, those waiting for an operator, and those whose day has
    not come, who are `later`; `by_deed` those who were changed, or told; `spared` those of the chosen who were left
    alone. `silent_since` is since when no worker has given a sign of life, while the run has work for one. `asking`:
    Atlassian is still being asked whether the accounts of this preview may be changed.
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
    later: int
    spared: int
    seats: int
    paused_until: datetime | None
    silent_since: datetime | None
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


def list_runs(
    tools: Toolbox, caller: Caller, *, offset: int = 0, limit: int = 50
) -> tuple[list[RunView], int]:
    """A page of the runs, newest first, and how many there are; previews that nobody confirmed are left out."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    where = (Run.organization_id == organization_id, Run.state != RunState.PREVIEW.value)
    newest = select(Run).where(*where).order_by(Run.created_at.desc(), Run.id)
    with tools.begin() as session:
        total = session.scalar(select(func.count(Run.id)).where(*where)) or 0
        found = session.scalars(newest.offset(offset).limit(limit)).all()
        return views_of(session, organization_id, found, now), total


def view_of(session: Session, run: Run, now: datetime) -> RunView:
    """Counts, speed and what can be done next."""
    return views_of(session, run.organization_id, [run], now)[0]


def views_of(session: Session, organization_id: str, runs: Sequence[Run], now: datetime) -> list[RunView]:
    """The same for several runs of one organization: as few questions as for one."""
    facts = _facts_of(session, organization_id, runs, now)
    return [_view(run, facts, now) for run in runs]


@dataclass(frozen=True, slots=True)
class _Facts:
    """What our memory has about some runs, by the run's id; names by their own ids."""

    counts: dict[str, dict[CaseState, int]]
    left_alone: dict[str, int]
    by_deed: dict[str, dict[Deed, int]]
    undone_by: dict[str, str]
    later: dict[str, int]
    seats: dict[str, int]
    changed: set[str]
    rules: dict[str, str]
    names: dict[str, str]
    paused_until: datetime | None
    silent_since: datetime | None


def _facts_of(session: Session, organization_id: str, runs: Sequence[Run], now: datetime) -> _Facts:
    ids = [run.id for run in runs]
    over = [run.id for run in runs if run.undoes is None and _is_over(run)]
    running = [run.id for run in runs if run.state == RunState.RUNNING]
    return _Facts(
        counts=count_cases_of(session, organization_id, ids),
        left_alone=count_left_alone(session, organization_id, ids),
        by_deed=_by_deed(session, organization_id, ids),
        undone_by=_undone_by(session, organization_id, ids),
        later=_begin_later(session, organization_id, running, now),
        seats=_seats_held(session, organization_id, [run.id for run in runs if run.seats is None]),
        changed=_have_changed_somebody(session, organization_id, over),
        rules=rule_names(session, organization_id, [run.rule_id for run in runs]),
        names=names_of(session, organization_id, [run.requested_by for run in runs]),
        paused_until=paused_until(session, organization_id, now) if running else None,
        silent_since=silent_since(session, now) if running else None,
    )


def _is_over(run: Run) -> bool:
    return run.state in (RunState.FINISHED, RunState.STOPPED)


def _view(run: Run, facts: _Facts, now: datetime) -> RunView:
    counts = facts.counts.get(run.id, {})
    total = sum(counts.values())
    to_do = sum(counts.get(state, 0) for state in OPEN)
    later = facts.later.get(run.id, 0)
    waiting = to_do + later - counts.get(CaseState.PLANNED, 0) - counts.get(CaseState.ACTING, 0)
    chosen = sum(count for state, count in counts.items() if state in CHOSEN)
    by_plan = facts.left_alone.get(run.id, 0)
    chosen -= by_plan
    done = chosen - to_do
    running = run.state == RunState.RUNNING
    over = _is_over(run)
    seconds = max(((run.finished_at or now) - (run.confirmed_at or now)).total_seconds(), 0.001)
    per_second = done / seconds
    return RunView(
        id=run.id,
        deed=Deed(run.deed) if run.deed else None,
        state=RunState(run.state),
        reason=run.reason,
        rule_id=run.rule_id,
        rule_name=facts.rules.get(run.rule_id or "", ""),
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
        undone_by=facts.undone_by.get(run.id),
        requested_by=run.requested_by,
        requested_by_name=facts.names.get(run.requested_by, ""),
        created_at=run.created_at,
        confirmed_at=run.confirmed_at,
        finished_at=run.finished_at,
        counts=counts,
        by_deed=facts.by_deed.get(run.id, {}),
        total=total,
        chosen=chosen,
        done=done,
        to_do=to_do,
        waiting=waiting,
        later=later,
        spared=counts.get(CaseState.SPARED, 0) - by_plan,
        seats=run.seats if run.seats is not None else facts.seats.get(run.id, 0),
        paused_until=facts.paused_until if running else None,
        silent_since=facts.silent_since if running and to_do > waiting else None,
        per_second=per_second,
        seconds_left=round(to_do / per_second) if running and done and not waiting else None,
        can_confirm=run.state == RunState.PREVIEW
        and ((run.rule_id is None and run.origin != Origin.ACCESS_RULE) or run.undoes is not None)
        and counts.get(CaseState.PLANNED, 0) > 0,
        can_release=run.state == RunState.BRAKED,
        can_stop=(running or run.state == RunState.BRAKED) and any(counts.get(state) for state in QUEUED),
        can_retry=over and counts.get(CaseState.FAILED, 0) > 0,
        can_undo=run.id in facts.changed,
    )


def _by_deed(session: Session, organization_id: str, run_ids: Sequence[str]) -> dict[str, dict[Deed, int]]:
    done = [state.value for state in (CaseState.ACTED, CaseState.UNDONE, CaseState.UNDO_SKIPPED)]
    query = (
        select(Case.run_id, Case.deed, func.count())
        .where(Case.organization_id == organization_id, Case.run_id.in_(run_ids), Case.state.in_(done))
        .group_by(Case.run_id, Case.deed)
    )
    found: dict[str, dict[Deed, int]] = {}
    for run_id, deed, count in session.execute(query):
        found.setdefault(run_id, {})[Deed(deed)] = count
    return found


def _begin_later(
    session: Session, organization_id: str, run_ids: Sequence[str], now: datetime
) -> dict[str, int]:
    """How many people of each of these runs begin on a day that has not come."""
    planned = Case.state == CaseState.PLANNED.value
    return _count(session, organization_id, run_ids, planned, Case.starts_at > now) if run_ids else {}


def _count(
    session: Session, organization_id: str, run_ids: Sequence[str], *conditions: ColumnElement[bool]
) -> dict[str, int]:
    query = select(Case.run_id, func.count()).where(
        Case.organization_id == organization_id, Case.run_id.in_(run_ids), *conditions
    )
    return dict(session.execute(query.group_by(Case.run_id)).all())


def _undone_by(session: Session, organization_id: str, run_ids: Sequence[str]) -> dict[str, str]:
    """The newest run that takes each of these back."""
    query = (
        select(Run.undoes, Run.id)
        .where(
            Run.organization_id == organization_id,
            Run.undoes.in_(run_ids),
            Run.state != RunState.PREVIEW.value,
        )
        .order_by(Run.created_at)
    )
    return {undoes: run_id for undoes, run_id in session.execute(query) if undoes}


def _have_changed_somebody(session: Session, organization_id: str, run_ids: Sequence[str]) -> set[str]:
    if not run_ids:
        return set()
    somebody = select(Case.id).where(
        Case.organization_id == organization_id,
        Case.run_id == Run.id,
        Case.changed.is_(True),
        Case.state.in_([state.value for state in CHANGED]),
    )
    query = select(Run.id).where(
        Run.organization_id == organization_id, Run.id.in_(run_ids), somebody.exists()
    )
    return set(session.scalars(query))


def _seats_held(session: Session, organization_id: str, run_ids: Sequence[str]) -> dict[str, int]:
    """Seats of everybody a run is about: what suspending frees."""
    if not run_ids:
        return {}
    about = [state.value for state in CHOSEN]
    query = (
        select(Case.run_id, func.coalesce(func.sum(Person.seat_count), 0))
        .join(Case, (Case.organization_id == Person.organization_id) & (Case.account_id == Person.account_id))
        .where(Case.organization_id == organization_id, Case.run_id.in_(run_ids), Case.state.in_(about))
        .group_by(Case.run_id)
    )
    return dict(session.execute(query).all())
