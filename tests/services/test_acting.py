"""Acting on one person: by facts read now, exactly once, and able to go on after any interruption (S48-S50)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import timedelta
from functools import partial

import pytest

from jobs import cases
from models.organization import Organization
from models.people import Person
from rules.case import CaseState
from rules.deeds import Deed
from services import orders, outcomes, previews, protecting, retrying, run_progress, runs, undoing
from services.footing import Footing
from services.syncing import request_sync
from tests.services.workers import (
    Crash,
    Killed,
    act_on,
    before_it_is_written,
    die,
    once,
    with_something_between,
)
from tests.world import ACCOUNTS, ACME, ACME_KEY, LEASE_OVER, SETTLE, World

ONCE = {"suspend": 1, "restore": 0}
NEVER = {"suspend": 0, "restore": 0}


def suspend_path(account_id: str) -> str:
    return f"/users/{account_id}/suspend$"


def due(world: World) -> list[tuple[str, str, int]]:
    return orders.lease_due_cases(world.tools)


def interrupted(world: World, account_id: str, *, landed: bool) -> str:
    """A run whose worker died around its call; the run's id."""
    run_id = world.begin_run(world.caller("ana"), [account_id])
    with pytest.raises(Killed):
        world.act(with_something_between(world.tools, die("after" if landed else "before", "suspend")))
    assert world.case(run_id, account_id).state == "acting"
    assert world.effects(account_id) == (ONCE if landed else NEVER)
    return run_id


def test_the_straight_way(world: World) -> None:
    ana = world.synced()
    people = world.changeable(3)
    run_id = world.begin_run(ana, people)
    world.act()
    assert set(world.states(run_id).values()) == {"acted"}
    for account_id in people:
        assert (world.effects(account_id), world.calls(account_id)) == (ONCE, 1)
        case = world.case(run_id, account_id)
        assert (case.changes, case.reason, case.resume_at) == ([["suspend", "", "", True]], "", None)
        assert case.earlier["membership_status"] == "active"
        assert case.finished_at is not None
        assert world.stored(Person, ACME, account_id).status == "suspended", "shown at once"
    assert run_progress.show_run(world.tools, ana, run_id).state == "finished"
    acted = world.audit("case:acted")
    assert {entry.subject for entry in acted} == set(people)
    assert {(entry.actor, entry.run_id) for entry in acted} == {("rollcall", run_id)}
    assert {entry.details["asked_by"] for entry in acted} == {ACCOUNTS["ana"]}
    assert len(world.audit("run:finished")) == 1


def test_s49_somebody_changed_a_second_before(world: World) -> None:
    """The preview chose them; what is true just before the call decides."""
    ana = world.synced()
    by_hand, admin, synced, deactivated, left, chosen = world.changeable(6)
    run_id = world.begin_run(ana, [by_hand, admin, synced, deactivated, left, chosen])
    world.change(by_hand, membership_status="suspended")
    world.change(admin, platform_roles=["atlassian/org-admin"])
    world.change(synced, management_source="synced")
    world.change(deactivated, account_status="inactive")
    world.control("DELETE", f"/people/{left}")
    world.act()
    assert world.states(run_id).pop(chosen) == "acted"
    for account_id, words in {
        by_hand: "Is suspended already",
        admin: "Administers the organization",
        synced: "identity provider",
        deactivated: "deactivated",
        left: "No longer in the organization's directory",
    }.items():
        case = world.case(run_id, account_id)
        assert case.state == "spared"
        assert words in case.reason
        assert world.calls(account_id) == 0
    assert len(world.audit("case:spared")) == 5


def test_s48_whoever_gives_a_key_meanwhile_is_spared(sqlite_world: World) -> None:
    world = sqlite_world
    world.install("acme", "confluence")
    ana = world.synced()
    priya = ACCOUNTS["priya"]
    world.change(priya, platform_roles=[])
    world.later(hours=1)
    world.sync(ana)
    run_id = world.begin_run(ana, [priya])
    world.store_key("priya", product="confluence")
    world.act()
    assert (world.case(run_id, priya).state, world.calls(priya)) == ("spared", 0)
    assert "Gave Rollcall a credential" in world.case(run_id, priya).reason


