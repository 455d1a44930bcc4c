"""Whoever was given their access back is not acted on again before they could come (S55)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connect.caller import Caller
from models.people import Grant, Person
from rules.deeds import Deed
from rules.topics import AnswerKind
from services import absences, answer_queue, previews, runs
from services.answers import answer
from services.keep_links import keep_link
from services.previews import Purpose
from tests.services.test_never_came import give
from tests.world import ACME, World

STEP = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 0}
ACCESS = {
    "when": {"not_seen": 90},
    "then": {"deed": "remove_access", "products": ["jira-software"]},
    "grace": 0,
}


def begin(world: World) -> tuple[Caller, str]:
    """(operator, person): somebody who was not seen for 100 days."""
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    return ana, person


def assert_their_turn_comes(world: World, ana: Caller, rule_id: str, person: str) -> None:
    world.later(days=90)
    world.sync(ana)
    assert world.case(world.run_rule(ana, rule_id), person).state == "acted"


def next_run(world: World, ana: Caller, rule_id: str, person: str) -> str:
    """The next day; the person's reason."""
    world.later(hours=20)
    world.sync(ana)
    run_id = world.run_rule(ana, rule_id)
    assert world.case(run_id, person).state == "spared"
    return world.case(run_id, person).reason


def test_who_asked_for_it_back_and_got_it(world: World) -> None:
    ana, person = begin(world)
    step = STEP | {"grace": 14, "warn": [14]}
    rule_id = world.rule(ana, step, who={"people": [person]})
    run_id = world.run_rule(ana, rule_id)
    world.later(days=15)
    world.act()
    case = world.case(run_id, person)
    assert case.state == "acted"
    world.settled()
    token = keep_link(world.tools, ACME, case.id, person).rpartition("/")[2]
    answer(world.tools, token, AnswerKind.ASK_BACK, words="Year end")
    answer_queue.grant(world.tools, ana, [case.id])
    world.act()
    assert world.effects(person) == {"suspend": 1, "restore": 1}
    assert next_run(world, ana, rule_id, person).startswith("Was given access on ")
    world.later(days=90)
    world.sync(ana)
    assert world.case(world.run_rule(ana, rule_id), person).state == "warned"


def test_who_is_back_from_their_leave(world: World) -> None:
    ana, person = begin(world)
    leave = Purpose("Leave", "", world.clock().date() + timedelta(days=20), comes_back=True)
    run_id = previews.preview(
        world.tools, ana, Deed.SUSPEND, account_ids=[person], filter=None, purpose=leave
    )
    runs.confirm(world.tools, ana, run_id)
    world.act()
    world.settled()
    rule_id = world.rule(ana, STEP, who={"people": [person]})
    world.later(days=21)
    absences.bring_back(world.tools)
    world.act()
    assert world.effects(person) == {"suspend": 1, "restore": 1}
    next_run(world, ana, rule_id, person)


@pytest.mark.parametrize("step", [STEP, ACCESS], ids=["suspended", "out of Jira"])
def test_whose_run_was_taken_back(world: World, step: dict[str, object]) -> None:
    ana, person = begin(world)
    rule_id = world.rule(ana, step, who={"people": [person]})
    run_id = world.run_rule(ana, rule_id)
    assert world.case(run_id, person).state == "acted"
    world.undo(ana, run_id)
    assert world.case(run_id, person).state == "undone"
    next_run(world, ana, rule_id, person)


def test_a_run_that_began_before_spares_them_at_the_deed(world: World) -> None:
    """The plan was made while they were away for another reason; the deed looks again."""
    ana, person = begin(world)
    rule_id = world.rule(ana, STEP | {"grace": 7, "warn": [7]}, who={"people": [person]})
    run_id = world.run_rule(ana, rule_id)
    by_hand = world.begin_run(ana, [person])
    world.act()
    world.settled()
    world.begin_run(ana, [person], Deed.RESTORE)
    world.act()
    assert world.case(by_hand, person).state == "acted"
    world.later(days=8)
    world.act()
    assert world.case(run_id, person).state == "spared"
    assert "Was given access on" in world.case(run_id, person).reason


