"""The worker's part of leavers: which are due, one step at a time, and what to do when Atlassian says wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from connect.errors import AppError, AtlassianError, NotReady, RateLimited, Unauthorized, Unavailable
from models.audit import APP, Event
from models.leaver import Belonging, Leaver, find_leaver
from models.organization import Organization
from rules.farewell import WORKING, LeaverState
from rules.handover import AGAIN
from services import leaver_checks, leaver_ends, leaver_looks, leaver_moves
from services.leasing import turn
from services.leavers import record_leaver
from services.runs import paused_until
from services.toolbox import Toolbox

AT_WORK = timedelta(minutes=10)
"""How long a step may take before another worker goes on from the row."""
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=15)
MOST_TROUBLES = 20
STAYED = "Something could not be handed over. Try again, or go on without it."
_DUE = [*(state.value for state in WORKING), LeaverState.STOPPED.value]


def due_leavers(tools: Toolbox, limit: int = 20) -> list[tuple[str, str, int]]:
    """(organization id, leaver id, next attempt) of those that wait for the worker. Without a door nobody can look."""
    now = tools.clock()
    resting = select(Organization.id).where(
        (Organization.paused_until > now) | Organization.doorless_since.is_not(None)
    )
    query = (
        select(Leaver.organization_id, Leaver.id, Leaver.attempt)
        .where(Leaver.state.in_(_DUE), Leaver.resume_at <= now, Leaver.organization_id.not_in(resting))
        .order_by(turn(Leaver.organization_id, Leaver.resume_at, Leaver.id), Leaver.resume_at)
        .limit(limit)
    )
    with tools.begin() as session:
        return [
            (organization_id, leaver_id, attempt + 1)
            for organization_id, leaver_id, attempt in session.execute(query)
        ]


def take_up(tools: Toolbox, organization_id: str, leaver_id: str, attempt: int) -> bool:
    """Begins an attempt. False when there is nothing to do, or a later attempt has begun."""
    mine = (Leaver.organization_id == organization_id, Leaver.id == leaver_id)
    with tools.begin() as session:
        # The number is used up also where nothing is left to do: one that came again would begin nothing.
        session.execute(update(Leaver).where(*mine, Leaver.attempt < attempt).values(attempt=attempt))
        taken = session.execute(
            update(Leaver)
            .where(
                *mine,
                Leaver.state.in_(_DUE),
                Leaver.resume_at.is_not(None),
                Leaver.attempt <= attempt,
            )
            .values(attempt=attempt, resume_at=tools.clock() + AT_WORK)
        )
        return bool(taken.rowcount)  # type: ignore[attr-defined]


def advance(tools: Toolbox, organization_id: str, leaver_id: str) -> bool:
    """One step, from the row alone. True when the next one may follow at once."""
    leaver = _copy(tools, organization_id, leaver_id)
    if leaver is None:
        return False
    try:
        more = _STEPS[LeaverState(leaver.state)](tools, leaver)
    except RateLimited as pause:
        _postpone_all(tools, organization_id, pause.until)
        return False
    except (Unavailable, Unauthorized, NotReady) as trouble:
        return _trouble(tools, leaver, trouble)
    except (AtlassianError, AppError) as problem:
        with tools.begin() as session:
            leaver_ends.hold_up(session, leaver, words(problem), tools.clock())
        return False
    if more:
        _calm(tools, leaver)
    return more


def fail(tools: Toolbox, organization_id: str, leaver_id: str) -> None:
    """A fault of our own, which is in the log: the leaver waits for somebody to try again."""
    with tools.begin() as session:
        leaver = find_leaver(session, organization_id, leaver_id)
        if leaver is not None and leaver.state in _DUE:
            leaver_ends.hold_up(
                session, leaver, "Something went wrong inside Rollcall. Try again.", tools.clock()
            )


def _copy(tools: Toolbox, organization_id: str, leaver_id: str) -> Leaver | None:
    """The row as it is now, detached; None when the worker has nothing to do with it, or has to wait."""
    now = tools.clock()
    with tools.begin() as session:
        leaver = find_leaver(session, organization_id, leaver_id)
        if leaver is None or leaver.state not in _DUE or leaver.resume_at is None:
            return None
        pause = paused_until(session, organization_id, now)
        kept = session.execute(update(Leaver).where(*_going(leaver)).values(resume_at=pause or now + AT_WORK))
        if pause is not None or not kept.rowcount:  # type: ignore[attr-defined]
            return None
        session.expunge(leaver)
        return leaver


def _hand_over(tools: Toolbox, leaver: Leaver) -> bool:
    if leaver_moves.move_on(tools, leaver):
        return True
    now = tools.clock()
    with tools.begin() as session:
        row = leaver_ends.still(session, leaver)
        if row is None:
            return False
        row.state = LeaverState.ENDING.value
        record_leaver(session, Event.LEAVER_HANDED_OVER, row, APP, now)
        stayed = _stayed(session, row)
        if stayed:
            # Nobody saw this coming when they confirmed: access does not end behind their back.
            leaver_ends.hold_up(session, row, STAYED, now)
            return False
        row.resume_at = max(row.ends_at, now) if row.ends_at is not None else now
        return row.resume_at <= now


def _stayed(session: Session, leaver: Leaver) -> int:
    """How many things could not be moved, of which the dry run had said nothing."""
    query = select(func.count()).where(
        Belonging.organization_id == leaver.organization_id,
        Belonging.leaver_id == leaver.id,
        Belonging.state.in_([state.value for state in AGAIN]),
        Belonging.objection == "",
    )
    return session.scalar(query) or 0


def _end(tools: Toolbox, leaver: Leaver) -> bool:
    now = tools.clock()
    if leaver.run_id is None and leaver.ends_at is not None and leaver.ends_at > now:
        with tools.begin() as session:
            _sleep(session, leaver, leaver.ends_at)
        return False
    return leaver_ends.end_on(tools, leaver)


def _hand_back(tools: Toolbox, leaver: Leaver) -> bool:
    if leaver_moves.return_on(tools, leaver):
        return True
    leaver_ends.settle_tokens(tools, leaver)
    now = tools.clock()
    with tools.begin() as session:
        row = leaver_ends.still(session, leaver)
        if row is not None:
            row.state, row.finished_at, row.resume_at = LeaverState.HANDED_BACK.value, now, None
            record_leaver(session, Event.LEAVER_HANDED_BACK, row, APP, now)
    return False


def _settle(tools: Toolbox, leaver: Leaver) -> bool:
    until = leaver_moves.settle(tools, leaver)
    if until is None:
        leaver_ends.settle_tokens(tools, leaver)
    with tools.begin() as session:
        _sleep(session, leaver, until)
    return False


_STEPS: dict[LeaverState, Callable[[Toolbox, Leaver], bool]] = {
    LeaverState.LOOKING: leaver_looks.look_on,
    LeaverState.CHECKING: leaver_checks.check_on,
    LeaverState.HANDING_OVER: _hand_over,
    LeaverState.ENDING: _end,
    LeaverState.HANDING_BACK: _hand_back,
    LeaverState.STOPPED: _settle,
}


def _trouble(tools: Toolbox, leaver: Leaver, trouble: AppError) -> bool:
    """Nobody knows whether it happened: look again after a pause; after many, somebody has to say so."""
    now = tools.clock()
    with tools.begin() as session:
        if leaver.troubles >= MOST_TROUBLES:
            leaver_ends.hold_up(session, leaver, words(trouble), now)
            return False
        pause = min(FIRST_PAUSE * 2 ** min(leaver.troubles, 10), LONGEST_PAUSE)
        # It is the worker that tries again, not who reads this.
        reason = trouble.sentence if isinstance(trouble, Unavailable) else words(trouble)
        session.execute(
            update(Leaver)
            .where(*_going(leaver))
            .values(troubles=leaver.troubles + 1, resume_at=now + pause, reason=reason[:500])
        )
    return False


def _calm(tools: Toolbox, leaver: Leaver) -> None:
    if not leaver.troubles:
        return
    with tools.begin() as session:
        session.execute(update(Leaver).where(*_going(leaver)).values(troubles=0, reason=""))


def _postpone_all(tools: Toolbox, organization_id: str, until: datetime) -> None:
    """429: no leaver of this organization asks anything before."""
    with tools.begin() as session:
        session.execute(
            update(Leaver)
            .where(
                Leaver.organization_id == organization_id,
                Leaver.state.in_(_DUE),
                Leaver.resume_at.is_not(None),
            )
            .values(resume_at=until)
        )


def _sleep(session: Session, leaver: Leaver, until: datetime | None) -> None:
    session.execute(update(Leaver).where(*_going(leaver)).values(resume_at=until))


def _going(leaver: Leaver) -> tuple[ColumnElement[bool], ...]:
    """As this step found it: whoever has just stopped it, or holds it up, is not overwritten."""
    return (
        Leaver.organization_id == leaver.organization_id,
        Leaver.id == leaver.id,
        Leaver.state == leaver.state,
        Leaver.resume_at.is_not(None),
    )


def words(problem: AppError) -> str:
    """What is wrong, and what to do about it."""
    return f"{problem.sentence} {problem.next_step}"