def test_s48_whoever_confirms_is_never_suspended(sqlite_world: World) -> None:
    """Ana previews a run with Uma in it; Uma, an operator by then, confirms it."""
    world = sqlite_world
    ana, uma = world.synced(), world.caller("uma")
    world.change(ACCOUNTS["uma"], management_source="invited")
    run_id = previews.preview(world.tools, ana, Deed.SUSPEND, account_ids=[ACCOUNTS["uma"]], filter=None)
    runs.confirm(world.tools, uma, run_id)
    world.act()
    case = world.case(run_id, ACCOUNTS["uma"])
    assert (case.state, world.calls(ACCOUNTS["uma"])) == ("spared", 0)
    assert "This is you" in case.reason


def test_a_429_pauses_the_whole_organization(world: World) -> None:
    ana = world.synced()
    first, second = world.changeable(2)
    run_id = world.begin_run(ana, [first, second])
    world.fault(r"/suspend$", "429", seconds=300)
    world.act()
    assert set(world.states(run_id).values()) == {"planned"}
    until = world.stored(Organization, ACME).paused_until
    assert timedelta(seconds=295) < until - world.clock() <= timedelta(seconds=300)
    assert run_progress.show_run(world.tools, ana, run_id).paused_until == until
    assert due(world) == []
    assert world.calls(first) + world.calls(second) == 1, "one asked, the other did not even try"
    # Another organization is not paused.
    gina = world.synced("globex")
    (other,) = world.changeable(1, "globex")
    elsewhere = world.begin_run(gina, [other])
    world.act()
    assert world.states(elsewhere) == {other: "acted"}
    world.later(seconds=301)
    world.act()
    assert set(world.states(run_id).values()) == {"acted"}
    assert world.effects(first) == world.effects(second) == ONCE
    assert run_progress.show_run(world.tools, ana, run_id).paused_until is None


def test_what_was_before_is_written_down_anew_as_long_as_nothing_has_landed(world: World) -> None:
    (person,) = world.people(1)
    ana = world.synced()
    world.fault(r"/suspend$", "429", seconds=300)
    run_id = world.begin_run(ana, [person])
    world.act()
    assert world.case(run_id, person).state == "planned"
    world.control("POST", f"/people/{person}/groups", {"group": "confluence-users", "member": True})
    world.later(seconds=301)
    world.act()
    case, groups = world.case(run_id, person), world.groups()
    assert (case.state, world.calls(person)) == ("acted", 2)
    assert case.earlier["groups"] == sorted(groups[each]["id"] for each in ("jira-users", "confluence-users"))


@pytest.mark.parametrize("kind", ["timeout", "reset", "503"])
def test_s50_lost_after_the_call_landed(sqlite_world: World, kind: str) -> None:
    """Atlassian did it and its answer never came: found done, called once."""
    ana = sqlite_world.synced()
    (person,) = sqlite_world.changeable(1)
    run_id = sqlite_world.begin_run(ana, [person])
    sqlite_world.fault(suspend_path(person), kind, after=True, seconds=0.05)
    sqlite_world.act()
    assert sqlite_world.case(run_id, person).state == "acting"
    assert due(sqlite_world) == []
    sqlite_world.later(seconds=SETTLE.total_seconds())
    sqlite_world.act()
    case = sqlite_world.case(run_id, person)
    assert (case.state, case.reason) == ("acted", "Found done after an interruption.")
    assert (sqlite_world.effects(person), sqlite_world.calls(person)) == (ONCE, 1)


@pytest.mark.parametrize("kind", ["timeout", "reset", "503"])
def test_s50_lost_before_anything_happened(sqlite_world: World, kind: str) -> None:
    ana = sqlite_world.synced()
    (person,) = sqlite_world.changeable(1)
    run_id = sqlite_world.begin_run(ana, [person])
    sqlite_world.fault(suspend_path(person), kind, seconds=0.05)
    sqlite_world.act()
    assert (sqlite_world.case(run_id, person).state, sqlite_world.effects(person)) == ("acting", NEVER)
    sqlite_world.later(seconds=SETTLE.total_seconds() + 1)
    sqlite_world.act()
    assert (sqlite_world.case(run_id, person).state, sqlite_world.effects(person)) == ("acted", ONCE)
    assert sqlite_world.calls(person) == 2


