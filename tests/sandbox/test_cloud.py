"""The pretend Cloud's own promises: installs as Atlassian does, remembers, spoils on demand, counts deeds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from sandbox import qsh, server, world
from tests.sandbox.standin import KEY, StandIn

ADMIN = {"Authorization": f"Bearer {world.ADMIN_KEYS[0].key}"}
PEOPLE = f"/admin/v2/orgs/{world.ACME.id}/directories/{world.ACME.directory_id}/users"
UMA = world.ACME.people[2].account_id


@pytest.fixture
def app() -> Iterator[StandIn]:
    app = StandIn()
    yield app
    app.close()


@pytest.fixture(scope="module")
def running() -> Iterator[server.Sandbox]:
    cloud = server.start(people=120)
    yield cloud
    cloud.stop()


@pytest.fixture
def cloud(app: StandIn, running: server.Sandbox) -> server.Sandbox:
    """As on its first day, for this test's app."""
    running.cloud.app_base_url = app.url
    running.cloud.reset()
    return running


def control(cloud: server.Sandbox, method: str, path: str, status: int = 200, **how: Any) -> Any:
    answer = requests.request(method, f"{cloud.hub}/control/{path}", timeout=10, **how)
    assert answer.status_code == status, answer.text
    return answer.json()


def search(cloud: server.Sandbox, **body: Any) -> requests.Response:
    return requests.post(f"{cloud.hub}{PEOPLE}/search", headers=ADMIN, json=body, timeout=10)


def state_of(cloud: server.Sandbox, account_id: str) -> str:
    return str(search(cloud, accountIds=[account_id]).json()["data"][0]["status"])


PLACE = {"site": "acme", "product": "jira"}


def test_install_is_signed_with_a_key_of_the_key_host(app: StandIn, cloud: server.Sandbox) -> None:
    done = control(cloud, "POST", "install", json=PLACE)
    sent = app.last("/installed")
    token = sent.headers["Authorization"].removeprefix("JWT ")
    public = requests.get(f"{cloud.hub}/{jwt.get_unverified_header(token)['kid']}", timeout=10).text
    claims = jwt.decode(token, public, algorithms=["RS256"], audience=app.url)
    assert claims["iss"] == sent.json["clientKey"] == done["client_key"]
    assert claims["exp"] - claims["iat"] == 900
    assert claims["qsh"] == qsh.of_request("POST", "/installed", "")
    assert (sent.json["key"], sent.json["baseUrl"], sent.json["eventType"]) == (KEY, cloud.acme, "installed")
    first = sent.json["sharedSecret"]
    control(cloud, "POST", "install", json=PLACE)
    again = app.last("/installed").json
    assert again["clientKey"] == done["client_key"]
    assert again["sharedSecret"] != first
    assert control(cloud, "GET", "tenants")[0]["shared_secret"] == again["sharedSecret"]
    control(cloud, "POST", "uninstall", json=PLACE)
    assert "sharedSecret" not in app.last("/uninstalled").json
    assert control(cloud, "GET", "tenants") == []


def test_an_app_that_refuses_is_not_installed(app: StandIn, cloud: server.Sandbox) -> None:
    app.lifecycle_status = 401
    assert "401" in control(cloud, "POST", "install", status=409, json=PLACE)["error"]
    assert control(cloud, "GET", "tenants") == []


def test_pages_and_webhooks_are_signed_over_what_is_sent(app: StandIn, cloud: server.Sandbox) -> None:
    control(cloud, "POST", "install", json=PLACE)
    secret = control(cloud, "GET", "tenants")[0]["shared_secret"]
    asked = {**PLACE, "module": "general", "account_id": UMA, "ac.from": "a b&c"}
    url = control(cloud, "GET", "page-url", params=asked)["url"]
    parts = urlsplit(url)
    claims = jwt.decode(parse_qs(parts.query)["jwt"][0], secret, algorithms=["HS256"])
    assert claims["qsh"] == qsh.of_request("GET", parts.path, parts.query)
    assert claims["sub"] == UMA
    assert parse_qs(parts.query)["from"] == ["a b&c"]
    fired = control(
        cloud, "POST", "webhook", json={**PLACE, "event": "jira:issue_created", "account_id": UMA}
    )
    assert fired == {"statuses": [204]}
    hook = app.last("/hook")
    claims = jwt.decode(hook.headers["Authorization"].removeprefix("JWT "), secret, algorithms=["HS256"])
    assert claims["qsh"] == qsh.of_request("POST", "/hook", "x=1,2&x=0")
    assert hook.json["user"]["accountId"] == UMA


def test_each_change_is_counted_once_and_each_call_too(cloud: server.Sandbox) -> None:
    for action in ("suspend", "suspend", "restore", "restore", "restore"):
        answer = requests.post(f"{cloud.hub}{PEOPLE}/{UMA}/{action}", headers=ADMIN, timeout=10)
        assert answer.status_code == 204
    effects = control(cloud, "GET", "effects")
    assert effects == {UMA: {"suspend": 1, "restore": 1, "calls": {"restore": 3, "suspend": 2}, "by": {}}}


SPOILT = (
    ("429", 429, "7"),
    ("429-no-header", 429, None),
    ("500", 500, None),
    ("503", 503, None),
    ("html", 200, None),
    ("garbled", 200, None),
    ("odd", 200, None),
)


