"""All routes, all kinds of tokens: only the declared kind opens a route (S1, S2, S12, S13, S17, S43, S44)."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from config import APP_KEY
from connect.tokens import sign_request
from models.people import Signal
from services.scim_connections import hash_of, new_token
from services.ticket_secrets import HEADER
from tests import tokens
from tests.security.organizations import link
from tests.security.provider import _TOKENS, token_of
from tests.security.routes import Route, all_routes, guarded_routes
from tests.security.ticket_sender import ticket_secret_of
from tests.security.world import BASE_URL, KID, World
from views.access import Mark

PUBLIC = {
    "GET /",
    "GET /healthz",
    "GET /keep/<token>",
    "POST /keep/<token>",
    "GET /rule.schema.json",
    "GET /hook.schema.json",
    "GET /atlassian-connect.json",
    "GET /jira/atlassian-connect.json",
    "GET /confluence/atlassian-connect.json",
    "GET /mail/stop/<stop_token>",
    "POST /mail/stop/<stop_token>",
    "GET /static/<path:filename>",
}
LONG_AGO = {"iat": 1, "exp": 100}
EXPIRED = {"iat": datetime.now(UTC) - timedelta(minutes=9), "exp": datetime.now(UTC) - timedelta(minutes=5)}


@dataclass
class Sent:
    """Where a token is put, and what else goes along."""

    header: str = ""
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)


Kind = Callable[[World, Route], Sent]


def _context(world: World, **changed: Any) -> str:
    return world.acme.context(**changed)


def _product(world: World, route: Route, **changed: Any) -> str:
    return world.acme.product_signed(route.method, route.address, **changed)


def _lifecycle(world: World, route: Route, **changed: Any) -> str:
    claims = {"qsh": tokens.claims_for("", route.method, route.address)["qsh"]}
    return world.acme.lifecycle(route.address, **{**claims, **changed})


def _by_globex(world: World, claims: dict[str, Any]) -> str:
    """acme's claims, signed with globex's secret."""
    return jwt.encode(claims, world.globex.secret, algorithm="HS256")


def _unreadable(world: World, route: Route, place: str = "header", **changed: Any) -> Sent:
    """Well signed, with a text in it that no bytes can be made of."""
    claims = tokens.claims_for("", route.method, route.address, **{"qsh": "context-qsh"} | changed)
    token = tokens.hand_made_token({"alg": "HS256"}, claims, world.acme.secret.encode())
    return Sent(**{place: token})


def _bearer(token: str) -> Sent:
    return Sent(headers={"Authorization": f"Bearer {token}"})


# The kinds that open something, and what they open.
OPENING: dict[str, tuple[Kind, Mark]] = {
    "context token in the header": (lambda w, r: Sent(header=_context(w)), Mark.API),
    "product's token in the address": (lambda w, r: Sent(query=_product(w, r)), Mark.PAGE),
    "product's token in the header": (lambda w, r: Sent(header=_product(w, r)), Mark.WEBHOOK),
    "install token in the header": (lambda w, r: Sent(header=_lifecycle(w, r)), Mark.LIFECYCLE),
    "an identity provider's token": (lambda w, r: _bearer(token_of(w, w.acme)), Mark.SCIM),
    "a ticket rule's secret": (lambda w, r: Sent(headers={HEADER: ticket_secret_of(w, w.acme)}), Mark.TICKET),
}
# Everything else opens nothing.
OTHERS: dict[str, Kind] = {
    "nothing": lambda w, r: Sent(),
    "garbage": lambda w, r: Sent(header="a.b.c"),
    "garbage in the address": lambda w, r: Sent(query="a.b.c"),
    "a megabyte": lambda w, r: Sent(header="a" * 1_000_000),
    "context token in the address": lambda w, r: Sent(query=_context(w)),
    "context token in both places": lambda w, r: Sent(header=_context(w), query=_context(w)),
    "context token in a form": lambda w, r: Sent(form={"jwt": _context(w)}),
    "context token in a cookie": lambda w, r: Sent(headers={"Cookie": f"jwt={_context(w)}; session=x"}),
    "context token as Bearer": lambda w, r: Sent(headers={"Authorization": f"Bearer {_context(w)}"}),
    "context token twice": lambda w, r: Sent(
        headers={"Authorization": f"JWT {_context(w)}, JWT {_context(w)}"}
    ),
    "product's token in both places": lambda w, r: Sent(header=_product(w, r), query=_product(w, r)),
    "product's token twice in the address": lambda w, r: Sent(query=f"{_product(w, r)}&jwt={_product(w, r)}"),
    "product's token before another in the address": lambda w, r: Sent(
        query=f"{_product(w, r)}&jwt={_context(w)}"
    ),
    "product's token of another address": lambda w, r: Sent(
        header=w.acme.product_signed(r.method, "/elsewhere"),
        query=w.acme.product_signed(r.method, "/elsewhere"),
    ),
    "product's token of another method": lambda w, r: Sent(query=w.acme.product_signed("PUT", r.address)),
    "install token in the address": lambda w, r: Sent(query=_lifecycle(w, r)),
    "expired context token": lambda w, r: Sent(header=_context(w, **EXPIRED)),
    "context token of 1970": lambda w, r: Sent(header=_context(w, **LONG_AGO)),
    "expired product's token": lambda w, r: Sent(query=_product(w, r, **EXPIRED)),
    "expired product's token, header": lambda w, r: Sent(header=_product(w, r, **EXPIRED)),
    "expired install token": lambda w, r: Sent(header=_lifecycle(w, r, **EXPIRED)),
    "context token without qsh": lambda w, r: Sent(header=_context(w, qsh=None)),
    "product's token without qsh": lambda w, r: Sent(query=_product(w, r, qsh=None)),
    "context token of nobody's": lambda w, r: Sent(
        header=tokens.context_token(w.acme.secret, "stranger-client-key")
    ),
    "context token of half a character": lambda w, r: _unreadable(w, r, iss="\ud800"),
    "product's token of half a character": lambda w, r: _unreadable(w, r, iss="\ud800", place="query"),
    "product's token with half a character for a hash": lambda w, r: _unreadable(
        w, r, iss=w.acme.client_key, qsh="\ud800", place="query"
    ),
    "install token with half a character for a hash": lambda w, r: Sent(
        header=tokens.hand_made_token(
            {"alg": "RS256", "kid": KID},
            tokens.claims_for(w.acme.client_key, r.method, r.address, aud=[BASE_URL], qsh="\ud800"),
        )
    ),
    "context token by globex": lambda w, r: Sent(
        header=_by_globex(w, tokens.claims_for(w.acme.client_key, "GET", "/", qsh="context-qsh"))
    ),
    "product's token by globex": lambda w, r: Sent(
        query=_by_globex(w, tokens.claims_for(w.acme.client_key, r.method, r.address))
    ),
    "install token by a stranger": lambda w, r: Sent(header=_lifecycle(w, r, key_name="stranger")),
    "install token for a stranger": lambda w, r: Sent(
        header=_lifecycle(w, r, aud=["https://stranger.example"])
    ),
    "unsigned context token": lambda w, r: Sent(
        header=tokens.hand_made_token(
            {"alg": "none"}, tokens.claims_for(w.acme.client_key, "GET", "/", qsh="context-qsh")
        )
    ),
    "session token of our own": lambda w, r: Sent(
        header=tokens.context_token(w.acme.secret, APP_KEY, aud=[w.acme.client_key])
    ),
    "our own outgoing token": lambda w, r: Sent(
        header=sign_request(
            method=r.method,
            path=r.address,
            query="",
            app_key=APP_KEY,
            client_key=w.acme.client_key,
            secret=w.acme.secret,
            now=datetime.now(UTC),
        )
    ),
    "an identity provider's token as JWT": lambda w, r: Sent(header=token_of(w, w.acme)),
    "an identity provider's token in the address": lambda w, r: Sent(query=token_of(w, w.acme)),
    "the hash of an identity provider's token": lambda w, r: _bearer(hash_of(token_of(w, w.acme))),
    "a stranger's bearer token": lambda w, r: _bearer(new_token()[0]),
    "a password": lambda w, r: Sent(
        headers={"Authorization": "Basic " + base64.b64encode(b"admin:admin").decode()}
    ),
    "headers of a proxy": lambda w, r: Sent(
        headers={"X-Forwarded-User": "ana", "X-Forwarded-For": "127.0.0.1", "X-Atlassian-Token": "no-check"}
    ),
}


def send(world: World, route: Route, sent: Sent) -> TestResponse:
    headers = dict(sent.headers)
    address = f"{route.address}?jwt={sent.query}" if sent.query else route.address
    body: dict[str, Any] = {"data": sent.form} if sent.form else {}
    if route.mark is Mark.LIFECYCLE and not sent.form:
        body = {"json": world.acme.body(route.rule.rpartition("/")[2])}
    return world.request(route.method, address, sent.header, headers=headers, **body)


def silent(world: World, log: str) -> bool:
    """Neither a token nor what signs one is written."""
    secrets = ("eyJ", world.acme.secret, world.globex.secret, "context-qsh", *_TOKENS.values())
    return not any(secret in log for secret in secrets)


def reference(world: World, mark: Mark = Mark.PAGE) -> bytes:
    """The one body of all refusals: to people, and to identity providers."""
    return bytes(world.request("GET", "/scim/v2/Users" if mark is Mark.SCIM else "/pages/app").data)


def every_route() -> list[Any]:
    """The first route of each mark and method, which the guard takes for the others; these wait for the slow tests."""
    first = {(route.mark, route.method): route for route in reversed(guarded_routes())}
    return [
        pytest.param(route, marks=() if route in first.values() else pytest.mark.slow)
        for route in guarded_routes()
    ]


@pytest.mark.parametrize("route", every_route(), ids=str)
def test_s01_s02_s12_s17_s41_s44_only_the_declared_kind_opens_a_route(
    world: World, route: Route, caplog: pytest.LogCaptureFixture
) -> None:
    """And even the most talkative log keeps what was shown to itself."""
    refused(world, route, caplog, OTHERS | opening_others(route))


@pytest.mark.parametrize("route", guarded_routes(), ids=str)
def test_s02_s12_what_opens_another_route_does_not_open_this_one(
    world: World, route: Route, caplog: pytest.LogCaptureFixture
) -> None:
    refused(world, route, caplog, {"nothing": OTHERS["nothing"]} | opening_others(route))


def opening_others(route: Route) -> dict[str, Kind]:
    return {name: kind for name, (kind, opens) in OPENING.items() if opens is not route.mark}


def refused(world: World, route: Route, caplog: pytest.LogCaptureFixture, kinds: dict[str, Kind]) -> None:
    """All alike, before anything is done, and nothing of what was shown is in the log."""
    token_of(world, world.acme)
    ticket_secret_of(world, world.acme)
    expected = reference(world, route.mark)
    # The key that a well-made install token names is asked for once, before its signature can be looked at.
    world.tools.install_keys.pem_for("0b1c3f44-6d0e-4c55-9d6a-5f1f0c7d9e11")
    world.hub.calls.clear()
    with world.untouched(), caplog.at_level(logging.DEBUG):
        for name, kind in kinds.items():
            caplog.clear()
            answer = send(world, route, kind(world, route))
            assert answer.status_code == 401, f"{name} opened {route}"
            assert answer.data == expected, f"{name} on {route} has a body of its own"
            assert "Set-Cookie" not in answer.headers
            assert answer.headers.get("WWW-Authenticate") == ("Bearer" if route.mark is Mark.SCIM else None)
            assert caplog.text, f"nothing is known about {name} on {route}"
            assert silent(world, caplog.text), f"{name} on {route} is in the log"


@pytest.mark.parametrize("route", guarded_routes(), ids=str)
def test_s02_s41_the_declared_kind_opens_it(
    world: World, route: Route, caplog: pytest.LogCaptureFixture
) -> None:
    opening = next(kind for kind, opens in OPENING.values() if opens is route.mark)
    with caplog.at_level(logging.DEBUG):
        assert send(world, route, opening(world, route)).status_code not in {401, 500}
    assert silent(world, caplog.text)


def test_s44_the_list_of_public_routes_is_known() -> None:
    assert {str(route) for route in all_routes() if route.mark is Mark.PUBLIC} == PUBLIC


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
@pytest.mark.parametrize("route", guarded_routes(), ids=str)
def test_s12_other_methods_are_no_side_door(world: World, route: Route, method: str) -> None:
    with world.untouched():
        answer = world.request(method, route.address)
    assert answer.status_code in ({401} if method == "OPTIONS" or route.method == "GET" else {401, 405})


@pytest.mark.parametrize("route", all_routes(), ids=str)
def test_s13_nothing_sets_a_cookie(world: World, route: Route) -> None:
    opening = next((kind for kind, opens in OPENING.values() if opens is route.mark), OTHERS["nothing"])
    assert "Set-Cookie" not in send(world, route, opening(world, route)).headers


def test_s43_the_refusal_says_nothing_about_the_reason(world: World) -> None:
    body = reference(world).decode().lower()
    for word in ("expired", "signature", "qsh", "issuer", "audience", "tenant", "trace"):
        assert word not in body
    for word in ("rollcall", "jira", "confluence", "install it"):
        assert word in body


def test_s43_the_reason_is_in_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.request("GET", "/app/overview", world.acme.context(**EXPIRED))
    assert "401 expired trace=" in caplog.text
    assert "eyJ" not in caplog.text


@pytest.mark.parametrize(
    "name", ["no-auth", "NO_AUTH", "AC_OPTS", "FLASK_DEBUG", "FLASK_ENV", "TESTING", "DEBUG", "ENV"]
)
def test_s34_no_variable_turns_the_guard_off(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = "no-auth" if name == "AC_OPTS" else "1"
    monkeypatch.setenv(name, value)
    world.app.config[name] = value
    for route in guarded_routes():
        assert send(world, route, Sent()).status_code == 401


def test_s20_a_tenant_in_the_body_is_nobody(world: World) -> None:
    """Ids of globex in acme's request are not read: acme stays acme."""
    extra = {"clientKey": world.globex.client_key, "tenant": world.globex.client_key, "tenantId": "globex"}
    token = world.acme.context("uma")
    for route in guarded_routes():
        if route.mark is Mark.API:
            answer = world.request(route.method, route.address, token, query_string=extra, data=extra)
            # Answering one's own warning needs no right: there just is none.
            expected = 409 if route.rule in ("/app/keep", "/app/keep/longer") else 403
            assert answer.status_code == expected, route
    assert not world.globex.listener.calls


def test_s20_a_tenant_in_a_webhook_s_body_is_nobody(world: World) -> None:
    """Told by acme, of somebody of globex, in globex's name: nothing is written down; told by globex, it is."""
    for tenant in (world.acme, world.globex):
        link(world, tenant)
    moment = int(datetime.now(UTC).timestamp() * 1000)
    body = {"clientKey": world.globex.client_key, "userAccountId": "person-globex", "timestamp": moment}
    address = "/connect/webhooks/page_created"
    with world.untouched():
        token = world.acme.product_signed("POST", address)
        assert world.request("POST", address, token, json=body).status_code == 204
    token = world.globex.product_signed("POST", address)
    assert world.request("POST", address, token, json=body).status_code == 204
    with world.tools.begin() as session:
        assert session.scalars(select(Signal.organization_id)).all() == ["org-globex"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"[" * 100_000, json.dumps({"user": [1]}).encode(), b"\xff"]
)
def test_s14_an_odd_webhook_never_crashes(world: World, body: bytes) -> None:
    address = "/connect/webhooks/jira:issue_created"
    token = world.acme.product_signed("POST", address)
    with world.untouched():
        assert world.request("POST", address, token, data=body).status_code in {204, 422}
