"""A ticket by clicking: a rule, its secret pasted into Jira Automation, a request, Review, access, the comment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import requests
from playwright.sync_api import Page, expect
from sqlalchemy import select

from models.people import Group
from models.profile import Profile
from sandbox.world import ACME, API_TOKENS
from services import credential_storing
from tests.browser import screenshot
from tests.jobs.deployment import KEY, Deployment
from tests.journeys.journey import PATIENCE, Journey

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PORTAL = "/servicedesk/customer/portal/1"
UMA = ACME.people[2].account_id


def give_profile(deployment: Deployment) -> None:
    """A profile to choose: a place in a group that is not synced."""
    tools = deployment.tools
    now = tools.clock()
    with tools.begin() as session:
        group_id = session.scalars(select(Group.group_id).where(Group.name == "contractors")).one()
        session.add(
            Profile(
                organization_id=ACME.id,
                id="7b3f9f6e-0000-4000-8000-00000000000a",
                name="Designer",
                name_key="designer",
                roles=[],
                groups=[group_id],
                days=90,
                created_by=ACME.admin.account_id,
                created_at=now,
                changed_at=now,
            )
        )


def raise_request(page: Page, base: str, kind: str) -> str:
    """Uma asks for something in the portal; the key of her request."""
    page.goto(f"{base}{PORTAL}")
    page.locator("select[name=reporter]").select_option(UMA)
    page.locator("select[name=type]").select_option(label=kind)
    page.get_by_role("button", name="Send").click()
    page.wait_for_url(f"**{PORTAL}/HELP-*")
    return page.url.rpartition("/")[2]


def prepared(
    start: Callable[[str, str], Journey], deployment: Deployment, product: str, colours: str
) -> Journey:
    """The directory is read, Jira has an API token, there is a profile, and Ana stands before the list of rules."""
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    expires_on = (datetime.now(UTC) + timedelta(days=200)).date().isoformat()
    credential_storing.store_api_token(
        deployment.tools,
        deployment.ana,
        email=API_TOKENS[0].email,
        token=API_TOKENS[0].token,
        expires_on=expires_on,
    )
    give_profile(deployment)
    journey = start(product, colours)
    if product == "confluence":
        deployment.control("POST", "install", json={"site": "acme", "product": "confluence"})
        journey.open("rollcall-app", "configure")
        journey.arrive("Configure Token")
        journey.frame.get_by_role("textbox", name="Admin API Key").fill(KEY)
        journey.click("Check and save")
        expect(journey.frame.get_by_role("status").filter(has_text="The key works")).to_be_visible()
    journey.open("rollcall-app", "onboarding/tickets")
    journey.arrive("Tickets")
    return journey


@pytest.mark.parametrize(("product", "colours"), [("jira", "light"), ("confluence", "dark")])
def test_a_request_becomes_access_and_is_answered(
    start: Callable[[str, str], Journey], deployment: Deployment, product: str, colours: str
) -> None:
    journey = prepared(start, deployment, product, colours)
    frame, page, jira = journey.frame, journey.page, deployment.sandbox.acme
    journey.look("no-rule-yet")
    frame.get_by_role("link", name="New ticket rule").click()
    journey.arrive("New ticket rule")
    frame.get_by_role("textbox", name="Name of the rule").fill("Design tools")
    frame.get_by_label("Key of the project").fill("help")
    frame.get_by_label("with one of these request types").fill("Get access to design tools")
    frame.get_by_label("The profile", exact=True).select_option(label="Designer")
    frame.get_by_label("Say on the ticket what came of it").check()
    journey.look("the-form")
    journey.click("Make the rule")
    expect(frame.locator("#domains-problem")).to_contain_text("Nobody is said to qualify")
    expect(frame.locator("#domains")).to_be_focused()
    journey.look("a-slip")
    frame.locator("#domains").fill("acme.example")
    journey.click("Make the rule")
    journey.arrive("Ticket rule “Design tools”")
    expect(frame.get_by_text("Now tell Jira Automation of it.")).to_be_visible()
    journey.look("the-guide-with-the-secret")
    pasted = {
        "Web request URL": frame.locator("#post-to").input_value(),
        "Header": frame.locator("#header-name").input_value(),
        "Value (hidden)": frame.locator("#secret").input_value(),
        "Custom data": frame.locator("#body").input_value(),
    }

    # Like an administrator, who copies from one page into the other.
    page.goto(f"{jira}/jira/settings/automation")
    for label, value in pasted.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("status")).to_contain_text("turned on")
    screenshot(page, f"{journey.folder}/{journey.name}/jira-automation")
    odd = raise_request(page, jira, "Something is broken")
    key = raise_request(page, jira, "Get access to design tools")

    journey.open("rollcall-app", "onboarding/tickets")
    journey.arrive("Tickets")
    journey.look("the-list")
    frame.get_by_role("link", name="Design tools").click()
    journey.arrive("Ticket rule “Design tools”")
    expect(frame.locator("#log table").get_by_text("Waits for an operator")).to_be_visible(timeout=PATIENCE)
    expect(frame.locator("#log table").get_by_text("Skipped")).to_be_visible(timeout=PATIENCE)
    journey.look("the-log")
    frame.get_by_label("What would happen with the ticket").fill(odd)
    journey.click("Try it")
    expect(frame.get_by_text(f"{odd} would be skipped.")).to_be_visible()
    journey.look("tried")

    # An operator agrees.
    frame.get_by_role("link", name=f"Review {key}").click()
    journey.arrive("Review")
    expect(frame.get_by_text("joins contractors")).to_be_visible()
    frame.get_by_label("Select Uma Lindqvist").check()
    journey.look("in-review")
    journey.click("Approve")
    expect(frame.get_by_text("1 person approved.")).to_be_visible()
    journey.open("rollcall-app", "onboarding/tickets")
    journey.arrive("Tickets")
    frame.get_by_role("link", name="Design tools").click()
    expect(frame.locator("#log table").get_by_text("Applied", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(frame.locator("#log table").get_by_text("Commented")).to_have_count(1, timeout=PATIENCE)
    journey.look("applied")
    frame.get_by_role("link", name=f"Its run for {key}").click()
    journey.arrive("Give access to 1 person")
    journey.look("its-run")

    # The access is there, and the ticket says so.
    with_access = [one for one in groups_of(deployment) if one == "contractors"]
    assert with_access == ["contractors"]
    page.goto(f"{jira}{PORTAL}/{key}")
    expect(page.get_by_text("The access that this ticket asks for is given. It ends on")).to_be_visible()
    screenshot(page, f"{journey.folder}/{journey.name}/the-comment")

    # Another secret ends the old one; off and deleted are said.
    journey.open("rollcall-app", "onboarding/tickets")
    journey.arrive("Tickets")
    frame.get_by_role("link", name="Design tools").click()
    journey.arrive("Ticket rule “Design tools”")
    journey.click("Make another secret")
    frame.get_by_role("dialog").get_by_role("button", name="Make another secret").click()
    expect(frame.get_by_text("The one before it opens nothing any more.")).to_be_visible()
    assert deployment.control("POST", f"tickets/{key}/send")["status"] == 401
    frame.get_by_role("switch", name="Design tools is on").click()
    expect(frame.get_by_text("“Design tools” is off: it takes no tickets.")).to_be_visible()
    journey.look("off")
    frame.get_by_label("Onboarding").get_by_role("link", name="Tickets").click()
    journey.arrive("Tickets")
    journey.click("Delete Design tools")
    frame.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    expect(frame.get_by_text("“Design tools” is deleted.")).to_be_visible()
    assert journey.findings == []
    assert journey.complaints == []


def groups_of(deployment: Deployment) -> list[str]:
    """The groups that Uma really is in, at Atlassian."""
    address = f"{deployment.sandbox.hub}/admin/v2/orgs/{ACME.id}/directories/{ACME.directory_id}/users/search"
    found = requests.post(
        address,
        json={"accountIds": [UMA], "expand": ["groups"]},
        headers={"Authorization": f"Bearer {KEY}"},
        timeout=30,
    ).json()
    return [group["name"] for group in found["data"][0]["groups"]]
