"""Nobody knows what came of a call, and something comes between before the facts are asked (S50, S51)."""

from __future__ import annotations

import inspect
from contextlib import closing
from datetime import timedelta

import pytest

from connect.caller import Caller
from connect.errors import Conflict
from jobs import cases
from jobs.workbench import lay_out
from models.run import Run
from models.timed_access import TimedAccess
from rules.deeds import Deed
from rules.roster import Access, Entry, Origin
from services import orders, retrying, roster, rule_runs, runs, undoing
from services.acting import UNANSWERED
from services.footing import Footing
from services.leasing import LEASE
from tests.services.workers import fault, once, with_something_between
from tests.world import ACME, ACME_KEY, World

ONCE = {"suspend": 1, "restore": 0}


def suspend_path(account_id: str) -> str:
    return f"/users/{account_id}/suspend$"


def unanswered(world: World, kind: str = "reset") -> tuple[str, str]:
    """(run, person): they were suspended, and the answer was lost on its way."""
    ana = world.synced()
    (person,) = world.changeable(1)
    run_id = world.begin_run(ana, [person])
    world.fault(suspend_path(person), kind, after=True)
    world.act()
    assert world.effects(person) == ONCE
    return run_id, person


def test_s50_a_key_that_expires_before_the_facts_are_asked(world: World) -> None:
    run_id, person = unanswered(world)
    world.control("POST", f"/keys/{ACME_KEY}/expire")
    world.settled()
    world.act()
    assert (world.case(run_id, person).state, world.audit("case:acted")) == ("failed", [])
    world.control("POST", f"/keys/{ACME_KEY}/expire?expired=false")
    ana = world.store_key()
    retrying.retry_failed(world.tools, ana, run_id)
    world.act()
    case = world.case(run_id, person)
    assert (case.state, case.changed, world.effects(person)) == ("acted", True, ONCE)
    assert [entry.subject for entry in world.audit("case:acted")] == [person]


@pytest.mark.parametrize("garbled", ["the answer", "what is there afterwards"])
def test_s50_whoever_gets_half_an_answer_waits_for_a_whole_one_and_the_facts_decide(
    world: World, garbled: str
) -> None:
    run_id, person = unanswered(world, "garbled" if garbled == "the answer" else "reset")
    if garbled != "the answer":
        world.fault("/users/search$", "garbled")
        world.settled()
        world.act()
        assert world.case(run_id, person).state == "acting"
        world.later(minutes=5)
    world.settled()
    world.act()
    case = world.case(run_id, person)
    assert (case.state, case.changed, world.effects(person)) == ("acted", True, ONCE)


def test_s50_an_answer_that_nobody_can_read_is_no_refusal(world: World) -> None:
    run_id, person = unanswered(world)
    world.fault("/users/search$", "odd")
    world.settled()
    world.act()
    assert world.case(run_id, person).state == "failed", "it may be tried again"
    retrying.retry_failed(world.tools, world.caller("ana"), run_id)
    world.act()
    case = world.case(run_id, person)
    assert (case.state, case.changed, world.effects(person)) == ("acted", True, ONCE)


def test_what_was_changed_back_before_the_facts_were_asked_leaves_a_trace(world: World) -> None:
    """They were suspended for an hour, and the audit said that they had been left alone."""
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    step = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 0}
    world.fault(suspend_path(person), "reset", after=True)
    run_id = world.run_rule(ana, world.rule(ana, step, who={"people": [person]}))
    assert world.effects(person) == ONCE
    world.change(person, membership_status="active", last_active=world.days_ago(0))
    world.later(hours=1)
    world.act()
    case = world.case(run_id, person)
    assert (case.state, world.effects(person)) == ("spared", ONCE)
    assert case.reason.startswith(UNANSWERED)
    assert case.reason.removeprefix(UNANSWERED).startswith("Was here ")
    assert [entry.result for entry in world.audit("case:spared")] == [case.reason]


def test_s50_stopped_after_a_retry_the_facts_are_asked_all_the_same(world: World) -> None:
    run_id, person = unanswered(world)
    world.fault("/users/search$", "503", times=None)
    world.given_up()
    assert world.case(run_id, person).state == "failed"
    world.clear_faults()
    retrying.retry_failed(world.tools, world.caller("ana"), run_id)
    runs.stop(world.tools, world.caller("ana"), run_id)
    world.settled()
    world.act()
    assert (world.case(run_id, person).state, world.effects(person)) == ("acted", ONCE)


