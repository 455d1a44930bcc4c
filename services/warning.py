"""Warnings: a person is told before the deed, once per date; whoever cannot be reached goes to review (S56)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.audit import Event
from models.notice import Notice, NoticeKind
from models.run import Case, hold_case
from rules.case import CaseState, moved
from rules.changes import Snapshot
from rules.deeds import Deed
from rules.rule import Step, Unreachable
from rules.topics import DeliveryState, Topic
from rules.verdict import Why
from services import outcomes
from services.grace import has_reached, later_warnings, mails_of, next_warning_at
from services.mail_reach import can_mail, has_sender
from services.notices import announce
from services.orders import Order
from services.toolbox import Toolbox

NOT_IN_A_PRODUCT = "They cannot open a product with Rollcall in it."
NO_MAIL_BY_RULE = "The rule sends no mail."
NO_MAIL_WENT_OUT = "No mail was sent to them."
SETTLED_SOON = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Reach:
    """By which ways a notice gets to somebody; `objection` says why by none.

    `by_mail`: a mail goes out. Whom no product reaches is reachable only if it does.
    """

    in_product: bool
    by_mail: bool
    objection: str

    @property
    def is_reachable(self) -> bool:
        return not self.objection


def warn(tools: Toolbox, order: Order, seen: Snapshot) -> bool:
    """Does what is due before the deed. True when the deed itself is not due yet, or there is none."""
    step = order.step
    if step is None or order.acting_since is not None:
        return False
    if step.action.deed is Deed.TELL:
        _tell(tools, order, _reach(tools, order, step, seen))
        return True
    if not step.warns:
        return False
    now = tools.clock()
    if order.due_at is None:
        _first_warning(tools, order, step, now, _reach(tools, order, step, seen))
        return True
    reach = _reach(tools, order, step, seen)
    if now >= order.due_at:
        return not _is_over(tools, order, step, now, reach)
    _next_warning(tools, order, step, now, reach)
    return True


def _reach(tools: Toolbox, order: Order, step: Step, seen: Snapshot) -> Reach:
    in_product = order.ground.organization.can_be_told(seen.facts)
    with tools.begin() as session:
        no_mail = (
            can_mail(tools, session, order.organization_id, seen.facts.email)
            if step.by_mail
            else NO_MAIL_BY_RULE
        )
        # A mail that finds no address has its reason beside the case: it goes out where there is a server.
        by_mail = not no_mail or (step.by_mail and has_sender(tools, session, order.organization_id))
    objection = f"{NOT_IN_A_PRODUCT} {no_mail}" if no_mail and not in_product else ""
    return Reach(in_product, by_mail, objection)


def _is_over(tools: Toolbox, order: Order, step: Step, now: datetime, reach: Reach) -> bool:
    """Whether the deed's time has come: nobody is touched before a warning has reached them, or left (S56)."""
    if order.state is not CaseState.WARNED:
        # An operator, or the rule itself, has said that it goes on without one.
        return True
    with tools.begin() as session:
        mails = mails_of(session, order.organization_id, order.case_id)
        case = _open(session, order)
        if case is None:
            return False
        if case.due_at is not None and case.due_at > now:
            # A mail left late since the order was taken: the grace began anew.
            case.resume_at = next_warning_at(step, case.due_at, now)
            return False
        if has_reached(mails):
            return True
        if mails and all(state == DeliveryState.NOT_SENT for state, _facts in mails):
            return True
        if not mails and (reach.in_product or step.unreachable is Unreachable.GO_ON):
            return True
        if mails:
            case.resume_at = now + SETTLED_SOON
        else:
            case.due_at = None
            _could_not_warn(session, order, case, now, f"{NOT_IN_A_PRODUCT} {NO_MAIL_WENT_OUT}")
        return False


def _tell(tools: Toolbox, order: Order, reach: Reach) -> None:
    if not reach.is_reachable:
        outcomes.finish(tools, order, CaseState.SPARED, reach.objection)
        return
    with tools.begin() as session:
        case = _open(session, order)
        if case is None:
            return
        now = tools.clock()
        _give_notice(session, order, case, NoticeKind.TOLD, now, None, reach)
        case.state = moved(CaseState(case.state), CaseState.ACTED).value
        case.reason, case.finished_at, case.resume_at = "", now, None
        outcomes.record_case(session, Event.CASE_WARNED, order, now, "")


