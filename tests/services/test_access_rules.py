"""Access rules over the pretend Atlassian: give, take back, leave others alone, loops, the brake, what only lists."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from connect.caller import Caller
from connect.errors import Conflict, NotFound, NotReady
from models.access_rule import AccessGiven, StoredAccessRule
from models.run import Case, Run
from rules.plain_data import BadRule
from rules.rule import Mode
from rules.topics import Topic
from sandbox.world import ORGANIZATIONS
from services import access_rule_lists, access_rule_runs, access_rules, orders, rule_runs, runs
from services.access_rule_form import Typed
from services.matters import matters as matters_of
from tests.services.workers import Killed, act_on, die, with_something_between
from tests.world import ACME, World

SOURCE, TARGET, OTHER = "team-design", "contractors", "service-desk-agents"


def evaluate(world: World, tools: object = None) -> int:
    """The worker's round over the access rules that are due, and over what they begin."""
    due = access_rule_runs.due_access_rules(world.tools)
    for organization_id, rule_id, number in due:
        access_rule_runs.evaluate(tools or world.tools, organization_id, rule_id, number)  # type: ignore[arg-type]
    world.act()
    return len(due)


def group(world: World, name: str) -> str:
    found: str = world.groups()[name]["id"]
    return found


def rule(world: World, caller: Caller, *, live: bool = True, **typed: object) -> str:
    """Who is in SOURCE is in TARGET, too."""
    words: dict[str, object] = {
        "name": "Designers with contractors",
        "sources": [group(world, SOURCE)],
        "groups": [group(world, TARGET)],
    }
    rule_id = access_rules.save_access_rule(world.tools, caller, Typed(**words | typed))  # type: ignore[arg-type]
    if live:
        go_live(world, caller, rule_id)
    return rule_id


def go_live(world: World, caller: Caller, rule_id: str) -> None:
    access_rule_lists.preview_access_rule(world.tools, caller, rule_id)
    access_rule_lists.mark_seen(world.tools, caller, rule_id)
    access_rules.switch_mode(world.tools, caller, rule_id, Mode.LIVE)


def member(world: World, account_id: str, name: str, *, inside: bool = True) -> None:
    """Somebody else puts them in, or takes them out."""
    world.control("POST", f"/people/{account_id}/groups", {"group": name, "member": inside})


def groups_of(world: World, account_id: str) -> set[str]:
    held = world.holding(account_id)
    assert held is not None
    return set(held["groups"])


def later_sync(world: World, caller: Caller) -> None:
    world.later(hours=1)
    world.sync(caller)


def runs_of(world: World, rule_id: str, *, state: str = "finished") -> list[Run]:
    found = [run for run in world.rows(Run) if run.origin_id == rule_id and run.state == state]
    return sorted(found, key=lambda run: run.created_at)


def emptied(world: World) -> World:
    """Nobody is in the groups that the tests are about."""
    names = (SOURCE, TARGET, OTHER)
    with world.sandbox.cloud.store.write() as connection:
        for table in ("member", "synced_member"):
            query = f"DELETE FROM {table} WHERE team IN (SELECT id FROM team WHERE org = 'acme' AND name IN (?, ?, ?))"
            connection.execute(query, names)
    return world


@pytest.fixture
def place(sqlite_world: World) -> World:
    return emptied(sqlite_world)


def test_given_once_taken_back_when_over_and_nobody_else_is_touched(world: World) -> None:
    place = emptied(world)
    ana = place.store_key()
    giver, before, outsider = place.people(3)
    member(place, giver, SOURCE)
    for name in (SOURCE, TARGET):
        member(place, before, name)
    member(place, outsider, TARGET)
    place.sync(ana)
    rule_id = rule(place, ana)
    assert evaluate(place) == 1
    [run] = runs_of(place, rule_id)
    assert place.states(run.id) == {giver: "acted"}
    assert (run.origin, run.scope, run.rule_version) == ("access_rule", 2, 1)
    assert TARGET in groups_of(place, giver)
    assert [each.account_id for each in place.rows(AccessGiven)] == [giver]
    # The same again finds nothing to do.
    later_sync(place, ana)
    assert evaluate(place) == 1
    assert place.stored(StoredAccessRule, ACME, rule_id).last_result == "Nothing to do."
    assert len(runs_of(place, rule_id)) == 1
    # Both leave the source: only what the rule gave goes.
    for account_id in (giver, before):
        member(place, account_id, SOURCE, inside=False)
    later_sync(place, ana)
    evaluate(place)
    assert place.states(runs_of(place, rule_id)[-1].id) == {giver: "acted"}
    assert TARGET not in groups_of(place, giver)
    assert TARGET in groups_of(place, before)
    assert TARGET in groups_of(place, outsider)
    later_sync(place, ana)
    evaluate(place)
    assert len(runs_of(place, rule_id)) == 2
    assert evaluate(place) == 0, "once for each sync"