def test_s50_a_change_that_shows_late_is_waited_for(sqlite_world: World) -> None:
    """Landed, the answer lost, and for a while Atlassian still shows the old state."""
    world = sqlite_world
    ana = world.synced()
    (person,) = world.changeable(1)
    run_id = world.begin_run(ana, [person])
    world.fault(suspend_path(person), "delay-visibility", seconds=600)
    world.fault(suspend_path(person), "reset", after=True)
    world.act()
    for _ in range(2):
        world.later(seconds=1)
        act_on(world.tools, ACME, world.case(run_id, person).id, 9)
        case = world.case(run_id, person)
        assert (case.state, world.calls(person)) == ("acting", 1)
        assert case.resume_at == case.acting_since + SETTLE
    world.change(person, name="shows now")
    world.later(seconds=SETTLE.total_seconds())
    world.act()
    assert (world.case(run_id, person).state, world.calls(person)) == ("acted", 1)


@pytest.mark.slow
def test_s50_killed_at_every_moment_each_person_is_acted_on_once(world: World) -> None:
    ana = world.synced()
    people = world.changeable(14)
    moments = []
    for at, person in enumerate(people, start=1):
        run_id = world.begin_run(ana, [person])
        crash = Crash(at)
        try:
            ((_, case_id, attempt),) = due(world)
            act_on(with_something_between(world.tools, crash), ACME, case_id, attempt)
        except Killed:
            moments.append(crash.moment)
        # The next worker takes the same attempt up again, or finds the case when its lease is over.
        if at % 2:
            act_on(world.tools, ACME, case_id, attempt)
        world.clock.offset += LEASE_OVER
        world.act()
        assert world.states(run_id) == {person: "acted"}, crash.moment
        assert world.effects(person) == ONCE, crash.moment
        assert world.calls(person) == 1, crash.moment
        world.clock.offset += SETTLE
    assert len(moments) < len(people), "there is a person left for the undisturbed way"
    assert set(moments) >= {
        "before transaction",
        "after transaction",
        "before person",
        "after person",
        "before suspend",
        "after suspend",
    }
    assert len(world.audit("case:acted")) == len(people)


def test_an_attempt_that_was_overtaken_does_nothing(sqlite_world: World) -> None:
    ana = sqlite_world.synced()
    (person,) = sqlite_world.changeable(1)
    sqlite_world.begin_run(ana, [person])
    ((_, case_id, attempt),) = due(sqlite_world)
    act_on(sqlite_world.tools, ACME, case_id, attempt + 1)
    act_on(sqlite_world.tools, ACME, case_id, attempt)
    act_on(sqlite_world.tools, ACME, case_id, attempt + 2)
    assert sqlite_world.calls(person) == 1
    act_on(sqlite_world.tools, "another-organization", case_id, 9)
    act_on(sqlite_world.tools, ACME, "no-such-case", 1)
    assert sqlite_world.calls(person) == 1


