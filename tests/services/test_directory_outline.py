"""What a sync reads before the people: products are asked about side by side."""

from __future__ import annotations

import time

import pytest

from connect.errors import RateLimited
from services.directory_outline import read_outline
from services.doors import opened
from tests.world import ACME, PEOPLE, World

PRODUCTS = 5


def test_every_product_comes_with_its_groups_and_administrators(sqlite_world: World) -> None:
    sqlite_world.store_key()
    with opened(sqlite_world.tools, ACME) as gateway:
        outline = read_outline(sqlite_world.tools, gateway, ACME)
        (directory_id,) = outline.directory_ids
        products = [workspace.resource_id for workspace in outline.workspaces]
        asked = {
            (resource_id, account_id)
            for resource_id in products
            for account_id in gateway.holders_of_role(ACME, directory_id, resource_id, "atlassian/admin")
        }
        granting = {
            (group.id, resource_id)
            for resource_id in products
            for group in gateway.groups_granting(ACME, directory_id, resource_id)
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
        outline = read_outline(sqlite_world.tools, gateway, ACME)
        wall = time.monotonic() - start
    assert wall < outline.seconds_waited, "the answers were waited for at the same time"


def test_one_product_that_is_asked_about_too_often_lets_the_whole_sync_wait(sqlite_world: World) -> None:
    sqlite_world.store_key()
    sqlite_world.fault("/users/search$", "429", seconds=60, skip=PRODUCTS - 1)
    with opened(sqlite_world.tools, ACME) as gateway, pytest.raises(RateLimited):
        read_outline(sqlite_world.tools, gateway, ACME)
