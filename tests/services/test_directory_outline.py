"""What a sync reads before the people: products are asked about side by side."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select

from connect.errors import RateLimited
from models.sync import Sync, SyncState
from services.directory_outline import read_outline
from services.doors import opened
from tests.world import ACME, PEOPLE, World

PRODUCTS = 5
NOBODYS = "no sync"
CALLS_AT_A_TIME = 3
MEMORY = ("directory_group", "group_grant", "product_admin", "seats")


def test_every_product_comes_with_its_groups_and_administrators(sqlite_world: World) -> None:
    sqlite_world.store_key()
    with opened(sqlite_world.tools, ACME) as gateway:
        outline = read_outline(sqlite_world.tools, gateway, ACME, NOBODYS)
        (directory_id,) = outline.directory_ids
        products = [workspace.resource_id for workspace in outline.workspaces]
        asked = {
            (resource_id, account_id)
            for resource_id in products
            for account_id in gateway.holders_of_role(ACME, directory_id, resource_id, "atlassian/admin")
        }
        granting = {
            (group_id, resource_id)
            for resource_id in products
            for group_id in gateway.groups_granting(ACME, directory_id, resource_id)
        }
    assert (len(products), outline.people) == (PRODUCTS, PEOPLE)
    assert sorted(outline.admins) == sorted(asked)
    assert sorted(outline.grants) == sorted(granting)
    assert len({resource_id for resource_id, _account in outline.admins}) > 1


def test_an_organization_of_many_sites_does_not_wait_for_one_product_after_the_other(
    sqlite_world: World,
) -> None:
    sqlite_world.store_key()
    sqlite_world.fault("/users/search$", "slow", seconds=0.5, times=PRODUCTS)
    with opened(sqlite_world.tools, ACME) as gateway:
        start = time.monotonic()
        outline = read_outline(sqlite_world.tools, gateway, ACME, NOBODYS)
        wall = time.monotonic() - start
    assert wall < outline.seconds_waited, "the answers were waited for at the same time"


def test_one_product_that_is_asked_about_too_often_lets_the_whole_sync_wait(sqlite_world: World) -> None:
    sqlite_world.store_key()
    sqlite_world.fault("/users/search$", "429", seconds=60, skip=PRODUCTS - 1)
    with opened(sqlite_world.tools, ACME) as gateway, pytest.raises(RateLimited):
        read_outline(sqlite_world.tools, gateway, ACME, NOBODYS)


def test_what_was_read_before_atlassian_says_wait_is_not_read_again(sqlite_world: World) -> None:
    """Else whoever is let through a few calls at a time would never come to the people."""
    world = sqlite_world
    ana = world.synced()
    memory = {table: rows for table, rows in world.dump().items() if table in MEMORY}
    world.later(days=1)
    world.control("POST", "/settings", {"max_page": 4})
    waited = 0
    while True:
        world.clear_faults()
        world.fault("/groups/search$", "429", seconds=2, skip=CALLS_AT_A_TIME, times=None)
        if world.sync(ana).state == SyncState.COMPLETE:
            break
        waited += 1
        assert waited < 40, "it never comes to the people"
        world.later(seconds=3)
    assert waited > 2
    assert {table: rows for table, rows in world.dump().items() if table in MEMORY} == memory
    assert {sync.state for sync in world.rows(Sync)} == {"complete"}
    with world.tools.begin() as session:
        assert session.scalars(select(Sync.outline)).all() == [None, None]
