"""A leaver by clicking: what they own, two successors, dry run, checklist, progress, evidence, hand back; a guide."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from connect.caller import Caller, Via
from sandbox.world import ACME, API_TOKENS
from services import credential_storing
from tests.browser import screenshot
from tests.jobs.deployment import KEY, Deployment
from tests.journeys.journey import Journey

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
ANA, JON, UMA, PRIYA = (person.account_id for person in ACME.people)
PATIENCE = 60_000
OVER_ONE_ANOTHER = """heads => heads.filter((head) => {
  const reach = document.createRange();
  reach.selectNodeContents(head.firstElementChild);
  const [words, count] = [reach, head.children[1]].map((one) => one.getBoundingClientRect());
  return words.right > count.left;
}).map((head) => head.innerText)"""


def open_everything(deployment: Deployment) -> None:
    """Rollcall is in both products, with a key and an API token in each; the directory is read."""
    deployment.configure()
    installed = deployment.control("POST", "install", json={"site": "acme", "product": "confluence"})
    confluence = Caller(installed["client_key"], ANA, Via.CONTEXT)
    expires_on = (datetime.now(UTC) + timedelta(days=200)).date().isoformat()
    credential_storing.store_admin_key(deployment.tools, confluence, key=KEY, expires_on=expires_on)
    for door in (deployment.ana, confluence):
        credential_storing.store_api_token(
            deployment.tools, door, email="ana@acme.example", token=API_TOKENS[0].token, expires_on=expires_on
        )
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")


def owned(deployment: Deployment, kind: str, account_id: str) -> set[str]:
    rows = deployment.control("GET", f"belongings/{kind}", params={"holder": account_id})
    return {row["id"] for row in rows if row["open"]}


@pytest.mark.parametrize(("product", "colours"), [("jira", "light"), ("confluence", "dark")])
def test_somebody_leaves(
    start: Callable[[str, str], Journey], deployment: Deployment, product: str, colours: str
) -> None:
    open_everything(deployment)
    journey = start(product, colours)
    frame, page = journey.frame, journey.page
    before = owned(deployment, "filter", UMA)

    # The list, and beginning with somebody.
    journey.open("rollcall-app", "overview")
    journey.arrive("Overview")
    journey.go("Leavers")
    expect(frame.get_by_text("Nobody is leaving")).to_be_visible()
    journey.look("nobody")

    # A file: what is wrong stands at its field, also when the server never reads it.
    frame.get_by_text("A list or a file").click()
    for content, sentence in (
        (b"e-mail;end\njon@acme.example;soon\n", "Line 2: end: “soon” is no date"),
        (b"e-mail\n" * 500_000, "This file is larger than 2 MB. Split it"),
    ):
        file = {"name": "leavers.csv", "mimeType": "text/csv", "buffer": content}
        frame.get_by_label("Or a CSV file").set_input_files(file)
        journey.click("They are leaving…")
        expect(frame.locator("#file-problem")).to_contain_text(sentence)
    journey.look("a-file-too-large")
    frame.get_by_label("Search by name or e-mail").fill("uma@")
    journey.click("They are leaving… Uma Lindqvist")
    journey.arrive("Uma Lindqvist")
    expect(frame.get_by_role("heading", name="What they own")).to_be_visible(timeout=PATIENCE)
    expect(frame.get_by_text("Spaces that they alone look after", exact=True)).to_be_visible()
    journey.look("what-she-owns")
    expect(frame.get_by_text("Automation rules whose actor they are")).to_be_visible()

    # Two successors, who get different things; one kind stays. What was typed before stays too.
    tokens = frame.get_by_label("Revoke all of them when their access ends")
    tokens.uncheck()
    frame.get_by_label("Note").fill("Leaves for the mountains")
    for name in ("Jon Okafor", "Priya Raman"):
        frame.get_by_label(re.compile("Who takes over|Name another successor")).fill(name.split()[0])
        journey.click(f"Choose {name}")
        expect(journey.button(f"Remove {name}")).to_be_visible()
    expect(tokens).not_to_be_checked()
    expect(frame.get_by_label("Note")).to_have_value("Leaves for the mountains")
    expect(frame.get_by_label("Who gets: Filters")).to_have_value(JON)
    tokens.check()
    # However narrow the frame, what they own is not written over its number and its successor.
    narrow = page.add_style_tag(content="iframe { width: 420px !important; }")
    expect(frame.locator("html")).to_have_js_property("clientWidth", 420)
    assert frame.locator(".owned-head").evaluate_all(OVER_ONE_ANOTHER) == []
    narrow.evaluate("style => style.remove()")
    frame.get_by_label("Who gets: Filters").select_option("Priya Raman")
    frame.get_by_label("Who gets: Dashboards").select_option("Leave as it is")
    frame.get_by_label("Then").select_option("Deactivate their account")
    frame.get_by_label("Reason").select_option("New job")
    frame.get_by_label("Tell them").select_option("By Atlassian, when they log in")
    journey.click("Try it dry")
    expect(frame.locator("#message-problem")).to_contain_text("The message is empty")
    frame.get_by_label("Message").fill("Thank you for everything, Uma.")
    journey.look("the-choice")
    journey.click("Try it dry")

    # The dry run says what cannot be, and changes nothing.
    expect(frame.get_by_role("heading", name="The dry run")).to_be_visible(timeout=PATIENCE)
    expect(frame.get_by_text("1 thing cannot be handed over")).to_be_visible()
    expect(frame.get_by_text("Recover permissions").first).to_be_visible()
    assert owned(deployment, "filter", UMA) == before
    journey.look("the-dry-run")
    # What is changed after it does not begin before it was tried, too.
    frame.get_by_label("Note", exact=True).fill("Leaves for the mountains")
    expect(journey.button("Begin the handover…")).to_be_disabled()
    expect(frame.get_by_text("Try it dry again first.")).to_be_visible()
    journey.click("Try it dry again")
    expect(journey.button("Begin the handover…")).to_be_enabled(timeout=PATIENCE)
    journey.click("Begin the handover…")
    journey.look("the-checklist")
    frame.get_by_role("dialog").get_by_role("button", name="Begin the handover").click()
    expect(frame.get_by_text("Tick everything first.")).to_be_visible()
    journey.click("Begin the handover…")
    for box in frame.get_by_role("dialog").get_by_role("checkbox").all():
        box.check()
    deployment.control(
        "POST", "faults", json={"match": "assignee$", "kind": "slow", "seconds": 0.4, "times": None}
    )
    frame.get_by_role("dialog").get_by_role("button", name="Begin the handover").click()
    expect(frame.locator("#leaver-progress")).to_contain_text("things handed over", timeout=PATIENCE)
    expect(frame.locator("#leaver-kinds").get_by_text("Handed over").first).to_be_visible(timeout=PATIENCE)
    journey.look("under-way")
    # Whoever reads on stays where they are, while the page asks by itself.
    things = frame.locator("#leaver-kinds .scroller").first
    things.focus()
    going_on = frame.locator("#leaver-progress .line b")
    expect(going_on).not_to_have_text(going_on.inner_text())
    expect(things).to_be_focused()
    deployment.control("DELETE", "faults")
    expect(frame.get_by_text(re.compile("^Done on"))).to_be_visible(timeout=PATIENCE)
    expect(frame.get_by_text("“Deactivate their account” was chosen: the run")).to_be_visible()
    journey.look("done")
    assert before <= owned(deployment, "filter", PRIYA)
    assert not owned(deployment, "issue", UMA)
    assert not owned(deployment, "token", UMA)
    assert len(owned(deployment, "dashboard", UMA)) == 3

    # The evidence, on the screen and on paper.
    frame.get_by_role("link", name="Evidence").click()
    journey.arrive("Evidence: Uma Lindqvist")
    expect(frame.get_by_text("Leaves for the mountains")).to_be_visible()
    expect(frame.get_by_text("Revoked an API token").first).to_be_visible()
    journey.look("evidence")
    with page.expect_download() as download:
        journey.click("CSV")
    assert "belonging" in download.value.path().read_text(encoding="utf-8-sig")
    ours = next(one for one in page.frames if "/pages/" in one.url)
    page.emulate_media(media="print")
    assert ours.locator(".top").is_hidden()
    screenshot(page, f"{journey.folder}/{journey.name}/paper")
    page.emulate_media(media="screen")

    # Handing back: what the successors still have.
    frame.get_by_role("link", name="← Uma Lindqvist").click()
    journey.arrive("Uma Lindqvist")
    journey.click("Hand back…")
    journey.look("hand-back")
    deployment.control("PATCH", f"people/{UMA}", json={"account_status": "active"})
    frame.get_by_role("dialog").get_by_role("button", name="Hand it back").click()
    expect(frame.get_by_text("Handed back.", exact=True)).to_be_visible(timeout=PATIENCE)
    journey.look("handed-back")
    assert owned(deployment, "filter", UMA) == before

    # An organization admin is no silent skip.
    journey.open("rollcall-app", "leavers")
    journey.arrive("Leavers")
    frame.get_by_label("Search by name or e-mail").fill("priya")
    journey.click("They are leaving… Priya Raman")
    expect(frame.get_by_text("Before their access can end", exact=True)).to_be_visible(timeout=PATIENCE)
    frame.get_by_label("Who takes over").fill("Jon")
    journey.click("Choose Jon Okafor")
    journey.click("Try it dry")
    expect(frame.get_by_role("heading", name="The dry run")).to_be_visible(timeout=PATIENCE)
    journey.click("Begin the handover…")
    for box in frame.get_by_role("dialog").get_by_role("checkbox").all():
        box.check()
    frame.get_by_role("dialog").get_by_role("button", name="Begin the handover").click()
    expect(frame.get_by_text("Nobody was skipped")).to_be_visible(timeout=PATIENCE)
    journey.look("a-guide")
    deployment.control("PATCH", f"people/{PRIYA}", json={"platform_roles": ""})
    journey.click("Look again")
    expect(frame.get_by_text(re.compile("^Done on"))).to_be_visible(timeout=PATIENCE)

    # Several at once, from the list of people.
    journey.open("rollcall-app", "people")
    journey.arrive("People")
    for row in (3, 4):
        frame.get_by_role("row").nth(row).get_by_role("checkbox").check()
    journey.click("They are leaving…")
    expect(frame.get_by_text("2 people are leaving.")).to_be_visible()
    expect(frame.get_by_role("row")).to_have_count(5)
    journey.look("the-list")
    assert journey.findings == []
    assert journey.complaints == []
