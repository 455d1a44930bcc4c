"""Access that was to be given back and was not: whoever asked for it waits for an operator again, who reads why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.answer import GRANTED, Answer, Decision
from models.audit import APP, Event
from models.run import Case, Run
from rules.case import CaseState
from rules.topics import AnswerKind
from services.audit import record
from services.timed_beginnings import is_gone

_IN_VAIN = (CaseState.FAILED, CaseState.REFUSED, CaseState.SPARED)


def note_not_given_back(session: Session, original: Case, undo: Case, run: Run, now: datetime) -> None:
    """The undo of this case ended, and what it took is not back.

    What is no longer there to be given back is not asked for any more; what an operator stopped, they decided.
    """
    asked = session.get(Answer, (original.organization_id, original.id, AnswerKind.ASK_BACK.value))
    if asked is None or asked.decision not in GRANTED or asked.decided_at != run.created_at:
        return
    if undo.state not in _IN_VAIN or is_gone(undo.reason):
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
        result=f"Waits again: {undo.reason}",
        details={"answer": asked.kind, "deed": original.deed},
    )


def tried_in_vain(session: Session, organization_id: str, cases: Sequence[Case]) -> dict[str, str]:
    """Case id → why what it took could not be given back when that was last tried."""
    query = (
        select(Case.undoes, Case.reason)
        .where(
            Case.organization_id == organization_id,
            Case.account_id.in_([case.account_id for case in cases]),
            Case.undoes.in_([case.id for case in cases]),
            Case.state.in_([state.value for state in _IN_VAIN]),
        )
        .order_by(Case.finished_at)
    )
    return {undoes: reason for undoes, reason in session.execute(query) if undoes}
