"""Panels on issues and pages, the byline and the gadget: in the product's own pages, in both colours.

Screenshots are kept in screenshots/, for people to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from connect.caller import Caller, Via
from models.panel import SummaryDay
from models.people import Person, Seat, Signal
from models.sync import SyncState
from sandbox.world import ACME
from services import credential_storing, days, notice_settings, rule_runs, rules
from tests.browser import screenshot, serious_findings
from tests.databases import SqliteDatabases
from tests.jobs.deployment import ANA, KEY, Deployment, deployed

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PEOPLE = 400
UMA = ACME.people[2].account_id
LONG = "Maximiliane " + "Wolkenstein-" * 15 + "Trost"
HOSTILE = '<img src=x onerror="document.title=1">'
RIGHT_TO_LEFT = "شهرزاد مهدوی"


@pytest.fixture(scope="module")
def place(
    sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """acme with Rollcall in Jira and Confluence, and its directory read."""
    folder = tmp_path_factory.mktemp("panels")
    jobs = f"sqlite:///{folder / 'jobs.sqlite'}"
    with sqlite_databases.fresh(folder) as url, deployed(url, jobs, folder, people=PEOPLE) as found:
        hostile_names(found)
        found.start_worker()
        found.configure()
        installed = found.control("POST", "install", json={"site": "acme", "product": "confluence"})
        expires_on = (datetime.now(UTC) + timedelta(days=200)).date().isoformat()
        wiki = Caller(installed["client_key"], ANA, Via.CONTEXT)
        credential_storing.store_admin_key(found.tools, wiki, key=KEY, expires_on=expires_on)
        found.wait_for(lambda: found.sync().state == SyncState.COMPLETE, "the first sync")
        yield found


def hostile_names(place: Deployment) -> None:
    """People are called as people should not be; Uma stayed away; of one issue and one page nobody did."""
    nobody_away = {"10037": {"reporter": ANA}, "98313": {"owner": ANA, "editor": ANA}}
    for work, people in nobody_away.items():
        place.control("PATCH", f"works/{work}", json=people)
    place.control("PATCH", f"people/{UMA}", json={"last_active": "2026-01-05T10:00:00Z"})
    works = place.control("GET", "works")
    issue, page = works["10042"], works["98312"]
    for account_id, name in (
        (issue["assignee"], HOSTILE),
        (page["owner"], RIGHT_TO_LEFT),
        (page["editor"], LONG),
    ):
        place.control("PATCH", f"people/{account_id}", json={"name": name})


@pytest.fixture
def visit(place: Deployment, new_page: Callable[..., Page]) -> Callable[[str, str, str], Page]:
    """Opens an address of acme in one of its colours, as one of its people."""

    def begin(address: str, colours: str, who: str) -> Page:
        page = new_page()
        page.goto(f"{place.sandbox.acme}{address}?theme={colours}&as={who}")
        expect(page.locator("body[data-ready]")).to_be_visible()
        return page

    return begin


def module_of(page: Page, key: str) -> FrameLocator:
    return page.frame_locator(f"[data-module={key}] iframe")


def settle(page: Page) -> None:
    """A press before a panel's scripts are there does nothing."""
    for frame in page.frames:
        if "/panels/" in frame.url:
            frame.wait_for_load_state()


def look(page: Page, name: str) -> None:
    """Keeps a picture; axe-core must not object to anything of ours."""
    page.wait_for_timeout(500)
    screenshot(page, f"panels/{name}")
    for frame in page.frames:
        if "/panels/" in frame.url:
            assert serious_findings(frame) == []


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_an_issue_says_who_is_away(
    place: Deployment, visit: Callable[[str, str, str], Page], colours: str
) -> None:
    page = visit("/browse/DEMO-42", colours, "ana")
    panel = module_of(page, "rollcall-issue")
    expect(panel.locator(".away li")).to_have_count(3)
    expect(panel.locator(".away")).to_contain_text(HOSTILE)
    expect(panel.locator(".away")).to_contain_text("has not been here for")
    expect(panel.locator("html")).to_have_attribute("data-color-mode", colours)
    look(page, f"issue-operator-{colours}")
    with page.expect_popup() as opened:
        panel.get_by_role("link", name="Act in Rollcall").first.click()
    expect(opened.value.frame_locator("iframe").locator("main h1")).to_contain_text(HOSTILE)
    look(opened.value, f"issue-acting-{colours}")
    page = visit("/browse/DEMO-42", colours, "uma")
    panel = module_of(page, "rollcall-issue")
    expect(panel.locator(".away")).to_contain_text("is not active at the moment.")
    expect(panel.locator(".away")).not_to_contain_text("days")
    expect(panel.get_by_role("link")).to_have_count(0)
    look(page, f"issue-reader-{colours}")


