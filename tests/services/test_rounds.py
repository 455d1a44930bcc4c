"""A list of pages that goes round is left, and one that ends is read to its end, however long it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from connect.errors import Unexpected
from connect.hosts import SiteOrigins
from models.tenant import Tenant
from rules.handover import Kind
from services import leavers
from services.rounds import MOST_CHARACTERS, cursor_at, place_after
from tests.connect.listener import Call, Reply, listening
from tests.services.leavers import UMA, leaver, looks, ready, work
from tests.world import World


@pytest.mark.parametrize("before", [0, 1, 2, 7, 40])
@pytest.mark.parametrize("around", [1, 2, 3, 8, 33])
def test_a_round_is_found_soon_wherever_it_begins(before: int, around: int) -> None:
    def read_on() -> None:
        place = ""
        for page in range(3 * (before + around) + 3):
            place = place_after(place, f"{page if page < before else before + (page - before) % around}~a~b")
            assert cursor_at(place).endswith("~a~b")

    with pytest.raises(Unexpected):
        read_on()


def test_a_long_list_without_a_round_is_read_on() -> None:
    place = "as-it-was-kept-before"
    assert cursor_at(place) == place
    for page in range(20_000):
        place = place_after(place, f"{page}.")
    assert len(place_after(place, "x" * MOST_CHARACTERS)) <= 2000
    with pytest.raises(Unexpected):
        place_after(place, "x" * (MOST_CHARACTERS + 1))


def test_spaces_that_go_round_keep_no_leaver_for_ever(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world, confluence=True)
    door = world.caller("ana", product="confluence").tenant
    turns = {"": "this", "this": "that", "that": "those", "those": "that"}

    def goes_round(call: Call) -> Reply:
        if len(site.calls) > 50:
            return Reply(400, b"{}")
        asked = call.path.partition("cursor=")[2]
        return Reply(200, b'{"results": [], "_links": {"next": "/wiki?cursor=%s"}}' % turns[asked].encode())

    with listening() as site:
        site.answer = goes_round
        with world.tools.begin() as session:
            session.execute(
                update(Tenant).where(Tenant.client_key == door).values(base_url=f"{site.url}/wiki")
            )
        origins = SiteOrigins((*world.tools.settings.site_origins, site.url))
        tools = replace(world.tools, atlassian=replace(world.tools.atlassian, origins=origins))
        (leaver_id,) = leavers.request_leavers(world.tools, ana, [UMA])
        work(world, tools)
        assert len(site.calls) < 12
    assert leaver(world, leaver_id).state == "ready"
    [spaces] = [look for (kind, _site), look in looks(world, leaver_id).items() if kind == Kind.SPACE]
    assert (spaces.state, "does not understand" in spaces.reason) == ("unseen", True)
