"""The personal page behind the link in a warning, as people meet it: on any screen, in their language, no scripts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from models.people import Person
from models.run import Case
from services.keep_links import keep_link
from services.rule_runs import mark_seen, preview_rule, run_now
from services.rules import save_rule, switch_on
from tests.browser import screenshot, serious_findings
from tests.jobs.deployment import Deployment
from tests.journeys.journey import PATIENCE, Journey

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 360, "height": 740}


def warned(deployment: Deployment, count: int, **more: object) -> dict[str, str]:
    """Account id → link of people whom a rule has just warned."""
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    with deployment.tools.begin() as session:
        idle = select(Person.account_id).where(
            Person.status == "active",
            Person.is_bot.is_(False),
            Person.management_source == "invited",
            Person.seen_at < deployment.tools.clock() - timedelta(days=120),
        )
        people = list(session.scalars(idle.order_by(Person.account_id).limit(60)))
    data = {
        "name": "Idle people",
        "mode": "live",
        "who": {"people": people},
        "steps": [{"when": {"not_seen": 90}, "then": {"deed": "suspend"}, **more}],
        "brake": {"number": "none", "share": "none"},
    }
    rule_id = save_rule(deployment.tools, deployment.ana, data)
    mark_seen(deployment.tools, deployment.ana, preview_rule(deployment.tools, deployment.ana, rule_id))
    switch_on(deployment.tools, deployment.ana, rule_id)
    run_id = run_now(deployment.tools, deployment.ana, rule_id)
    deployment.wait_for(lambda: deployment.case_states(run_id).get("warned", 0) >= count, "the warnings")
    with deployment.tools.begin() as session:
        found = session.scalars(
            select(Case).where(Case.run_id == run_id, Case.state == "warned").order_by(Case.name).limit(count)
        )
        return {
            case.account_id: keep_link(deployment.tools, case.organization_id, case.id, case.account_id)
            for case in found
        }


def look(page: Page, name: str, *, scripts: bool = True) -> list[str]:
    """Keeps a picture; what axe-core objects to, which needs scripts, and whether anything sticks out sideways."""
    screenshot(page, f"keep/{name}")
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return (in_both_colours(page) if scripts else []) + (["sticks out sideways"] if wide else [])


def in_both_colours(page: Page) -> list[str]:
    """The page follows its reader's system; it is left as it was found."""
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    findings = serious_findings(page)
    page.emulate_media(color_scheme="light" if dark else "dark")
    findings += serious_findings(page)
    page.emulate_media(color_scheme="dark" if dark else "light")
    return findings


@pytest.mark.parametrize(
    ("colours", "screen"), [("light", WIDE), ("dark", NARROW)], ids=["light-wide", "dark-narrow"]
)
def test_kept_away_and_given_up_in_two_languages(
    deployment: Deployment, new_page: Callable[..., Page], colours: str, screen: dict[str, int]
) -> None:
    links = iter(warned(deployment, 4).values())
    name = f"{'narrow' if screen is NARROW else 'wide'}-{colours}"
    how = {"color_scheme": colours, "viewport": screen}
    english = new_page(locale="en-GB", **how)
    german = new_page(locale="de-DE", java_script_enabled=False, **how)
    findings = []

    english.goto(next(links))
    expect(english.get_by_role("heading", level=1)).to_contain_text("Your access ends on")
    findings += look(english, f"{name}-1-open")
    for summary in english.locator("summary").all():
        summary.click()
    findings += look(english, f"{name}-2-unfolded")
    english.get_by_label("What do you need it for?").fill("I audit the year\nin spring.")
    english.get_by_role("button", name="Keep my access").click()
    expect(english.get_by_role("heading", level=1)).to_have_text("You keep your access")
    findings += look(english, f"{name}-3-kept")
    english.reload()
    expect(english.get_by_role("heading", level=1)).to_have_text("You keep your access")

    german.goto(next(links))
    expect(german.get_by_role("heading", level=1)).to_contain_text("Ihr Zugang endet am")
    expect(german.locator("html")).to_have_attribute("lang", "de")
    german.get_by_text("Ich bin abwesend bis …").click()
    findings += look(german, f"{name}-4-german", scripts=False)
    day = (deployment.tools.clock() + timedelta(days=30)).date()
    german.get_by_label("Letzter Tag der Abwesenheit").fill(day.isoformat())
    german.get_by_role("button", name="Bis dahin bin ich abwesend").click()
    expect(german.get_by_role("heading", level=1)).to_contain_text("Notiert: Sie sind bis")
    findings += look(german, f"{name}-5-german-away", scripts=False)

    link = next(links)
    german.goto(link)
    german.get_by_text("Ich brauche meinen Zugang nicht mehr").first.click()
    german.get_by_role("button", name="Ich brauche meinen Zugang nicht mehr").click()
    expect(german.get_by_role("heading", level=1)).to_be_visible()
    english.goto(f"{next(links)}x")
    expect(english.get_by_role("heading", level=1)).to_have_text("This link does not work")
    findings += look(english, f"{name}-6-no-link")
    assert findings == []


