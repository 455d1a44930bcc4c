"""What the pretend Atlassian answers about belongings is what Atlassian's OpenAPI files allow; and it means it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox import server, works, world
from sandbox.belongings import Belongings
from tests.contract.specifications import AVAILABLE
from tests.contract.test_sandbox_answers import OTHER, SCOPED, Caller

pytestmark = pytest.mark.skipif(
    not AVAILABLE, reason="Atlassian's OpenAPI files are not beside the repository"
)

ANA, JON, UMA = (person.account_id for person in world.ACME.people[:3])
AUTH = (world.API_TOKENS[0].email, world.API_TOKENS[0].token)
UMAS = (world.API_TOKENS[2].email, world.API_TOKENS[2].token)


@pytest.fixture(scope="module")
def call() -> Iterator[Caller]:
    cloud = server.start(people=120)
    yield Caller(cloud)
    cloud.stop()


def values(call: Caller, path: str, auth: tuple[str, str] = AUTH) -> list[dict[str, Any]]:
    return list(call("GET", f"/rest/api/3/{path}", status=200, auth=auth)["values"])


def test_the_leads_of_projects_and_components(call: Caller) -> None:
    projects = values(call, "project/search?expand=lead&maxResults=100")
    led = [one for one in projects if one["lead"]["accountId"] == UMA]
    assert {one["key"] for one in led} == {"WEB", "HR"}
    components = values(call, "project/WEB/component?maxResults=2")
    assert components[0]["lead"]["accountId"] == UMA
    component = f"/rest/api/3/component/{components[0]['id']}"
    call("PUT", component, status=200, auth=AUTH, json={"leadAccountId": JON})
    assert call("GET", component, status=200, auth=AUTH)["lead"]["accountId"] == JON
    found = call("PUT", "/rest/api/3/project/WEB", status=200, auth=AUTH, json={"leadAccountId": JON})
    assert found["lead"]["accountId"] == JON
    call("PUT", "/rest/api/3/project/WEB", status=400, auth=AUTH, json={"leadAccountId": "nobody"})
    call("PUT", "/rest/api/3/project/WEB", status=403, auth=UMAS, json={"leadAccountId": UMA})
    call("PUT", component, status=403, auth=UMAS, json={"leadAccountId": UMA})
    call("GET", "/rest/api/3/project/NONE", status=404, auth=AUTH)
    call("GET", "/rest/api/3/component/1", status=404, auth=AUTH)


def test_private_filters_are_for_administrators_who_say_so(call: Caller) -> None:
    path = f"filter/search?accountId={UMA}&expand=owner"
    everything = values(call, f"{path}&overrideSharePermissions=true")
    shared = values(call, path)
    assert len(everything) == len(shared) + 1
    private = next(one["id"] for one in everything if one["id"] not in {each["id"] for each in shared})
    call("GET", f"/rest/api/3/filter/{private}", status=400, auth=AUTH)
    one = f"/rest/api/3/filter/{private}?overrideSharePermissions=true"
    assert call("GET", one, status=200, auth=AUTH)["owner"]["accountId"] == UMA
    call(
        "PUT",
        f"/rest/api/3/filter/{private}/owner",
        status=204,
        auth=AUTH,
        json={"accountId": JON},
        judged="nothing",
    )
    assert call("GET", one, status=200, auth=AUTH)["owner"]["accountId"] == JON
    call(
        "PUT",
        f"/rest/api/3/filter/{private}/owner",
        status=403,
        auth=UMAS,
        json={"accountId": UMA},
        judged="nothing",
    )
    call(
        "PUT",
        f"/rest/api/3/filter/{private}/owner",
        status=404,
        auth=AUTH,
        json={"accountId": "nobody"},
        judged="nothing",
    )


def test_who_owns_a_filter_of_that_name_gets_no_second_one(call: Caller) -> None:
    mine = values(call, f"filter/search?accountId={UMA}")[0]
    other = values(call, "filter/search?expand=owner&maxResults=100&overrideSharePermissions=true")[-1]
    with_name = call.cloud.cloud.store
    with with_name.write() as connection:
        connection.execute("UPDATE belonging SET name = ? WHERE id = ?", (mine["name"], other["id"]))
    call(
        "PUT",
        f"/rest/api/3/filter/{other['id']}/owner",
        status=400,
        auth=AUTH,
        json={"accountId": UMA},
        judged="nothing",
    )


def test_dashboards_change_hands_and_say_which_did_not(call: Caller) -> None:
    dashboards = values(call, f"dashboard/search?accountId={UMA}&expand=owner")
    assert dashboards[0]["owner"]["accountId"] == UMA
    asked = {
        "action": "changeOwner",
        "entityIds": [int(dashboards[0]["id"]), 1],
        "changeOwnerDetails": {"newOwner": JON, "autofixName": False},
        "extendAdminPermissions": True,
    }
    found = call("PUT", "/rest/api/3/dashboard/bulk/edit", status=200, auth=AUTH, json=asked)
    assert list(found["entityErrors"]) == ["1"]
    shown = call("GET", f"/rest/api/3/dashboard/{dashboards[0]['id']}", status=200, auth=AUTH)
    assert shown["owner"]["accountId"] == JON
    refused = call("PUT", "/rest/api/3/dashboard/bulk/edit", status=200, auth=UMAS, json=asked)
    assert len(refused["entityErrors"]) == 2
    call("GET", "/rest/api/3/dashboard/1", status=404, auth=AUTH)


def test_open_issues_are_counted_found_and_assigned(call: Caller) -> None:
    jql = f'assignee = "{UMA}" AND statusCategory != Done ORDER BY key'
    count = call("POST", "/rest/api/3/search/approximate-count", status=200, auth=AUTH, json={"jql": jql})
    found, token = [], None
    while True:
        asked = {"jql": jql, "maxResults": 5, "fields": ["summary", "assignee", "project"]}
        page = call(
            "POST",
            "/rest/api/3/search/jql",
            status=200,
            auth=AUTH,
            json=asked if token is None else {**asked, "nextPageToken": token},
        )
        found += page["issues"]
        token = page.get("nextPageToken")
        if page["isLast"]:
            break
    assert len(found) == count["count"] >= 13
    for issue in (found[0]["key"], "DEMO-38"):
        call(
            "PUT",
            f"/rest/api/3/issue/{issue}/assignee",
            status=204,
            auth=AUTH,
            json={"accountId": JON},
            judged="nothing",
        )
        shown = call("GET", f"/rest/api/3/issue/{issue}?fields=assignee", status=200, auth=AUTH)
        assert shown["fields"]["assignee"]["accountId"] == JON
    call(
        "PUT",
        "/rest/api/3/issue/NONE-1/assignee",
        status=404,
        auth=AUTH,
        json={"accountId": JON},
        judged="nothing",
    )
    call(
        "PUT",
        "/rest/api/3/issue/DEMO-38/assignee",
        status=400,
        auth=AUTH,
        json={"accountId": "nobody"},
        judged="nothing",
    )
    call("POST", "/rest/api/3/search/jql", status=400, auth=AUTH, json={"jql": "assignee is EMPTY"})
    who = f"/rest/api/3/user/assignable/search?accountId={JON}&project=WEB"
    assert [one["accountId"] for one in call("GET", who, status=200, auth=AUTH)] == [JON]
    assert call("GET", who.replace(JON, "nobody"), status=200, auth=AUTH) == []


def test_who_administers_a_space(call: Caller) -> None:
    call.cloud.cloud.max_page = 2
    spaces, path = [], "/wiki/api/v2/spaces?limit=250"
    while path:
        page = call("GET", path, status=200, auth=AUTH)
        spaces += page["results"]
        path = page["_links"].get("next", "")
    call.cloud.cloud.max_page = None
    assert {"DEMO", "PEOPLE", "BOARD"} <= {one["key"] for one in spaces}
    space = next(one["id"] for one in spaces if one["key"] == "PEOPLE")
    path = f"/wiki/api/v2/spaces/{space}/permissions"
    rows = call("GET", path, status=200, auth=AUTH)["results"]
    assert {one["principal"]["id"] for one in rows if one["operation"]["key"] == "administer"} == {
        UMA,
        world.stable_id("group", "acme", "site-admins"),
    }
    call("GET", "/wiki/api/v2/spaces/1/permissions", status=404, auth=AUTH, judged="nothing")
    assigned = f"/wiki/api/v2/spaces/{space}/role-assignments"
    assert call("GET", assigned, status=200, auth=AUTH)["results"] == []
    Belongings(call.cloud.cloud, world.ACME).give_role(space, "keepers", "USER", JON)
    principal = {"principalType": "USER", "principalId": JON}
    assert call("GET", f"{assigned}?role-id=keepers", status=200, auth=AUTH)["results"] == [
        {"roleId": "keepers", "principal": principal}
    ]
    assert call("GET", f"{assigned}?role-id=others", status=200, auth=AUTH)["results"] == []
    roles = [
        one
        for one in call("GET", path, status=200, auth=AUTH)["results"]
        if one["principal"]["type"] == "role"
    ]
    assert {one["operation"]["key"] for one in roles} == {"read", "administer"}
    call("GET", "/wiki/api/v2/spaces/1/role-assignments", status=404, auth=AUTH, judged="nothing")

    def permission(operation: str, account: str = JON) -> dict[str, Any]:
        subject = {"type": "user", "identifier": account}
        return {"subject": subject, "operation": {"key": operation, "target": "space"}}

    grant = "/wiki/rest/api/space/PEOPLE/permission"
    call("POST", grant, status=400, auth=AUTH, json=permission("administer"), judged="nothing")
    call("POST", grant, status=200, auth=AUTH, json=permission("read"))
    made = call("POST", grant, status=200, auth=AUTH, json=permission("administer"))["id"]
    call("POST", grant, status=400, auth=AUTH, json=permission("administer"), judged="nothing")
    call("POST", grant, status=400, auth=AUTH, json=permission("read", "nobody"), judged="nothing")
    call(
        "POST",
        grant.replace("PEOPLE", "BOARD"),
        status=403,
        auth=AUTH,
        json=permission("read"),
        judged="nothing",
    )
    call("DELETE", f"{grant}/{made}", status=204, auth=AUTH, judged="nothing")
    call("DELETE", f"{grant}/{made}", status=404, auth=AUTH, judged="nothing")


def test_api_tokens_are_listed_and_revoked_for_good(call: Caller) -> None:
    path = f"/users/{UMA}/manage/api-tokens"
    tokens = call("GET", path, status=200)
    assert len(tokens) == 3
    assert any("lastAccess" in one for one in tokens)
    call("GET", "/rest/api/3/myself", status=200, auth=UMAS)
    for token in tokens:
        call("DELETE", f"{path}/{token['id']}", status=204)
    assert call("GET", path, status=200) == []
    call("DELETE", f"{path}/{tokens[0]['id']}", status=404)
    call("GET", "/rest/api/3/myself", status=401, auth=UMAS)
    external = requests.get(
        f"{call.cloud.hub}/control/people", params={"kind": "external", "limit": "1"}, timeout=10
    ).json()[0]["account_id"]
    call("GET", f"/users/{external}/manage/api-tokens", status=403)
    call("GET", "/users/nobody/manage/api-tokens", status=404)
    for key, status in ((SCOPED, 403), (OTHER, 404), ("made-up", 401)):
        call("GET", path, status=status, key=key)


def test_the_same_belongings_every_time_and_others_elsewhere(call: Caller) -> None:
    seen = {site: world_of(call, site) for site in ("acme", "globex")}
    assert seen["acme"] != seen["globex"]
    assert works.PROJECT["id"] in seen["globex"]


def world_of(call: Caller, site: str) -> dict[str, str]:
    found = requests.get(
        f"{call.cloud.hub}/control/belongings/project", params={"site": site}, timeout=10
    ).json()
    return {row["id"]: row["holder"] for row in found}
