"""Rules as operators keep them: nothing half-saved, nothing live unseen, off means off (S19, S47)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from connect.errors import Conflict, NotFound, NotReady
from models.rule import RuleVersion, StoredRule
from rules.rule_file import BadRule
from services import calendars, reviews, rule_runs, rule_views, rules, run_progress, runs
from tests.services.workers import Killed, die, once, with_something_between
from tests.world import ACCOUNTS, ACME, LEASE_OVER, World


def problems(world: World, data: dict[str, Any], rule_id: str | None = None) -> dict[str, str]:
    """Field → sentence; and that nothing at all was written."""
    before = world.dump()
    with pytest.raises(BadRule) as bad:
        rules.save_rule(world.tools, world.caller("ana"), data, rule_id)
    assert world.dump() == before
    return {problem.field: problem.sentence for problem in bad.value.problems}


def is_on(world: World, rule_id: str) -> bool:
    return bool(world.stored(StoredRule, ACME, rule_id).is_on)


def test_every_change_is_a_new_version_and_no_change_is_none(world: World) -> None:
    ana, priya = world.synced(), world.caller("priya")
    data = world.rule_data()
    rule_id = rules.save_rule(world.tools, ana, data)
    assert rules.save_rule(world.tools, priya, data, rule_id) == rule_id
    # The same said at greater length is the same rule.
    assert rules.save_rule(world.tools, priya, data | {"schedule": {"every": "manual"}}, rule_id) == rule_id
    assert world.stored(StoredRule, ACME, rule_id).version == 1
    rules.save_rule(world.tools, priya, data | {"name": "Idle people", "fresh_hours": 24}, rule_id)
    stored = world.stored(StoredRule, ACME, rule_id)
    assert (stored.name, stored.version, stored.is_on, stored.created_by) == (
        "Idle people", 2, False, ACCOUNTS["ana"],
    )  # fmt: skip
    versions = {one.version: one for one in world.rows(RuleVersion)}
    assert {number: one.created_by for number, one in versions.items()} == {
        1: ACCOUNTS["ana"],
        2: ACCOUNTS["priya"],
    }
    assert "fresh_hours" in versions[2].definition
    events = [
        (entry.event, entry.actor, entry.result) for entry in world.audit("rule:created", "rule:changed")
    ]
    assert events == [
        ("rule:created", ACCOUNTS["ana"], "Idle, version 1"),
        ("rule:changed", ACCOUNTS["priya"], "Idle people, version 2"),
    ]
    page = rule_views.show_rule(world.tools, ana, rule_id)
    assert [line.created_by for line in page.versions] == ["Priya Raman", "Ana Marić"]


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved(world: World) -> None:
    ana = world.synced()
    assert problems(world, {}).keys() == {"name", "steps"}
    assert problems(world, world.rule_data({"when": {"not_seen": -1}, "then": {"deed": "suspend"}})) == {
        "steps.0.when.not_seen": "Days cannot be negative: write a whole number from 1 to 3,650."
    }
    nonsense = world.rule_data(schedule={"every": "cron", "cron": "61 25 * * *"})
    assert problems(world, nonsense) == {
        "schedule.cron": "This cron expression names no moment that ever comes."
    }
    unknown = world.rule_data(
        {"when": {"not_seen": 9, "products": ["trello"]}, "then": {"deed": "change_groups", "leave": ["g"]}},
        who={"groups": ["no-such-group"], "not_groups": ["neither"], "products": ["trello"]},
        schedule={"every": "billing"},
    )
    assert problems(world, unknown).keys() == {
        "who.groups", "who.not_groups", "who.products", "steps.0.when.products", "steps.0.then.leave",
        "schedule.every",
    }  # fmt: skip
    group_of_globex = world.groups("globex")["jira-users"]["id"]
    assert problems(world, world.rule_data(who={"groups": [group_of_globex]})).keys() == {"who.groups"}
    everything = ["jira-software", "confluence", "jira-servicedesk", "bitbucket"]
    lose_all = {"deed": "remove_access", "products": everything}
    seatless = world.rule_data(
        {"when": {"not_seen": 60}, "then": lose_all},
        {"when": {"not_seen": 180}, "then": {"deed": "deactivate"}},
    )
    found = problems(world, seatless)
    assert found.keys() == {"steps.1.then.deed"}
    assert "they have no seat left" in found["steps.1.then.deed"]
    # A change that is wrong leaves the rule as it was.
    rule_id = rules.save_rule(world.tools, ana, world.rule_data())
    assert "mode" in problems(world, world.rule_data(mode="full speed"), rule_id)


def test_a_name_is_taken_once_until_its_rule_is_deleted(world: World) -> None:
    ana, gina = world.synced(), world.synced("globex")
    first = rules.save_rule(world.tools, ana, world.rule_data(name="Idle"))
    second = rules.save_rule(world.tools, ana, world.rule_data(name="Other"))
    assert "name" in problems(world, world.rule_data(name="Idle"))
    assert "name" in problems(world, world.rule_data(name="Idle"), second)
    rules.save_rule(world.tools, gina, world.rule_data(name="Idle"))
    rules.delete_rule(world.tools, ana, first)
    rules.save_rule(world.tools, ana, world.rule_data(name="Idle"), second)
    with pytest.raises(NotFound):
        rules.save_rule(world.tools, ana, world.rule_data(name="A third"), first)


def test_a_copy_is_off_and_has_a_name_of_its_own(world: World) -> None:
    ana = world.synced()
    rule_id = world.rule(ana, name="N" * 100)
    names = set()
    for _ in range(3):
        copy = world.stored(StoredRule, ACME, rules.duplicate_rule(world.tools, ana, rule_id))
        assert (copy.is_on, copy.version) == (False, 1)
        names.add(copy.name)
    assert names == {f"{'N' * 85} (copy{number})" for number in ("", " 2", " 3")}


def test_a_rule_that_names_what_is_gone_is_copied_as_it_is(sqlite_world: World) -> None:
    """The group was deleted, the billing day forgotten: whoever edits the copy is told, not whoever makes it."""
    world = sqlite_world
    ana = world.synced()
    group = world.groups()["contractors"]["id"]
    calendars.set_calendar(world.tools, ana, "UTC", "15")
    who, schedule = {"groups": [group]}, {"every": "billing", "days_before": 3}
    rule_id = rules.save_rule(world.tools, ana, world.rule_data(who=who, schedule=schedule))
    with world.sandbox.cloud.store.write() as connection:
        connection.execute("DELETE FROM team WHERE id = ?", (group,))
    world.sync(ana)
    calendars.set_calendar(world.tools, ana, "UTC", "")
    copy_id = rules.duplicate_rule(world.tools, ana, rule_id)
    copy = rule_views.show_rule(world.tools, ana, copy_id)
    assert (copy.line.name, copy.rule.who.groups) == ("Idle (copy)", (group,))
    with pytest.raises(BadRule) as bad:
        rules.save_rule(world.tools, ana, copy.data | {"mode": "audit"}, copy_id)
    assert [problem.field for problem in bad.value.problems] == ["who.groups", "schedule.every"]


def test_too_many_rules(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    for number in range(rules.MOST_RULES):
        rule_id = rules.save_rule(world.tools, ana, world.rule_data(name=f"Rule {number}"))
    with pytest.raises(Conflict):
        rules.save_rule(world.tools, ana, world.rule_data(name="One more"))
    with pytest.raises(Conflict):
        rules.duplicate_rule(world.tools, ana, rule_id)
    rules.delete_rule(world.tools, ana, rule_id)
    rules.save_rule(world.tools, ana, world.rule_data(name="One more"))


def test_s47_a_live_rule_needs_a_preview_of_that_very_version_seen_by_somebody(world: World) -> None:
    ana = world.synced()
    rule_id = rules.save_rule(world.tools, ana, world.rule_data())
    old = rule_runs.preview_rule(world.tools, ana, rule_id)
    with pytest.raises(NotReady, match="no_preview"):
        rules.switch_on(world.tools, ana, rule_id)
    rules.save_rule(world.tools, ana, world.rule_data(fresh_hours=24), rule_id)
    rule_runs.mark_seen(world.tools, ana, old)
    with pytest.raises(NotReady, match="no_preview"):
        rules.switch_on(world.tools, ana, rule_id)
    assert not is_on(world, rule_id)
    rule_runs.mark_seen(world.tools, ana, rule_runs.preview_rule(world.tools, ana, rule_id))
    rules.switch_on(world.tools, ana, rule_id)
    rules.switch_on(world.tools, ana, rule_id)
    assert is_on(world, rule_id)
    assert len(world.audit("rule:switched_on")) == 1
    # Changed while it is on: it stays on, and does not run before somebody has looked.
    rules.save_rule(world.tools, ana, world.rule_data(fresh_hours=25), rule_id)
    assert rule_views.show_rule(world.tools, ana, rule_id).line.missing is not None
    run_id = world.run_rule(ana, rule_id)
    view = run_progress.show_run(world.tools, ana, run_id)
    assert (view.state, view.total) == ("refused", 0)
    assert "Nobody has looked at a preview" in view.reason


@pytest.mark.parametrize("mode", ["audit", "review"])
def test_what_does_not_act_by_itself_needs_no_preview(sqlite_world: World, mode: str) -> None:
    ana = sqlite_world.synced()
    rule_id = rules.save_rule(sqlite_world.tools, ana, sqlite_world.rule_data(mode=mode))
    rules.switch_on(sqlite_world.tools, ana, rule_id)
    assert is_on(sqlite_world, rule_id)


@pytest.mark.parametrize("mode", ["review", "live"])
def test_deleting_accounts_needs_a_second_operator_for_each_version(world: World, mode: str) -> None:
    ana, priya = world.synced(), world.caller("priya")
    step = {"when": {"not_seen": 400}, "then": {"deed": "delete"}, "grace": 0}
    rule_id = rules.save_rule(world.tools, ana, world.rule_data(step, mode=mode))
    rule_runs.mark_seen(world.tools, ana, rule_runs.preview_rule(world.tools, ana, rule_id))
    with pytest.raises(NotReady, match="not_confirmed"):
        rules.switch_on(world.tools, ana, rule_id)
    with pytest.raises(Conflict):
        rules.confirm_rule(world.tools, ana, rule_id, 1)
    assert not rule_views.show_rule(world.tools, ana, rule_id).may_confirm
    assert rule_views.show_rule(world.tools, priya, rule_id).may_confirm
    rules.confirm_rule(world.tools, priya, rule_id, 1)
    rules.switch_on(world.tools, ana, rule_id)
    with pytest.raises(Conflict):
        rules.confirm_rule(world.tools, priya, rule_id, 1)
    # The one who changes it is the author of that version: now it is the first one who may confirm.
    rules.save_rule(
        world.tools, priya, world.rule_data(step | {"when": {"not_seen": 300}}, mode=mode), rule_id
    )
    run_id = world.run_rule(ana, rule_id)
    assert "nobody else has confirmed it" in run_progress.show_run(world.tools, ana, run_id).reason
    with pytest.raises(Conflict):
        rules.confirm_rule(world.tools, priya, rule_id, 2)
    with pytest.raises(Conflict) as changed:
        rules.confirm_rule(world.tools, ana, rule_id, 1)
    assert "the rule was changed since you opened it" in changed.value.sentence
    rules.confirm_rule(world.tools, ana, rule_id, 2)
    harmless = rules.save_rule(world.tools, ana, world.rule_data(name="Harmless"))
    with pytest.raises(Conflict):
        rules.confirm_rule(world.tools, priya, harmless, 1)


@pytest.mark.parametrize("end", [rules.switch_off, rules.delete_rule], ids=["off", "deleted"])
def test_off_means_that_everybody_who_waits_is_left_alone_at_once(
    world: World, end: Callable[..., None]
) -> None:
    """In review, held, warned, planned and in a braked run: one transaction, no second look."""
    ana = world.store_key()
    people = world.people(6)
    step = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 5, "warn": [5]}
    world.sync(ana)
    rule_id = world.rule(ana, step, who={"people": people[:3]})
    warned = world.run_rule(ana, rule_id)
    rules.save_rule(
        world.tools, ana, world.rule_data(step, mode="review", who={"people": people[3:5]}), rule_id
    )
    review = world.run_rule(ana, rule_id)
    reviews.hold(world.tools, ana, [world.case(review, people[3]).id])
    rules.save_rule(
        world.tools, ana,
        world.rule_data(step, who={"people": people[5:]}, brake={"number": 0}), rule_id,
    )  # fmt: skip
    world.approve_rule(ana, rule_id)
    braked = world.run_rule(ana, rule_id)
    states = [world.states(run_id) for run_id in (warned, review, braked)]
    assert [sorted(set(one.values())) for one in states] == [["warned"], ["held", "review"], ["planned"]]
    end(world.tools, ana, rule_id)
    for run_id in (warned, review, braked):
        assert set(world.states(run_id).values()) == {"spared"}
        assert {case.reason for case in world.cases(run_id).values()} == {rules.SWITCHED_OFF}
        assert run_progress.show_run(world.tools, ana, run_id).state == "stopped"
    world.later(days=6)
    world.tick()
    assert all(world.calls(person) == 0 for person in people)


def test_switched_off_in_the_middle_of_a_run(world: World) -> None:
    """Who has had their turn keeps the result, who has not is left alone; a call under way gets its result."""
    ana = world.store_key()
    people = world.people(4)
    world.sync(ana)
    rule_id = world.rule(ana, who={"people": people})
    run_id = rule_runs.run_now(world.tools, ana, rule_id)
    off = once("after", "suspend", lambda: rules.switch_off(world.tools, ana, rule_id))
    world.act(with_something_between(world.tools, off))
    assert sorted(world.states(run_id).values()) == ["acted", "spared", "spared", "spared"]
    assert sum(world.calls(person) for person in people) == 1
    assert rule_views.show_rule(world.tools, ana, rule_id).line.next_run_at is None


@pytest.mark.parametrize("landed", [True, False])
def test_switched_off_while_interrupted(sqlite_world: World, landed: bool) -> None:
    world = sqlite_world
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    rule_id = world.rule(ana, who={"people": [person]})
    run_id = rule_runs.run_now(world.tools, ana, rule_id)
    with pytest.raises(Killed):
        world.act(with_something_between(world.tools, die("after" if landed else "before", "suspend")))
    rules.switch_off(world.tools, ana, rule_id)
    world.clock.offset += LEASE_OVER
    world.act()
    assert world.states(run_id) == {person: "acted" if landed else "spared"}
    assert world.calls(person) == int(landed)


def test_switched_off_between_the_second_reading_and_the_call(sqlite_world: World) -> None:
    """A first worker died before its call; the second one has read the person when the rule is switched off."""
    world = sqlite_world
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    rule_id = world.rule(ana, who={"people": [person]})
    run_id = rule_runs.run_now(world.tools, ana, rule_id)
    with pytest.raises(Killed):
        world.act(with_something_between(world.tools, die("before", "suspend")))
    world.clock.offset += LEASE_OVER
    off = once("after", "person", lambda: rules.switch_off(world.tools, ana, rule_id))
    world.act(with_something_between(world.tools, off))
    assert (world.states(run_id), world.calls(person)) == ({person: "cancelled"}, 0)


def test_an_undo_does_not_ask_whether_the_rule_is_still_there(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    rule_id = world.rule(ana, who={"people": [person]})
    run_id = world.run_rule(ana, rule_id)
    rules.delete_rule(world.tools, ana, rule_id)
    world.undo(ana, run_id)
    assert world.states(run_id) == {person: "undone"}
    assert run_progress.show_run(world.tools, ana, run_id).rule_name == "Idle"


def test_a_deleted_rule_is_gone_and_its_runs_stay(world: World) -> None:
    ana = world.synced()
    rule_id = world.rule(ana)
    run_id = world.run_rule(ana, rule_id)
    rules.delete_rule(world.tools, ana, rule_id)
    assert rule_views.list_rules(world.tools, ana) == []
    for deed in (rule_views.show_rule, rules.delete_rule, rule_runs.preview_rule, rule_runs.run_now):
        with pytest.raises(NotFound):
            deed(world.tools, ana, rule_id)
    assert run_progress.show_run(world.tools, ana, run_id).rule_version == 1
    assert len(world.audit("rule:deleted")) == 1


def test_s19_a_rule_of_another_organization_does_not_exist(world: World) -> None:
    ana, gina = world.synced(), world.synced("globex")
    rule_id = world.rule(ana)
    preview = rule_runs.preview_rule(world.tools, ana, rule_id)
    before = world.dump()
    deeds: list[Callable[..., Any]] = [
        rule_views.show_rule, rules.switch_on, rules.switch_off, partial(rules.confirm_rule, seen=1),
        rules.duplicate_rule, rules.delete_rule, rule_runs.preview_rule, rule_runs.run_now,
    ]  # fmt: skip
    for deed in deeds:
        with pytest.raises(NotFound):
            deed(world.tools, gina, rule_id)
    for on_run in (rule_runs.mark_seen, rule_runs.release_brake, runs.stop):
        with pytest.raises(NotFound):
            on_run(world.tools, gina, preview)
    with pytest.raises(NotFound):
        rules.save_rule(world.tools, gina, world.rule_data(name="Mine now"), rule_id)
    assert rule_views.list_rules(world.tools, gina) == []
    assert world.dump() == before


def test_with_the_last_door_rules_are_switched_off_and_stay_off(world: World) -> None:
    ana = world.store_key()
    people = world.people(2)
    world.sync(ana)
    step = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 5}
    rule_id = world.rule(ana, step, who={"people": people}, schedule={"every": "day"})
    run_id = world.run_rule(ana, rule_id)
    world.control("POST", "/uninstall", {"site": "acme", "product": "jira"})
    assert set(world.states(run_id).values()) == {"cancelled"}
    world.install("acme")
    ana = world.store_key()
    world.sync(ana)
    world.later(days=6)
    world.tick()
    (line,) = rule_views.list_rules(world.tools, ana)
    assert (line.is_on, line.next_run_at) == (False, None)
    assert len(world.runs_of(rule_id)) == 1
    assert all(world.calls(person) == 0 for person in people)


def test_the_list_says_what_a_rule_does_and_what_came_of_it(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    rule_id = world.rule(ana, who={"people": [person]}, schedule={"every": "day", "at": "06:00"})
    run_id = world.run_rule(ana, rule_id)
    (line,) = rule_views.list_rules(world.tools, ana)
    assert line.sentence == (
        "Every day at 06:00: people on its list (1 person) who have not been seen for 90 days are suspended,"
        " without a warning; Rollcall acts by itself."
    )
    assert line.last_run is not None
    assert (line.last_run.id, line.missing, line.is_on) == (run_id, None, True)
    page = rule_views.show_rule(world.tools, ana, rule_id)
    assert len(page.dates) == 5
    assert page.dates[0] == line.next_run_at
    assert page.preview is not None
    assert [run.id for run in page.runs] == [run_id]
