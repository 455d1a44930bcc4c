"""The pretend service desk: requests are raised in the portal, its automation sends them, again when that fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox import server, world

UMA = world.ACME.people[2].account_id


@pytest.fixture(scope="module")
def cloud() -> Iterator[server.Sandbox]:
    cloud = server.start(people=60)
    yield cloud
    cloud.stop()


def control(cloud: server.Sandbox, method: str, path: str, **more: Any) -> Any:
    answer = requests.request(method, f"{cloud.hub}/control{path}", timeout=10, **more)
    assert answer.ok, answer.text
    return answer.json()


def test_what_is_raised_is_sent_and_sent_again_when_it_fails(cloud: server.Sandbox) -> None:
    page = f"{cloud.acme}/jira/settings/automation"
    body = '{"issue": {"id": "{{issue.id}}", "key": "{{issue.key}}", "by": "{{issue.reporter.accountId}}"}}'
    form = {"url": f"{cloud.hub}/hooks/desk", "header": "X-Secret", "value": "opens", "body": body}
    assert requests.post(page, data=form, timeout=10).status_code == 200
    control(cloud, "POST", "/hooks/desk/answer", json={"status": 503, "times": 2})
    portal = f"{cloud.acme}/servicedesk/customer/portal/1"
    request = {"reporter": UMA, "type": "101", "summary": "", "person": ""}
    answer = requests.post(portal, data=request, timeout=10)
    assert "HELP-1: Please" in answer.text
    end = time.monotonic() + 20
    while len(calls := control(cloud, "GET", "/hooks?name=desk")) < 3 and time.monotonic() < end:
        time.sleep(0.1)
    assert [call["status"] for call in calls] == [503, 503, 200]
    assert {call["headers"]["x-secret"] for call in calls} == {"opens"}
    assert calls[0]["body"] == f'{{"issue": {{"id": "12001", "key": "HELP-1", "by": "{UMA}"}}}}'
    while len(control(cloud, "GET", "/automation")) < 3 and time.monotonic() < end:
        time.sleep(0.1)
    assert [call["attempt"] for call in control(cloud, "GET", "/automation")] == [3, 2, 1]
    assert "HELP-1" in requests.get(page, timeout=10).text
    assert "HELP-1" in requests.get(f"{cloud.acme}/browse/HELP-1", timeout=10).text
    assert requests.get(f"{portal}/HELP-9", timeout=10).status_code == 404


def test_a_reset_forgets_requests_and_automation(cloud: server.Sandbox) -> None:
    control(cloud, "POST", "/tickets", json={"reporter": UMA})
    control(cloud, "POST", "/reset")
    assert control(cloud, "GET", "/tickets") == []
    assert control(cloud, "PUT", "/automation", json={"on": False})["url"] == ""
    control(cloud, "POST", "/tickets", json={"reporter": UMA})
    assert control(cloud, "GET", "/automation") == []
