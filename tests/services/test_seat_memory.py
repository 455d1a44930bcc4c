"""Seats in our memory: after our own deed they are what the next sync would say, and so are the free ones."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from models.organization import Seats
from models.people import Membership, Person, Seat
from rules.deeds import Deed
from rules.roster import Access, Entry, Origin
from sandbox.world import ORGANIZATIONS
from services import roster, run_progress, runs, seat_counts, syncing
from services.seat_memory import count_seats
from tests.services.workers import before_it_is_written
from tests.world import ACME, World

USER = "atlassian/user"
JIRA = ORGANIZATIONS["acme"].resource("jira-software")
CONFLUENCE = ORGANIZATIONS["acme"].resource("confluence")


def done(world: World, *entries: Entry) -> str:
    """By a run that somebody confirmed, as far as it goes now."""
    ana = world.caller("ana")
    world.settled()
    run_id = roster.preview_roster(world.tools, ana, entries, Origin.INVITE)
    runs.confirm(world.tools, ana, run_id)
    world.act()
    assert {case.state for case in world.cases(run_id).values()} == {"acted"}
    return run_id


def taken(world: World) -> dict[str, int]:
    """Resource id → taken seats, as the page of invitations shows them."""
    free = seat_counts.free_seats(world.tools, world.caller("ana"))
    return {one.resource_id: one.taken for one in free if one.resource_id in (JIRA, CONFLUENCE)}


def held(world: World, account_id: str) -> tuple[set[str], int]:
    """The products in which somebody has a seat, and how many their row says."""
    seats = {seat.resource_id for seat in world.rows(Seat) if seat.account_id == account_id}
    return seats, world.stored(Person, ACME, account_id).seat_count


def atlassian_counts(world: World, count: int) -> None:
    """From now on the number comes from Atlassian, and not from our rows."""
    with world.tools.begin() as session:
        for resource_id in (JIRA, CONFLUENCE):
            session.get_one(Seats, (ACME, resource_id)).usage = count


def holders(world: World) -> dict[str, int]:
    """Resource id → how many active people our rows show there."""
    query = (
        select(Seat.resource_id, func.count())
        .join(Person, Person.account_id == Seat.account_id)
        .where(Seat.organization_id == ACME, Person.status == "active", Person.left_at.is_(None))
        .group_by(Seat.resource_id)
    )
    with world.tools.begin() as session:
        found: dict[str, int] = dict(session.execute(query).all())
    return {JIRA: found.get(JIRA, 0), CONFLUENCE: found.get(CONFLUENCE, 0)}


def by_sync(world: World, account_id: str) -> tuple[set[str], int]:
    world.settled()
    world.sync(world.caller("ana"))
    return held(world, account_id)


def test_what_is_given_and_taken_back_is_counted_at_once(world: World) -> None:
    ana = world.synced()
    [one] = world.people(1, groups=["jira-users"])
    world.sync(ana)
    atlassian_counts(world, 20)
    contractors = world.groups()["contractors"]["id"]
    run_id = done(world, Entry(Deed.GIVE_ACCESS, account_id=one, access=Access(groups=(contractors,))))
    assert held(world, one) == ({JIRA, CONFLUENCE}, 2)
    assert taken(world) == {JIRA: 20, CONFLUENCE: 21}
    world.undo(ana, run_id)
    assert held(world, one) == ({JIRA}, 1)
    assert taken(world) == {JIRA: 20, CONFLUENCE: 20}
    assert by_sync(world, one) == ({JIRA}, 1)


def test_a_seat_that_comes_by_another_way_too_is_no_free_one(world: World) -> None:
    ana = world.synced()
    [one] = world.people(1, groups=["jira-users", "confluence-users"])
    world.sync(ana)
    atlassian_counts(world, 20)
    contractors = world.groups()["contractors"]["id"]
    access = Access(roles=((CONFLUENCE, "atlassian/admin"),), groups=(contractors,))
    done(world, Entry(Deed.GIVE_ACCESS, account_id=one, access=access))
    assert taken(world) == {JIRA: 20, CONFLUENCE: 20}
    done(world, Entry(Deed.TAKE_BACK, account_id=one, access=Access(groups=(contractors,))))
    assert held(world, one) == ({JIRA, CONFLUENCE}, 2)
    done(
        world, Entry(Deed.TAKE_BACK, account_id=one, access=Access(roles=((CONFLUENCE, "atlassian/admin"),)))
    )
    assert held(world, one) == ({JIRA, CONFLUENCE}, 2)
    assert taken(world) == {JIRA: 20, CONFLUENCE: 20}
    assert by_sync(world, one) == ({JIRA, CONFLUENCE}, 2)


def test_who_is_invited_suspended_or_restored_changes_the_number_once(world: World) -> None:
    ana = world.synced()
    [one] = world.people(1, groups=["jira-users"])
    world.sync(ana)
    atlassian_counts(world, 20)
    newcomer = Entry(Deed.INVITE, email="nora@newcomers.example", access=Access(roles=((JIRA, USER),)))
    done(world, newcomer)
    assert taken(world) == {JIRA: 21, CONFLUENCE: 20}
    run_id = world.begin_run(ana, [one], Deed.SUSPEND)
    world.act()
    assert taken(world) == {JIRA: 20, CONFLUENCE: 20}
    world.undo(ana, run_id)
    assert taken(world) == {JIRA: 21, CONFLUENCE: 20}


def test_where_atlassian_tells_no_number_who_holds_a_seat_is_counted(world: World) -> None:
    ana = world.synced()
    with world.tools.begin() as session:
        for seats in session.scalars(select(Seats).where(Seats.organization_id == ACME)):
            seats.usage = None
    counted = taken(world)
    assert counted == holders(world)
    assert counted[JIRA] > 0
    one, other = world.changeable(2)
    run_id = world.begin_run(ana, [one, other], Deed.SUSPEND)
    world.act()
    assert taken(world) == holders(world) != counted
    world.undo(ana, run_id)
    assert taken(world) == holders(world) == counted


def test_who_is_removed_leaves_their_seats_and_groups_at_once(world: World) -> None:
    ana = world.synced()
    [one] = world.people(1, groups=["jira-users"])
    world.sync(ana)
    before = taken(world)
    rule_id = world.rule(
        ana, {"when": {"not_seen": 90}, "then": {"deed": "remove"}, "grace": 0}, who={"people": [one]}
    )
    assert world.states(world.run_rule(ana, rule_id)) == {one: "acted"}
    assert held(world, one) == (set(), 0)
    assert taken(world) == holders(world) == {JIRA: before[JIRA] - 1, CONFLUENCE: before[CONFLUENCE]}
    assert [each for each in world.rows(Membership) if each.account_id == one] == []


def test_two_deeds_at_once_never_wait_for_each_other(world: World) -> None:
    """Each would hold the product that the other one waits for, were they not taken in the same order."""
    world.synced()
    atlassian_counts(world, 1000)
    both = frozenset({JIRA, CONFLUENCE})

    def count(before: frozenset[str], after: frozenset[str]) -> None:
        for _ in range(150):
            with world.tools.begin() as session:
                count_seats(session, ACME, before, after)

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(count, frozenset[str](), both), pool.submit(count, both, frozenset[str]())] + [
            pool.submit(count, frozenset({one}), frozenset({other}))
            for one, other in ((JIRA, CONFLUENCE), (CONFLUENCE, JIRA))
        ]
        for each in working:
            each.result()
    assert taken(world) == {JIRA: 1000, CONFLUENCE: 1000}


def test_a_sync_that_begins_while_an_administrator_is_acted_on_waits_for_the_deed(world: World) -> None:
    """Both write who administers and how many seats are taken; neither waits for what the other has."""
    ana = world.store_key()
    one, _other = world.people(2, groups=["jira-users", "jira-admins"])
    world.sync(ana)
    atlassian_counts(world, 20)
    world.settled()
    entry = Entry(Deed.REMOVE_ACCESS, account_id=one, products=("jira-software",))
    run_id = roster.preview_roster(world.tools, ana, [entry], Origin.CSV)
    runs.confirm(world.tools, ana, run_id)
    syncing.request_sync(world.tools, ana)
    with ThreadPoolExecutor(1) as others:
        begun = []

        def begin_a_sync() -> None:
            begun.append(others.submit(world.read_on))
            time.sleep(1.5)

        counts = (
            "SELECT seats.resource_id" if world.tools.engine.dialect.name == "postgresql" else "UPDATE seats"
        )
        with before_it_is_written(world.tools, counts, begin_a_sync):
            world.act()
        begun[0].result()
    assert world.states(run_id) == {one: "acted"}
    latest = syncing.progress(world.tools, ACME)
    assert latest is not None
    assert latest.state == "complete"


@pytest.mark.parametrize(
    ("then", "freed"),
    [
        ({"deed": "tell"}, 0),
        ({"deed": "remove_access", "products": ["confluence"]}, 3),
        ({"deed": "change_groups", "leave": ["jira-users"]}, 2),
        ({"deed": "suspend"}, 6),
    ],
    ids=["warned", "one product of two", "a group, and one of them has another", "suspended"],
)
def test_the_preview_of_a_rule_says_how_many_seats_its_run_frees(
    sqlite_world: World, then: dict[str, Any], freed: int
) -> None:
    world = sqlite_world
    both = ["jira-users", "confluence-users"]
    idle = [world.arrange(one, groups=both, idle=200) for one in world.changeable(3)]
    if "leave" in then:
        then = then | {"leave": [world.groups()["jira-users"]["id"]]}
        world.arrange(idle[0], groups=[*both, "all-staff"], idle=200)
    ana = world.synced()
    step = {"when": {"not_seen": 90}, "then": then, "grace": 0}
    rule_id = world.rule(ana, step, who={"people": idle})
    preview = world.approve_rule(ana, rule_id)
    before = sum(holders(world).values())
    run_id = world.run_rule(ana, rule_id)
    world.act()
    shown = run_progress.show_run(world.tools, ana, preview)
    assert (shown.chosen, shown.seats) == (3, freed)
    assert {case.state for case in world.cases(run_id).values()} == {"acted"}
    assert before - sum(holders(world).values()) == freed
