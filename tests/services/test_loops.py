"""The loop alarm: what a deed took is back, and nobody here gave it back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connect.caller import Caller
from models.people import Person
from rules.deeds import Deed
from rules.topics import Topic
from sandbox.world import ORGANIZATIONS
from services import loops, syncing
from services.matters import matters as matters_of
from tests.world import ACME, World

pytestmark = pytest.mark.slow


def step(deed: str, **then: Any) -> dict[str, Any]:
    return {"when": {"not_seen": 90}, "then": {"deed": deed, **then}, "grace": 0}


def acted(world: World, people: list[str], what: dict[str, Any]) -> tuple[Caller, str]:
    ana = world.store_key()
    world.sync(ana)
    run_id = world.run_rule(ana, world.rule(ana, what, who={"people": people}))
    assert set(world.states(run_id).values()) == {"acted"}
    world.settled()
    return ana, run_id


def back(world: World, run_id: str) -> set[str]:
    return {account_id for account_id, case in world.cases(run_id).items() if case.came_back_at is not None}


def own(world: World, group: str, *, synced: bool) -> None:
    """Who owns a group changes hands at Atlassian."""
    with world.sandbox.cloud.store.write() as connection:
        connection.execute("UPDATE team SET synced = ? WHERE org = 'acme' AND name = ?", (synced, group))


def test_the_identity_provider_puts_somebody_back(world: World) -> None:
    """The group was not marked as the provider's when the deed was done; its next run says otherwise."""
    ana = world.store_key()
    staff = [
        one["account_id"]
        for one in world.directory()
        if (one["kind"], one["source"]) == ("employee", "synced")
    ]
    loop, gone = staff[:2]
    for account_id in (loop, gone):
        world.arrange(account_id, groups=["all-staff"])
    own(world, "all-staff", synced=False)
    both = step("remove_access", products=["jira-software", "confluence"])
    ana, run_id = acted(world, [loop, gone], both)
    world.sync(ana)
    assert back(world, run_id) == set()
    own(world, "all-staff", synced=True)
    world.control("DELETE", f"/people/{gone}")
    world.control("POST", "/idp-sync?site=acme")
    world.later(hours=1)
    world.sync(ana)
    assert back(world, run_id) == {loop}
    world.later(hours=1)
    world.sync(ana)
    assert [entry.subject for entry in world.audit("case:came_back")] == [loop], "said once"
    (matter,) = [one for one in matters_of(world.tools, ACME) if one.topic is Topic.LOOP_FOUND]
    assert matter.sentence.startswith("1 person has back what a run took away")
    assert matter.action_path == f"/app/runs/{run_id}"
    # The next plan knows it too, and does not take it away for ever.
    world.change(loop, last_active=world.days_ago(100))
    world.sync(ana)
    again = world.run_rule(ana, world.rule(ana, both, name="Again", who={"people": [loop]}))
    assert world.states(again) == {loop: "not_possible"}
    world.later(days=31)
    with world.tools.begin() as session:
        assert loops.count_loops(session, ACME, world.clock()) == 0


@pytest.mark.parametrize("how", ["undo", "restore"])
def test_what_was_given_back_here_is_no_loop(world: World, how: str) -> None:
    (person,) = world.people(1)
    ana, run_id = acted(world, [person], step("suspend"))
    if how == "undo":
        world.undo(ana, run_id)
    else:
        world.begin_run(ana, [person], Deed.RESTORE)
        world.act()
    world.later(hours=1)
    world.sync(ana)
    assert back(world, run_id) == set()


def test_somebody_restored_or_invited_again_elsewhere_came_back(world: World) -> None:
    suspended, same = world.people(2)
    ana, run_id = acted(world, [suspended, same], step("suspend"))
    world.change(suspended, membership_status="active")
    world.later(hours=1)
    world.sync(ana)
    assert back(world, run_id) == {suspended}


def test_access_that_is_back_by_another_way_is_back(world: World) -> None:
    """A role of their own shows in no group; and the product counts, not the way on which it was taken."""
    role, group, gone, other = world.people(4, groups=[], direct=["jira-software"])
    left = step("change_groups", leave=[world.groups()["contractors"]["id"]])
    world.arrange(other, groups=["contractors", "jira-users"])
    ana, run_id = acted(world, [role, group, gone], step("remove_access", products=["jira-software"]))
    groups_run = world.run_rule(ana, world.rule(ana, left, name="Groups", who={"people": [other]}))
    assert world.states(groups_run) == {other: "acted"}
    world.settled()
    world.later(hours=1)
    world.sync(ana)
    assert back(world, run_id) == back(world, groups_run) == set()
    assigned = {"role": "atlassian/user", "resource": ORGANIZATIONS["acme"].resource("jira-software")}
    world.api("POST", f"/v1/orgs/{{org}}/users/{role}/roles/assign", assigned)
    world.control("POST", f"/people/{group}/groups", {"group": "jira-users", "member": True})
    world.later(hours=1)
    world.sync(ana)
    assert back(world, run_id) == {role, group}
    assert back(world, groups_run) == set(), "still in Jira by another group: that one was not left"
    (matter,) = [one for one in matters_of(world.tools, ACME) if one.topic is Topic.LOOP_FOUND]
    assert matter.sentence.startswith("2 people have back what a run took away")


def test_what_a_group_opens_since_it_was_left_is_not_what_was_taken(world: World) -> None:
    """Somebody works in Confluence all along: whoever had left Jira was said to be back, and their time began anew."""
    everything = {"groups": ["jira-users", "contractors"], "direct": ["jira-software"]}
    (person,) = world.people(1, **everything)
    ana, run_id = acted(world, [person], step("remove_access", products=["jira-software"]))
    with world.sandbox.cloud.store.write() as connection:
        connection.execute(
            "INSERT INTO team_role SELECT id, ?, 'atlassian/user' FROM team WHERE org = 'acme' AND name = 'jira-users'",
            (ORGANIZATIONS["acme"].resource("confluence"),),
        )
    world.later(hours=1)
    world.sync(ana)
    assert back(world, run_id) == set()
    assert world.stored(Person, ACME, person).given_back_at is None


def test_who_is_not_looked_at_any_more_makes_no_new_matter(world: World) -> None:
    first, second = world.people(2)
    ana, run_id = acted(world, [first, second], step("suspend"))
    told = []
    for person, days in ((first, 0), (second, 10), ("", 25)):
        world.later(days=days, hours=1)
        if person:
            world.change(person, membership_status="active")
        world.sync(ana)
        told += [one for one in matters_of(world.tools, ACME) if one.topic is Topic.LOOP_FOUND]
    assert [one.sentence[:8] for one in told] == ["1 person", "2 people", "1 person"]
    assert told[0].key != told[1].key == told[2].key
    assert back(world, run_id) == {first, second}


def test_a_sync_that_was_under_way_during_the_deed_raises_no_alarm(sqlite_world: World) -> None:
    """What it read may be older than the deed: the next one will tell."""
    world = sqlite_world
    (person,) = world.people(1)
    ana = world.store_key()
    world.sync(ana)
    world.later(hours=1)
    rule_id = world.rule(ana, step("remove_access", products=["jira-software"]), who={"people": [person]})
    syncing.request_sync(world.tools, ana)
    world.fault("/memberships/", "delay-visibility", seconds=600)
    run_id = world.run_rule(ana, rule_id)
    assert world.states(run_id) == {person: "acted"}
    world.clock.offset += timedelta(minutes=5)
    world.read_on()
    assert back(world, run_id) == set()