@pytest.mark.parametrize(("kind", "status", "header"), SPOILT)
def test_answers_are_spoilt_as_often_as_asked(
    cloud: server.Sandbox, kind: str, status: int, header: str | None
) -> None:
    control(
        cloud,
        "POST",
        "faults",
        201,
        json={"match": "/search$", "kind": kind, "times": 2, "seconds": 7, "skip": 1},
    )
    assert search(cloud).json()["data"]
    for _ in range(2):
        answer = search(cloud)
        assert (answer.status_code, answer.headers.get("Retry-After")) == (status, header)
        assert (answer.headers["Content-Type"] == "application/json") is (kind != "html")
    assert search(cloud).json()["data"]


def test_a_deed_may_happen_though_its_answer_is_lost(cloud: server.Sandbox) -> None:
    control(cloud, "POST", "faults", 201, json={"match": "/suspend$", "kind": "reset", "after": True})
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{cloud.hub}{PEOPLE}/{UMA}/suspend", headers=ADMIN, timeout=10)
    assert state_of(cloud, UMA) == "suspended"
    control(cloud, "POST", "faults", 201, json={"match": "/search$", "kind": "slow", "seconds": 0.3})
    began = time.monotonic()
    search(cloud)
    assert time.monotonic() - began >= 0.3
    last = control(cloud, "GET", "requests")[-1]
    assert (last["fault"], last["status"]) == ("slow", 200)


def test_a_change_shows_late_when_asked(cloud: server.Sandbox) -> None:
    fault = {"match": "/suspend$", "kind": "delay-visibility", "seconds": 0.6}
    control(cloud, "POST", "faults", 201, json=fault)
    requests.post(f"{cloud.hub}{PEOPLE}/{UMA}/suspend", headers=ADMIN, timeout=10)
    assert state_of(cloud, UMA) == "active"
    time.sleep(0.7)
    assert state_of(cloud, UMA) == "suspended"


def test_people_change_by_control_and_keys_expire(cloud: server.Sandbox) -> None:
    body = {
        "last_active": {"jira": "2026-01-02T03:04:05.000Z", "confluence": None},
        "membership_status": "suspended",
    }
    control(cloud, "PATCH", f"people/{UMA}", json=body)
    person = search(cloud, accountIds=[UMA], expand=["productAccess"]).json()["data"][0]
    seen = {one["key"]: one.get("lastActiveTimestamp") for one in person["productAccess"]}
    assert seen == {"jira": "2026-01-02T03:04:05.000000226Z", "confluence": None}
    assert person["status"] == "suspended"
    control(cloud, "POST", f"keys/{world.ADMIN_KEYS[0].key}/expire")
    assert search(cloud).status_code == 401
    control(cloud, "POST", "reset")
    assert search(cloud).status_code == 200
    assert state_of(cloud, UMA) == "active"


def test_state_outlives_a_restart_and_a_seed_gives_the_same_people(app: StandIn, tmp_path: Path) -> None:
    state = str(tmp_path / "cloud.sqlite3")
    seen = []
    for turn in range(2):
        cloud = server.start(people=80, app_base_url=app.url, state=state)
        if turn == 0:
            control(cloud, "POST", "install", json=PLACE)
            requests.post(f"{cloud.hub}{PEOPLE}/{UMA}/suspend", headers=ADMIN, timeout=10)
        assert state_of(cloud, UMA) == "suspended"
        assert len(control(cloud, "GET", "tenants")) == 1
        seen.append([(one["accountId"], one["name"]) for one in search(cloud, limit=100).json()["data"]])
        cloud.stop()
    other = server.start(people=80)
    seen.append([(one["accountId"], one["name"]) for one in search(other, limit=100).json()["data"]])
    other.stop()
    assert seen[0] == seen[1] == seen[2]


def test_the_organization_has_everybody_a_real_one_has(app: StandIn) -> None:
    cloud = server.start(people=2000, app_base_url=app.url)
    kinds = {one["kind"] for one in control(cloud, "GET", "people?limit=2000")}
    assert kinds >= {"known", "employee", "external", "suspended", "deactivated", "invited-never-came", "bot",
                     "service-account", "other-site-owner"}  # fmt: skip
    count = requests.get(f"{cloud.hub}{PEOPLE}/count?roleIds=atlassian/org-admin", headers=ADMIN, timeout=10)
    assert count.json() == {"count": 2}
    cloud.stop()


@pytest.mark.slow
def test_a_hundred_thousand_people_page_flatly(app: StandIn) -> None:
    cloud = server.start(people=100_000, app_base_url=app.url)
    body: dict[str, Any] = {"limit": 100, "expand": ["productAccess", "groups", "platformRoles"]}
    with requests.Session() as session:
        while body.get("cursor", "") is not None:
            answer = session.post(f"{cloud.hub}{PEOPLE}/search", headers=ADMIN, json=body, timeout=10).json()
            body["cursor"] = answer["links"].get("next")
    times = [
        one["ms"] for one in control(cloud, "GET", "requests?limit=20000") if one["path"].endswith("/search")
    ]
    assert len(times) == 1000
    assert sum(times[-100:]) < 3 * sum(times[:100]), "the last pages cost as much as the first"
    cloud.stop()
