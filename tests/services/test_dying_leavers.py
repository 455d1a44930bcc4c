"""Workers that die at every moment of a handover, of an ending, of the way back: each thing is moved once (S50)."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from rules.deeds import Deed
from rules.farewell import WORKING, LeaverState
from rules.handover import Kind
from services import leaver_decisions, leaver_stops, leaver_work
from tests.services.leavers import JON, UMA, belongings, leaver, owns, planned, ready, states, work
from tests.services.workers import Crash, Killed, with_something_between
from tests.world import ACME, World

pytestmark = pytest.mark.slow
LEASE_OVER = leaver_work.AT_WORK.total_seconds() + 1


def live_shortly(world: World, leaver_id: str, seed: int) -> set[str]:
    """Workers follow each other, each of which dies after a few effects; the moments at which they died."""
    lives, moments = random.Random(seed), set()
    for _ in range(1000):
        state = leaver(world, leaver_id)
        if LeaverState(state.state) not in WORKING:
            return moments
        world.later(seconds=LEASE_OVER)
        crash = Crash(lives.randint(1, 32))
        with suppress(Killed):
            work(world, with_something_between(world.tools, crash))
            world.act()
        if crash.moment:
            moments.add(crash.moment)
    raise AssertionError(f"no end: {leaver(world, leaver_id).state}")


def test_s50_each_thing_is_moved_once_whenever_the_worker_dies(world: World) -> None:
    ana = ready(world, confluence=True)
    leaver_id = planned(world, ana)
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    moments = live_shortly(world, leaver_id, 50)
    assert leaver(world, leaver_id).state == LeaverState.DONE
    everything = belongings(world, leaver_id)
    moved = [one for one in everything if one.state == "moved"]
    assert len(moved) == len(everything) - 1 >= 25, "all but the space that nobody may open"
    effects = world.control("GET", "/effects")
    by = effects[UMA]["by"]
    for one in moved:
        if one.kind not in (Kind.SPACE, Kind.TOKEN):
            assert by[f"give_{one.kind}:{one.reference}"] == 1, one
        if one.kind == Kind.TOKEN:
            assert by[f"revoke_token:{one.reference}"] == 1, one
        if one.kind == Kind.SPACE:
            assert effects[JON]["by"][f"grant_administer:{one.reference}"] == 1, one
    assert effects[UMA]["suspend"] == 1
    assert len(world.audit("belonging:moved", "token:revoked")) == len(moved)
    wanted = {f"{when} {what}" for what in ("transaction", "holder", "give") for when in ("before", "after")}
    assert moments >= wanted


def test_s51_each_thing_is_handed_back_once_whenever_the_worker_dies(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world, confluence=True)
    leaver_id = planned(world, ana, deed=Deed.LIST.value, revoke_tokens=False)
    before = {kind: owns(world, UMA, kind) for kind in ("project", "filter", "issue")}
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    work(world)
    world.control("DELETE", "/effects")
    leaver_stops.hand_back(world.tools, ana, leaver_id)
    live_shortly(world, leaver_id, 51)
    assert leaver(world, leaver_id).state == LeaverState.HANDED_BACK
    assert {kind: owns(world, UMA, kind) for kind in before} == before
    assert "moved" not in states(world, leaver_id)
    by = world.control("GET", "/effects")[JON]["by"]
    given = {about: times for about, times in by.items() if about.startswith("give_")}
    assert set(given.values()) == {1}
    assert len(world.audit("belonging:moved_back")) == len(given) + 2


def test_s50_a_stop_while_a_call_is_on_its_way_has_a_result(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana)
    leaver_decisions.confirm(world.tools, ana, leaver_id)

    for when in ("before", "after"):

        def dies(moment: str, what: str, when: str = when) -> None:
            if (moment, what) == (when, "give"):
                raise Killed(what)

        with suppress(Killed):
            work(world, with_something_between(world.tools, dies))
        world.later(seconds=LEASE_OVER)
    # One thing may have been given when the second worker died: *Stop* comes in between.
    leaver_stops.stop(world.tools, ana, leaver_id)
    work(world)
    row = leaver(world, leaver_id)
    assert (row.state, row.resume_at, row.organization_id) == (LeaverState.STOPPED, None, ACME)
    (moved,) = (one for one in belongings(world, leaver_id) if one.state == "moved")
    assert moved.reason == "Found done after an interruption."
    assert states(world, leaver_id) == {"moved", "left"}


def test_an_attempt_that_finds_nothing_to_do_is_used_up_and_the_way_back_begins_with_the_next(
    sqlite_world: World,
) -> None:
    """*Stop* while one attempt is in a call and the next one waits behind it: the call settles, nothing is left."""
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana)
    leaver_decisions.confirm(world.tools, ana, leaver_id)

    def dies(moment: str, what: str) -> None:
        if (moment, what) == ("after", "give"):
            raise Killed(what)

    with suppress(Killed):
        work(world, with_something_between(world.tools, dies))
    world.later(seconds=LEASE_OVER)
    leaver_stops.stop(world.tools, ana, leaver_id)
    [waiting] = leaver_work.due_leavers(world.tools)
    assert not leaver_work.advance(world.tools, ACME, leaver_id)
    assert leaver(world, leaver_id).resume_at is None
    assert not leaver_work.take_up(world.tools, *waiting)
    leaver_stops.hand_back(world.tools, ana, leaver_id)
    [following] = leaver_work.due_leavers(world.tools)
    assert following == (ACME, leaver_id, waiting[2] + 1)
    work(world)
    assert leaver(world, leaver_id).state == LeaverState.HANDED_BACK
