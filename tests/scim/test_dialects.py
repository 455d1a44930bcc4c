"""What providers send beside what counts: nothing of it keeps anybody active, or out of a group."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scim.provider import GROUP, USER, IdentityProvider

ODDITIES: list[dict[str, Any]] = [
    {"emails": [{"value": "", "type": "work", "primary": True}]},
    {"emails": [{"value": "ana@localhost"}]},
    {"emails": [{"value": "not an address"}]},
    {"profileUrl": ""},
    {"profileUrl": "ana's page"},
    {"photos": [{"value": "", "type": "photo"}]},
    {"photos": [{"value": "ana.jpg"}]},
    {"x509Certificates": [{"value": "not base64!"}]},
]


@pytest.mark.parametrize("odd", ODDITIES, ids=str)
def test_nobody_stays_active_because_of_what_cannot_be_read_beside_it(
    okta: IdentityProvider, odd: dict[str, Any]
) -> None:
    whole = {"schemas": [USER], "userName": "Ana@odd.example", "active": True}
    user = str(okta.json("POST", "/Users", whole | odd, 201)["id"])
    assert okta.stored(user).email == "ana@odd.example"
    assert okta.json("PUT", f"/Users/{user}", whole | odd | {"active": False})["active"] is False
    okta.json("PUT", f"/Users/{user}", whole)
    changes = [{"op": "replace", "path": name, "value": value} for name, value in odd.items()]
    changed = okta.patch(f"/Users/{user}", *changes, {"op": "replace", "path": "active", "value": "False"})
    assert changed["active"] is False
    assert okta.json("GET", f"/Users/{user}") == changed
    assert [each["id"] for each in okta.find("Users", 'userName eq "ana@odd.example"')] == [user]


def test_an_address_that_is_one_is_taken_before_what_is_none(okta: IdentityProvider) -> None:
    emails = [{"value": "ana@localhost", "primary": True}, {"value": "Ana@home.example", "type": "home"}]
    user = okta.add("ana", emails=emails)
    assert okta.stored(user).email == "ana@home.example"


@pytest.mark.parametrize("kind", ["User", "user", "direct", "", None])
def test_a_member_is_known_by_the_id_whatever_is_said_to_be_their_type(
    okta: IdentityProvider, kind: str | None
) -> None:
    user = okta.add("member@types.example")
    member = {"value": user, "type": kind}
    body = {"schemas": [GROUP], "displayName": f"Types {kind}", "members": [member]}
    made = okta.json("POST", "/Groups", body, 201)
    assert [each["value"] for each in made["members"]] == [user]
    group = f"/Groups/{made['id']}"
    okta.patch(group, {"op": "replace", "path": "members", "value": []})
    added = okta.patch(group, {"op": "add", "path": "members", "value": [member]})
    assert [each["value"] for each in added["members"]] == [user]
    nested = {"value": made["id"], "type": kind}
    body = {"schemas": [], "Operations": [{"op": "add", "path": "members", "value": [nested]}]}
    assert "Groups in groups" in okta.refuse("PATCH", group, body, 400, "invalidValue")
