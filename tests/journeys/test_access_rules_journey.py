"""Movers by clicking: an access rule from its list to people who have it; access with an end until it is over."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from models.people import Group, Membership, Person
from models.timed_access import TimedAccess
from rules.deeds import Deed
from rules.roster import Access, Entry, Origin
from services.credential_storing import store_admin_key
from services.roster import begin_roster
from tests.browser import screenshot, serious_findings
from tests.databases import SqliteDatabases
from tests.jobs.deployment import KEY, Deployment, deployed
from tests.journeys.journey import PATIENCE, Journey

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

RULES = "onboarding/access-rules"


@pytest.fixture
def deployment(sqlite_databases: SqliteDatabases, tmp_path: Path) -> Iterator[Deployment]:
    """With the pretend post office as the deployment's mail server."""
    jobs = f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    with (
        sqlite_databases.fresh(tmp_path) as url,
        deployed(url, jobs, tmp_path, people=100, mail=True) as found,
    ):
        found.start_worker()
        found.configure()
        found.wait_for(lambda: found.sync().state == "complete", "the first sync")
        yield found


@pytest.mark.parametrize(("product", "colours"), [("jira", "light"), ("confluence", "dark")])
def test_a_rule_gives_and_access_ends(
    start: Callable[[str, str], Journey],
    deployment: Deployment,
    new_page: Callable[..., Page],
    product: str,
    colours: str,
) -> None:
    if product == "confluence":
        door = deployment.control("POST", "install", json={"site": "acme", "product": "confluence"})
        ana = replace(deployment.ana, tenant=door["client_key"])
        expires_on = (deployment.tools.clock() + timedelta(days=200)).date().isoformat()
        store_admin_key(deployment.tools, ana, key=KEY, expires_on=expires_on)
        deployment.wait_for(lambda: deployment.sync().state == "complete", "the sync after it")
    journey = start(product, colours)
    frame = journey.frame
    mover = _somebody(deployment, outside="service-desk-agents")
    deployment.control(
        "POST", f"people/{mover.account_id}/groups", json={"group": "team-legal", "member": True}
    )

    # A rule: slips, then the list.
    journey.open("rollcall-app", RULES)
    journey.arrive("Access rules")
    journey.look("no-rule-yet")
    frame.get_by_role("link", name="Make an access rule").click()
    journey.arrive("New access rule")
    journey.click("Make the rule")
    expect(frame.locator("#name-problem")).to_contain_text("A rule needs a name")
    journey.look("slips")
    frame.get_by_label("Name", exact=True).fill("Lawyers at the service desk")
    _tick(journey, "sources", "team-legal (synced)")
    _tick(journey, "groups", "service-desk-agents")
    frame.get_by_label("Per cent").fill("")
    journey.look("filled-in")
    journey.click("Make the rule")
    journey.arrive("Lawyers at the service desk")
    expect(frame.locator(".reads")).to_contain_text("is also in service-desk-agents, as long as that holds")
    journey.look("the-rule")
    frame.get_by_role("button", name=re.compile("Look at the list|List anew")).click()
    expect(frame.get_by_text("Nothing has happened.")).to_be_visible()
    journey.look("its-list")
    journey.click("Switch live…")
    journey.look("switch-live")
    frame.get_by_role("dialog").get_by_role("button", name="Switch live").click()
    expect(frame.get_by_text("It begins within seconds.")).to_be_visible()
    members = _members(deployment, "team-legal", "active")
    assert members
    deployment.wait_for(lambda: members <= _members(deployment, "service-desk-agents"), "what the rule gives")

    # A sync finds somebody new in the group; the rule follows.
    assert mover.account_id not in members
    journey.open("rollcall-app", "overview")
    journey.arrive("Overview")
    journey.click("Sync now")
    deployment.wait_for(
        lambda: mover.account_id in _members(deployment, "service-desk-agents"), "the mover's access"
    )
    journey.open("rollcall-app", RULES)
    journey.arrive("Access rules")
    journey.look("the-rules")
    frame.get_by_role("link", name="Lawyers at the service desk").click()
    journey.arrive("Lawyers at the service desk")
    expect(frame.get_by_role("row", name=re.compile(re.escape(mover.name))).first).to_be_visible()
    journey.look("live")

    # Access with an end: two weeks have passed, so that its end is near.
    guest = _somebody(deployment, outside="contractors")
    case_id = _give_until(deployment, guest, days=6)
    deployment.wait_for(lambda: deployment.control("GET", "mails"), "the mail")
    journey.open("rollcall-app", "onboarding/ending")
    journey.arrive("Access with an end")
    expect(frame.get_by_text("1 warning")).to_be_visible()
    journey.look("ending")
    [mail] = deployment.control("GET", "mails")
    link = re.search(r"http://\S+/keep/[\w.\-]+", mail["text"])
    assert link is not None
    page = new_page(color_scheme=colours, locale="en-GB")
    page.goto(link[0])
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("You have access to Confluence until")
    screenshot(page, f"{journey.folder}/{journey.name}/personal-page")
    findings = serious_findings(page)
    page.get_by_label("What do you need more time for?").fill("The audit\ntakes longer.")
    page.get_by_role("button", name="Ask for longer").click()
    expect(heading).to_have_text("You asked for more time")
    screenshot(page, f"{journey.folder}/{journey.name}/personal-page-asked")
    findings += serious_findings(page)

    # An operator agrees under Review, and says until when.
    journey.open("rollcall-app", "review")
    journey.arrive("Review")
    expect(frame.get_by_text("takes longer.")).to_be_visible(timeout=PATIENCE)
    frame.locator("[data-case]").check()
    journey.click("Agree")
    expect(frame.get_by_text("Say until when.")).to_be_visible()
    journey.look("until-when")
    until = (deployment.tools.clock() + timedelta(days=60)).date()
    frame.get_by_label("Longer until").fill(until.isoformat())
    journey.click("Agree")
    expect(frame.get_by_text("Agreed: 1 person.")).to_be_visible()
    page.reload()
    expect(heading).to_contain_text("You have your access until")
    screenshot(page, f"{journey.folder}/{journey.name}/personal-page-prolonged")

    # The end, by hand and by the clock.
    journey.open("rollcall-app", "onboarding/ending")
    journey.arrive("Access with an end")
    journey.click(f"Prolong… {guest.name}")
    journey.look("prolong")
    frame.get_by_role("dialog").get_by_label("New last day").fill(until.isoformat())
    frame.get_by_role("dialog").get_by_role("button", name="Prolong").click()
    expect(frame.get_by_text(re.compile("^Prolonged until"))).to_be_visible()
    _let_the_day_come(deployment, case_id)
    deployment.wait_for(lambda: guest.account_id not in _members(deployment, "contractors"), "the end")
    frame.get_by_role("link", name="Access with an end").click()
    frame.get_by_role("link", name=re.compile(r"^Over \d")).click()
    expect(frame.get_by_role("link", name=re.compile(r"^Over \d"))).to_have_attribute("aria-current", "true")
    expect(frame.get_by_role("row", name=re.compile(re.escape(guest.name)))).to_be_visible()
    journey.look("over")
    journey.open("rollcall-app", f"people/{guest.account_id}")
    expect(frame.get_by_role("heading", name="Access with an end")).to_be_visible(timeout=PATIENCE)
    journey.look("the-person")
    page.reload()
    expect(heading).to_contain_text("You had access to Confluence until")
    screenshot(page, f"{journey.folder}/{journey.name}/personal-page-over")
    findings += serious_findings(page)
    assert findings == []
    assert journey.findings == []
    assert journey.complaints == []


