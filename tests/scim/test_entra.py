"""What Microsoft Entra ID sends, request by request, in the order in which it provisions."""

from __future__ import annotations

import pytest

from tests.scim.provider import ENTERPRISE, GROUP, USER, IdentityProvider

ADELE = {
    "schemas": [USER, ENTERPRISE],
    "externalId": "adele.vance",
    "userName": "Adele.Vance@contoso.example",
    "active": True,
    "displayName": "Adele Vance",
    "emails": [{"primary": True, "type": "work", "value": "adele@contoso.example"}],
    "meta": {"resourceType": "User"},
    "name": {"formatted": "Adele Vance", "familyName": "Vance", "givenName": "Adele"},
    "roles": [],
    ENTERPRISE: {"department": "Sales", "manager": {"value": "8f1c"}},
}


@pytest.fixture
def adele(entra: IdentityProvider) -> str:
    return str(entra.json("POST", "/Users", ADELE, 201)["id"])


@pytest.mark.parametrize(
    "attribute", ["userName", "externalId", "emails.value", "emails", 'emails[type eq "work"].value']
)
def test_the_connection_is_tried_with_somebody_who_does_not_exist(
    entra: IdentityProvider, adele: str, attribute: str
) -> None:
    """By whichever attribute people are told; an id is no address."""
    found = entra.json("GET", "/Users", params={"filter": f'{attribute} eq "0d1f7f5e-not-here"'})
    assert (found["totalResults"], found["Resources"]) == (0, [])


def test_somebody_is_looked_up_created_and_found(entra: IdentityProvider) -> None:
    assert entra.find("Users", 'externalId eq "adele.vance"') == []
    answer = entra.send("POST", "/Users", ADELE, status=201)
    made = answer.json()
    assert answer.headers["Location"] == made["meta"]["location"]
    assert answer.headers["ETag"] == made["meta"]["version"] == 'W/"1"'
    assert made[ENTERPRISE] == {"department": "Sales", "manager": {"value": "8f1c"}}
    assert made["schemas"] == [USER, ENTERPRISE]
    for filter in (
        'externalId eq "adele.vance"',
        'userName eq "adele.vance@CONTOSO.example"',
        'UserName Eq "adele.vance@contoso.example"',
        'emails[type eq "work"].value eq "adele@contoso.example"',
        'emails[type eq "work" and value eq "ADELE@contoso.example"]',
        f'{USER}:displayName sw "adele" and active eq true',
    ):
        assert [each["id"] for each in entra.find("Users", filter)] == [made["id"]], filter
    assert entra.find("Users", 'emails[type eq "home" and value eq "adele@contoso.example"]') == []
    assert entra.find("Users", 'externalId eq "ADELE.VANCE"') == []


def test_the_same_name_twice_is_a_conflict(entra: IdentityProvider, adele: str) -> None:
    twice = ADELE | {"userName": "ADELE.vance@contoso.example", "externalId": "x"}
    entra.refuse("POST", "/Users", twice, 409, "uniqueness")
    other = entra.add("other@contoso.example")
    rename = {"op": "Replace", "path": "userName", "value": ADELE["userName"]}
    body = {"schemas": [], "Operations": [rename]}
    entra.refuse("PATCH", f"/Users/{other}", body, 409, "uniqueness")


def test_several_attributes_in_one_patch(entra: IdentityProvider, adele: str) -> None:
    changed = entra.patch(
        f"/Users/{adele}",
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "vance@contoso.example"},
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "+49 30 1"},
        {"op": "Replace", "path": "name.familyName", "value": "Vance-Smith"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Marketing"},
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "9a2d"},
        {"op": "Remove", "path": "displayName"},
    )
    assert changed["emails"] == [{"primary": True, "type": "work", "value": "vance@contoso.example"}]
    assert changed["phoneNumbers"] == [{"type": "mobile", "value": "+49 30 1"}]
    assert changed["name"]["familyName"] == "Vance-Smith"
    assert changed[ENTERPRISE] == {"department": "Marketing", "manager": {"value": "9a2d"}}
    assert "displayName" not in changed
    assert entra.stored(adele).email == "vance@contoso.example"


def test_attributes_without_a_path(entra: IdentityProvider, adele: str) -> None:
    changed = entra.patch(
        f"/Users/{adele}",
        {
            "op": "Add",
            "value": {
                "displayName": "Adele V.",
                "name.givenName": "Adi",
                'emails[type eq "home"].value': "adele@home.example",
                f"{ENTERPRISE}:department": "Legal",
                f"{ENTERPRISE}:manager": "7c3e",
                "urn:contoso:1.0:User:shoeSize": "39",
            },
        },
    )
    assert (changed["displayName"], changed["name"]["givenName"]) == ("Adele V.", "Adi")
    assert {each["value"] for each in changed["emails"]} == {"adele@contoso.example", "adele@home.example"}
    assert changed[ENTERPRISE] == {"department": "Legal", "manager": {"value": "7c3e"}}


@pytest.mark.parametrize("no", ["False", "false", False, [{"value": "False"}]])
def test_somebody_is_disabled_and_enabled(entra: IdentityProvider, adele: str, no: object) -> None:
    off = entra.patch(f"/Users/{adele}", {"op": "Replace", "path": "active", "value": no})
    assert off["active"] is False
    assert entra.find("Users", "active eq false")[0]["id"] == adele
    on = entra.patch(f"/Users/{adele}", {"op": "Replace", "path": "active", "value": "True"})
    assert on["active"] is True


def test_a_manager_by_id_alone(entra: IdentityProvider) -> None:
    made = entra.json("POST", "/Users", ADELE | {ENTERPRISE: {"Manager": "8f1c"}}, 201)
    assert made[ENTERPRISE] == {"manager": {"value": "8f1c"}}