def test_a_product_is_given_and_taken_back(place: World) -> None:
    ana = place.store_key()
    [person] = place.people(1)
    member(place, person, SOURCE)
    place.sync(ana)
    rule(place, ana, groups=(), products=[ORGANIZATIONS["acme"].resource("confluence")])
    evaluate(place)
    held = place.holding(person)
    assert held is not None
    assert ("confluence", "atlassian/user") in held["direct"]
    member(place, person, SOURCE, inside=False)
    later_sync(place, ana)
    evaluate(place)
    held = place.holding(person)
    assert held is not None
    assert held["direct"] == []


def test_two_rules_give_the_same_until_neither_holds(place: World) -> None:
    ana = place.store_key()
    [person] = place.people(1)
    for name in (SOURCE, OTHER):
        member(place, person, name)
    place.sync(ana)
    first = rule(place, ana)
    evaluate(place)
    rule(place, ana, name="Agents, too", sources=[group(place, OTHER)])
    evaluate(place)
    member(place, person, SOURCE, inside=False)
    later_sync(place, ana)
    evaluate(place)
    assert TARGET in groups_of(place, person)
    # The rule that gave it goes: the other one takes it over, and takes it back one day.
    access_rules.delete_access_rule(place.tools, ana, first)
    assert TARGET in groups_of(place, person)
    member(place, person, OTHER, inside=False)
    later_sync(place, ana)
    evaluate(place)
    assert TARGET not in groups_of(place, person)


def test_what_another_system_takes_out_twice_is_not_given_for_ever(place: World) -> None:
    ana = place.store_key()
    [person] = place.people(1)
    member(place, person, SOURCE)
    place.sync(ana)
    rule_id = rule(place, ana)
    evaluate(place)
    for _ in range(2):
        place.settled()
        member(place, person, TARGET, inside=False)
        later_sync(place, ana)
        evaluate(place)
    assert TARGET not in groups_of(place, person)
    [given] = place.rows(AccessGiven)
    assert given.stopped_at is not None
    assert given.reason == "What the rule gave was gone again: another system takes it out."
    assert [entry.subject for entry in place.audit("access_rule:loop_found")] == [person]
    [matter] = [one for one in matters_of(place.tools, ACME) if one.topic is Topic.LOOP_FOUND]
    assert matter.sentence.endswith("leaves 1 person alone: another system takes out what it gives.")
    assert "Designers with contractors" in matter.sentence
    assert matter.action_path == f"/app/onboarding/access-rules/{rule_id}"
    later_sync(place, ana)
    evaluate(place)
    assert TARGET not in groups_of(place, person), "it is left alone"
    # Until an operator has found the other system.
    access_rules.give_again(place.tools, ana, rule_id, person)
    evaluate(place)
    assert TARGET in groups_of(place, person)
    with pytest.raises(Conflict):
        access_rules.give_again(place.tools, ana, rule_id, person)


def test_what_a_rule_of_ours_takes_out_twice_is_not_blamed_on_another_system(place: World) -> None:
    ana = place.store_key()
    [person] = place.people(1)
    member(place, person, SOURCE)
    place.sync(ana)
    rule(place, ana)
    then = {"deed": "change_groups", "leave": [group(place, TARGET)]}
    step = {"when": {"not_seen": 90}, "then": then, "grace": 0}
    taker = place.rule(ana, step, name="No contractors", who={"people": [person]})
    evaluate(place)
    for _ in range(2):
        assert TARGET in groups_of(place, person)
        place.later(days=100)
        place.sync(ana)
        place.run_rule(ana, taker)
        place.act()
        assert TARGET not in groups_of(place, person)
        place.settled()
        later_sync(place, ana)
        evaluate(place)
    [given] = place.rows(AccessGiven)
    assert given.reason == "What the rule gave was gone again: your rule “No contractors” takes it out."
    sentences = [one.sentence for one in matters_of(place.tools, ACME) if one.topic is Topic.LOOP_FOUND]
    [said] = [one for one in sentences if "Designers with contractors" in one]
    assert said.endswith("leaves 1 person alone: another rule or run of Rollcall takes out what it gives.")


