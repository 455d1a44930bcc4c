"""Plans of rules: everybody whose time may have come, with a verdict, written down as the cases of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.run import Case, Run
from rules.case import CaseState, RunState
from rules.deeds import Deed
from rules.plan import plan
from rules.rule import Rule
from rules.seats import seats_freed
from rules.verdict import WORTH_A_ROW, Ground, Verdict, Why
from services.batches import BATCH
from services.candidates import candidates
from services.previews import add_cases, row_of
from services.scope import count_scope

_IN_HAND = frozenset({Why.UNDER_WAY, Why.TOLD})
"""They are as idle as before: that the plan before began something with them is no reason to call them gone."""


@dataclass(slots=True)
class Tally:
    """What a plan came to.

    `touched` counts the chosen whom something would happen to: the brake's number. `deeds` are those that it chose.
    `in_hand` are idle as well, and a run has begun something with them. `seats` are those that would become free.
    """

    scope: int = 0
    chosen: set[str] = field(default_factory=set)
    in_hand: set[str] = field(default_factory=set)
    touched: int = 0
    deeds: set[Deed] = field(default_factory=set)
    seats: int = 0


def write_plan(
    session: Session,
    run: Run,
    rule: Rule,
    ground: Ground,
    now: datetime,
    begins_as: Callable[[Deed], CaseState],
) -> Tally:
    """Writes the cases of a run, a batch at a time: memory does not grow with the organization.

    `begins_as` is the state of a chosen person, by deed.
    """
    tally = Tally(scope=count_scope(session, run.organization_id, rule.who, ground.organization))
    before = _chosen_before(session, run)
    people = candidates(
        session, run.organization_id, rule, run.rule_id, ground.organization, now, ground.today
    )
    rows: list[dict[str, object]] = []
    for person, verdict in plan(rule, people, ground, now):
        account_id = person.seen.facts.account_id
        if not is_worth_a_row(verdict):
            continue
        action = rule.steps[verdict.step].action
        deed = action.deed
        row = row_of(run, person, deed, verdict)
        if verdict.state is CaseState.PLANNED:
            row |= _chosen(run, verdict, begins_as(deed), now, is_new=account_id not in before)
            tally.chosen.add(account_id)
            tally.touched += deed is not Deed.LIST
            tally.deeds.add(deed)
            tally.seats += seats_freed(action, person.seen.facts, ground.organization)
        else:
            if verdict.why in _IN_HAND:
                tally.in_hand.add(account_id)
            row |= {"is_new": False, "resume_at": None, "finished_at": None}
        rows.append(row)
        if len(rows) >= BATCH:
            add_cases(session, rows)
            rows.clear()
    add_cases(session, rows)
    run.scope, run.seats = tally.scope, tally.seats
    run.new, run.gone = len(tally.chosen - before), len(before - tally.chosen - tally.in_hand)
    return tally


def is_worth_a_row(verdict: Verdict) -> bool:
    """Whether somebody's verdict is written down: not for those who are simply not idle."""
    return verdict.state is not CaseState.SPARED or verdict.why in WORTH_A_ROW


def _chosen(
    run: Run, verdict: Verdict, state: CaseState, now: datetime, *, is_new: bool
) -> dict[str, object]:
    # Of a preview nothing is ever due: not even a warning.
    due = state is CaseState.PLANNED and run.state == RunState.RUNNING
    return {
        "state": state.value,
        "because": verdict.reason[:300],
        "because_facts": verdict.because.to_words() if verdict.because is not None else None,
        "reason": "",
        "is_new": is_new,
        "resume_at": now if due else None,
        "finished_at": now if state is CaseState.LISTED else None,
    }


def plan_before(session: Session, run: Run) -> str | None:
    """The run of the same rule, preview or not, that this one is compared with."""
    return session.scalar(
        select(Run.id)
        .where(
            Run.organization_id == run.organization_id,
            Run.rule_id == run.rule_id,
            Run.undoes.is_(None),
            Run.id != run.id,
            Run.created_at <= run.created_at,
            Run.state != RunState.REFUSED.value,
        )
        .order_by(Run.created_at.desc())
        .limit(1)
    )


def _chosen_before(session: Session, run: Run) -> set[str]:
    before = plan_before(session, run)
    if before is None:
        return set()
    query = select(Case.account_id).where(
        Case.organization_id == run.organization_id, Case.run_id == before, Case.because != ""
    )
    return set(session.scalars(query))
