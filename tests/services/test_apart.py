"""The rounds of the clock, organization by organization: a fault with one of them keeps no other from its turn."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from models.leaver import Leaver
from models.organization import Organization
from services import digests
from services.absences import set_last_day
from services.doors import require_organization
from services.leaver_last_days import begin_by_last_day
from tests.world import World

SITES = ["acme", "globex"]


def without_zone(world: World, organization_id: str) -> None:
    """Its time zone is no longer among those that this machine knows."""
    dropped = update(Organization).values(time_zone="Atlantis/Poseidonis")
    with world.tools.begin() as session:
        session.execute(dropped.where(Organization.id == organization_id))


@pytest.mark.parametrize("broken", SITES)
def test_a_leaver_begins_by_their_last_day(sqlite_world: World, broken: str) -> None:
    world = sqlite_world
    for site in SITES:
        caller = world.synced(site)
        (somebody,) = world.changeable(1, site)
        set_last_day(world.tools, caller, somebody, ends_on=str(world.clock().date() + timedelta(3)), note="")
        if site == broken:
            without_zone(world, require_organization(world.tools, caller))
        else:
            well = somebody
    assert begin_by_last_day(world.tools) == 1
    assert [one.account_id for one in world.rows(Leaver)] == [well]


@pytest.mark.parametrize("broken", SITES)
def test_a_digest_is_sent(sqlite_world: World, broken: str) -> None:
    world = sqlite_world
    organizations = {}
    for site in SITES:
        caller = world.synced(site)
        organizations[site] = require_organization(world.tools, caller)
        digests.change_settings(world.tools, caller, language="en", digest="day")
    without_zone(world, organizations.pop(broken))
    (well,) = organizations.values()
    before = world.stored(Organization, well).digest_sent_at
    world.later(days=1)
    digests.send_digests(world.tools)
    assert world.stored(Organization, well).digest_sent_at != before
