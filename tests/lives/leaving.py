"""Leavers, last days, and who is away for a while: what operators do about them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from models.absence import Absence
from models.leaver import Belonging, Leaver
from rules.deeds import Deed
from rules.farewell import OVER, LeaverState
from rules.handover import BelongingState, Kind
from services import absences, leaver_decisions, leaver_stops, leavers
from services.leavers import end_of_day
from tests.lives.stage import Acts, Stage
from tests.services.leavers import JON, owns, plan
from tests.world import ACME


def somebody_is_leaving(life: Stage) -> None:
    account_id, caller = life.cast.ids[life.somebody()], life.operator()
    with life.allowed():
        leavers.request_leavers(life.tools, caller, [account_id])


def plan_how_they_leave(life: Stage) -> None:
    """What they own goes to Jon, or stays."""
    leaver = life.one(_leavers(life, LeaverState.READY, LeaverState.PLANNED))
    deed = life.pick(Deed.SUSPEND, Deed.SUSPEND, Deed.REMOVE_ACCESS, Deed.DEACTIVATE, Deed.LIST)
    days, caller = life.pick(None, 0, 5), life.operator()
    choices: dict[str, Any] = life.pick({}, {"choices": {}})
    with life.tools.begin() as session:
        ends_at = None if days is None else end_of_day(session, ACME, life.day(days))
    with life.allowed():
        if not choices and leaver.state == LeaverState.READY:
            leaver_decisions.add_successor(life.tools, caller, leaver.id, JON)
        chosen = plan(**choices, deed=deed.value, ends_at=ends_at)
        leaver_decisions.choose(life.tools, caller, leaver.id, chosen)


def confirm_that_they_leave(life: Stage) -> None:
    leaver, caller = life.one(_leavers(life, LeaverState.PLANNED)), life.operator()
    with life.allowed():
        leaver_decisions.confirm(life.tools, caller, leaver.id)


def lead_a_leaver(life: Stage) -> None:
    """Whatever else the page of a leaver offers."""
    going = [state for state in LeaverState if state not in OVER]
    leaver, caller = life.one(_leavers(life, *going)), life.operator()
    deed = life.pick(
        leaver_stops.stop, leaver_stops.stop, leaver_stops.stay, leaver_stops.try_again, leaver_stops.go_on
    )
    with life.allowed():
        deed(life.tools, caller, leaver.id)


def hand_back(life: Stage) -> None:
    leaver, caller = life.one(_leavers(life, *leaver_stops.CAN_HAND_BACK)), life.operator()
    with life.allowed():
        leaver_stops.hand_back(life.tools, caller, leaver.id)


def check_belongings(life: Stage) -> None:
    """What was handed over is with the successor, and what was handed back with the leaver."""
    query = select(Belonging).where(Belonging.kind.in_([Kind.FILTER.value, Kind.DASHBOARD.value]))
    newest = {
        (one.kind, one.reference): one
        for one in life.rows(query.where(Belonging.changed_at.is_not(None)).order_by(Belonging.changed_at))
    }
    for (kind, reference), one in newest.items():
        if one.state == BelongingState.MOVED:
            assert reference in owns(life.world, one.successor, kind), f"said to be moved: {kind} {reference}"
        elif one.state == BelongingState.MOVED_BACK:
            assert reference in owns(life.world, one.had_by[0], kind), f"said to be back: {kind} {reference}"


def _leavers(life: Stage, *states: LeaverState) -> list[Leaver]:
    query = select(Leaver).where(Leaver.state.in_([state.value for state in states]))
    return life.rows(query.order_by(Leaver.created_at))


def write_a_last_day(life: Stage) -> None:
    """Or another one, or none any more."""
    account_id, caller = life.cast.ids[life.somebody()], life.operator()
    days = life.pick(None, 0, 2, 9, 30)
    ends_on = "" if days is None else life.day(days).isoformat()
    with life.allowed():
        absences.set_last_day(life.tools, caller, account_id, ends_on=ends_on, note="")


def let_them_stay_away(life: Stage) -> None:
    away = life.rows(select(Absence).where(Absence.ended_at.is_(None)).order_by(Absence.began_at))
    absence, caller = life.one(away), life.operator()
    with life.allowed():
        absences.stay_away(life.tools, caller, absence.account_id)


ACTS: Acts = {
    somebody_is_leaving: 4,
    plan_how_they_leave: 8,
    confirm_that_they_leave: 8,
    lead_a_leaver: 3,
    hand_back: 2,
    write_a_last_day: 3,
    let_them_stay_away: 1,
}
