"""A hook by clicking: a slip, the secret, a test, one that is refused, the log, sending again; both colours."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import screenshot
from tests.jobs.deployment import Deployment
from tests.journeys.journey import Journey

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.mark.parametrize("colours", ["light"])
def test_a_hook_from_its_form_to_the_log(
    start: Callable[[str, str], Journey], deployment: Deployment, colours: str
) -> None:
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    journey = start("jira", colours)
    frame = journey.frame

    journey.open("rollcall-app", "hooks")
    journey.arrive("Hooks")
    journey.look("no-hook-yet")
    frame.get_by_role("link", name="Add a hook").click()
    journey.arrive("New hook")
    journey.look("the-form")
    expect(frame.get_by_text("In Slack: your app")).to_be_visible()
    frame.get_by_label("Kind").select_option("jira_automation")
    expect(frame.get_by_label("Secret")).to_be_visible()
    expect(frame.get_by_text("In Slack: your app")).to_be_hidden()
    journey.look("jira-automation")
    frame.get_by_label("Kind").select_option("signed")
    expect(frame.get_by_label("Secret")).to_be_hidden()
    frame.get_by_role("textbox", name="Name").fill("Our robot")
    frame.get_by_role("textbox", name="Address").fill("https://10.0.0.7/hook")
    journey.click("Add the hook")
    expect(frame.locator("#address-problem")).to_contain_text("private network")
    expect(frame.get_by_role("textbox", name="Address")).to_be_focused()
    journey.look("a-slip")
    frame.get_by_role("textbox", name="Address").fill(f"{deployment.sandbox.hub}/hooks/demo")
    journey.click("Add the hook")
    journey.arrive("Hooks")
    expect(frame.get_by_label("Copy it now")).to_have_value(re.compile("^whsec_"))
    journey.look("the-secret")

    # A test, and one that the other side refuses.
    journey.click("Send a test to Our robot")
    expect(frame.get_by_role("status").filter(has_text="“Our robot” works")).to_be_visible()
    expect(frame.get_by_label("Copy it now")).to_have_count(0)
    journey.look("it-works")
    deployment.control("POST", "hooks/demo/answer", json={"status": 404, "times": 1})
    journey.click("Send a test to Our robot")
    expect(frame.get_by_role("alert").filter(has_text="refused it with status 404")).to_be_visible()
    journey.look("it-does-not-work")

    # What was sent links to a page inside the product.
    link = json.loads(deployment.control("GET", "hooks")[0]["body"])["data"]["link"]
    journey.page.goto(f"{deployment.sandbox.hub}/hooks")
    journey.page.goto(link)
    journey.arrive("Hooks")

    # The log, and sending again.
    frame.get_by_role("link", name="in the log").click()
    journey.arrive("Sent")
    expect(frame.get_by_role("row")).to_have_count(3)
    journey.look("the-log")
    frame.get_by_role("button", name="Send again Test").click()
    expect(frame.get_by_role("status").filter(has_text="on its way again")).to_be_visible()
    journey.look("on-its-way-again")
    deployment.wait_for(lambda: len(deployment.control("GET", "hooks")) == 3, "the worker's call")
    frame.get_by_label("State").select_option("not_sent")
    expect(frame.get_by_text("Nothing like this was sent")).to_be_visible()
    journey.look("nothing-like-this")

    # Its page, another secret, and its end.
    journey.open("rollcall-app", "hooks")
    journey.arrive("Hooks")
    frame.get_by_role("link", name="Our robot").click()
    journey.arrive("Hook “Our robot”")
    journey.look("its-page")
    journey.click("Make another secret")
    journey.look("another-secret")
    frame.get_by_role("dialog").get_by_role("button", name="Make another secret").click()
    journey.arrive("Hooks")
    expect(frame.get_by_text("has a new secret")).to_be_visible()
    journey.click("Remove Our robot")
    frame.get_by_role("dialog").get_by_role("button", name="Remove it").click()
    expect(frame.get_by_text("“Our robot” is removed.")).to_be_visible()

    # What arrived at the pretend Atlassian.
    journey.page.goto(f"{deployment.sandbox.hub}/hooks")
    expect(journey.page.get_by_role("heading", name="Hooks")).to_be_visible()
    expect(journey.page.get_by_role("navigation", name="Calls").get_by_role("link")).to_have_count(3)
    screenshot(journey.page, f"{journey.folder}/{journey.name}/the-sink")
    assert journey.findings == []
    assert journey.complaints == []
