"""Operators: who may see the organization's people and make the app act on them (S22, S26)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connect.errors import AtlassianError, Conflict, Invalid, NotFound, NotReady
from models.people import Person
from services.operators import is_operator, list_operators, name_operator, remove_operator
from tests.world import ACCOUNTS, ACME, World

ORG_ADMIN = "atlassian/org-admin"


def may(world: World, name: str, site: str = "acme", *, fresh: bool = False) -> bool:
    return is_operator(world.tools, world.caller(name, site), fresh=fresh)


def names(world: World) -> list[tuple[str, str]]:
    return [(one.name, one.reason) for one in list_operators(world.tools, world.caller("ana"))]


def test_s26_before_a_key_nobody_is_one(sqlite_world: World) -> None:
    assert not any(may(sqlite_world, name) for name in ("ana", "jon", "uma", "priya"))
    with pytest.raises(NotReady, match="no_organization"):
        list_operators(sqlite_world.tools, sqlite_world.caller("ana"))


def test_s26_the_giver_org_admins_and_whom_an_operator_names(world: World) -> None:
    jon = world.store_key("jon")
    assert may(world, "jon"), "gave a valid key"
    assert not may(world, "priya"), "nobody has read yet that she administers the organization"
    world.sync(jon)
    assert may(world, "ana")
    assert may(world, "priya")
    assert not may(world, "uma")
    assert not may(world, "gina")
    assert not may(world, "gina", "globex"), "globex has no key"
    assert not is_operator(world.tools, replace(jon, account_id=None), fresh=False)
    name_operator(world.tools, jon, ACCOUNTS["uma"])
    assert may(world, "uma", fresh=True)
    assert names(world) == [("Jon Okafor", "gave_key"), ("Uma Lindqvist", "named")]
    remove_operator(world.tools, world.caller("uma"), ACCOUNTS["jon"])
    assert not may(world, "jon")
    with pytest.raises(Conflict) as refused:
        remove_operator(world.tools, world.caller("uma"), ACCOUNTS["uma"])
    assert "last operator" in refused.value.sentence
    assert may(world, "uma")
    named, removed = world.audit("operator:named")[-1], world.audit("operator:removed")[0]
    assert (named.actor, named.subject) == (ACCOUNTS["jon"], ACCOUNTS["uma"])
    assert (removed.actor, removed.subject) == (ACCOUNTS["uma"], ACCOUNTS["jon"])


def test_only_people_of_the_directory_can_be_named(sqlite_world: World) -> None:
    world, ana = sqlite_world, sqlite_world.synced()
    gone = world.changeable(1)[0]
    world.control("DELETE", f"/people/{gone}")
    bot = world.changeable(2)[1]
    world.change(bot, email="x@bots.connect.atlassian.com", email_hidden=0)
    world.later(hours=1)
    world.sync(ana)
    for stranger in ("a-stranger", ACCOUNTS["gina"], gone, bot):
        with pytest.raises(Invalid):
            name_operator(world.tools, ana, stranger)
    with pytest.raises(Conflict):
        name_operator(world.tools, ana, ACCOUNTS["ana"])
    with pytest.raises(NotFound):
        remove_operator(world.tools, ana, ACCOUNTS["uma"])


def test_s26_operators_of_one_organization_are_nobody_in_another(sqlite_world: World) -> None:
    world = sqlite_world
    world.synced()
    gina = world.synced("globex")
    assert not may(world, "ana", "globex")
    assert not may(world, "gina")
    with pytest.raises(NotFound):
        remove_operator(world.tools, gina, ACCOUNTS["ana"])
    assert names(world) == [("Ana Marić", "gave_key")]


def test_s22_a_write_asks_atlassian_now_and_no_answer_is_a_no(world: World) -> None:
    """Priya was an org admin when the directory was read."""
    world.synced()
    asked = len(world.requests("/users/search$"))
    assert may(world, "priya")
    assert len(world.requests("/users/search$")) == asked
    assert may(world, "priya", fresh=True)
    assert len(world.requests("/users/search$")) == asked + 1
    for kind in ("503", "reset", "429", "html"):
        world.fault("/users/search$", kind)
        with pytest.raises(AtlassianError):
            may(world, "priya", fresh=True)
    world.change(ACCOUNTS["priya"], platform_roles=["atlassian/site-admin"])
    assert not may(world, "priya", fresh=True)
    assert may(world, "priya"), "until the next sync she may look"
    world.control("DELETE", f"/people/{ACCOUNTS['priya']}")
    assert not may(world, "priya", fresh=True)


def gone(world: World, name: str, how: str) -> None:
    """Atlassian says so, and the next sync reads it."""
    if how == "left":
        world.control("DELETE", f"/people/{ACCOUNTS[name]}")
    else:
        world.change(
            ACCOUNTS[name],
            **{"suspended": {"membership_status": how}, "inactive": {"account_status": how}}[how],
        )
    world.later(hours=1)
    world.sync(world.caller("ana"))


@pytest.mark.parametrize("how", ["left", "suspended", "inactive"])
def test_s26_a_named_operator_who_is_gone_is_none(world: World, how: str) -> None:
    ana = world.synced()
    name_operator(world.tools, ana, ACCOUNTS["jon"])
    gone(world, "jon", how)
    assert not may(world, "jon")
    assert not may(world, "jon", fresh=True)
    assert [one.is_here for one in list_operators(world.tools, ana)] == [True, False]
    with pytest.raises(Conflict):
        remove_operator(world.tools, ana, ACCOUNTS["ana"])
    remove_operator(world.tools, ana, ACCOUNTS["jon"])
    assert names(world) == [("Ana Marić", "gave_key")]


def test_s26_an_operator_who_comes_back_is_one_again(sqlite_world: World) -> None:
    world, ana = sqlite_world, sqlite_world.synced()
    name_operator(world.tools, ana, ACCOUNTS["jon"])
    gone(world, "jon", "suspended")
    assert not may(world, "jon", fresh=True)
    world.change(ACCOUNTS["jon"], membership_status="active")
    world.later(hours=1)
    world.sync(ana)
    assert may(world, "jon", fresh=True)


def test_whom_the_directory_does_not_show_stays_an_operator(sqlite_world: World) -> None:
    """Nobody is locked out by what was not read."""
    world = sqlite_world
    jon = world.store_key("jon")
    assert may(world, "jon", fresh=True), "before the first sync"
    assert [one.is_here for one in list_operators(world.tools, jon)] == [True]
    world.sync(jon)
    with world.tools.begin() as session:
        person = session.get_one(Person, (ACME, ACCOUNTS["jon"]))
        person.status, person.in_several_directories = "suspended", True
    assert may(world, "jon", fresh=True), "another directory may say something else"


def test_s26_an_org_admin_who_is_suspended_is_none(sqlite_world: World) -> None:
    world = sqlite_world
    world.synced()
    world.change(ACCOUNTS["priya"], membership_status="suspended")
    assert not may(world, "priya", fresh=True), "Atlassian says so now"
    gone(world, "priya", "suspended")
    assert not may(world, "priya")


def test_an_org_admin_who_left_is_none(sqlite_world: World) -> None:
    world, ana = sqlite_world, sqlite_world.synced()
    world.control("DELETE", f"/people/{ACCOUNTS['priya']}")
    world.later(hours=1)
    world.sync(ana)
    assert world.stored(Person, ACME, ACCOUNTS["priya"]).is_org_admin
    assert not may(world, "priya")
