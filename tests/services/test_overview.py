"""The Overview: counts told again from the rows, and what needs somebody."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from connect.errors import NotReady
from models.credential import Credential, CredentialKind
from models.delivery import Delivery
from models.hook import Hook
from models.people import Group, Person, Seat
from models.sync import Sync
from rules.topics import HookKind, Topic
from services import credential_storing, credentials, syncing
from services.flags import new_flag
from services.group_choices import MOST_FOUND, find_groups, group_choices
from services.matter import Matter
from services.matters import REMINDERS, announce_matters
from services.matters import matters as matters_of
from services.overview import overview
from services.workers import beat
from tests.world import ACME, ACME_KEY, ANA_TOKEN, World


def matters(world: World) -> dict[str, Matter]:
    """Without the idle people, who are always there; by key."""
    found = matters_of(world.tools, ACME, world.caller("ana").tenant)
    return {one.key: one for one in found if not one.key.startswith("idle-")}


def test_the_counts(world: World) -> None:
    ana = world.synced()
    world.synced("globex")
    now = world.clock()
    shown = overview(world.tools, ana)
    people = {row.account_id: row for row in world.rows(Person) if row.organization_id == ACME}
    assert shown.organization_name == "Acme Industries"
    status = Counter(row.status for row in people.values())
    assert (shown.totals.people, shown.totals.active, shown.totals.suspended, shown.totals.deactivated) == (
        len(people),
        status["active"],
        status["suspended"],
        status["deactivated"] + status["for_deletion"],
    )
    holders = [row for row in people.values() if row.status == "active" and row.seat_count]
    idle = [row for row in holders if row.seen_at and row.seen_at <= now - timedelta(days=90)]
    assert shown.totals.idle == len(idle) > 0
    assert shown.totals.never == sum(row.activity == "never" for row in holders)
    capacity = {"jira-software": 100, "confluence": 100, "jira-servicedesk": 100}
    assert {product.key for product in shown.by_product} == capacity.keys()
    for product in shown.by_product:
        seats = [
            row
            for row in world.rows(Seat)
            if (row.organization_id, row.product_key) == (ACME, product.key)
            and people[row.account_id].status == "active"
        ]
        days = [(now - row.seen_at).days for row in seats if row.seen_at]
        assert product.seats == len(seats) == len(days) + product.never + product.unknown
        assert product.active == sum(day < 30 for day in days)
        assert product.idle30 == sum(30 <= day < 60 for day in days)
        assert product.idle60 == sum(60 <= day < 90 for day in days)
        assert product.idle90 == sum(day >= 90 for day in days)
        assert product.capacity is not None
        assert product.capacity >= capacity[product.key]
    (matter,) = [one for one in matters_of(world.tools, ACME) if one.key == f"idle-{len(idle)}"]
    assert (matter.severity, matter.action_path) == ("info", "/app/people?idle=90&status=active")


def test_a_run_shows_in_the_counts(sqlite_world: World) -> None:
    world, ana = sqlite_world, sqlite_world.synced()
    before = overview(world.tools, ana).totals
    world.later(seconds=1)
    world.begin_run(ana, world.changeable(3))
    world.act()
    after = overview(world.tools, ana).totals
    assert (after.suspended, after.active) == (before.suspended + 3, before.active - 3)


def test_what_needs_somebody(world: World) -> None:
    ana = world.store_key()
    beat(world.tools)
    assert matters(world) == {}, "the first sync runs"
    shown = overview(world.tools, ana)
    assert (shown.totals.people, shown.by_product, shown.last_complete) == (0, [], None)
    assert shown.sync is not None
    syncing.stop_sync(world.tools, ana)
    assert matters(world).keys() == {"never-synced"}
    syncing.request_sync(world.tools, ana)
    world.fault("/users/search$", "odd")
    world.read_on()
    (failed,) = matters(world).values()
    assert failed.key == f"sync-failed-{max(world.rows(Sync), key=lambda sync: sync.started_at).id}"
    assert failed.severity == "error"
    assert "does not understand" in failed.sentence
    world.later(minutes=1)
    world.sync(ana)
    beat(world.tools)
    assert matters(world) == {}
    world.later(hours=49)
    beat(world.tools)
    (old,) = matters(world).values()
    assert old.key.startswith("old-sync-")
    assert old.action_path == "/app/overview"


def test_what_a_key_needs(sqlite_world: World) -> None:
    world = sqlite_world
    with pytest.raises(NotReady, match="no_organization"):
        overview(world.tools, world.caller("ana"))
    ana = world.synced()
    credential_storing.store_api_token(
        world.tools, ana, email="ana@acme.example", token=ANA_TOKEN, expires_on=world.in_a_year()
    )

    def key_matters() -> list[str]:
        return [one.sentence for key, one in matters(world).items() if "sync" not in key]

    world.control("POST", f"/keys/{ANA_TOKEN}/expire")
    credentials.check_now(world.tools, ana, CredentialKind.API_TOKEN)
    assert key_matters() == ["The API token is of no use any more."]
    for days, words in (
        (329, []),
        (1, ["The Admin API key expires in 30 days."]),
        (29, ["The Admin API key expires tomorrow."]),
        (1, ["The Admin API key expires today."]),
        (1, ["The Admin API key is past its expiry date."]),
    ):
        world.later(days=days)
        *about_key, about_token = key_matters()
        assert (about_key, about_token.startswith("The API token ")) == (words, True)
    world.control("POST", f"/keys/{ACME_KEY}/expire")
    credentials.check_now(world.tools, ana, CredentialKind.ADMIN_KEY)
    (dead,) = [one for key, one in matters(world).items() if "sync" not in key]
    assert dead.key.startswith("dead-key-")
    assert (dead.severity, dead.action_path) == ("error", "/app/configure")


def test_a_key_that_is_missing_once_more_is_a_new_matter(sqlite_world: World) -> None:
    world = sqlite_world
    told = []
    for _ in range(2):
        ana = world.store_key()
        world.sync(ana)
        credentials.forget(world.tools, ana, CredentialKind.ADMIN_KEY)
        for _ in range(2):
            told += [one.key for one in matters(world).values() if one.topic is Topic.KEY_DEAD]
            world.later(days=1)
    assert told[0] == told[1] != told[2] == told[3]


def test_a_key_is_a_new_matter_at_each_reminder(sqlite_world: World) -> None:
    world = sqlite_world
    world.synced()
    (credential,) = world.rows(Credential)
    new: dict[str, int] = {}
    world.later(days=(credential.expires_on - world.clock().date()).days - max(REMINDERS) - 2)
    for _ in range(max(REMINDERS) + 4):
        for key in matters(world):
            if key.startswith("key-expires"):
                new.setdefault(key, (credential.expires_on - world.clock().date()).days)
        world.later(days=1)
    assert list(new.values()) == sorted(REMINDERS, reverse=True)


def test_each_grave_matter_is_flagged_once_for_each_operator(world: World) -> None:
    ana = world.synced()
    world.later(hours=49)
    found = matters_of(world.tools, ACME)
    old = next(one for one in found if one.topic is Topic.SYNC_OLD)
    assert [new_flag(world.tools, ana, found) for _ in range(3)] == [old, None, None]
    assert new_flag(world.tools, world.caller("priya"), found) == old
    other = replace(old, key="another")
    assert new_flag(world.tools, ana, [*found, other]) == other
    assert new_flag(world.tools, ana, [replace(old, key="mild", severity="info")]) is None


def test_a_matter_is_announced_to_a_hook_once(world: World) -> None:
    world.synced()
    world.synced("globex")
    with world.tools.begin() as session:
        for number, topics in enumerate(([Topic.SYNC_OLD], [Topic.LOOP_FOUND])):
            session.add(
                Hook(
                    organization_id=ACME,
                    id=f"hook-{number}",
                    kind=HookKind.SIGNED,
                    name="Ours",
                    address_sealed=b"-",
                    host="hooks.example",
                    topics=topics,
                    created_by="ana",
                    created_at=world.clock(),
                )
            )
    world.later(hours=49)
    for _ in range(3):
        announce_matters(world.tools)
        world.later(minutes=10)
    (delivery,) = world.rows(Delivery)
    assert (delivery.organization_id, delivery.target, delivery.topic) == (ACME, "hook-0", "sync:old")
    assert delivery.facts["sentence"].startswith("The last complete sync")


def test_however_many_groups_are_chosen_each_is_shown_by_its_name(sqlite_world: World) -> None:
    """What is not among the choices of a form is said to be gone there."""
    ana = sqlite_world.synced()
    chosen = [f"small-{number:03}" for number in range(2 * MOST_FOUND)]
    with sqlite_world.tools.begin() as session:
        session.add_all(Group(organization_id=ACME, group_id=one, name=f"Small {one[-3:]}") for one in chosen)
    names = dict(group_choices(sqlite_world.tools, ana, chosen).groups)
    assert [names.get(one) for one in chosen] == [f"Small {one[-3:]} (0)" for one in chosen]
    assert len(find_groups(sqlite_world.tools, ana, "Small")) == MOST_FOUND


def test_a_chosen_group_that_is_gone_keeps_its_name(sqlite_world: World) -> None:
    ana = sqlite_world.synced()
    with sqlite_world.tools.begin() as session:
        session.add(Group(organization_id=ACME, group_id="past", name="Project Past", gone=True))
    assert dict(group_choices(sqlite_world.tools, ana, ["past"]).groups)["past"] == "Project Past (gone)"
    assert "past" not in dict(group_choices(sqlite_world.tools, ana).groups)
    assert find_groups(sqlite_world.tools, ana, "Past") == []


def test_no_worker_is_a_matter_until_one_gives_a_sign_of_life(world: World) -> None:
    world.store_key()
    world.later(seconds=61)
    (never,) = (one for key, one in matters(world).items() if key.startswith("no-worker-"))
    assert never.severity == "error"
    beat(world.tools)
    assert not [key for key in matters(world) if key.startswith("no-worker-")]
    world.later(seconds=59)
    assert not [key for key in matters(world) if key.startswith("no-worker-")]
    world.later(seconds=2)
    (silent,) = (one for key, one in matters(world).items() if key.startswith("no-worker-"))
    assert silent.key != never.key
    assert "nothing is read or done until whoever runs Rollcall starts one" in silent.sentence
    beat(world.tools)
    assert not [key for key in matters(world) if key.startswith("no-worker-")]
