"""What was typed or handed over as a secret is in no answer and no address (S39, S42)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from rules.templates import TEMPLATES
from sandbox.world import API_TOKENS
from services.credentials import store_api_token
from services.rule_views import list_rules
from services.rules import delete_rule, save_rule
from tests.jobs.deployment import KEY
from tests.security.routes import Route, all_routes
from tests.views.house import House
from views.access import Mark

TOKEN = next(each for each in API_TOKENS if each.label == "Ana, site admin")
READS = tuple(
    route for route in all_routes() if route.method == "GET" and route.mark in (Mark.API, Mark.PAGE)
)


@pytest.fixture(scope="module")
def stored(house: House) -> Iterator[House]:
    """Both credentials are stored, and there is a rule."""
    store_api_token(
        house.deployment.tools,
        house.deployment.ana,
        email=TOKEN.email,
        token=TOKEN.token,
        expires_on=house.deployment.tools.clock().date().isoformat(),
    )
    rule = save_rule(house.deployment.tools, house.deployment.ana, TEMPLATES[0].data)
    yield house
    delete_rule(house.deployment.tools, house.deployment.ana, rule)
    house.post("/app/configure/api-token/forget")


def answer_of(house: House, route: Route) -> str:
    person = house.person(status="active", is_org_admin=False, is_bot=False)
    preview = house.post("/app/runs", deed="suspend", account_ids=person.account_id)
    found = re.search(r"runs/([0-9a-f-]{36})", preview.text)
    assert found is not None
    rule = list_rules(house.deployment.tools, house.deployment.ana)[0]
    address = route.with_values(
        {
            "rule_id": rule.id,
            "account_id": person.account_id,
            "run_id": found[1],
            "kind": "api-token",
            "event": "",
            "topic": "person:warned",
            "language": "en",
            "filename": "",
        }
    )
    opened = house.page(address) if route.mark is Mark.PAGE else house.get(address)
    assert opened.status_code == 200, address
    return opened.text


def secrets_of(house: House) -> tuple[str, ...]:
    return KEY, TOKEN.token, house.secret


@pytest.mark.parametrize("route", READS, ids=str)
def test_s42_no_answer_repeats_a_stored_secret(stored: House, route: Route) -> None:
    text = answer_of(stored, route)
    for secret in secrets_of(stored):
        assert secret not in text
        assert secret[:-4] not in text


@pytest.mark.parametrize("route", READS, ids=str)
def test_s39_no_address_carries_a_secret_not_even_encoded(stored: House, route: Route) -> None:
    text = answer_of(stored, route)
    for address in re.findall(r'(?:href|src|action|hx-get|hx-post|data-[a-z]+)="([^"]*)"', text):
        for spelled in spellings(unescape(address)):
            for secret in secrets_of(stored):
                assert secret not in spelled


def spellings(address: str) -> Iterator[str]:
    """The address as it is, and every part of it that is base64, decoded."""
    yield unquote(address)
    parts = [*urlsplit(address).path.split("/"), *(value for _, value in parse_qsl(urlsplit(address).query))]
    for part in parts:
        try:
            yield base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            continue


def test_an_encoded_secret_would_be_seen() -> None:
    hidden = base64.urlsafe_b64encode(b"a secret of somebody").decode()
    assert any("a secret of somebody" in spelled for spelled in spellings(f"/app/people?next={hidden}"))
