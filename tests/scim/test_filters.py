"""What the database finds is what scim2-models matches in memory, for every filter that we take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scim2_models import ScimFilter

from services import identity_providers, scim_search
from services.scim_connections import Provisioner
from services.scim_resources import PersonResource
from services.scim_wire import POLICY
from tests.scim.provider import IdentityProvider, connected
from tests.world import ACME, World

SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

PEOPLE: list[dict[str, Any]] = [
    {"userName": "ana@acme.example", "externalId": "A1", "displayName": "Ana", "active": True},
    {"userName": "Ben@acme.example", "externalId": "a1", "displayName": "ben 100%", "active": False},
    {"userName": "c_d@globex.example", "displayName": "Élodie", "active": True},
    {"userName": "cxd@globex.example", "active": False},
    {
        "userName": "two",
        "externalId": 'B\\"2',
        "displayName": "Two  Addresses",
        "emails": [
            {"type": "work", "value": "ana@acme.example", "primary": True},
            {"type": "home", "value": "Home@acme.example"},
        ],
    },
    {"userName": "one", "emails": [{"value": "one@work.example"}]},
]

ATTRIBUTES = {
    "userName": ["ana@acme.example", "BEN", "c_d", "globex.example", "two", "%", ""],
    "externalId": ["A1", "a1", 'B\\"2', "1", "\\", ""],
    "displayName": ["ana", "ÉLODIE", "100%", "  ", "e", ""],
    "urn:ietf:params:scim:schemas:core:2.0:User:userName": ["two"],
}
quoted = {name: [ScimFilter.quote(value) for value in values] for name, values in ATTRIBUTES.items()}


@st.composite
def comparisons(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(sorted(ATTRIBUTES)))
    op = draw(st.sampled_from(["eq", "ne", "co", "sw", "ew", "EQ"]))
    return f"{name} {op} {draw(st.sampled_from(quoted[name]))}"


leaves = st.one_of(
    comparisons(),
    st.sampled_from(
        [
            "userName pr",
            "externalId pr",
            "displayName pr",
            "emails pr",
            "active eq true",
            "active ne true",
            "active pr",
            'emails.value eq "ana@acme.example"',
            'emails eq "HOME@acme.example"',
            'emails.value co "work"',
            'emails.value sw "one"',
            'emails.value ew "acme.example"',
            'emails.value ne "one@work.example"',
            'emails[type eq "work" and value eq "ana@acme.example"]',
            'emails[type eq "home" and value eq "ana@acme.example"]',
            'emails[value eq "home@acme.example"]',
            'meta.created gt "2020-01-01T00:00:00Z"',
            'meta.lastModified lt "2020-01-01T00:00:00Z"',
        ]
    ),
)
filters = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda one, two: f"({one}) and {two}", inner, inner),
        st.builds(lambda one, two: f"{one} or ({two})", inner, inner),
        st.builds(lambda one: f"not ({one})", inner),
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def people(shared_world: World) -> Iterator[IdentityProvider]:
    """An identity provider that has sent everybody of the list."""
    found = connected(shared_world)
    for person in PEOPLE:
        found.json("POST", "/Users", person, 201)
    yield found
    identity_providers.disconnect(shared_world.tools, found.operator, found.connection_id)


@given(filter=filters)
def test_the_database_finds_what_matches(people: IdentityProvider, filter: str) -> None:
    who = Provisioner(ACME, people.connection_id)
    everybody = scim_search.list_some(people.world.tools, who, "Users", {}).body
    found = scim_search.list_some(people.world.tools, who, "Users", {"filter": filter}).body
    assert everybody is not None
    assert found is not None
    assert "Resources" in found, found
    with POLICY:
        matching = ScimFilter[PersonResource](filter)
        wanted = {
            each["userName"]
            for each in everybody["Resources"]
            if matching.match(PersonResource.model_validate(each))
        }
    assert {each["userName"] for each in found["Resources"]} == wanted


def test_s54_no_filter_keeps_everybody_waiting(entra: IdentityProvider) -> None:
    """Each comparison may look at everybody there is: providers make one or two, and not thousands."""
    entra.add("anna@acme.example")
    some = " or ".join(f'userName co "{number}"' for number in range(150))
    entra.refuse("GET", f"/Users?filter={some}", None, 400, "invalidFilter")
    entra.refuse("POST", "/Users/.search", {"schemas": [SEARCH], "filter": some}, 400, "invalidFilter")
    for path in ("/.search", "/Users/.search", "/Groups/.search"):
        entra.refuse("POST", path, {"schemas": [SEARCH], "filter": " or ".join([some] * 10)}, 413)
    few = " or ".join(f'userName co "{number}"' for number in range(50))
    assert entra.find("Users", f'{few} or userName sw "anna"') != []
