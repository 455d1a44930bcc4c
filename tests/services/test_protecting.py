"""The organization's own list of whom nobody touches: adding to it, renewing, taking away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connect.errors import Invalid, NotFound
from models.protected import Protected
from rules.deeds import Deed
from services import calendars, previews, protecting, runs
from tests.world import ACCOUNTS, ACME, World

pytestmark = pytest.mark.slow


def protect(world: World, kind: str, value: str, *, reason: str = "Ask Ana", until: str = "") -> Protected:
    return protecting.protect(
        world.tools, world.caller("ana"), kind=kind, value=value, reason=reason, until=until
    )


def test_each_entry_is_found_in_the_directory(world: World) -> None:
    ana = world.synced()
    group = world.groups()["jira-users"]
    uma = protect(world, "person", " UMA@Acme.example ")
    assert (uma.value, uma.label, uma.reason, uma.until) == (
        ACCOUNTS["uma"],
        "Uma Lindqvist",
        "Ask Ana",
        None,
    )
    assert protect(world, "person", ACCOUNTS["jon"]).label == "Jon Okafor"
    assert (protect(world, "group", group["id"]).label) == "jira-users"
    assert protect(world, "domain", "@Partner.Example").value == "partner.example"
    assert [(one.kind, one.label) for one in protecting.list_protected(world.tools, ana)] == [
        ("person", "Jon Okafor"),
        ("person", "Uma Lindqvist"),
        ("group", "jira-users"),
        ("domain", "partner.example"),
    ]
    entries = world.audit("protected:added")
    assert [(one.actor, one.subject, one.details["kind"]) for one in entries] == [
        (ACCOUNTS["ana"], ACCOUNTS["uma"], "person"),
        (ACCOUNTS["ana"], ACCOUNTS["jon"], "person"),
        (ACCOUNTS["ana"], None, "group"),
        (ACCOUNTS["ana"], None, "domain"),
    ]


def test_of_two_accounts_with_an_address_the_one_that_is_here_is_protected(world: World) -> None:
    """Somebody left and came again with another account; only who left is found as well, as before."""
    ana = world.synced()
    gone, again = ACCOUNTS["uma"], max(world.people(3))
    world.control("DELETE", f"/people/{gone}")
    world.later(hours=1)
    world.sync(ana)
    assert protect(world, "person", "uma@acme.example").value == gone
    world.change(again, email="uma@acme.example")
    world.later(hours=1)
    world.sync(ana)
    assert protect(world, "person", "uma@acme.example").value == again
    assert protect(world, "person", gone).value == gone


def test_the_same_entry_again_renews_it(world: World) -> None:
    world.synced()
    today = world.clock().date()
    first = protect(world, "person", ACCOUNTS["uma"], until=today.isoformat())
    second = protect(world, "person", ACCOUNTS["uma"], reason="Another", until="")
    assert (first.id, first.until) == (second.id, today)
    (row,) = world.rows(Protected)
    assert (row.reason, row.until) == ("Another", None)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"kind": "planet"}, "kind"),
        ({"value": "nobody@acme.example"}, "value"),
        ({"value": ""}, "value"),
        ({"value": "a" * 60_000 + "@acme.example"}, "value"),
        ({"kind": "group"}, "value"),
        ({"kind": "domain", "value": "not a domain"}, "value"),
        ({"kind": "domain", "value": "example"}, "value"),
        ({"kind": "domain", "value": "%"}, "value"),
        ({"reason": " \0 "}, "reason"),
        ({"reason": "x" * 301}, "reason"),
        ({"until": "2020-01-01"}, "until"),
        ({"until": "next May"}, "until"),
        ({"until": "9999-12-31"}, "until"),
    ],
)
def test_what_cannot_be_protected_is_said_at_its_field(
    sqlite_world: World, changed: dict[str, str], field: str
) -> None:
    world = sqlite_world
    world.synced()
    words = {"kind": "person", "value": ACCOUNTS["uma"], "reason": "Ask Ana", "until": ""} | changed
    with pytest.raises(Invalid) as invalid:
        protecting.protect(world.tools, world.caller("ana"), **words)
    assert invalid.value.field == field
    assert world.rows(Protected) == []


def test_the_last_day_counts_where_the_organization_lives(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    calendars.set_calendar(world.tools, ana, "Pacific/Auckland", "")
    # Noon in UTC is the next day there.
    world.clock.offset += world.clock().replace(hour=12, minute=30) - world.clock()
    today = (world.clock() + timedelta(hours=13)).date()
    protect(world, "person", person, until=today.isoformat())
    yesterday = today - timedelta(days=1)
    with pytest.raises(Invalid):
        protect(world, "person", person, until=yesterday.isoformat())

    def state() -> str:
        run_id = previews.preview(world.tools, ana, Deed.SUSPEND, account_ids=[person], filter=None)
        return world.case(run_id, person).state

    assert state() == "guarded"
    world.later(hours=25)
    assert state() == "planned"


def test_runs_by_hand_spare_whoever_is_protected_meanwhile(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    run_id = world.begin_run(ana, [person])
    entry = protect(world, "person", person)
    world.act()
    assert (world.states(run_id), world.calls(person)) == ({person: "spared"}, 0)
    protecting.unprotect(world.tools, ana, entry.id)
    assert world.rows(Protected) == []
    assert [one.subject for one in world.audit("protected:removed")] == [person]
    run_id = world.begin_run(ana, [person])
    world.act()
    assert world.states(run_id) == {person: "acted"}
    # Protecting somebody keeps nobody from giving back what was taken.
    protect(world, "person", person)
    world.undo(ana, run_id)
    assert world.states(run_id) == {person: "undone"}
    with pytest.raises(Exception, match="conflict"):
        runs.stop(world.tools, ana, run_id)


def test_s19_the_list_is_each_organizations_own(world: World) -> None:
    ana, gina = world.synced(), world.synced("globex")
    entry = protect(world, "domain", "globex.example")
    assert protecting.list_protected(world.tools, gina) == []
    with pytest.raises(NotFound):
        protecting.unprotect(world.tools, gina, entry.id)
    with pytest.raises(Invalid):
        protecting.protect(world.tools, gina, kind="person", value=ACCOUNTS["uma"], reason="Mine", until="")
    group_id = world.groups()["jira-users"]["id"]
    with pytest.raises(Invalid):
        protecting.protect(world.tools, gina, kind="group", value=group_id, reason="Mine", until="")
    assert [one.id for one in protecting.list_protected(world.tools, ana)] == [entry.id]
    assert world.stored(Protected, ACME, entry.id) is not None
