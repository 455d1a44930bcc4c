"""Invitations of the pretend Cloud: who comes into the directory, who takes a seat, who accepts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from sandbox import server, world

pytestmark = pytest.mark.slow

ADMIN = {"Authorization": f"Bearer {world.ADMIN_KEYS[0].key}"}
PEOPLE = f"/admin/v2/orgs/{world.ACME.id}/directories/{world.ACME.directory_id}/users"
JIRA, CONFLUENCE = (world.ACME.resource(product) for product in (world.JIRA, world.CONFLUENCE))
USE_JIRA, USE_CONFLUENCE = ({"resource": one, "role": "atlassian/user"} for one in (JIRA, CONFLUENCE))
AGENT = {"resource": world.ACME.resource(world.SERVICE_DESK), "role": "atlassian/user"}
CONTRACTORS, STAFF, AGENTS = (
    world.stable_id("group", "acme", name) for name in ("contractors", "all-staff", "service-desk-agents")
)
FULL = "Product License Limit Exceeded"


@pytest.fixture(scope="module")
def running() -> Iterator[server.Sandbox]:
    cloud = server.start(people=120)
    yield cloud
    cloud.stop()


@pytest.fixture
def cloud(running: server.Sandbox) -> server.Sandbox:
    running.cloud.reset()
    return running


def control(cloud: server.Sandbox, method: str, path: str, status: int = 200, **how: Any) -> Any:
    answer = requests.request(method, f"{cloud.hub}/control/{path}", timeout=10, **how)
    assert answer.status_code == status, answer.text
    return answer.json()


def invite(cloud: server.Sandbox, *emails: str, status: int = 200, **body: Any) -> list[dict[str, Any]]:
    path = f"{cloud.hub}/admin/v2/orgs/{world.ACME.id}/users/invite"
    answer = requests.post(path, headers=ADMIN, json={"emails": emails, **body}, timeout=10)
    assert answer.status_code == status, answer.text
    return list(answer.json()["data"]) if answer.ok else []


def reasons(one: dict[str, Any]) -> list[str | None]:
    (found,) = one["results"]
    results = found["roleAssignmentResult"] + found["groupAssignmentResult"]
    assert all((result["status"] == "ERROR") is bool(result["statusReason"]) for result in results)
    return [result["statusReason"] for result in results]


def found(cloud: server.Sandbox, email: str) -> list[dict[str, Any]]:
    body = {"emails": [email], "expand": ["groups", "productAccess"]}
    answer = requests.post(f"{cloud.hub}{PEOPLE}/search", headers=ADMIN, json=body, timeout=10)
    return list(answer.json()["data"])


def test_somebody_new_is_invited_and_accepts(cloud: server.Sandbox) -> None:
    (one,) = invite(
        cloud, "New.Comer@acme.example", permissionRules=[USE_JIRA], additionalGroups=[CONTRACTORS]
    )
    (person,) = found(cloud, "new.comer@acme.example")
    assert (one["email"], one["id"]) == ("New.Comer@acme.example", person["accountId"])
    today = datetime.now(UTC).date().isoformat()
    assert (person["status"], person["emailVerified"], person["addedToOrg"][:10]) == ("active", False, today)
    assert (person["claimStatus"], person["managementSource"]) == ("managed", "invited")
    assert person["productAccess"] == [
        {"id": JIRA, "key": "jira"},
        {"id": CONFLUENCE, "key": "confluence"},
    ]
    control(cloud, "POST", f"people/{one['id']}/accept")
    control(cloud, "POST", f"people/{one['id']}/accept", 404)
    (person,) = found(cloud, "new.comer@acme.example")
    assert person["emailVerified"] is True
    assert {access["lastActiveTimestamp"][:10] for access in person["productAccess"]} == {today}


def test_the_same_again_changes_nothing_and_an_account_outlives_its_removal(cloud: server.Sandbox) -> None:
    first, again = (
        invite(cloud, "Twice@acme.example", "twice@acme.example", permissionRules=[USE_JIRA])
        for _ in range(2)
    )
    assert [one["id"] for one in first] == [one["id"] for one in again]
    effects = control(cloud, "GET", "effects")[first[0]["id"]]
    assert (effects["invite"], effects["calls"]["invite"]) == (1, 2)
    assert effects["by"] == {f"assign_role:{JIRA}": 1}
    uma = world.ACME.people[2]
    answer = requests.delete(f"{cloud.hub}{PEOPLE}/{uma.account_id}", headers=ADMIN, timeout=10)
    assert answer.status_code == 204
    (one,) = invite(cloud, uma.email, permissionRules=[USE_JIRA])
    (person,) = found(cloud, uma.email)
    assert (one["id"], person["name"], person["groups"]) == (uma.account_id, uma.name, [])
    assert person["emailVerified"] is False


def test_an_account_of_another_organization_is_just_new_here(cloud: server.Sandbox) -> None:
    gus = world.GLOBEX.people[1]
    (one,) = invite(cloud, gus.email, additionalGroups=[CONTRACTORS])
    (person,) = found(cloud, gus.email)
    assert (one["id"], person["claimStatus"]) == (gus.account_id, "unmanaged")
    assert [group["name"] for group in person["groups"]] == ["contractors"]
    assert person["emailVerified"] is False
    (there,) = control(cloud, "GET", "people?site=globex&q=Gus Petrov")
    assert (there["email_verified"], there["kind"]) == (1, "known")


def test_what_is_refused_leaves_the_rest(cloud: server.Sandbox) -> None:
    (one,) = invite(
        cloud,
        "part@acme.example",
        status=206,
        permissionRules=[USE_JIRA, {"resource": JIRA, "role": "atlassian/king"}],
        additionalGroups=[STAFF, "none"],
    )
    assert [bool(reason) for reason in reasons(one)] == [False, True, True, True]
    (one,) = invite(cloud, "none@acme.example", status=206, additionalGroups=["none"])
    assert "id" not in one
    assert found(cloud, "none@acme.example") == []
    gone = control(cloud, "GET", "people?kind=deactivated&limit=1")[0]
    (one,) = invite(cloud, gone["email"], status=206, permissionRules=[USE_JIRA])
    assert (one["id"], reasons(one)) == (gone["account_id"], ["Inactive user"])


def test_invited_people_take_seats(cloud: server.Sandbox) -> None:
    seated = 0
    while True:
        limit = {"site": "acme", "product": "jira-servicedesk", "capacity": seated}
        control(cloud, "PUT", "seats", json=limit)
        path = f"{cloud.hub}/admin/v2/orgs/{world.ACME.id}/users/invite"
        body: dict[str, Any] = {"emails": ["probe@acme.example"], "permissionRules": [AGENT]}
        if requests.post(path, headers=ADMIN, json=body, timeout=10).ok:
            break
        seated += 1
    control(cloud, "PUT", "seats", json={**limit, "capacity": seated + 1})
    first, second = invite(
        cloud, "a@acme.example", "b@acme.example", status=206, permissionRules=[AGENT, USE_CONFLUENCE]
    )
    assert (reasons(first), reasons(second)) == ([None, None], [FULL, None])
    invite(cloud, "c@acme.example", status=409, permissionRules=[AGENT], additionalGroups=[AGENTS])
    assert found(cloud, "c@acme.example") == []
    (again,) = invite(cloud, "a@acme.example", additionalGroups=[AGENTS])
    assert reasons(again) == [None], "who has a seat keeps it"
    requests.delete(f"{cloud.hub}{PEOPLE}/{first['id']}", headers=ADMIN, timeout=10).raise_for_status()
    assert reasons(invite(cloud, "c@acme.example", permissionRules=[AGENT])[0]) == [None]


def test_a_mail_is_sent_when_asked(cloud: server.Sandbox) -> None:
    invite(cloud, "quiet@acme.example", permissionRules=[USE_JIRA])
    invite(cloud, "wordless@acme.example", permissionRules=[USE_JIRA], sendNotification=True)
    invite(
        cloud,
        "post@acme.example",
        permissionRules=[USE_JIRA],
        sendNotification=True,
        notificationText="Hällo",
    )
    (mail,) = control(cloud, "GET", "mails")
    assert (mail["to"], mail["subject"]) == (
        "post@acme.example",
        "Ana Marić invited you to Acme Industries",
    )
    assert mail["text"].startswith("Hällo")


def test_without_a_paid_subscription_nobody_is_invited(cloud: server.Sandbox) -> None:
    assert control(cloud, "PUT", "subscriptions", json={"site": "acme", "paid": False}) == {
        "acme": False,
        "globex": True,
    }
    invite(cloud, "free@acme.example", status=402)
    assert found(cloud, "free@acme.example") == []
    control(cloud, "POST", "reset")
    invite(cloud, "free@acme.example")
    assert len(found(cloud, "free@acme.example")) == 1
