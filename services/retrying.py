"""Whose deed failed, tried again: who had a grace is warned anew, who is in another hand is left to it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select, true, update
from sqlalchemy.orm import Session, aliased

from connect.caller import Caller
from connect.errors import Conflict
from models.audit import Event
from models.notice import Notice, NoticeKind
from models.run import Case, Run, count_cases
from rules.case import OPEN, CaseState, RunState
from rules.roster import Origin
from services import scim_outcomes, timed_beginnings
from services.doors import require_organization
from services.runs import GOING, goes_on, make_due, record_run, require_run, require_that_it_rests
from services.toolbox import Toolbox


def retry_failed(tools: Toolbox, caller: Caller, run_id: str) -> None:
    """Takes up again everybody whose deed failed; who had a grace is warned anew. Raises Conflict when nobody did.

    Whom a rule's run has failed, another run may have in hand by now: they are left to that one.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        run = require_run(session, organization_id, run_id)
        failed = count_cases(session, organization_id, run_id).get(CaseState.FAILED, 0)
        if run.state not in (RunState.FINISHED, RunState.STOPPED) or not failed:
            raise Conflict("There is nobody to try again.", "Look at the results.")
        if goes_on(session, organization_id, Run.undoes == run_id):
            raise Conflict("This run is being taken back.", "Wait until that has finished, or stop it.")
        require_that_it_rests(session, run)
        if run.origin == Origin.SCIM and run.undoes is None:
            scim_outcomes.take_up_again(session, run, now)
        _begin_grace_anew(session, organization_id, run_id)
        again = make_due(session, organization_id, run_id, CaseState.FAILED, now, _in_no_other_hand(run))
        if not again:
            raise Conflict("Another run has them in hand by now.", "Look at what that one does.")
        _note_who_lets_it_go(session, run, caller.account_id or "")
        run.state, run.finished_at = RunState.RUNNING.value, None
        record_run(session, Event.RUN_RETRIED, run, caller.account_id or "", now, f"{again} people")
        if run.origin == Origin.TIMED and run.undoes is not None:
            timed_beginnings.end_again(session, run, caller.account_id or "", now)


def _note_who_lets_it_go(session: Session, run: Run, account_id: str) -> None:
    """Whoever takes up a run again in which they are themselves is not locked out by it (S48)."""
    session.execute(
        update(Case)
        .where(
            Case.organization_id == run.organization_id,
            Case.run_id == run.id,
            Case.account_id == account_id,
            Case.state == CaseState.PLANNED.value,
        )
        .values(approved_by=account_id)
        .execution_options(synchronize_session=False)
    )


def _begin_grace_anew(session: Session, organization_id: str, run_id: str) -> None:
    """Of those of whom no call went through: they believe that it is over, and their old date may be long past.

    Not where somebody's word ended the grace: an operator approved, or they gave their access up.
    """
    as_told = select(Notice.id).where(
        Notice.organization_id == Case.organization_id,
        Notice.case_id == Case.id,
        Notice.kind == NoticeKind.WARNING.value,
        Notice.ends_at == Case.due_at,
    )
    by_rule = (Case.warnings == 0) & Case.approved_by.is_(None)
    session.execute(
        update(Case)
        .where(
            Case.organization_id == organization_id,
            Case.run_id == run_id,
            Case.state == CaseState.FAILED.value,
            Case.due_at.is_not(None),
            Case.acting_since.is_(None),
            Case.changed.is_(False),
            as_told.exists() | by_rule,
        )
        .values(due_at=None)
        .execution_options(synchronize_session=False)
    )


def _in_no_other_hand(run: Run) -> ColumnElement[bool]:
    """Two warnings by rules would name two days. By hand, somebody means it, whatever else goes on."""
    if run.rule_id is None or run.undoes is not None:
        return true()
    other, other_run = aliased(Case), aliased(Run)
    elsewhere = (
        select(other.id)
        .join(
            other_run, (other_run.organization_id == other.organization_id) & (other_run.id == other.run_id)
        )
        .where(
            other.organization_id == Case.organization_id,
            other.account_id == Case.account_id,
            other.id != Case.id,
            other.state.in_([state.value for state in OPEN]),
            other_run.state.in_(GOING),
        )
    )
    return ~elsewhere.exists()
