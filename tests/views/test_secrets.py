"""What was typed or handed over as a secret is in no answer and no address (S39, S42)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from sqlalchemy import delete

from models.access_rule import StoredAccessRule
from models.leaver import Leaver
from rules.templates import TEMPLATES
from sandbox.world import API_TOKENS
from services import hooks, mail_senders
from services.credential_storing import store_api_token
from services.leavers import begin_leaver
from services.rules import delete_rule, save_rule
from tests.jobs.deployment import KEY
from tests.security.routes import Route, all_routes
from tests.views import test_access_rules, test_identity_providers, test_onboarding, test_ticket_rules
from tests.views.house import ANA, House
from views.access import Mark

TOKEN = next(each for each in API_TOKENS if each.label == "Ana, site admin")
HOOK_PATH, PASSWORD = "a-path-that-only-we-know", "the password of the post"
READS = tuple(
    route for route in all_routes() if route.method == "GET" and route.mark in (Mark.API, Mark.PAGE)
)


@dataclass(frozen=True)
class Stored:
    """Everything that holds a secret, by the names of the routes, and the secrets."""

    house: House
    ids: dict[str, str]
    secrets: tuple[str, ...]


@pytest.fixture(scope="module")
def stored(house: House) -> Iterator[Stored]:
    """All that has a secret, and one of everything that has a page."""
    tools, ana = house.deployment.tools, house.deployment.ana
    hub = house.deployment.sandbox.hub
    hook, signing = hooks.add_hook(
        tools,
        ana,
        kind="signed",
        name="Ours",
        address=f"{hub}/hooks/{HOOK_PATH}",
        token="",
        topics=["key:dead"],
    )
    mail_senders.save_sender(
        tools,
        ana,
        host=urlsplit(hub).hostname or "",
        port=str(urlsplit(hub).port),
        security="starttls",
        username="rollcall",
        password=PASSWORD,
        from_address="it@acme.example",
        from_name="",
    )
    store_api_token(
        tools,
        ana,
        email=TOKEN.email,
        token=TOKEN.token,
        expires_on=tools.clock().date().isoformat(),
    )
    tickets = house.post(test_ticket_rules.PLACE, **test_ticket_rules.form(house))
    connection_id, provider_token = test_identity_providers.connect(house)
    person = house.person(status="active", is_org_admin=False, is_bot=False)
    with tools.begin() as session:
        leaver = begin_leaver(session, person.organization_id, person.account_id, by=ANA, now=tools.clock())
        leaver_id = leaver.id
    preview = house.post("/app/runs", deed="suspend", account_ids=person.account_id)
    ids = {
        "rule_id": save_rule(tools, ana, TEMPLATES[0].data),
        "hook_id": hook.id,
        "account_id": person.account_id,
        "run_id": re.findall(r"runs/([0-9a-f-]{36})", preview.text)[0],
        "ticket_rule_id": test_ticket_rules.ids_of(house)[0],
        "access_rule_id": test_access_rules.make(house),
        "profile_id": test_onboarding.add(house),
        "connection_id": connection_id,
        "leaver_id": leaver_id,
        "kind": "api-token",
        "event": "",
        "topic": "person:warned",
        "language": "en",
        "filename": "",
    }
    (ticket_secret,) = set(re.findall(r"rct_[\w-]{43}", tickets.text))
    secrets = (
        KEY, TOKEN.token, house.secret, HOOK_PATH, PASSWORD, signing, provider_token, ticket_secret,
    )  # fmt: skip
    yield Stored(house, ids, secrets)
    hooks.remove_hook(tools, ana, hook.id)
    mail_senders.forget_sender(tools, ana)
    delete_rule(tools, ana, ids["rule_id"])
    house.post("/app/configure/api-token/forget")
    with tools.begin() as session:
        session.execute(delete(StoredAccessRule))
        session.execute(delete(Leaver))
    for place, name in (
        (test_ticket_rules.PLACE, "ticket_rule_id"),
        (test_identity_providers.ROOT, "connection_id"),
        ("/app/onboarding/profiles", "profile_id"),
    ):
        assert house.post(f"{place}/{ids[name]}/remove").status_code == 200


def answer_of(stored: Stored, route: Route) -> str:
    address = route.with_values(stored.ids)
    opened = stored.house.page(address) if route.mark is Mark.PAGE else stored.house.get(address)
    assert opened.status_code == 200, address
    return opened.text


@pytest.mark.parametrize("route", READS, ids=str)
def test_s42_no_answer_repeats_a_stored_secret(stored: Stored, route: Route) -> None:
    text = answer_of(stored, route)
    for secret in stored.secrets:
        assert secret not in text
        assert secret[:-4] not in text


@pytest.mark.parametrize("route", READS, ids=str)
def test_s39_no_address_carries_a_secret_not_even_encoded(stored: Stored, route: Route) -> None:
    text = answer_of(stored, route)
    for address in re.findall(r'(?:href|src|action|hx-get|hx-post|data-[a-z]+)="([^"]*)"', text):
        for spelled in spellings(unescape(address)):
            for secret in stored.secrets:
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
