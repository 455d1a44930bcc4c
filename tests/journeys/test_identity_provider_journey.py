"""An identity provider by clicking: connected, its token copied, people sent by real requests, what becomes of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests
from playwright.sync_api import expect

from services import profiles
from services.credential_storing import store_admin_key
from services.profiles import Typed
from tests.jobs.deployment import KEY, Deployment
from tests.journeys.journey import PATIENCE, Journey

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
NORA = "nora@newcomers.example"


class Provider:
    """What Entra would send, by HTTP, with what was copied from the page."""

    def __init__(self, base_url: str, token: str) -> None:
        self.base_url, self.headers = base_url, {"Authorization": f"Bearer {token}"}

    def send(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = requests.request(method, self.base_url + path, json=body, headers=self.headers, timeout=30)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def active(self, user_id: str, *, yes: bool) -> None:
        operation = {"op": "Replace", "path": "active", "value": str(yes)}
        self.send("PATCH", f"/Users/{user_id}", {"Operations": [operation]})


def person_at_atlassian(deployment: Deployment, email: str) -> dict[str, Any] | None:
    people = deployment.control("GET", "people", params={"site": "acme", "limit": 10_000})
    return next((each for each in people if each["email"] == email), None)


@pytest.mark.parametrize(("product", "colours"), [("jira", "light"), ("confluence", "dark")])
def test_a_provider_from_its_token_to_somebody_s_last_day(
    start: Callable[[str, str], Journey], deployment: Deployment, product: str, colours: str
) -> None:
    deployment.configure()
    if product == "confluence":
        door = deployment.control("POST", "install", json={"site": "acme", "product": "confluence"})
        ana = replace(deployment.ana, tenant=door["client_key"])
        expires_on = (deployment.tools.clock() + timedelta(days=200)).date().isoformat()
        store_admin_key(deployment.tools, ana, key=KEY, expires_on=expires_on)
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    groups = {
        each.name: each.id
        for each in profiles.organization_now(deployment.tools, deployment.ana).groups.values()
    }
    profiles.save_profile(
        deployment.tools, deployment.ana, None, Typed("Engineers", "", [], [groups["jira-users"]], "")
    )
    journey = start(product, colours)
    frame = journey.frame

    # Connected: the address and the token, once.
    journey.open("rollcall-app", "identity-providers")
    journey.arrive("Identity provider")
    journey.look("none-yet")
    frame.get_by_role("link", name="Connect a provider").click()
    journey.arrive("Connect a provider")
    journey.click("Connect it")
    expect(frame.locator("#name-problem")).to_contain_text("A connection needs a name.")
    journey.look("a-slip")
    frame.get_by_role("textbox", name="Name").fill("Entra")
    journey.click("Connect it")
    journey.arrive("Entra")
    journey.look("address-and-token")
    token = frame.get_by_label("Token: copy it now").input_value()
    provider = Provider(frame.get_by_label("Base URL").input_value(), token)

    # The provider sends a group with somebody new, and somebody who is here.
    nora = provider.send(
        "POST", "/Users", {"userName": NORA, "displayName": "Nora Newcomer", "active": True}
    )["id"]
    provider.send("POST", "/Groups", {"displayName": "Engineering", "members": [{"value": nora}]})
    journey.open("rollcall-app", "identity-providers")
    journey.arrive("Identity provider")
    journey.look("the-list")
    frame.get_by_role("link", name="Entra").click()
    journey.arrive("Entra")
    expect(frame.get_by_label("Token: copy it now")).to_have_count(0)
    frame.get_by_role("textbox", name="Name").fill("Entra, Berlin")
    frame.get_by_label("Profile of Engineering").select_option(label="Engineers")
    journey.click("Save what Engineering gives")
    expect(frame.get_by_role("status").filter(has_text="now gives a profile")).to_be_visible()
    expect(journey.button("Save what Engineering gives")).to_be_focused()
    expect(frame.get_by_role("textbox", name="Name")).to_have_value("Entra, Berlin")
    journey.look("mapped")

    # What would change, seen, then live.
    frame.get_by_role("link", name="What would change").click()
    journey.arrive("What “Entra” would change")
    expect(journey.button("Make it live")).to_be_visible(timeout=PATIENCE)
    expect(frame.get_by_role("cell", name="invite them")).to_be_visible()
    journey.look("what-would-change")
    assert person_at_atlassian(deployment, NORA) is None
    journey.click("Make it live")
    journey.look("asks")
    frame.get_by_role("dialog").get_by_role("button", name="Make it live").click()
    journey.arrive("Entra")
    expect(frame.get_by_text("Live", exact=True)).to_be_visible()
    deployment.wait_for(lambda: person_at_atlassian(deployment, NORA), "Nora at Atlassian")

    # Deactivated there, suspended here; active again, restored.
    provider.active(nora, yes=False)
    deployment.wait_for(
        lambda: (person_at_atlassian(deployment, NORA) or {})["membership"] == "suspended", "Nora suspended"
    )
    frame.get_by_role("link", name=re.compile(r"^People \d+ .* up to date")).click()
    journey.arrive("People of “Entra”")
    for _ in range(60):
        if frame.get_by_text("Up to date").count() and frame.get_by_text("Inactive").count():
            break
        journey.page.wait_for_timeout(1000)
        frame.get_by_role("link", name="Everybody").click()
    journey.look("people")
    expect(frame.get_by_role("row", name=re.compile(NORA))).to_contain_text("Inactive", timeout=PATIENCE)
    frame.get_by_role("navigation", name="Where this is").get_by_role("link", name="Entra").click()
    journey.arrive("Entra")
    expect(frame.get_by_role("region", name="Its last runs").get_by_role("row")).to_have_count(3)
    journey.look("its-runs")

    # What a group gives changes for its members, who are told of first.
    journey.click("Save what Engineering gives")
    asked = frame.get_by_role("dialog", name="Change what “Engineering” gives?")
    expect(asked).to_contain_text("1 member of the group will follow in a moment")
    journey.look("what-a-group-gives")
    asked.get_by_role("button", name="Leave it").click()
    expect(frame.get_by_text("now gives a profile")).to_have_count(0)
    journey.click("Save what Engineering gives")
    asked.get_by_role("button", name="Save").click()
    expect(frame.get_by_text("now gives a profile")).to_be_visible()

    # Another token, and the end of it.
    journey.click("Make another token")
    journey.look("another-token")
    frame.get_by_role("dialog").get_by_role("button", name="Make another token").click()
    expect(frame.get_by_text("has a new token")).to_be_visible()
    assert requests.get(f"{provider.base_url}/Users", headers=provider.headers, timeout=30).status_code == 401
    journey.click("Remove this connection")
    frame.get_by_role("dialog").get_by_role("button", name="Remove it").click()
    journey.arrive("Identity provider")
    expect(frame.get_by_text("“Entra” is removed.")).to_be_visible()
    assert journey.findings == []
    assert journey.complaints == []
