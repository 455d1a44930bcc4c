"""Access with an end that is over without a deed of ours: it went by itself, or the person left."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audit import APP, Event
from models.timed_access import TimedAccess, TimedState
from services.audit import record

WITH_THEM = "It went when they left the organization."
_STAYS = (TimedState.OPEN.value, TimedState.NOT_ENDED.value)


def end_without_a_deed(
    session: Session, timed: TimedAccess, now: datetime, by: str, reason: str = "It was gone already."
) -> None:
    """The access has ended by somebody else's doing."""
    timed.state, timed.ended_at, timed.next_at = TimedState.ENDED.value, now, None
    timed.reason = reason
    record(
        session,
        Event.TIMED_ENDED,
        at=now,
        actor=by,
        organization_id=timed.organization_id,
        subject=timed.account_id,
        run_id=timed.end_run_id or timed.run_id,
        result=timed.reason,
    )


def end_with_the_person(
    session: Session, organization_id: str, account_id: str, left_at: datetime, now: datetime, by: str = APP
) -> None:
    """Somebody left at that moment, and what they had went with them: what they are given anew has no such end."""
    query = select(TimedAccess).where(
        TimedAccess.organization_id == organization_id,
        TimedAccess.account_id == account_id,
        TimedAccess.state.in_(_STAYS),
        TimedAccess.began_at <= left_at,
    )
    for timed in session.scalars(query).all():
        end_without_a_deed(session, timed, now, by, WITH_THEM)
