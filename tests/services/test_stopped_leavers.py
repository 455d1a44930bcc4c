"""A leaver whom an operator stops, hands back or plans anew: nothing happens behind their back, nothing is lost."""

from __future__ import annotations

import time
from datetime import date, timedelta
from threading import Thread

import pytest
from sqlalchemy import delete, select, update

from connect.caller import Caller
from connect.errors import Conflict
from models.leaver import Belonging, Leaver, LeaverOrigin
from rules.deeds import Deed
from rules.farewell import LeaverState
from rules.handover import Kind
from rules.topics import Topic
from services import leaver_decisions, leaver_stops, leaver_work, runs
from services.absences import set_last_day
from services.leaver_last_days import begin_by_last_day
from services.leaver_moves import AT_A_TIME
from services.matters import matters
from tests.services.leavers import (
    ANA,
    JON,
    PRIYA,
    UMA,
    begun,
    belongings,
    leaver,
    plan,
    planned,
    ready,
    states,
    work,
)
from tests.services.retold import Row, retold, with_everybody
from tests.services.workers import before_it_is_written, once, with_something_between
from tests.world import ACME, World


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


def with_a_token_on_its_way(world: World, landed: bool) -> tuple[Caller, str]:
    """A leaver of whose token nobody knows whether it was revoked: the operator, and the leaver's id."""
    ana = ready(world)
    leaver_id = confirmed(world, ana, deed=Deed.LIST.value)
    world.fault("/manage/api-tokens/", "reset", method="DELETE", after=landed)
    work(world)
    assert "moving" in states(world, leaver_id, Kind.TOKEN)
    return ana, leaver_id


@pytest.mark.parametrize("landed", [False, True])
def test_what_became_of_a_token_that_was_being_revoked_is_found_out(
    sqlite_world: World, landed: bool
) -> None:
    world = sqlite_world
    ana, leaver_id = with_a_token_on_its_way(world, landed)
    leaver_stops.stop(world.tools, ana, leaver_id)
    work(world)
    row = leaver(world, leaver_id)
    assert (row.state, row.resume_at) == (LeaverState.STOPPED, None)
    assert states(world, leaver_id, Kind.TOKEN) == ({"moved", "left"} if landed else {"left"})
    assert len(world.audit("token:revoked")) == revoked(world) == int(landed)


@pytest.mark.parametrize("landed", [False, True])
def test_what_became_of_a_call_is_found_out_once_a_door_is_open_again(
    sqlite_world: World, landed: bool
) -> None:
    """The app is uninstalled while nobody knows, and installed again."""
    world = sqlite_world
    _ana, leaver_id = with_a_token_on_its_way(world, landed)
    world.control("POST", "/uninstall", {"site": "acme", "product": "jira"})
    world.settled()
    work(world)
    assert "moving" in states(world, leaver_id, Kind.TOKEN), "without a door nobody can look"
    world.install("acme")
    world.store_key()
    work(world)
    row = leaver(world, leaver_id)
    assert (row.state, row.resume_at) == (LeaverState.STOPPED, None)
    assert states(world, leaver_id, Kind.TOKEN) == ({"moved", "left"} if landed else {"left"})
    assert revoked(world) == int(landed)


@pytest.mark.parametrize("state", [LeaverState.READY, LeaverState.PLANNED])
def test_whoever_stays_after_all_is_no_leaver_any_more(sqlite_world: World, state: LeaverState) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = begun(world, ana) if state is LeaverState.READY else planned(world, ana)
    assert leaver(world, leaver_id).state == state
    leaver_stops.stay(world.tools, ana, leaver_id)
    work(world)
    assert leaver(world, leaver_id).state == LeaverState.STOPPED
    assert [(one.actor, one.result) for one in world.audit("leaver:stopped")] == [(ANA, state)]
    assert not world.control("GET", "/effects").get(UMA)
    assert begun(world, ana) != leaver_id
    with pytest.raises(Conflict):
        leaver_stops.stay(world.tools, ana, leaver_id)