def test_too_many_wait_for_an_operator(place: World) -> None:
    ana = place.store_key()
    people = place.people(3)
    for account_id in people:
        member(place, account_id, SOURCE)
    place.sync(ana)
    rule_id = rule(place, ana, number="2")
    evaluate(place)
    [run] = runs_of(place, rule_id, state="braked")
    assert run.reason == "3 people would be touched; the brake allows 2."
    assert all(TARGET not in groups_of(place, account_id) for account_id in people)
    assert [one.action_path for one in matters_of(place.tools, ACME) if one.topic is Topic.RUN_BRAKED] == [
        f"/app/runs/{run.id}"
    ]
    later_sync(place, ana)
    evaluate(place)
    assert len(runs_of(place, rule_id, state="braked")) == 1, "the list waits, there is no second one"
    # One of them is out again when the operator lets it go.
    member(place, people[0], SOURCE, inside=False)
    rule_runs.release_brake(place.tools, ana, run.id)
    place.act()
    assert [TARGET in groups_of(place, account_id) for account_id in people] == [False, True, True]
    assert place.case(run.id, people[0]).reason.startswith("Is not in the groups any more")


def test_audit_lists_and_live_needs_somebody_who_looked(place: World) -> None:
    ana = place.store_key()
    [person] = place.people(1)
    member(place, person, SOURCE)
    place.sync(ana)
    rule_id = rule(place, ana, live=False)
    with pytest.raises(NotReady, match="no_preview"):
        access_rules.switch_mode(place.tools, ana, rule_id, Mode.LIVE)
    evaluate(place)
    [listed] = runs_of(place, rule_id, state="preview")
    assert place.states(listed.id) == {person: "planned"}
    place.act()
    assert TARGET not in groups_of(place, person)
    with pytest.raises(Conflict):
        runs.confirm(place.tools, ana, listed.id)
    access_rule_lists.mark_seen(place.tools, ana, rule_id)
    access_rules.switch_mode(place.tools, ana, rule_id, Mode.LIVE)
    evaluate(place)
    assert TARGET in groups_of(place, person)
    # A change of what it does lists first again; a new name does not.
    typed = {"sources": [group(place, SOURCE)], "groups": [group(place, TARGET)]}
    access_rules.save_access_rule(place.tools, ana, Typed(name="Renamed", **typed), rule_id)  # type: ignore[arg-type]
    assert place.stored(StoredAccessRule, ACME, rule_id).is_live
    typed["sources"] = [group(place, OTHER)]
    access_rules.save_access_rule(place.tools, ana, Typed(name="Renamed", **typed), rule_id)  # type: ignore[arg-type]
    stored = place.stored(StoredAccessRule, ACME, rule_id)
    assert (stored.is_live, stored.version, stored.seen_version) == (False, 2, None)


def test_a_list_may_be_replaced_while_somebody_looks_at_it(world: World) -> None:
    """The worker lists anew after each sync and each change, whoever is reading."""
    place = emptied(world)
    ana = place.synced()
    rule_id = rule(place, ana, live=False)
    access_rule_lists.preview_access_rule(place.tools, ana, rule_id)
    with ThreadPoolExecutor(1) as worker:
        for _ in range(30):
            with place.tools.begin() as session:
                session.execute(update(StoredAccessRule).values(seen_version=None))
            listing = worker.submit(access_rule_lists.preview_access_rule, place.tools, ana, rule_id)
            access_rule_lists.mark_seen(place.tools, ana, rule_id)
            listing.result()
    assert place.stored(StoredAccessRule, ACME, rule_id).seen_version == 1


def test_a_rule_that_only_lists_again_stops_what_waits(place: World) -> None:
    ana = place.store_key()
    [person] = place.people(1)
    member(place, person, SOURCE)
    place.sync(ana)
    rule_id = rule(place, ana)
    [(organization_id, _rule, number)] = access_rule_runs.due_access_rules(place.tools)
    access_rule_runs.evaluate(place.tools, organization_id, rule_id, number)
    access_rules.switch_mode(place.tools, ana, rule_id, Mode.AUDIT)
    place.act()
    assert TARGET not in groups_of(place, person)
    [run] = runs_of(place, rule_id, state="stopped")
    assert place.states(run.id) == {person: "cancelled"}


