"""connect/gateway: roles, groups, removal and whole accounts; against a real HTTP server."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from connect.errors import AccessForbidden, Gone, Invalid, RateLimited, SiteMoved, Unexpected, Why
from connect.gateway.admin_calls import Place
from connect.gateway.answers import NO_SEAT_LEFT
from connect.gateway.organization import OrganizationGateway
from rules.person import GroupFacts, Privilege, RoleHeld
from tests.connect.listener import Call, Listener, Reply

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEY = "ATCTT3xFfGN0-admin-key"
JIRA = "ari:cloud:jira-software::site/1"
USER = "atlassian/user"


def organization(listener: Listener) -> OrganizationGateway:
    return OrganizationGateway(listener.url, KEY, clock=lambda: NOW)


def as_json(value: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


def always(reply: Reply) -> Callable[[Call], Reply]:
    return lambda call: reply


def pages(*answers: list[dict[str, Any]]) -> Callable[[Call], Reply]:
    """One answer after the other; each but the last names the next page."""
    waiting = list(enumerate(answers, start=1))

    def answer(call: Call) -> Reply:
        number, data = waiting.pop(0)
        return as_json({"data": data, "links": {"next": f"page-{number}"} if waiting else {}})

    return answer


def sent(listener: Listener) -> list[tuple[str, str, Any]]:
    return [(call.method, call.path, json.loads(call.body) if call.body else None) for call in listener.calls]


def assigned(role: str, *methods: str) -> dict[str, Any]:
    return {"role": role, "roleAssignmentMethods": list(methods)}


def test_roles_of_all_pages_with_the_ways_they_came(listener: Listener) -> None:
    listener.answer = pages(
        [{"resourceId": JIRA, "roleAssignments": [assigned(USER, "group_direct", "direct")]}],
        [
            {
                "resourceId": "ari:wiki",
                "roleAssignments": [assigned("a", "direct"), assigned("b", "inferred")],
            },
            {"resourceId": "ari:none", "directoryId": None, "roleAssignments": []},
        ],
    )
    assert organization(listener).roles_of("org", "-", "5b10:ana") == (
        RoleHeld(JIRA, USER, direct=True, by_group=True),
        RoleHeld("ari:wiki", "a", direct=True, by_group=False),
        RoleHeld("ari:wiki", "b", direct=False, by_group=True),
    )
    path = "/admin/v2/orgs/org/directories/-/users/5b10%3Aana/role-assignments"
    assert [call.path for call in listener.calls] == [f"{path}?limit=100", f"{path}?cursor=page-1"]


@pytest.mark.parametrize(
    "row",
    [
        {"resourceId": JIRA},
        {"resourceId": JIRA, "roleAssignments": [{"role": USER}]},
        {"resourceId": JIRA, "roleAssignments": [{"role": USER, "roleAssignmentMethods": "direct"}]},
        {"resourceId": JIRA, "roleAssignments": [{"roleAssignmentMethods": ["direct"]}]},
        {"roleAssignments": []},
    ],
)
def test_s46_roles_that_cannot_be_read_are_not_no_roles(row: dict[str, Any], listener: Listener) -> None:
    listener.answer = always(as_json({"data": [row]}))
    with pytest.raises(Unexpected):
        organization(listener).roles_of("org", "-", "ana")


def test_an_empty_page_before_the_one_with_somebody_does_not_say_that_they_are_gone(
    listener: Listener,
) -> None:
    ana = {"accountId": "5b10:ana", "email": "ana@acme.example"}
    listener.answer = pages([], [ana])
    assert organization(listener).person("org", "dir", "5b10:ana").account_id == "5b10:ana"
    listener.answer = pages([], [{"directoryId": "first"}], [], [ana])
    found = organization(listener).person_at("org", "ana@acme.example")
    assert found is not None
    assert (found[0], found[1].account_id) == ("first", "5b10:ana")


def test_of_all_directories_somebody_has_as_many_rows_as_they_are_in(listener: Listener) -> None:
    """A page takes one for each person asked for."""
    suspended = {"accountId": "5b10:ana", "status": "suspended"}
    listener.answer = pages([suspended], [suspended | {"status": "active"}])
    found = organization(listener).people("org", "-", ["5b10:ana"])
    assert [person.status for person in found] == ["suspended", "active"]


def test_groups_of_all_pages(listener: Listener) -> None:
    listener.answer = pages(
        [
            {
                "id": "g1",
                "name": "all-staff",
                "directoryId": "dir",
                "externalSynced": True,
                "managementAccess": {"modifiable": False},
            }
        ],
        [{"id": "g2", "name": "team"}, {"id": "g3", "managementAccess": {}}],
    )
    assert list(organization(listener).groups("org", "dir")) == [
        GroupFacts("g1", "all-staff", "dir", synced=True, modifiable=False),
        GroupFacts("g2", "team"),
        GroupFacts("g3", ""),
    ]
    assert [call.path for call in listener.calls] == ["/admin/v2/orgs/org/directories/dir/groups/search"] * 2
    assert [body for _, _, body in sent(listener)] == [{"limit": 100}, {"limit": 100, "cursor": "page-1"}]


@pytest.mark.parametrize(
    "row", [{"externalSynced": "true"}, {"managementAccess": {"modifiable": 1}}, {"managementAccess": []}]
)
def test_a_group_that_cannot_be_read_is_not_taken_for_a_plain_one(
    row: dict[str, Any], listener: Listener
) -> None:
    listener.answer = always(as_json({"data": [{"id": "g"} | row, {"id": "h"}]}))
    assert list(organization(listener).groups("org", "dir")) == [
        GroupFacts("g", "", modifiable=False),
        GroupFacts("h", ""),
    ]


def test_groups_granting_one_product(listener: Listener) -> None:
    listener.answer = always(as_json({"data": [{"id": "g1", "name": "admins"}]}))
    assert list(organization(listener).groups_granting("org", "dir", JIRA)) == ["g1"]
    assert [body for _, _, body in sent(listener)] == [{"limit": 100, "resourceIds": [JIRA]}]


def test_holders_of_a_role_of_all_pages(listener: Listener) -> None:
    listener.answer = pages([{"accountId": "5b10:ana"}], [{"accountId": "jon"}])
    assert list(organization(listener).holders_of_role("org", "-", JIRA, USER)) == ["5b10:ana", "jon"]
    path = "/admin/v2/orgs/org/directories/-/users/search"
    body = {"resourceIds": [JIRA], "roleIds": [USER], "limit": 100}
    assert sent(listener) == [("POST", path, body), ("POST", path, body | {"cursor": "page-1"})]


def test_a_list_whose_reading_was_interrupted_is_read_from_there_on(listener: Listener) -> None:
    later = pages([{"accountId": "ana"}], [{"accountId": "jon"}])
    too_often = always(as_json({}, 429))
    listener.answer = later
    gateway, place = organization(listener), Place()
    found: list[str] = []
    reading = gateway.holders_of_role("org", "-", JIRA, USER, place)
    found.append(next(reading))
    listener.answer = too_often
    with pytest.raises(RateLimited):
        found += reading
    assert place == Place("page-1")
    listener.answer = later
    found += gateway.holders_of_role("org", "-", JIRA, USER, place)
    assert (found, place) == (["ana", "jon"], Place(None, is_read=True))


@pytest.mark.parametrize(
    ("owner", "account_id"),
    [
        ("ari:cloud:identity::user/5b10:ana", "5b10:ana"),
        ("5b10:ana", "5b10:ana"),
        ("ari:cloud:identity::team/5b10", None),
        ("ari:cloud:identity::user/", None),
        ("ari:cloud:identity::user/../x", None),
        ("ari:none", None),
        ("", None),
        (None, None),
    ],
)
def test_the_owner_of_a_workspace(owner: str | None, account_id: str | None, listener: Listener) -> None:
    listener.answer = always(as_json({"data": [{"id": "ari:1", "attributes": {"owner": owner}}]}))
    assert organization(listener).workspaces("org")[0].owner_account_id == account_id


Deed = Callable[[OrganizationGateway], object]
DEEDS: list[tuple[Deed, tuple[str, str, Any]]] = [
    (
        lambda gateway: gateway.assign_role("org", "5b:ana", JIRA, USER),
        ("POST", "/admin/v1/orgs/org/users/5b%3Aana/roles/assign", {"role": USER, "resource": JIRA}),
    ),
    (
        lambda gateway: gateway.revoke_role("org", "5b:ana", JIRA, USER),
        ("POST", "/admin/v1/orgs/org/users/5b%3Aana/roles/revoke", {"role": USER, "resource": JIRA}),
    ),
    (
        lambda gateway: gateway.join_group("org", "dir", "g1", "5b:ana"),
        ("POST", "/admin/v2/orgs/org/directories/dir/groups/g1/memberships", {"accountId": "5b:ana"}),
    ),
    (
        lambda gateway: gateway.leave_group("org", "dir", "g1", "5b:ana"),
        ("DELETE", "/admin/v2/orgs/org/directories/dir/groups/g1/memberships/5b%3Aana", None),
    ),
    (
        lambda gateway: gateway.remove("org", "dir", "5b:ana"),
        ("DELETE", "/admin/v2/orgs/org/directories/dir/users/5b%3Aana", None),
    ),
    (
        lambda gateway: gateway.deactivate("5b:ana", "Left us"),
        ("POST", "/users/5b%3Aana/manage/lifecycle/disable", {"message": "Left us"}),
    ),
    (
        lambda gateway: gateway.deactivate("5b:ana"),
        ("POST", "/users/5b%3Aana/manage/lifecycle/disable", {}),
    ),
    (
        lambda gateway: gateway.reactivate("5b:ana"),
        ("POST", "/users/5b%3Aana/manage/lifecycle/enable", None),
    ),
    (
        lambda gateway: gateway.delete_account("5b:ana"),
        ("POST", "/users/5b%3Aana/manage/lifecycle/delete", None),
    ),
    (
        lambda gateway: gateway.keep_account("5b:ana"),
        ("POST", "/users/5b%3Aana/manage/lifecycle/cancel-delete", None),
    ),
]


@pytest.mark.parametrize(("deed", "request_sent"), DEEDS)
def test_each_deed_is_one_request(deed: Deed, request_sent: Any, listener: Listener) -> None:
    listener.answer = always(Reply(204))
    deed(organization(listener))
    assert sent(listener) == [request_sent]
    assert listener.calls[0].headers["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(("deed", "_request"), DEEDS)
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (as_json({"errors": [{"code": "ADMIN-400-24"}]}, 400), Unexpected),
        (as_json({"errors": [{"code": "ADMIN-UAM-402-1"}]}, 402), Unexpected),
        (as_json({"errors": [{"code": "ADMIN-403-5"}]}, 403), AccessForbidden),
        (as_json({"key": "accountNotFound"}, 404), Gone),
        (Reply(429), RateLimited),
        (Reply(302, b"", {"Location": "/elsewhere"}), SiteMoved),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Reply) else None,
)
def test_a_no_is_said_once(
    deed: Deed, _request: Any, reply: Reply, error: type[Exception], listener: Listener
) -> None:
    listener.answer = always(reply)
    with pytest.raises(error):
        deed(organization(listener))
    assert len(listener.calls) == 1


@pytest.mark.parametrize(
    ("body", "code", "seats"),
    [
        ({"errors": [{"code": "ADMIN-409-28", "title": "Conflict"}]}, "ADMIN-409-28", False),
        ({"errors": [{"code": "ADMIN-409-3"}]}, "ADMIN-409-3", True),
        ({"errors": [{"code": "ADMIN-UAM-409-3"}]}, "ADMIN-UAM-409-3", True),
        ({"key": "conflict.lifecycleErrors", "context": {}}, "conflict.lifecycleErrors", False),
        ({}, "", False),
    ],
)
def test_a_conflict_says_which(body: object, code: str, seats: bool, listener: Listener) -> None:
    listener.answer = always(as_json(body, 409))
    with pytest.raises(Unexpected) as problem:
        organization(listener).join_group("org", "dir", "g1", "ana")
    assert (problem.value.status, problem.value.code) == (409, code)
    assert (problem.value.code in NO_SEAT_LEFT) is seats


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("forbidden", Why.RIGHTS),
        ("forbidden.action", Why.RIGHTS),
        ("forbidden.targetUnverified", Why.UNCONFIRMED),
    ],
)
def test_a_no_about_the_account_is_not_one_about_the_key(key: str, why: Why, listener: Listener) -> None:
    listener.answer = always(as_json({"key": key}, 403))
    with pytest.raises(AccessForbidden) as problem:
        organization(listener).deactivate("ana")
    assert problem.value.why is why


def test_a_call_that_atlassian_has_withdrawn_says_nothing_about_the_person(listener: Listener) -> None:
    """Else whoever is to be removed would count as removed."""
    listener.answer = always(as_json({"code": 410, "message": "This API has been removed."}, 410))
    gateway = organization(listener)
    for call in (lambda: gateway.remove("org", "dir", "ana"), lambda: gateway.person("org", "dir", "ana")):
        with pytest.raises(Unexpected):
            call()


def test_privileges(listener: Listener) -> None:
    listener.answer = always(
        as_json(
            {
                "lifecycle.enablement": {"allowed": False, "reason": {"key": "externalDirectory.scim"}},
                "lifecycle.delete": {"allowed": True},
                "email.set": {"allowed": "true"},
            }
        )
    )
    names = ("lifecycle.enablement", "lifecycle.delete", "email.set", "apiToken.read")
    assert organization(listener).privileges("5b:ana", names) == {
        "lifecycle.enablement": Privilege(allowed=False, reason="externalDirectory.scim"),
        "lifecycle.delete": Privilege(allowed=True),
        "email.set": Privilege(allowed=False),
        "apiToken.read": Privilege(allowed=False),
    }
    asked = "&".join(f"privileges={name}" for name in names)
    assert listener.calls[0].path == f"/users/5b%3Aana/manage?{asked}"


@pytest.mark.parametrize(
    "odd", ["", "../../orgs/x", "a/b", "a?b", "a b", "a%2fb", "a" * 129, "ä", "a\n", "."]
)
def test_s32_odd_ids_call_nobody(odd: str, listener: Listener) -> None:
    gateway = organization(listener)
    for call in (
        lambda: gateway.roles_of("org", "-", odd),
        lambda: gateway.roles_of("org", odd, "ana"),
        lambda: gateway.roles_of(odd, "-", "ana"),
        lambda: gateway.assign_role("org", odd, JIRA, USER),
        lambda: gateway.assign_role(odd, "ana", JIRA, USER),
        lambda: gateway.revoke_role("org", odd, JIRA, USER),
        lambda: gateway.revoke_role(odd, "ana", JIRA, USER),
        lambda: gateway.join_group("org", "dir", "g", odd),
        lambda: gateway.join_group("org", "dir", odd, "ana"),
        lambda: gateway.join_group("org", odd, "g", "ana"),
        lambda: gateway.leave_group("org", "dir", "g", odd),
        lambda: gateway.leave_group("org", "dir", odd, "ana"),
        lambda: gateway.remove("org", "dir", odd),
        lambda: gateway.remove(odd, "dir", "ana"),
        lambda: gateway.groups(odd, "dir"),
        lambda: gateway.groups_granting("org", odd, JIRA),
        lambda: gateway.holders_of_role("org", odd, JIRA, USER),
        lambda: gateway.privileges(odd, ["lifecycle.delete"]),
        lambda: gateway.deactivate(odd),
        lambda: gateway.reactivate(odd),
        lambda: gateway.delete_account(odd),
        lambda: gateway.keep_account(odd),
    ):
        with pytest.raises(Invalid):
            call()
    assert listener.calls == []


def test_writes_need_a_real_directory(listener: Listener) -> None:
    gateway = organization(listener)
    for call in (
        lambda: gateway.join_group("org", "-", "g", "ana"),
        lambda: gateway.leave_group("org", "-", "g", "ana"),
        lambda: gateway.remove("org", "-", "ana"),
    ):
        with pytest.raises(Invalid):
            call()
    assert listener.calls == []


@pytest.mark.parametrize("named", ["atlassian/user", "ari:cloud:jira::role/product/member"])
def test_what_an_invitation_gave_is_what_was_asked_however_the_answer_names_it(
    named: str, listener: Listener
) -> None:
    given = {
        "roleAssignmentResult": [{"resource": JIRA, "role": named, "status": "INVITED"}],
        "groupAssignmentResult": [{"group": "ari:cloud:identity::group/g1", "status": "INVITED"}],
    }
    answer = {"data": [{"id": "5b:nora", "email": "Nora@acme.example", "results": [given]}]}
    listener.answer = always(as_json(answer))
    asked = (JIRA, "atlassian/user")
    found = organization(listener).invite("org", "nora@acme.example", roles=[asked], groups=["g1"])
    assert (found.roles, found.groups, found.problems) == ((asked,), ("g1",), ())


@pytest.mark.parametrize("said", [{}, {"statusReason": None}, {"statusReason": ""}])
def test_what_an_invitation_did_not_give_is_never_silent(said: dict[str, Any], listener: Listener) -> None:
    refused = {"resource": JIRA, "role": USER, "status": "ERROR", **said}
    row = {"email": "nora@acme.example", "results": [{"roleAssignmentResult": [refused]}]}
    listener.answer = always(as_json({"data": [row]}, 206))
    found = organization(listener).invite("org", "nora@acme.example", roles=[(JIRA, USER)], groups=[])
    assert (found.roles, found.problems) == ((), ("Atlassian gives no reason",))
