"""Tickets: what the pretend Jira answers, and what the app asks, is what Atlassian's OpenAPI file allows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from connect.errors import AccessForbidden, Gone, Invalid, Unauthorized
from connect.gateway.credentials import as_app, basic
from connect.gateway.jira_tickets import JiraTickets
from connect.hosts import SiteOrigins
from rules.tickets import PersonField, Ticket
from sandbox import server, world
from tests.contract.specifications import AVAILABLE, logged, request_findings
from tests.contract.test_sandbox_answers import Caller
from tests.sandbox.standin import KEY, StandIn

pytestmark = pytest.mark.skipif(
    not AVAILABLE, reason="Atlassian's OpenAPI files are not beside the repository"
)

UMA = world.ACME.people[2].account_id
AUTH = (world.API_TOKENS[0].email, world.API_TOKENS[0].token)


@pytest.fixture(scope="module")
def cloud() -> Iterator[server.Sandbox]:
    app = StandIn()
    cloud = server.start(people=60, app_base_url=app.url)
    place = {"site": "acme", "product": "jira"}
    requests.post(f"{cloud.hub}/control/install", json=place, timeout=10).raise_for_status()
    yield cloud
    cloud.stop()
    app.close()


def raised(cloud: server.Sandbox, **more: str) -> dict[str, Any]:
    answer = requests.post(f"{cloud.hub}/control/tickets", json={"reporter": UMA} | more, timeout=10)
    found: dict[str, Any] = answer.json()
    return found


def gateway(cloud: server.Sandbox, *, app: bool) -> JiraTickets:
    tenant = requests.get(f"{cloud.hub}/control/tenants", timeout=10).json()[0]
    return JiraTickets(
        cloud.acme,
        origins=SiteOrigins((cloud.acme,)),
        authorization=as_app(
            app_key=KEY, client_key=tenant["client_key"], secret=tenant["shared_secret"], clock=now
        )
        if app
        else basic(*AUTH),
        clock=now,
    )


def now() -> datetime:
    return datetime.now(UTC)


def test_the_pretend_jira_answers_as_the_file_says(cloud: server.Sandbox) -> None:
    call = Caller(cloud)
    key = raised(cloud, person="nora@newcomers.example")["key"]
    found = call(
        "GET", f"/rest/api/3/issue/{key}?expand=names,schema&fields=*all,-comment", status=200, auth=AUTH
    )
    (field,) = [
        name
        for name, about in found["schema"].items()
        if about.get("custom") == "com.atlassian.servicedesk:vp-origin"
    ]
    assert found["fields"][field]["requestType"]["name"] == "Get access to design tools"
    assert found["fields"]["status"]["statusCategory"]["key"] == "indeterminate"
    text = {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Hi"}]}],
    }
    path = f"/rest/api/3/issue/{key}/comment"
    for _ in range(3):
        call("POST", path, status=201, auth=AUTH, json={"body": text})
    page = call("GET", f"{path}?orderBy=-created&startAt=1&maxResults=1", status=200, auth=AUTH)
    assert (page["total"], len(page["comments"])) == (3, 1)
    call("POST", path, status=400, auth=AUTH, json={"body": {"type": "doc", "version": 1, "content": []}})
    call("GET", "/rest/api/3/issue/HELP-999/comment", status=404, auth=AUTH)
    call("POST", "/rest/api/3/issue/HELP-999/comment", status=404, auth=AUTH, json={"body": text})


def test_the_gateway_asks_as_the_file_says_and_reads_what_a_rule_needs(cloud: server.Sandbox) -> None:
    one = raised(cloud, person="nora@newcomers.example")
    site = gateway(cloud, app=True)
    wanted = Ticket(
        str(one["id"]), one["key"], "HELP", "101", "Get access to design tools", UMA, is_closed=False,
        person=PersonField("nora@newcomers.example"),
    )  # fmt: skip
    assert site.ticket(one["key"], "e-mail of the NEW colleague") == wanted
    assert site.ticket(str(one["id"]), "customfield_10071") == wanted
    requests.patch(f"{cloud.hub}/control/tickets/{one['key']}", json={"status": "done"}, timeout=10)
    closed = site.ticket(one["key"], "no such field")
    assert (closed.is_closed, closed.person) == (True, None)
    # The app itself may not comment: its descriptor asks for READ.
    with pytest.raises(AccessForbidden):
        site.comment(str(one["id"]), ("x",))
    for name in ("HELP-999", "999999"):
        with pytest.raises(Gone):
            site.ticket(name)
    for odd in ("../../x", "HELP-1/../../y", ""):
        with pytest.raises(Invalid):
            site.ticket(odd)
    owner = gateway(cloud, app=False)
    assert not owner.has_comment_with(str(one["id"]), "reference 7")
    for number in range(7):
        owner.comment(str(one["id"]), ("Given.", f"reference {number}."))
    requests.post(f"{cloud.hub}/control/settings", json={"max_page": 2}, timeout=10)
    assert owner.has_comment_with(str(one["id"]), "reference 0.")
    assert not owner.has_comment_with(str(one["id"]), "reference 7")
    requests.post(f"{cloud.hub}/control/settings", json={"max_page": None}, timeout=10)
    with pytest.raises(Gone):
        owner.comment("999999", ("x",))
    entries = requests.get(f"{cloud.hub}/control/requests", timeout=10).json()
    assert [finding for entry in entries for finding in request_findings(logged(entry))] == []


def test_a_wrong_token_is_told(cloud: server.Sandbox) -> None:
    site = JiraTickets(
        cloud.acme, origins=SiteOrigins((cloud.acme,)), authorization=basic("a@b.example", "x"), clock=now
    )
    with pytest.raises(Unauthorized):
        site.has_comment_with("12001", "x")
