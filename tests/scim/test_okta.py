"""What Okta sends: PUT of whole profiles, `active` by PATCH without a path, group pushes."""

from __future__ import annotations

import json

import pytest

from models.scim import ScimUser
from tests.scim.provider import GROUP, USER, IdentityProvider

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


def profile(name: str = "isaac.brock@example.com", **changed: object) -> dict[str, object]:
    return {
        "schemas": [USER],
        "userName": name,
        "name": {"givenName": "Isaac", "middleName": "", "familyName": "Brock"},
        "emails": [{"primary": True, "value": name, "type": "work", "display": name}],
        "displayName": "Isaac Brock",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
    } | changed


@pytest.fixture
def isaac(okta: IdentityProvider) -> str:
    return str(okta.json("POST", "/Users", profile(), 201)["id"])


def test_the_connection_is_tried_with_a_page_of_one(okta: IdentityProvider, isaac: str) -> None:
    found = okta.json("GET", "/Users", params={"startIndex": 1, "count": 1})
    assert found["schemas"] == [LIST]
    assert (found["totalResults"], found["startIndex"], found["itemsPerPage"]) == (1, 1, 1)
    (person,) = found["Resources"]
    assert person["name"] == {"givenName": "Isaac", "middleName": "", "familyName": "Brock"}
    assert person["active"] is True


def test_the_password_is_neither_kept_nor_told(okta: IdentityProvider, isaac: str) -> None:
    assert "1mz050nq" not in okta.send("GET", f"/Users/{isaac}").text
    okta.patch(f"/Users/{isaac}", {"op": "replace", "value": {"password": "an0ther-0ne"}})
    assert "password" not in okta.stored(isaac).document
    assert not any("1mz050nq" in str(row) or "an0ther" in str(row) for row in okta.world.dump()["scim_user"])


def test_a_user_name_in_capitals_is_the_same(okta: IdentityProvider, isaac: str) -> None:
    found = okta.find("Users", 'userName eq "ISAAC.BROCK@EXAMPLE.COM"')
    assert [each["id"] for each in found] == [isaac]
    okta.refuse("POST", "/Users", profile("Isaac.Brock@example.com"), 409, "uniqueness")


def test_nobody_has_an_id_that_okta_made_up(okta: IdentityProvider) -> None:
    detail = okta.refuse("GET", "/Users/010101001010101011001010101011", None, 404)
    assert detail
    okta.refuse("PUT", "/Users/7b3f9f6e-0000-4000-8000-000000000001", profile(), 404)


def test_a_profile_is_put_as_a_whole(okta: IdentityProvider, isaac: str) -> None:
    whole = profile(id=isaac, displayName="Ike", meta={"resourceType": "User"})
    del whole["locale"]
    put = okta.json("PUT", f"/Users/{isaac}", whole)
    assert put["displayName"] == "Ike"
    assert "locale" not in put
    version = okta.stored(isaac).version
    again = okta.json("PUT", f"/Users/{isaac}", whole)
    assert okta.stored(isaac).version == version, "the same again is no change"
    assert again["meta"] == put["meta"]


def test_a_put_without_active_locks_nobody_in_or_out(okta: IdentityProvider, isaac: str) -> None:
    okta.patch(f"/Users/{isaac}", {"op": "replace", "value": {"active": False}})
    whole = profile(displayName="Ike")
    del whole["active"]
    okta.json("PUT", f"/Users/{isaac}", whole)
    assert okta.stored(isaac).active is False


def test_deactivation_and_back(okta: IdentityProvider, isaac: str) -> None:
    off = okta.patch(f"/Users/{isaac}", {"op": "replace", "value": {"active": False}})
    assert off["active"] is False
    put = okta.json("PUT", f"/Users/{isaac}", profile(active=True))
    assert put["active"] is True


def test_a_group_is_pushed(okta: IdentityProvider, isaac: str) -> None:
    other = okta.add("other@example.com")
    body = {
        "schemas": [GROUP],
        "displayName": "Test SCIMv2",
        "members": [{"value": isaac, "display": "isaac.brock@example.com"}],
    }
    made = okta.json("POST", "/Groups", body, 201)
    group = f"/Groups/{made['id']}"
    assert made["members"][0]["display"] == "isaac.brock@example.com"
    changed = okta.patch(
        group,
        {"op": "remove", "path": f'members[value eq "{isaac}"]'},
        {"op": "add", "path": "members", "value": [{"value": other, "display": "other@example.com"}]},
    )
    assert [each["value"] for each in changed["members"]] == [other]
    renamed = okta.patch(group, {"op": "replace", "value": {"id": made["id"], "displayName": "Renamed"}})
    assert renamed["displayName"] == "Renamed"
    replaced = okta.patch(group, {"op": "replace", "path": "members", "value": [{"value": isaac}]})
    assert [each["value"] for each in replaced["members"]] == [isaac]
    put = okta.json("PUT", group, body | {"displayName": "By PUT", "members": []})
    assert "members" not in put
    assert put["displayName"] == "By PUT"


def test_a_large_group_is_pushed_as_a_whole(okta: IdentityProvider, isaac: str) -> None:
    """Tens of thousands of members are more than two megabytes."""
    body = {"schemas": [GROUP], "displayName": "Everybody", "members": [{"value": isaac}]}
    large = json.dumps(body).encode() + b" " * 3_000_000
    made = okta.json("POST", "/Groups", large, 201)
    put = okta.json("PUT", f"/Groups/{made['id']}", large)
    assert [each["value"] for each in put["members"]] == [isaac]
    assert okta.send("POST", "/Users", large).status_code == 413, "nobody is that much"


def test_what_changed_lately_is_found_by_time(okta: IdentityProvider, isaac: str) -> None:
    moment = okta.json("GET", f"/Users/{isaac}")["meta"]["lastModified"]
    assert okta.find("Users", f'meta.lastModified gt "{moment}"') == []
    assert len(okta.find("Users", f'meta.lastModified ge "{moment}"')) == 1
    okta.world.later(minutes=5)
    okta.patch(f"/Users/{isaac}", {"op": "replace", "value": {"title": "Founder"}})
    assert len(okta.find("Users", f'meta.lastModified gt "{moment}"')) == 1


def test_pages(okta: IdentityProvider) -> None:
    ids = [okta.add(f"p{number}@example.com") for number in range(5)]
    found: list[str] = []
    while len(found) < 5:
        page = okta.json("GET", "/Users", params={"startIndex": len(found) + 1, "count": 2})
        assert page["totalResults"] == 5
        found += [each["id"] for each in page["Resources"]]
    assert sorted(found) == sorted(ids)
    assert okta.json("GET", "/Users", params={"count": 0})["Resources"] == []
    assert okta.json("GET", "/Users", params={"count": 10**30, "startIndex": 10**30})["totalResults"] == 5
    assert len(okta.json("GET", "/Users", params={"count": -3, "startIndex": -3})["Resources"]) == 0
    assert len(okta.world.rows(ScimUser)) == 5
