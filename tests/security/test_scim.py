"""SCIM between organizations: a token opens one connection, while it lasts, and nothing of anybody else's (S54)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from connect.caller import Caller, Via
from models.scim import ScimConnection
from services import identity_providers
from tests.security.organizations import connection_of, scim_group_of, scim_user_of
from tests.security.provider import token_of
from tests.security.world import Tenant, World

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
USER = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "mallory@globex.example"}
PATCH = {"Operations": [{"op": "replace", "value": {"displayName": "Mine now"}}]}


def scim(world: World, method: str, path: str, token: str, body: Any = None, **headers: str) -> TestResponse:
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body)
    return world.request(method, f"/scim/v2{path}", headers=headers, data=data)


def of(tenant: Tenant) -> tuple[str, ...]:
    """The addresses of what an organization has."""
    return f"/Users/{scim_user_of(tenant)}", f"/Groups/{scim_group_of(tenant)}"


def refused(world: World, answer: TestResponse) -> None:
    assert answer.status_code == 401
    assert answer.content_type == "application/scim+json"
    assert answer.get_json(force=True)["schemas"] == [ERROR]
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_s54_without_a_token_nothing_is_open(world: World) -> None:
    token_of(world, world.acme)
    with world.untouched():
        for method, path in (
            ("GET", "/Users"),
            ("POST", "/Users"),
            ("DELETE", of(world.acme)[0]),
            ("GET", "/none"),
        ):
            refused(world, scim(world, method, path, "", USER))


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_s54_globex_s_token_finds_nothing_of_acme_s(world: World, method: str) -> None:
    token_of(world, world.acme)
    token = token_of(world, world.globex)
    scim(world, "GET", "/Users", token)
    whole = {"userName": "mallory@globex.example", "displayName": "Mine"}
    body = {"PUT": whole, "PATCH": PATCH}.get(method)
    with world.untouched():
        for path in of(world.acme):
            assert scim(world, method, path, token, body).status_code == 404


def test_s54_lists_and_filters_show_one_connection_alone(world: World) -> None:
    acme, globex = token_of(world, world.acme), token_of(world, world.globex)
    theirs = {acme: world.acme, globex: world.globex}
    for token, tenant in theirs.items():
        for path in (
            "/Users",
            "/Users?filter=userName%20pr",
            "/Groups",
            "/Users?filter=not%20(id%20eq%20%22x%22)",
        ):
            found = scim(world, "GET", path, token).get_json(force=True)
            assert found["totalResults"] == 1, path
            assert found["Resources"][0]["id"] in {scim_user_of(tenant), scim_group_of(tenant)}
        everything = scim(world, "POST", "/.search", token, {}).get_json(force=True)
        assert {each["id"] for each in everything["Resources"]} == {
            scim_user_of(tenant),
            scim_group_of(tenant),
        }


def test_s54_nobody_of_acme_s_gets_into_globex_s_group(world: World) -> None:
    token_of(world, world.acme)
    token = token_of(world, world.globex)
    scim(world, "GET", "/Users", token)
    member = {"op": "add", "path": "members", "value": [{"value": scim_user_of(world.acme)}]}
    with world.untouched():
        answer = scim(world, "PATCH", of(world.globex)[1], token, {"Operations": [member]})
        assert answer.status_code == 400


def test_s54_a_replaced_token_opens_nothing_at_once(world: World) -> None:
    old = token_of(world, world.acme)
    assert scim(world, "GET", "/Users", old).status_code == 200
    operator = Caller(world.acme.client_key, "ana", Via.CONTEXT)
    _, new = identity_providers.replace_token(world.tools, operator, connection_of(world.acme))
    refused(world, scim(world, "GET", "/Users", old))
    assert scim(world, "GET", "/Users", new).status_code == 200


def test_s54_the_token_of_a_removed_connection_opens_nothing(world: World) -> None:
    token = token_of(world, world.acme)
    operator = Caller(world.acme.client_key, "ana", Via.CONTEXT)
    identity_providers.disconnect(world.tools, operator, connection_of(world.acme))
    with world.untouched():
        refused(world, scim(world, "GET", "/Users", token))
        refused(world, scim(world, "POST", "/Users", token, USER))


def test_s54_an_organization_that_left_takes_nothing_any_more(world: World) -> None:
    token = token_of(world, world.acme)
    assert scim(world, "GET", "/Users", token).status_code == 200
    world.clock.offset += world.clock.offset.resolution
    assert world.lifecycle(world.acme, "uninstalled").status_code == 204
    with world.untouched():
        refused(world, scim(world, "POST", "/Users", token, USER))


def test_s54_only_a_fingerprint_of_the_token_is_kept(world: World) -> None:
    token = token_of(world, world.acme)
    assert token not in str(world.dump())
    with world.tools.begin() as session:
        found = session.get_one(ScimConnection, ("org-acme", connection_of(world.acme)))
        assert found.token_hash is not None
        assert len(found.token_hash) == 64


def test_s54_the_last_use_is_written_once_a_minute(world: World) -> None:
    token = token_of(world, world.acme)
    scim(world, "GET", "/Users", token)
    with world.untouched():
        assert scim(world, "GET", "/Users", token).status_code == 200


def test_s41_nothing_of_a_person_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    token = token_of(world, world.acme)
    scim(world, "POST", "/Users", token, USER | {"active": "perhaps", "displayName": "Mallory Secret"})
    scim(world, "GET", "/Users?filter=displayName%20eq%20%22Mallory", token)
    scim(world, "GET", "/Nobody/Mallory", token)
    assert "allory" not in caplog.text
    assert token not in caplog.text


def test_s43_a_provider_is_told_nothing_but_no(world: World) -> None:
    token_of(world, world.acme)
    bodies = {
        scim(world, "GET", path, token).data
        for path in ("/Users", "/none", of(world.acme)[0])
        for token in ("", "x" * 43, "too-short")
    }
    assert len(bodies) == 1
