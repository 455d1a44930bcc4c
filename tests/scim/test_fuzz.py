"""Whatever is sent, the service answers in the RFC's form, and nobody else's rows change."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scim2_models import Context, PatchOp, SCIMException
from sqlalchemy import select

from models.scim import ScimConnection, ScimGroup, ScimMember, ScimUser
from services.scim_members import mentioned
from services.scim_resources import GroupResource
from services.scim_wire import POLICY
from tests.scim.provider import ENTERPRISE, ERROR, PATCH, USER, IdentityProvider
from tests.world import World

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        [
            "a@b.example",
            "False",
            "work",
            "\0",
            "ä" * 400,
            "urn:x",
            "2819c223",
            "../..",
            "'; --",
            "%",
            "{{7*7}}",
        ]
    ),
)
names = st.sampled_from(
    [
        "schemas", "id", "externalId", "userName", "displayName", "active", "emails", "name", "members", "groups",
        "meta", "password", "roles", "value", "type", "primary", "$ref", "display", "manager", ENTERPRISE, "Operations",
        "op", "path", "USERNAME", "filter", "count", "startIndex", "attributes", "emails[type eq \"work\"].value",
    ]
)  # fmt: skip
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4)),
    max_leaves=8,
)
paths = st.one_of(
    names,
    st.sampled_from(
        [
            'emails[type eq "work"].value',
            "members[value eq",
            "name.familyName",
            f"{ENTERPRISE}:manager",
            "a.b.c",
            "[",
            "",
        ]
    ),
    st.text(max_size=6),
)
operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "Replace", "remove", "jump", 3])},
    optional={"path": paths, "value": anything},
)
bodies = st.one_of(
    anything,
    st.dictionaries(names, anything, max_size=5).map(
        lambda body: {"schemas": [USER], "userName": "u"} | body
    ),
    st.lists(operations, max_size=3).map(lambda found: {"schemas": [PATCH], "Operations": found}),
)
filters = st.one_of(
    st.text(max_size=12),
    st.builds(
        "{} {} {}".format,
        names,
        st.sampled_from(["eq", "co", "pr", "gt", "and", "[", "not ("]),
        st.sampled_from(
            ['"x"', "true", "null", "1", '"\\ud800"', '"2026-01-01T00:00:00Z"', "", '"a@b.example"']
        ),
    ),
)
requests = st.tuples(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    st.sampled_from(
        ["Users", "Groups", "ServiceProviderConfig", "Schemas", ".search", "Users/.search", "Nobody", ""]
    ),
    st.sampled_from(["", "/{user}", "/{group}", "/2819c223", "/%2e%2e", "/ä"]),
    st.dictionaries(
        st.sampled_from(["filter", "startIndex", "count", "attributes", "excludedAttributes", "sortBy"]),
        st.one_of(filters, st.integers(-5, 10**25).map(str)),
        max_size=2,
    ),
    st.one_of(bodies.map(lambda body: json.dumps(body).encode()), st.binary(max_size=12)),
    st.sampled_from(["", "*", 'W/"1"', '"', "W/"]),
)
ALLOWED = {200, 201, 204, 304, 400, 403, 404, 405, 409, 412, 429}


def rows_of(world: World, connection_id: str) -> list[Any]:
    """Everything that the database holds of one connection."""
    with world.tools.begin() as session:
        found: list[Any] = [
            sorted(
                map(
                    repr,
                    session.execute(
                        select(*table.__table__.columns).where(table.connection_id == connection_id)
                    ),
                )
            )
            for table in (ScimUser, ScimGroup)
        ]
        groups = select(ScimGroup.id).where(ScimGroup.connection_id == connection_id)
        found.append(
            sorted(
                map(repr, session.execute(select(ScimMember.user_id).where(ScimMember.group_id.in_(groups))))
            )
        )
        connection = session.scalars(select(ScimConnection).where(ScimConnection.id == connection_id)).one()
        return [*found, connection.token_hash, connection.mode]


def fire(entra: IdentityProvider, okta: IdentityProvider, shots: list[Any]) -> None:
    user, group = entra.add("target@a.example"), entra.group("Target")
    theirs = rows_of(okta.world, okta.connection_id)
    client = entra.world.app.test_client()
    for method, place, thing, query, body, tag in shots:
        path = f"/scim/v2/{place}{thing.format(user=user, group=group)}"
        headers = {"Authorization": f"Bearer {entra.token}", "If-Match": tag, "If-None-Match": tag}
        answer = client.open(
            path, method=method, base_url=entra.world.url, headers=headers, query_string=query, data=body
        )
        assert answer.status_code in ALLOWED, (answer.status_code, answer.text, method, path, query, body)
        if answer.status_code >= 400:
            assert answer.get_json(force=True)["schemas"] == [ERROR]
            assert answer.get_json(force=True)["status"] == str(answer.status_code)
        assert b"Traceback" not in answer.data
    assert rows_of(okta.world, okta.connection_id) == theirs


QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=settings.default.max_examples // 2, suppress_health_check=QUIET)
@given(shots=st.lists(requests, min_size=5, max_size=5))
def test_nothing_that_is_sent_breaks_anything(
    entra: IdentityProvider, okta: IdentityProvider, shots: list[Any]
) -> None:
    clean(entra)
    if not okta.find("Users", "userName pr"):
        okta.group("Theirs", okta.add("theirs@b.example", displayName="Theirs"))
    fire(entra, okta, shots)


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(max_examples=300, suppress_health_check=QUIET)
@given(shots=st.lists(requests, min_size=5, max_size=8))
def test_nothing_breaks_anything_for_a_long_time(
    entra: IdentityProvider, okta: IdentityProvider, shots: list[Any]
) -> None:
    clean(entra)
    if not okta.find("Users", "userName pr"):
        okta.group("Theirs", okta.add("theirs@b.example", displayName="Theirs"))
    fire(entra, okta, shots)


def clean(idp: IdentityProvider) -> None:
    """Takes away what the shots before have made."""
    with idp.world.tools.begin() as session:
        for table in (ScimGroup, ScimUser):
            for row in session.scalars(select(table).where(table.connection_id == idp.connection_id)):
                session.delete(row)


ids = st.sampled_from([f"0000000{number}-0000-4000-8000-000000000000" for number in range(5)])
member_operations = st.one_of(
    st.builds(
        lambda some: {"op": "add", "path": "members", "value": [{"value": each} for each in some]},
        st.sets(ids),
    ),
    st.builds(
        lambda some: {"op": "add", "value": {"members": [{"value": each} for each in some]}}, st.sets(ids)
    ),
    st.builds(
        lambda some: {"op": "remove", "path": "members", "value": [{"value": each} for each in some]},
        st.sets(ids, min_size=1),
    ),
    st.builds(lambda one: {"op": "remove", "path": f'members[value eq "{one}"]'}, ids),
    st.builds(
        lambda one, two: {"op": "remove", "path": f'members[value eq "{one}" or value eq "{two}"]'}, ids, ids
    ),
    st.builds(
        lambda one, name: {"op": "replace", "path": f'members[value eq "{one}"].display', "value": name},
        ids,
        st.sampled_from(["A", "B"]),
    ),
    st.builds(
        lambda some: {"op": "replace", "path": "members", "value": [{"value": each} for each in some]},
        st.sets(ids),
    ),
    st.just({"op": "remove", "path": "members"}),
    st.just({"op": "replace", "path": "displayName", "value": "Renamed"}),
)


@given(inside=st.sets(ids), changes=st.lists(member_operations, min_size=1, max_size=3))
def test_reading_only_whom_a_patch_is_about_changes_the_same(
    inside: set[str], changes: list[dict[str, Any]]
) -> None:
    """Against scim2-models itself, with every member read."""

    def patched(members: set[str], operations: Any) -> set[tuple[str, str]] | str:
        entries = [{"value": each, "display": "A"} for each in sorted(members)]
        group = GroupResource.model_validate({"id": "g", "displayName": "G", "members": entries or None})
        try:
            operations.patch(group)
        except SCIMException as problem:
            return problem.scim_type
        return {(each.value, each.display) for each in group.members or ()}

    body = {"schemas": [PATCH], "Operations": changes}
    with POLICY:
        operations = PatchOp[GroupResource].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
        about = mentioned(operations)
        whole = patched(inside, operations)
        if about is None:
            return
        part = patched(inside & about, operations)
    if isinstance(whole, str) or isinstance(part, str):
        assert part == whole
    else:
        assert part | {(each, "A") for each in inside - about} == whole
