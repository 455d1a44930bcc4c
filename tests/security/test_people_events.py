"""Events about people: only the product itself tells them, and of its own people alone (S2, S14, S19, S20)."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from models.reread import Reread
from services.directory_news import EVENTS, GROUP_WENT
from tests.security.organizations import link
from tests.security.provider import token_of
from tests.security.routes import Route
from tests.security.test_route_matrix import OPENING, OTHERS, reference, send
from tests.security.ticket_sender import ticket_secret_of
from tests.security.world import World
from views.access import Mark


def route_of(event: str) -> Route:
    return Route("POST", f"/connect/webhooks/{event}", "webhooks.receive", Mark.WEBHOOK, None)


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_s02_s17_only_a_token_of_the_product_tells_it(world: World, event: str) -> None:
    token_of(world, world.acme)
    ticket_secret_of(world, world.acme)
    kinds = OTHERS | {name: kind for name, (kind, opens) in OPENING.items() if opens is not Mark.WEBHOOK}
    route, expected = route_of(event), reference(world)
    world.tools.install_keys.pem_for("0b1c3f44-6d0e-4c55-9d6a-5f1f0c7d9e11")
    world.hub.calls.clear()
    with world.untouched():
        for name, kind in kinds.items():
            answer = send(world, route, kind(world, route))
            assert (answer.status_code, answer.data) == (401, expected), name


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_s17_a_token_for_one_event_tells_no_other(world: World, event: str) -> None:
    token = world.acme.product_signed("POST", "/connect/webhooks/page_viewed")
    body = {"user": {"accountId": "ana"}}
    with world.untouched():
        answer = world.request("POST", f"/connect/webhooks/{event}", token, json=body)
        assert answer.status_code == 401


@pytest.mark.parametrize("event", sorted(EVENTS))
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"[" * 100_000, json.dumps({"user": [1]}).encode(), b"\xff"]
)
def test_s14_an_odd_event_never_crashes(world: World, event: str, body: bytes) -> None:
    token = world.acme.product_signed("POST", f"/connect/webhooks/{event}")
    with world.untouched():
        answer = world.request("POST", f"/connect/webhooks/{event}", token, data=body)
        assert answer.status_code in {204, 422}


def test_s20_an_organization_in_the_body_is_nobody(world: World) -> None:
    """What acme tells is written down for acme's organization, whoever else is named in the body."""
    link(world, world.acme)
    link(world, world.globex)
    body = {"clientKey": world.globex.client_key, "orgId": "org-globex", "user": {"accountId": "712020:new"}}
    for event in sorted(EVENTS - {GROUP_WENT}):
        address = f"/connect/webhooks/{event}"
        token = world.acme.product_signed("POST", address)
        assert world.request("POST", address, token, json=body).status_code == 204
    with world.tools.begin() as session:
        found = list(session.scalars(select(Reread)))
        assert [(row.organization_id, row.account_id) for row in found] == [("org-acme", "712020:new")]
