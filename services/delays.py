"""Why nobody acts on a person of a run yet, though it is their turn: from facts, when somebody asks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from models.run import Case
from rules.case import UNFINISHED, CaseState


class DelayedBy(StrEnum):
    """ANOTHER_RUN changes the person right now; LATE_SHOWING: Atlassian may not show yet what was just changed.

    After an INTERRUPTION nobody knows what came of the attempt; after a FAILED_ATTEMPT there was no answer.
    """

    ANOTHER_RUN = "another_run"
    LATE_SHOWING = "late_showing"
    INTERRUPTION = "interruption"
    FAILED_ATTEMPT = "failed_attempt"


LONGEST_PAUSE = timedelta(minutes=5)


def pause_after(troubles: int, settle: timedelta) -> timedelta:
    """How long nobody is tried again of whom Atlassian has said nothing `troubles` times: at first until it shows what
    it did, then twice as long each time. Shorter than anybody is at work on a case (orders.AT_WORK)."""
    return max(settle, min(settle * (1 << min(troubles - 1, 10)), LONGEST_PAUSE))


@dataclass(frozen=True, slots=True)
class Delay:
    """`until` is when the worker looks again."""

    by: DelayedBy
    until: datetime


# Asked for every deed: not built anew each time.
_JUST_CHANGED: Any = select(Case.id, Case.account_id, Case.state, Case.finished_at).where(
    Case.organization_id == bindparam("organization_id"),
    Case.account_id.in_(bindparam("account_ids", expanding=True)),
    (Case.state == CaseState.ACTING.value)
    # Whatever came of the rest: a part of a deed shows as late as the whole.
    | (Case.changed.is_(True) & (Case.finished_at > bindparam("since"))),
)


def look_again_at(session: Session, case: Case, now: datetime, settle: timedelta) -> datetime | None:
    """When this case may go on, if somebody else acts on the same person or has just done so.

    `settle` is how long Atlassian may take to show a change.
    """
    shown_at = [
        (other.finished_at or now) + settle
        for other in _just_changed(session, case.organization_id, [case], now, settle)
        # An undo of that very deed need not wait: the run itself knows what it left behind.
        if other.id != case.id and (other.id != case.undoes or other.state == CaseState.ACTING)
    ]
    return max(shown_at, default=None)


def delays_of(
    session: Session, organization_id: str, cases: Sequence[Case], now: datetime, settle: timedelta
) -> dict[str, Delay]:
    """By case id, of those whose turn it was and who wait all the same. A grace and a queue are no delays."""
    # Whoever was handed out, or is being acted on, is looked at again much later than this.
    waiting = {
        case.id: case.resume_at
        for case in cases
        if CaseState(case.state) in UNFINISHED
        and case.resume_at is not None
        and now < case.resume_at <= now + pause_after(max(case.troubles, 1), settle)
    }
    late = [case for case in cases if case.id in waiting]
    if not late:
        return {}
    changed = _just_changed(session, organization_id, late, now, settle)
    found = {case.id: _delayed_by(case, changed) for case in late}
    return {case_id: Delay(by, waiting[case_id]) for case_id, by in found.items() if by is not None}


def _delayed_by(case: Case, changed: Sequence[Row[Any]]) -> DelayedBy | None:
    states = {other.state for other in changed if other.account_id == case.account_id and other.id != case.id}
    if case.state == CaseState.ACTING:
        return DelayedBy.FAILED_ATTEMPT if case.troubles else DelayedBy.INTERRUPTION
    if CaseState.ACTING in states:
        return DelayedBy.ANOTHER_RUN
    if states:
        return DelayedBy.LATE_SHOWING
    return DelayedBy.FAILED_ATTEMPT if case.troubles else None


def _just_changed(
    session: Session, organization_id: str, cases: Collection[Case], now: datetime, settle: timedelta
) -> Sequence[Row[Any]]:
    """All cases, these among them, in which the people of these are being changed or were a moment ago."""
    about = {
        "organization_id": organization_id,
        "account_ids": [case.account_id for case in cases],
        "since": now - settle,
    }
    return session.execute(_JUST_CHANGED, about).all()
