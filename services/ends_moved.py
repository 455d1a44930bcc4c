"""Whether a last day is still the one that a list was to move, or has moved; and what an undo would set again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from sqlalchemy.orm import Session

from models.run import Case
from models.timed_access import TimedAccess, TimedState, timed_by_case
from rules.case import CaseState
from rules.deeds import Action, Deed, EndMoved
from rules.prolonging import set_back_words
from rules.roster import action_from_words
from rules.verdict import Verdict, Why, not_possible

OVER = "Their access is over."
_NOT_OPEN: dict[str, str] = {
    TimedState.ENDING: "Their access is ending at this moment.",
    TimedState.ENDED: OVER,
    TimedState.NOT_ENDED: "Their last day is over, and their access could not be ended.",
    TimedState.DROPPED: "Their end was taken away: they keep this access.",
}


def moved_since(found: Iterable[tuple[EndMoved, TimedAccess | None]]) -> str | None:
    """Why these last days are not moved: one of them is not what it was any more. None: all of them are."""
    for end, timed in found:
        if timed is None:
            return OVER
        if timed.state != TimedState.OPEN:
            return _NOT_OPEN[timed.state]
        if timed.until != end.before:
            return f"Somebody has moved their last day since: it is {timed.until:%-d %B %Y} now."
    return None


def are_there(found: Iterable[tuple[EndMoved, TimedAccess | None]]) -> bool:
    """Whether all of them are the new days already."""
    return all(
        timed is not None and timed.state == TimedState.OPEN and timed.until == end.until
        for end, timed in found
    )


def undos_of(
    session: Session, organization_id: str, cases: Iterable[Case], today: date
) -> dict[str, tuple[Action, Verdict]]:
    """Case id → what sets the former days of this prolongation again, and the verdict on doing so now."""
    moved = {case.id: action_from_words(Deed(case.deed), case.action).ends for case in cases}
    gave = {end.of for ends in moved.values() for end in ends}
    found = timed_by_case(session, organization_id, gave) if gave else {}
    return {
        case_id: _undo_of(tuple(end.inverse() for end in ends), found, today)
        for case_id, ends in moved.items()
    }


def _undo_of(
    ends: tuple[EndMoved, ...], found: Mapping[str, TimedAccess], today: date
) -> tuple[Action, Verdict]:
    action = Action(Deed.SET_BACK, ends=ends)
    objection = moved_since((end, found.get(end.of)) for end in ends)
    if objection is not None:
        return action, not_possible(objection, Why.DONE)
    return action, Verdict(CaseState.PLANNED, set_back_words(ends, today))
