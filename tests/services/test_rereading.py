"""Events about people: written down once, read by the worker, looked at by live access rules before the next sync."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from connect.gateway.organization import MOST_BY_ID
from jobs import rereads
from jobs.bundles import bundled
from models.access_rule import AccessGiven, AccessRuleNews, StoredAccessRule
from models.audit import APP
from models.organization import Organization
from models.people import Membership, Person, Signal
from models.reread import EVERYBODY, Reread
from models.sync import Sync
from rules.topics import Topic
from sandbox.world import ADMIN_KEYS
from services import (
    access_rule_lists,
    access_rule_runs,
    access_rules,
    directory_news,
    rereading,
    rule_runs,
    runs,
    syncing,
)
from services.access_rule_form import Typed
from services.directory_news import MOST_WAITING, SYNC_READS_MORE
from services.matters import matters as matters_of
from services.toolbox import Toolbox
from tests.services.test_access_rules import (
    SOURCE,
    TARGET,
    emptied,
    evaluate,
    go_live,
    group,
    groups_of,
    later_sync,
    member,
    rule,
    runs_of,
)
from tests.services.workers import Crash, Killed, once, with_something_between
from tests.world import ACCOUNTS, ACME, GLOBEX, World

LEASE_OVER = rereading.AT_WORK.total_seconds() + 1


def read_again(world: World, tools: Toolbox | None = None) -> int:
    """The worker's round over those who are to be read again."""
    tools = tools or world.tools
    due = rereading.lease_due(tools)
    for organization_id, readings in bundled(due, rereads.AT_ONCE):
        rereading.reread(tools, organization_id, readings)
    return len(due)


def follow(world: World) -> int:
    """Time passes until Atlassian shows what was told; then the worker's rounds. How many rules looked."""
    world.later(seconds=10)
    read_again(world)
    looked = evaluate(world)
    world.later(seconds=10)
    return looked


def told(world: World, account_id: str) -> None:
    """The event arrives now by the app's clock, to which the pretend Atlassian's signature may be long expired."""
    body = {"user": {"accountId": account_id}}
    directory_news.note_news(world.tools, world.caller("ana"), "user_updated", body)


def waiting(world: World, organization_id: str = ACME) -> set[str]:
    return {row.account_id for row in world.rows(Reread) if row.organization_id == organization_id}


