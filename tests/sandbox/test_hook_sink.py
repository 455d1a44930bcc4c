"""The pretend other side of hooks: it keeps what comes, shows it, and answers as ordered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox import server


@pytest.fixture(scope="module")
def cloud() -> Iterator[server.Sandbox]:
    cloud = server.start(people=20)
    yield cloud
    cloud.stop()


def control(cloud: server.Sandbox, method: str, path: str, **how: Any) -> Any:
    answer = requests.request(method, f"{cloud.hub}/control/{path}", timeout=10, **how)
    assert answer.ok, answer.text
    return answer.json()


def call(cloud: server.Sandbox, name: str = "demo", body: str = '{"type": "test"}') -> requests.Response:
    headers = {"Content-Type": "application/json", "Webhook-Id": "1"}
    return requests.post(
        f"{cloud.hub}/hooks/{name}", data=body.encode(), headers=headers, timeout=10, allow_redirects=False
    )


def test_what_comes_is_kept_and_shown(cloud: server.Sandbox) -> None:
    control(cloud, "DELETE", "hooks")
    assert "No call yet" in requests.get(f"{cloud.hub}/hooks", timeout=10).text
    assert call(cloud).status_code == 200
    assert call(cloud, "other", '{"text": "<b>Über</b>"}').status_code == 200
    first, second = control(cloud, "GET", "hooks")
    assert (first["name"], first["method"], first["body"], first["status"]) == (
        "demo",
        "POST",
        '{"type": "test"}',
        200,
    )
    assert first["headers"]["webhook-id"] == "1"
    assert [each["n"] for each in control(cloud, "GET", "hooks?name=other")] == [second["n"]]
    page = requests.get(f"{cloud.hub}/hooks?call={second['n']}", timeout=10).text
    assert "&lt;b&gt;Über&lt;/b&gt;" in page
    assert "<b>Über" not in page
    assert '<a href="/hooks">' in requests.get(f"{cloud.hub}/", timeout=10).text


def test_answers_are_ordered_by_name_and_number(cloud: server.Sandbox) -> None:
    control(cloud, "DELETE", "hooks")
    control(
        cloud, "POST", "hooks/demo/answer", json={"status": 429, "headers": {"Retry-After": "7"}, "times": 2}
    )
    control(cloud, "POST", "hooks/moved/answer", json={"status": 307, "headers": {"Location": "/hooks/demo"}})
    answers = [call(cloud) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert [call(cloud, "moved").headers["Location"] for _ in range(2)] == ["/hooks/demo"] * 2
    control(cloud, "POST", "faults", json={"match": "^/hooks/demo$", "kind": "503"})
    assert [call(cloud).status_code for _ in range(2)] == [503, 200]
    control(cloud, "POST", "reset")
    assert control(cloud, "GET", "hooks") == []


@pytest.mark.parametrize("order", [{"status": 99}, {"status": 600}, {"body": "x"}, {"seconds": "soon"}])
def test_an_odd_order_is_refused(cloud: server.Sandbox, order: dict[str, Any]) -> None:
    answer = requests.post(f"{cloud.hub}/control/hooks/demo/answer", json=order, timeout=10)
    assert answer.status_code == 400
