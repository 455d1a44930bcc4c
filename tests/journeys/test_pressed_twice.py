"""Whoever presses twice gets one deed, and whoever presses again later is heard."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from services.hooks import list_hooks
from tests.jobs.deployment import Deployment
from tests.journeys.journey import PATIENCE, Journey

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def test_pressed_twice_is_done_once(start: Callable[[str, str], Journey], deployment: Deployment) -> None:
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    journey = start("jira", "light")
    frame = journey.frame
    posts: list[str] = []
    journey.page.on("request", lambda asked: posts.append(asked.url) if asked.method == "POST" else None)

    # A run begins once, and nothing red stands above it.
    journey.open("rollcall-app", "people?idle=90")
    journey.arrive("People")
    frame.get_by_label("Select everybody on this page").check()
    journey.click("Suspend…")
    journey.arrive("Preview: suspend")
    journey.button(re.compile(r"^Suspend \d+ pe")).dblclick()
    journey.arrive(r"Suspend \d+ pe")
    expect(journey.button("Undo the run…")).to_be_visible(timeout=PATIENCE)
    expect(frame.locator("#notice")).to_be_empty()
    assert len([url for url in posts if url.endswith("/confirm")]) == 1

    # One hook is added. What was lost on the way leaves the button as it was: pressed again, it works.
    journey.open("rollcall-app", "hooks/new")
    journey.arrive("New hook")
    frame.get_by_role("textbox", name="Name").fill("Our robot")
    frame.get_by_role("textbox", name="Address").fill(f"{deployment.sandbox.hub}/hooks/demo")
    journey.page.route("**/app/hooks", lambda route: route.abort(), times=1)
    journey.click("Add the hook")
    expect(frame.get_by_role("alert")).to_contain_text("Rollcall did not answer")
    journey.button("Add the hook").dblclick()
    journey.arrive("Hooks")
    expect(frame.get_by_role("status").filter(has_text="“Our robot” is added")).to_be_visible()
    expect(frame.locator("#notice")).to_be_empty()
    journey.page.wait_for_timeout(1000)
    assert len(list_hooks(deployment.tools, deployment.ana)) == 1
    assert journey.complaints == []


def test_a_page_that_comes_late_does_not_take_the_newer_one_away(
    start: Callable[[str, str], Journey], deployment: Deployment
) -> None:
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    journey = start("jira", "light")
    frame = journey.frame
    journey.open("rollcall-app", "people")
    journey.arrive("People")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    journey.page.route("**/app/audit", hold, times=1)
    frame.locator("#tabs").get_by_role("link", name="Audit").click()
    frame.locator("[data-person]").first.check()
    journey.click("Suspend…")
    journey.arrive("Preview: suspend")
    (late,) = held
    late.continue_()
    journey.page.wait_for_timeout(1000)
    journey.arrive("Preview: suspend")
    expect(frame.locator("#notice")).to_be_empty()
    assert journey.complaints == []


def test_a_bar_whose_page_was_left_brings_that_page_no_more(
    start: Callable[[str, str], Journey], deployment: Deployment
) -> None:
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    journey = start("jira", "light")
    frame = journey.frame
    journey.open("rollcall-app", "overview")
    journey.arrive("Overview")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    journey.page.route("**/app/sync?here=*", hold, times=1)
    journey.click("Sync now")
    expect(frame.locator("#sync-progress")).to_be_visible()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the sync")
    journey.page.wait_for_timeout(1000)
    (late,) = held

    journey.go("People")
    late.continue_()
    journey.page.wait_for_timeout(1000)
    journey.arrive("People")
    expect(frame.locator("#notice")).to_be_empty()
    assert journey.complaints == []