def test_s51_what_is_seen_to_have_landed_in_a_stopped_run_can_be_taken_back(world: World) -> None:
    """The first of several calls lost its answer, and the run was stopped."""
    ana = world.store_key()
    (person,) = world.people(1, groups=["jira-users", "jira-admins"], direct=["jira-software"])
    world.sync(ana)
    step = {
        "when": {"not_seen": 90},
        "then": {"deed": "remove_access", "products": ["jira-software"]},
        "grace": 0,
    }
    run_id = rule_runs.run_now(world.tools, ana, world.rule(ana, step, who={"people": [person]}))
    world.fault("roles/revoke$", "reset", after=True)
    world.act()
    runs.stop(world.tools, ana, run_id)
    world.settled()
    world.act()
    case = world.case(run_id, person)
    done = world.effects_by(person)
    assert (case.state, case.changed, sum(done.values())) == ("cancelled", True, 1)
    world.undo(ana, run_id)
    assert world.case(run_id, person).state == "undone"


def test_an_attempt_that_was_overtaken_between_two_calls_leaves_the_second_one_to_the_other(
    world: World,
) -> None:
    """A machine that slept for longer than its lease: the other attempt's deed was done, and taken back, meanwhile."""
    ana = world.store_key()
    (person,) = world.people(1, groups=["jira-users"], direct=["jira-software"])
    world.sync(ana)
    then = {"deed": "remove_access", "products": ["jira-software"]}
    step = {"when": {"not_seen": 90}, "then": then, "grace": 0}
    run_id = rule_runs.run_now(world.tools, ana, world.rule(ana, step, who={"people": [person]}))

    def overtaken() -> None:
        world.later(minutes=11)
        world.act()
        world.undo(ana, run_id)

    world.act(with_something_between(world.tools, once("after", "revoke_role", overtaken)))
    assert world.case(run_id, person).state == "undone"
    assert set(world.effects_by(person).values()) == {1}


@pytest.mark.parametrize("second", ["was refused for now", "lost its answer"])
def test_whoever_was_changed_in_part_before_a_stop_is_in_the_audit(world: World, second: str) -> None:
    ana = world.store_key()
    (person,) = world.people(1, groups=["jira-users"], direct=["jira-software"])
    world.sync(ana)
    then = {"deed": "remove_access", "products": ["jira-software"]}
    step = {"when": {"not_seen": 90}, "then": then, "grace": 0}
    run_id = rule_runs.run_now(world.tools, ana, world.rule(ana, step, who={"people": [person]}))
    world.fault("/memberships", "429" if second == "was refused for now" else "503")
    world.act()
    runs.stop(world.tools, ana, run_id)
    world.settled()
    world.act()
    case = world.case(run_id, person)
    assert (case.state, case.changed, sum(world.effects_by(person).values())) == ("cancelled", True, 1)
    [entry] = world.audit("case:stopped")
    assert (entry.subject, entry.run_id, entry.result) == (person, run_id, case.reason)


@pytest.mark.parametrize("stopped", ["while it waits", "while a call is out"])
def test_s51_what_was_given_half_way_ends_on_its_day(world: World, stopped: str) -> None:
    ana = world.synced()
    (person,) = world.people(1)
    world.sync(ana)
    groups = tuple(world.groups()[name]["id"] for name in ("contractors", "service-desk-agents"))
    last_day = world.clock().date() + timedelta(days=3)
    entry = Entry(Deed.GIVE_ACCESS, account_id=person, access=Access(groups=groups), ends_on=last_day)
    run_id = roster.preview_roster(world.tools, ana, [entry], Origin.INVITE)
    runs.confirm(world.tools, ana, run_id)
    world.fault("/memberships$", "429", skip=1, seconds=300)
    joined: list[str] = []

    def stop_at_the_second(*moment: str) -> None:
        joined.extend(what for when, what in [moment] if (when, what) == ("before", "join_group"))
        if len(joined) == 2:
            runs.stop(world.tools, ana, run_id)
            joined.clear()

    if stopped == "while it waits":
        world.act()
        runs.stop(world.tools, ana, run_id)
    else:
        world.act(with_something_between(world.tools, stop_at_the_second))
    case = world.case(run_id, person)
    assert (case.state, case.changed) == ("cancelled", True)
    assert [row.ends_on for row in world.rows(TimedAccess)] == [last_day]


