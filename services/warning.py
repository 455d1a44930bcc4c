"""Warnings: a person is told before the deed, once per date; whoever cannot be reached goes to review (S56)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.audit import Event
from models.notice import Notice, NoticeKind
from models.run import Case, find_case
from rules.case import CaseState, moved
from rules.changes import Snapshot
from rules.deeds import Deed
from rules.rule import Step, Unreachable
from services import outcomes
from services.orders import Order
from services.toolbox import Toolbox

UNREACHABLE = "No notice can reach them: they cannot open a product with Rollcall in it."


def warn(tools: Toolbox, order: Order, seen: Snapshot) -> bool:
    """Does what is due before the deed. True when the deed itself is not due yet, or there is none."""
    step = order.step
    if step is None or order.acting_since is not None:
        return False
    reachable = order.ground.organization.can_be_told(seen.facts)
    if step.action.deed is Deed.TELL:
        _tell(tools, order, reachable=reachable)
        return True
    if not step.warns:
        return False
    now = tools.clock()
    if order.due_at is None:
        _first_warning(tools, order, step, now, reachable=reachable)
        return True
    if now >= order.due_at:
        return False
    _next_warning(tools, order, step, now, reachable=reachable)
    return True


def _tell(tools: Toolbox, order: Order, *, reachable: bool) -> None:
    if not reachable:
        outcomes.finish(tools, order, CaseState.SPARED, UNREACHABLE)
        return
    with tools.begin() as session:
        case = _open(session, order)
        if case is None:
            return
        now = tools.clock()
        _add_notice(session, order, case, NoticeKind.TOLD, now, None)
        case.state = moved(CaseState(case.state), CaseState.ACTED).value
        case.reason, case.finished_at, case.resume_at = "", now, None
        outcomes.record_case(session, Event.CASE_WARNED, order, now, "")


def _first_warning(tools: Toolbox, order: Order, step: Step, now: datetime, *, reachable: bool) -> None:
    with tools.begin() as session:
        case = _open(session, order)
        if case is None:
            return
        if not reachable and step.unreachable is Unreachable.REVIEW:
            case.state = moved(CaseState(case.state), CaseState.COULD_NOT_WARN).value
            case.reason, case.resume_at = UNREACHABLE, None
            outcomes.record_case(session, Event.CASE_COULD_NOT_WARN, order, now, UNREACHABLE)
            return
        case.due_at = now + timedelta(days=step.grace)
        if not reachable:
            case.reason, case.resume_at = UNREACHABLE, case.due_at
            outcomes.record_case(
                session, Event.CASE_COULD_NOT_WARN, order, now, f"{UNREACHABLE} The rule says: go on."
            )
            return
        case.state = moved(CaseState(case.state), CaseState.WARNED).value
        _warn_now(session, order, case, step, now)


def _next_warning(tools: Toolbox, order: Order, step: Step, now: datetime, *, reachable: bool) -> None:
    with tools.begin() as session:
        case = _open(session, order)
        if case is None or case.due_at is None:
            return
        if not case.warnings:
            case.resume_at = case.due_at
        elif reachable and _is_due(session, case, step, now):
            _warn_now(session, order, case, step, now)
        else:
            case.resume_at = next_warning_at(step, case.due_at, now)


def _warn_now(session: Session, order: Order, case: Case, step: Step, now: datetime) -> None:
    assert case.due_at is not None
    _add_notice(session, order, case, NoticeKind.WARNING, now, case.due_at)
    case.resume_at = next_warning_at(step, case.due_at, now)
    outcomes.record_case(session, Event.CASE_WARNED, order, now, "")


def next_warning_at(step: Step, due_at: datetime, now: datetime) -> datetime:
    """When to look at a warned case again: at its next warning, or when the grace is over."""
    return min((moment for moment in _later_warnings(step, due_at) if moment > now), default=due_at)


def _later_warnings(step: Step, due_at: datetime) -> list[datetime]:
    """The moments of the warnings behind the first one."""
    return [due_at - timedelta(days=days) for days in step.warn if days < step.grace]


def _is_due(session: Session, case: Case, step: Step, now: datetime) -> bool:
    """Whether the time of a warning has come since the last one: an attempt may be repeated at any time."""
    assert case.due_at is not None
    last = session.scalar(
        select(func.max(Notice.created_at)).where(
            Notice.organization_id == case.organization_id, Notice.case_id == case.id
        )
    )
    return last is None or any(last < moment <= now for moment in _later_warnings(step, case.due_at))


def _add_notice(
    session: Session, order: Order, case: Case, kind: NoticeKind, now: datetime, ends_at: datetime | None
) -> None:
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
    case.warnings += 1


def _open(session: Session, order: Order) -> Case | None:
    """The case, unless somebody has led it on since the order was taken: then another warning would be one too many."""
    case = find_case(session, order.organization_id, order.case_id)
    if (
        case is None
        or case.state != order.state
        or case.warnings != order.warnings
        or case.kept_at is not None
    ):
        return None
    return case
