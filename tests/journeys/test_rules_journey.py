"""A rule's whole life by clicking, in both products and both colours: template, preview, run, stop, undo, audit.

What is the same page in both products is walked in one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect
from sqlalchemy import select

from models.people import Group
from models.run import Case
from rules.templates import TEMPLATES
from services.rule_runs import mark_seen, preview_rule, run_now
from services.rules import save_rule, switch_on
from services.run_progress import show_run
from tests.jobs.deployment import KEY, Deployment
from tests.journeys.journey import PATIENCE, Journey

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

BROKEN = """rules:
  - name: Broken
    mode: lives
    steps:
      - when: {not_seen: -60}
        then: {deed: suspend}
"""


def read(deployment: Deployment) -> None:
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")


def enter(
    start: Callable[[str, str], Journey], deployment: Deployment, product: str, colours: str
) -> Journey:
    """The directory is read, and the administrator stands before this product, which knows the key."""
    read(deployment)
    journey = start(product, colours)
    if product == "confluence":
        deployment.control("POST", "install", json={"site": "acme", "product": "confluence"})
        journey.open("rollcall-app", "configure")
        journey.arrive("Configure Token")
        journey.frame.get_by_role("textbox", name="Admin API Key").fill(KEY)
        journey.click("Check and save")
        expect(journey.frame.get_by_role("status").filter(has_text="The key works")).to_be_visible()
        deployment.wait_for(lambda: deployment.sync().state == "complete", "the sync")
    return journey


@pytest.mark.parametrize(("product", "colours"), [("jira", "dark"), ("confluence", "light")])
def test_the_ladder_from_its_template_to_the_audit(
    start: Callable[[str, str], Journey], deployment: Deployment, product: str, colours: str
) -> None:
    journey = enter(start, deployment, product, colours)
    frame = journey.frame

    # From the template to a live rule without a grace and without a brake. A slip is said at its field.
    journey.open("rollcall-app", "rules")
    journey.arrive("Rules")
    journey.look("no-rule-yet")
    frame.get_by_role("link", name="Idle ladder").click()
    journey.arrive("New rule")
    journey.look("the-form")
    grace = frame.locator("#steps-1-grace")
    grace.fill("-1")
    journey.click("Make the rule")
    expect(grace).to_be_focused()
    expect(frame.locator("#steps-1-grace-problem")).to_contain_text("cannot be negative")
    journey.look("a-slip")
    grace.fill("0")
    frame.get_by_label("Live").check()
    for limit in ("number", "share"):
        frame.locator(f"#brake-{limit}-none").check()
        expect(frame.locator(f"#brake-{limit}")).to_have_count(0)
    expect(
        frame.get_by_text("those who have not been seen for 90 days are suspended, without")
    ).to_be_visible()
    journey.look("the-form-filled-in")
    journey.click("Make the rule")
    journey.arrive("Idle ladder")
    expect(frame.get_by_role("switch")).to_be_disabled()
    journey.look("the-rule")

    # The preview has everybody; looked at, the rule may be switched on.
    journey.click("Look at a preview")
    journey.arrive("Preview: Idle ladder")
    chosen = int(frame.locator(".figure b").first.inner_text())
    assert chosen > 10
    journey.look("the-preview")
    frame.get_by_label("Search").fill("an")
    expect(frame.locator("#run-people .table-foot")).not_to_contain_text(f"of {chosen}")
    expect(frame.get_by_label("Search")).to_be_focused()
    journey.click("Switch on")
    expect(frame.get_by_role("switch")).to_have_attribute("aria-checked", "true")

    # Run it, watch people warned and suspended, and stop it half-way: Atlassian has just asked us to wait.
    busy = {"match": "/suspend$", "kind": "429", "seconds": 15, "skip": 3, "times": None}
    deployment.control("POST", "faults", json=busy)
    journey.click("Run now")
    journey.look("are-you-sure")
    journey.click("Run it")
    progress = frame.locator("#run-progress")
    expect(frame.locator("#run-rows")).to_contain_text("Warned", timeout=PATIENCE)
    expect(frame.locator("#run-rows")).to_contain_text("Suspended", timeout=PATIENCE)
    expect(progress).to_contain_text("Atlassian asked us to wait")
    journey.look("running")
    journey.click("Stop")
    journey.click("Stop the run")
    expect(frame.locator(".page-head")).to_contain_text("Stopped")
    deployment.control("DELETE", "faults")
    expect(frame.locator("#run-chips")).to_contain_text("Not reached")
    journey.look("stopped")

    # Undo what it did.
    expect(frame.locator("#run-rows .lozenge").filter(has_text="In progress")).to_have_count(
        0, timeout=PATIENCE
    )
    journey.page.wait_for_timeout(2500)
    journey.click("Undo the run…")
    journey.arrive("Preview: take the run back")
    journey.button(re.compile(r"^Restore \d+ pe")).click()
    journey.arrive("Undo: Idle ladder")
    expect(frame.locator("#run-progress[hx-get]")).to_have_count(0, timeout=PATIENCE)
    expect(progress).to_contain_text("restored")
    journey.look("taken-back")
    effects = deployment.control("GET", "effects").values()
    assert sum(each["suspend"] for each in effects) == sum(each["restore"] for each in effects) > 0

    # The audit tells it all.
    journey.go("Audit")
    for sentence in (
        "Made a rule",
        "Switched a rule on",
        "Started a run",
        "Warned a person",
        "Stopped a run",
    ):
        frame.get_by_label("What", exact=True).select_option(label=sentence)
        expect(frame.locator("tbody tr").first).to_contain_text(sentence)
    journey.look("audit")
    journey.go("Rules")
    expect(frame.locator(".rule-list")).to_contain_text("Stopped")
    journey.look("rules")
    assert journey.findings == []
    assert journey.complaints == []


@pytest.mark.parametrize(("product", "colours"), [("jira", "dark")])
def test_review_by_keyboard_alone(
    start: Callable[[str, str], Journey], deployment: Deployment, product: str, colours: str
) -> None:
    journey = enter(start, deployment, product, colours)
    tools, ana = deployment.tools, deployment.ana
    rule_id = save_rule(tools, ana, TEMPLATES[0].data)
    switch_on(tools, ana, rule_id)
    run_now(tools, ana, rule_id)
    frame, press = journey.frame, journey.page.keyboard.press
    journey.open("rollcall-app", "review")
    journey.arrive("Review")
    badge = frame.locator("#tabs .badge")
    waiting = int(re.sub(r"\D", "", badge.inner_text()))
    journey.look("queue")

    frame.locator("main h1").focus()
    boxes = frame.locator("[data-case]")
    # On no row and with nobody selected, a deed is about nobody.
    press("a")
    press("x")
    journey.page.wait_for_timeout(500)
    expect(frame.locator("#review-count")).to_have_text("Nobody selected")
    expect(frame.get_by_role("status").filter(has_text="approved")).to_have_count(0)
    press("j")
    expect(boxes.nth(0)).to_be_focused()
    press("j")
    press("k")
    press("x")
    expect(frame.locator("#review-count")).to_have_text("1 selected")
    press("j")
    press("x")
    expect(frame.locator("#review-count")).to_have_text("2 selected")
    journey.look("two-selected")
    press("a")
    expect(frame.get_by_role("status").filter(has_text="2 people approved.")).to_be_visible()
    expect(badge).to_contain_text(str(waiting - 2))
    expect(boxes.nth(1)).to_be_focused()
    press("h")
    expect(frame.get_by_role("status").filter(has_text="1 person on hold.")).to_be_visible()
    press("n")
    note = frame.get_by_label("Note, for other operators")
    expect(note).to_be_visible()
    # In a field the keys are letters.
    note.press_sequentially("ask her manager")
    expect(note).to_have_value("ask her manager")
    journey.look("note")
    journey.click("Write it")
    expect(frame.get_by_text("Note: ask her manager")).to_be_visible()
    press("p")
    expect(frame.get_by_role("dialog", name="Protect and leave alone")).to_be_visible()
    press("Escape")
    expect(frame.get_by_role("dialog")).to_have_count(0)
    # Whoever leaves the question is where they were, and nobody is selected for the next one.
    expect(boxes.nth(1)).to_be_focused()
    expect(frame.locator("#review-count")).to_have_text("Nobody selected")
    press("p")
    frame.get_by_label("Why").fill("Parental leave")
    journey.look("protect")
    frame.get_by_role("dialog").get_by_role("button", name="Protect", exact=True).click()
    expect(frame.get_by_role("status").filter(has_text="protected and left alone")).to_be_visible()
    journey.look("protected")
    # Whoever holds a key down has decided once.
    boxes.nth(1).focus()
    journey.page.keyboard.down("a")
    expect(frame.get_by_role("status").filter(has_text="1 person approved.")).to_be_visible()
    for _ in range(5):
        journey.page.keyboard.down("a")
        journey.page.wait_for_timeout(200)
    journey.page.keyboard.up("a")
    expect(badge).to_contain_text(str(waiting - 4))
    # Whoever goes on while an answer is on its way stays on whom they have gone to.
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    journey.page.route("**/app/review/approve", hold, times=1)
    boxes.nth(0).focus()
    following = boxes.nth(1).get_attribute("value")
    press("a")
    press("j")
    expect(boxes.nth(1)).to_be_focused()
    while not held:
        journey.page.wait_for_timeout(50)
    held[0].continue_()
    expect(badge).to_contain_text(str(waiting - 5))
    expect(frame.locator(f'[data-case][value="{following}"]')).to_be_focused()
    # Switched off, the keys are silent, and stay so when the next people are shown.
    keys = frame.get_by_label("Keys")
    keys.uncheck()
    press("a")
    expect(badge).to_contain_text(str(waiting - 5))
    boxes.first.check()
    journey.click("Hold")
    expect(frame.get_by_role("status").filter(has_text="1 person on hold.")).to_be_visible()
    expect(keys).not_to_be_checked()
    boxes.first.focus()
    press("x")
    expect(frame.locator("#review-count")).to_have_text("Nobody selected")

    journey.open("rollcall-app", "protected")
    journey.arrive("Protected")
    expect(frame.locator("tbody")).to_contain_text("Parental leave")
    frame.get_by_label("What", exact=True).select_option("domain")
    frame.get_by_label("Domain").fill("partner.example")
    frame.get_by_label("Why").fill("A partner")
    journey.click("Protect")
    expect(frame.get_by_role("status").filter(has_text="partner.example is protected.")).to_be_visible()
    journey.look("the-list")
    assert journey.findings == []
    assert journey.complaints == []


@pytest.mark.parametrize(("product", "colours"), [("jira", "light")])
def test_a_broken_file_is_answered_in_sentences(
    start: Callable[[str, str], Journey], deployment: Deployment, product: str, colours: str
) -> None:
    journey = enter(start, deployment, product, colours)
    frame = journey.frame
    journey.open("rollcall-app", "rules")
    journey.arrive("Rules")
    frame.get_by_role("link", name="Import YAML").click()
    journey.arrive("Import rules")
    frame.get_by_label("A YAML file").set_input_files(
        {"name": "rules.yaml", "mimeType": "application/yaml", "buffer": BROKEN.encode()}
    )
    journey.click("Check and import")
    problems = frame.get_by_role("alert").filter(has_text="Nothing was imported: 2 things to mend.")
    expect(problems).to_contain_text("Did you mean “live”?")
    expect(problems).to_contain_text("Days cannot be negative")
    journey.look("broken")
    frame.get_by_label("Or paste it here").fill(BROKEN.replace("lives", "live").replace("-60", "60"))
    journey.click("Check and import")
    journey.arrive("Rules")
    expect(frame.get_by_role("status").filter(has_text="1 rule is imported")).to_be_visible()
    with journey.page.expect_download() as download:
        journey.click("Export YAML")
    assert download.value.suggested_filename == "rollcall-rules.yaml"
    assert journey.findings == []
    assert journey.complaints == []


@pytest.mark.parametrize(("product", "colours"), [("confluence", "light")])
def test_the_calendar_moves_the_dates_of_the_form(
    start: Callable[[str, str], Journey], deployment: Deployment, product: str, colours: str
) -> None:
    journey = enter(start, deployment, product, colours)
    frame = journey.frame
    journey.open("rollcall-app", "calendar")
    journey.arrive("Calendar")
    frame.get_by_label("Time zone").select_option("Asia/Tokyo")
    frame.get_by_label("Billing day").fill("14")
    journey.click("Save")
    expect(frame.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    journey.look("calendar")
    frame.get_by_role("link", name="Rules", exact=True).last.click()
    frame.get_by_role("link", name="Start empty").click()
    journey.arrive("New rule")
    frame.get_by_label("How often").select_option("billing")
    dates = frame.locator(".next-dates li")
    expect(dates).to_have_count(5)
    expect(dates.first).to_contain_text("11 ")
    frame.get_by_label("Days before the billing date").fill("4")
    frame.get_by_label("Time", exact=True).focus()
    expect(dates.first).to_contain_text("10 ")
    journey.look("dates")
    assert journey.findings == []


def test_a_click_is_not_lost_to_an_answer_that_moves_the_form_under_it(
    start: Callable[[str, str], Journey], deployment: Deployment
) -> None:
    journey = enter(start, deployment, "jira", "light")
    page, frame = journey.page, journey.frame
    journey.open("rollcall-app", "rules/new?template=idle-ladder")
    journey.arrive("New rule")
    grace, limit = frame.locator("#steps-1-grace"), frame.locator("#brake-number-none")
    grace.fill("-1")
    journey.click("Make the rule")
    problem = frame.locator("#steps-1-grace-problem")
    expect(problem).to_be_visible()
    # The press leaves the mended field, so the form asks; its answer takes a line away above what is pressed.
    grace.fill("0")
    limit.hover()
    with page.expect_response(lambda answer: answer.url.endswith("/app/rules/form")):
        page.mouse.down()
    page.wait_for_timeout(300)
    page.mouse.up()
    expect(problem).to_have_count(0)
    expect(limit).to_be_checked()
    expect(frame.locator("#brake-number")).to_have_count(0)
    assert journey.complaints == []


def test_a_group_that_is_not_among_the_largest_is_found_by_its_name(
    start: Callable[[str, str], Journey], deployment: Deployment
) -> None:
    journey = enter(start, deployment, "jira", "light")
    frame = journey.frame
    with deployment.tools.begin() as session:
        organization_id = session.scalars(select(Group.organization_id).limit(1)).one()
        for group_id, name in (("g-vip", "vip-board"), ("g-guests", "guests")):
            session.add(Group(organization_id=organization_id, group_id=group_id, name=name))

    # In a rule: ticked where it was found, it stays ticked when the form draws itself again.
    journey.open("rollcall-app", "rules/new")
    journey.arrive("New rule")
    frame.locator("#who-not_groups").click()
    frame.locator("#who-not_groups-find").press_sequentially("no such")
    expect(frame.locator("#who-not_groups-found")).to_contain_text("No other group has “no such”")
    frame.locator("#who-not_groups-find").fill("VIP")
    frame.locator("#who-not_groups-found").get_by_label("vip-board (0)").check()
    expect(frame.locator("#who-not_groups")).to_contain_text("vip-board")
    expect(frame.locator("#who-not_groups-list").get_by_label("vip-board (0)")).to_be_checked()
    journey.look("a-small-group-in-a-rule")

    # On the list of the protected.
    journey.open("rollcall-app", "protected")
    journey.arrive("Protected")
    frame.get_by_label("What", exact=True).select_option("group")
    frame.locator("#group-find").press_sequentially("board")
    expect(frame.locator("#group")).to_contain_text("Choose one of 1")
    frame.locator("#group").select_option("g-vip")
    frame.get_by_label("Why").fill("The board")
    journey.look("a-small-group-protected")
    journey.click("Protect")
    expect(frame.get_by_role("status").filter(has_text="vip-board is protected")).to_be_visible()

    # From there to its people: the filter names it, though it has none.
    frame.get_by_role("link", name="vip-board").click()
    journey.arrive("People")
    expect(frame.locator("#filter-group")).to_have_value("g-vip")
    frame.locator("#filter-group-find").press_sequentially("guest")
    expect(frame.locator("#filter-group")).to_contain_text("guests (0)")
    frame.locator("#filter-group").select_option("g-guests")
    expect(frame.locator("#people-results")).to_contain_text("Nobody matches")
    journey.look("a-small-group-in-the-filter")
    assert journey.findings == []
    assert journey.complaints == []


def test_somebody_who_was_taken_out_comes_back_by_another_system(
    start: Callable[[str, str], Journey], deployment: Deployment
) -> None:
    journey = enter(start, deployment, "jira", "dark")
    tools, ana, frame = deployment.tools, deployment.ana, journey.frame
    with tools.begin() as session:
        contractors = session.scalars(select(Group.group_id).where(Group.name == "contractors")).one()
    rule_id = save_rule(
        tools,
        ana,
        {
            "name": "Contractors go",
            "mode": "live",
            "who": {"groups": [contractors]},
            "steps": [
                {
                    "when": {"not_seen": 1},
                    "then": {"deed": "change_groups", "leave": [contractors]},
                    "grace": 0,
                }
            ],
            "brake": {"number": "none", "share": "none"},
        },
    )
    mark_seen(tools, ana, preview_rule(tools, ana, rule_id))
    switch_on(tools, ana, rule_id)
    run_id = run_now(tools, ana, rule_id)
    deployment.wait_for(lambda: show_run(tools, ana, run_id).state == "finished", "the run")
    with tools.begin() as session:
        acted = select(Case.account_id, Case.name).where(Case.run_id == run_id, Case.state == "acted")
        account_id, name = session.execute(acted.order_by(Case.name).limit(1)).one()
    deployment.control("POST", f"people/{account_id}/groups", json={"group": contractors, "member": True})
    # A sync this soon after the deed may not show it, and finds no loop.
    journey.page.wait_for_timeout(2500)

    journey.open("rollcall-app", "overview")
    journey.arrive("Overview")
    journey.click("Sync now")
    strip = frame.get_by_text("has back what a run took away")
    expect(strip.first).to_be_visible(timeout=PATIENCE)
    journey.look("somebody-came-back")
    journey.open("rollcall-app", f"runs/{run_id}")
    journey.arrive("Contractors go")
    row = frame.locator("#run-rows tr").filter(has=frame.get_by_role("link", name=name, exact=True))
    expect(row).to_contain_text("Came back")
    expect(row).to_contain_text("Another system gave it back")
    expect(frame.locator("#run-rows").get_by_text("Came back")).to_have_count(1)
    journey.look("who-came-back")
    assert journey.findings == []
    assert journey.complaints == []
