"""What the cases of one handful share is read once, and still nobody is acted on by what was so before."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from sqlalchemy import event

from models.credential import Credential
from services import protecting, rule_runs
from tests.services.test_rereading import read_again
from tests.services.workers import once, with_something_between
from tests.world import ACCOUNTS, ACME_KEY, World

MOST_QUESTIONS = 18


def test_s48_of_two_administrators_in_one_handful_the_last_one_stays(world: World) -> None:
    ana = world.store_key()
    (other,) = world.people(1, groups=["jira-admins", "confluence-admins"])
    for name in ("ana", "priya"):
        world.control("POST", f"/people/{ACCOUNTS[name]}/groups", {"group": "site-admins", "member": False})
    world.sync(ana)
    both = [ACCOUNTS["jon"], other]
    run_ids = [world.begin_run(ana, [person]) for person in both]
    world.act()
    states = [world.states(run_id)[person] for run_id, person in zip(run_ids, both, strict=True)]
    assert sorted(states) == ["acted", "spared"]
    assert sum(world.effects(person)["suspend"] for person in both) == 1


def test_s48_an_administrator_of_whom_nobody_knows_whether_they_are_suspended_does_not_count(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    ana = world.store_key()
    (other,) = world.people(1, groups=["jira-admins", "confluence-admins"])
    for name in ("ana", "priya"):
        world.control("POST", f"/people/{ACCOUNTS[name]}/groups", {"group": "site-admins", "member": False})
    world.sync(ana)
    jon = ACCOUNTS["jon"]
    first = world.begin_run(ana, [jon])
    world.fault(f"{jon}/suspend$", "reset", after=True)
    world.act()
    world.fault("/users/search$", "503", times=None)
    world.given_up()
    assert (world.states(first)[jon], world.effects(jon)["suspend"]) == ("failed", 1)
    world.clear_faults()
    second = world.begin_run(ana, [other])
    world.act()
    assert (world.states(second)[other], world.effects(other)["suspend"]) == ("planned", 0)
    world.settled()
    read_again(world)
    world.act()
    assert world.states(second)[other] == "spared"
    assert world.case(second, other).reason.startswith("Is the last administrator of ")
    assert world.effects(other)["suspend"] == 0


def test_who_is_protected_a_second_before_their_turn_is_left_alone(world: World) -> None:
    ana = world.synced()
    first, second = world.changeable(2)
    run_id = world.begin_run(ana, [first, second])

    def protects() -> None:
        (next_one,) = (person for person in (first, second) if world.states(run_id)[person] != "acting")
        protecting.protect(world.tools, ana, kind="person", value=next_one, reason="The board", until="")
        world.later(seconds=2)

    world.act(with_something_between(world.tools, once("after", "suspend", protects)))
    assert sorted(world.states(run_id).values()) == ["acted", "spared"]


def test_a_key_that_atlassian_rejects_half_way_is_marked(world: World) -> None:
    ana = world.synced()
    run_id = world.begin_run(ana, world.changeable(4))

    def expires() -> None:
        world.control("POST", f"/keys/{ACME_KEY}/expire")

    world.act(with_something_between(world.tools, once("after", "suspend", expires)))
    assert sorted(world.states(run_id).values()) == ["acted", "failed", "failed", "failed"]
    assert [each.state for each in world.rows(Credential)] == ["rejected"]


def test_a_deed_of_a_rule_asks_little(world: World) -> None:
    """Ten people of one handful; each question to our own memory costs as much as the next one."""
    ana = world.store_key()
    people = world.people(10)
    world.sync(ana)
    questions: list[str] = []

    def asked(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        questions.append(statement)

    rule_id = world.rule(ana, who={"people": people})
    run_id = rule_runs.run_now(world.tools, ana, rule_id)
    event.listen(world.tools.engine, "before_cursor_execute", asked)
    now = world.clock()
    try:
        # What a handful shares is read again every second; on a busy machine it takes longer than one.
        world.act(replace(world.tools, clock=lambda: now))
    finally:
        event.remove(world.tools.engine, "before_cursor_execute", asked)
    assert set(world.states(run_id).values()) == {"acted"}
    assert len(questions) / len(people) <= MOST_QUESTIONS, Counter(questions).most_common()