def _tick(journey: Journey, field: str, name: str) -> None:
    picker = journey.frame.locator(f"#{field}-picker")
    if picker.get_attribute("open") is None:
        picker.locator("summary").click()
    picker.get_by_label(name, exact=True).check()
    picker.locator("summary").click()


def _members(deployment: Deployment, name: str, status: str = "") -> set[str]:
    with deployment.tools.begin() as session:
        query = (
            select(Membership.account_id)
            .join(Group, Group.group_id == Membership.group_id)
            .join(Person, Person.account_id == Membership.account_id)
            .where(Group.name == name)
        )
        if status:
            query = query.where(Person.status == status)
        return set(session.scalars(query))


def _somebody(deployment: Deployment, outside: str) -> Person:
    """Somebody ordinary who is in none of the groups that the journey is about."""
    inside = _members(deployment, outside) | _members(deployment, "team-legal")
    with deployment.tools.begin() as session:
        query = select(Person).where(
            Person.status == "active",
            Person.is_bot.is_(False),
            Person.is_org_admin.is_(False),
            Person.email.is_not(None),
            Person.management_source == "invited",
            Person.account_id.not_in(inside),
        )
        found = session.scalars(query.order_by(Person.account_id.desc())).first()
        assert found is not None
        session.expunge(found)
        return found


def _give_until(deployment: Deployment, person: Person, days: int) -> str:
    """They got into contractors long ago, until so many days from now; the case's id."""
    tools = deployment.tools
    now = tools.clock()
    with tools.begin() as session:
        group = session.scalar(select(Group.group_id).where(Group.name == "contractors")) or ""
        entry = Entry(
            Deed.GIVE_ACCESS,
            account_id=person.account_id,
            access=Access(groups=(group,)),
            ends_on=now.date() + timedelta(days=days),
        )
        begin_roster(session, tools, person.organization_id, [entry], Origin.INVITE, "", by="", now=now)
    case_id = str(deployment.wait_for(lambda: _timed_case(deployment, person), "the access"))
    with tools.begin() as session:
        long_ago = {"began_at": now - timedelta(days=20), "next_at": now}
        session.execute(update(TimedAccess).where(TimedAccess.case_id == case_id).values(long_ago))
    return case_id


def _timed_case(deployment: Deployment, person: Person) -> str | None:
    with deployment.tools.begin() as session:
        query = select(TimedAccess.case_id).where(TimedAccess.account_id == person.account_id)
        return session.scalar(query)


def _let_the_day_come(deployment: Deployment, case_id: str) -> None:
    now = deployment.tools.clock()
    with deployment.tools.begin() as session:
        over = {"prolonged_until": now.date() - timedelta(days=2), "next_at": now}
        session.execute(update(TimedAccess).where(TimedAccess.case_id == case_id).values(over))