def test_a_worker_dies_between_the_call_and_writing_it_down(place: World) -> None:
    ana = place.store_key()
    [person] = place.people(1)
    member(place, person, SOURCE)
    place.sync(ana)
    rule_id = rule(place, ana)
    [(organization_id, _rule, number)] = access_rule_runs.due_access_rules(place.tools)
    # Dead before its transaction: nothing is there. Done twice: once.
    dying = with_something_between(place.tools, die("before", "transaction"))
    with pytest.raises(Killed):
        access_rule_runs.evaluate(dying, organization_id, rule_id, number)
    for _ in range(2):
        access_rule_runs.evaluate(place.tools, organization_id, rule_id, number)
    [run] = runs_of(place, rule_id, state="running")
    [(_org, case_id, attempt)] = orders.lease_due_cases(place.tools)
    dying = with_something_between(place.tools, die("after", "join_group"))
    with pytest.raises(Killed):
        act_on(dying, organization_id, case_id, attempt)
    assert place.rows(AccessGiven) == []
    place.later(minutes=11)
    place.act()
    assert place.states(run.id) == {person: "acted"}
    assert len(place.rows(AccessGiven)) == 1
    assert place.effects_by(person) == {f"join_group:{TARGET}": 1}


def test_an_operator_who_takes_it_back_has_the_last_word(place: World) -> None:
    ana = place.store_key()
    [person] = place.people(1)
    member(place, person, SOURCE)
    place.sync(ana)
    rule_id = rule(place, ana)
    evaluate(place)
    place.undo(ana, runs_of(place, rule_id)[0].id)
    assert TARGET not in groups_of(place, person)
    later_sync(place, ana)
    evaluate(place)
    assert TARGET not in groups_of(place, person)
    assert place.rows(AccessGiven)[0].reason == "An operator took it back."


def test_circles_and_groups_of_the_provider_are_said_at_once(place: World) -> None:
    ana = place.synced()
    rule(place, ana, live=False)
    wrong = [
        ({"sources": [group(place, TARGET)], "groups": [group(place, SOURCE)]}, "identity provider"),
        ({"sources": [group(place, TARGET)], "groups": [group(place, TARGET)]}, "what the rule follows"),
        ({"sources": [], "groups": [group(place, TARGET)]}, "Choose the group"),
        ({"sources": [group(place, SOURCE)], "groups": []}, "Choose a product or a group"),
        ({"sources": ["gone"], "groups": [group(place, TARGET)]}, "does not exist any more"),
        ({"groups": [group(place, TARGET)], "share": "101"}, "from 0 to 100"),
        ({"name": "designers WITH contractors"}, "has this name"),
    ]
    for changed, sentence in wrong:
        with pytest.raises(BadRule) as bad:
            rule(place, ana, live=False, **{"name": "Another"} | changed)
        assert sentence in " ".join(each.sentence for each in bad.value.problems)
    # contractors -> agents -> contractors would never let anybody out.
    rule(place, ana, live=False, name="On", sources=[group(place, TARGET)], groups=[group(place, OTHER)])
    with pytest.raises(BadRule, match="would never get out"):
        rule(
            place, ana, live=False, name="Back", sources=[group(place, OTHER)], groups=[group(place, TARGET)]
        )


def test_s19_another_organization_has_no_hand_in_it(place: World) -> None:
    ana = place.synced()
    rule_id = rule(place, ana, live=False)
    gina = place.store_key("gina", "globex")
    for deed in (
        lambda: access_rules.switch_mode(place.tools, gina, rule_id, Mode.LIVE),
        lambda: access_rules.delete_access_rule(place.tools, gina, rule_id),
        lambda: access_rules.give_again(place.tools, gina, rule_id, "anybody"),
        lambda: access_rule_lists.preview_access_rule(place.tools, gina, rule_id),
        lambda: access_rule_lists.mark_seen(place.tools, gina, rule_id),
        lambda: access_rules.save_access_rule(
            place.tools, gina, Typed(name="x", sources=[group(place, SOURCE)]), rule_id
        ),
    ):
        with pytest.raises((NotFound, BadRule, NotReady)):
            deed()  # type: ignore[no-untyped-call]
    assert place.stored(StoredAccessRule, ACME, rule_id).version == 1
    assert {case.organization_id for case in place.rows(Case)} <= {ACME}