def test_whom_somebody_restored_at_atlassian(world: World) -> None:
    """A sync finds it; nobody told us."""
    ana, person = begin(world)
    rule_id = world.rule(ana, STEP, who={"people": [person]})
    run_id = world.run_rule(ana, rule_id)
    assert world.case(run_id, person).state == "acted"
    world.change(person, membership_status="active")
    next_run(world, ana, rule_id, person)
    assert world.effects(person) == {"suspend": 1, "restore": 0}


def test_whom_somebody_let_in_again_at_atlassian(world: World) -> None:
    """Their last sign of life is as old as when they lost it: they would lose it again the next day."""
    ana, person = begin(world)
    rule_id = world.rule(ana, ACCESS, who={"people": [person]})
    run_id = world.run_rule(ana, rule_id)
    assert world.case(run_id, person).state == "acted"
    world.control("POST", f"/people/{person}/groups", {"group": "jira-users", "member": True})
    assert next_run(world, ana, rule_id, person).startswith("Was given access on ")
    assert world.effects_by(person) == {"leave_group:jira-users": 1}
    assert world.case(run_id, person).came_back_at is not None, "operators are told all the same"
    assert_their_turn_comes(world, ana, rule_id, person)


def test_who_left_and_is_here_again(world: World) -> None:
    """With the account they had, last seen long ago: somebody has let them in again."""
    ana, person = begin(world)
    rule_id = world.rule(ana, STEP, who={"people": [person]})
    for organization in ("elsewhere", "acme"):
        with world.sandbox.cloud.store.write() as connection:
            connection.execute("UPDATE person SET org = ? WHERE account_id = ?", (organization, person))
        world.later(hours=20)
        world.sync(ana)
        left = world.stored(Person, ACME, person).left_at
        assert (left is None) == (organization == "acme")
    run_id = world.run_rule(ana, rule_id)
    assert world.case(run_id, person).state == "spared"
    assert world.effects(person)["suspend"] == 0
    assert_their_turn_comes(world, ana, rule_id, person)


def test_whom_somebody_removed_and_let_in_again(sqlite_world: World) -> None:
    """A managed account is shown all the while."""
    world = sqlite_world
    ana, person = begin(world)
    rule_id = world.rule(ana, STEP, who={"people": [person]})
    for membership in ("no_membership", "active"):
        world.change(person, membership_status=membership)
        world.later(hours=20)
        world.sync(ana)
    assert world.case(world.run_rule(ana, rule_id), person).state == "spared"
    assert world.effects(person)["suspend"] == 0
    assert_their_turn_comes(world, ana, rule_id, person)


def test_whom_an_operator_gave_it_anew(world: World) -> None:
    """No undo: by a list, a ticket or a profile, long after it was taken."""
    ana, person = begin(world)
    rule_id = world.rule(ana, ACCESS, who={"people": [person]})
    assert world.states(world.run_rule(ana, rule_id)) == {person: "acted"}
    world.settled()
    world.later(days=2)
    world.sync(ana)
    give(world, ana, person, "jira-users")
    assert next_run(world, ana, rule_id, person).startswith("Was given access on ")
    assert_their_turn_comes(world, ana, rule_id, person)


def test_whoever_is_given_what_costs_no_seat_is_as_idle_as_before(sqlite_world: World) -> None:
    ana, person = begin(sqlite_world)
    rule_id = sqlite_world.rule(ana, STEP, who={"people": [person]})
    free = next(name for name in sqlite_world.groups() if not granted(sqlite_world, name))
    give(sqlite_world, ana, person, free)
    sqlite_world.later(hours=20)
    sqlite_world.sync(ana)
    assert sqlite_world.states(sqlite_world.run_rule(ana, rule_id)) == {person: "acted"}


def granted(world: World, group: str) -> bool:
    """Whether the group gives access to a product."""
    group_id = world.groups()[group]["id"]
    return any(grant.group_id == group_id for grant in world.rows(Grant))
