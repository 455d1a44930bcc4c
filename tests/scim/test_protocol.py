"""RFC 7644 where providers rarely go: versions, errors, what is selected, addresses that are not there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.scim import ScimMember, ScimUser
from tests.scim.provider import PATCH, USER, IdentityProvider
from tests.world import ACME

SECOND = "7b3f9f6e-0000-4000-8000-000000000002"


def test_who_has_seen_another_version_changes_nothing(entra: IdentityProvider) -> None:
    user = f"/Users/{entra.add('a@example.com')}"
    old = entra.send("GET", user).headers["ETag"]
    entra.patch(user, {"op": "replace", "path": "title", "value": "Boss"})
    late = {"headers": {"If-Match": old}}
    body = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "title", "value": "Late"}]}
    for method, sent in (
        ("PATCH", body),
        ("PUT", {"schemas": [USER], "userName": "b@example.com"}),
        ("DELETE", None),
    ):
        answer = entra.send(method, user, sent, status=412, **late)
        assert answer.json()["status"] == "412"
    new = entra.send("GET", user).headers["ETag"]
    assert entra.send("GET", user, headers={"If-None-Match": new}).status_code == 304
    assert entra.send("GET", user, headers={"If-None-Match": old}).status_code == 200
    assert entra.send("PATCH", user, body, headers={"If-Match": new}).json()["title"] == "Late"
    entra.send("DELETE", user, status=204, headers={"If-Match": "*"})


def test_attributes_are_selected(entra: IdentityProvider) -> None:
    user = f"/Users/{entra.add('a@example.com', title='Boss', name={'givenName': 'A', 'familyName': 'B'})}"
    some = entra.json("GET", user, params={"attributes": "userName,name.givenName"})
    assert set(some) == {"schemas", "id", "userName", "name"}
    assert some["name"] == {"givenName": "A"}
    rest = entra.json("GET", user, params={"excludedAttributes": "title,meta"})
    assert "title" not in rest
    assert "meta" not in rest
    both = entra.send("GET", user, params={"attributes": "title", "excludedAttributes": "name"})
    assert both.status_code == 400
    made = entra.json(
        "POST", "/Users?attributes=userName", {"schemas": [USER], "userName": "c@example.com"}, 201
    )
    assert set(made) == {"schemas", "id", "userName"}


def test_searching_by_post(entra: IdentityProvider) -> None:
    user = entra.add("a@example.com", externalId="e1")
    group = entra.group("Everybody", user)
    search = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": 'externalId eq "e1"',
    }
    assert entra.json("POST", "/Users/.search", search)["Resources"][0]["id"] == user
    everything = entra.json("POST", "/.search", {"schemas": search["schemas"], "count": 10})
    assert [each["id"] for each in everything["Resources"]] == [user, group]
    named = entra.json("POST", "/.search", search | {"filter": 'userName pr or displayName eq "everybody"'})
    assert named["totalResults"] == 2
    second = entra.json("POST", "/.search", {"schemas": search["schemas"], "startIndex": 2, "count": 1})
    assert [each["id"] for each in second["Resources"]] == [group]


@pytest.mark.parametrize(
    ("filter", "says"),
    [
        ("userName eq", "syntax"),
        ('shoeSize eq "39"', "shoeSize"),
        ('title eq "Boss"', "does not filter by title"),
        ('password eq "x"', ""),
        ("userName eq 3", "not valid"),
        ('active gt "true"', ""),
        ('meta.created gt "yesterday"', "not valid"),
        ('meta.created gt "2026-05-03T12:00:00"', "time zone"),
        ("not (" * 30 + "userName pr" + ")" * 30, "nested too deeply"),
        (" or ".join(['userName eq "x"'] * 300), "at most 2000"),
        ('emails[display eq "x" and value eq "a@example.com"]', "type and value"),
    ],
)
def test_a_filter_that_is_not_offered_says_so(entra: IdentityProvider, filter: str, says: str) -> None:
    answer = entra.send("GET", "/Users", params={"filter": filter}, status=400)
    assert answer.json()["scimType"] == "invalidFilter"
    assert says in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "scim_type"),
    [
        (b"", "invalidSyntax"),
        (b"{", "invalidSyntax"),
        (b"[]", "invalidSyntax"),
        (b"[" * 100_000, "invalidSyntax"),
        (b"\xff", "invalidSyntax"),
        (b'{"userName": NaN}', "invalidSyntax"),
        (json.dumps({"schemas": [USER]}).encode(), "invalidValue"),
        (json.dumps({"schemas": [USER], "userName": "a\0b"}).encode(), "invalidValue"),
        (b'{"userName": "\\ud800"}', "invalidValue"),
        (json.dumps({"schemas": [USER], "userName": "   "}).encode(), "invalidValue"),
        (json.dumps({"schemas": [USER], "userName": "a" * 321}).encode(), "invalidValue"),
        (json.dumps({"schemas": [USER], "userName": "a", "title": "b" * 70_000}).encode(), "invalidValue"),
        (json.dumps({"schemas": [USER], "userName": "a", "externalId": "b" * 256}).encode(), "invalidValue"),
        (json.dumps({"schemas": [USER], "userName": "a", "active": "perhaps"}).encode(), "invalidValue"),
        (
            json.dumps({"schemas": [USER], "userName": "a", "emails": [{"value": 5}]}).encode(),
            "invalidValue",
        ),
    ],
)
def test_a_body_that_is_nobody_is_refused(entra: IdentityProvider, body: bytes, scim_type: str) -> None:
    entra.refuse("POST", "/Users", body, 400, scim_type)
    assert entra.find("Users", "userName pr") == []


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "replace", "path": "id", "value": SECOND}, "mutability"),
        ({"op": "replace", "path": "groups", "value": []}, "mutability"),
        ({"op": "remove", "path": "userName"}, "mutability"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "replace", "path": "emails[", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": 'emails[display eq "x" or type eq "y"].value', "value": "a@b.example"}, "noTarget"),
        ({"op": "replace", "path": "name", "value": "text"}, "invalidValue"),
        ({"op": "jump", "path": "title", "value": "x"}, "invalidValue"),
        ({"op": "add", "path": "title"}, "invalidValue"),
    ],
)  # fmt: skip
def test_an_operation_that_cannot_be_done_changes_nothing(
    entra: IdentityProvider, operation: dict[str, Any], scim_type: str
) -> None:
    user = entra.add("a@example.com", title="Boss")
    good = {"op": "replace", "path": "title", "value": "Changed"}
    body = {"schemas": [PATCH], "Operations": [good, operation]}
    entra.refuse("PATCH", f"/Users/{user}", body, 400, scim_type)
    assert entra.json("GET", f"/Users/{user}")["title"] == "Boss"
    assert entra.stored(user).version == 1


def test_members_are_people_of_this_connection(entra: IdentityProvider) -> None:
    group = f"/Groups/{entra.group('A')}"
    inner = entra.group("B")
    for member in ({"value": SECOND}, {"value": inner}, {"value": inner, "type": "Group"}, {"display": "x"}):
        body = {"schemas": [PATCH], "Operations": [{"op": "add", "path": "members", "value": [member]}]}
        entra.refuse("PATCH", group, body, 400, "invalidValue")


def test_addresses_that_are_not_there(entra: IdentityProvider) -> None:
    entra.refuse("GET", "/Nobody", None, 404)
    entra.refuse("GET", "/ResourceTypes/Pet", None, 404)
    entra.refuse("GET", "/Users/..%2f..%2f", None, 404)
    entra.refuse("GET", "/Users/%00", None, 400)
    entra.refuse("POST", "/Bulk", {}, 405)
    entra.refuse("GET", '/Schemas?filter=id eq "x"', None, 403)
    assert entra.send("GET", "/Schemas/" + USER, status=200).json()["id"] == USER


def test_what_the_service_says_about_itself(entra: IdentityProvider) -> None:
    found = entra.json("GET", "/ServiceProviderConfig")
    can = {name for name, value in found.items() if isinstance(value, dict) and value.get("supported")}
    assert can == {"patch", "filter", "etag"}
    assert found["authenticationSchemes"][0]["type"] == "oauthbearertoken"


def test_two_connections_of_one_organization_know_nothing_of_each_other(
    entra: IdentityProvider, okta: IdentityProvider
) -> None:
    user = entra.add("a@example.com")
    group = entra.group("Everybody", user)
    assert okta.find("Users", "userName pr") == okta.find("Groups", "displayName pr") == []
    for path in (f"/Users/{user}", f"/Groups/{group}"):
        okta.refuse("GET", path, None, 404)
        okta.refuse("DELETE", path, None, 404)
    assert okta.add("a@example.com") != user
    member = {"op": "add", "path": "members", "value": [{"value": user}]}
    okta.refuse("PATCH", f"/Groups/{okta.group('Everybody')}", {"Operations": [member]}, 400, "invalidValue")
    assert len(entra.find("Users", "userName pr")) == 1


def test_a_change_of_a_large_group_is_answered_without_its_members(entra: IdentityProvider) -> None:
    group_id, now = entra.group("Everybody"), entra.world.clock()
    with entra.world.tools.begin() as session:
        for number in range(201):
            key = {"organization_id": ACME, "id": f"member-{number}", "connection_id": entra.connection_id}
            person = {"user_name": key["id"], "user_name_key": key["id"], "document": {"userName": key["id"]}}
            session.add(ScimUser(**key, **person, created_at=now, changed_at=now))
        session.flush()
        session.add_all(
            ScimMember(organization_id=ACME, group_id=group_id, user_id=f"member-{number}")
            for number in range(201)
        )
    group = f"/Groups/{group_id}"
    body = {"Operations": [{"op": "replace", "path": "displayName", "value": "All of us"}]}
    answer = entra.send("PATCH", group, body, status=204)
    assert answer.headers["ETag"] == 'W/"2"'
    asked = entra.json("PATCH", f"{group}?attributes=displayName", body)
    assert asked["displayName"] == "All of us"
    assert "members" not in asked