def test_a_manager_in_the_older_dialect(entra: IdentityProvider, adele: str) -> None:
    boss = entra.add("boss@contoso.example")
    path = f"{ENTERPRISE}:manager"
    value = [{"$ref": f"{entra.world.url}/scim/v2/Users/{boss}", "value": boss}]
    found = entra.patch(f"/Users/{adele}", {"op": "Add", "path": path, "value": value})
    assert found[ENTERPRISE]["manager"]["value"] == boss


def test_an_emptied_manager_is_no_manager(entra: IdentityProvider, adele: str) -> None:
    changed = entra.patch(f"/Users/{adele}", {"op": "Replace", "path": f"{ENTERPRISE}:manager", "value": ""})
    assert changed[ENTERPRISE] == {"department": "Sales"}


@pytest.mark.parametrize(
    ("path", "was"),
    [
        ("title", "Lead"),
        ("nickName", [{"value": "Adi"}]),
        ('phoneNumbers[type eq "mobile"].value', "+49 30 1"),
        ('phoneNumbers[type eq "mobile"]', "+49 30 1"),
        (f"{ENTERPRISE}:department", "Sales"),
        (f"{ENTERPRISE}:manager", "8f1c"),
    ],
)
def test_what_is_taken_away_together_with_what_it_was_is_gone(
    entra: IdentityProvider, path: str, was: object
) -> None:
    """And the rest of the PATCH is done: nobody stays active because their telephone has no number any more."""
    more = {"title": "Lead", "nickName": "Adi", "phoneNumbers": [{"type": "mobile", "value": "+49 30 1"}]}
    user = entra.json("POST", "/Users", ADELE | more, 201)["id"]
    changed = entra.patch(
        f"/Users/{user}",
        {"op": "Remove", "path": path, "value": was},
        {"op": "Replace", "path": "active", "value": "False"},
    )
    assert changed["active"] is False
    assert (was if isinstance(was, str) else "Adi") not in str(changed)


@pytest.mark.parametrize("path", ["emails", "emails.value"])
def test_one_value_of_a_list_takes_no_other_away(entra: IdentityProvider, adele: str, path: str) -> None:
    body = {"schemas": [], "Operations": [{"op": "Remove", "path": path, "value": "other@contoso.example"}]}
    entra.refuse("PATCH", f"/Users/{adele}", body, 400, "invalidValue")
    assert entra.stored(adele).email == "adele@contoso.example"


def test_a_department_in_the_older_dialect(entra: IdentityProvider, adele: str) -> None:
    path, value = f"{ENTERPRISE}:department", [{"$ref": None, "value": "Legal"}]
    found = entra.patch(f"/Users/{adele}", {"op": "Replace", "path": path, "value": value})
    assert found[ENTERPRISE]["department"] == "Legal"


def test_somebody_is_deleted_and_comes_again(entra: IdentityProvider, adele: str) -> None:
    entra.send("DELETE", f"/Users/{adele}", status=204)
    entra.refuse("GET", f"/Users/{adele}", None, 404)
    entra.refuse("DELETE", f"/Users/{adele}", None, 404)
    assert entra.find("Users", 'userName eq "adele.vance@contoso.example"') == []
    again = entra.json("POST", "/Users", ADELE, 201)
    assert again["id"] != adele


def test_a_group_with_its_members(entra: IdentityProvider, adele: str) -> None:
    body = {
        "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": "8aa1a0c0",
        "displayName": "Sales",
        "meta": {"resourceType": "Group"},
        "members": [],
    }
    made = entra.json("POST", "/Groups", body, 201)
    group = f"/Groups/{made['id']}"
    entra.refuse("POST", "/Groups", body, 409, "uniqueness")
    without = {"excludedAttributes": "members"}
    found = entra.json("GET", "/Groups", params={"filter": 'displayName eq "sales"'} | without)
    assert [each["id"] for each in found["Resources"]] == [made["id"]]

    other = entra.add("other@contoso.example")
    added = entra.patch(
        group,
        {"op": "Add", "path": "members", "value": [{"$ref": None, "value": adele}]},
        {"op": "Add", "path": "members", "value": [{"$ref": None, "value": other}]},
    )
    assert {each["value"] for each in added["members"]} == {adele, other}
    assert "members" not in entra.json("GET", group, params=without)
    member = f'id eq "{made["id"]}" and members eq "{adele}"'
    assert len(entra.find("Groups", member)) == 1
    assert entra.json("GET", f"/Users/{adele}")["groups"][0]["display"] == "Sales"
    assert [each["id"] for each in entra.find("Users", f'groups eq "{made["id"]}"')] == [adele, other]

    # Two ways to take somebody out.
    entra.patch(group, {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": adele}]})
    left = entra.patch(group, {"op": "Remove", "path": f'members[value eq "{other}"]'})
    assert "members" not in left
    assert entra.find("Groups", member) == []
    renamed = entra.patch(group, {"op": "Replace", "path": "displayName", "value": "Sales EMEA"})
    assert renamed["displayName"] == "Sales EMEA"
    entra.send("DELETE", group, status=204)
    entra.refuse("GET", group, None, 404)


def test_whoever_leaves_a_group_is_looked_at(entra: IdentityProvider, adele: str) -> None:
    group = entra.group("Sales", adele)
    before = entra.stored(adele).dirty_at
    entra.world.later(minutes=1)
    entra.patch(f"/Groups/{group}", {"op": "Add", "path": "members", "value": [{"value": adele}]})
    assert entra.stored(adele).dirty_at == before, "was a member already"
    entra.patch(f"/Groups/{group}", {"op": "Remove", "path": f'members[value eq "{adele}"]'})
    after = entra.stored(adele).dirty_at
    assert before is not None
    assert after is not None
    assert after > before
