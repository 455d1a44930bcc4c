"""A leaver whom an operator stops, hands back or plans anew: nothing happens behind their back, nothing is lost."""

from __future__ import annotations

import pytest

from connect.caller import Caller
from rules.deeds import Deed
from rules.farewell import LeaverState
from rules.handover import Kind
from services import leaver_decisions, leaver_stops
from tests.services.leavers import (
    UMA,
    belongings,
    leaver,
    planned,
    ready,
    states,
    work,
)
from tests.services.workers import once, with_something_between
from tests.world import World


def revoked(world: World) -> int:
    done = world.control("GET", "/effects").get(UMA, {}).get("by", {})
    return sum(times for about, times in done.items() if about.startswith("revoke_token:"))


def confirmed(world: World, caller: Caller, **changed: object) -> str:
    leaver_id = planned(world, caller, **changed)  # type: ignore[arg-type]
    leaver_decisions.confirm(world.tools, caller, leaver_id)
    return leaver_id


@pytest.mark.parametrize("order", [leaver_stops.stop, leaver_stops.hand_back])
def test_no_token_is_revoked_once_somebody_has_stopped_it(sqlite_world: World, order: object) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = confirmed(world, ana)
    tokens = len(belongings(world, leaver_id, Kind.TOKEN))
    assert tokens > 1

    def stopped() -> None:
        order(world.tools, ana, leaver_id)  # type: ignore[operator]

    work(world, with_something_between(world.tools, once("after", "revoke_token", stopped)))
    assert revoked(world) == 1, "the call that was on its way"
    assert len([one for one in belongings(world, leaver_id, Kind.TOKEN) if one.state == "moved"]) == 1
    assert len([one for one in belongings(world, leaver_id, Kind.TOKEN) if one.state == "left"]) == tokens - 1
    assert len(world.audit("token:revoked")) == 1


@pytest.mark.parametrize("landed", [False, True])
def test_what_became_of_a_token_that_was_being_revoked_is_found_out(
    sqlite_world: World, landed: bool
) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = confirmed(world, ana, deed=Deed.LIST.value)
    world.fault("/manage/api-tokens/", "reset", method="DELETE", after=landed)
    work(world)
    assert "moving" in states(world, leaver_id, Kind.TOKEN)
    leaver_stops.stop(world.tools, ana, leaver_id)
    work(world)
    row = leaver(world, leaver_id)
    assert (row.state, row.resume_at) == (LeaverState.STOPPED, None)
    assert states(world, leaver_id, Kind.TOKEN) == ({"moved", "left"} if landed else {"left"})
    assert len(world.audit("token:revoked")) == revoked(world) == int(landed)