def of_acme(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that the database holds about acme."""
    return {
        table: [row for row in rows if any(str(cell) == ACME for cell in row)]
        for table, rows in world.dump().items()
    }


def reread_of(world: World, account_id: str) -> Reread:
    [row] = [row for row in world.rows(Reread) if row.account_id == account_id]
    return row  # type: ignore[no-any-return]


@pytest.fixture
def place(sqlite_world: World) -> World:
    return emptied(sqlite_world)


@pytest.fixture
def announcing(place: World) -> Iterator[World]:
    """The pretend Atlassian tells by itself."""
    place.control("POST", "/settings", {"announces": True})
    yield place
    place.control("POST", "/settings", {"announces": False})


def live_rule(world: World, count: int = 1, **typed: object) -> tuple[Any, str, list[str]]:
    """Ana, a live rule that has looked at everybody, and people who are not in its group."""
    ana = world.store_key()
    people = world.people(count)
    world.sync(ana)
    rule_id = rule(world, ana, **typed)  # type: ignore[arg-type]
    evaluate(world)
    return ana, rule_id, people


def test_who_joined_gets_it_without_a_sync_once_though_it_is_told_three_times(world: World) -> None:
    place = emptied(world)
    ana, rule_id, [person] = live_rule(place)
    syncs, before = len(place.rows(Sync)), place.dump()
    member(place, person, SOURCE)
    for _ in range(3):
        assert place.webhook("user_updated", person) == [204]
    assert waiting(place) == {person}
    changed = {table for table, rows in place.dump().items() if rows != before[table]}
    assert changed == {"reread"}, "a webhook writes down, and nothing else"
    assert read_again(place) == 0, "Atlassian may not show it yet"
    asked = len(place.requests("/users/search$"))
    assert follow(place) == 1
    assert len(place.requests("/users/search$")) == asked + 2, "read once, and once more before the deed"
    assert TARGET in groups_of(place, person)
    assert place.effects_by(person)[f"join_group:{TARGET}"] == 1
    [run] = runs_of(place, rule_id)
    assert (place.states(run.id), run.scope) == ({person: "acted"}, 1)
    assert [each.account_id for each in place.rows(AccessGiven)] == [person]
    # Retries and replays find it done.
    for _ in range(3):
        assert place.webhook("user_updated", person) == [204]
    assert follow(place) == 0
    assert waiting(place) == set()
    assert len(runs_of(place, rule_id)) == 1
    assert len(place.rows(Sync)) == syncs
    # It was told of them, not by them.
    assert place.rows(Signal) == []
    # And back again.
    member(place, person, SOURCE, inside=False)
    place.webhook("user_updated", person)
    assert follow(place) == 1
    assert TARGET not in groups_of(place, person)
    later_sync(place, ana)
    evaluate(place)
    assert len(runs_of(place, rule_id)) == 2, "the sync finds nothing left to do"


def test_nobody_is_seen_by_it(world: World) -> None:
    ana = world.store_key()
    [person] = world.people(1, idle=None)
    world.install("acme", "confluence")
    world.store_key("ana", product="confluence")
    world.sync(ana)
    before = {key: world.dump()[key] for key in ("person", "seat", "signal")}
    for event in ("user_created", "user_updated", "user_deleted"):
        assert world.webhook(event, person) == [204]
    for event in ("user_created", "user_removed"):
        assert world.webhook(event, person, product="confluence") == [204]
    assert waiting(world) == {person}, "one row, whichever door it came through"
    assert {key: world.dump()[key] for key in before} == before
    world.settled()
    read_again(world)
    assert world.stored(Person, ACME, person).activity == "never"
    assert world.rows(Signal) == []


def test_a_newcomer_is_read_and_given_what_a_rule_gives(announcing: World) -> None:
    place = announcing
    _ana, _rule_id, _people = live_rule(place, sources=[group(place, "service-desk-agents")])
    place.control("DELETE", "/requests")
    body = {
        "emails": ["nora@acme.example"],
        "additionalGroups": [group(place, "service-desk-agents")],
        "permissionRules": [],
    }
    nora = place.api("POST", "/v2/orgs/{org}/users/invite", body)["data"][0]["id"]
    assert waiting(place) == {nora}, "Jira has told it by itself"
    assert reread_of(place, nora).newcomer
    assert place.stored(Person, ACME, nora) is None
    follow(place)
    found = place.stored(Person, ACME, nora)
    assert (found.email, found.left_at) == ("nora@acme.example", None)
    assert TARGET in groups_of(place, nora)


def test_a_stranger_who_is_in_no_directory_is_forgotten(place: World) -> None:
    place.synced()
    before = place.dump()
    for event in ("user_updated", "user_deleted"):
        assert place.webhook(event, "712020:a-stranger") == [204]
    assert place.dump() == before, "who is unknown cannot have changed"
    assert place.webhook("user_created", "712020:a-stranger") == [204]
    assert waiting(place) == {"712020:a-stranger"}
    place.settled()
    assert read_again(place) == 1
    assert place.dump() == before


def test_who_went_is_marked_by_the_next_sync_alone(announcing: World) -> None:
    place = announcing
    ana, _rule_id, [person] = live_rule(place)
    place.api("DELETE", f"/v2/orgs/{{org}}/directories/{{directory}}/users/{person}")
    assert waiting(place) == {person}
    follow(place)
    assert waiting(place) == set()
    assert place.stored(Person, ACME, person).left_at is None
    place.sync(ana)
    assert place.stored(Person, ACME, person).left_at is not None


def test_s19_another_tenant_tells_nothing_about_our_people(world: World) -> None:
    world.synced()
    world.synced("globex")
    [ours] = world.changeable(1)
    world.change(ours, name="Somebody Else")
    before = of_acme(world)
    for event in ("user_created", "user_updated", "user_deleted"):
        assert world.webhook(event, ours, site="globex") == [204]
    assert waiting(world, ACME) == set()
    assert waiting(world, GLOBEX) == {ours}, "they might have come to globex, too"
    world.settled()
    assert read_again(world) == 1
    assert of_acme(world) == before
    assert world.stored(Person, GLOBEX, ours) is None
    # The other way round: what acme says is read with acme's key, and in acme.
    gwen = ACCOUNTS["gwen"]
    seen = len(world.requests(f"/orgs/{GLOBEX}/"))
    before_globex = world.stored(Person, GLOBEX, gwen).synced_at
    world.webhook("user_created", gwen)
    world.settled()
    read_again(world)
    assert world.stored(Person, ACME, gwen) is None
    assert world.stored(Person, GLOBEX, gwen).synced_at == before_globex
    assert len(world.requests(f"/orgs/{GLOBEX}/")) == seen


def test_odd_bodies_are_about_nobody(place: World) -> None:
    ana = place.synced()
    before = place.dump()
    odd = (
        {},
        {"user": None},
        {"user": {"accountId": 7}},
        {"user": {"accountId": "unknown"}},
        {"user": {"accountId": ""}},
        {"user": {"accountId": "nul\0"}},
        {"user": {"accountId": "../../orgs/other"}},
        {"userProfile": [ACCOUNTS["uma"]]},
        {"userAccountId": "x" * 129},
    )
    for body in odd:
        directory_news.note_news(place.tools, ana, "user_created", body)
    assert place.dump() == before
    both = {"userProfile": {"accountId": ACCOUNTS["uma"]}, "userAccountId": ACCOUNTS["jon"]}
    directory_news.note_news(place.tools, ana, "user_removed", both)
    assert waiting(place) == {ACCOUNTS["uma"], ACCOUNTS["jon"]}


@pytest.mark.slow
def test_a_flood_becomes_one_sync(world: World) -> None:
    ana = world.synced()
    tools = world.tools

    def flood(first: int, count: int) -> None:
        for number in range(first, first + count):
            body = {"user": {"accountId": f"712020:{number}"}}
            for _ in range(2):
                directory_news.note_news(tools, ana, "user_created", body)

    flood(0, MOST_WAITING)
    assert len(waiting(world)) == MOST_WAITING
    flood(0, MOST_WAITING)
    assert len(waiting(world)) == MOST_WAITING, "however often they are told"
    flood(MOST_WAITING, 1)
    assert waiting(world) == {EVERYBODY, f"712020:{MOST_WAITING}"}, "one by one again, beside the sync"
    flood(0, MOST_WAITING + 50)
    assert len(waiting(world)) <= MOST_WAITING + 1
    world.settled()
    [(organization_id, whole, attempt)] = [
        each for each in rereading.lease_due(tools, 1000) if each[1] == reread_of(world, EVERYBODY).id
    ]
    rereading.reread(tools, organization_id, [(whole, attempt)])
    assert len(world.rows(Sync)) == 1, "a sync began within the hour: not yet"
    world.later(hours=1)
    while read_again(world):
        pass
    assert sorted(sync.requested_by for sync in world.rows(Sync)) == sorted((APP, ana.account_id))
    assert EVERYBODY not in waiting(world)
    world.read_on()
    world.settled()
    world.later(hours=2)
    while read_again(world):
        pass
    assert waiting(world) == set(), "the sync has read them all"
    assert len(world.rows(Sync)) == 2


@pytest.mark.slow
def test_in_a_large_organization_more_are_read_one_by_one(world: World) -> None:
    """Its sync is more work than ten times as many single people."""
    ana = world.synced()
    with world.tools.begin() as session:
        session.scalars(select(Sync)).one().people = SYNC_READS_MORE * (MOST_WAITING + 2)
    for number in range(MOST_WAITING + 3):
        body = {"user": {"accountId": f"712020:{number}"}}
        directory_news.note_news(world.tools, ana, "user_created", body)
        assert (EVERYBODY in waiting(world)) is (number == MOST_WAITING + 2)


def test_a_few_are_read_by_one_search(world: World) -> None:
    ana = world.synced()
    *people, busy = world.changeable(MOST_BY_ID + 2)
    for number, person in enumerate([*people, busy]):
        world.change(person, name=f"Renamed {number}")
        world.webhook("user_updated", person)
    world.webhook("user_created", "712020:a-stranger")
    world.settled()
    run_id = world.begin_run(ana, [busy])
    world.act()
    assert world.states(run_id) == {busy: "acted"}
    asked = len(world.requests("/users/search$"))
    assert read_again(world) == len(people) + 2
    assert len(world.requests("/users/search$")) == asked + 2, "ten by the first, the rest by the second"
    for number, person in enumerate(people):
        assert world.stored(Person, ACME, person).name == f"Renamed {number}"
    assert world.stored(Person, ACME, "712020:a-stranger") is None
    assert world.stored(Person, ACME, busy).name != f"Renamed {len(people)}"
    assert waiting(world) == {busy}, "Atlassian may not show yet what was just done to them"


def test_a_group_that_went_asks_for_a_sync_if_a_rule_may_follow_it(place: World) -> None:
    ana = place.synced()
    place.install("acme", "confluence")
    place.store_key("ana", product="confluence")
    rule_id = rule(place, ana, live=False)
    assert place.webhook("group_removed", ACCOUNTS["ana"], product="confluence") == [204]
    assert waiting(place) == set()
    access_rule_lists.mark_seen(place.tools, ana, rule_id)
    rule(place, ana, name="Live")
    for _ in range(2):
        assert place.webhook("group_removed", ACCOUNTS["ana"], product="confluence") == [204]
    assert waiting(place) == {EVERYBODY}


def test_while_a_sync_reads_it_is_waited_for(place: World) -> None:
    ana, _rule_id, [person] = live_rule(place)
    member(place, person, SOURCE)
    place.webhook("user_updated", person)
    place.settled()
    syncing.request_sync(place.tools, ana)
    assert read_again(place) == 0
    place.read_on()
    place.later(minutes=2)
    searches = len(place.requests("/users/search$"))
    assert read_again(place) == 1
    assert len(place.requests("/users/search$")) == searches, "the sync began late enough to have seen it"
    assert waiting(place) == set()
    evaluate(place)
    assert TARGET in groups_of(place, person)


def test_a_sync_that_begins_while_they_are_read_has_the_last_word(place: World) -> None:
    ana, _rule_id, [person] = live_rule(place)
    member(place, person, SOURCE)
    place.webhook("user_updated", person)
    place.settled()
    between = once("after", "people", lambda: bool(syncing.request_sync(place.tools, ana)) and None)
    before = place.stored(Person, ACME, person).synced_at
    read_again(place, with_something_between(place.tools, between))
    assert place.stored(Person, ACME, person).synced_at == before
    assert waiting(place) == {person}
    assert place.rows(AccessRuleNews) == []


def test_what_is_told_while_they_are_read_is_read_again(place: World) -> None:
    _ana, _rule_id, [person] = live_rule(place)
    place.webhook("user_updated", person)
    place.settled()

    def moves() -> None:
        member(place, person, SOURCE)
        place.webhook("user_updated", person)

    read_again(place, with_something_between(place.tools, once("after", "people", moves)))
    assert waiting(place) == {person}
    assert read_again(place) == 0
    follow(place)
    assert waiting(place) == set()
    assert TARGET in groups_of(place, person)


@pytest.mark.slow
def test_s50_a_worker_may_die_at_any_moment(world: World) -> None:
    place = emptied(world)
    _ana, rule_id, [person] = live_rule(place)
    inside, deaths = False, set()
    for at in range(1, 14):
        inside = not inside
        member(place, person, SOURCE, inside=inside)
        told(place, person)
        place.settled()
        crash = Crash(at)
        with suppress(Killed):
            read_again(place, with_something_between(place.tools, crash))
        deaths |= {crash.moment} - {""}
        place.later(seconds=LEASE_OVER)
        read_again(place)
        assert waiting(place) == set()
        with place.tools.begin() as session:
            query = select(func.count()).where(
                Membership.account_id == person, Membership.group_id == group(place, SOURCE)
            )
            assert session.scalar(query) == int(inside)
        evaluate(place)
        place.settled()
        assert (TARGET in groups_of(place, person)) is inside, crash.moment
    assert {"before people", "after people", "before transaction", "after transaction"} <= deaths
    assert {state for run in runs_of(place, rule_id) for state in place.states(run.id).values()} == {"acted"}


def test_the_same_worker_back_again_goes_on_at_once(place: World) -> None:
    _ana, _rule_id, [person] = live_rule(place)
    member(place, person, SOURCE)
    place.webhook("user_updated", person)
    place.settled()
    [(organization_id, reread_id, attempt)] = rereading.lease_due(place.tools)
    with suppress(Killed):
        dying = with_something_between(place.tools, Crash(4))
        rereading.reread(dying, organization_id, [(reread_id, attempt)])
    assert waiting(place) == {person}
    rereading.reread(place.tools, organization_id, [(reread_id, attempt)])
    assert waiting(place) == set()
    # Done twice, it is done once.
    rereading.reread(place.tools, organization_id, [(reread_id, attempt)])
    rereading.fail(place.tools, organization_id, [(reread_id, attempt)])


def test_a_429_pauses_that_organization_alone(world: World) -> None:
    world.synced()
    world.synced("globex")
    ours, theirs = world.changeable(1)[0], ACCOUNTS["gwen"]
    world.webhook("user_updated", ours)
    world.webhook("user_updated", theirs, site="globex")
    world.settled()
    world.fault(f"/orgs/{ACME}/.*/users/search$", "429", seconds=120, times=None)
    assert read_again(world) == 2
    assert (waiting(world, ACME), waiting(world, GLOBEX)) == ({ours}, set())
    assert world.stored(Organization, ACME).paused_until > world.clock()
    assert world.stored(Organization, GLOBEX).paused_until is None
    world.clear_faults()
    assert read_again(world) == 0
    world.later(minutes=3)
    assert read_again(world) == 1
    assert waiting(world) == set()


def test_without_an_answer_it_is_tried_again_and_given_up_one_day(place: World) -> None:
    place.synced()
    [person] = place.changeable(1)
    place.webhook("user_updated", person)
    place.settled()
    place.fault("/users/search$", "503", times=None)
    tries = 0
    while waiting(place):
        tries += read_again(place)
        place.later(hours=11)
        assert tries < 20
    assert tries == 8


def test_a_key_that_may_not_read_asks_once(place: World) -> None:
    place.synced()
    [person] = place.changeable(1)
    place.webhook("user_updated", person)
    place.settled()
    key = next(each.key for each in ADMIN_KEYS if each.org == "acme" and not each.scoped and not each.expired)
    place.control("POST", f"/keys/{key}/expire")
    for _ in range(10):
        read_again(place)
        place.later(hours=11)
    assert waiting(place) == set()
    assert len([one for one in place.requests("/users/search$") if one["status"] == 401]) <= 8


def test_what_was_just_done_to_them_is_not_forgotten(place: World) -> None:
    """Read too early, Atlassian shows them as they were before our own deed."""
    ana = place.synced()
    [person] = place.people(1)
    place.sync(ana)
    place.webhook("user_updated", person)
    place.settled()
    place.begin_run(ana, [person])
    place.act()
    assert read_again(place) == 1
    assert waiting(place) == {person}, "put off"
    assert place.stored(Person, ACME, person).status == "suspended"
    place.settled()
    read_again(place)
    assert waiting(place) == set()
    assert place.stored(Person, ACME, person).status == "suspended"


@pytest.mark.parametrize("answers_in", [0, 60])
def test_what_is_done_to_them_while_they_are_read_is_not_forgotten(place: World, answers_in: int) -> None:
    """However long Atlassian takes for the others who are read with them."""

    def act() -> None:
        place.act()
        place.later(seconds=answers_in)

    ana = place.synced()
    acted_on, other = place.changeable(2)
    for person in (acted_on, other):
        place.webhook("user_updated", person)
    place.settled()
    run_id = place.begin_run(ana, [acted_on])
    read_again(place, with_something_between(place.tools, once("after", "people", act)))
    assert place.states(run_id) == {acted_on: "acted"}
    assert place.stored(Person, ACME, acted_on).status == "suspended"
    assert waiting(place) == {acted_on}
    place.settled()
    read_again(place)
    assert (place.stored(Person, ACME, acted_on).status, waiting(place)) == ("suspended", set())


def test_the_loop_alarm_counts_what_single_readings_find(place: World) -> None:
    _ana, rule_id, [person, other] = live_rule(place, 2)
    member(place, person, SOURCE)
    place.webhook("user_updated", person)
    follow(place)
    assert TARGET in groups_of(place, person)
    # Somebody else's news says nothing about them.
    member(place, person, TARGET, inside=False)
    member(place, other, SOURCE)
    place.webhook("user_updated", other)
    follow(place)
    assert {each.account_id: each.missing for each in place.rows(AccessGiven)} == {person: 0, other: 0}
    place.webhook("user_updated", person)
    follow(place)
    assert TARGET in groups_of(place, person), "gone once: given again"
    member(place, person, TARGET, inside=False)
    place.webhook("user_updated", person)
    follow(place)
    [given] = [each for each in place.rows(AccessGiven) if each.account_id == person]
    assert given.stopped_at is not None
    assert TARGET not in groups_of(place, person)
    assert [entry.subject for entry in place.audit("access_rule:loop_found")] == [person]
    assert Topic.LOOP_FOUND in {one.topic for one in matters_of(place.tools, ACME)}
    assert place.stored(StoredAccessRule, ACME, rule_id).is_live


def test_what_an_operator_stopped_is_not_begun_again_by_news_of_others(place: World) -> None:
    ana = place.store_key()
    person, other = place.people(2)
    member(place, person, SOURCE)
    place.sync(ana)
    rule_id = rule(place, ana)
    [(organization_id, _rule, number)] = access_rule_runs.due_access_rules(place.tools)
    access_rule_runs.evaluate(place.tools, organization_id, rule_id, number)
    [run] = runs_of(place, rule_id, state="running")
    runs.stop(place.tools, ana, run.id)
    member(place, other, SOURCE)
    place.webhook("user_updated", other)
    assert follow(place) == 1
    assert [TARGET in groups_of(place, each) for each in (person, other)] == [False, True]
    [begun] = runs_of(place, rule_id)
    assert (place.states(begun.id), begun.scope) == ({other: "acted"}, 2)


def test_s47_one_by_one_nobody_slips_past_the_brake(place: World) -> None:
    ana, rule_id, people = live_rule(place, 4, number="2")
    for account_id in people[:3]:
        member(place, account_id, SOURCE)
        place.webhook("user_updated", account_id)
        follow(place)
    assert [TARGET in groups_of(place, each) for each in people] == [True, True, False, False]
    [braked] = runs_of(place, rule_id, state="braked")
    assert braked.reason.startswith(
        "3 people would be touched; the brake allows 2. Counted with them: 2 whom"
    )
    member(place, people[3], SOURCE)
    place.webhook("user_updated", people[3])
    assert follow(place) == 0, "what waits for an operator is not overtaken"
    # After a sync it is counted anew.
    rule_runs.release_brake(place.tools, ana, braked.id)
    place.act()
    later_sync(place, ana)
    evaluate(place)
    assert all(TARGET in groups_of(place, each) for each in people)


def test_a_directory_that_was_read_long_ago_gives_nobody_anything(place: World) -> None:
    _ana, rule_id, [person] = live_rule(place)
    place.later(days=3)
    member(place, person, SOURCE)
    told(place, person)
    follow(place)
    assert TARGET not in groups_of(place, person)
    assert "too old" in place.stored(StoredAccessRule, ACME, rule_id).last_result
    assert place.rows(AccessRuleNews) == []


def test_a_rule_that_only_lists_keeps_its_list_until_the_sync(place: World) -> None:
    ana = place.store_key()
    [person] = place.people(1)
    place.sync(ana)
    rule_id = rule(place, ana, live=False)
    evaluate(place)
    [listed] = runs_of(place, rule_id, state="preview")
    member(place, person, SOURCE)
    place.webhook("user_updated", person)
    assert follow(place) == 0
    assert [run.id for run in runs_of(place, rule_id, state="preview")] == [listed.id]
    later_sync(place, ana)
    evaluate(place)
    [anew] = runs_of(place, rule_id, state="preview")
    assert place.states(anew.id) == {person: "planned"}


def test_who_loses_one_thing_and_gets_another_is_looked_at_twice(place: World) -> None:
    ana, rule_id, [person] = live_rule(place)
    member(place, person, SOURCE)
    place.webhook("user_updated", person)
    follow(place)
    # Deactivated, nothing can be taken from them when the rule gives something else.
    place.change(person, account_status="inactive")
    later_sync(place, ana)
    evaluate(place)
    rule_id = _gives_instead(place, ana, rule_id, "service-desk-agents")
    evaluate(place)
    assert TARGET in groups_of(place, person)
    place.change(person, account_status="active")
    told(place, person)
    for _ in range(3):
        follow(place)
    assert {TARGET, "service-desk-agents"} & groups_of(place, person) == {"service-desk-agents"}
    assert follow(place) == 0
    assert place.rows(AccessRuleNews) == []


def _gives_instead(world: World, ana: Any, rule_id: str, name: str) -> str:
    typed = Typed(
        name="Designers with contractors", sources=[group(world, SOURCE)], groups=[group(world, name)]
    )
    access_rules.save_access_rule(world.tools, ana, typed, rule_id)
    go_live(world, ana, rule_id)
    return rule_id


def test_somebody_in_several_directories_stays_known_as_that(place: World) -> None:
    place.synced()
    [person] = place.changeable(1)
    with place.tools.begin() as session:
        found = session.get_one(Person, (ACME, person))
        # As a sync leaves somebody whom it met in another directory last.
        found.in_several_directories, found.directory_id = True, "another-directory"
    place.webhook("user_updated", person)
    place.settled()
    read_again(place)
    assert place.stored(Person, ACME, person).in_several_directories


def test_the_pretend_cloud_tells_who_changed_and_of_no_group(announcing: World) -> None:
    place = announcing
    place.synced()
    one, other, third = place.changeable(3)
    place.change(one, last_active=place.days_ago(1))
    member(place, one, TARGET)
    assert waiting(place) == set()
    place.change(one, name="New Name")
    place.api("POST", f"/v2/orgs/{{org}}/directories/{{directory}}/users/{other}/suspend")
    place.control("DELETE", f"/people/{third}")
    assert waiting(place) == {one, other, third}
    assert not any(row.newcomer for row in place.rows(Reread))
    assert timedelta(0) < place.rows(Reread)[0].resume_at - place.clock()
