"""Access that was to be given back and was not: whoever asked for it waits for an operator again, who reads why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import case as case_when
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.answer import GRANTED, Answer, Decision
from models.audit import APP, Event
from models.run import Case, Run
from rules.case import CaseState
from rules.roster import Origin
from rules.topics import AnswerKind
from rules.verdict import Why
from services.audit import record
from services.timed_beginnings import is_gone

_IN_VAIN = (CaseState.FAILED, CaseState.REFUSED, CaseState.SPARED)


def note_not_given_back(session: Session, original: Case, undo: Case, run: Run, now: datetime) -> None:
    """The undo of this case ended, and what it took is not back.

    What is no longer there to be given back is not asked for any more; what an operator stopped, they decided.
    """
    asked = session.get(Answer, (original.organization_id, original.id, AnswerKind.ASK_BACK.value))
    if not is_gone(undo.reason):
        _let_wait_again(session, asked, undo, original.deed, run, now)


def note_not_given_again(session: Session, case: Case, run: Run, now: datetime) -> None:
    """The same of access that had ended on its last day: `case` was to give it for longer, and did not give it all.

    Who has it by another way by now has what they asked for.
    """
    asked = session.get(Answer, (case.organization_id, run.origin_id, AnswerKind.PROLONG.value))
    if case.why != Why.DONE:
        _let_wait_again(session, asked, case, case.deed, run, now)


def _let_wait_again(
    session: Session, asked: Answer | None, tried: Case, deed: str, run: Run, now: datetime
) -> None:
    if asked is None or asked.decision not in GRANTED or asked.decided_at != run.created_at:
        return
    if tried.state not in _IN_VAIN:
        return
    # That somebody has decided before tells it from what waits for the first time: nobody tries it by itself again.
    asked.decision, asked.decided_at = Decision.WAITS.value, now
    record(
        session,
        Event.ANSWER_DECIDED,
        at=now,
        actor=APP,
        organization_id=asked.organization_id,
        subject=asked.account_id,
        run_id=run.id,
        result=f"Waits again: {tried.reason}",
        details={"answer": asked.kind, "deed": deed},
    )


def tried_in_vain(session: Session, organization_id: str, cases: Sequence[Case]) -> dict[str, str]:
    """Case id → why what it took, or what had ended, could not be given back when that was last tried."""
    given_again = Run.undoes.is_(None) & (Run.origin == Origin.TIMED.value)
    about = case_when((given_again, Run.origin_id), else_=Case.undoes)
    query = (
        select(about, Case.reason)
        .join(Run, (Run.organization_id == Case.organization_id) & (Run.id == Case.run_id))
        .where(
            Case.organization_id == organization_id,
            Case.account_id.in_([case.account_id for case in cases]),
            about.in_([case.id for case in cases]),
            Case.state.in_([state.value for state in _IN_VAIN]),
        )
        .order_by(Case.finished_at)
    )
    return dict(session.execute(query).all())
