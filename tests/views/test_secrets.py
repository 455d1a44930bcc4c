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
from services import hooks, mail_senders
from services.credentials import store_api_token
from services.rule_views import list_rules
from services.rules import delete_rule, save_rule
from tests.jobs.deployment import KEY
from tests.security.routes import Route, all_routes
from tests.views.house import House
from views.access import Mark

TOKEN = next(each for each in API_TOKENS if each.label == "Ana, site admin")
HOOK_PATH, PASSWORD = "a-path-that-only-we-know", "the password of the post"
READS = tuple(
    route for route in all_routes() if route.method == "GET" and route.mark in (Mark.API, Mark.PAGE)
)


@pytest.fixture(scope="module")
def stored(house: House) -> Iterator[House]:
    """Both credentials are stored, a mail server and a hook, and there is a rule."""
    hub = house.deployment.sandbox.hub
    hook, signing = hooks.add_hook(
        house.deployment.tools,
        house.deployment.ana,
        kind="signed",
        name="Ours",
        address=f"{hub}/hooks/{HOOK_PATH}",
        token="",
        topics=["key:dead"],
    )
    mail_senders.save_sender(
        house.deployment.tools,
        house.deployment.ana,
        host=urlsplit(hub).hostname or "",
        port=str(urlsplit(hub).port),
        security="starttls",
        username="rollcall",
        password=PASSWORD,
        from_address="it@acme.example",
        from_name="",
    )
    house.hook_secret = signing
    store_api_token(
        house.deployment.tools,
        house.deployment.ana,
        email=TOKEN.email,
        token=TOKEN.token,
        expires_on=house.deployment.tools.clock().date().isoformat(),
    )
    rule = save_rule(house.deployment.tools, house.deployment.ana, TEMPLATES[0].data)
    yield house
    hooks.remove_hook(house.deployment.tools, house.deployment.ana, hook.id)
    mail_senders.forget_sender(house.deployment.tools, house.deployment.ana)
    delete_rule(house.deployment.tools, house.deployment.ana, rule)
    house.post("/app/configure/api-token/forget")


def answer_of(house: House, route: Route) -> str:
    person = house.person(status="active", is_org_admin=False, is_bot=False)
    preview = house.post("/app/runs", deed="suspend", account_ids=person.account_id)
    found = re.search(r"runs/([0-9a-f-]{36})", preview.text)
    assert found is not None
    rule = list_rules(house.deployment.tools, house.deployment.ana)[0]
    (hook,) = hooks.list_hooks(house.deployment.tools, house.deployment.ana)
    address = route.with_values(
        {
            "rule_id": rule.id,
            "hook_id": hook.id,
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
    return KEY, TOKEN.token, house.secret, HOOK_PATH, PASSWORD, house.hook_secret


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