def test_a_case_that_met_a_fault_of_our_own_is_tried_again_as_another_attempt(world: World) -> None:
    """DBOS does a workflow of the same name once, however often it is asked."""
    ana = world.synced()
    (person,) = world.changeable(1)
    run_id = world.begin_run(ana, [person])

    [(_organization, case_id, attempt)] = orders.lease_due_cases(world.tools)
    faulty = with_something_between(world.tools, once("before", "transaction", fault))
    with closing(Footing(faulty, ACME)) as footing:
        cases.act(footing, case_id, attempt)
    runs.finish_runs(world.tools)
    assert world.case(run_id, person).state == "failed"
    assert [entry.subject for entry in world.audit("case:failed")] == [person]
    retrying.retry_failed(world.tools, ana, run_id)
    [(_organization, _case_id, next_attempt)] = orders.lease_due_cases(world.tools)
    assert cases.workflow_id([(case_id, attempt)]) != cases.workflow_id([(case_id, next_attempt)])


def test_whose_fault_cannot_be_written_down_keeps_nobody_else_waiting(world: World) -> None:
    """The database is away for a moment: the others of the handful have their turn."""
    ana = world.synced()
    people = world.changeable(2)
    run_id = world.begin_run(ana, people)
    [(_organization, first, attempt), (_, second, _)] = orders.lease_due_cases(world.tools)
    attempts = [fault, fault]

    def be_away(when: str, _what: str) -> None:
        if when == "before" and attempts:
            attempts.pop()()

    lay_out(with_something_between(world.tools, be_away))
    inspect.unwrap(cases.act_on_cases)(ACME, [(first, attempt), (second, attempt)])
    assert sorted(world.states(run_id).values()) == ["acted", "planned"]
    world.later(seconds=LEASE.total_seconds() + 1)
    world.act()
    assert set(world.states(run_id).values()) == {"acted"}
    assert [world.effects(person) for person in people] == [ONCE, ONCE]


def test_a_run_is_not_tried_again_while_it_is_taken_back_nor_the_other_way_round(world: World) -> None:
    ana = world.synced()
    first, second = world.changeable(2)
    run_id = world.begin_run(ana, [first, second])
    world.fault(suspend_path(second), "503", times=None)
    world.act()
    world.given_up()
    assert world.states(run_id) == {first: "acted", second: "failed"}
    undo, late = (undoing.preview_undo(world.tools, ana, run_id) for _ in range(2))
    runs.confirm(world.tools, ana, undo)
    with pytest.raises(Conflict) as refused:
        retrying.retry_failed(world.tools, ana, run_id)
    assert refused.value.sentence == "This run is being taken back."
    runs.stop(world.tools, ana, undo)
    retrying.retry_failed(world.tools, ana, run_id)
    with pytest.raises(Conflict) as refused:
        runs.confirm(world.tools, ana, late)
    assert refused.value.sentence == "The run that this would take back goes on again."


def test_an_undo_that_failed_waits_for_the_run_that_it_takes_back(world: World) -> None:
    """That one was cut off half-way, like its undo, and was tried again before."""
    ana = world.synced()
    (person,) = world.people(1, groups=["jira-users", "jira-admins"])
    world.sync(ana)
    step = {
        "when": {"not_seen": 90},
        "then": {"deed": "remove_access", "products": ["jira-software"]},
        "grace": 0,
    }
    rule_id = world.rule(ana, step, who={"people": [person]})

    def expire() -> None:
        world.control("POST", f"/keys/{ACME_KEY}/expire")

    def act_without_a_key(when: str, what: str) -> Caller:
        world.act(with_something_between(world.tools, once(when, what, expire)))
        world.control("POST", f"/keys/{ACME_KEY}/expire?expired=false")
        return world.store_key()

    rule_runs.run_now(world.tools, ana, rule_id)
    ana = act_without_a_key("after", "leave_group")
    [run] = [run for run in world.rows(Run) if run.state != "preview"]
    case = world.case(run.id, person)
    assert (case.state, case.changed, case.acting_since) == ("failed", True, None)
    world.settled()
    undo = undoing.preview_undo(world.tools, ana, run.id)
    runs.confirm(world.tools, ana, undo)
    ana = act_without_a_key("before", "person")
    assert world.states(undo) == {person: "failed"}
    retrying.retry_failed(world.tools, ana, run.id)
    with pytest.raises(Conflict) as refused:
        retrying.retry_failed(world.tools, ana, undo)
    assert refused.value.sentence == "The run that this would take back goes on again."
    world.act()
    assert world.states(run.id) == {person: "acted"}
    world.settled()
    retrying.retry_failed(world.tools, ana, undo)
    world.act()
    assert world.states(undo) == {person: "acted"}
    held = world.holding(person)
    assert held is not None
    assert held["groups"] == ["jira-admins", "jira-users"]
