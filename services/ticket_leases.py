"""Which tickets are due: those that were sent, those to be tried again, and those whose case has moved on."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update

from models.run import Case
from models.ticket import TicketCall
from rules.tickets import FOLLOWED
from services.leasing import lease
from services.toolbox import Toolbox

FOLLOWED_FOR = timedelta(days=30)
"""How long after a failure somebody may try the run again, and the log still notices."""


def lease_due(tools: Toolbox, limit: int = 50) -> list[tuple[str, str, int]]:
    """(organization id, call id, next attempt) of what is due, an equal share for every organization."""
    _notice_cases(tools, tools.clock())
    return lease(tools, TicketCall, limit)


def _notice_cases(tools: Toolbox, now: datetime) -> None:
    """Wakes the tickets whose case has moved on since somebody looked."""
    moved = (
        select(Case.id)
        .where(
            Case.organization_id == TicketCall.organization_id,
            Case.id == TicketCall.case_id,
            Case.state != TicketCall.case_state,
        )
        .exists()
    )
    recent = TicketCall.finished_at.is_(None) | (TicketCall.finished_at > now - FOLLOWED_FOR)
    sleeping = (
        TicketCall.state.in_([state.value for state in FOLLOWED]),
        TicketCall.case_id.is_not(None),
        TicketCall.resume_at.is_(None),
        recent,
        moved,
    )
    with tools.begin() as session:
        # Every second: what writes nothing waits for nobody.
        if session.scalar(select(TicketCall.id).where(*sleeping).limit(1)) is None:
            return
        session.execute(
            update(TicketCall)
            .where(*sleeping)
            .values(resume_at=now)
            .execution_options(synchronize_session=False)
        )
