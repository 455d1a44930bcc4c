"""Stopping a leaver, keeping somebody, trying again, and handing back what was handed over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict
from models.audit import APP, Event
from models.leaver import (
    Belonging,
    Leaver,
    LeaverOrigin,
    Look,
    LookState,
    find_leaver,
    open_leaver_of,
)
from models.run import find_run
from rules.farewell import CHOOSING, OVER, UNDECIDED, WORKING, LeaverState
from rules.handover import AGAIN, STOPPED, BelongingState, Kind
from services.leaver_ends import hold_up
from services.leavers import changing, record_leaver, work_on
from services.runs import GOING, stop_run
from services.toolbox import Toolbox

CAN_HAND_BACK = (LeaverState.ENDING, LeaverState.DONE, LeaverState.STOPPED, LeaverState.HANDED_BACK)


def stop(tools: Toolbox, caller: Caller, leaver_id: str) -> None:
    """Nothing more is looked for, moved or ended. The call that is on its way gets a result. Raises Conflict."""
    with changing(tools, caller, leaver_id, WORKING) as (session, leaver, now):
        actor = caller.account_id or ""
        record_leaver(session, Event.LEAVER_STOPPED, leaver, actor, now, leaver.state)
        if leaver.state == LeaverState.LOOKING:
            session.execute(
                update(Look)
                .where(
                    Look.organization_id == leaver.organization_id,
                    Look.leaver_id == leaver.id,
                    Look.state == LookState.WAITING.value,
                )
                .values(state=LookState.UNSEEN.value, reason="Stopped before Rollcall looked.")
            )
            leaver.state, leaver.looked_at, leaver.resume_at = LeaverState.READY.value, now, None
        elif leaver.state == LeaverState.CHECKING:
            leaver.state, leaver.resume_at = LeaverState.READY.value, None
        else:
            _stop_for_good(session, leaver, actor, now)
        leaver.reason = ""


def stay(tools: Toolbox, caller: Caller, leaver_id: str) -> None:
    """They are not leaving after all: nothing was handed over yet, and nothing ends. Raises Conflict."""
    with changing(tools, caller, leaver_id, CHOOSING) as (session, leaver, now):
        actor = caller.account_id or ""
        record_leaver(session, Event.LEAVER_STOPPED, leaver, actor, now, leaver.state)
        _stop_for_good(session, leaver, actor, now)


def stays_after_all(
    session: Session, organization_id: str, leaver_id: str, reason: str, now: datetime
) -> None:
    """The same, because the identity provider whose word it was says otherwise.

    What an operator has confirmed waits until they say whether it is to go on.
    """
    session.execute(
        update(Leaver)
        .where(Leaver.organization_id == organization_id, Leaver.id == leaver_id)
        .values(id=leaver_id)
    )
    leaver = find_leaver(session, organization_id, leaver_id)
    if leaver is None or leaver.origin != LeaverOrigin.SCIM:
        return
    if leaver.state in (LeaverState.HANDING_OVER, LeaverState.ENDING) and leaver.run_id is None:
        hold_up(session, leaver, f"{reason} Stop, or try again to go on all the same.", now)
    if LeaverState(leaver.state) not in UNDECIDED:
        return
    record_leaver(session, Event.LEAVER_STOPPED, leaver, APP, now, reason)
    _stop_for_good(session, leaver, APP, now)
    leaver.reason = reason


def _stop_for_good(session: Session, leaver: Leaver, actor: str, now: datetime) -> None:
    _set(session, leaver, (BelongingState.CHOSEN,), state=BelongingState.LEFT.value, reason=STOPPED)
    # On the way back a call may have landed: what still is moved can be handed back once more.
    _set(session, leaver, (BelongingState.RETURNING,), state=BelongingState.MOVED.value, returns=False)
    _set(session, leaver, (BelongingState.MOVED,), returns=False)
    run = find_run(session, leaver.organization_id, leaver.run_id) if leaver.run_id else None
    if run is not None and run.state in GOING:
        stop_run(session, run, actor, now, "The leaver was stopped.")
    on_their_way = session.scalar(
        select(func.count()).where(
            Belonging.organization_id == leaver.organization_id,
            Belonging.leaver_id == leaver.id,
            Belonging.state == BelongingState.MOVING.value,
        )
    )
    leaver.state, leaver.finished_at = LeaverState.STOPPED.value, now
    leaver.resume_at = now if on_their_way else None


def try_again(tools: Toolbox, caller: Caller, leaver_id: str) -> None:
    """Whatever holds it up was seen to: what could not be moved is tried anew, and the ending too. Raises Conflict."""
    states = (*WORKING,)
    with changing(tools, caller, leaver_id, states) as (session, leaver, now):
        if leaver.resume_at is not None and leaver.state != LeaverState.ENDING:
            raise Conflict("This is under way already.", "Wait for it.")
        run = find_run(session, leaver.organization_id, leaver.run_id) if leaver.run_id else None
        if run is not None and run.state in GOING:
            raise Conflict("Their access is being ended this moment.", "Wait for it.")
        again = _again(session, leaver)
        leaver.run_id, leaver.obstacles = None, []
        state = LeaverState.HANDING_OVER if again else LeaverState(leaver.state)
        work_on(leaver, state, now)


def go_on(tools: Toolbox, caller: Caller, leaver_id: str) -> None:
    """What could not be handed over stays: access ends all the same. Raises Conflict."""
    with changing(tools, caller, leaver_id, (LeaverState.ENDING,)) as (session, leaver, now):
        if leaver.resume_at is not None or leaver.obstacles or leaver.run_id is not None:
            raise Conflict("This is not what holds it up.", "Reload the page and look again.")
        record_leaver(session, Event.LEAVER_CONFIRMED, leaver, caller.account_id or "", now, "went on")
        work_on(leaver, LeaverState.ENDING, max(leaver.ends_at, now) if leaver.ends_at else now)


def _again(session: Session, leaver: Leaver) -> int:
    """What was refused may go; of what failed nobody knows whether it went."""
    if leaver.state not in (LeaverState.ENDING, LeaverState.HANDING_OVER):
        return 0
    assert {BelongingState.REFUSED, BelongingState.FAILED} == AGAIN
    return _set(
        session, leaver, (BelongingState.REFUSED,), state=BelongingState.CHOSEN.value, reason="", objection=""
    ) + _set(session, leaver, (BelongingState.FAILED,), state=BelongingState.MOVING.value, reason="")


def hand_back(tools: Toolbox, caller: Caller, leaver_id: str) -> None:
    """What this handover moved and is still with its successor goes back, and access does not end. Raises Conflict."""
    with changing(tools, caller, leaver_id, CAN_HAND_BACK) as (session, leaver, now):
        if leaver.resume_at is not None and leaver.state == LeaverState.STOPPED:
            raise Conflict("The last call is still on its way.", "Wait a moment, then try again.")
        other = open_leaver_of(session, leaver.organization_id, leaver.account_id)
        if other is not None and other.id != leaver.id:
            raise Conflict("This person is leaving anew.", "Stop that first.")
        run = find_run(session, leaver.organization_id, leaver.run_id) if leaver.run_id else None
        if run is not None and run.state in GOING:
            raise Conflict("Their access is being ended this moment.", "Stop it, or wait for it.")
        if not _set(session, leaver, (BelongingState.MOVED,), but=Kind.TOKEN, returns=True, reason=""):
            raise Conflict("Nothing was handed over.", "There is nothing to hand back.")
        # Of API tokens that access should have ended with.
        _set(session, leaver, (BelongingState.CHOSEN,), state=BelongingState.LEFT.value, reason=STOPPED)
        record_leaver(session, Event.LEAVER_HANDING_BACK, leaver, caller.account_id or "", now)
        work_on(leaver, LeaverState.HANDING_BACK, now)


def _set(
    session: Session,
    leaver: Leaver,
    states: Iterable[BelongingState],
    *,
    but: Kind | None = None,
    **values: object,
) -> int:
    conditions = [
        Belonging.organization_id == leaver.organization_id,
        Belonging.leaver_id == leaver.id,
        Belonging.state.in_([state.value for state in states]),
    ]
    if but is not None:
        conditions.append(Belonging.kind != but.value)
    changed = session.execute(update(Belonging).where(*conditions).values(values))
    return int(changed.rowcount)  # type: ignore[attr-defined]


def stop_all_leavers(session: Session, organization_id: str, actor: str, now: datetime) -> None:
    """The organization's last door was closed: nobody may be handed over or ended any more.

    What became of the calls that are on their way is found out when a door is open again.
    """
    query = select(Leaver).where(
        Leaver.organization_id == organization_id, Leaver.state.not_in([state.value for state in OVER])
    )
    for leaver in session.scalars(query).all():
        record_leaver(session, Event.LEAVER_STOPPED, leaver, actor, now, leaver.state)
        _stop_for_good(session, leaver, actor, now)