@pytest.mark.parametrize("colours", ["light"])
def test_asked_back_agreed_and_given_back(
    start: Callable[[str, str], Journey], deployment: Deployment, new_page: Callable[..., Page], colours: str
) -> None:
    """Who gave up asks for it back; an operator agrees by keyboard, and refuses another one."""
    links = warned(deployment, 2, answer="review")
    (first, link), (second, other) = links.items()
    page = new_page(color_scheme=colours)
    page.goto(link)
    page.get_by_text("I no longer need it").first.click()
    with page.expect_navigation():
        page.get_by_role("button", name="I no longer need it").click()
    heading = page.get_by_role("heading", level=1)

    def over() -> bool:
        page.reload()
        return "Your access ended on" in heading.inner_text()

    deployment.wait_for(over, "the end of the access")
    findings = look(page, f"back-{colours}-1-ended")
    page.get_by_label("What do you need it for?").fill("Year-end closing.\nThe auditors are here.")
    page.get_by_role("button", name="Ask for my access back").click()
    expect(heading).to_have_text("You asked for your access back")
    findings += look(page, f"back-{colours}-2-asked")
    page.goto(other)
    page.get_by_role("button", name="Keep my access").click()
    expect(heading).to_have_text("Your answer is on its way")
    findings += look(page, f"back-{colours}-3-waits")

    journey = start("jira", colours)
    frame = journey.frame
    journey.open("rollcall-app", "review")
    journey.arrive("Review")
    frame.get_by_role("link", name="Answers 2").click()
    expect(frame.get_by_text("The auditors are here.")).to_be_visible()
    journey.look("answers")
    boxes = frame.locator("[data-case]")
    asks = frame.locator("tr", has_text="Asks for it back").locator("[data-case]")
    asks.focus()
    journey.page.keyboard.press("a")
    expect(frame.get_by_role("status").filter(has_text="Agreed: 1 person.")).to_be_visible()
    expect(boxes).to_have_count(1)
    journey.page.keyboard.press("r")
    expect(frame.get_by_role("status").filter(has_text="Refused: 1 person.")).to_be_visible()
    journey.look("answered")
    page.goto(link)

    def back() -> bool:
        page.reload()
        return heading.inner_text() == "You have your access back"

    deployment.wait_for(back, "the access")
    findings += look(page, f"back-{colours}-4-given-back")
    page.goto(other)
    expect(page.get_by_role("status")).to_contain_text("did not agree")
    findings += look(page, f"back-{colours}-5-refused")

    journey.open("rollcall-app", f"people/{first}")
    expect(frame.get_by_role("heading", name="Answers")).to_be_visible(timeout=PATIENCE)
    expect(frame.get_by_text("An operator agreed.")).to_be_visible()
    journey.look("the-person")
    journey.open("rollcall-app", "runs")
    journey.arrive("Runs")
    frame.get_by_role("link", name="Idle people", exact=True).last.click()
    expect(frame.get_by_text("The auditors are here.")).to_be_visible(timeout=PATIENCE)
    journey.look("the-run")
    assert findings == []
    assert journey.findings == []
    assert journey.complaints == []
    assert second
