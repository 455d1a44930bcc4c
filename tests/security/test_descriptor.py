"""atlassian-connect.json: the two forms that are served, and that the app keeps what they promise."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from config import APP_KEY
from tests.security.world import BASE_URL, World
from views.access import Mark, mark_of
from views.webhooks import EVENTS

SPECS = Path(__file__).resolve().parents[3] / "shared" / "specs"
PRODUCTS = ["jira", "confluence"]


def descriptor(world: World, product: str) -> dict[str, Any]:
    answer = world.request("GET", f"/{product}/atlassian-connect.json")
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    found: dict[str, Any] = answer.get_json()
    return found


def addresses(found: dict[str, Any]) -> list[str]:
    """Every relative address in a descriptor."""
    modules = found["modules"]
    listed = [*modules["generalPages"], *modules["adminPages"], *modules["webhooks"]]
    listed += [modules["configurePage"], modules["postInstallPage"], *panels(found)]
    urls = [module.get("url") or module["target"]["url"] for module in listed]
    return [*found["lifecycle"].values(), *(url.partition("?")[0] for url in urls)]


def panels(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What the product shows inside of its own pages."""
    kinds = ("jiraIssueContexts", "jiraDashboardItems", "contentBylineItems", "webPanels")
    return [module for kind in kinds for module in found["modules"].get(kind, [])]


@pytest.mark.parametrize("product", PRODUCTS)
def test_it_says_who_we_are_and_asks_for_little(world: World, product: str) -> None:
    found = descriptor(world, product)
    assert (found["key"], found["baseUrl"]) == (APP_KEY, BASE_URL)
    assert found["links"]["self"] == f"{BASE_URL}/{product}/atlassian-connect.json"
    assert found["authentication"] == {"type": "jwt"}
    assert found["apiMigrations"] == {"signed-install": True, "context-qsh": True}
    assert found["scopes"] == ["READ"]
    assert found["enableLicensing"] is False


def test_without_a_product_it_is_jiras(world: World) -> None:
    plain = world.request("GET", "/atlassian-connect.json").get_json()
    assert plain == descriptor(world, "jira")


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.skipif(not SPECS.is_dir(), reason="the folder of specifications is not here")
def test_it_is_valid(world: World, product: str) -> None:
    schema = json.loads((SPECS / f"{product}-global-schema.derived.json").read_text())
    problems = [error.message for error in Draft7Validator(schema).iter_errors(descriptor(world, product))]
    assert problems == []
    known = set(schema["properties"]["modules"]["properties"])
    assert set(descriptor(world, product)["modules"]) <= known


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_address_in_it_is_a_route_with_the_right_proof(world: World, product: str) -> None:
    found = descriptor(world, product)
    routes = world.app.url_map.bind("")
    for address in addresses(found):
        method = "GET" if address.startswith(("/pages/", "/panels/")) else "POST"
        endpoint, _ = routes.match(address, method=method)
        expected = {"/pages/": Mark.PAGE, "/panels/": Mark.PAGE, "/connect/webhooks/": Mark.WEBHOOK}
        proof = next((mark for start, mark in expected.items() if address.startswith(start)), Mark.LIFECYCLE)
        assert mark_of(world.app.view_functions[endpoint]) is proof


@pytest.mark.parametrize("product", PRODUCTS)
def test_s15_enabled_and_disabled_are_not_asked_for(world: World, product: str) -> None:
    assert set(descriptor(world, product)["lifecycle"]) == {"installed", "uninstalled"}


def test_every_event_we_take_is_one_we_ask_for(world: World) -> None:
    asked = set()
    for product in PRODUCTS:
        for hook in descriptor(world, product)["modules"]["webhooks"]:
            assert hook["url"] == f"/connect/webhooks/{hook['event']}"
            assert "excludeBody" not in hook  # without its body an event does not say who acted
            asked.add(hook["event"])
    assert asked == EVENTS


@pytest.mark.parametrize("product", PRODUCTS)
def test_names_within_a_product_are_unique(world: World, product: str) -> None:
    modules = descriptor(world, product)["modules"]
    keys = [module["key"] for module in (*modules["generalPages"], *modules["adminPages"])]
    keys += [modules["configurePage"]["key"], modules["postInstallPage"]["key"]]
    keys += [module["key"] for module in panels(descriptor(world, product))]
    assert len(keys) == len(set(keys))


def test_panels_ask_the_product_for_what_they_are_about_and_for_nothing_else(world: World) -> None:
    """The product fills in and signs these; who reads is in the token."""
    asked = {
        name
        for product in PRODUCTS
        for module in panels(descriptor(world, product))
        for name in re.findall(r"\{(.*?)\}", module.get("url") or module["target"]["url"])
    }
    about = {"issue.id", "project.id", "content.id", "content.type", "dashboard.id", "dashboardItem.id"}
    assert asked == about


@pytest.mark.parametrize("product", PRODUCTS)
def test_pictures_of_panels_are_there(world: World, product: str) -> None:
    for module in panels(descriptor(world, product)):
        for address in (module.get("icon", {}).get("url"), module.get("thumbnailUrl")):
            assert address is None or world.request("GET", address).status_code == 200
