"""Every answer of the pretend Atlassian is one that Atlassian's OpenAPI files allow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import pytest
import requests

from sandbox import server, world
from tests.contract.specifications import AVAILABLE, Exchange, answer_findings, logged, request_findings
from tests.sandbox.standin import StandIn
from tests.sandbox.tokens import app_token

pytestmark = pytest.mark.skipif(
    not AVAILABLE, reason="Atlassian's OpenAPI files are not beside the repository"
)

KEY = world.ADMIN_KEYS[0].key
EXPIRED, SCOPED, OTHER = (key.key for key in world.ADMIN_KEYS[1:])
ANA = world.ACME.people[0].account_id
PEOPLE = f"/admin/v2/orgs/{world.ACME.id}/directories/{world.ACME.directory_id}/users"
GROUPS = f"/admin/v2/orgs/{world.ACME.id}/directories/{world.ACME.directory_id}/groups"
EVERYTHING = ["platformRoles", "counts.resources", "productAccess", "groups"]


@dataclass
class Caller:
    """Sends requests and has each exchange judged."""

    cloud: server.Sandbox

    def __call__(
        self, method: str, path: str, *, status: int, key: str | None = KEY, judged: str = "both", **how: Any
    ) -> Any:
        base = self.cloud.acme if path.startswith(("/rest", "/wiki", "/_edge")) else self.cloud.hub
        headers = how.pop("headers", {})
        if key is not None and "auth" not in how:
            headers.setdefault("Authorization", f"Bearer {key}")
        answer = requests.request(method, base + path, headers=headers, timeout=10, **how)
        assert answer.status_code == status, answer.text
        sent = answer.request
        body = sent.body.decode() if isinstance(sent.body, bytes) else sent.body or ""
        exchange = Exchange(
            method,
            path.partition("?")[0],
            sent.path_url.partition("?")[2],
            {name.lower(): value for name, value in sent.headers.items()},
            body,
            answer.status_code,
            answer.text,
            answer.headers.get("Content-Type", "application/json"),
        )
        findings = [] if judged == "nothing" else answer_findings(exchange)
        findings += request_findings(exchange) if judged == "both" else []
        assert findings == []
        return answer.json() if answer.content else None


@pytest.fixture(scope="module")
def app() -> Iterator[StandIn]:
    app = StandIn()
    yield app
    app.close()


@pytest.fixture(scope="module")
def call(app: StandIn) -> Iterator[Caller]:
    cloud = server.start(people=400, app_base_url=app.url)
    for product in ("jira", "confluence"):
        requests.post(
            f"{cloud.hub}/control/install", json={"site": "acme", "product": product}, timeout=10
        ).raise_for_status()
    yield Caller(cloud)
    cloud.stop()


def test_organizations_directories_domains(call: Caller) -> None:
    assert call("GET", "/admin/v1/orgs", status=200)["data"][0]["id"] == world.ACME.id
    call("GET", f"/admin/v1/orgs/{world.ACME.id}/domains", status=200)
    call("GET", f"/admin/v1/orgs/{world.ACME.id}/users", status=200)
    found = call("GET", f"/admin/v2/orgs/{world.ACME.id}/directories", status=200)
    assert found["data"][0]["directoryId"] == world.ACME.directory_id


def test_workspaces_page_by_a_whole_address_whose_cursor_travels_alone(call: Caller) -> None:
    path = f"/admin/v2/orgs/{world.ACME.id}/workspaces"
    first = call("POST", path, status=200, json={"limit": 2})
    assert first["links"]["next"].startswith(call.cloud.hub + path)
    cursor = unquote(first["links"]["next"].split("cursor=")[1])
    second = call("POST", path, status=200, json={"cursor": cursor})
    assert {one["id"] for one in first["data"]}.isdisjoint(one["id"] for one in second["data"])
    call("POST", path, status=400, json={"cursor": cursor, "limit": 2})
    hosts = [one["attributes"]["hostUrl"] for one in first["data"]]
    assert hosts == [call.cloud.acme] * 2


def test_every_page_of_people_with_everything_expanded(call: Caller) -> None:
    seen: set[str] = set()
    body: dict[str, Any] = {"limit": 100, "expand": EVERYTHING}
    while True:
        page = call("POST", f"{PEOPLE}/search", status=200, json=body)
        seen |= {one["accountId"] for one in page["data"]}
        if not page["links"].get("next"):
            break
        body["cursor"] = page["links"]["next"]
    assert len(seen) == 400


@pytest.mark.parametrize(
    "asked",
    [
        {"accountIds": [ANA]},
        {"emails": ["ana@acme.example"]},
        {"searchTerm": "uma"},
        {"status": ["suspended"]},
        {"claimStatus": "unmanaged"},
        {"emailDomains": ["acme.example"]},
        {"roleIds": ["atlassian/org-admin"]},
        {"mfaEnabled": True},
        {"membershipStatus": ["suspended"]},
        {"accountStatus": ["inactive"]},
        {"sortBy": [{"field": "nick_name", "direction": "desc"}], "limit": 5},
        {"resourceIds": [world.ACME.resource(world.SERVICE_DESK)]},
    ],
)
def test_filters_find_somebody_and_count_as_many(call: Caller, asked: dict[str, Any]) -> None:
    found = call("POST", f"{PEOPLE}/search", status=200, json={"limit": 100, **asked})["data"]
    assert found
    if not asked.keys() & {"sortBy", "emails"}:
        query = {
            name: str(value).lower() if isinstance(value, bool) else value for name, value in asked.items()
        }
        count = call("GET", f"{PEOPLE}/count", status=200, params=query)["count"]
        assert count == len(found) or (len(found) == 100 and count > 100)


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 101},
        {"limit": 0},
        {"accountIds": [str(n) for n in range(11)]},
        {"expand": ["everything"]},
        {"emails": ["a@b.example"], "searchTerm": "x"},
        {"status": ["gone"]},
        {"cursor": "made-up"},
    ],
)
def test_what_breaks_the_limits_is_refused(call: Caller, body: dict[str, Any]) -> None:
    call("POST", f"{PEOPLE}/search", status=400, json=body, judged="answer")


def test_one_person(call: Caller) -> None:
    assert call("GET", f"{PEOPLE}/{ANA}", status=200)["data"]["platformRoles"] == [
        "atlassian/org-admin",
        "atlassian/site-admin",
    ]
    call("GET", f"{PEOPLE}/nobody", status=404)
    call("GET", f"{PEOPLE}/{ANA}/role-assignments", status=200)
    call("GET", f"{PEOPLE}/stats", status=200)
    call("GET", f"/admin/v1/orgs/{world.ACME.id}/directory/users/{ANA}/last-active-dates", status=200)


def test_groups(call: Caller) -> None:
    found = call(
        "POST",
        f"{GROUPS}/search",
        status=200,
        json={"limit": 5, "expand": ["counts.users", "counts.resources"]},
    )
    assert len(found["data"]) == 5
    call("POST", f"{GROUPS}/search", status=200, json={"limit": 5, "cursor": found["links"]["next"]})
    team = call("POST", f"{GROUPS}/search", status=200, json={"groupNames": ["All-Staff"]})["data"][0]["id"]
    roles = call("GET", f"{GROUPS}/{team}/role-assignments", status=200)["data"]
    assert len(roles) == 2
    call("GET", f"{GROUPS}/{team}", status=200)


def test_suspend_and_restore(call: Caller) -> None:
    uma = world.ACME.people[2].account_id
    for action, shown in (("suspend", "suspended"), ("restore", "active")):
        call("POST", f"{PEOPLE}/{uma}/{action}", status=204)
        found = call("POST", f"{PEOPLE}/search", status=200, json={"accountIds": [uma]})["data"][0]
        assert (found["membershipStatus"], found["status"]) == (shown, shown)
    call("POST", f"{PEOPLE}/{ANA}/suspend", status=403)
    call("POST", f"{PEOPLE}/nobody/suspend", status=404)


@pytest.mark.parametrize(
    ("key", "status"), [(None, 401), ("made-up", 401), (EXPIRED, 401), (SCOPED, 403), (OTHER, 403)]
)
def test_keys_without_the_right_are_refused(call: Caller, key: str | None, status: int) -> None:
    call("POST", f"{PEOPLE}/search", status=status, key=key, json={"limit": 1}, judged="answer")
    call("POST", f"{PEOPLE}/{ANA}/restore", status=status, key=key, judged="answer")


@pytest.mark.parametrize("key", [None, "made-up", EXPIRED])
def test_no_organization_without_a_valid_key(call: Caller, key: str | None) -> None:
    call("GET", "/admin/v1/orgs", status=401, key=key, judged="answer")
    call("POST", f"/admin/v2/orgs/{world.ACME.id}/workspaces", status=401, key=key, json={}, judged="answer")


def may_be_disabled(call: Caller, account_id: str) -> bool:
    found = call("GET", f"/users/{account_id}/manage?privileges=lifecycle.enablement", status=200)
    return bool(found["lifecycle.enablement"]["allowed"])


def of_kind(call: Caller, kind: str, **columns: Any) -> str:
    people = requests.get(
        f"{call.cloud.hub}/control/people", params={"kind": kind, "limit": 400}, timeout=10
    ).json()
    return next(str(one["account_id"]) for one in people if columns.items() <= one.items())


def test_managing_an_account(call: Caller) -> None:
    managed = call(
        "POST",
        f"{PEOPLE}/search",
        status=200,
        json={"claimStatus": "managed", "status": ["active"], "limit": 50},
    )
    person = next(
        one["accountId"]
        for one in managed["data"][4:]
        if one["managementSource"] == "invited" and may_be_disabled(call, one["accountId"])
    )
    assert call("GET", f"/users/{person}/manage", status=200)["lifecycle.enablement"]
    call("POST", f"/users/{person}/manage/lifecycle/disable", status=204, json={"message": "left"})
    assert call("GET", f"{PEOPLE}/{person}", status=200)["data"]["status"] == "deactivated"
    call("POST", f"/users/{person}/manage/lifecycle/enable", status=204, json={})
    other = call("POST", f"{PEOPLE}/search", status=200, json={"claimStatus": "unmanaged", "limit": 1})[
        "data"
    ][0]
    call("POST", f"/users/{other['accountId']}/manage/lifecycle/disable", status=403, json={})
    call("GET", "/users/nobody/manage", status=404)
    call("GET", f"/users/{person}/manage", status=401, key="made-up")


def test_the_states_of_an_account_and_what_is_a_conflict(call: Caller) -> None:
    person = f"/users/{of_kind(call, 'employee', source='invited', account_status='active')}/manage"
    call("POST", f"{person}/lifecycle/enable", status=409)
    call("POST", f"{person}/lifecycle/disable", status=204, json={})
    call("POST", f"{person}/lifecycle/disable", status=409, json={})
    assert call("POST", f"{person}/lifecycle/delete", status=200) == {"message": "Success"}
    call("POST", f"{person}/lifecycle/delete", status=409)
    call("POST", f"{person}/lifecycle/enable", status=409)
    call("POST", f"{person}/lifecycle/cancel-delete", status=200)
    call("POST", f"{person}/lifecycle/cancel-delete", status=200)
    for action in ("disable", "enable", "delete", "cancel-delete"):
        call("POST", f"/users/nobody/manage/lifecycle/{action}", status=404, json={})
        call("POST", f"/users/{ANA}/manage/lifecycle/{action}", status=403, json={})
        call("POST", f"{person}/lifecycle/{action}", status=401, key="made-up", json={})


@pytest.mark.parametrize(
    ("kind", "columns", "reason"),
    [
        ("google-synced", {}, "externalDirectory.google"),
        ("employee", {"source": "synced"}, "externalDirectory.scim"),
    ],
)
def test_what_an_identity_provider_keeps_to_itself(
    call: Caller, kind: str, columns: dict[str, Any], reason: str
) -> None:
    person = f"/users/{of_kind(call, kind, **columns)}/manage"
    found = call("GET", person, status=200)
    assert found["lifecycle.enablement"] == {"allowed": False, "reason": {"key": reason}}
    assert call("POST", f"{person}/lifecycle/disable", status=403, json={})["context"]["reason"] == {
        "key": reason
    }
    call("POST", f"{person}/lifecycle/delete", status=403)


def group_id(call: Caller, name: str) -> str:
    found = call("POST", f"{GROUPS}/search", status=200, json={"groupNames": [name]})
    return str(found["data"][0]["id"])


def test_coming_into_a_group_and_leaving_it(call: Caller) -> None:
    plain, synced = (f"{GROUPS}/{group_id(call, name)}/memberships" for name in ("contractors", "all-staff"))
    gus = world.GLOBEX.people[1].account_id
    call("POST", plain, status=204, json={"accountId": ANA})
    again = call("POST", plain, status=409, json={"accountId": ANA})
    assert again["errors"][0]["code"] == "ADMIN-409-28"
    call("DELETE", f"{plain}/{ANA}", status=204)
    call("DELETE", f"{plain}/{ANA}", status=404)
    call("POST", plain, status=404, json={"accountId": gus})
    call("POST", plain, status=400, json={}, judged="answer")
    call("POST", synced, status=403, json={"accountId": gus})
    call("DELETE", f"{synced}/{ANA}", status=403)
    call("POST", f"{GROUPS}/none/memberships", status=404, json={"accountId": ANA})
    call("DELETE", f"{GROUPS}/none/memberships/{ANA}", status=404)
    for key, status in ((None, 401), (SCOPED, 403), (OTHER, 403)):
        call("POST", plain, status=status, key=key, json={"accountId": ANA}, judged="answer")
        call("DELETE", f"{plain}/{ANA}", status=status, key=key, judged="answer")


def test_giving_and_taking_a_role(call: Caller) -> None:
    jon = world.ACME.people[1].account_id
    roles = f"/admin/v1/orgs/{world.ACME.id}/users/{jon}/roles"
    jira, confluence = (world.ACME.resource(product) for product in (world.JIRA, world.CONFLUENCE))
    body = {"role": "atlassian/admin", "resource": jira}
    call("POST", f"{roles}/assign", status=204, json=body)
    assert ways(call, jon, jira) == {
        "atlassian/admin": {"direct", "group_direct"},
        "atlassian/user": {"group_direct"},
        "atlassian/ai-access": {"direct"},
    }
    call("POST", f"{roles}/revoke", status=204, json=body)
    call("POST", f"{roles}/revoke", status=204, json=body)
    assert ways(call, jon, jira)["atlassian/admin"] == {"group_direct"}, "what a group grants stays"
    call("POST", f"{roles}/assign", status=204, json={"role": "atlassian/org-admin"})
    call("POST", f"{roles}/revoke", status=204, json={"role": "atlassian/org-admin"})
    for odd, status, judged in (
        ({"role": "atlassian/king", "resource": jira}, 400, "answer"),
        ({"role": "atlassian/user"}, 400, "both"),
        ({"role": "atlassian/customer", "resource": confluence}, 400, "both"),
        ({"role": "atlassian/user", "resource": world.GLOBEX.resource(world.JIRA)}, 404, "both"),
    ):
        call("POST", f"{roles}/assign", status=status, json=odd, judged=judged)
        call("POST", f"{roles}/revoke", status=status, json=odd, judged=judged)
    nobody = f"/admin/v1/orgs/{world.ACME.id}/users/nobody/roles/assign"
    call("POST", nobody, status=404, json=body)
    for key, status in ((None, 401), (SCOPED, 403), (OTHER, 403)):
        call("POST", f"{roles}/assign", status=status, key=key, json=body, judged="answer")


def ways(call: Caller, account_id: str, resource: str) -> dict[str, set[str]]:
    """role -> how it came, read by pages of one."""
    path, query = f"{PEOPLE}/{account_id}/role-assignments", "limit=1"
    found: dict[str, dict[str, set[str]]] = {}
    while query:
        page = call("GET", f"{path}?{query}", status=200)
        assert len(page["data"]) == 1
        for row in page["data"]:
            found[row["resourceId"]] = {
                one["role"]: set(one["roleAssignmentMethods"]) for one in row["roleAssignments"]
            }
        following = page["links"].get("next")
        query = f"cursor={quote(following, safe='')}" if following else ""
    return found[resource]


def test_no_seat_is_left(call: Caller) -> None:
    limit = {"site": "acme", "product": "jira", "capacity": 1}
    requests.put(f"{call.cloud.hub}/control/seats", json=limit, timeout=10).raise_for_status()
    workspaces = call("POST", f"/admin/v2/orgs/{world.ACME.id}/workspaces", status=200, json={})["data"]
    jira = world.ACME.resource(world.JIRA)
    assert next(one["attributes"]["capacity"] for one in workspaces if one["id"] == jira) == 1
    guest = next(
        one["accountId"]
        for one in call(
            "POST", f"{PEOPLE}/search", status=200, json={"expand": ["productAccess"], "limit": 100}
        )["data"]
        if "jira" not in {access["key"] for access in one["productAccess"]}
    )
    members = f"{GROUPS}/{group_id(call, 'jira-users')}/memberships"
    found = call("POST", members, status=409, json={"accountId": guest})
    assert found["errors"][0]["code"] == "ADMIN-409-3"
    roles = f"/admin/v1/orgs/{world.ACME.id}/users/{guest}/roles/assign"
    found = call("POST", roles, status=409, json={"role": "atlassian/user", "resource": jira})
    assert found["errors"][0]["code"] == "ADMIN-UAM-409-3"
    requests.put(f"{call.cloud.hub}/control/seats", json={**limit, "capacity": None}, timeout=10)
    call("POST", members, status=204, json={"accountId": guest})


def test_removal(call: Caller) -> None:
    person = of_kind(call, "external")
    call("DELETE", f"{PEOPLE}/{person}", status=204)
    call("DELETE", f"{PEOPLE}/{person}", status=404)
    call("DELETE", f"{PEOPLE}/{ANA}", status=403)
    call("DELETE", f"{PEOPLE}/{ANA}", status=401, key=None, judged="answer")
    call("GET", f"{PEOPLE}/{person}/role-assignments", status=404)


def test_too_many_changes_a_second(call: Caller) -> None:
    requests.put(f"{call.cloud.hub}/control/rate", json={"per_second": 1}, timeout=10).raise_for_status()
    roles = f"/admin/v1/orgs/{world.ACME.id}/users/{ANA}/roles/assign"
    body = {"role": "atlassian/guest", "resource": world.ACME.resource(world.JIRA)}
    call("POST", roles, status=204, json=body)
    call("POST", roles, status=429, json=body)
    call("POST", f"{PEOPLE}/{ANA}/restore", status=429)
    requests.put(f"{call.cloud.hub}/control/rate", json={"per_second": None}, timeout=10)


def test_jira_for_a_person_and_for_the_app(call: Caller) -> None:
    ana, jon, uma = ((token.email, token.token) for token in world.API_TOKENS[:3])
    assert call("GET", "/rest/api/3/myself", status=200, auth=ana)["emailAddress"] == "ana@acme.example"
    for auth, may in ((ana, True), (jon, True), (uma, False)):
        found = call("GET", "/rest/api/3/mypermissions?permissions=ADMINISTER", status=200, auth=auth)
        assert found["permissions"]["ADMINISTER"]["havePermission"] is may
    call("GET", "/rest/api/3/mypermissions", status=400, auth=ana)
    for bad in (
        (ana[0], "made-up"),
        ("jon@acme.example", ana[1]),
        *((t.email, t.token) for t in world.API_TOKENS[3:5]),
    ):
        call("GET", "/rest/api/3/myself", status=401, auth=bad)
    call("GET", "/rest/api/3/serverInfo", status=200, key=None)
    path = "/rest/api/3/permissions/check"
    for person, may in ((ANA, ["ADMINISTER"]), (world.ACME.people[2].account_id, [])):
        token = app_token(call.cloud, "acme", "jira", "POST", path)
        found = call(
            "POST",
            path,
            status=200,
            headers={"Authorization": f"JWT {token}"},
            json={"globalPermissions": ["ADMINISTER"], "accountId": person},
        )
        assert found["globalPermissions"] == may
    token = app_token(call.cloud, "acme", "jira", "POST", path)
    asked = {"permissions": ["ADMINISTER_PROJECTS", "VIEW_VOTERS_AND_WATCHERS"], "projects": [10000, 10009]}
    found = call(
        "POST",
        path,
        status=200,
        headers={"Authorization": f"JWT {token}"},
        json={"projectPermissions": [asked], "accountId": world.ACME.people[2].account_id},
    )
    assert found["projectPermissions"] == [
        {"permission": "VIEW_VOTERS_AND_WATCHERS", "issues": [], "projects": [10000]}
    ]
    token = app_token(call.cloud, "acme", "jira", "POST", path)
    call(
        "POST",
        path,
        status=400,
        headers={"Authorization": f"JWT {token}"},
        json={"globalPermissions": ["FLY"]},
    )
    token = app_token(call.cloud, "acme", "jira", "GET", path)
    call(
        "POST",
        path,
        status=401,
        headers={"Authorization": f"JWT {token}"},
        json={"globalPermissions": ["ADMINISTER"]},
        judged="nothing",
    )  # no file describes what a bad token gets here


def test_confluence_for_a_person_and_for_the_app(call: Caller) -> None:
    ana, uma = ((world.API_TOKENS[n].email, world.API_TOKENS[n].token) for n in (0, 2))
    for auth, may in ((ana, True), (uma, False)):
        found = call("GET", "/wiki/rest/api/user/current?expand=operations", status=200, auth=auth)
        assert ({"operation": "administer", "targetType": "application"} in found["operations"]) is may
    path, query = "/wiki/rest/api/user", f"accountId={ANA.replace(':', '%3A')}&expand=operations"
    token = app_token(call.cloud, "acme", "confluence", "GET", "/rest/api/user", query)
    found = call("GET", f"{path}?{query}", status=200, headers={"Authorization": f"JWT {token}"})
    assert {"operation": "administer", "targetType": "application"} in found["operations"]


def test_the_log_can_be_judged_too(call: Caller) -> None:
    requests.delete(f"{call.cloud.hub}/control/requests", timeout=10)
    call("GET", "/admin/v1/orgs", status=200)
    requests.post(f"{call.cloud.hub}{PEOPLE}/search", json={"limit": 1000}, timeout=10)
    entries = requests.get(f"{call.cloud.hub}/control/requests", timeout=10).json()
    good, bad = (request_findings(logged(entry)) for entry in entries)
    assert good == []
    assert len(bad) == 2, "no credential, and more than the limit"
    assert KEY not in str(entries)


def test_a_word_that_atlassian_would_pass_over_is_found() -> None:
    headers = {"authorization": "Bearer x", "content-type": "application/json"}
    for asked in (
        Exchange("GET", "/rest/api/3/project/search", "maxResult=3", headers, ""),
        Exchange("GET", "/wiki/api/v2/spaces", "curser=x", headers, ""),
        Exchange("POST", f"{PEOPLE}/search", "", headers, '{"limits": 3}'),
    ):
        (finding,) = request_findings(asked)
        assert "nobody knows" in finding


def test_issues_and_pages_with_their_people(call: Caller) -> None:
    for product, path, status in (
        ("jira", "/rest/api/3/issue/10042", 200),
        ("jira", "/rest/api/3/issue/DEMO-37", 200),
        ("jira", "/rest/api/3/issue/10042/watchers", 200),
        ("jira", "/rest/api/3/issue/1", 404),
        ("jira", "/rest/api/3/issue/1/watchers", 404),
        ("confluence", "/wiki/api/v2/pages/98311", 200),
        ("confluence", "/wiki/api/v2/blogposts/98314", 200),
    ):
        # The address is signed as the product sees it: below its own base.
        token = app_token(call.cloud, "acme", product, "GET", path.removeprefix("/wiki"))
        call("GET", path, status=status, headers={"Authorization": f"JWT {token}"})
    # Its 404 has a body that the specification does not mention.
    path = "/wiki/api/v2/pages/98314"
    token = app_token(call.cloud, "acme", "confluence", "GET", path.removeprefix("/wiki"))
    call("GET", path, status=404, headers={"Authorization": f"JWT {token}"}, judged="nothing")
    call("GET", "/rest/api/3/issue/10042", status=401, key=None, judged="nothing")


INVITE = f"/admin/v2/orgs/{world.ACME.id}/users/invite"


def invite_results(answer: Any, number: int = 0) -> dict[str, tuple[str, str | None]]:
    """product or group id -> status and reason."""
    (found,) = answer["data"][number]["results"]
    return {
        one.get("group") or world.product_of(one["resource"]): (one["status"], one["statusReason"])
        for one in found["roleAssignmentResult"] + found["groupAssignmentResult"]
    }


def test_inviting(call: Caller) -> None:
    jira, confluence = (world.ACME.resource(product) for product in (world.JIRA, world.CONFLUENCE))
    plain, synced = group_id(call, "contractors"), group_id(call, "all-staff")
    rule = {"resource": jira, "role": "atlassian/user"}
    body = {
        "emails": ["newcomer@acme.example"],
        "permissionRules": [rule],
        "additionalGroups": [plain],
        "sendNotification": True,
        "notificationText": "Welcome",
    }
    done = call("POST", INVITE, status=200, json=body)
    assert invite_results(done) == {world.JIRA: ("INVITED", None), plain: ("INVITED", None)}
    person = done["data"][0]["id"]
    call("GET", f"{PEOPLE}/{person}", status=200)
    odd = {
        **body,
        "emails": ["newcomer@acme.example", "jon@acme.example"],
        "permissionRules": [rule, {"resource": confluence, "role": "atlassian/customer"}],
        "additionalGroups": [plain, synced, "none"],
    }
    done = call("POST", INVITE, status=206, json=odd)
    assert done["data"][0]["id"] == person
    assert invite_results(done, 1) == {
        world.JIRA: ("INVITED", None),
        world.CONFLUENCE: ("ERROR", "Invalid Role for Resource"),
        plain: ("INVITED", None),
        synced: ("ERROR", "Not allowed to manage the group: it is synced from an identity provider"),
        "none": ("ERROR", "Group Not Found"),
    }
    call("DELETE", f"{PEOPLE}/{person}", status=204)
    call("GET", f"{PEOPLE}/{person}", status=404)
    assert call("POST", INVITE, status=200, json=body)["data"][0]["id"] == person


@pytest.mark.parametrize(
    "odd",
    [
        {"emails": []},
        {"emails": [f"n{number}@acme.example" for number in range(26)]},
        {"emails": ["nobody"]},
        {"emails": "a@acme.example"},
        {"emails": ["a@acme.example"], "permissionRules": [{"role": "atlassian/user"}]},
        {"emails": ["a@acme.example"], "sendNotification": "yes"},
        {},
    ],
)
def test_a_malformed_invitation(call: Caller, odd: dict[str, Any]) -> None:
    call("POST", INVITE, status=400, json=odd, judged="answer")


def test_who_may_not_invite_and_what_is_not_there(call: Caller) -> None:
    body: dict[str, Any] = {"emails": ["late@acme.example"]}
    for key, status in ((None, 401), (EXPIRED, 401), (SCOPED, 403), (OTHER, 403)):
        call("POST", INVITE, status=status, key=key, json=body, judged="answer")
    call("POST", "/admin/v2/orgs/none/users/invite", status=404, json=body)
    foreign = {"resource": world.GLOBEX.resource(world.JIRA), "role": "atlassian/user"}
    call("POST", INVITE, status=404, json={**body, "permissionRules": [foreign]})
    control = f"{call.cloud.hub}/control"
    for paid, status in ((False, 402), (True, 200)):
        requests.put(f"{control}/subscriptions", json={"site": "acme", "paid": paid}, timeout=10)
        found = call("POST", INVITE, status=status, json=body)
        assert paid or found["errors"][0]["code"] == "ADMIN-UAM-402-1"


def test_inviting_into_a_full_product(call: Caller) -> None:
    control, (jira, confluence) = (
        f"{call.cloud.hub}/control",
        [{"resource": world.ACME.resource(one), "role": "atlassian/user"} for one in world.ACME.products[:2]],
    )
    limit: dict[str, Any] = {"site": "acme", "product": "jira", "capacity": 1}
    requests.put(f"{control}/seats", json=limit, timeout=10).raise_for_status()
    body: dict[str, Any] = {"emails": ["crowd@acme.example"], "permissionRules": [jira]}
    found = call("POST", INVITE, status=409, json=body)
    assert found["errors"][0]["code"] == "ADMIN-UAM-409-3"
    asked = {"emails": body["emails"]}
    assert call("POST", f"{PEOPLE}/search", status=200, json=asked)["data"] == []
    done = call("POST", INVITE, status=206, json={**body, "permissionRules": [jira, confluence]})
    assert invite_results(done) == {
        world.JIRA: ("ERROR", "Product License Limit Exceeded"),
        world.CONFLUENCE: ("INVITED", None),
    }
    revoke = f"/admin/v1/orgs/{world.ACME.id}/users/{done['data'][0]['id']}/roles/revoke"
    call("POST", revoke, status=204, json=confluence)  # giving back is possible though nothing is free
    requests.put(f"{control}/seats", json={**limit, "capacity": None}, timeout=10)
