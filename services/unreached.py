"""A warning by mail that could not be delivered is no warning (S56)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from models.audit import APP, Event
from models.delivery import Delivery
from models.run import Case, find_case, find_run
from rules.case import CaseState, moved
from rules.deeds import Deed
from rules.rule import Unreachable
from rules.topics import Channel, Topic
from rules.verdict import Why
from services.audit import record
from services.grace import is_of_an_earlier_one
from services.rule_versions import step_of


def note(session: Session, delivery: Delivery, now: datetime) -> None:
    """Whoever could be told by mail alone, and was not. No deed follows unless the rule says: go on."""
    if delivery.channel != Channel.MAIL or delivery.topic not in (Topic.WARNED, Topic.TOLD):
        return
    case = find_case(session, delivery.organization_id, delivery.case_id or "")
    if case is None or delivery.facts["in_product"]:
        return
    reason = f"The mail could not be delivered: {delivery.reason}"[:500]
    if delivery.topic == Topic.TOLD:
        _not_told(session, case, reason, now)
    elif case.state == CaseState.WARNED and not is_of_an_earlier_one(
        session, case.organization_id, case.id, delivery.created_at
    ):
        _not_warned(session, case, reason, now)


def note_sent(session: Session, delivery: Delivery) -> None:
    """Whom an operator sends it again was told after all: the rule's next run does not tell them once more."""
    if delivery.channel != Channel.MAIL or delivery.topic != Topic.TOLD:
        return
    case = find_case(session, delivery.organization_id, delivery.case_id or "")
    if case is not None and case.state == CaseState.ACTED and case.why == Why.UNREACHABLE:
        case.reason, case.why = "", ""


def _not_told(session: Session, case: Case, reason: str, now: datetime) -> None:
    """Nothing waits behind it: the rule's next run tells them again (services/told_and_kept.py)."""
    if case.deed == Deed.TELL and case.state == CaseState.ACTED:
        case.reason, case.why = reason, Why.UNREACHABLE.value
        _record(session, case, reason, now)


def _not_warned(session: Session, case: Case, reason: str, now: datetime) -> None:
    """They wait for an operator, unless the rule says: go on."""
    step = step_of(session, case, find_run(session, case.organization_id, case.run_id))
    goes_on = step is not None and step.unreachable is Unreachable.GO_ON
    case.reason = reason
    if not goes_on:
        case.state = moved(CaseState(case.state), CaseState.COULD_NOT_WARN).value
        case.why, case.resume_at, case.due_at = Why.UNREACHABLE.value, None, None
    _record(session, case, reason + (" The rule says: go on." if goes_on else ""), now)


def _record(session: Session, case: Case, result: str, now: datetime) -> None:
    record(
        session,
        Event.CASE_COULD_NOT_WARN,
        at=now,
        actor=APP,
        organization_id=case.organization_id,
        subject=case.account_id,
        run_id=case.run_id,
        result=result,
        details={"deed": case.deed},
    )
