"""Reading the whole directory, page by page; only a complete reading counts (S46)."""

from __future__ import annotations

import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select

from connect.errors import Conflict, Invalid, NotReady
from models.audit import APP
from models.people import Membership, Person, Seat, facts_of
from models.people_search import find_people
from models.sync import Sync, SyncState
from rules.deeds import Deed
from rules.filters import PeopleFilter
from rules.person import GroupRef, ProductAccess
from sandbox.world import ORGANIZATIONS
from services import directory_reading, previews, rule_runs, syncing
from services.activity_signals import note_seen
from services.directory import believe_directories, store_people
from services.toolbox import Toolbox
from tests.connect.listener import Call, Reply
from tests.services.retold import Tell, is_reading_of_people, retold
from tests.services.test_rereading import read_again
from tests.services.workers import Crash, Killed, die, once, with_something_between
from tests.world import ACCOUNTS, ACME, ACME_KEY, GLOBEX, PEOPLE, World

PAGES = 4
CONFLUENCE = ORGANIZATIONS["acme"].resource("confluence")
JIRA, CONF = "jira-software", "confluence"
ADMIN_SEARCHES = 5
"""One for each product of the organization, before the first page."""


@pytest.fixture
def paged(world: World) -> World:
    """A directory of four pages; acme's key is stored, its first sync is due."""
    world.control("POST", "/settings", {"max_page": PEOPLE // PAGES})
    world.store_key()
    return world


@pytest.fixture
def sqlite_paged(sqlite_world: World) -> World:
    sqlite_world.control("POST", "/settings", {"max_page": PEOPLE // PAGES})
    sqlite_world.store_key()
    return sqlite_world


def read(world: World) -> dict[str, Person]:
    """Everybody of acme as stored, by account id."""
    with world.tools.begin() as session:
        found = session.scalars(select(Person).where(Person.organization_id == ACME)).all()
        session.expunge_all()
        return {person.account_id: person for person in found}


def latest(world: World) -> syncing.SyncProgress:
    found = syncing.progress(world.tools, ACME)
    assert found is not None
    return found


def begun(world: World) -> str:
    """Takes up the sync that is due; its id."""
    ((organization_id, sync_id, attempt),) = syncing.due_syncs(world.tools)
    assert syncing.take_up(world.tools, organization_id, sync_id, attempt)
    return sync_id


def run_refused(world: World, reason: str) -> None:
    with pytest.raises(NotReady, match=reason):
        previews.preview(world.tools, world.caller("ana"), Deed.SUSPEND, account_ids=None, filter=None)


@pytest.mark.parametrize("full_links", [False, True])
def test_a_complete_sync(paged: World, full_links: bool) -> None:
    paged.control("POST", "/settings", {"full_links": full_links})
    result = paged.sync(paged.caller("ana"))
    assert (result.state, result.people, result.expected, result.pages) == ("complete", PEOPLE, PEOPLE, PAGES)
    assert (result.problem, result.resume_at, result.seconds_left) == ("", None, None)
    people = read(paged)
    known = {one["account_id"]: one for one in paged.directory()}
    assert people.keys() == known.keys()
    for account_id, person in people.items():
        one = known[account_id]
        assert (person.name, person.membership_status) == (one["name"], one["membership"])
        assert person.email == (None if one["email_hidden"] else one["email"])
        assert person.is_org_admin == ("atlassian/org-admin" in one["platform_roles"])
        assert person.is_bot == (one["kind"] in {"bot", "service-account"})
        assert person.seat_count == len(one["last_active"])
        dates = [moment for moment in one["last_active"].values() if moment]
        if dates:
            assert person.activity == "seen"
            assert person.seen_at is not None
            assert abs(person.seen_at - datetime.fromisoformat(max(dates))) < timedelta(milliseconds=1)
        elif one["last_active"]:
            assert (person.activity, person.seen_at, person.seen_in) == ("never", None, "")
        else:
            assert (person.activity, person.seen_at) == ("unknown", None)
    events = [entry.event for entry in paged.audit("sync:started", "sync:completed")]
    assert events == ["sync:started", "sync:completed"]


def test_seats_are_counted_under_one_name_per_product(sqlite_paged: World) -> None:
    """users/search says "jira" where workspaces say "jira-software"."""
    sqlite_paged.sync(sqlite_paged.caller("ana"))
    with sqlite_paged.tools.begin() as session:
        keys = set(session.scalars(select(Seat.product_key)))
    assert keys == {"jira-software", "confluence", "jira-servicedesk"}


def test_leavers_are_marked_and_come_back(world: World) -> None:
    ana = world.synced()
    gone = world.changeable(1)[0]
    kept = read(world)[gone]
    world.control("DELETE", f"/people/{gone}")
    world.later(hours=1)
    assert world.sync(ana).people == PEOPLE - 1
    left = read(world)[gone]
    assert left.left_at is not None
    assert (left.name, left.seat_count) == (kept.name, 0)
    tables = world.dump()
    assert not any(gone in row for row in [*tables["seat"], *tables["membership"]])
    with world.tools.begin() as session:
        shown = find_people(session, ACME, PeopleFilter(), world.clock(), limit=1000)
        assert gone not in {person.account_id for person in shown}
        ((only),) = find_people(session, ACME, PeopleFilter(status="left"), world.clock())
        assert only.account_id == gone
    world.later(hours=1)
    first_left = left.left_at
    world.sync(ana)
    assert read(world)[gone].left_at == first_left, "the day somebody left does not move"
    with world.sandbox.cloud.store.write() as connection:
        connection.execute(
            "INSERT INTO person SELECT 999999, org, ?, name, nickname, email, email_hidden, domain, email_verified,"
            " account_status, membership, former_membership, former_until, claim, source, mfa, added_at,"
            " deactivated_at, job, department, location, time_zone, kind, '' FROM person WHERE account_id = ?",
            (gone, ACCOUNTS["uma"]),
        )
    world.later(hours=1)
    assert world.sync(ana).people == PEOPLE
    assert read(world)[gone].left_at is None


def test_whom_a_run_removed_is_gone_by_no_sync(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    step = {"when": {"not_seen": 90}, "then": {"deed": "remove"}, "grace": 0}
    world.run_rule(ana, world.rule(ana, step, who={"people": [person]}))
    page = world.call("GET", f"/app/people/{person}").text
    assert "Gone since" in page
    assert "The sync of" not in page


def test_a_second_reading_follows_every_change(world: World) -> None:
    ana = world.synced()
    one, other = world.changeable(2)
    seen = (world.clock() - timedelta(days=2)).isoformat()
    world.change(one, name="New Name", last_active={"jira": seen}, claim_status="unmanaged")
    world.change(other, membership_status="suspended", email_hidden=1)
    before = world.dump()
    world.later(hours=1)
    world.sync(ana)
    people, after = read(world), world.dump()
    assert (people[one].name, people[one].claim_status) == ("New Name", "unmanaged")
    assert "new name" in people[one].search_text
    assert (people[other].status, people[other].email, people[other].email_domain) == ("suspended", None, "")
    assert after["membership"] == before["membership"]
    changed = [row for row in after["seat"] if row not in before["seat"]]
    assert {row[1] for row in changed} <= {one}, "only what changed is written"


def test_one_person_whom_nobody_can_read_ends_no_sync_and_stays_as_they_are_known(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    ana = world.synced()
    odd, other = world.changeable(2)
    known, held = read(world)[odd], world.dump()
    with world.sandbox.cloud.store.write() as connection:
        connection.execute("UPDATE person SET added_at = 'long ago' WHERE account_id = ?", (odd,))
    world.arrange(other, name="Another Name")
    result = world.sync(ana)
    assert (result.state, result.people) == ("complete", PEOPLE)
    people = read(world)
    assert people[other].name == "Another Name"
    assert (people[odd].left_at, people[odd].name, people[odd].seat_count) == (
        None,
        known.name,
        known.seat_count,
    )
    for table in ("seat", "membership"):
        assert [row for row in world.dump()[table] if odd in row] == [
            row for row in held[table] if odd in row
        ]
    run_id = world.begin_run(ana, [odd, other])
    world.act()
    assert world.states(run_id) == {odd: "failed", other: "acted"}


def test_an_account_id_may_have_every_character_that_atlassian_names(sqlite_world: World) -> None:
    """specs: admin-user-management says [a-zA-Z0-9_|:-]. One whom we could not read would end every sync."""
    world = sqlite_world
    ana = world.store_key()
    (person,) = world.people(1)
    odd = "acme|5b10ac8d:82e0_5b2-2"
    with world.sandbox.cloud.store.write() as connection:
        connection.execute("PRAGMA defer_foreign_keys = ON")
        connection.execute("UPDATE person SET account_id = ? WHERE account_id = ?", (odd, person))
    result = world.sync(ana)
    assert (result.state, result.people) == ("complete", PEOPLE)
    run_id = world.begin_run(ana, [odd])
    world.act()
    assert world.states(run_id) == {odd: "acted"}
    assert world.call("GET", f"/app/people/{quote(odd, safe='')}").status_code == 200


def test_stop(sqlite_paged: World) -> None:
    ana = sqlite_paged.caller("ana")
    sync_id = begun(sqlite_paged)
    tools = with_something_between(
        sqlite_paged.tools, once("after", "people_page", lambda: syncing.stop_sync(sqlite_paged.tools, ana))
    )
    assert directory_reading.take_pages(tools, ACME, sync_id) == directory_reading.SyncStep.DONE
    result = latest(sqlite_paged)
    assert (result.state, result.people) == ("stopped", 0)
    assert directory_reading.take_pages(sqlite_paged.tools, ACME, sync_id) == directory_reading.SyncStep.DONE
    assert not syncing.take_up(sqlite_paged.tools, ACME, sync_id, 99)
    run_refused(sqlite_paged, "no_complete_sync")
    with pytest.raises(Conflict):
        syncing.stop_sync(sqlite_paged.tools, ana)
    (entry,) = sqlite_paged.audit("sync:stopped")
    assert entry.actor == ACCOUNTS["ana"]


def test_stop_comes_too_late_while_the_worker_ends_it(world: World) -> None:
    """The last transaction of a large organization takes seconds: what is complete stays complete."""
    world.store_key()
    sync_id = begun(world)
    ana = world.caller("ana")
    with ThreadPoolExecutor() as others, world.tools.begin() as session:
        sync = session.get_one(Sync, sync_id)
        assert syncing.end_sync(session, sync, SyncState.COMPLETE, now=world.clock(), actor=APP)
        stopping = others.submit(syncing.stop_sync, world.tools, ana)
        failing = others.submit(syncing.fail_sync, world.tools, ACME, sync_id, "Too late.")
        time.sleep(0.5)
        session.commit()
        with pytest.raises(Conflict):
            stopping.result()
        failing.result()
    assert latest(world).state == SyncState.COMPLETE
    assert [entry.event for entry in world.audit("sync:completed", "sync:stopped", "sync:failed")] == [
        "sync:completed"
    ]


@pytest.mark.parametrize(
    ("kind", "seconds"), [("429", 600), ("429-no-header", 60), ("503", 15), ("reset", 15)]
)
def test_a_pause_is_kept_in_the_row(sqlite_paged: World, kind: str, seconds: int) -> None:
    """The third page meets trouble: the sync waits as long as Atlassian says, and goes on at that page."""
    sqlite_paged.fault("/users/search$", kind, seconds=600, skip=ADMIN_SEARCHES + 2)
    before = sqlite_paged.clock()
    result = sqlite_paged.sync(sqlite_paged.caller("ana"))
    assert result.state == SyncState.RUNNING
    assert result.resume_at is not None
    assert timedelta(seconds=seconds - 2) < result.resume_at - before < timedelta(seconds=seconds + 20)
    assert (result.people, result.problem != "") == (2 * PEOPLE // PAGES, True)
    assert syncing.due_syncs(sqlite_paged.tools) == []
    run_refused(sqlite_paged, "no_complete_sync")
    sqlite_paged.later(seconds=seconds + 20)
    asked = len(sqlite_paged.requests("/users/search$"))
    result = sqlite_paged.sync(sqlite_paged.caller("ana"))
    assert (result.state, result.people, result.pages) == ("complete", PEOPLE, PAGES)
    assert len(sqlite_paged.requests("/users/search$")) - asked == PAGES - 2, "no page is read again"


@pytest.mark.parametrize(("kind", "why"), [("429", "asks us to slow down."), ("503", "could not be reached")])
def test_the_overview_says_why_a_sync_waits_and_what_one_that_ended_has_read(
    sqlite_paged: World, kind: str, why: str
) -> None:
    ana = sqlite_paged.caller("ana")
    sqlite_paged.fault("/users/search$", kind, skip=ADMIN_SEARCHES + 2)
    assert sqlite_paged.sync(ana).state == SyncState.RUNNING
    waiting = sqlite_paged.call("GET", "/app/overview").text
    assert re.search(rf"Atlassian {why}.*? Goes on by itself at \d\d:\d\d", waiting)
    syncing.stop_sync(sqlite_paged.tools, ana)
    assert f"It had read {2 * PEOPLE // PAGES} people;" in sqlite_paged.call("GET", "/app/overview").text


def test_pauses_grow_and_end(sqlite_paged: World) -> None:
    sqlite_paged.fault("/users/", "503", times=None)
    pauses = []
    for _ in range(8):
        now = sqlite_paged.clock()
        result = sqlite_paged.sync(sqlite_paged.caller("ana"))
        assert result.resume_at is not None
        pauses.append(round((result.resume_at - now).total_seconds() / 15))
        sqlite_paged.clock.offset += result.resume_at - now + timedelta(seconds=1)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    sqlite_paged.later(days=1)
    result = sqlite_paged.sync(sqlite_paged.caller("ana"))
    assert result.state == SyncState.FAILED
    assert "could not be reached" in result.problem


def test_however_often_atlassian_asks_to_slow_down_the_directory_is_read_to_its_end(
    sqlite_paged: World,
) -> None:
    ana = sqlite_paged.caller("ana")
    for _ in range(70):
        sqlite_paged.fault("/users/search$", "429", seconds=2)
        result = sqlite_paged.sync(ana)
        assert result.state == SyncState.RUNNING
        sqlite_paged.later(seconds=60)
    sqlite_paged.clear_faults()
    result = sqlite_paged.sync(ana)
    assert (result.state, result.people) == ("complete", PEOPLE)


def test_an_answer_nobody_understands_ends_the_sync_with_a_sentence(sqlite_paged: World) -> None:
    sqlite_paged.fault("/users/search$", "odd", skip=ADMIN_SEARCHES + 1)
    result = sqlite_paged.sync(sqlite_paged.caller("ana"))
    assert (result.state, result.resume_at) == ("failed", None)
    assert "does not understand" in result.problem
    assert read(sqlite_paged)
    run_refused(sqlite_paged, "no_complete_sync")
    (entry,) = sqlite_paged.audit("sync:failed")
    assert entry.result == result.problem


def test_a_dead_key_ends_the_sync(sqlite_paged: World) -> None:
    sqlite_paged.control("POST", f"/keys/{ACME_KEY}/expire")
    result = sqlite_paged.sync(sqlite_paged.caller("ana"))
    assert result.state == SyncState.FAILED
    assert "Atlassian rejects the Admin API key, though it should last until" in result.problem
    assert "Create a new key" in result.problem
    assert len(sqlite_paged.audit("credential:died")) == 1


def test_s46_a_sync_that_breaks_on_page_3_is_not_complete(paged: World) -> None:
    ana = paged.caller("ana")
    paged.sync(ana)
    complete = latest(paged)
    gone = paged.changeable(1)[0]
    paged.control("DELETE", f"/people/{gone}")
    paged.later(hours=47)
    syncing.request_sync(paged.tools, ana)
    paged.fault("/users/search$", "odd", skip=ADMIN_SEARCHES + 2)
    paged.read_on()
    assert latest(paged).state == SyncState.FAILED
    assert read(paged)[gone].left_at is None, "nobody has left by half a reading"
    # The old complete one still counts until it is too old; the broken one never does.
    previews.preview(paged.tools, ana, Deed.SUSPEND, account_ids=None, filter=None)
    paged.clock.offset += complete.started_at + previews.FRESH - paged.clock() + timedelta(seconds=1)
    run_refused(paged, "stale_sync")


def test_s46_with_one_of_two_directories_read_a_sync_is_not_complete(paged: World) -> None:
    """The sandbox has one directory an organization: all of them together stand for another one."""
    ana = paged.caller("ana")
    paged.sync(ana)
    gone = paged.changeable(1)[0]
    paged.control("DELETE", f"/people/{gone}")
    paged.later(hours=1)
    syncing.request_sync(paged.tools, ana)
    sync_id = begun(paged)
    with paged.tools.begin() as session:
        session.get_one(Sync, sync_id).directory_ids = f"{ORGANIZATIONS['acme'].directory_id},-"
    assert directory_reading.take_pages(paged.tools, ACME, sync_id) == directory_reading.SyncStep.MORE
    assert (latest(paged).pages, latest(paged).state) == (PAGES, SyncState.RUNNING)
    assert read(paged)[gone].left_at is None, "the other one may have them"
    assert directory_reading.take_pages(paged.tools, ACME, sync_id) == directory_reading.SyncStep.DONE
    assert (latest(paged).pages, latest(paged).state) == (2 * PAGES, SyncState.COMPLETE)
    assert read(paged)[gone].left_at is not None


def test_s46_an_empty_answer_is_a_directory_without_people_only_when_it_says_so(sqlite_paged: World) -> None:
    """`{}` instead of a page must not make everybody leave."""
    ana = sqlite_paged.caller("ana")
    sqlite_paged.sync(ana)
    sqlite_paged.later(hours=1)
    syncing.request_sync(sqlite_paged.tools, ana)
    sync_id = begun(sqlite_paged)
    sqlite_paged.fault("/users/search$", "odd", times=None)
    directory_reading.take_pages(sqlite_paged.tools, ACME, sync_id)
    assert all(person.left_at is None for person in read(sqlite_paged).values())


def test_two_at_once_are_impossible(world: World) -> None:
    ana = world.synced()
    together, outcomes = threading.Barrier(6), []

    def ask() -> None:
        together.wait()
        try:
            outcomes.append(syncing.request_sync(world.tools, ana))
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("conflict") == 5
    assert len(world.dump()["sync"]) == 2
    # Another organization's is another matter.
    world.store_key("gina", "globex")
    assert {due[0] for due in syncing.due_syncs(world.tools)} == {ACME, GLOBEX}


def test_a_second_worker_gives_way(paged: World) -> None:
    """Both hold page one; the second has stored everything by the time the first comes to store."""
    sync_id = begun(paged)

    def overtake() -> None:
        assert directory_reading.take_pages(paged.tools, ACME, sync_id) == directory_reading.SyncStep.DONE

    slow = with_something_between(paged.tools, once("after", "people_page", overtake))
    assert directory_reading.take_pages(slow, ACME, sync_id) == directory_reading.SyncStep.DONE
    result = latest(paged)
    assert (result.state, result.people, result.pages) == ("complete", PEOPLE, PAGES)
    assert len(paged.audit("sync:completed")) == 1


def test_an_older_attempt_does_not_begin(sqlite_paged: World) -> None:
    ((_, sync_id, attempt),) = syncing.due_syncs(sqlite_paged.tools)
    assert attempt == 1
    assert syncing.take_up(sqlite_paged.tools, ACME, sync_id, 2)
    assert not syncing.take_up(sqlite_paged.tools, ACME, sync_id, 1)
    assert syncing.take_up(sqlite_paged.tools, ACME, sync_id, 2), "the same attempt after a crash"
    assert not syncing.take_up(sqlite_paged.tools, GLOBEX, sync_id, 3), "not this organization's"


@pytest.mark.slow
def test_a_sync_killed_at_every_moment_still_ends_complete_and_right(world: World) -> None:
    world.control("POST", "/settings", {"max_page": PEOPLE // 2})
    world.store_key()
    sync_id = begun(world)
    moments, at = set(), 1
    while latest(world).state == SyncState.RUNNING:
        before = world.stored(Sync, sync_id)
        crash = Crash(at)
        try:
            directory_reading.take_pages(with_something_between(world.tools, crash), ACME, sync_id)
        except Killed:
            moments.add(crash.moment)
        after = world.stored(Sync, sync_id)
        moved_on = (before.directory_ids, before.pages) != (after.directory_ids, after.pages)
        at = 1 if moved_on else at + 1
    result = latest(world)
    assert (result.state, result.people, result.pages) == ("complete", PEOPLE, 2)
    assert len(read(world)) == PEOPLE
    assert all(person.left_at is None for person in read(world).values())
    whats = ("directories", "workspaces", "people_page", "transaction")
    assert moments >= {f"{when} {what}" for when in ("before", "after") for what in whats}
    assert len(world.audit("sync:completed")) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_sync_that_dies_while_products_are_asked_about_begins_anew(sqlite_paged: World, when: str) -> None:
    """These are asked side by side: which comes when is nobody's choice."""
    sync_id = begun(sqlite_paged)
    for what in ("groups_granting", "holders_of_role", "groups", "people_count"):
        dying = with_something_between(sqlite_paged.tools, die(when, what))
        with pytest.raises(Killed):
            directory_reading.take_pages(dying, ACME, sync_id)
    while latest(sqlite_paged).state == SyncState.RUNNING:
        directory_reading.take_pages(sqlite_paged.tools, ACME, sync_id)
    result = latest(sqlite_paged)
    assert (result.state, result.people, result.expected) == ("complete", PEOPLE, PEOPLE)
    assert len(read(sqlite_paged)) == PEOPLE


def dying_behind_page(world: World, page: int) -> Toolbox:
    """A worker that dies as soon as so many pages are stored."""

    def around(when: str, what: str) -> None:
        if (when, what) == ("after", "transaction") and latest(world).pages == page:
            raise Killed

    return with_something_between(world.tools, around)


def test_after_a_crash_it_goes_on_from_the_stored_cursor(sqlite_paged: World) -> None:
    sync_id = begun(sqlite_paged)
    for page in range(1, PAGES):
        with pytest.raises(Killed):
            directory_reading.take_pages(dying_behind_page(sqlite_paged, page), ACME, sync_id)
        assert latest(sqlite_paged).people == page * PEOPLE // PAGES
    asked = len(sqlite_paged.requests("/users/search$"))
    assert directory_reading.take_pages(sqlite_paged.tools, ACME, sync_id) == directory_reading.SyncStep.DONE
    assert len(sqlite_paged.requests("/users/search$")) == asked + 1
    assert (latest(sqlite_paged).people, latest(sqlite_paged).pages) == (PEOPLE, PAGES)


@pytest.mark.parametrize("deed", ["suspend", "remove_access", "remove"])
def test_a_page_that_is_older_than_a_deed_takes_nothing_back(paged: World, deed: str) -> None:
    """The page is on its way while somebody on it is acted on: what it shows of them is over."""
    ana = paged.caller("ana")
    (person,) = paged.people(1)
    paged.sync(ana)
    products = {"products": ["jira-software"]} if deed == "remove_access" else {}
    step = {"when": {"not_seen": 90}, "then": {"deed": deed, **products}, "grace": 0}
    rule_id = paged.rule(ana, step, who={"people": [person]})
    paged.later(hours=1)
    syncing.request_sync(paged.tools, ana)
    runs: list[str] = []

    def act() -> None:
        runs.append(paged.run_rule(ana, rule_id))

    def look() -> tuple[Any, ...]:
        found = read(paged)[person]
        return (found.status, found.membership_status, found.left_at, found.given_back_at, has(paged, person))

    def between(when: str, what: str) -> None:
        if (when, what) == ("after", "people_page") and not runs:
            act()
            known.append(look())

    known: list[tuple[Any, ...]] = []
    paged.read_on(with_something_between(paged.tools, between))
    assert paged.states(runs[0]) == {person: "acted"}
    assert latest(paged).state == "complete"
    assert look() == known[0]
    assert latest(paged).people == PEOPLE - (deed == "remove")
    if deed != "remove":
        paged.change(person, name="Shows Now")
    paged.settled()
    assert read_again(paged) == 1
    assert look() == known[0]
    assert (read(paged)[person].name == "Shows Now") == (deed != "remove"), (
        "they are read as soon as it shows"
    )
    paged.sync(ana)
    assert (look()[0], look()[4]) == (known[0][0], known[0][4])


def test_somebody_in_two_directories_is_marked_and_not_changed(world: World) -> None:
    """The sandbox has one directory an organization: one more page of the same sync stands for another one."""
    ana = world.synced()
    one, both = world.changeable(2)
    sync_id = world.rows(Sync)[0].id
    with world.tools.begin() as session:
        facts = [facts_of(session.get_one(Person, (ACME, account_id))) for account_id in (both,)]
        store_people(session, ACME, "another-directory", sync_id, facts, world.clock())
    run_id = previews.preview(world.tools, ana, Deed.SUSPEND, account_ids=[one, both], filter=None)
    assert world.states(run_id) == {one: "planned", both: "not_possible"}
    assert "several directories" in world.case(run_id, both).reason
    world.later(hours=1)
    world.sync(ana)
    assert not read(world)[both].in_several_directories, "a later reading finds them in one"


def met_elsewhere(world: World, account_id: str, sync_id: str, **known: Any) -> None:
    """The same sync meets somebody in another directory too; Confluence is all they have there."""
    with world.tools.begin() as session:
        facts = replace(facts_of(session.get_one(Person, (ACME, account_id))), **known)
        store_people(session, ACME, "another-directory", sync_id, [facts], world.clock())


def test_whoever_cannot_be_read_in_one_of_two_directories_stays_known_as_in_both(world: World) -> None:
    ana = world.synced()
    (both,) = world.changeable(1)
    met_elsewhere(world, both, world.rows(Sync)[0].id)
    world.later(hours=1)

    def two_directories(call: Call, answer: Any) -> Any:
        if call.path.partition("?")[0].endswith("/directories"):
            answer["data"].append({"directoryId": "another-directory", "name": "Another one"})
        if "/another-directory/" not in call.path:
            return answer
        unreadable = [{"accountId": both, "status": 1}] if is_reading_of_people(call) else []
        return Reply(200, json.dumps({"count": 1, "data": unreadable, "links": {}}).encode())

    with retold(world, two_directories) as tools:
        assert world.sync(ana, tools).state == "complete"
    assert read(world)[both].in_several_directories
    run_id = previews.preview(world.tools, ana, Deed.SUSPEND, account_ids=[both], filter=None)
    assert world.states(run_id) == {both: "not_possible"}


def test_a_sync_that_breaks_off_does_not_say_that_somebody_is_in_one_directory(paged: World) -> None:
    """They are idle in one directory and active in the other: half of what they have is no reason to take anything."""
    ana = paged.caller("ana")
    both = paged.people(1)[0]
    paged.sync(ana)
    active = ProductAccess(CONFLUENCE, "confluence", paged.clock() - timedelta(hours=3))
    met_elsewhere(paged, both, paged.rows(Sync)[0].id, products=(active,))
    paged.later(hours=25)
    syncing.request_sync(paged.tools, ana)
    paged.fault("/users/search$", "odd", skip=ADMIN_SEARCHES + PAGES - 1)
    paged.read_on()
    assert latest(paged).state == "failed"
    assert read(paged)[both].sync_id == max(paged.rows(Sync), key=lambda sync: sync.started_at).id
    assert read(paged)[both].in_several_directories
    run_id = paged.run_rule(ana, paged.rule(ana, who={"people": [both]}))
    assert set(paged.states(run_id).values()) <= {"not_possible"}
    assert paged.effects(both)["suspend"] == 0
    paged.sync(ana)
    assert latest(paged).state == "complete"
    assert not read(paged)[both].in_several_directories, "a complete sync met them in one alone"


def test_whoever_is_met_twice_stays_so_however_often_they_are_read_again(world: World) -> None:
    world.synced()
    (both,) = world.changeable(1)
    sync_id = world.rows(Sync)[0].id
    here = read(world)[both].directory_id
    met_elsewhere(world, both, sync_id)
    for directory_id in ("another-directory", here, here, "another-directory"):
        with world.tools.begin() as session:
            facts = facts_of(session.get_one(Person, (ACME, both)))
            store_people(session, ACME, directory_id, sync_id, [facts], world.clock())
            believe_directories(session, ACME, sync_id)
        assert read(world)[both].in_several_directories, directory_id


def directory_of(world: World, account_id: str, sync_id: str, directory_id: str, *products: str) -> None:
    """One directory of a sync shows somebody with these products, last seen an hour ago in each, and a group alike."""
    here = ORGANIZATIONS["acme"]
    with world.tools.begin() as session:
        seen_at = world.clock() - timedelta(hours=1)
        held = tuple(ProductAccess(here.resource(key), key, seen_at) for key in products)
        groups = tuple(GroupRef(f"group-{key}", key) for key in products)
        facts = facts_of(session.get_one(Person, (ACME, account_id)))
        facts = replace(facts, products=held, groups=groups)
        store_people(session, ACME, directory_id, sync_id, [facts], world.clock())


def has(world: World, account_id: str) -> tuple[set[str], set[str], int]:
    """Products by their seats, groups, and how many seats their row says."""
    return (
        {seat.product_key for seat in world.rows(Seat) if seat.account_id == account_id},
        {
            one.group_id.removeprefix("group-")
            for one in world.rows(Membership)
            if one.account_id == account_id
        },
        read(world)[account_id].seat_count,
    )


def completes(world: World, sync_id: str) -> None:
    with world.tools.begin() as session:
        believe_directories(session, ACME, sync_id)


def test_what_somebody_has_in_several_directories_adds_up(world: World) -> None:
    world.synced()
    (both,) = world.changeable(1)
    for sync_id in ("first", "second"):
        directory_of(world, both, sync_id, "here", JIRA)
        if sync_id == "second":
            assert has(world, both) == ({JIRA, CONF}, {JIRA, CONF}, 2), "a sync under way takes nothing away"
        directory_of(world, both, sync_id, "there", CONF)
        assert has(world, both) == ({JIRA, CONF}, {JIRA, CONF}, 2)
        completes(world, sync_id)
        assert has(world, both) == ({JIRA, CONF}, {JIRA, CONF}, 2)
        assert read(world)[both].in_several_directories


def test_what_no_directory_shows_any_more_goes_when_the_sync_is_complete(world: World) -> None:
    world.synced()
    (both,) = world.changeable(1)
    directory_of(world, both, "first", "here", JIRA)
    directory_of(world, both, "first", "there", CONF)
    completes(world, "first")
    directory_of(world, both, "second", "here")
    directory_of(world, both, "second", "there", CONF)
    assert has(world, both)[2] == 2
    completes(world, "second")
    assert has(world, both) == ({CONF}, {CONF}, 1)
    assert (read(world)[both].seen_in, read(world)[both].in_several_directories) == (CONF, True)
    directory_of(world, both, "third", "here", JIRA)
    assert read(world)[both].in_several_directories
    completes(world, "third")
    assert has(world, both) == ({JIRA}, {JIRA}, 1)
    assert not read(world)[both].in_several_directories
    directory_of(world, both, "third", "here")
    assert has(world, both) == (set(), set(), 0), "of one directory, each reading says everything"


def test_suspended_in_one_directory_and_active_in_another_was_not_given_anything_back(world: World) -> None:
    world.synced()
    (both,) = world.changeable(1)
    for sync_id in ("first", "second"):
        for directory_id, status in (("here", "suspended"), ("there", "active")):
            with world.tools.begin() as session:
                facts = replace(facts_of(session.get_one(Person, (ACME, both))), status=status)
                store_people(session, ACME, directory_id, sync_id, [facts], world.clock())
        completes(world, sync_id)
    assert read(world)[both].given_back_at is None


def test_nobody_is_told_anything_by_half_of_what_they_have(world: World) -> None:
    """Idle in the directory that is read last, and asked at the deed; in the other one they may have come."""
    ana = world.store_key()
    both = world.people(1)[0]
    world.sync(ana)
    sync_id = world.rows(Sync)[0].id
    here = read(world)[both].directory_id
    idle = ProductAccess(ORGANIZATIONS["acme"].resource(JIRA), JIRA, world.clock() - timedelta(days=100))
    there = ProductAccess(CONFLUENCE, CONF, world.clock() - timedelta(days=95))
    met_elsewhere(world, both, sync_id, products=(there,))
    with world.tools.begin() as session:
        facts = replace(facts_of(session.get_one(Person, (ACME, both))), products=(idle,))
        store_people(session, ACME, here, sync_id, [facts], world.clock())
    step = {"when": {"not_seen": 90}, "then": {"deed": "tell"}}
    rule_id = world.rule(ana, step, who={"people": [both]})
    run_id = rule_runs.run_now(world.tools, ana, rule_id)
    with world.tools.begin() as session:
        note_seen(session, ACME, both, CONF, world.clock())
    world.act()
    assert world.states(run_id) == {both: "spared"}
    assert world.states(world.run_rule(ana, rule_id)) == {}


def test_the_daily_sync(sqlite_world: World) -> None:
    ana = sqlite_world.synced()
    assert syncing.start_daily_syncs(sqlite_world.tools) == 0
    sqlite_world.later(hours=25)
    assert syncing.start_daily_syncs(sqlite_world.tools) == 1
    assert syncing.start_daily_syncs(sqlite_world.tools) == 0
    assert sqlite_world.sync(ana).requested_by == "rollcall"
    sqlite_world.later(hours=25)
    sqlite_world.control("POST", f"/keys/{ACME_KEY}/expire")
    assert syncing.start_daily_syncs(sqlite_world.tools) == 1
    sqlite_world.sync(ana)
    sqlite_world.later(hours=25)
    assert syncing.start_daily_syncs(sqlite_world.tools) == 0, "not with a dead key"


def test_only_through_a_door(sqlite_world: World) -> None:
    with pytest.raises(NotReady, match="no_organization"):
        syncing.request_sync(sqlite_world.tools, sqlite_world.caller("ana"))
    with pytest.raises(NotReady, match="no_organization"):
        syncing.stop_sync(sqlite_world.tools, sqlite_world.caller("gina", "globex"))
    sqlite_world.synced()
    with pytest.raises(Invalid, match="other_organization"):
        sqlite_world.store_key("gina", "globex", ACME_KEY)


FORGOTTEN_CURSOR = Reply(
    400, json.dumps({"errors": [{"code": "ADMIN-400-1", "title": "Invalid cursor"}]}).encode()
)


def forgetful(until_pause_over: datetime, world: World, forgotten: list[str]) -> Tell:
    """After the third page Atlassian asks to wait for an hour, and knows no cursor any more that it gave before."""
    given: dict[str, datetime] = {}

    def tell(call: Call, answer: Any) -> Any:
        if not is_reading_of_people(call):
            return answer
        cursor = json.loads(call.body).get("cursor", "")
        if cursor in given and given[cursor] < until_pause_over <= world.clock():
            forgotten.append(cursor)
            return FORGOTTEN_CURSOR
        if len(given) == 3 and world.clock() < until_pause_over:
            return Reply(429, b"{}", {"Retry-After": "3600"})
        if "links" in answer and answer["links"].get("next"):
            given[answer["links"]["next"]] = world.clock()
        return answer

    return tell


def test_a_place_that_atlassian_has_forgotten_during_a_pause_ends_no_sync(paged: World) -> None:
    world, forgotten = paged, list[str]()
    tell = forgetful(world.clock() + timedelta(minutes=59), world, forgotten)
    with retold(world, tell) as tools:
        first = world.sync(world.caller("ana"), tools)
        assert (first.state, first.people) == ("running", PEOPLE // PAGES * 3)
        world.later(hours=1, seconds=5)
        world.read_on(tools)
    after = syncing.progress(world.tools, ACME)
    assert after is not None
    assert (after.state, after.people, after.problem, len(forgotten)) == ("complete", PEOPLE, "", 1)
    assert all(person.left_at is None for person in read(world).values())


def test_a_place_that_is_forgotten_each_time_ends_the_sync(sqlite_paged: World) -> None:
    world, asked = sqlite_paged, list[Call]()

    def tell(call: Call, answer: Any) -> Any:
        if is_reading_of_people(call):
            asked.append(call)
            return FORGOTTEN_CURSOR if b'"cursor"' in call.body else answer
        return answer

    with retold(world, tell) as tools:
        result = world.sync(world.caller("ana"), tools)
    assert (result.state, len(asked)) == ("failed", 4), "once more, and not for ever"


def test_a_place_in_the_outline_that_is_forgotten_during_a_pause_ends_no_sync(sqlite_world: World) -> None:
    world = sqlite_world
    world.control("POST", "/settings", {"max_page": 5})
    world.store_key()
    begins, asked = world.clock(), list[bytes]()

    def tell(call: Call, answer: Any) -> Any:
        if not call.path.endswith("/groups/search") or b"cursor" not in call.body:
            return answer
        if world.clock() < begins + timedelta(minutes=59):
            return Reply(429, b"{}", {"Retry-After": "3600"})
        asked.append(call.body)
        return FORGOTTEN_CURSOR if len(asked) == 1 else answer

    with retold(world, tell) as tools:
        assert world.sync(world.caller("ana"), tools).state == "running"
        world.later(hours=1, seconds=5)
        world.read_on(tools)
    after = syncing.progress(world.tools, ACME)
    assert after is not None
    assert (after.state, after.people) == ("complete", PEOPLE)
