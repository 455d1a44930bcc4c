"""S19: globex sees, moves, stops and exports nothing of acme's leavers; no id in a body opens a door (S20)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connect.errors import AppError, Invalid, NotFound, NotReady
from models.leaver_list import Standing
from services import (
    leaver_decisions,
    leaver_evidence,
    leaver_list,
    leaver_stops,
    leaver_views,
    leaver_work,
    leavers,
)
from services.sites import site_opened
from tests.services.leavers import JON, UMA, leaver, plan, planned, ready, work
from tests.world import ACCOUNTS, GLOBEX, World

GWEN = ACCOUNTS["gwen"]
DEEDS: tuple[Callable[[Any, Any, str], object], ...] = (
    leaver_views.show_leaver,
    leaver_evidence.evidence_of,
    leaver_evidence.evidence_csv,
    leavers.look_again,
    leaver_decisions.confirm,
    leaver_stops.stop,
    leaver_stops.try_again,
    leaver_stops.go_on,
    leaver_stops.hand_back,
    lambda tools, caller, leaver_id: leaver_decisions.add_successor(tools, caller, leaver_id, GWEN),
    lambda tools, caller, leaver_id: leaver_decisions.choose(tools, caller, leaver_id, plan(choices={})),
)


def test_s19_another_organizations_leaver_does_not_exist(sqlite_world: World) -> None:
    world = sqlite_world
    leaver_id = planned(world, ready(world))
    gina = world.synced("globex")
    before = world.dump()
    for deed in DEEDS:
        with pytest.raises(NotFound):
            deed(world.tools, gina, leaver_id)
    none = leaver_list.list_leavers(world.tools, gina, Standing.ALL, page=1, per_page=25)
    assert (none.rows, set(none.counts.values())) == ([], {0})
    assert not leaver_work.take_up(world.tools, GLOBEX, leaver_id, 99)
    assert not leaver_work.advance(world.tools, GLOBEX, leaver_id)
    with pytest.raises(NotFound):
        leavers.request_leavers(world.tools, gina, [UMA])
    assert world.dump() == before


def test_s19_a_site_opens_for_its_own_organization_alone(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    world.synced("globex")
    with pytest.raises(NotReady), site_opened(world.tools, GLOBEX, ana.tenant):
        raise AssertionError("acme's token was opened for globex")


def test_s20_nobody_of_another_organization_becomes_a_successor(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    world.synced("globex")
    leaver_id = planned(world, ana)
    with pytest.raises(Invalid):
        leaver_decisions.add_successor(world.tools, ana, leaver_id, GWEN)
    with pytest.raises(Invalid):
        leaver_decisions.choose(world.tools, ana, leaver_id, plan(choices={"filter": GWEN}))
    assert leaver(world, leaver_id).successors == [JON]


def test_s19_a_door_that_leads_elsewhere_by_now_moves_nothing(sqlite_world: World) -> None:
    """The tenant's key opens another organization before the handover begins: nothing is asked with its token."""
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana)
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    world.control("POST", "/uninstall", {"site": "acme", "product": "jira"})
    world.control("DELETE", "/requests")
    work(world)
    assert not world.requests(r"^/rest/api/3/(filter|project|dashboard|issue|component)")


def test_what_is_kept_names_no_secret_and_the_audit_no_person(sqlite_world: World) -> None:
    """S41, S42: names of filters and people stay out of the audit; tokens are known by id alone."""
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana, note="A note about Uma", why="New job")
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    work(world)
    audit = repr(world.dump()["audit_entry"])
    for word in ("Open bugs", "Website relaunch", "Uma", "uma@", "A note"):
        assert word not in audit
    assert "ATATT3" not in repr(world.dump()["belonging"])


def test_a_fault_of_ours_leaves_the_leaver_to_an_operator(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    leaver_id = planned(world, ana)
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    leaver_work.fail(world.tools, ana_organization(world, leaver_id), leaver_id)
    assert "went wrong inside Rollcall" in leaver(world, leaver_id).reason
    leaver_stops.try_again(world.tools, ana, leaver_id)
    work(world)
    with pytest.raises(AppError):
        leaver_stops.go_on(world.tools, ana, leaver_id)


def ana_organization(world: World, leaver_id: str) -> str:
    return leaver(world, leaver_id).organization_id
