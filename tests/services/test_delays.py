"""Whoever waits though it is their turn is told why, on the page of the run, and until when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rules.deeds import Deed
from rules.roster import Access, Entry, Origin
from services import roster, rule_runs, runs, undoing
from services.delays import LONGEST_PAUSE, Delay, DelayedBy, pause_after
from services.orders import AT_WORK
from services.outcomes import MOST_TROUBLES
from services.run_people import Wanted, people_of_run
from tests.services.workers import Killed, act_on, die, with_something_between
from tests.world import ACME, LEASE_OVER, SETTLE, World


def delay(world: World, run_id: str, person: str) -> Delay | None:
    """What the page says about this person."""
    found = people_of_run(world.tools, world.caller("ana"), run_id, Wanted(), page=1, per_page=50)
    delays = dict(found.delays)
    ours = delays.pop(world.case(run_id, person).id, None)
    assert not delays, "somebody else waits for no reason"
    return ours


def test_a_change_of_a_moment_ago_may_not_show_yet(world: World) -> None:
    ana = world.synced()
    twice, other, once = world.changeable(3)
    suspended = world.begin_run(ana, [twice, other])
    world.act()
    restored = world.begin_run(ana, [twice, other], Deed.RESTORE)
    world.later(seconds=1)
    again = world.begin_run(ana, [once])
    assert delay(world, restored, twice) is None, "nobody looked yet: they are in the queue"
    act_on(world.tools, ACME, world.case(restored, twice).id, 1)
    shown_at = world.case(suspended, twice).finished_at + SETTLE
    assert delay(world, restored, twice) == Delay(DelayedBy.LATE_SHOWING, shown_at)
    world.act()
    assert delay(world, again, once) is None
    world.settled()
    world.act()
    assert world.case(restored, twice).state == "acted"
    assert delay(world, restored, twice) is None


def test_a_part_of_a_deed_that_was_refused_may_not_show_yet_either(sqlite_world: World) -> None:
    """Tried again at once, in another run: what they were given already is not given twice."""
    world = sqlite_world
    ana = world.synced()
    (person,) = world.people(1)
    world.sync(ana)
    groups = tuple(world.groups()[name]["id"] for name in ("contractors", "service-desk-agents"))
    entry = Entry(Deed.GIVE_ACCESS, account_id=person, access=Access(groups=groups))

    def give() -> str:
        run_id = roster.preview_roster(world.tools, ana, [entry], Origin.INVITE)
        runs.confirm(world.tools, ana, run_id)
        world.act()
        return run_id

    world.fault("/memberships$", "delay-visibility", seconds=600)
    world.fault("/memberships$", "403-scopes", skip=1)
    first = world.case(give(), person)
    assert (first.state, first.changed) == ("failed", True)
    again = give()
    assert world.states(again) == {person: "planned"}
    world.settled()
    with world.sandbox.cloud.store.write() as connection:
        connection.execute("UPDATE late SET until = 0")
    world.act()
    assert world.states(again) == {person: "acted"}
    assert world.effects_by(person) == {"join_group:contractors": 1, "join_group:service-desk-agents": 1}
    assert len(world.requests(f"/{groups[0]}/memberships$")) == 1


def test_an_undo_waits_until_the_change_shows(world: World) -> None:
    ana = world.synced()
    (person,) = world.changeable(1)
    world.fault(f"/users/{person}/suspend$", "delay-visibility", seconds=600)
    run_id = world.begin_run(ana, [person])
    world.act()
    undo = undoing.preview_undo(world.tools, ana, run_id)
    runs.confirm(world.tools, ana, undo)
    world.act()
    shown_at = world.case(run_id, person).finished_at + SETTLE
    assert delay(world, undo, person) == Delay(DelayedBy.LATE_SHOWING, shown_at)


def test_another_run_is_at_it_and_was_interrupted(world: World) -> None:
    ana = world.synced()
    (person,) = world.changeable(1)
    world.fault(f"/users/{person}/suspend$", "delay-visibility", seconds=600)
    first = world.begin_run(ana, [person])
    with pytest.raises(Killed):
        world.act(with_something_between(world.tools, die("after", "suspend")))
    assert delay(world, first, person) is None, "for all we know somebody is at it"
    second = world.begin_run(ana, [person])
    world.act()
    assert delay(world, second, person) == Delay(DelayedBy.ANOTHER_RUN, world.case(second, person).resume_at)

    begun = world.case(first, person).acting_since
    act_on(world.tools, ACME, world.case(first, person).id, 1)
    assert delay(world, first, person) == Delay(DelayedBy.INTERRUPTION, begun + SETTLE)


def test_an_attempt_without_an_answer_is_repeated(world: World) -> None:
    ana = world.synced()
    (person,) = world.changeable(1)
    world.fault(f"/users/{person}/suspend$", "503", times=1)
    run_id = world.begin_run(ana, [person])
    world.act()
    assert delay(world, run_id, person) == Delay(
        DelayedBy.FAILED_ATTEMPT, world.case(run_id, person).resume_at
    )
    world.later(seconds=LEASE_OVER.total_seconds())
    world.act()
    assert (world.case(run_id, person).state, delay(world, run_id, person)) == ("acted", None)


def test_half_an_hour_without_an_answer_fails_nobody() -> None:
    pauses = [pause_after(troubles, timedelta(seconds=40)) for troubles in range(1, MOST_TROUBLES)]
    assert [pause.total_seconds() for pause in pauses[:5]] == [40, 80, 160, 300, 300]
    assert sum(pauses, timedelta()) > timedelta(minutes=30)
    assert max(pauses) < AT_WORK, "else the page could not tell whoever waits from whoever is being acted on"
    patient = timedelta(minutes=8)
    assert pause_after(3, patient) == patient, "never before Atlassian shows what it did"


def test_each_attempt_without_an_answer_waits_twice_as_long(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    (person,) = world.changeable(1)
    world.fault(f"/users/{person}/suspend$", "503", times=None)
    run_id = world.begin_run(ana, [person])
    pauses = []
    for _ in range(5):
        world.act()
        until = world.case(run_id, person).resume_at
        assert delay(world, run_id, person) == Delay(DelayedBy.FAILED_ATTEMPT, until)
        pauses.append((until - world.clock()).total_seconds())
        world.later(seconds=pauses[-1])
    assert pauses == pytest.approx([SETTLE.total_seconds() * times for times in (1, 2, 4, 8, 16)], abs=1)
    world.clear_faults()
    world.act()
    assert world.case(run_id, person).state == "acted"
    assert world.effects(person)["suspend"] == 1


def test_who_was_warned_after_many_attempts_is_acted_on_after_as_many(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    step = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 7, "warn": [7, 3]}
    rule_id = world.rule(ana, step, who={"people": [person]})
    run_id = rule_runs.run_now(world.tools, ana, rule_id)

    def almost_in_vain() -> None:
        world.fault("/users/search$", "503", times=None)
        for _ in range(MOST_TROUBLES - 1):
            world.act()
            world.later(seconds=LONGEST_PAUSE.total_seconds() + 1)
        world.clear_faults()
        world.act()

    for days in (4, 3):
        almost_in_vain()
        assert world.states(run_id) == {person: "warned"}
        world.later(days=days)
    almost_in_vain()
    assert world.states(run_id) == {person: "acted"}


def test_a_grace_is_no_delay(world: World) -> None:
    ana = world.synced()
    step = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 7, "warn": [7]}
    run_id = world.run_rule(ana, world.rule(ana, step))
    warned = next(account_id for account_id, state in world.states(run_id).items() if state == "warned")
    act_on(world.tools, ACME, world.case(world.begin_run(ana, [warned]), warned).id, 1)
    assert world.case(run_id, warned).state == "warned"
    assert delay(world, run_id, warned) is None, "they wait for the end of their grace"
