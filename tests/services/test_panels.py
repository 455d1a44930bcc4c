"""Panels and gadgets over whole worlds, on both databases: operators of every kind, gadgets, days."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.organization import Operator
from models.panel import Gadget, SummaryDay
from models.people import Person
from services import days
from services.gadgets import Item, set_gadget, view_gadget
from services.operators import is_operator, name_operator
from services.panels import Panel, look
from services.participants import Issue, Participants
from tests.world import ACCOUNTS, World

pytestmark = pytest.mark.slow


def seen_by(world: World, name: str, site: str = "acme") -> Panel:
    return look(world.tools, world.caller(name, site), Participants(), Issue(10042, 10000))


def test_operators_of_every_kind_are_the_same_as_elsewhere(world: World) -> None:
    ana = world.synced()
    name_operator(world.tools, ana, ACCOUNTS["jon"])
    for name, operator in (("ana", True), ("jon", True), ("priya", True), ("uma", False)):
        assert is_operator(world.tools, world.caller(name), fresh=False) is operator
        said = seen_by(world, name).people
        assert len(said) >= 1
        assert all(bool(one.address) is operator for one in said), name
    with world.tools.begin() as session:
        priya = session.query(Person).filter_by(account_id=ACCOUNTS["priya"]).one()
        priya.left_at = world.clock()
        session.query(Operator).filter_by(account_id=ACCOUNTS["jon"]).delete()
        ana_herself = session.query(Person).filter_by(account_id=ACCOUNTS["ana"]).one()
        ana_herself.status = "suspended"
    for name in ("priya", "jon", "ana"):
        assert not is_operator(world.tools, world.caller(name), fresh=False)
        assert not any(one.address for one in seen_by(world, name).people)


def test_each_organization_has_its_own_panels_days_and_gadgets(world: World) -> None:
    ana, gina = world.synced(), world.synced("globex")
    acme = {one.account_id for one in seen_by(world, "ana").people}
    globex = {one.account_id for one in seen_by(world, "gina", "globex").people}
    assert acme
    assert globex
    assert not acme & globex
    days.write_days(world.tools)
    assert len(world.rows(SummaryDay)) == 2
    item = Item("10100", "10200")
    set_gadget(world.tools, ana, item, product="", days="30")
    set_gadget(world.tools, ana, item, product="", days="60")
    assert len(world.rows(Gadget)) == 1
    assert view_gadget(world.tools, ana, item).days == 60
    assert view_gadget(world.tools, gina, item).days == 90


def test_a_gadget_counts_what_the_people_page_lists(world: World) -> None:
    ana = world.synced()
    before = view_gadget(world.tools, ana, Item("1", "2")).people
    world.people(3, groups=["jira-users"], idle=100)
    world.sync(ana)
    days.write_days(world.tools)
    now = view_gadget(world.tools, ana, Item("1", "2"))
    assert before <= now.people <= before + 3
    world.later(days=31)
    days.write_days(world.tools)
    later = view_gadget(world.tools, ana, Item("1", "2"))
    assert later.trend.before == now.people
    assert later.trend.day == (world.clock() - timedelta(days=31)).date()
    assert later.trend.points == [now.people, later.people]
    assert later.people > now.people
