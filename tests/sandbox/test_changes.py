"""Changes of the pretend Cloud: they stick, are counted once, may show late, and somebody else may undo them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import server, world

pytestmark = pytest.mark.slow

ADMIN = {"Authorization": f"Bearer {world.ADMIN_KEYS[0].key}"}
PLACE = f"/admin/v2/orgs/{world.ACME.id}/directories/{world.ACME.directory_id}"
ROLES = f"/admin/v1/orgs/{world.ACME.id}/users"
UMA = world.ACME.people[2].account_id
JIRA = world.ACME.resource(world.JIRA)
CONTRACTORS, STAFF = (world.stable_id("group", "acme", name) for name in ("contractors", "all-staff"))


@pytest.fixture
def cloud() -> Iterator[server.Sandbox]:
    cloud = server.start(people=120)
    yield cloud
    cloud.stop()


def control(cloud: server.Sandbox, method: str, path: str, status: int = 200, **how: Any) -> Any:
    answer = requests.request(method, f"{cloud.hub}/control/{path}", timeout=10, **how)
    assert answer.status_code == status, answer.text
    return answer.json()


def ask(cloud: server.Sandbox, method: str, path: str, **body: Any) -> requests.Response:
    return requests.request(method, cloud.hub + path, headers=ADMIN, json=body or None, timeout=10)


def shown(cloud: server.Sandbox, account_id: str) -> dict[str, Any]:
    body = {"accountIds": [account_id], "expand": ["groups", "productAccess"]}
    found: dict[str, Any] = ask(cloud, "POST", f"{PLACE}/users/search", **body).json()["data"][0]
    return found


def groups(cloud: server.Sandbox, account_id: str = UMA) -> set[str]:
    return {one["name"] for one in shown(cloud, account_id)["groups"]}


def of_kind(cloud: server.Sandbox, kind: str, **columns: Any) -> str:
    people = control(cloud, "GET", f"people?kind={kind}&limit=120")
    return next(str(one["account_id"]) for one in people if columns.items() <= one.items())


def test_each_change_is_counted_by_what_it_was_about(cloud: server.Sandbox) -> None:
    members = f"{PLACE}/groups/{CONTRACTORS}/memberships"
    body = {"role": "atlassian/guest", "resource": JIRA}
    for _ in range(2):
        ask(cloud, "POST", members, accountId=UMA)
        ask(cloud, "POST", f"{ROLES}/{UMA}/roles/assign", **body)
    assert "contractors" in groups(cloud)
    for _ in range(3):
        ask(cloud, "DELETE", f"{members}/{UMA}")
        ask(cloud, "POST", f"{ROLES}/{UMA}/roles/revoke", **body)
        ask(cloud, "DELETE", f"{PLACE}/groups/{STAFF}/memberships/{UMA}")
    assert groups(cloud) == {"all-staff"}
    assert control(cloud, "GET", "effects")[UMA] == {
        "suspend": 0,
        "restore": 0,
        "join_group": 1,
        "leave_group": 1,
        "assign_role": 1,
        "revoke_role": 1,
        "calls": {"join_group": 2, "leave_group": 6, "assign_role": 2, "revoke_role": 3},
        "by": {
            f"join_group:{CONTRACTORS}": 1,
            f"leave_group:{CONTRACTORS}": 1,
            f"leave_group:{STAFF}": 0,
            f"assign_role:{JIRA}": 1,
            f"revoke_role:{JIRA}": 1,
        },
    }


def test_an_account_goes_and_comes_back_and_a_person_only_goes(cloud: server.Sandbox) -> None:
    person = of_kind(cloud, "employee", source="invited")
    for action, status, since in (
        ("disable", "deactivated", True),
        ("delete", "for_deletion", True),
        ("cancel-delete", "active", False),
        ("disable", "deactivated", True),
        ("enable", "active", False),
    ):
        assert ask(cloud, "POST", f"/users/{person}/manage/lifecycle/{action}").ok
        found = ask(cloud, "GET", f"{PLACE}/users/{person}").json()["data"]
        assert (found["status"], "deactivatedOn" in found) == (status, since)
    for _ in range(2):
        ask(cloud, "DELETE", f"{PLACE}/users/{person}")
    effects = control(cloud, "GET", "effects")[person]
    counted = {name: effects[name] for name in ("disable", "enable", "delete", "cancel_delete", "remove")}
    assert counted == {"disable": 2, "enable": 1, "delete": 1, "cancel_delete": 1, "remove": 1}
    assert effects["calls"]["remove"] == 2


def test_groups_and_roles_show_late_when_asked(cloud: server.Sandbox) -> None:
    fault = {"match": "/memberships|/roles/", "kind": "delay-visibility", "seconds": 0.6, "times": None}
    control(cloud, "POST", "faults", 201, json=fault)
    members = f"{PLACE}/groups/{CONTRACTORS}/memberships"
    assert ask(cloud, "POST", members, accountId=UMA).status_code == 204
    ask(cloud, "POST", f"{ROLES}/{UMA}/roles/assign", role="atlassian/guest", resource=JIRA)
    assert ask(cloud, "POST", members, accountId=UMA).status_code == 409, "it is so, though it doesn't show"
    assert groups(cloud) == {"all-staff"}
    time.sleep(0.7)
    assert groups(cloud) == {"all-staff", "contractors"}
    roles = ask(cloud, "GET", f"{PLACE}/users/{UMA}/role-assignments").json()["data"]
    assert "atlassian/guest" in next(one["roles"] for one in roles if one["resourceId"] == JIRA)
    ask(cloud, "DELETE", f"{members}/{UMA}")
    ask(cloud, "POST", members, accountId=UMA)
    time.sleep(0.7)
    assert "contractors" in groups(cloud)


def test_the_identity_provider_puts_people_back(cloud: server.Sandbox) -> None:
    changed = control(cloud, "POST", f"people/{UMA}/groups", json={"group": "all-staff", "member": False})
    assert changed == {"changed": True}
    control(cloud, "POST", f"people/{UMA}/groups", json={"group": CONTRACTORS, "member": True})
    assert groups(cloud) == {"contractors"}
    assert {one["key"] for one in shown(cloud, UMA)["productAccess"]} == {"confluence"}
    assert control(cloud, "POST", "idp-sync?site=globex") == {"returned": 0}
    assert control(cloud, "POST", "idp-sync?site=acme") == {"returned": 1}
    assert groups(cloud) == {"all-staff", "contractors"}
    assert control(cloud, "POST", "idp-sync?site=acme") == {"returned": 0}
    control(cloud, "POST", f"people/{UMA}/groups", 404, json={"group": "none", "member": True})
    assert control(cloud, "GET", "effects") == {}, "what happens behind the app's back is nobody's deed"


def test_only_so_many_changes_a_second(cloud: server.Sandbox) -> None:
    control(cloud, "PUT", "rate", json={"per_second": 1})
    began = time.monotonic()
    answers = [ask(cloud, "POST", f"{PLACE}/users/{UMA}/restore") for _ in range(3)]
    answers.append(ask(cloud, "POST", f"/users/{UMA}/manage/lifecycle/enable"))
    assert time.monotonic() - began < 1
    assert [one.status_code for one in answers] == [204, 429, 429, 429]
    assert answers[-1].headers["Retry-After"] == "1"
    assert ask(cloud, "POST", f"{PLACE}/users/search", limit=1).ok, "reading is not counted"
    globex = f"/admin/v2/orgs/{world.GLOBEX.id}/directories/{world.GLOBEX.directory_id}/users"
    other = {"Authorization": f"Bearer {world.ADMIN_KEYS[3].key}"}
    gwen = world.GLOBEX.people[2].account_id
    assert requests.post(f"{cloud.hub}{globex}/{gwen}/restore", headers=other, timeout=10).ok
    assert control(cloud, "GET", "rate") == {"allowed": 2, "refused": 3}
    assert control(cloud, "GET", "effects")[UMA]["calls"] == {"restore": 1}
    time.sleep(1)
    assert ask(cloud, "POST", f"{PLACE}/users/{UMA}/restore").ok
    control(cloud, "PUT", "rate", json={"per_second": 4})
    at_once = [ask(cloud, "POST", f"{PLACE}/users/{UMA}/restore") for _ in range(4)]
    assert [one.status_code for one in at_once] == [204] * 4, "a second's worth may come at once"
    control(cloud, "PUT", "rate", 400, json={"per_second": 0})
    control(cloud, "PUT", "rate", json={"per_second": None})
    assert all(ask(cloud, "POST", f"{PLACE}/users/{UMA}/restore").ok for _ in range(5))


def test_a_state_file_of_an_older_version_opens_and_is_filled_anew(tmp_path: Path) -> None:
    state = tmp_path / "cloud.sqlite3"
    cloud = server.start(people=80, state=str(state))
    people = control(cloud, "GET", "people?limit=80")
    cloud.stop()
    with sqlite3.connect(state) as old:
        old.executescript("DROP TABLE late; DROP TABLE synced_member; ALTER TABLE deed DROP COLUMN about;")
        old.executescript("DELETE FROM person WHERE org = 'acme'; PRAGMA user_version = 0;")
    old.close()
    cloud = server.start(people=80, state=str(state))
    again = control(cloud, "GET", "people?limit=80")
    assert [one["account_id"] for one in again] == [one["account_id"] for one in people]
    assert ask(cloud, "DELETE", f"{PLACE}/groups/{CONTRACTORS}/memberships/{UMA}").status_code == 404
    assert control(cloud, "GET", "effects")[UMA]["by"] == {f"leave_group:{CONTRACTORS}": 0}
    cloud.stop()


def test_those_whom_google_owns_are_few(cloud: server.Sandbox) -> None:
    google = control(cloud, "GET", "people?kind=google-synced&limit=120")
    assert 1 <= len(google) <= 12
    assert {(one["source"], one["claim"], one["shown_status"]) for one in google} == {
        ("invited", "managed", "active")
    }
