"""Two organizations on one worker: neither waits for the other, whatever its size and however slow Atlassian is."""

from __future__ import annotations

import time

import pytest

from models.organization import Organization
from services import leaver_work, leavers, orders
from tests.services.workers import act_on
from tests.world import ACME, GLOBEX, World

pytestmark = pytest.mark.slow

BIG = 40


def two_runs(world: World) -> tuple[str, str]:
    """Forty people are due in acme before anybody is in globex; (acme's run, globex's run)."""
    ana, gina = world.store_key(), world.store_key("gina", "globex")
    big, small = world.people(BIG), world.people(3, site="globex")
    world.sync(ana)
    world.sync(gina)
    first = world.begin_run(ana, big)
    world.later(minutes=5)
    return first, world.begin_run(gina, small)


def test_a_big_organization_never_starves_a_small_one(world: World) -> None:
    first, second = two_runs(world)
    leased = orders.lease_due_cases(world.tools, 10)
    by_organization = [organization_id for organization_id, _case, _attempt in leased]
    assert by_organization.count(GLOBEX) == 3, "all of them, at the first look"
    assert by_organization.count(ACME) == 5
    for organization_id, case_id, attempt in leased:
        act_on(world.tools, organization_id, case_id, attempt)
    assert set(world.states(second).values()) == {"acted"}
    assert list(world.states(first).values()).count("acted") == 5
    # Alone again, the big one has the whole share.
    assert len(orders.lease_due_cases(world.tools, 10)) == 10
    assert len(orders.lease_due_cases(world.tools, 1)) == 1


def test_one_leaver_does_not_wait_for_all_those_of_another_organization(sqlite_world: World) -> None:
    world = sqlite_world
    ana, gina = world.synced(), world.synced("globex")
    many = leavers.request_leavers(world.tools, ana, world.changeable(4))
    world.later(minutes=5)
    one = leavers.request_leavers(world.tools, gina, world.changeable(1, "globex"))
    first = [leaver_id for _organization, leaver_id, _attempt in leaver_work.due_leavers(world.tools, 2)]
    assert set(first) & set(many)
    assert set(first) >= set(one)


def test_nobody_gets_more_than_is_done_in_a_second(world: World) -> None:
    """What is handed out faster than it is done only fills the queue, and is handed out again while it waits."""
    two_runs(world)
    leased = orders.lease_due_cases(world.tools, 50, each=7)
    by_organization = [organization_id for organization_id, _case, _attempt in leased]
    assert (by_organization.count(ACME), by_organization.count(GLOBEX)) == (7, 3)


def test_whoever_has_enough_waiting_in_the_queue_gets_no_more(world: World) -> None:
    two_runs(world)
    leased = orders.lease_due_cases(world.tools, 50, but_not=[ACME])
    assert {organization_id for organization_id, _case, _attempt in leased} == {GLOBEX}


def test_with_more_organizations_than_places_everybody_has_one(world: World) -> None:
    two_runs(world)
    assert {organization_id for organization_id, _, _ in orders.lease_due_cases(world.tools, 1)} == {
        ACME,
        GLOBEX,
    }


def test_a_429_pauses_that_organization_alone(world: World) -> None:
    first, second = two_runs(world)
    acme = f"/orgs/{ACME}/.*/suspend$"
    world.fault(acme, "429", seconds=120, skip=2, times=None)
    world.act()
    assert set(world.states(second).values()) == {"acted"}
    states = list(world.states(first).values())
    assert (states.count("acted"), states.count("planned")) == (2, BIG - 2)
    assert world.stored(Organization, ACME).paused_until > world.clock()
    assert world.stored(Organization, GLOBEX).paused_until is None
    asked = len(world.requests(acme))
    assert asked == 3, "nobody else was even tried"
    world.later(seconds=60)
    world.act()
    assert len(world.requests(acme)) == asked
    world.clear_faults()
    world.later(seconds=61)
    world.act()
    assert set(world.states(first).values()) == {"acted"}
    assert all(
        world.effects(account_id) == {"suspend": 1, "restore": 0} for account_id in world.states(first)
    )


def test_above_the_rate_that_atlassian_allows_everybody_still_has_their_turn(world: World) -> None:
    first, second = two_runs(world)
    world.control("PUT", "/rate", {"per_second": 5})
    # The app's clock is moved by hand, Atlassian counts real seconds: 43 deeds take about nine of them.
    patience = time.monotonic() + 90
    while set(world.states(first).values()) != {"acted"} and time.monotonic() < patience:
        world.act()
        world.later(seconds=1)
    world.control("PUT", "/rate", {"per_second": None})
    assert set(world.states(first).values()) == set(world.states(second).values()) == {"acted"}
    assert all(world.effects(account_id)["suspend"] == 1 for account_id in world.states(first))
