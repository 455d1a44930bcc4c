"""What is read and pressed in small windows: nothing widens the page, cuts words off, or lies over them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import select, update

from models.people import Group
from services.profiles import Typed, save_profile
from services.protecting import protect
from tests.jobs.deployment import KEY, Deployment
from tests.journeys.journey import Journey

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

FITS = "page => page.scrollWidth <= page.clientWidth"
SHOWS_ITS_CHOICE = """select => {
    const [style, pen] = [getComputedStyle(select), document.createElement("canvas").getContext("2d")];
    pen.font = style.font;
    const words = pen.measureText(select.selectedOptions[0].text).width;
    return words + parseFloat(style.paddingLeft) + parseFloat(style.paddingRight) <= select.clientWidth - 16;
}"""
"""16: for the arrow."""
LONGEST_WORD = 9 * 16
"""Pixels for a line of words beside a button: less of them, and every word has a line of its own."""


def test_names_and_what_needs_attention_fit(
    start: Callable[[str, str], Journey], deployment: Deployment
) -> None:
    somebody = deployment.control("GET", "people?kind=employee&limit=1")[0]["account_id"]
    deployment.control("PATCH", f"people/{somebody}", json={"name": "x" * 80, "nickname": "x"})
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    ticket = "https://acme.example/servicedesk/" + "x" * 80
    protect(deployment.tools, deployment.ana, kind="person", value=somebody, reason=ticket, until="")
    with deployment.tools.begin() as session:
        session.execute(update(Group).values(name=Group.name + "x" * 80))
    deployment.control("POST", f"keys/{KEY}/expire")
    journey = start("jira", "light")
    journey.open("rollcall-app", "people?idle=180&status=not_invited")
    journey.arrive("People")
    for field in ("Activity", "Status"):
        assert journey.frame.get_by_label(field).evaluate(SHOWS_ITS_CHOICE), field
    journey.page.set_viewport_size({"width": 360, "height": 740})
    frame = journey.frame
    page = frame.locator("html")

    journey.open("rollcall-app", f"people/{somebody}")
    journey.arrive("x" * 80)
    frame.get_by_text(ticket).first.wait_for()
    assert page.evaluate(FITS)
    journey.click("They are leaving…")
    journey.arrive("x" * 80)
    journey.click("They stay…")
    asked = frame.get_by_role("dialog")
    expect(asked).to_contain_text("x" * 80)
    assert asked.evaluate(FITS)
    assert page.evaluate(FITS)

    journey.open("rollcall-app", "configure")
    journey.arrive("Configure Token")
    journey.click("Check now")
    frame.get_by_text("Rejected").wait_for()
    journey.go("Runs")
    strip = frame.locator("#strip")
    assert page.evaluate(FITS)
    stand_apart(strip.locator("p"), strip.get_by_role("link", name="Configure Token"))
    inside(strip.get_by_role("link", name="and 1 more"), strip)
    journey.look("strip")

    journey.go("Overview")
    matter = frame.locator(".attention li").first
    stand_apart(matter.locator("span").nth(1), matter.get_by_role("link"))
    journey.look("overview")

    journey.open("rollcall-get-started")
    journey.arrive("Get started")
    step = frame.locator(".stepper li").last
    stand_apart(step.locator("div"), step.get_by_role("link", name="Show them"))
    assert (journey.findings, journey.complaints) == ([], [])


def test_onboarding_fits(start: Callable[[str, str], Journey], deployment: Deployment) -> None:
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    journey = start("jira", "dark")
    frame = journey.frame
    journey.page.set_viewport_size({"width": 360, "height": 740})
    with deployment.tools.begin() as session:
        group_id = session.scalars(select(Group.group_id).where(Group.name == "contractors")).one()
    save_profile(deployment.tools, deployment.ana, None, Typed(name="Reader", groups=[group_id]))

    journey.open("rollcall-app", "onboarding")
    journey.arrive("Invite")
    seats = frame.get_by_role("list", name="Free seats")
    assert seats.get_by_role("listitem").count() > 1
    assert frame.locator("html").evaluate(FITS)
    for one in seats.get_by_role("listitem").all():
        inside(one.locator(".lozenge"), seats)
    journey.look("invite")

    frame.get_by_role("link", name="From a file").click()
    journey.arrive("From a file")
    rows = b"e-mail;profile\nnora@newcomers.example;Reader\nemil;Reader\nbob;Reader\n"
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": rows}
    frame.get_by_label("A CSV file").set_input_files(file)
    journey.click("Check the file")
    journey.arrive("Preview: 1 person")
    inside(journey.button("Download these rows to mend"), frame.locator("#bad-rows .message"))
    newcomer = frame.locator("#run-people tbody th")
    inside(newcomer.locator(".who"), newcomer)
    assert frame.locator("html").evaluate(FITS)
    journey.look("rows-to-mend")
    assert (journey.findings, journey.complaints) == ([], [])


def stand_apart(words: Locator, button: Locator) -> None:
    """The button covers none of the words, which have a line that is worth the name."""
    text, other = words.bounding_box(), button.bounding_box()
    assert text is not None
    assert other is not None
    assert text["width"] >= LONGEST_WORD
    assert text["y"] + text["height"] <= other["y"] or text["x"] + text["width"] <= other["x"]


def inside(part: Locator, whole: Locator) -> None:
    inner, outer = part.bounding_box(), whole.bounding_box()
    assert inner is not None
    assert outer is not None
    assert outer["x"] <= inner["x"]
    assert inner["x"] + inner["width"] <= outer["x"] + outer["width"]
