"""Atlassian does not say of organization admins that they are: they keep their guard, nobody else gets one (S48)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connect.caller import Caller, Via
from models.people import Person
from rules.guards import SENTENCES, Guard
from rules.person import ORG_ADMIN
from services import leavers
from services.operators import is_operator
from tests.services.leavers import UMA, leaver, ready, work
from tests.services.retold import Row, retold, with_everybody
from tests.services.test_rereading import read_again, told
from tests.world import ACME, World

AS_BEFORE = {"suspend": 0, "restore": 0}
ROLES = "platformRoles"


def missing(row: Row) -> Row:
    return {name: row[name] for name in row if name != ROLES}


def null(row: Row) -> Row:
    return row | {ROLES: None}


def empty(row: Row) -> Row:
    return row | {ROLES: []}


def empty_is_left_out(row: Row) -> Row:
    return row if row.get(ROLES) else missing(row)


WAYS = pytest.mark.parametrize("way", [missing, null, empty])


def promote(world: World, person: str) -> None:
    world.change(person, platform_roles=[ORG_ADMIN])


def admins(world: World) -> set[str]:
    return {
        each.account_id for each in world.rows(Person) if each.is_org_admin and each.organization_id == ACME
    }


@WAYS
def test_a_sync_that_says_nothing_of_admins_takes_no_guard_away(
    way: Callable[[Row], Row], world: World
) -> None:
    ana = world.store_key()
    [person] = world.people(1)
    promote(world, person)
    world.sync(ana)
    before = admins(world)
    assert person in before
    world.later(hours=1)
    with retold(world, with_everybody(way)) as tools:
        assert world.sync(ana, tools).state == "complete"
    assert admins(world) == before


def test_the_first_sync_knows_the_admins_though_their_rows_say_nothing_of_it(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    [person] = world.people(1)
    promote(world, person)
    with retold(world, with_everybody(missing)) as tools:
        assert world.sync(ana, tools).state == "complete"
    assert {person, ana.account_id} <= admins(world)


@pytest.mark.parametrize("way", [dict, empty_is_left_out])
def test_who_is_no_admin_any_more_loses_the_guard(way: Callable[[Row], Row], sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    [person] = world.people(1)
    promote(world, person)
    world.sync(ana)
    world.change(person, platform_roles=[])
    world.later(hours=1)
    with retold(world, with_everybody(way)) as tools:
        assert world.sync(ana, tools).state == "complete"
    assert person not in admins(world)
    assert ana.account_id in admins(world)


@WAYS
def test_nobody_who_administers_the_organization_is_acted_on_because_one_answer_does_not_say_so(
    way: Callable[[Row], Row], world: World
) -> None:
    ana = world.store_key()
    [person] = world.people(1)
    world.sync(ana)
    run_id = world.begin_run(ana, [person])
    promote(world, person)
    if way is empty:
        world.later(hours=1)
        world.sync(ana)
    with retold(world, with_everybody(way)) as tools:
        world.act(tools)
    case = world.case(run_id, person)
    assert (case.state, case.reason, world.effects(person)) == (
        "spared",
        SENTENCES[Guard.ORG_ADMIN],
        AS_BEFORE,
    )


def test_who_was_demoted_since_the_last_sync_is_acted_on(world: World) -> None:
    ana = world.store_key()
    [person] = world.people(1)
    world.sync(ana)
    run_id = world.begin_run(ana, [person])
    promote(world, person)
    world.later(hours=1)
    world.sync(ana)
    world.change(person, platform_roles=[])
    with retold(world, with_everybody(empty_is_left_out)) as tools:
        world.act(tools)
    assert (world.case(run_id, person).state, world.effects(person)["suspend"]) == ("acted", 1)


@WAYS
def test_an_event_about_an_admin_takes_no_guard_away(way: Callable[[Row], Row], sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    [person] = world.people(1)
    promote(world, person)
    world.sync(ana)
    before = admins(world)
    told(world, person)
    world.later(seconds=10)
    with retold(world, with_everybody(way)) as tools:
        assert read_again(world, tools) == 1
    assert admins(world) == before


@WAYS
def test_a_leaver_who_administers_the_organization_does_so_though_an_answer_does_not_say_it(
    way: Callable[[Row], Row], sqlite_world: World
) -> None:
    world = sqlite_world
    promote(world, UMA)
    ana = ready(world)
    (leaver_id,) = leavers.request_leavers(world.tools, ana, [UMA])
    with retold(world, with_everybody(way)) as tools:
        work(world, tools)
    assert any("admin" in str(each).lower() for each in leaver(world, leaver_id).obstacles)
    assert UMA in admins(world)


def test_an_admin_may_act_though_one_answer_does_not_say_what_they_are(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    [person] = world.people(1)
    promote(world, person)
    world.sync(ana)
    admin = Caller(ana.tenant, person, Via.CONTEXT)
    with retold(world, with_everybody(missing)) as tools:
        assert is_operator(tools, admin, fresh=True)
        world.change(person, platform_roles=[])
        assert not is_operator(tools, admin, fresh=True)
