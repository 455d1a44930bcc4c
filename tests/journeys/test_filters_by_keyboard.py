"""Filters by keyboard: what is being typed stays, and so does the focus, while the results follow."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Request, expect

from tests.jobs.deployment import Deployment
from tests.journeys.journey import Journey

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def test_a_date_is_typed_to_its_end_and_the_next_field_is_reached(
    start: Callable[[str, str], Journey], deployment: Deployment
) -> None:
    deployment.configure()
    journey = start("jira", "light")
    frame, page = journey.frame, journey.page
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/app/audit?" in request.url:
            asked.append(request.url)

    page.on("request", note)
    journey.open("rollcall-app", "audit")
    journey.arrive("Audit")
    expect(frame.get_by_role("region", name="Audit entries")).to_be_visible()
    since, until = frame.get_by_label("From"), frame.get_by_label("To", exact=True)
    since.focus()
    page.keyboard.type("05032020", delay=120)
    expect(since).to_have_value("2020-05-03")
    page.keyboard.press("Tab")  # to the button of its calendar
    page.keyboard.press("Tab")
    expect(until).to_be_focused()
    page.keyboard.type("05042020", delay=120)
    expect(frame.get_by_role("heading", name="No entry matches")).to_be_visible()
    expect(until).to_be_focused()
    assert [since.input_value(), until.input_value()] == ["2020-05-03", "2020-05-04"]
    assert asked
    assert not [each for each in asked if "=0" in each], "no year is asked for before it is whole"
    expect(frame.locator("#export")).to_have_attribute(
        "data-download", "/app/audit/export?since=2020-05-03&until=2020-05-04"
    )
    assert "audit?since=2020-05-03&until=2020-05-04" in page.url

    # A slip is said beside its field, and gone with it.
    frame.get_by_label("Person").fill("zzzz")
    page.keyboard.press("Enter")
    expect(frame.locator("#person-said")).to_contain_text("Nobody of this name is in the directory.")
    expect(frame.get_by_label("Person")).to_be_focused()
    journey.look("a-slip")
    # A file of it cannot be made, for the same reason.
    journey.click("Export CSV")
    expect(frame.locator("#notice")).to_contain_text("Nobody of this name is in the directory.")
    frame.get_by_label("Person").fill("")
    page.keyboard.press("Tab")
    expect(frame.locator("#person-said")).to_have_text("")
    expect(frame.get_by_label("Done by")).to_be_focused()
    journey.open("rollcall-app", "audit")
    journey.arrive("Audit")
    page.route("**/app/audit/export*", lambda route: route.abort(), times=1)
    journey.click("Export CSV")
    expect(frame.locator("#notice")).to_contain_text("Rollcall did not answer.")
    with page.expect_download():
        journey.click("Export CSV")
    expect(frame.locator("#notice")).to_be_empty()

    # So it is with what was sent.
    journey.open("rollcall-app", "sent")
    journey.arrive("Sent")
    frame.get_by_label("State").focus()
    frame.get_by_label("State").select_option("Not sent")
    expect(frame.get_by_role("heading", name="Nothing like this was sent")).to_be_visible()
    expect(frame.get_by_label("State")).to_be_focused()
    assert page.url.endswith("sent?state=not_sent")
    assert journey.findings == []
    assert journey.complaints == []


def test_what_is_wrong_with_a_filter_is_said_until_it_is_right(
    start: Callable[[str, str], Journey], deployment: Deployment
) -> None:
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    journey = start("jira", "light")
    frame, page = journey.frame, journey.page
    notice = frame.locator("#notice")
    journey.open("rollcall-app", "people")
    journey.arrive("People")
    frame.get_by_label("Activity").select_option("Idle for …")
    expect(page).to_have_url(re.compile(r"#!people\?idle=45$"))
    days = frame.get_by_label("Idle for at least … days")
    for odd in ("0", "99999"):
        days.fill(odd)
        page.keyboard.press("Tab")
        expect(notice).to_contain_text("Idle days must be a number from 1 to 3650.")
        expect(notice).to_contain_text("Trace id")
        journey.look(f"days-{odd}")
        days.fill("60")
        page.keyboard.press("Tab")
        expect(page).to_have_url(re.compile(r"#!people\?idle=60$"))
        expect(notice).to_be_empty()
    assert (journey.findings, journey.complaints) == ([], [])
