"""Runs of rules: the preview is what the live run chooses, nobody is lost, nothing begins that may not (S46, S47)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from connect.caller import Caller
from connect.errors import Conflict, NotReady
from models.people import Person
from models.rule import StoredRule
from models.run import Run
from rules.case import CaseState
from rules.deeds import Action, Deed
from rules.plan import out_of_scope, plan
from rules.rule import How, Rule, Step, When, Who
from rules.rule_file import BadRule, parse_rule
from rules.topics import Topic
from services import (
    absences,
    matters,
    previews,
    protecting,
    reviews,
    rule_runs,
    rule_views,
    rules,
    run_progress,
    runs,
)
from services.candidates import candidates, people_as_candidates
from services.ground import ground_of
from services.rule_matters import about_rules
from services.scope import count_scope
from services.syncing import request_sync
from services.toolbox import Toolbox
from tests.world import ACCOUNTS, ACME, World

pytestmark = pytest.mark.slow

DAILY = {"every": "day", "at": "06:00"}
DEEDS: list[dict[str, Any]] = [
    {"deed": "suspend"},
    {"deed": "remove_access", "products": ["jira-software"]},
    {"deed": "deactivate"},
    {"deed": "remove"},
    {"deed": "list"},
]
CONDITIONS: list[dict[str, Any]] = [
    {"not_seen": 30},
    {"not_seen": 30, "never": 10, "how": "any"},
    {"not_seen": 20, "products": ["confluence"]},
    {"never": 5},
    {"invited": 3},
    {"suspended": 30},
    {"deactivated": 30, "past_end": 0},
]
PEOPLE: list[dict[str, Any]] = [
    {},
    {"account": "external"},
    {"account": "managed", "source": "invited"},
    {"domains": ["acme-labs.example"]},
    {"products": ["jira-servicedesk", "confluence"]},
]


def an_organization_of_all_kinds(world: World) -> Caller:
    """Everything a rule can look at: dates, states that last, last days, protections, signs of life, people away."""
    ana = world.synced()
    world.later(days=40)
    ids = sorted(one["account_id"] for one in world.directory())
    five_days_ago = (world.clock() - timedelta(days=5)).date().isoformat()
    for account_id in ids[:9]:
        absences.set_last_day(world.tools, ana, account_id, ends_on=five_days_ago, note="")
    for account_id in ids[9:14]:
        protecting.protect(world.tools, ana, kind="person", value=account_id, reason="Ask Ana", until="")
    for account_id in ids[14:24]:
        world.signal(account_id)
    world.sync(ana)
    return ana


def planned(world: World, run_id: str) -> dict[str, tuple[Any, ...]]:
    """What a plan says of everybody in it. A person who is only listed is as chosen as one who is planned."""
    return {
        account_id: (
            "planned" if case.state == "listed" else case.state,
            case.deed, case.step, case.why, case.because, case.reason, case.groups,
        )
        for account_id, case in world.cases(run_id).items()
    }  # fmt: skip


def all_rules(world: World) -> Iterator[dict[str, Any]]:
    """Each deed with each condition, people by turns; and ladders."""
    number = 0
    for when in CONDITIONS:
        for then in DEEDS:
            step = {"when": when, "then": then, "grace": 0}
            data = world.rule_data(step, name=f"Rule {number}", who=PEOPLE[number % len(PEOPLE)])
            number += 1
            # Some of them can never happen, and are refused.
            with suppress(BadRule):
                parse_rule(data)
                yield data
    groups = world.groups()
    yield world.rule_data(
        {"when": {"not_seen": 10}, "then": {"deed": "tell"}},
        {"when": {"not_seen": 60}, "then": {"deed": "suspend"}, "grace": 0},
        {"when": {"suspended": 30}, "then": {"deed": "deactivate"}, "grace": 0},
        name="Ladder",
    )  # fmt: skip
    yield world.rule_data(
        {
            "when": {"not_seen": 10},
            "then": {"deed": "change_groups", "leave": [groups["jira-users"]["id"]]},
            "grace": 0,
        },
        name="Groups",
        who={"not_groups": [groups["contractors"]["id"]]},
    )


def at_the_moment_of(world: World, run_id: str) -> Toolbox:
    """A minute later, somebody may have been idle for one day more."""
    moment = world.stored(Run, ACME, run_id).created_at
    return replace(world.tools, clock=lambda: moment)


def test_the_preview_is_what_the_live_run_chooses_always(world: World) -> None:
    """State, deed, step and every reason of everybody; and nobody was touched by a preview."""
    ana = an_organization_of_all_kinds(world)
    chosen, reasons = set(), set()
    for data in all_rules(world):
        rule_id = rules.save_rule(world.tools, ana, data)
        preview = world.approve_rule(ana, rule_id)
        world.act()
        before = planned(world, preview)
        run_id = rule_runs.run_now(at_the_moment_of(world, preview), ana, rule_id)
        assert planned(world, run_id) == before, data
        run, shown = (run_progress.show_run(world.tools, ana, one) for one in (run_id, preview))
        assert (run.scope, run.chosen, run.seats, run.new, run.gone) == (
            shown.scope,
            shown.chosen,
            shown.seats,
            0,
            0,
        )
        chosen |= {(data["name"], one[1]) for one in before.values() if one[0] == "planned"}
        reasons |= {one[3] for one in before.values()}
        rules.switch_off(world.tools, ana, rule_id)
    assert len(chosen) > 20, "the rules do choose people"
    assert reasons >= {"", "guard", "protected", "provider", "status"}
    assert world.control("GET", "/effects") == {}


thresholds = st.sampled_from([None, None, 1, 10, 30, 90])
products = st.lists(
    st.sampled_from(["jira-software", "confluence", "jira-servicedesk"]), max_size=2, unique=True
).map(tuple)
whens = st.builds(
    When,
    not_seen=thresholds, never=thresholds, invited=thresholds, suspended=thresholds, deactivated=thresholds,
    past_end=st.sampled_from([None, 0, 4, 5]), how=st.sampled_from(How), products=products,
).filter(lambda when: not when.is_empty)  # fmt: skip
actions = st.sampled_from(
    [Action(Deed.LIST), Action(Deed.TELL), Action(Deed.SUSPEND), Action(Deed.REMOVE), Action(Deed.DEACTIVATE)]
) | st.sampled_from(["jira-software", "confluence"]).map(
    lambda key: Action(Deed.REMOVE_ACCESS, products=(key,))
)


def test_nobody_is_lost_by_what_the_database_leaves_out(world: World) -> None:
    """The plan over everybody in memory is the plan over those whom the database brings."""
    an_organization_of_all_kinds(world)
    group_ids = [group["id"] for group in world.groups().values()]
    everybody = [one["account_id"] for one in world.directory()]
    some_groups = st.lists(st.sampled_from(group_ids), max_size=2, unique=True).map(tuple)
    whos = st.builds(
        Who,
        products=products, groups=some_groups, not_groups=some_groups,
        domains=st.sampled_from([(), (), ("acme.example",), ("acme-labs.example", "globex.example")]),
        account=st.sampled_from(["", "", "managed", "external"]),
        source=st.sampled_from(["", "", "invited", "synced"]),
        people=st.just(()) | st.lists(st.sampled_from(everybody), min_size=1, max_size=40).map(tuple),
    )  # fmt: skip
    any_rule = st.builds(
        Rule,
        name=st.just("A rule"),
        who=st.just(Who()) | whos,
        steps=st.lists(st.builds(Step, when=whens, action=actions), min_size=1, max_size=3).map(tuple),
    )
    now = world.clock()
    found = []

    @settings(max_examples=2 * settings.default.max_examples)
    @given(any_rule)
    def check(rule: Rule) -> None:
        with world.tools.begin() as session:
            ground = ground_of(world.tools, session, ACME, ACCOUNTS["ana"], now)
            organization = ground.organization
            query = select(Person.account_id).where(Person.organization_id == ACME, Person.left_at.is_(None))
            ids = session.scalars(query.order_by(Person.account_id)).all()
            people = people_as_candidates(session, ACME, ids, organization)
            brought = candidates(session, ACME, rule, None, organization, now, ground.today)
            by_database = {
                one.seen.facts.account_id: verdict for one, verdict in plan(rule, brought, ground, now)
            }
            in_memory = {
                one.seen.facts.account_id: verdict
                for one, verdict in plan(rule, (people[account_id] for account_id in ids), ground, now)
            }
            in_scope = [one for one in people.values() if out_of_scope(rule.who, one, organization) is None]
            assert count_scope(session, ACME, rule.who, organization) == len(in_scope)
        assert len(in_memory) == len(world.directory())
        touched = {account_id: one for account_id, one in in_memory.items() if one.state != CaseState.SPARED}
        assert touched == {
            account_id: one for account_id, one in by_database.items() if one.state != "spared"
        }
        found.append(len(touched))

    check()
    assert sum(1 for count in found if count) > len(found) // 2, "most of these rules are about somebody"


def test_whoever_is_seen_where_they_hold_no_seat_is_as_idle_as_before(sqlite_world: World) -> None:
    """A sync would not count it either: the list, the database and the rule say the same."""
    world = sqlite_world
    world.install("acme", "confluence")
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    world.signal(person, product="confluence")
    run_id = world.run_rule(ana, world.rule(ana, who={"people": [person]}))
    assert world.states(run_id) == {person: "acted"}


def test_whoever_was_warned_already_is_not_counted_as_chosen_again(world: World) -> None:
    """A rule that runs every day writes down why it leaves them alone: none of them was chosen, or done."""
    ana = world.store_key()
    first, second = world.people(2)
    world.change(second, last_active=world.days_ago(59))
    world.sync(ana)
    step = {"when": {"not_seen": 60}, "then": {"deed": "tell"}}
    rule_id = world.rule(ana, step, who={"people": [first, second]})
    assert world.states(world.run_rule(ana, rule_id)) == {first: "acted"}
    world.later(days=2)
    run_id = world.run_rule(ana, rule_id)
    assert world.states(run_id) == {first: "spared", second: "acted"}
    run = run_progress.show_run(world.tools, ana, run_id)
    assert (run.total, run.chosen, run.done, run.to_do, run.spared) == (2, 1, 1, 0, 0)
    (line,) = rule_views.list_rules(world.tools, ana)
    assert line.last_run is not None
    assert line.last_run.chosen == 1


def test_s46_no_complete_fresh_sync_no_run(world: World) -> None:
    ana = world.store_key()
    rule_id = rules.save_rule(world.tools, ana, world.rule_data(mode="review", fresh_hours=48))
    rules.switch_on(world.tools, ana, rule_id)

    def refusal(reason: str) -> str:
        with pytest.raises(NotReady, match=reason):
            rule_runs.preview_rule(world.tools, ana, rule_id)
        run_id = world.run_rule(ana, rule_id)
        assert (world.states(run_id), world.runs_of(rule_id)[-1].state) == ({}, "refused")
        return run_progress.show_run(world.tools, ana, run_id).reason

    assert "has not read your directory completely" in refusal("no_complete_sync")
    # It stops half-way: what was read is no ground either.
    world.control("POST", "/settings", {"max_page": 20})
    world.fault("/users/search$", "503", skip=5, times=None)
    assert world.sync(ana).state == "running"
    assert "has not read your directory completely" in refusal("no_complete_sync")
    world.clear_faults()
    world.later(hours=1)
    world.read_on()
    rule_runs.preview_rule(world.tools, ana, rule_id)
    world.later(hours=72)
    assert "too old to decide about people" in refusal("stale_sync")
    assert [entry.result for entry in world.audit("run:refused")][-1].startswith("The last complete sync")
    world.sync(ana)
    assert run_progress.show_run(world.tools, ana, world.run_rule(ana, rule_id)).state != "refused"


@pytest.mark.parametrize(
    ("is_protected", "reason"),
    [
        (
            False,
            (
                "The rule leaves out the group “contractors”, which is gone: it would choose whoever was in it."
                " Change the rule."
            ),
        ),
        (
            True,
            (
                "The protected group “contractors” is gone: whoever was in it would not be protected."
                " Take it from the list under Protected, and protect another one instead."
            ),
        ),
    ],
)
def test_whom_a_group_kept_from_a_rule_is_not_chosen_when_it_is_made_anew(
    sqlite_world: World, is_protected: bool, reason: str
) -> None:
    """It has another id by then, and would keep nobody."""
    world = sqlite_world
    ana = world.store_key()
    (person,) = world.people(1, groups=["jira-users", "contractors"])
    world.sync(ana)
    group = world.groups()["contractors"]["id"]
    left_out = {} if is_protected else {"not_groups": [group]}
    if is_protected:
        protecting.protect(world.tools, ana, kind="group", value=group, reason="Ask Ana", until="")
    rule_id = world.rule(ana, who={"people": [person], **left_out})
    with world.sandbox.cloud.store.write() as connection:
        connection.execute("UPDATE team SET id = 'new-id' WHERE id = ?", (group,))
        connection.execute("UPDATE member SET team = 'new-id' WHERE team = ?", (group,))
    world.sync(ana)
    run = run_progress.show_run(world.tools, ana, world.run_rule(ana, rule_id))
    assert world.effects(person)["suspend"] == 0
    assert (run.state, run.reason) == ("refused", reason)
    if is_protected:
        (entry,) = protecting.list_protected(world.tools, ana)
        protecting.unprotect(world.tools, ana, entry.id)
        assert world.states(world.run_rule(ana, rule_id)) == {person: "acted"}


def test_s46_each_rule_says_itself_how_old_a_sync_may_be(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    patient = rules.save_rule(world.tools, ana, world.rule_data(name="Patient", fresh_hours=100))
    strict = rules.save_rule(world.tools, ana, world.rule_data(name="Strict", fresh_hours=2))
    world.later(hours=3)
    rule_runs.preview_rule(world.tools, ana, patient)
    with pytest.raises(NotReady, match="stale_sync"):
        rule_runs.preview_rule(world.tools, ana, strict)


@pytest.mark.parametrize(
    ("brake", "words"),
    [
        ({"number": 0, "share": "none"}, "3 people would be touched; the brake allows 0."),
        ({"number": 2, "share": "none"}, "3 people would be touched; the brake allows 2."),
        (
            {"number": "none", "share": 59},
            "3 people would be touched, of 5 whom the rule is about; the brake allows 59 %.",
        ),
        ({"number": 3, "share": 60}, ""),
        ({"number": "none", "share": "none"}, ""),
    ],
)  # fmt: skip
def test_s47_the_brake_stops_the_run_with_the_whole_list(
    world: World, brake: dict[str, Any], words: str
) -> None:
    ana = world.store_key()
    people = world.people(5)
    for present in people[3:]:
        world.change(present, last_active=world.days_ago(1))
    world.sync(ana)
    rule_id = rules.save_rule(world.tools, ana, world.rule_data(brake=brake, who={"people": people}))
    preview = world.approve_rule(ana, rule_id)
    shown = run_progress.show_run(world.tools, ana, preview)
    assert (shown.chosen, shown.scope, shown.reason) == (3, 5, words), "the preview is never blocked"
    run_id = world.run_rule(ana, rule_id)
    view = run_progress.show_run(world.tools, ana, run_id)
    assert (view.state, view.reason) == ("braked" if words else "finished", words)
    assert sum(world.calls(person) for person in people) == (0 if words else 3)
    if not words:
        return
    assert view.can_release
    assert set(world.states(run_id).values()) == {"planned"}
    assert len(world.states(run_id)) == 3
    world.later(days=1)
    world.act()
    rule_runs.release_brake(world.tools, world.caller("priya"), run_id)
    with pytest.raises(Conflict):
        rule_runs.release_brake(world.tools, ana, run_id)
    world.act()
    assert set(world.states(run_id).values()) == {"acted"}
    (released,) = world.audit("run:brake_released")
    assert released.actor == ACCOUNTS["priya"]
    assert [entry.result for entry in world.audit("run:stopped_by_brake")] == [words]


def test_s47_a_braked_run_can_be_stopped_and_holds_its_people_until_then(world: World) -> None:
    ana = world.store_key()
    people = world.people(3)
    world.sync(ana)
    rule_id = world.rule(ana, brake={"number": 0}, who={"people": people})
    braked = world.run_rule(ana, rule_id)
    again = world.run_rule(ana, rule_id)
    assert {case.why for case in world.cases(again).values()} == {"under_way"}
    assert run_progress.show_run(world.tools, ana, again).state == "finished"
    runs.stop(world.tools, ana, braked)
    assert set(world.states(braked).values()) == {"cancelled"}
    with pytest.raises(Conflict):
        rule_runs.release_brake(world.tools, ana, braked)
    world.tick()
    assert all(world.calls(person) == 0 for person in people)


def test_s47_a_braked_run_needs_an_operator_until_it_is_let_go_or_stopped(world: World) -> None:
    """The next run of its rule finds nobody, since the braked one has them: that is no end of the matter."""
    ana = world.store_key()
    people = world.people(3)
    world.sync(ana)
    rule_id = world.rule(ana, brake={"number": 0}, who={"people": people})
    braked = world.run_rule(ana, rule_id)

    def waiting() -> list[str]:
        found = matters.matters(world.tools, ACME)
        return [one.action_path for one in found if one.topic is Topic.RUN_BRAKED]

    for days in (1, 7):
        world.later(days=days)
        assert run_progress.show_run(world.tools, ana, world.run_rule(ana, rule_id)).state == "finished"
        assert waiting() == [f"/app/runs/{braked}"]
    runs.stop(world.tools, ana, braked)
    assert waiting() == []


def test_audit_only_lists_and_review_waits(world: World) -> None:
    ana = world.store_key()
    people = world.people(3)
    world.sync(ana)
    data = world.rule_data(mode="audit", brake={"number": 0}, who={"people": people})
    rule_id = rules.save_rule(world.tools, ana, data)
    rules.switch_on(world.tools, ana, rule_id)
    listed = world.run_rule(ana, rule_id)
    assert set(world.states(listed).values()) == {"listed"}
    assert run_progress.show_run(world.tools, ana, listed).state == "finished"
    rules.save_rule(world.tools, ana, data | {"mode": "review"}, rule_id)
    review = world.run_rule(ana, rule_id)
    assert set(world.states(review).values()) == {"review"}
    view = run_progress.show_run(world.tools, ana, review)
    assert (view.state, view.waiting, view.rule_version, view.mode) == ("running", 3, 2, "review")
    world.later(days=30)
    world.tick()
    assert all(world.calls(person) == 0 for person in people)
    reviews.approve(world.tools, ana, [world.case(review, people[0]).id])
    world.act()
    assert [world.calls(person) for person in people] == [1, 0, 0]


def test_only_a_rule_that_is_on_runs(world: World) -> None:
    ana = world.synced()
    rule_id = rules.save_rule(world.tools, ana, world.rule_data(schedule=DAILY))
    with pytest.raises(NotReady, match="rule_off"):
        rule_runs.run_now(world.tools, ana, rule_id)
    world.later(days=2)
    world.tick()
    assert world.runs_of(rule_id) == []


def test_a_preview_of_a_rule_is_confirmed_by_nobody_and_does_nothing(world: World) -> None:
    ana = world.store_key()
    people = world.people(2)
    world.sync(ana)
    warned = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 5}
    told = {"when": {"not_seen": 90}, "then": {"deed": "tell"}}
    for number, step in enumerate((warned, told)):
        data = world.rule_data(step, name=f"Rule {number}", who={"people": people})
        preview = rule_runs.preview_rule(world.tools, ana, rules.save_rule(world.tools, ana, data))
        with pytest.raises(Conflict):
            runs.confirm(world.tools, ana, preview)
        with pytest.raises(Conflict):
            runs.stop(world.tools, ana, preview)
        assert {case.resume_at for case in world.cases(preview).values()} == {None}, "nothing is ever due"
        world.later(days=20)
        world.tick()
        assert set(world.states(preview).values()) == {"planned"}
    assert world.audit("case:warned") == []
    assert world.dump()["notice"] == []


def test_what_is_new_and_gone_since_the_plan_before(world: World) -> None:
    ana = world.store_key()
    stays, goes, comes = world.people(3)
    world.change(comes, last_active=world.days_ago(80))
    world.sync(ana)
    rule_id = rules.save_rule(
        world.tools, ana, world.rule_data(mode="audit", who={"people": [stays, goes, comes]})
    )
    first = rule_runs.preview_rule(world.tools, ana, rule_id)
    world.change(goes, last_active=world.days_ago(1))
    world.later(days=11)
    world.sync(ana)
    second = rule_runs.preview_rule(world.tools, ana, rule_id)
    views = [run_progress.show_run(world.tools, ana, run_id) for run_id in (first, second)]
    assert [(view.chosen, view.new, view.gone) for view in views] == [(2, 2, 0), (2, 1, 1)]
    assert {who: case.is_new for who, case in world.cases(second).items()} == {stays: False, comes: True}
    rules.switch_on(world.tools, ana, rule_id)
    view = run_progress.show_run(world.tools, ana, world.run_rule(ana, rule_id))
    assert (view.new, view.gone) == (0, 0)


def test_whoever_is_in_their_grace_is_not_gone_since_the_plan_before(sqlite_world: World) -> None:
    """A preview while a run of the rule goes on: they are as idle as they were when it chose them."""
    world = sqlite_world
    ana = world.store_key()
    waits, comes_back, told = world.people(3)
    world.change(told, last_active=world.days_ago(70))
    world.sync(ana)
    steps = (
        {"when": {"not_seen": 60}, "then": {"deed": "tell"}},
        {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 14},
    )
    rule_id = world.rule(ana, *steps, who={"people": [waits, comes_back, told]})
    run_id = world.run_rule(ana, rule_id)
    assert world.states(run_id) == {waits: "warned", comes_back: "warned", told: "acted"}
    world.change(comes_back, last_active=world.days_ago(0))
    world.later(days=1)
    world.sync(ana)
    preview = rule_runs.preview_rule(world.tools, ana, rule_id)
    view = run_progress.show_run(world.tools, ana, preview)
    assert (view.chosen, view.new, view.gone) == (0, 0, 1)


def at_six(world: World, days: int) -> datetime:
    return (world.clock() + timedelta(days=days)).replace(hour=6, minute=0, second=0, microsecond=0)


def due(world: World, rule_id: str) -> datetime:
    found = world.stored(StoredRule, ACME, rule_id).next_run_at
    assert isinstance(found, datetime)
    return found


def go_to(world: World, moment: datetime) -> None:
    world.clock.offset += moment - world.clock() + timedelta(seconds=1)


def test_by_the_clock_each_date_is_one_run(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    rule_id = world.rule(ana, schedule=DAILY, who={"people": [person]})
    first = due(world, rule_id)
    assert world.clock() < first <= world.clock() + timedelta(days=1)
    assert (first.hour, first.minute, rule_runs.due_rules(world.tools)) == (6, 0, [])
    go_to(world, first)
    assert rule_runs.due_rules(world.tools) == [(ACME, rule_id, first.isoformat())]
    together, errors = threading.Barrier(3), []

    def start() -> None:
        together.wait()
        try:
            rule_runs.start_due(world.tools, ACME, rule_id, first.isoformat())
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    rule_runs.start_due(world.tools, ACME, rule_id, first.isoformat())
    (run,) = world.runs_of(rule_id)
    assert (run.requested_by, run.rule_version) == ("rollcall", 1)
    assert due(world, rule_id) == first + timedelta(days=1)
    world.tick()
    assert world.states(run.id) == {person: "acted"}
    # The worker was away for three days: the dates between are not made up for.
    go_to(world, first + timedelta(days=3))
    world.tick()
    assert len(world.runs_of(rule_id)) == 2
    assert due(world, rule_id) == first + timedelta(days=4)


def test_s50_two_rules_that_start_at_once_never_choose_the_same_person(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    ours = [world.rule(ana, name=name, who={"people": [person]}) for name in ("One", "Two", "Three", "Four")]
    together = threading.Barrier(len(ours))

    def start(rule_id: str) -> str:
        together.wait()
        return rule_runs.run_now(world.tools, ana, rule_id)

    with ThreadPoolExecutor(len(ours)) as operators:
        run_ids = list(operators.map(start, ours))
    states = sorted(state for run_id in run_ids for state in world.states(run_id).values())
    assert states == ["planned", "spared", "spared", "spared"]


def test_a_date_that_is_not_the_rules_any_more_starts_nothing(world: World) -> None:
    ana = world.synced()
    rule_id = world.rule(ana, schedule=DAILY)
    first = due(world, rule_id)
    go_to(world, first)
    rules.save_rule(world.tools, ana, world.rule_data(schedule={"every": "week"}), rule_id)
    world.approve_rule(ana, rule_id)
    rule_runs.start_due(world.tools, ACME, rule_id, first.isoformat())
    rules.switch_off(world.tools, ana, rule_id)
    for deed in (rule_runs.start_due, rule_runs.fail_due):
        deed(world.tools, ACME, rule_id, first.isoformat())
        deed(world.tools, "another-organization", rule_id, first.isoformat())
    assert world.runs_of(rule_id) == []
    assert world.stored(StoredRule, ACME, rule_id).next_run_at is None


def test_a_rule_waits_for_a_sync_but_not_for_ever(world: World) -> None:
    ana, gina = world.synced(), world.synced("globex")
    mine = world.rule(ana, schedule=DAILY, mode="review")
    theirs = world.rule(gina, schedule=DAILY, mode="review")
    go_to(world, due(world, mine))
    request_sync(world.tools, ana)
    assert [rule_id for _, rule_id, _ in rule_runs.due_rules(world.tools)] == [theirs]
    world.clock.offset += rule_runs.PATIENCE
    assert {rule_id for _, rule_id, _ in rule_runs.due_rules(world.tools)} == {mine, theirs}
    world.read_on()
    world.tick()
    assert len(world.runs_of(mine)) == len(world.runs_of(theirs)) == 1


def test_many_rules_of_one_organization_do_not_keep_anothers_waiting(sqlite_world: World) -> None:
    world = sqlite_world
    ana, gina = world.synced(), world.synced("globex")
    # At noon, six is the next one of both: five minutes after six it would be so of one alone.
    go_to(world, at_six(world, 1) + timedelta(hours=6))
    for number in range(25):
        data = world.rule_data(name=f"Rule {number}", mode="audit", schedule=DAILY)
        rules.switch_on(world.tools, ana, rules.save_rule(world.tools, ana, data))
    data = world.rule_data(mode="audit", schedule={"every": "day", "at": "06:05"})
    theirs = rules.save_rule(world.tools, gina, data)
    rules.switch_on(world.tools, gina, theirs)
    with world.tools.begin() as session:
        moment = session.scalar(select(StoredRule.next_run_at).where(StoredRule.id == theirs))
    assert moment is not None
    go_to(world, moment)
    first = rule_runs.due_rules(world.tools)
    assert len(first) == 20
    assert theirs in {rule_id for _, rule_id, _ in first[:2]}


def test_a_fault_of_our_own_leaves_the_rule_its_next_date(world: World) -> None:
    ana = world.synced()
    rule_id = world.rule(ana, schedule=DAILY)
    first = due(world, rule_id)
    go_to(world, first)
    for _ in range(2):
        rule_runs.fail_due(world.tools, ACME, rule_id, first.isoformat())
    (run,) = world.runs_of(rule_id)
    assert (run.state, due(world, rule_id)) == ("refused", first + timedelta(days=1))
    assert "Something went wrong inside Rollcall" in run.reason
    rule_runs.start_due(world.tools, ACME, rule_id, first.isoformat())
    assert len(world.runs_of(rule_id)) == 1


@pytest.mark.parametrize("end", [rules.switch_off, rules.delete_rule], ids=["off", "deleted"])
def test_a_refused_run_is_no_matter_of_a_rule_that_is_off_or_gone(
    sqlite_world: World, end: Callable[..., None]
) -> None:
    """Nobody has to do anything about it any more, and there may be no page to open."""
    world = sqlite_world
    ana = world.synced()
    rule_id = world.rule(ana)
    rules.save_rule(world.tools, ana, world.rule_data(fresh_hours=24), rule_id)
    world.run_rule(ana, rule_id)

    def waiting() -> list[str]:
        with world.tools.begin() as session:
            return [one.sentence for one in about_rules(session, ACME, world.clock())]

    assert waiting() == [
        (
            "“Idle” did not run. Nobody has looked at a preview of this version of the rule."
            " Make a preview and look at it."
        )
    ]
    end(world.tools, ana, rule_id)
    assert waiting() == []


def test_a_run_that_is_refused_does_not_lose_its_next_date(world: World) -> None:
    ana = world.synced()
    rule_id = world.rule(ana, schedule=DAILY, fresh_hours=1)
    first = due(world, rule_id)
    go_to(world, first + timedelta(days=1))
    world.tick()
    (run,) = world.runs_of(rule_id)
    assert run.state == "refused"
    assert due(world, rule_id) == first + timedelta(days=2)


def test_previews_of_rules_are_kept_for_a_month(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    preview = rule_runs.preview_rule(world.tools, ana, rules.save_rule(world.tools, ana, world.rule_data()))
    world.later(days=29)
    previews.purge_previews(world.tools)
    assert world.states(preview)
    world.later(days=2)
    previews.purge_previews(world.tools)
    assert world.states(preview) == {}
    assert datetime.now(UTC) < world.clock()