def test_an_issue_without_absent_people_shows_nothing(visit: Callable[[str, str, str], Page]) -> None:
    page = visit("/browse/DEMO-37", "light", "ana")
    frame = page.locator("[data-module=rollcall-issue] iframe")
    page.wait_for_function("document.querySelector('[data-module=rollcall-issue] iframe').offsetHeight === 0")
    assert module_of(page, "rollcall-issue").locator("main").count() == 0
    assert frame.count() == 1
    screenshot(page, "panels/issue-nothing")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_page_says_so_in_its_byline_and_below(visit: Callable[[str, str, str], Page], colours: str) -> None:
    page = visit("/wiki/spaces/DEMO/pages/98312", colours, "ana")
    panel = module_of(page, "rollcall-page")
    expect(panel.locator(".away li")).to_have_count(2)
    expect(panel.locator(".away")).to_contain_text(LONG)
    expect(panel.locator(".away")).to_contain_text(RIGHT_TO_LEFT)
    page.get_by_role("button", name="Who is away").click()
    byline = module_of(page, "rollcall-byline")
    expect(byline.locator(".away li")).to_have_count(2)
    look(page, f"page-{colours}")


def test_a_byline_that_has_nothing_to_say_says_so(visit: Callable[[str, str, str], Page]) -> None:
    page = visit("/wiki/spaces/DEMO/pages/98313", "light", "uma")
    page.get_by_role("button", name="Who is away").click()
    expect(module_of(page, "rollcall-byline").locator("main")).to_contain_text("There is nothing to say")
    look(page, "byline-nothing")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_gadget_counts_and_can_be_set(
    place: Deployment, visit: Callable[[str, str, str], Page], colours: str
) -> None:
    forget_days(place)
    page = visit("/jira/dashboards/10100", colours, "ana")
    gadget = module_of(page, "rollcall-gadget")
    expect(gadget.locator("main")).to_contain_text("No trend yet")
    look(page, f"gadget-no-trend-{colours}")
    a_month(place)
    page.get_by_role("button", name="Configure").click()
    gadget.get_by_label("Product").select_option(label="Jira")
    gadget.get_by_label("Idle from").select_option("60")
    look(page, f"gadget-settings-{colours}")
    gadget.get_by_role("button", name="Save").click()
    expect(gadget.locator("main")).to_contain_text("not seen for 60 days in Jira")
    expect(page.get_by_role("heading", name="Idle for 60 days in Jira")).to_be_visible()
    page.reload()
    gadget = module_of(page, "rollcall-gadget")
    expect(gadget.locator("main")).to_contain_text("fewer since")
    expect(gadget.locator(".sparkline")).to_be_visible()
    look(page, f"gadget-{colours}")
    # Who has no mouse goes on where the answer took their button away.
    gadget.get_by_role("button", name="Change product or days").press("Enter")
    expect(gadget.get_by_label("Product")).to_be_focused()
    gadget.get_by_label("Product").select_option(label="All products")
    gadget.get_by_label("Idle from").select_option("90")
    gadget.get_by_role("button", name="Save").press("Enter")
    expect(gadget.locator("main")).to_contain_text("not seen for 90 days")
    expect(gadget.get_by_role("button", name="Change product or days")).to_be_focused()
    # A dashboard of three columns is narrow: nothing of the table is cut off.
    narrow = page.add_style_tag(content="[data-module=rollcall-gadget] iframe { width: 300px !important; }")
    expect(gadget.locator("html")).to_have_js_property("clientWidth", 300)
    assert gadget.locator(".gadget-lines").evaluate(
        "table => table.scrollWidth <= table.parentElement.clientWidth"
    )
    narrow.evaluate("style => style.remove()")
    look(page, f"gadget-all-{colours}")


