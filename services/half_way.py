"""Whoever is stopped half-way: what had landed by then is led on from, and is in the audit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from models.audit import Event
from models.run import Case, Run
from services import consequences
from services.audit import record
from services.half_undone import leave_the_rest


def follow_what_landed(session: Session, case: Case, run: Run, actor: str, now: datetime) -> None:
    """To be called for a case that ended because somebody stopped its run; `actor` is who wrote that down."""
    leave_the_rest(session, case)
    if case.changed:
        record(
            session,
            Event.CASE_STOPPED,
            at=now,
            actor=actor,
            organization_id=case.organization_id,
            subject=case.account_id,
            run_id=case.run_id,
            result=case.reason,
            details={"deed": case.deed, "asked_by": run.confirmed_by or run.requested_by},
        )
    consequences.follow(session, case, run, now)
