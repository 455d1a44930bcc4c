"""Every answer of the pretend Atlassian is one that Atlassian's OpenAPI files allow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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
    cursor = first["links"]["next"].split("cursor=")[1]
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
    if "sortBy" not in asked:
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


def test_managing_an_account(call: Caller) -> None:
    managed = call(
        "POST",
        f"{PEOPLE}/search",
        status=200,
        json={"claimStatus": "managed", "status": ["active"], "limit": 50},
    )
    person = next(one for one in managed["data"][4:] if one["managementSource"] == "invited")["accountId"]
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