@pytest.mark.parametrize("world", [pytest.param("postgres_app", marks=pytest.mark.slow)], indirect=True)
@pytest.mark.parametrize("what", ["resume_at", "state"])
def test_stopped_at_the_moment_at_which_a_step_begins_or_ends(world: World, what: str) -> None:
    """SQLite lets nobody between."""
    ana = ready(world)
    leaver_id = confirmed(world, ana, ends_at=world.clock() + timedelta(days=1))
    stop = Thread(target=leaver_stops.stop, args=(world.tools, ana, leaver_id))

    def press() -> None:
        stop.start()
        # It may have to wait until the worker has written.
        stop.join(1)

    with before_it_is_written(world.tools, f"UPDATE leaver SET {what}", press):
        work(world)
    stop.join()
    row = leaver(world, leaver_id)
    assert (row.state, row.resume_at) == (LeaverState.STOPPED, None)
    world.later(days=2)
    work(world)
    world.act()
    assert leaver(world, leaver_id).state == LeaverState.STOPPED
    assert world.calls(UMA) == 0


@pytest.mark.parametrize("last", [False, True])
def test_what_a_stopped_dry_run_still_finds_out_is_not_said_of_another_plan(
    sqlite_world: World, last: bool
) -> None:
    """Jon was chosen and is away; Priya is chosen while the worker still asks about him, or has asked about all."""
    world = sqlite_world
    ana = ready(world)
    leaver_id = begun(world, ana, UMA)
    for successor in (JON, PRIYA):
        leaver_decisions.add_successor(world.tools, ana, leaver_id, successor)
    world.change(JON, membership_status="suspended")
    leaver_decisions.choose(world.tools, ana, leaver_id, plan())
    if last:
        with world.tools.begin() as session:
            session.execute(update(Belonging).values(checked=True))

    def plan_anew() -> None:
        leaver_stops.stop(world.tools, ana, leaver_id)
        for_priya = {kind.value: PRIYA for kind in Kind if kind is not Kind.TOKEN}
        leaver_decisions.choose(world.tools, ana, leaver_id, plan(choices=for_priya))

    [(organization_id, _id, attempt)] = leaver_work.due_leavers(world.tools)
    assert leaver_work.take_up(world.tools, organization_id, leaver_id, attempt)
    leaver_work.advance(
        with_something_between(world.tools, once("after", "person", plan_anew)), organization_id, leaver_id
    )
    work(world)
    assert leaver(world, leaver_id).state == LeaverState.PLANNED
    tried = [one for one in belongings(world, leaver_id) if one.kind != Kind.TOKEN]
    assert {(one.successor, one.checked, one.objection) for one in tried} == {(PRIYA, True, "")}


