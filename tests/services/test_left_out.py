"""Atlassian leaves something out of what it tells of one person, just when it is asked: it is not lost by them."""

from __future__ import annotations

import pytest

from models.people import Membership, Seat
from rules.handover import Kind
from services import leaver_decisions, leavers, protecting, retrying
from services.left_out import half_told
from services.toolbox import Toolbox
from tests.services.leavers import UMA, leaver, planned, ready, states, work
from tests.services.retold import Row, Tell, retold, with_everybody
from tests.services.test_rereading import read_again, told
from tests.services.test_timed_access import begin, inside, keep_time, timed
from tests.world import World

WORDS = ("groups", "productAccess", "platformRoles")
AS_BEFORE = {"suspend": 0, "restore": 0}


def without(*words: str) -> Tell:
    return with_everybody(lambda person: {name: person[name] for name in person if name not in words})


def given_up(world: World, tools: Toolbox) -> None:
    for _ in range(12):
        world.later(minutes=6)
        world.act(tools)


def test_s48_what_guards_somebody_is_not_lost_because_atlassian_says_nothing_of_it(
    world: World,
) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    run_id = world.begin_run(ana, [person])
    group = world.groups()["jira-users"]["id"]
    protecting.protect(world.tools, ana, kind="group", value=group, reason="On call", until="")
    with retold(world, without("groups")) as tools:
        world.act(tools)
        case = world.case(run_id, person)
        assert (case.state, case.troubles, world.effects(person)) == ("planned", 1, AS_BEFORE)
        given_up(world, tools)
    case = world.case(run_id, person)
    assert (case.state, world.effects(person)) == ("failed", AS_BEFORE)
    assert "left out" in case.reason


def test_whoever_is_told_of_by_half_for_a_moment_is_acted_on_after_it(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    run_id = world.begin_run(ana, [person])
    with retold(world, without("productAccess")) as tools:
        world.act(tools)
    assert world.case(run_id, person).state == "planned"
    world.later(minutes=1)
    world.act()
    assert (world.case(run_id, person).state, world.effects(person)["suspend"]) == ("acted", 1)


def test_whoever_has_lost_all_their_groups_is_acted_on_after_a_sync_that_says_so(world: World) -> None:
    """Atlassian may leave out what is empty."""
    world.control("POST", "/settings", {"max_page": 5})
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    run_id = world.begin_run(ana, [person])
    world.arrange(person)

    def empty_is_left_out(row: Row) -> Row:
        return {name: row[name] for name in row if name not in WORDS or row[name]}

    with retold(world, with_everybody(empty_is_left_out)) as tools:
        given_up(world, tools)
        assert world.case(run_id, person).state == "failed"
        world.later(hours=1)
        assert world.sync(ana, tools).state == "complete"
        retrying.retry_failed(tools, ana, run_id)
        world.act(tools)
    assert (world.case(run_id, person).state, world.effects(person)["suspend"]) == ("acted", 1)


def test_access_for_a_time_has_not_ended_because_nothing_is_said_of_groups(world: World) -> None:
    ana = world.synced()
    (person,) = world.people(1)
    world.sync(ana)
    case_id = begin(world, ana, person, 3)
    world.later(days=4)
    with retold(world, without("groups")) as tools:
        keep_time(world, tools)
        world.act(tools)
        assert (timed(world, case_id).state == "ended", inside(world, person)) == (False, True)
    world.later(minutes=10)
    world.act()
    assert (timed(world, case_id).state, inside(world, person)) == ("ended", False)


def test_a_call_whose_answer_was_lost_is_not_believed_to_have_landed(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1, groups=["jira-users", "contractors"])
    world.sync(ana)
    step = {
        "when": {"not_seen": 90},
        "then": {"deed": "remove_access", "products": ["jira-software"]},
        "grace": 0,
    }
    world.fault("/memberships/", "reset", method="DELETE")
    run_id = world.run_rule(ana, world.rule(ana, step, who={"people": [person]}))
    assert world.case(run_id, person).state == "acting"
    world.later(minutes=1)
    with retold(world, without("groups")) as tools:
        world.act(tools)
    assert world.case(run_id, person).state == "acting"
    world.later(minutes=6)
    world.act()
    assert (world.case(run_id, person).state, inside(world, person, "jira-users")) == ("acted", False)


def test_what_left_their_last_group_is_found_done_though_nothing_is_said_of_groups(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    step = {
        "when": {"not_seen": 90},
        "then": {"deed": "remove_access", "products": ["jira-software"]},
        "grace": 0,
    }
    world.fault("/memberships/", "reset", method="DELETE", after=True)
    run_id = world.run_rule(ana, world.rule(ana, step, who={"people": [person]}))
    world.later(minutes=1)
    with retold(world, without("groups", "productAccess")) as tools:
        world.act(tools)
    assert world.case(run_id, person).state == "acted"
    assert world.effects_by(person) == {"leave_group:jira-users": 1}


@pytest.mark.parametrize("word", ["groups", "productAccess"])
def test_an_event_about_somebody_takes_nothing_that_is_only_left_out(word: str, world: World) -> None:
    ana = world.synced()
    (person,) = world.people(1)
    world.later(hours=1)
    world.sync(ana)
    before = [world.dump()[model.__tablename__] for model in (Membership, Seat)]
    told(world, person)
    world.later(seconds=10)
    with retold(world, without(word)) as tools:
        assert read_again(world, tools) == 1
    assert [world.dump()[model.__tablename__] for model in (Membership, Seat)] == before


def test_a_leaver_of_whom_atlassian_tells_by_half_is_looked_at_again(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    before = [world.dump()[model.__tablename__] for model in (Membership, Seat)]
    (leaver_id,) = leavers.request_leavers(world.tools, ana, [UMA])
    with retold(world, without("groups")) as tools:
        work(world, tools)
    found = leaver(world, leaver_id)
    assert (found.state, found.reason) == ("looking", half_told().sentence)
    assert [world.dump()[model.__tablename__] for model in (Membership, Seat)] == before
    world.later(minutes=1)
    work(world)
    assert leaver(world, leaver_id).state == "ready"


def test_a_successor_has_not_lost_a_product_because_nothing_is_said_of_it(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana)
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    with retold(world, without("productAccess")) as tools:
        work(world, tools)
    assert states(world, leaver_id, Kind.FILTER) == {"chosen"}
    assert leaver(world, leaver_id).reason == half_told().sentence
    world.later(minutes=1)
    work(world)
    assert states(world, leaver_id, Kind.FILTER) == {"moved"}