def test_an_attempt_that_was_overtaken_after_it_has_looked_begins_nothing(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    (person,) = world.changeable(1)

    def overtaken() -> None:
        world.later(seconds=LEASE_OVER.total_seconds())
        world.fault("/users/search$", "503")
        world.act()
        protecting.protect(world.tools, ana, kind="person", value=person, reason="Ask Ana", until="")

    run_id = world.begin_run(ana, [person])
    world.act(with_something_between(world.tools, once("after", "person", overtaken)))
    assert world.calls(person) == 0
    world.settled()
    world.act()
    assert (world.states(run_id), world.calls(person)) == ({person: "spared"}, 0)


def test_a_case_that_was_handed_out_is_not_handed_out_again_before_its_lease_is_over(world: World) -> None:
    ana = world.synced()
    world.begin_run(ana, world.changeable(3))
    first = orders.lease_due_cases(world.tools, limit=2)
    rest = orders.lease_due_cases(world.tools, limit=2)
    assert (len(first), len(rest)) == (2, 1)
    assert not set(first) & set(rest)
    assert due(world) == []
    world.clock.offset += LEASE_OVER
    assert sorted(due(world)) == sorted(first + rest), (
        "the same attempts: enqueued twice they are one workflow"
    )


def test_two_who_ask_at_once_are_handed_different_cases(world: World) -> None:
    ana = world.synced()
    world.begin_run(ana, world.changeable(20))
    with ThreadPoolExecutor(4) as askers:
        handed = list(askers.map(lambda _: orders.lease_due_cases(world.tools, limit=10), range(4)))
    found = [case for cases in handed for case in cases] + due(world)
    assert len(found) == len(set(found)) == 20


def test_two_runs_with_the_same_person(world: World) -> None:
    """While one is at it the other waits; afterwards it finds nothing left to do."""
    ana = world.synced()
    (person,) = world.changeable(1)
    first, second = world.begin_run(ana, [person]), world.begin_run(ana, [person])
    world.act()
    by_state = {world.case(run_id, person).state: run_id for run_id in (first, second)}
    assert by_state.keys() == {"acted", "planned"}
    assert world.case(by_state["planned"], person).resume_at > world.clock()
    world.later(seconds=SETTLE.total_seconds() + 1)
    world.act()
    waited = world.case(by_state["planned"], person)
    assert (waited.state, waited.reason) == ("spared", "Is suspended already.")
    assert (world.effects(person), world.calls(person)) == (ONCE, 1)


def test_the_slower_of_two_workers_reads_again_whom_the_faster_one_has_changed(world: World) -> None:
    """It has read the person before the other one began, and comes to its own deed after that one's end."""
    ana = world.synced()
    (person,) = world.changeable(1)
    slower, faster = world.begin_run(ana, [person]), world.begin_run(ana, [person])
    cases = {run_id: world.case(run_id, person).id for run_id in (slower, faster)}
    slow = with_something_between(
        world.tools, once("after", "person", lambda: act_on(world.tools, ACME, cases[faster], 1))
    )
    act_on(slow, ACME, cases[slower], 1)
    assert [world.case(run_id, person).state for run_id in (slower, faster)] == ["planned", "acted"]
    assert (world.effects(person), world.calls(person)) == (ONCE, 1)
    world.clock.offset += LEASE_OVER
    world.act()
    assert world.case(slower, person).state == "spared"
    assert (world.effects(person), world.calls(person)) == (ONCE, 1)


def test_two_workers_with_the_same_person_at_the_same_moment(world: World) -> None:
    """Both have read the person; the database lets only one of them begin."""
    ana = world.synced()
    (person,) = world.changeable(1)
    first, second = world.begin_run(ana, [person]), world.begin_run(ana, [person])
    cases = {run_id: world.case(run_id, person).id for run_id in (first, second)}

    def the_other_one_begins() -> None:
        with pytest.raises(Killed):
            act_on(with_something_between(world.tools, die("before", "suspend")), ACME, cases[second], 1)

    slow = with_something_between(world.tools, once("after", "person", the_other_one_begins))
    act_on(slow, ACME, cases[first], 1)
    assert [world.case(run_id, person).state for run_id in (first, second)] == ["planned", "acting"]
    assert world.calls(person) == 0
    world.clock.offset += LEASE_OVER
    world.act()
    world.later(seconds=SETTLE.total_seconds() + 1)
    world.act()
    assert [world.case(run_id, person).state for run_id in (first, second)].count("acted") == 1
    assert (world.effects(person), world.calls(person)) == (ONCE, 1)


def test_s50_what_one_attempt_does_is_not_taken_for_somebody_elses_by_another(world: World) -> None:
    """A handful that waited long is handed out twice: both have taken the case before one of them begins."""
    ana = world.synced()
    (person,) = world.changeable(1)
    run_id = world.begin_run(ana, [person])
    case_id = world.case(run_id, person).id
    taken, landed = threading.Event(), threading.Event()

    def wait() -> None:
        taken.set()
        assert landed.wait(30)

    second = with_something_between(world.tools, once("before", "person", wait))
    other = threading.Thread(target=act_on, args=(second, ACME, case_id, 1))

    def let_the_other_one_look() -> None:
        landed.set()
        other.join()

    other.start()
    assert taken.wait(30)
    act_on(
        with_something_between(world.tools, once("after", "suspend", let_the_other_one_look)),
        ACME,
        case_id,
        1,
    )
    case = world.case(run_id, person)
    assert (case.state, case.changed, world.effects(person)) == ("acted", True, ONCE)
    assert [entry.subject for entry in world.audit("case:acted", "case:spared")] == [person]


def test_s50_of_two_who_go_on_after_a_crash_with_the_same_attempt_one_calls(world: World) -> None:
    """Both have read the person as they were, before one of them calls."""
    world.synced()
    (person,) = world.changeable(1)
    run_id = interrupted(world, person, landed=False)
    world.clock.offset += LEASE_OVER
    case_id = world.case(run_id, person).id
    read, called = threading.Event(), threading.Event()

    def wait() -> None:
        read.set()
        assert called.wait(30)

    second = with_something_between(world.tools, once("after", "person", wait))
    other = threading.Thread(target=act_on, args=(second, ACME, case_id, 2))

    def let_the_other_one_go_on() -> None:
        called.set()
        other.join()

    other.start()
    assert read.wait(30)
    first = with_something_between(world.tools, once("after", "suspend", let_the_other_one_go_on))
    act_on(first, ACME, case_id, 2)
    assert (world.case(run_id, person).state, world.effects(person), world.calls(person)) == (
        "acted",
        ONCE,
        1,
    )
    assert [entry.subject for entry in world.audit("case:acted", "case:spared")] == [person]


@pytest.mark.parametrize("landed", [True, False])
def test_stopped_while_interrupted(world: World, landed: bool) -> None:
    """What has landed gets its result; what has not is not done any more."""
    ana = world.synced()
    (person,) = world.changeable(1)
    run_id = interrupted(world, person, landed=landed)
    runs.stop(world.tools, ana, run_id)
    assert world.case(run_id, person).state == "acting", "nobody knows yet"
    world.clock.offset += LEASE_OVER
    world.act()
    assert world.case(run_id, person).state == ("acted" if landed else "cancelled")
    assert world.calls(person) == int(landed)
    assert run_progress.show_run(world.tools, ana, run_id).state == "stopped"


def test_stopped_between_reading_and_calling(sqlite_world: World) -> None:
    ana = sqlite_world.synced()
    (person,) = sqlite_world.changeable(1)
    run_id = sqlite_world.begin_run(ana, [person])
    stopping = once("after", "person", lambda: runs.stop(sqlite_world.tools, ana, run_id))
    sqlite_world.act(with_something_between(sqlite_world.tools, stopping))
    assert (sqlite_world.case(run_id, person).state, sqlite_world.calls(person)) == ("cancelled", 0)


def test_stopped_while_asked_to_slow_down(sqlite_world: World) -> None:
    ana = sqlite_world.synced()
    (person,) = sqlite_world.changeable(1)
    run_id = sqlite_world.begin_run(ana, [person])
    sqlite_world.fault(r"/suspend$", "429", seconds=300)
    stopping = once("before", "suspend", lambda: runs.stop(sqlite_world.tools, ana, run_id))
    sqlite_world.act(with_something_between(sqlite_world.tools, stopping))
    assert sqlite_world.case(run_id, person).state == "cancelled"
    sqlite_world.later(seconds=301)
    sqlite_world.act()
    assert sqlite_world.effects(person) == NEVER


@pytest.mark.parametrize("world", [pytest.param("postgres_app", marks=pytest.mark.slow)], indirect=True)
def test_stopped_at_the_moment_at_which_it_is_put_off(world: World) -> None:
    """Atlassian asks us to slow down, and before we write it down, the run is stopped. SQLite lets nobody between."""
    ana = world.synced()
    (person,) = world.changeable(1)
    run_id = world.begin_run(ana, [person])
    world.fault(r"/suspend$", "429", seconds=300)

    def stop_when_it_is_written() -> None:
        stop = partial(runs.stop, world.tools, ana, run_id)
        to_the_end.enter_context(before_it_is_written(world.tools, "UPDATE run_case SET state", stop))

    with ExitStack() as to_the_end:
        world.act(with_something_between(world.tools, once("before", "suspend", stop_when_it_is_written)))
    assert run_progress.show_run(world.tools, ana, run_id).state == "stopped"
    world.later(seconds=301)
    world.act()
    case = world.case(run_id, person)
    assert (case.state, case.reason, world.effects(person)) == ("cancelled", "The run was stopped.", NEVER)


def test_trouble_that_does_not_end(sqlite_world: World) -> None:
    ana = sqlite_world.synced()
    (person,) = sqlite_world.changeable(1)
    run_id = sqlite_world.begin_run(ana, [person])
    sqlite_world.fault(suspend_path(person), "503", times=None)
    sqlite_world.given_up()
    case = sqlite_world.case(run_id, person)
    assert case.state == "failed"
    assert "could not be reached" in case.reason
    assert sqlite_world.calls(person) == outcomes.MOST_TROUBLES
    assert run_progress.show_run(sqlite_world.tools, ana, run_id).can_retry


def test_a_refusal_ends_the_case(sqlite_world: World) -> None:
    """The key's owner: nobody told the app, Atlassian knows. And a person whose account closed meanwhile."""
    world = sqlite_world
    ana = world.synced()
    (person,) = world.changeable(1)
    run_id = world.begin_run(ana, [person])
    closing = once("before", "suspend", lambda: world.change(person, account_status="inactive"))
    world.act(with_something_between(world.tools, closing))
    case = world.case(run_id, person)
    assert (case.state, case.acting_since) == ("refused", None)
    assert case.reason
    assert len(world.audit("case:refused")) == 1


def test_a_dead_key_fails_what_can_be_retried(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    people = world.changeable(2)
    run_id = world.begin_run(ana, people)
    world.control("POST", f"/keys/{ACME_KEY}/expire")
    world.act()
    assert set(world.states(run_id).values()) == {"failed"}
    world.control("POST", f"/keys/{ACME_KEY}/expire?expired=false")
    world.store_key()
    retrying.retry_failed(world.tools, ana, run_id)
    world.act()
    assert set(world.states(run_id).values()) == {"acted"}


def test_a_key_that_may_not_do_it_fails_what_can_be_retried(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    people = world.changeable(2)
    run_id = world.begin_run(ana, people)
    for person in people:
        world.fault(suspend_path(person), "403-scopes")
    world.act()
    cases = [world.case(run_id, person) for person in people]
    assert {(case.state, case.acting_since) for case in cases} == {("failed", None)}
    assert all("scopes are too small" in case.reason for case in cases)
    retrying.retry_failed(world.tools, ana, run_id)
    world.act()
    assert set(world.states(run_id).values()) == {"acted"}


def test_a_fault_of_our_own(sqlite_world: World) -> None:
    """jobs/cases.py calls it when a deed raised what nobody foresaw."""
    world = sqlite_world
    ana = world.synced()
    planned, acting_one = world.changeable(2)
    run_id = world.begin_run(ana, [planned])
    outcomes.fail_case(world.tools, ACME, world.case(run_id, planned).id, 1)
    assert world.case(run_id, planned).state == "failed"
    interrupted_run = interrupted(world, acting_one, landed=True)
    outcomes.fail_case(world.tools, ACME, world.case(interrupted_run, acting_one).id, 1)
    assert world.case(interrupted_run, acting_one).state == "acting", "the facts are asked first"
    world.later(seconds=SETTLE.total_seconds() + 1)
    world.act()
    assert world.case(interrupted_run, acting_one).state == "acted"
    outcomes.fail_case(world.tools, ACME, world.case(interrupted_run, acting_one).id, 1)
    assert world.case(interrupted_run, acting_one).state == "acted"
    outcomes.fail_case(world.tools, ACME, "no-such-case", 1)


def test_a_fault_of_our_own_ends_one_case_of_a_handful(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    first, second = world.changeable(2)
    run_id = world.begin_run(ana, [first, second])

    def fault() -> None:
        raise ZeroDivisionError

    faulty = with_something_between(world.tools, once("before", "person", fault))
    with closing(Footing(faulty, ACME)) as footing:
        for person in (first, second):
            cases.act(footing, world.case(run_id, person).id, 1)
    assert world.states(run_id) == {first: "failed", second: "acted"}


def test_a_sync_beside_a_run_takes_nothing_back(sqlite_world: World) -> None:
    """A directory read while a change does not show yet: the case's result stays, the list follows later."""
    world = sqlite_world
    ana = world.synced()
    (person,) = world.changeable(1)
    world.fault(suspend_path(person), "delay-visibility", seconds=600)
    run_id = world.begin_run(ana, [person])
    world.act()
    request_sync(world.tools, ana)
    world.read_on()
    assert world.case(run_id, person).state == "acted"
    world.change(person, name="shows now")
    world.later(hours=1)
    world.sync(ana)
    assert world.stored(Person, ACME, person).status == "suspended"
    undo = undoing.preview_undo(world.tools, ana, run_id)
    assert world.states(undo) == {person: CaseState.PLANNED}
