"""A firewall, an allowlist of addresses or a gateway answers in Atlassian's place, by a page: of nothing it says no."""

from __future__ import annotations

from typing import Any

import pytest

from models.credential import Credential, CredentialKind
from services import daily_checks, retrying, rule_runs, syncing
from tests.connect.listener import Call, Reply
from tests.services.retold import Tell, retold
from tests.world import ACME, PEOPLE, World

PAGE = b"<!doctype html><title>Request blocked</title>"
ADMIN_KEY = CredentialKind.ADMIN_KEY.value


def turned_away(status: int, path: str = "") -> Tell:
    """Nothing that is asked for at such a path comes to Atlassian."""

    def tell(call: Call, answer: Any) -> Any:
        return Reply(status, PAGE, {"Content-Type": "text/html"}) if path in call.path else answer

    return tell


@pytest.mark.parametrize("status", [403, 404])
def test_a_key_is_not_rejected_by_whoever_stands_in_front_of_atlassian(
    status: int, sqlite_world: World
) -> None:
    world = sqlite_world
    ana = world.synced()
    assert ana.tenant
    world.later(days=1, hours=1)
    with retold(world, turned_away(status)) as tools:
        daily_checks.check_credential(tools, ana.tenant, ADMIN_KEY)
    [key] = [row for row in world.rows(Credential) if row.client_key == ana.tenant]
    assert (key.state, "in front of Atlassian" in key.check_result) == ("unchecked", True)
    assert world.audit("credential:died") == []
    assert world.sync(ana).state == "complete"


def test_a_sync_that_is_turned_away_waits_and_says_so(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    world.later(hours=1)
    with retold(world, turned_away(403, "/users/search")) as tools:
        waiting = world.sync(ana, tools)
    assert (waiting.state, "in front of Atlassian" in waiting.problem) == ("running", True)
    world.later(minutes=1)
    world.read_on()
    after = syncing.progress(world.tools, ACME)
    assert after is not None
    assert (after.state, after.people) == ("complete", PEOPLE)


def test_whose_call_is_turned_away_waits_and_is_acted_on_once(world: World) -> None:
    ana = world.synced()
    (person,) = world.changeable(1)
    run_id = world.begin_run(ana, [person])
    with retold(world, turned_away(403)) as tools:
        world.act(tools)
    assert (world.case(run_id, person).state, world.effects(person)["suspend"]) == ("planned", 0)
    world.later(minutes=1)
    world.act()
    assert (world.case(run_id, person).state, world.effects(person)["suspend"]) == ("acted", 1)


def test_a_group_that_a_gateway_does_not_find_is_not_left(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1, groups=["jira-users", "contractors"])
    world.sync(ana)
    then = {"deed": "remove_access", "products": ["jira-software"]}
    step = {"when": {"not_seen": 90}, "then": then, "grace": 0}
    rule_id = world.rule(ana, step, who={"people": [person]})

    run_id = rule_runs.run_now(world.tools, ana, rule_id)

    def not_found(call: Call, answer: Any) -> Any:
        return Reply(404, PAGE) if call.method == "DELETE" else answer

    # The call does not come to Atlassian, either.
    world.fault("/memberships/", "500", method="DELETE")
    with retold(world, not_found) as tools:
        world.act(tools)
    assert world.case(run_id, person).state == "acting"
    held = world.holding(person)
    assert held is not None
    assert "jira-users" in held["groups"]
    world.later(minutes=1)
    world.act()
    assert (world.case(run_id, person).state, world.effects_by(person)) == (
        "acted",
        {"leave_group:jira-users": 1},
    )


def test_s50_a_call_that_a_page_answered_is_looked_for_by_facts(world: World) -> None:
    ana = world.synced()
    (person,) = world.changeable(1)
    run_id = world.begin_run(ana, [person])
    world.fault(f"/users/{person}/suspend$", "html", after=True)
    world.act()
    assert world.case(run_id, person).state == "acting"
    world.later(minutes=1)
    world.act()
    assert (world.case(run_id, person).state, world.effects(person)["suspend"]) == ("acted", 1)


@pytest.mark.parametrize("status", [200, 403])
def test_nobody_is_refused_for_a_page_that_comes_for_ten_minutes(status: int, world: World) -> None:
    ana = world.synced()
    people = world.changeable(3)
    run_id = world.begin_run(ana, people)
    with retold(world, turned_away(status)) as tools:
        for _ in range(10):
            world.act(tools)
            world.later(minutes=1)
    assert set(world.states(run_id).values()) == {"planned"}
    world.later(minutes=5)
    world.act()
    assert set(world.states(run_id).values()) == {"acted"}
    assert [world.effects(person)["suspend"] for person in people] == [1, 1, 1]


def test_whoever_cannot_be_read_was_not_refused_and_is_tried_again(world: World) -> None:
    ana = world.synced()
    (person,) = world.changeable(1)
    run_id = world.begin_run(ana, [person])
    world.fault("/users/search$", "odd")
    world.act()
    assert world.case(run_id, person).state == "failed"
    retrying.retry_failed(world.tools, ana, run_id)
    world.act()
    assert (world.case(run_id, person).state, world.effects(person)["suspend"]) == ("acted", 1)
