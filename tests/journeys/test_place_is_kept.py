"""What an answer takes away is not what somebody typed, and not their place on the page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from rules.templates import TEMPLATES
from services.rule_runs import run_now
from services.rules import save_rule, switch_on
from tests.jobs.deployment import Deployment
from tests.journeys.journey import PATIENCE, Journey

FITS = "page => page.scrollWidth <= page.clientWidth"
IS_IN_ITS_ROW = """tab => {
  const [row, place] = [tab.parentElement, tab].map((element) => element.getBoundingClientRect());
  return row.left <= place.left && place.right <= row.right;
}"""

APART = """strip => {
  const places = [...strip.querySelectorAll("p, .button, .more")].map((each) => each.getBoundingClientRect());
  const [text, ...ways] = places, end = strip.getBoundingClientRect().right;
  return ways.length === 2 && ways.every((way) => way.right <= end)
    && ways.every((way) => way.left >= text.right || way.top >= text.bottom);
}"""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def test_words_focus_and_tab_stay(start: Callable[[str, str], Journey], deployment: Deployment) -> None:
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    journey = start("jira", "light")
    frame = journey.frame

    # What was written beside a suspension stays while its list is looked through, and when a day is refused.
    journey.open("rollcall-app", "people")
    journey.arrive("People")
    journey.click(re.compile("^Select all"))
    journey.click("Suspend…")
    journey.arrive("Preview: suspend")
    note, day = frame.get_by_label("Note"), frame.get_by_label("Last day")
    note.fill("Sabbatical")
    day.fill("2020-03-01")
    guarded = frame.locator("#run-chips").get_by_role("link", name="Guarded")
    guarded.click()
    expect(guarded).to_have_attribute("aria-current", "true")
    journey.button(re.compile(r"^Suspend \d+ pe")).click()
    expect(frame.locator("#ends_on-problem")).to_contain_text("lies in the past")
    guarded.click()
    expect(guarded).to_have_attribute("aria-current", "true")
    expect(note).to_have_value("Sabbatical")
    day.fill("2099-03-01")
    journey.button(re.compile(r"^Suspend \d+ pe")).click()
    journey.arrive(r"^Suspend \d+ pe")
    expect(frame.get_by_text("Sabbatical")).to_be_visible()

    # A page that asks by itself draws its parts anew: whoever stands on one of them goes on standing there.
    everybody = frame.locator("#run-chips").get_by_role("link", name="Everybody")
    everybody.focus()
    expect(journey.button("Undo the run…")).to_be_visible(timeout=PATIENCE)
    expect(everybody).to_be_focused()

    # So it is with a card whose button is gone, when nothing in it is wrong.
    journey.open("rollcall-app", "configure")
    journey.arrive("Configure Token")
    frame.locator("#admin-key").get_by_role("button", name="Replace").click()
    expect(frame.locator("#admin-key-title")).to_be_focused()
    deployment.control("POST", "faults", json={"match": "^/admin/", "kind": "503", "times": 9})
    frame.locator("#key").fill("ATCTT3-sandbox-acme-admin-key-7f3Kq9Zt2LxV")
    journey.click("Check and save")
    expect(frame.locator("#admin-key").get_by_role("alert")).to_contain_text("Atlassian could not be reached")
    expect(frame.locator("#admin-key-title")).to_be_focused()

    # In a narrow window the tab one is on is in sight.
    journey.page.set_viewport_size({"width": 600, "height": 900})
    journey.open("rollcall-app", "audit")
    journey.arrive("Audit")
    assert frame.locator("#tabs [aria-current]").evaluate(IS_IN_ITS_ROW)
    # A wide table scrolls by itself, and never the page.
    journey.open("rollcall-app", "onboarding")
    journey.arrive("Invite")
    page = frame.locator("html")
    assert page.evaluate(FITS)
    # So does the form of a rule fit a narrow frame, with all that it asks of a suspension that ends.
    journey.open("rollcall-app", "rules/new")
    journey.arrive("New rule")
    frame.locator("#steps-0-pause").fill("30")
    frame.locator("#steps-0-pause").press("Tab")
    expect(frame.get_by_label("then they are restored by themselves")).to_be_visible()
    journey.page.add_style_tag(content="iframe { width: 420px !important; }")
    expect(page).to_have_js_property("clientWidth", 420)
    assert page.evaluate(FITS)

    # What is wrong may be a choice of several: the first of them is where it is mended.
    journey.open("rollcall-app", "onboarding/profiles/new?example=contractor")
    journey.arrive("New profile")
    journey.click("Save")
    journey.arrive("Profiles")
    # A question that is asked low in the window has its buttons in the window.
    remove = frame.get_by_role("button", name="Remove Contractor")
    place = remove.bounding_box()
    assert place is not None
    journey.page.set_viewport_size({"width": 600, "height": round(place["y"] + place["height"]) + 10})
    remove.click()
    expect(frame.get_by_role("button", name="Remove it")).to_be_in_viewport(ratio=1)
    journey.click("Keep it")
    journey.open("rollcall-app", "onboarding")
    journey.arrive("Invite")
    frame.get_by_label("E-mail addresses").fill("new.one@acme.example")
    journey.click("Show the preview")
    expect(frame.get_by_role("checkbox", name="Contractor")).to_be_focused()
    assert journey.complaints == []


def test_a_telephone_shows_what_needs_somebody_and_the_longest_name(
    start: Callable[[str, str], Journey], deployment: Deployment
) -> None:
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    tools, ana = deployment.tools, deployment.ana
    rule_id = save_rule(tools, ana, {**TEMPLATES[0].data, "name": "W" * 100})
    switch_on(tools, ana, rule_id)
    run_now(tools, ana, rule_id)
    journey = start("jira", "light")
    frame = journey.frame
    journey.page.set_viewport_size({"width": 360, "height": 780})
    for address in ("rules", f"rules/{rule_id}"):
        journey.open("rollcall-app", address)
        journey.arrive("Rules|W")
        strip = frame.locator("#strip")
        expect(strip).to_contain_text("wait for your decision")
        assert strip.evaluate(APART)
        assert frame.locator("html").evaluate(FITS)
    assert journey.complaints == []
