"""The whole main job by clicking, in both products and both colours: what an administrator does on the first day.

Screenshots of every step are kept in screenshots/, for people to look at.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from rules.deeds import Deed
from services import previews, runs
from tests.jobs.deployment import KEY, Deployment
from tests.journeys.conftest import PEOPLE
from tests.journeys.journey import PATIENCE, Journey

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.mark.parametrize(("product", "colours"), [("jira", "light"), ("confluence", "dark")])
def test_install_configure_sync_suspend_undo_audit(
    start: Callable[[str, str], Journey], deployment: Deployment, product: str, colours: str
) -> None:
    journey = start(product, colours)
    frame = journey.frame

    # Install: the product opens what the app has to say first.
    deployment.control("POST", "uninstall", json={"site": "acme", "product": "jira"})
    journey.page.wait_for_timeout(1100)  # Atlassian's tokens count in seconds: an install must be newer
    journey.page.goto(f"{journey.base}/")
    journey.page.get_by_role("button", name="Install Rollcall").click()
    journey.arrive("Get started")
    journey.look("get-started")
    frame.get_by_role("link", name="Configure Token").first.click()

    # A wrong key, then a right one.
    key = frame.get_by_role("textbox", name="Admin API Key")
    journey.arrive("Configure Token")
    key.fill(KEY[:-1] + "x")
    journey.click("Check and save")
    expect(frame.locator("#key-problem")).to_contain_text("Atlassian rejects this key")
    expect(key).to_be_focused()
    expect(key).to_have_value("")
    journey.look("wrong-key")
    key.fill(KEY)
    beside = frame.get_by_role("textbox", name="API Token")
    beside.fill("ATATT3-shown-only-once")
    journey.click("Check and save")
    expect(frame.get_by_role("status").filter(has_text="The key works")).to_be_visible()
    expect(beside).to_have_value("ATATT3-shown-only-once")
    journey.look("right-key")

    # The first sync has started by itself.
    journey.go("Overview")
    expect(frame.get_by_text("Who uses what")).to_be_visible(timeout=PATIENCE)
    expect(frame.locator("#sync-progress")).to_have_count(0, timeout=PATIENCE)
    expect(frame.locator(".figure").first).to_contain_text(f"{PEOPLE:,}")
    expect(frame.locator("html")).to_have_attribute("data-color-mode", colours)
    journey.look("overview")

    # Who is idle, and one of them. The host's address leads back to the filter.
    journey.go("People")
    journey.look("people")
    frame.get_by_role("link", name="Idle 90 days").click()
    expect(journey.page).to_have_url(re.compile(r"#!people\?idle=90$"))
    frame.get_by_label("Status").select_option("active")
    expect(journey.page).to_have_url(re.compile(r"#!people\?idle=90&status=active$"))
    journey.look("people-idle")
    frame.locator("tbody a").first.click()
    expect(frame.get_by_text("Access and activity")).to_be_visible()
    journey.look("person")
    journey.page.go_back()
    journey.arrive("People")
    expect(frame.get_by_label("Activity")).to_have_value("90")

    # Preview and suspend.
    frame.get_by_label("Select everybody on this page").check()
    journey.look("people-selected")
    journey.click("Suspend…")
    journey.arrive("Preview: suspend")
    confirm = journey.button(re.compile(r"^Suspend \d+ pe"))
    number = int(re.sub(r"\D", "", confirm.inner_text()))
    journey.look("preview")
    confirm.click()
    journey.arrive(f"Suspend {number} pe")
    journey.look("run")
    expect(journey.button("Undo the run…")).to_be_visible(timeout=PATIENCE)
    expect(frame.locator("#run-progress")).to_contain_text(f"{number} suspended")
    assert sum(each["suspend"] for each in deployment.control("GET", "effects").values()) == number
    journey.look("run-finished")

    # Undo.
    journey.click("Undo the run…")
    journey.arrive("Preview: take the run back")
    journey.look("undo-preview")
    journey.button(re.compile(rf"^Restore {number} pe")).click()
    journey.arrive("Undo: restore")
    expect(frame.locator("#run-progress[hx-get]")).to_have_count(0, timeout=PATIENCE)
    expect(frame.locator("#run-progress")).to_contain_text(f"{number} restored")
    assert sum(each["restore"] for each in deployment.control("GET", "effects").values()) == number
    journey.look("undo-finished")
    journey.go("Runs")
    expect(frame.get_by_text("Taken back")).to_be_visible()
    journey.look("runs")

    # Everything is in the audit, and the audit can be taken along.
    journey.go("Audit")
    expect(frame.get_by_text("Suspended a person").first).to_be_visible()
    expect(frame.get_by_text("Admin API key: Atlassian rejects it")).to_be_visible()
    journey.look("audit")
    with journey.page.expect_download() as download:
        journey.click("Export CSV")
    assert download.value.suggested_filename == "rollcall-audit.csv"
    assert "case:acted" in Path(download.value.path()).read_text(encoding="utf-8-sig")

    # A bookmark opens the place at once; no cookie was set on the way.
    journey.open("rollcall-app", "people?idle=90")
    journey.arrive("People")
    expect(frame.get_by_label("Activity")).to_have_value("90")
    host = deployment.environment["BASE_URL"]
    assert journey.page.context.cookies(host) == []
    assert journey.findings == []
    assert journey.complaints == []


def test_by_keyboard_alone(start: Callable[[str, str], Journey], deployment: Deployment) -> None:
    """Skip link, dialog and selection without a mouse."""
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    journey = start("jira", "light")
    frame = journey.frame
    journey.open("rollcall-app", "configure")
    journey.arrive("Configure Token")

    forget = journey.button("Forget")
    forget.focus()
    journey.page.keyboard.press("Enter")
    expect(frame.get_by_role("dialog", name="Forget the Admin API Key?")).to_be_visible()
    journey.page.keyboard.press("Escape")
    expect(frame.get_by_role("dialog")).to_have_count(0)
    expect(forget).to_be_focused()

    people = frame.locator("#tabs").get_by_role("link", name="People", exact=True)
    people.focus()
    journey.page.keyboard.press("Enter")
    journey.arrive("People")
    expect(frame.locator("main h1")).to_be_focused()
    frame.locator("[data-person]").nth(2).focus()
    journey.page.keyboard.press("Space")
    expect(frame.locator("#selection-count")).to_have_text("1 selected")
    frame.get_by_role("link", name="Next →").press("Enter")
    expect(frame.get_by_text("Page 2 of")).to_be_visible()
    expect(frame.locator("#selection-count")).to_have_text("1 selected")
    frame.get_by_label("Search").fill("ana")
    expect(frame.get_by_label("Search")).to_be_focused()
    expect(frame.locator("#selection-count")).to_have_text("Nobody selected")


def test_a_selection_ends_with_the_deed_it_was_made_for(
    start: Callable[[str, str], Journey], deployment: Deployment
) -> None:
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    journey = start("jira", "light")
    frame = journey.frame
    count = frame.locator("#selection-count")
    journey.open("rollcall-app", "people")
    journey.arrive("People")
    frame.get_by_label("Select everybody on this page").check()
    selected = count.inner_text()

    # A preview that is left leaves the selection as it was; the deed ends it.
    journey.click("Suspend…")
    journey.arrive("Preview: suspend")
    frame.get_by_role("link", name="Cancel").click()
    journey.arrive("People")
    expect(count).to_have_text(selected)
    journey.click("Suspend…")
    journey.arrive("Preview: suspend")
    journey.button(re.compile(r"^Suspend \d+ pe")).click()
    journey.arrive(r"^Suspend \d+ pe")
    journey.go("People")
    journey.arrive("People")
    expect(count).to_have_text("Nobody selected")

    # So it is with a filter: who looks at a preview, or at one of them, comes back to the same list.
    journey.open("rollcall-app", "people?idle=30&sort=seen&page=2")
    expect(frame.get_by_text("Page 2 of")).to_be_visible()
    frame.locator("[data-person]").nth(2).check()
    journey.click("Suspend…")
    journey.arrive("Preview: suspend")
    frame.get_by_role("link", name="Cancel").click()
    expect(frame.get_by_text("Page 2 of")).to_be_visible()
    expect(journey.page).to_have_url(re.compile(r"#!people\?idle=30&sort=seen&page=2$"))
    expect(count).to_have_text("1 selected")
    frame.locator("tbody a").first.click()
    expect(frame.get_by_text("Access and activity")).to_be_visible()
    frame.get_by_role("link", name="← People").click()
    expect(frame.get_by_text("Page 2 of")).to_be_visible()
    expect(count).to_have_text("1 selected")

    # The list of leavers ends it, too, but no run of somebody else.
    journey.go("People")
    expect(count).to_have_text("Nobody selected")
    for number in (2, 3):
        frame.locator("[data-person]").nth(number).check()
    frame.get_by_role("link", name="Next →").click()
    expect(frame.get_by_text("Page 2 of")).to_be_visible()
    somebody = frame.locator("tbody a").first
    name = somebody.inner_text()
    somebody.click()
    journey.arrive(re.escape(name))
    journey.click("Suspend…")
    journey.arrive("Preview: suspend")
    journey.go("People")
    journey.arrive("People")
    expect(count).to_have_text("2 selected")
    journey.click("They are leaving…")
    journey.arrive("Leavers")
    journey.go("People")
    journey.arrive("People")
    expect(count).to_have_text("Nobody selected")
    assert journey.complaints == []


def test_one_lost_answer_is_forgotten_when_the_next_one_comes(
    start: Callable[[str, str], Journey], deployment: Deployment
) -> None:
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    tools, ana = deployment.tools, deployment.ana
    run_id = previews.preview(tools, ana, Deed.SUSPEND, account_ids=None, filter=None)
    deployment.kill_worker()
    runs.confirm(tools, ana, run_id)
    journey = start("jira", "light")
    page, notice = journey.page, journey.frame.locator("#notice")
    journey.open("rollcall-app", f"runs/{run_id}")
    journey.arrive("Suspend")

    # The bar asks every second.
    page.route("**/progress*", lambda route: route.abort(), times=1)
    expect(notice).to_contain_text("Rollcall did not answer")
    expect(notice).to_be_empty()

    # What somebody pressed is another matter: the bar's answers do not say that it was done.
    page.route("**/stop", lambda route: route.abort(), times=1)
    journey.click("Stop")
    journey.click("Stop the run")
    expect(notice).to_contain_text("Rollcall did not answer")
    for _time in range(2):
        with page.expect_response("**/progress*"):
            pass
    expect(notice).to_contain_text("Rollcall did not answer")
    journey.click("Stop")
    journey.click("Stop the run")
    expect(journey.frame.locator(".page-head")).to_contain_text("Stopped")
    expect(notice).to_be_empty()
    assert journey.complaints == []


@pytest.mark.parametrize("colours", ["dark"])
def test_what_needs_attention_is_flagged_once_and_stands_on_every_page(
    start: Callable[[str, str], Journey], deployment: Deployment, colours: str
) -> None:
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    deployment.control("POST", f"keys/{KEY}/expire")
    journey = start("jira", colours)
    strip = journey.frame.locator("#strip")
    journey.open("rollcall-app", "configure")
    journey.arrive("Configure Token")
    expect(strip).to_contain_text("hold seats and have not been seen for 90 days.")
    journey.click("Check now")
    expect(journey.frame.get_by_text("Rejected")).to_be_visible()
    journey.go("Overview")
    expect(strip).to_be_hidden()
    badge = journey.frame.locator("#tabs").get_by_role("link", name="Overview").locator(".badge")
    expect(badge).to_contain_text("1")
    flag = journey.page.locator("#flags").get_by_text("Rollcall needs your attention")
    expect(flag).to_be_visible()
    journey.look("flag")
    journey.go("Runs")
    expect(strip).to_contain_text("The Admin API key is of no use any more: nothing is read or done.")
    expect(strip).to_contain_text("and 1 more")
    journey.look("strip")
    journey.go("Overview")
    expect(flag).to_have_count(1)
    journey.page.reload()
    journey.arrive("Overview")
    expect(flag).to_have_count(0)
    journey.go("Runs")
    strip.get_by_role("link", name="Configure Token").click()
    journey.arrive("Configure Token")
    assert (journey.findings, journey.complaints) == ([], [])


def test_a_crafted_bookmark_brings_nothing_but_places(
    start: Callable[[str, str], Journey], deployment: Deployment
) -> None:
    """What stands in the host's address is anybody's: it may name a place of ours and nothing else."""
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    journey = start("jira", "light")
    asked: list[str] = []
    journey.page.on("request", lambda request: asked.append(request.url))

    # A file is no page: names in it would be read as markup.
    journey.open("rollcall-app", "people/export")
    expect(journey.frame.get_by_role("alert")).to_contain_text("Rollcall did not answer")
    journey.arrive("Overview")
    for address in ("../pages/app", "..//127.0.0.1:9/evil", "%2e%2e/healthz"):
        journey.page.goto("about:blank")
        journey.open("rollcall-app", address)
        journey.arrive("Overview")
        journey.page.wait_for_timeout(500)
    assert [url for url in asked if "evil" in url.split("#")[0] or "healthz" in url.split("#")[0]] == []
