"""A warning by mail that could not be delivered is no warning (S56)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from models.audit import APP, Event
from models.delivery import Delivery
from models.run import find_case, find_run
from rules.case import CaseState, moved
from rules.rule import Unreachable
from rules.topics import Channel, Topic
from rules.verdict import Why
from services.audit import record
from services.grace import is_of_an_earlier_one
from services.rule_versions import step_of


def note(session: Session, delivery: Delivery, now: datetime) -> None:
    """Whoever could be warned by mail alone, and was not, waits for an operator, unless the rule says: go on."""
    if delivery.channel != Channel.MAIL or delivery.topic != Topic.WARNED or delivery.facts["in_product"]:
        return
    case = find_case(session, delivery.organization_id, delivery.case_id or "")
    if case is None or case.state != CaseState.WARNED:
        return
    if is_of_an_earlier_one(session, case.organization_id, case.id, delivery.created_at):
        return
    step = step_of(session, case, find_run(session, case.organization_id, case.run_id))
    goes_on = step is not None and step.unreachable is Unreachable.GO_ON
    case.reason = f"The mail could not be delivered: {delivery.reason}"[:500]
    if not goes_on:
        case.state = moved(CaseState(case.state), CaseState.COULD_NOT_WARN).value
        case.why, case.resume_at, case.due_at = Why.UNREACHABLE.value, None, None
    record(
        session,
        Event.CASE_COULD_NOT_WARN,
        at=now,
        actor=APP,
        organization_id=case.organization_id,
        subject=case.account_id,
        run_id=case.run_id,
        result=case.reason + (" The rule says: go on." if goes_on else ""),
        details={"deed": case.deed},
    )
