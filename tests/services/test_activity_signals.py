"""Webhooks as signs of life: fresher, never older; nobody becomes idle, and nobody of another organization changes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from models.organization import Seats
from models.people import Person, Seat, Signal, facts_of
from models.tenant import Tenant
from rules.activity import activity_per_product
from rules.person import ProductAccess
from sandbox.world import ORGANIZATIONS
from services.activity_signals import GRAIN, record_signal
from services.directory import signals_of
from services.seats import carried_by
from tests.world import ACCOUNTS, ACME, World

JIRA, CONFLUENCE = "jira-software", "confluence"


def seats(world: World, account_id: str) -> dict[str, tuple[str, datetime | None]]:
    return {
        row.product_key: (row.activity, row.seen_at)
        for row in world.rows(Seat)
        if row.account_id == account_id
    }


def person(world: World, account_id: str) -> Person:
    found: Person = world.stored(Person, ACME, account_id)
    return found


def with_seats(world: World, *products: str) -> str:
    """Somebody changeable with a seat in each of these."""
    return next(
        account_id for account_id in world.changeable(20) if seats(world, account_id).keys() >= set(products)
    )


def event(account_id: str, at: datetime) -> dict[str, object]:
    return {"timestamp": int(at.timestamp() * 1000), "user": {"accountId": account_id}}


def close(one: datetime | None, other: datetime) -> bool:
    return one is not None and abs(one - other) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("product", "happened"),
    [("jira", "jira:issue_created"), ("jira", "comment_created"), ("confluence", "page_viewed")],
)
def test_a_webhook_makes_somebody_fresher_and_a_sync_keeps_it(
    world: World, product: str, happened: str
) -> None:
    """A real event, signed by the sandbox, through the guard."""
    ana = world.store_key()
    if product == "confluence":
        world.install("acme", "confluence")
        world.store_key("ana", product="confluence")
    (account_id,) = world.people(1, groups=["jira-users", "confluence-users"], idle=None)
    world.sync(ana)
    assert person(world, account_id).activity == "never"
    assert world.webhook(happened, account_id, product=product) == [204]
    now = world.clock()
    assert close(person(world, account_id).seen_at, now)
    assert (person(world, account_id).activity, person(world, account_id).seen_in) == ("seen", product)
    for key, (activity, seen_at) in seats(world, account_id).items():
        if key.startswith(product):
            assert activity == "seen"
            assert close(seen_at, now)
        else:
            assert (activity, seen_at) == ("never", None)
    before = world.dump()["seat"]
    world.sync(ana)
    assert close(person(world, account_id).seen_at, now), "Atlassian's date is older or empty: ours stays"
    assert person(world, account_id).seen_in.startswith(product)
    assert world.dump()["seat"] == before


def test_who_works_on_one_site_is_not_here_on_another_one(world: World) -> None:
    """Two sites of one organization, each with a Jira: the signal comes from the first one."""
    ana = world.store_key()
    (account_id,) = world.people(1, idle=100)
    world.sync(ana)
    shown = person(world, account_id).seen_at
    second = "ari:cloud:jira-software::site/second"
    with world.tools.begin() as session:
        session.add(
            Seats(
                organization_id=ACME,
                resource_id=second,
                key=JIRA,
                name="Jira",
                host_url="https://acme-second.atlassian.net",
            )
        )
        session.add(
            Seat(
                organization_id=ACME,
                account_id=account_id,
                resource_id=second,
                product_key=JIRA,
                activity="seen",
                seen_at=shown,
            )
        )
        # Atlassian does not tell where this one is.
        session.add(
            Seats(
                organization_id=ACME, resource_id="ari:desk", key="jira-servicedesk", name="Desk", host_url=""
            )
        )
        session.add(
            Seat(
                organization_id=ACME,
                account_id=account_id,
                resource_id="ari:desk",
                product_key="jira-servicedesk",
                activity="seen",
                seen_at=shown,
            )
        )
    assert world.webhook("jira:issue_created", account_id) == [204]
    assert close(world.stored(Seat, ACME, account_id, "ari:desk").seen_at, world.clock())
    first = world.stored(Seat, ACME, account_id, ORGANIZATIONS["acme"].resource(JIRA))
    assert close(first.seen_at, world.clock())
    assert close(person(world, account_id).seen_at, world.clock())
    assert world.stored(Seat, ACME, account_id, second).seen_at == shown
    with world.tools.begin() as session:
        signals = signals_of(session, ACME, [account_id])[account_id]
        facts = replace(
            facts_of(session.get_one(Person, (ACME, account_id))),
            products=(ProductAccess(first.resource_id, JIRA, shown), ProductAccess(second, JIRA, shown)),
        )
    here, there = activity_per_product(facts, signals)
    assert close(here[1].at, world.clock())
    assert there[1].at == shown


def test_where_atlassian_does_not_tell_where_a_product_is_the_only_site_counts() -> None:
    door = Tenant(product="jira", base_url="https://one.atlassian.net")
    jira = Seats(resource_id="jira", key=JIRA, host_url="https://one.atlassian.net")
    desk = Seats(resource_id="desk", key="jira-servicedesk", host_url="")
    wiki = Seats(resource_id="wiki", key=CONFLUENCE, host_url="https://one.atlassian.net/wiki")
    board = Seats(resource_id="board", key="trello", host_url="https://trello.com")
    assert carried_by([door], [jira, desk, wiki, board]) == ["jira", "desk"]
    second = Seats(resource_id="second", key=JIRA, host_url="https://two.atlassian.net")
    assert carried_by([door], [jira, desk, second]) == ["jira"]


def test_never_older(world: World) -> None:
    ana = world.store_key()
    (account_id,) = world.people(1, idle=2)
    world.sync(ana)
    shown = person(world, account_id).seen_at
    record_signal(world.tools, ana, event(account_id, world.clock() - timedelta(days=30)))
    assert person(world, account_id).seen_at == seats(world, account_id)[JIRA][1] == shown
    world.sync(ana)
    assert person(world, account_id).seen_at == shown
    newer = world.clock() - timedelta(days=1)
    record_signal(world.tools, ana, event(account_id, newer))
    record_signal(world.tools, ana, event(account_id, newer - timedelta(hours=5)))
    assert close(person(world, account_id).seen_at, newer)
    assert close(world.stored(Signal, ACME, account_id, ORGANIZATIONS["acme"].resource(JIRA)).seen_at, newer)
    # Atlassian's own date may pass it by.
    newest = world.clock() - timedelta(hours=1)
    world.change(account_id, last_active={"jira": newest.isoformat()})
    world.sync(ana)
    assert close(person(world, account_id).seen_at, newest)


def test_a_moment_in_the_future_is_now(sqlite_world: World) -> None:
    ana = sqlite_world.synced()
    account_id = with_seats(sqlite_world, JIRA)
    for at in (sqlite_world.clock() + timedelta(days=400), datetime(2286, 1, 1, tzinfo=UTC)):
        sqlite_world.later(hours=2)
        record_signal(sqlite_world.tools, ana, event(account_id, at))
        assert close(person(sqlite_world, account_id).seen_at, sqlite_world.clock())


def test_without_a_time_of_its_own_it_is_now(sqlite_world: World) -> None:
    ana = sqlite_world.synced()
    account_id = with_seats(sqlite_world, JIRA)
    for stamp in (None, "yesterday", True, -1, 0, 10**15, 1.5, [1]):
        sqlite_world.later(hours=2)
        record_signal(sqlite_world.tools, ana, {"timestamp": stamp, "userAccountId": account_id})
        assert close(person(sqlite_world, account_id).seen_at, sqlite_world.clock())


def test_thousands_of_events_are_one_write_an_hour(sqlite_world: World) -> None:
    ana = sqlite_world.synced()
    account_id = with_seats(sqlite_world, JIRA)
    record_signal(sqlite_world.tools, ana, event(account_id, sqlite_world.clock()))
    before = sqlite_world.dump()
    for _ in range(3):
        sqlite_world.later(minutes=10)
        record_signal(sqlite_world.tools, ana, event(account_id, sqlite_world.clock()))
    assert sqlite_world.dump() == before
    sqlite_world.clock.offset += GRAIN
    record_signal(sqlite_world.tools, ana, event(account_id, sqlite_world.clock()))
    assert close(person(sqlite_world, account_id).seen_at, sqlite_world.clock())


def test_nobody_else_changes(world: World) -> None:
    """Strangers, people of the other organization, events without an actor, tenants without an organization."""
    ana = world.synced()
    gina = world.caller("gina", "globex")
    before = world.dump()
    now = world.clock()
    record_signal(world.tools, gina, event(ACCOUNTS["uma"], now))
    world.store_key("gina", "globex")
    world.read_on()
    before = world.dump()
    for caller, account_id in ((ana, "a-stranger"), (ana, ACCOUNTS["gwen"]), (gina, ACCOUNTS["uma"])):
        record_signal(world.tools, caller, event(account_id, now))
    odd = (
        {},
        {"user": None},
        {"user": {"accountId": 7}},
        {"user": [ACCOUNTS["uma"]]},
        {"comment": {"author": "x"}},
        {"user": {"accountId": "nul\0"}},
        {"user": {"accountId": "half\ud800"}},
        {"userAccountId": "\udfff"},
        {"userAccountId": "x" * 100_000},
    )
    for body in odd:
        record_signal(world.tools, ana, body)
    assert world.webhook("jira:issue_created", "a-stranger") == [204]
    assert world.dump() == before


def test_the_author_of_a_comment_is_the_one_who_was_there(sqlite_world: World) -> None:
    """Not whoever made the issue."""
    ana = sqlite_world.synced()
    one, other = sqlite_world.changeable(2)
    comment = {"author": {"accountId": one}, "updateAuthor": {"accountId": other}}
    record_signal(sqlite_world.tools, ana, {"comment": comment, "user": {"accountId": ACCOUNTS["uma"]}})
    assert {row.account_id for row in sqlite_world.rows(Signal)} == {other}
    record_signal(sqlite_world.tools, ana, {"comment": {"author": {"accountId": one}}})
    assert {row.account_id for row in sqlite_world.rows(Signal)} == {one, other}


@pytest.mark.slow
def test_a_sign_of_life_that_comes_while_a_sync_stores_its_person_waits_and_is_not_lost(world: World) -> None:
    """Who and then their seats, as services/directory.py stores them; the webhook comes in between."""
    ana = world.synced()
    account_id = with_seats(world, JIRA)
    now = world.clock()
    mine = {"organization_id": ACME, "account_id": account_id}
    with ThreadPoolExecutor() as others, world.tools.begin() as session:
        session.execute(update(Person).filter_by(**mine).values(name=Person.name))
        webhook = others.submit(record_signal, world.tools, ana, event(account_id, now))
        time.sleep(0.5)
        session.execute(update(Seat).filter_by(**mine).values(product_key=Seat.product_key))
        session.commit()
        webhook.result()
    assert close(seats(world, account_id)[JIRA][1], now)
    assert close(person(world, account_id).seen_at, now)