def test_whose_last_day_was_a_mistake_waits_for_nobody(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    day = (world.clock() + timedelta(days=3)).date()
    set_last_day(world.tools, ana, UMA, ends_on=day.isoformat(), note="")
    assert begin_by_last_day(world.tools) == 1
    work(world)
    (one,) = world.rows(Leaver)
    (matter,) = (each for each in matters(world.tools, ACME) if each.topic is Topic.LEAVER_WAITS)
    assert matter.action_path == f"/app/leavers/{one.id}"
    leaver_stops.stay(world.tools, ana, one.id)
    assert not [each for each in matters(world.tools, ACME) if each.topic is Topic.LEAVER_WAITS]
    assert begin_by_last_day(world.tools) == 0


def leaving_on(world: World, caller: Caller, day: date) -> str:
    """Uma's last day has begun a leaver, and what she owns was handed over: her access ends with that day."""
    set_last_day(world.tools, caller, UMA, ends_on=day.isoformat(), note="")
    begin_by_last_day(world.tools)
    (one,) = world.rows(Leaver)
    leaver_id = planned(world, caller, ends_at=one.ends_at)
    assert leaver_id == one.id
    leaver_decisions.confirm(world.tools, caller, leaver_id)
    work(world)
    return leaver_id


def test_access_ends_with_the_last_day_as_it_was_moved(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    day = (world.clock() + timedelta(days=3)).date()
    leaver_id = leaving_on(world, ana, day)
    set_last_day(world.tools, ana, UMA, ends_on=(day + timedelta(days=5)).isoformat(), note="")
    assert begin_by_last_day(world.tools) == 0
    world.later(days=7)
    world.sync(ana)
    work(world)
    world.act()
    assert (leaver(world, leaver_id).state, world.effects(UMA)["suspend"]) == (LeaverState.ENDING, 0)
    world.later(days=2)
    world.sync(ana)
    work(world)
    world.act()
    assert world.effects(UMA)["suspend"] == 1


def test_without_a_last_day_an_operator_decides_whether_access_ends(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = leaving_on(world, ana, (world.clock() + timedelta(days=3)).date())
    set_last_day(world.tools, ana, UMA, ends_on="", note="")
    world.later(days=5)
    world.sync(ana)
    work(world)
    row = leaver(world, leaver_id)
    assert (row.state, row.resume_at) == (LeaverState.ENDING, None)
    assert row.reason.startswith("Their last day was taken back.")
    leaver_stops.try_again(world.tools, ana, leaver_id)
    work(world)
    world.act()
    assert world.effects(UMA)["suspend"] == 1


def test_with_another_last_day_access_ends_with_that_one(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    day = (world.clock() + timedelta(days=5)).date()
    leaver_id = leaving_on(world, ana, day)
    set_last_day(world.tools, ana, UMA, ends_on="", note="")
    assert leaver(world, leaver_id).reason.startswith("Their last day was taken back. Write down another one")
    set_last_day(world.tools, ana, UMA, ends_on=(day - timedelta(days=3)).isoformat(), note="")
    assert leaver(world, leaver_id).reason == ""
    work(world)
    assert world.effects(UMA)["suspend"] == 0
    world.later(days=3)
    world.sync(ana)
    work(world)
    world.act()
    assert world.effects(UMA)["suspend"] == 1


def test_a_moment_that_an_operator_chose_stays_whatever_the_last_day(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    chosen = world.clock() + timedelta(days=2)
    day = (world.clock() + timedelta(days=3)).date()
    set_last_day(world.tools, ana, UMA, ends_on=day.isoformat(), note="")
    leaver_id = planned(world, ana, ends_at=chosen)
    set_last_day(world.tools, ana, UMA, ends_on="", note="")
    assert leaver(world, leaver_id).ends_at == chosen


def test_whose_account_somebody_deactivated_meanwhile_has_left(sqlite_world: World) -> None:
    """Nothing is left that an operator could do by hand first."""
    world = sqlite_world
    ana = ready(world)
    leaver_id = confirmed(world, ana)
    world.change(UMA, account_status="inactive")
    work(world)
    row = leaver(world, leaver_id)
    assert (row.state, row.reason, row.run_id) == (
        LeaverState.DONE,
        "Their access had ended already.",
        None,
    )
    assert world.effects(UMA)["suspend"] == 0
    assert states(world, leaver_id, Kind.TOKEN) == {"moved"}


def handing_over_a_group(world: World) -> tuple[Caller, str]:
    """Nobody but Uma is in the group; whoever joins it is shown by Atlassian later."""
    group = world.groups()["contractors"]["id"]
    with world.sandbox.cloud.store.write() as connection:
        connection.execute("DELETE FROM member WHERE team = ?", (group,))
    world.control("POST", f"/people/{UMA}/groups", {"group": "contractors", "member": True})
    ana = ready(world)
    choices = {Kind.GROUP.value: JON}
    leaver_id = confirmed(world, ana, deed=Deed.LIST.value, revoke_tokens=False, choices=choices)
    world.fault("/memberships$", "delay-visibility", seconds=2.0)
    return ana, leaver_id


def test_a_group_is_handed_back_though_atlassian_shows_late_who_joined_it(sqlite_world: World) -> None:
    world = sqlite_world
    ana, leaver_id = handing_over_a_group(world)
    work(world)
    assert states(world, leaver_id, Kind.GROUP) == {"moved"}
    leaver_stops.hand_back(world.tools, ana, leaver_id)
    work(world)
    assert states(world, leaver_id, Kind.GROUP) == {"moved_back"}
    assert world.effects_by(JON) == {"join_group:contractors": 1, "leave_group:contractors": 1}


def test_a_group_is_handed_over_and_back_though_atlassian_leaves_out_the_groups_of_people(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    ana, leaver_id = handing_over_a_group(world)
    world.clear_faults()

    def without_groups(person: Row) -> Row:
        return {name: person[name] for name in person if name != "groups"}

    with retold(world, with_everybody(without_groups)) as tools:
        work(world, tools)
        assert states(world, leaver_id, Kind.GROUP) == {"moved"}
        world.settled()
        leaver_stops.hand_back(tools, ana, leaver_id)
        work(world, tools)
    assert states(world, leaver_id, Kind.GROUP) == {"moved_back"}
    assert world.effects_by(JON) == {"join_group:contractors": 1, "leave_group:contractors": 1}


def test_a_group_that_was_joined_when_somebody_stopped_it_is_moved(sqlite_world: World) -> None:
    world = sqlite_world
    ana, leaver_id = handing_over_a_group(world)
    world.fault("/memberships$", "503", after=True)
    work(world)
    assert states(world, leaver_id, Kind.GROUP) == {"moving"}
    leaver_stops.stop(world.tools, ana, leaver_id)
    work(world)
    assert states(world, leaver_id, Kind.GROUP) == {"moving"}, "Atlassian may not show it yet"
    time.sleep(2.1)
    world.settled()
    work(world)
    assert states(world, leaver_id, Kind.GROUP) == {"moved"}
    assert leaver(world, leaver_id).resume_at is None


def test_what_became_of_every_call_is_found_out_however_many_there_were(sqlite_world: World) -> None:
    """Jira was away for an hour: of none of these calls anybody knows whether it landed."""
    world = sqlite_world
    ana = ready(world)
    leaver_id = confirmed(world, ana, deed=Deed.LIST.value, revoke_tokens=False)
    with world.tools.begin() as session:
        calls = session.scalars(select(Belonging).where(Belonging.state == "chosen")).all()
        assert len(calls) > AT_A_TIME
        for each in calls:
            each.state, each.changed_at = "failed", world.clock()
        session.get_one(Leaver, (ACME, leaver_id)).resume_at = None
    world.settled()
    leaver_stops.try_again(world.tools, ana, leaver_id)
    leaver_stops.stop(world.tools, ana, leaver_id)
    work(world)
    assert "moving" not in states(world, leaver_id)


def test_whose_end_is_taken_back_before_the_worker_has_looked_waits_with_the_reason(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = confirmed(world, ana)
    work(world)
    world.act()
    world.settled()
    world.undo(ana, leaver(world, leaver_id).run_id or "")
    work(world)
    row = leaver(world, leaver_id)
    assert (row.state, row.resume_at) == ("ending", None)
    assert row.reason == "Their access had ended, and an operator took that back."
    world.settled()
    leaver_stops.try_again(world.tools, ana, leaver_id)
    work(world)
    world.act()
    world.later(seconds=10)
    work(world)
    assert leaver(world, leaver_id).state == "done"


def test_whose_run_is_stopped_while_nobody_knows_what_came_of_the_call_is_watched_on(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = confirmed(world, ana)
    work(world)
    world.fault(f"/users/{UMA}/suspend$", "reset", after=True)
    world.act()
    run_id = leaver(world, leaver_id).run_id or ""
    assert world.states(run_id) == {UMA: "acting"}
    runs.stop(world.tools, ana, run_id)
    world.later(seconds=3)
    work(world)
    row = leaver(world, leaver_id)
    assert (row.state, row.reason) == ("ending", "")
    assert row.resume_at is not None, "what came of the call is known only later"
    world.settled()
    world.act()
    work(world)
    assert leaver(world, leaver_id).state == "done"


def test_whoever_joins_those_who_wait_makes_a_new_matter(sqlite_world: World) -> None:
    world = sqlite_world
    world.synced()

    def waiting(*ids: str) -> str:
        with world.tools.begin() as session:
            session.execute(delete(Leaver))
            session.add_all(
                Leaver(
                    organization_id=ACME,
                    id=each,
                    account_id=each,
                    name=each,
                    state=LeaverState.READY.value,
                    origin=LeaverOrigin.LAST_DAY.value,
                    deed="suspend",
                    created_by="",
                    created_at=world.clock(),
                )
                for each in ids
            )
        (matter,) = (each for each in matters(world.tools, ACME) if each.topic is Topic.LEAVER_WAITS)
        return matter.key

    assert len({waiting("1", "3"), waiting("2", "3"), waiting("1", "2", "3")}) == 3
    assert waiting("2", "3") == waiting("2", "3")
