"""The handover itself, one belonging after the other.

Read who has it, write down what is about to happen, call, write down the result. Whoever comes after a dead worker
looks at the facts, not at what the program believed (S49, S50).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connect.errors import AtlassianError, Invalid, NotReady, RateLimited, Unauthorized, Unavailable
from models.audit import APP, Event
from models.leaver import READ_TOO, Belonging, Leaver
from rules.farewell import LeaverState
from rules.handover import (
    STOPPED,
    TO_MOVE,
    TO_RETURN,
    BelongingState,
    Decision,
    End,
    Go,
    Kind,
    decide_move,
    decide_return,
)
from services.hands import Hands, words_for
from services.leavers import record_leaver
from services.successors import Successors
from services.toolbox import Toolbox

AT_A_TIME = 10
MOST_TROUBLES = 6
_EVENTS = {
    BelongingState.MOVED: Event.BELONGING_MOVED,
    BelongingState.MOVED_BACK: Event.BELONGING_MOVED_BACK,
}


@dataclass(frozen=True, slots=True)
class _Way:
    """There, or back. `begun` is the state of a belonging whose call may have been made."""

    leaver_in: LeaverState
    begun: BelongingState
    back: bool


_THERE = _Way(LeaverState.HANDING_OVER, BelongingState.MOVING, back=False)
_BACK = _Way(LeaverState.HANDING_BACK, BelongingState.RETURNING, back=True)


def move_on(tools: Toolbox, leaver: Leaver) -> bool:
    """Hands the next belongings over. False when nothing is left."""
    return _go_on(tools, leaver, _THERE)


def return_on(tools: Toolbox, leaver: Leaver) -> bool:
    """Hands the next belongings back. False when nothing is left."""
    return _go_on(tools, leaver, _BACK)


def settle(tools: Toolbox, leaver: Leaver) -> datetime | None:
    """What became of the calls that were on their way when somebody pressed *Stop*: no more calls are made.

    Returns when to look again, as long as Atlassian may not show one of them yet.
    """
    with Hands(tools, leaver) as hands:
        while rows := _on_their_way(tools, leaver):
            late = [_settles_at(tools, belonging) for belonging in rows if _shows_late(tools, belonging)]
            if late:
                return max(late)
            for belonging in rows:
                decision = _decide(tools, hands, leaver, belonging, _THERE)
                if isinstance(decision, Go):
                    decision = End(BelongingState.LEFT, STOPPED)
                _end(tools, leaver, belonging, decision, None)
    return None


def _on_their_way(tools: Toolbox, leaver: Leaver) -> list[Belonging]:
    """Some of them: those that were tried again after Atlassian was away may be many."""
    with tools.begin() as session:
        return _waiting(session, leaver, (BelongingState.MOVING,), returns=False)


def _go_on(tools: Toolbox, leaver: Leaver, way: _Way) -> bool:
    states = TO_RETURN if way.back else TO_MOVE
    with tools.begin() as session:
        rows = _waiting(session, leaver, tuple(states), returns=way.back)
    if not rows:
        return False
    with Hands(tools, leaver) as hands:
        successors = Successors(tools, leaver)
        for belonging in rows:
            if not _lead(tools, hands, successors, leaver, belonging, way):
                break
    return True


def _lead(
    tools: Toolbox, hands: Hands, successors: Successors, leaver: Leaver, belonging: Belonging, way: _Way
) -> bool:
    """One belonging to its end. False when the leaver was stopped meanwhile."""
    kind = Kind(belonging.kind)
    # What an attempt leaves behind when it cannot end: there nothing has moved, on the way back it still is moved.
    stays = BelongingState.MOVED if way.back else BelongingState.REFUSED
    begun = belonging.state == way.begun.value
    try:
        decision = _decide(tools, hands, leaver, belonging, way)
        objection = "" if way.back or isinstance(decision, End) else successors.objection(belonging)
        if objection:
            decision = End(BelongingState.REFUSED, objection)
        if isinstance(decision, End):
            _end(tools, leaver, belonging, decision, None)
            return True
        if not begin_call(tools, leaver, belonging, way.leaver_in, way.begun):
            return False
        begun = True
        if way.back:
            hands.give_back(belonging)
        else:
            hands.give(belonging, belonging.successor)
    except RateLimited:
        raise
    except (Unavailable, Unauthorized, NotReady) as problem:
        # Whoever opened the door has to hear of a credential that Atlassian rejects: the next round knows it then.
        if not isinstance(problem, NotReady) and leaver.troubles < MOST_TROUBLES:
            raise
        # Of a call that nobody made nothing can have come: what the successor has by then is not ours to hand back.
        unknown = BelongingState.FAILED if begun and not way.back else stays
        _end(tools, leaver, belonging, End(unknown, words_for(kind, problem)), None)
        return True
    except (AtlassianError, Invalid) as problem:
        _end(tools, leaver, belonging, End(stays, words_for(kind, problem)), None)
        return True
    done = BelongingState.MOVED_BACK if way.back else BelongingState.MOVED
    after = leaver.account_id if way.back else belonging.successor
    _end(tools, leaver, belonging, End(done), after)
    return True


def _shows_late(tools: Toolbox, belonging: Belonging) -> bool:
    """Whether Atlassian may still show a group as it was before the successor joined it (S50)."""
    return belonging.kind == Kind.GROUP and tools.clock() < _settles_at(tools, belonging)


def _settles_at(tools: Toolbox, belonging: Belonging) -> datetime:
    assert belonging.changed_at is not None
    return belonging.changed_at + timedelta(seconds=tools.settings.settle_seconds)


def _decide(tools: Toolbox, hands: Hands, leaver: Leaver, belonging: Belonging, way: _Way) -> Decision:
    decide = decide_return if way.back else decide_move
    begun = belonging.state == way.begun.value
    holders = hands.holders(belonging)
    if not way.back and belonging.state == BelongingState.CHOSEN.value and holders is not None:
        # Written down before the call: whoever comes after a dead worker could not tell any more.
        belonging.before = [*sorted(holders), *([READ_TOO] if hands.gives_read(belonging) else [])]
    if way.back and holders is not None and not begun and _shows_late(tools, belonging):
        holders |= {belonging.successor}
    return decide(
        Kind(belonging.kind),
        holders,
        leaver=leaver.account_id,
        successor=belonging.successor,
        begun=begun,
    )


def begin_call(
    tools: Toolbox, leaver: Leaver, belonging: Belonging, leaver_in: LeaverState, begun: BelongingState
) -> bool:
    """Writes down that the call is about to be made; False when somebody stopped the leaver, or was faster."""
    going = select(Leaver.id).where(
        Leaver.organization_id == leaver.organization_id,
        Leaver.id == leaver.id,
        Leaver.state == leaver_in.value,
    )
    with tools.begin() as session:
        written = session.execute(
            update(Belonging)
            .where(*_key(belonging), Belonging.state == belonging.state, going.exists())
            .values(state=begun.value, before=belonging.before, changed_at=tools.clock())
        )
        return bool(written.rowcount)  # type: ignore[attr-defined]


def _end(tools: Toolbox, leaver: Leaver, belonging: Belonging, end: End, after: str | None) -> None:
    """The result with its audit entry, in one transaction."""
    now = tools.clock()
    with tools.begin() as session:
        write_end(session, leaver, belonging, end, after, now)


def write_end(
    session: Session, leaver: Leaver, belonging: Belonging, end: End, after: str | None, now: datetime
) -> None:
    """What became of one belonging. `after` is who has it now, where this handover gave it to them."""
    values: dict[str, Any] = {
        "state": end.state.value,
        "reason": end.reason[:500],
        "returns": False,
        "changed_at": now,
        "before": belonging.before,
    }
    if end.state is BelongingState.MOVED and not belonging.returns:
        values["after"] = [after or belonging.successor]
    elif after is not None:
        values["after"] = [after]
    unfinished = (
        BelongingState.CHOSEN,
        BelongingState.MOVING,
        BelongingState.MOVED,
        BelongingState.RETURNING,
    )
    ended = session.execute(
        update(Belonging)
        .where(*_key(belonging), Belonging.state.in_([state.value for state in unfinished]))
        .values(values)
    )
    if not ended.rowcount:  # type: ignore[attr-defined]
        return
    event = _EVENTS.get(end.state, Event.BELONGING_NOT_MOVED)
    if end.state is BelongingState.MOVED and belonging.returns:
        event = Event.BELONGING_NOT_MOVED
    if belonging.kind == Kind.TOKEN and end.state is BelongingState.MOVED:
        event = Event.TOKEN_REVOKED
    details = {"kind": belonging.kind, "reference": belonging.reference}
    if belonging.successor:
        details["successor"] = belonging.successor
    record_leaver(session, event, leaver, leaver.confirmed_by or APP, now, end.reason, details)


def _waiting(
    session: Session, leaver: Leaver, states: tuple[BelongingState, ...], *, returns: bool
) -> list[Belonging]:
    query = (
        select(Belonging)
        .where(
            Belonging.organization_id == leaver.organization_id,
            Belonging.leaver_id == leaver.id,
            Belonging.state.in_([state.value for state in states]),
            Belonging.kind != Kind.TOKEN.value,
            Belonging.returns.is_(returns),
        )
        .order_by(Belonging.place, Belonging.client_key, Belonging.key, Belonging.reference)
        .limit(AT_A_TIME)
    )
    found = list(session.scalars(query))
    for belonging in found:
        session.expunge(belonging)
    return found


def _key(belonging: Belonging) -> tuple[Any, ...]:
    """The row of one belonging, as a condition."""
    return (
        Belonging.organization_id == belonging.organization_id,
        Belonging.leaver_id == belonging.leaver_id,
        Belonging.kind == belonging.kind,
        Belonging.client_key == belonging.client_key,
        Belonging.reference == belonging.reference,
    )