def test_the_gadget_has_a_sentence_for_everybody_else(visit: Callable[[str, str, str], Page]) -> None:
    page = visit("/jira/dashboards/10100", "light", "uma")
    gadget = module_of(page, "rollcall-gadget")
    expect(gadget.locator("main")).to_contain_text("shown to operators of Rollcall")
    look(page, "gadget-everybody")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_settings_show_what_panels_say(
    place: Deployment, visit: Callable[[str, str, str], Page], colours: str
) -> None:
    page = visit("/plugins/servlet/ac/io.rollcall.app/rollcall-app", colours, "ana")
    frame = page.frame_locator("iframe")
    frame.locator("#tabs").get_by_role("link", name="Notices").click()
    expect(frame.locator("main h1")).to_have_text("In the product")
    frame.get_by_label("Speak of somebody after so many days away").fill("0")
    frame.get_by_role("button", name="Save").click()
    expect(frame.locator("#days-problem")).to_contain_text("Write a number from 1")
    frame.get_by_label("Speak of somebody after so many days away").fill("90")
    frame.get_by_label("Since when, to project administrators").check()
    frame.get_by_role("button", name="Save").click()
    expect(frame.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    page.wait_for_timeout(300)
    screenshot(page, f"panels/settings-{colours}")
    ours = next(one for one in page.frames if "/pages/" in one.url)
    assert serious_findings(ours) == []
    notice_settings.set_notice_settings(
        place.tools, place.ana, privacy="inactive", days="90", give_back_cap=""
    )


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_whoever_is_warned_reads_it_on_an_issue_and_keeps_their_access(
    place: Deployment, visit: Callable[[str, str, str], Page], colours: str
) -> None:
    warn(place, UMA)
    page = visit("/browse/DEMO-37", colours, "uma")
    panel = module_of(page, "rollcall-issue")
    expect(panel.locator("main")).to_contain_text("your access ends")
    look(page, f"issue-warned-{colours}")
    page.goto(f"{place.sandbox.acme}/jira/dashboards/10100")
    expect(module_of(page, "rollcall-gadget").locator("main")).to_contain_text("your access ends")
    look(page, f"gadget-warned-{colours}")
    page.goto(f"{place.sandbox.acme}/browse/DEMO-37")
    expect(panel.locator("main")).to_contain_text("your access ends")
    settle(page)
    panel.get_by_role("button", name="I still need it").press("Enter")
    expect(panel.locator("main")).to_contain_text("you keep your access")
    expect(panel.get_by_role("status")).to_be_focused()
    look(page, f"issue-kept-{colours}")


def warn(place: Deployment, account_id: str) -> None:
    """A rule has chosen and warned somebody; that they came to read an earlier warning is forgotten."""
    idle = {"activity": "seen", "seen_at": place.tools.clock() - timedelta(days=100)}
    with place.tools.begin() as session:
        session.query(Signal).filter_by(account_id=account_id).delete()
        for model in (Person, Seat):
            session.query(model).filter_by(account_id=account_id).update(idle)
    rule = {
        "name": f"Warns {place.tools.clock():%H:%M:%S}",
        "mode": "live",
        "who": {"people": [account_id]},
        "steps": [{"when": {"not_seen": 1}, "then": {"deed": "suspend"}, "grace": 14}],
        "brake": {"number": "none", "share": "none"},
        "fresh_hours": 720,
    }
    rule_id = rules.save_rule(place.tools, place.ana, rule)
    rule_runs.mark_seen(place.tools, place.ana, rule_runs.preview_rule(place.tools, place.ana, rule_id))
    rules.switch_on(place.tools, place.ana, rule_id)
    run_id = rule_runs.run_now(place.tools, place.ana, rule_id)
    place.wait_for(lambda: place.case_states(run_id) == {"warned": 1}, "the warning")


def a_month(place: Deployment) -> None:
    """As if days had been counted for a month; a little more was idle every day."""
    forget_days(place)
    days.write_days(place.tools)
    with place.tools.begin() as session:
        today = session.query(SummaryDay).one()
        for ago in range(1, 31):
            numbers = {
                key: {
                    what: {days: count + ago + (ago % 4) for days, count in counts.items()}
                    for what, counts in one.items()
                }
                for key, one in today.numbers.items()
            }
            day = today.day - timedelta(days=ago)
            session.add(SummaryDay(organization_id=today.organization_id, day=day, numbers=numbers))


def forget_days(place: Deployment) -> None:
    with place.tools.begin() as session:
        session.query(SummaryDay).delete()