def _first_warning(tools: Toolbox, order: Order, step: Step, now: datetime, reach: Reach) -> None:
    with tools.begin() as session:
        case = _open(session, order)
        if case is None:
            return
        # What follows is another day's: then Atlassian has as much time again to give an answer.
        case.troubles = 0
        if not reach.is_reachable and step.unreachable is Unreachable.REVIEW:
            _could_not_warn(session, order, case, now, reach.objection)
            return
        case.due_at = now + timedelta(days=step.grace)
        if not reach.is_reachable:
            case.reason, case.resume_at = reach.objection, case.due_at
            outcomes.record_case(
                session, Event.CASE_COULD_NOT_WARN, order, now, f"{reach.objection} The rule says: go on."
            )
            return
        case.state = moved(CaseState(case.state), CaseState.WARNED).value
        _warn_now(session, order, case, step, now, reach)


def _could_not_warn(session: Session, order: Order, case: Case, now: datetime, reason: str) -> None:
    case.state = moved(CaseState(case.state), CaseState.COULD_NOT_WARN).value
    case.reason, case.why, case.resume_at = reason, Why.UNREACHABLE.value, None
    outcomes.record_case(session, Event.CASE_COULD_NOT_WARN, order, now, reason)


def _next_warning(tools: Toolbox, order: Order, step: Step, now: datetime, reach: Reach) -> None:
    with tools.begin() as session:
        case = _open(session, order)
        if case is None or case.due_at is None:
            return
        case.troubles = 0
        if order.state is not CaseState.WARNED:
            case.resume_at = case.due_at
        elif reach.is_reachable and _is_due(session, case, step, now):
            _warn_now(session, order, case, step, now, reach)
        else:
            case.resume_at = next_warning_at(step, case.due_at, now)


def _warn_now(session: Session, order: Order, case: Case, step: Step, now: datetime, reach: Reach) -> None:
    assert case.due_at is not None
    _give_notice(session, order, case, NoticeKind.WARNING, now, case.due_at, reach)
    case.resume_at = next_warning_at(step, case.due_at, now)
    outcomes.record_case(session, Event.CASE_WARNED, order, now, "")


def _is_due(session: Session, case: Case, step: Step, now: datetime) -> bool:
    """Whether the time of a warning has come since the last one: an attempt may be repeated at any time."""
    assert case.due_at is not None
    last = session.scalar(
        select(func.max(Notice.created_at)).where(
            Notice.organization_id == case.organization_id, Notice.case_id == case.id
        )
    )
    return last is None or any(last < moment <= now for moment in later_warnings(step, case.due_at))


def _give_notice(
    session: Session,
    order: Order,
    case: Case,
    kind: NoticeKind,
    now: datetime,
    ends_at: datetime | None,
    reach: Reach,
) -> None:
    """In the product, and on its way by mail and to hooks: one transaction with the case."""
    session.add(
        Notice(
            organization_id=order.organization_id,
            id=str(uuid.uuid4()),
            case_id=case.id,
            account_id=order.account_id,
            kind=kind.value,
            ordinal=case.warnings,
            deed=order.action.deed.value,
            created_at=now,
            ends_at=ends_at,
        )
    )
    announce(
        session,
        order.organization_id,
        Topic.WARNED if kind is NoticeKind.WARNING else Topic.TOLD,
        f"{case.id}:{case.warnings}",
        now,
        facts=outcomes.facts_of(order, case, ends_at) | {"in_product": reach.in_product},
        account_id=order.account_id,
        by_mail=reach.by_mail,
        case_id=case.id,
        run_id=case.run_id,
    )
    case.warnings += 1


def _open(session: Session, order: Order) -> Case | None:
    """The case, unless somebody has led it on since the order was taken: then another warning would be one too many.

    Whoever stops its run this moment waits: a warning is not written over what they say.
    """
    case = hold_case(session, order.organization_id, order.case_id)
    if (
        case is None
        or case.state != order.state
        or case.warnings != order.warnings
        or case.kept_at is not None
    ):
        return None
    return case
