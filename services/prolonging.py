"""Prolonging by a list, and the undo of it: last days are moved in our own memory, each once, with their trace.

What the person has is read at Atlassian just before; the days are held while they are looked at and moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from models.answer import Answer, Decision
from models.audit import Event
from models.run import Case, find_case
from models.timed_access import TimedAccess
from rules.case import NOT_HERE, CaseState
from rules.changes import Snapshot
from rules.deeds import EndMoved
from rules.prolonging import moved_words, not_there_any_more
from rules.topics import AnswerKind
from rules.verdict import Why
from services import outcomes
from services.answers import settle
from services.audit import record
from services.ends_moved import are_there, moved_since
from services.orders import Order
from services.timed_access import hold
from services.timed_beginnings import look_again
from services.toolbox import Toolbox


def move_ends(tools: Toolbox, order: Order, seen: Snapshot | None) -> None:
    """Moves the last days that the order names, all or none of them. May be repeated."""
    why_not = order.objection or (None if order.undoes else _not_there(order, seen))

    def do(session: Session, case: Case, now: datetime) -> tuple[CaseState, str]:
        # Always in the same order: two runs about the same person wait for each other.
        ends = sorted(order.action.ends, key=lambda end: end.of)
        found = [(end, hold(session, order.organization_id, end.of)) for end in ends]
        objection = why_not or moved_since(found)
        if objection is not None and order.undoes is None and are_there(found):
            case.why = Why.DONE.value
            return CaseState.SPARED, f"Has this access already, until {ends[0].until:%-d %B %Y}."
        if objection is not None:
            next_step = " Check the list again." if order.undoes is None and why_not is None else ""
            return CaseState.SPARED, objection + next_step
        days = [(end, timed) for end, timed in found if timed is not None]
        if order.undoes is None:
            case.earlier = {
                "ends": {end.of: _prolong(session, order, timed, end, now) for end, timed in days}
            }
        else:
            original = find_case(session, order.organization_id, order.undoes)
            before = (original.earlier or {}).get("ends", {}) if original is not None else {}
            for end, timed in days:
                _set_back(session, timed, before[end.of])
        case.changed = True
        return CaseState.ACTED, moved_words(order.action.ends)

    outcomes.finish_in_memory(tools, order, do)


def _not_there(order: Order, seen: Snapshot | None) -> str | None:
    if seen is None:
        return NOT_HERE
    several = order.remembered.in_several_directories
    return not_there_any_more(order.action, seen, order.ground, in_several_directories=several)


def _prolong(
    session: Session, order: Order, timed: TimedAccess, end: EndMoved, now: datetime
) -> dict[str, Any]:
    """What was there before, for the undo. Whoever waits for an answer has it by that."""
    asked = _asked(session, timed)
    waited = asked is not None and asked.decision == Decision.WAITS
    before = {
        "until": timed.prolonged_until.isoformat() if timed.prolonged_until is not None else None,
        "by": timed.prolonged_by,
        "at": timed.prolonged_at.isoformat() if timed.prolonged_at is not None else None,
        "waited": waited,
    }
    by = order.asked_by
    timed.prolonged_until, timed.prolonged_by, timed.prolonged_at = end.until, by, now
    look_again(session, timed)
    record(
        session,
        Event.TIMED_PROLONGED,
        at=now,
        actor=by,
        organization_id=timed.organization_id,
        subject=timed.account_id,
        run_id=order.run_id,
        result=moved_words([end]),
    )
    gave = find_case(session, timed.organization_id, timed.case_id)
    if asked is not None and waited and gave is not None:
        settle(session, asked, gave, Decision.APPROVED, by=by, now=now)
    return before


def _set_back(session: Session, timed: TimedAccess, before: Mapping[str, Any]) -> None:
    """As if it had not been prolonged: who asked for longer, and had their answer by that alone, waits again."""
    asked = _asked(session, timed)
    if (
        asked is not None
        and before["waited"]
        and asked.decision == Decision.APPROVED
        and asked.decided_at == timed.prolonged_at
    ):
        asked.decision, asked.decided_by, asked.decided_at = Decision.WAITS.value, "", None
    until, at = before["until"], before["at"]
    timed.prolonged_until = date.fromisoformat(until) if until is not None else None
    timed.prolonged_by = before["by"]
    timed.prolonged_at = datetime.fromisoformat(at) if at is not None else None
    look_again(session, timed)


def _asked(session: Session, timed: TimedAccess) -> Answer | None:
    return session.get(Answer, (timed.organization_id, timed.case_id, AnswerKind.PROLONG.value))
