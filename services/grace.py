"""Grace: the dates of a warned case, and when a warning that only a mail can bring begins it (S56)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.audit import APP, Event
from models.delivery import Delivery
from models.notice import Notice, grace_began_at
from models.organization import zone_of
from models.run import Case, find_case, find_run
from rules.case import CaseState
from rules.rule import Step
from rules.topics import Channel, DeliveryState, Topic
from services.audit import record
from services.parcel import Parcel
from services.rule_versions import step_of

USUAL = timedelta(minutes=15)
"""A mail may wait that long for its turn, or for a busy mail server. What leaves later, leaves late."""

Mails = list[tuple[str, dict[str, Any]]]
"""(state, facts) of deliveries."""


def next_warning_at(step: Step, due_at: datetime, now: datetime) -> datetime:
    """When to look at a warned case again: at its next warning, or when the grace is over."""
    return min((moment for moment in later_warnings(step, due_at) if moment > now), default=due_at)


def later_warnings(step: Step, due_at: datetime) -> list[datetime]:
    """The moments of the warnings behind the first one."""
    return [due_at - timedelta(days=days) for days in step.warn if days < step.grace]


def mails_of(session: Session, organization_id: str, case_id: str) -> Mails:
    """The mails that warn somebody of this case's deed; where they were warned anew, only those since then."""
    began_at = grace_began_at(session, organization_id, case_id)
    if began_at is None:
        return []
    query = select(Delivery.state, Delivery.facts).where(
        Delivery.organization_id == organization_id,
        Delivery.case_id == case_id,
        Delivery.channel == Channel.MAIL.value,
        Delivery.topic == Topic.WARNED.value,
        Delivery.created_at >= began_at,
    )
    return [(state, facts) for state, facts in session.execute(query)]


def has_reached(mails: Mails) -> bool:
    """Whether they were told in a product, or a mail has left."""
    return any(state == DeliveryState.SENT or facts["in_product"] for state, facts in mails)


def is_of_an_earlier_one(session: Session, organization_id: str, case_id: str, created_at: datetime) -> bool:
    """Whether a warning that was written then belongs to a grace that counts no more."""
    began_at = grace_began_at(session, organization_id, case_id)
    return began_at is not None and created_at < began_at


def told_end(session: Session, parcel: Parcel, now: datetime) -> datetime | None:
    """When the deed comes, for a warning that leaves now; None where no date is known.

    Of whom only mails can warn, the first one begins the grace when it leaves: one that is late moves the date.
    """
    case = find_case(session, parcel.organization_id, parcel.case_id or "")
    if parcel.topic is not Topic.WARNED or case is None or case.due_at is None:
        return None
    if parcel.facts["in_product"] or now - parcel.created_at <= USUAL:
        return case.due_at
    step = step_of(session, case, find_run(session, case.organization_id, case.run_id))
    if step is None or has_reached(mails_of(session, case.organization_id, case.id)):
        return case.due_at
    return max(case.due_at, now + timedelta(days=step.grace))


def begin(session: Session, parcel: Parcel, ends_at: datetime | None, now: datetime) -> None:
    """The mail that names `ends_at` has left: the deed does not come before."""
    case = find_case(session, parcel.organization_id, parcel.case_id or "")
    if ends_at is None or case is None or case.due_at is None or ends_at <= case.due_at:
        return
    step = step_of(session, case, find_run(session, case.organization_id, case.run_id))
    assert step is not None, "only a rule gives a grace"
    told = update(Notice).where(
        Notice.organization_id == case.organization_id,
        Notice.case_id == case.id,
        Notice.ends_at == case.due_at,
    )
    moved = session.execute(
        update(Case)
        .where(
            Case.organization_id == case.organization_id,
            Case.id == case.id,
            Case.state == CaseState.WARNED.value,
            # Whoever gave their access up meanwhile does not wait for it.
            Case.due_at == case.due_at,
        )
        .values(due_at=ends_at, resume_at=next_warning_at(step, ends_at, now))
        .execution_options(synchronize_session=False)
    )
    if not moved.rowcount:  # type: ignore[attr-defined]
        return
    session.execute(told.values(ends_at=ends_at).execution_options(synchronize_session=False))
    day = ends_at.astimezone(zone_of(session, case.organization_id))
    record(
        session,
        Event.CASE_PUT_OFF,
        at=now,
        actor=APP,
        organization_id=case.organization_id,
        subject=case.account_id,
        run_id=case.run_id,
        result=f"Their warning left late: the grace ends on {day:%-d %B %Y}.",
        details={"deed": case.deed},
    )
