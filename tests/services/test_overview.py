"""The Overview: counts told again from the rows, and what needs somebody."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from connect.errors import NotReady
from models.credential import CredentialKind
from models.people import Person, Seat
from models.sync import Sync
from services import credentials, syncing
from services.overview import Attention, overview
from tests.world import ACME, ACME_KEY, ANA_TOKEN, World


def matters(world: World) -> dict[str, Attention]:
    """Without the idle people, who are always there; by key, its number left out."""
    found = overview(world.tools, world.caller("ana")).attention
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
    (attention,) = [one for one in shown.attention if one.key == f"idle-{len(idle)}"]
    assert (attention.severity, attention.action_path) == ("info", "/app/people?idle=90&status=active")


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
    assert matters(world) == {}, "the first sync runs"
    shown = overview(world.tools, ana)
    assert (shown.totals.people, shown.by_product, shown.last_complete) == (0, [], None)
    assert shown.sync is not None
    syncing.stop_sync(world.tools, ana)
    assert matters(world).keys() == {"never-synced"}
    syncing.request_sync(world.tools, ana)
    world.fault("/users/search$", "html")
    world.read_on()
    (failed,) = matters(world).values()
    assert failed.key == f"sync-failed-{max(world.rows(Sync), key=lambda sync: sync.started_at).id}"
    assert failed.severity == "error"
    assert "does not understand" in failed.sentence
    world.later(minutes=1)
    world.sync(ana)
    assert matters(world) == {}
    world.later(hours=49)
    assert matters(world).keys() == {"old-sync"}
    assert matters(world)["old-sync"].action_path == "/app/overview"


def test_what_a_key_needs(sqlite_world: World) -> None:
    world = sqlite_world
    with pytest.raises(NotReady, match="no_organization"):
        overview(world.tools, world.caller("ana"))
    ana = world.synced()
    credentials.store_api_token(
        world.tools, ana, email="ana@acme.example", token=ANA_TOKEN, expires_on=world.in_a_year()
    )

    def key_matters() -> list[str]:
        return [one.sentence for key, one in matters(world).items() if "sync" not in key]

    world.control("POST", f"/keys/{ANA_TOKEN}/expire")
    credentials.check_now(world.tools, ana, CredentialKind.API_TOKEN)
    assert key_matters() == ["Atlassian rejects the API token."]
    for days, words in (
        (329, []),
        (1, ["The Admin API key expires in 30 days."]),
        (29, ["The Admin API key expires tomorrow."]),
        (1, ["The Admin API key expires today."]),
        (1, ["The Admin API key is past its expiry date."]),
    ):
        world.later(days=days)
        assert key_matters() == (words or ["Atlassian rejects the API token."])
    world.control("POST", f"/keys/{ACME_KEY}/expire")
    credentials.check_now(world.tools, ana, CredentialKind.ADMIN_KEY)
    (dead,) = [one for key, one in matters(world).items() if "sync" not in key]
    assert (dead.key, dead.severity, dead.action_path) == ("dead-key", "error", "/app/configure")
