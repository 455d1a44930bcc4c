"""Panels tell nobody more than they may know: across tenants, by privacy, by what the reader may see in Jira."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from models.organization import Organization
from models.people import Person
from models.tenant import Tenant as Stored
from rules.panel import Privacy
from services.participants import MOST_AT_ONCE, REMEMBERED_FOR, Issue, Participants, Remembered
from tests.connect.listener import Call, Reply
from tests.security.organizations import link
from tests.security.world import Tenant, World
from views.panels import PARTICIPANTS

ISSUE = "/panels/issue?issue=10001&project=10000"
PAGE = "/panels/page?content=98311&type=page"
BYLINE = "/panels/byline?content=98311&type=page"
PANELS = {"jira": ISSUE, "confluence": PAGE}
PROJECT_RIGHTS = {"pia": ["ADMINISTER_PROJECTS", "VIEW_VOTERS_AND_WATCHERS"]}
FOR_NOBODY = ("days", "since", "20")
"""What a date would show."""


@pytest.fixture
def world(world: World) -> World:
    """Both organizations have people who are away; each site says that people of both have to do with its issues."""
    world.app.extensions[PARTICIPANTS] = Participants()
    long_ago = datetime.now(UTC) - timedelta(days=120)
    for tenant in (world.acme, world.globex):
        org = link(world, tenant, "oscar")
        tenant.listener.answer = lambda call, tenant=tenant: answer(tenant, call)
        with world.tools.begin() as session:
            for who in ("idle", "suspended", "watcher"):
                session.add(
                    Person(
                        organization_id=org,
                        account_id=f"{who}-{tenant.name}",
                        directory_id="dir",
                        name=f"{who.capitalize()} of {tenant.name}",
                        search_text=who,
                        status="suspended" if who == "suspended" else "active",
                        activity="seen",
                        seen_at=long_ago,
                        status_since=long_ago,
                        sync_id="s",
                        synced_at=long_ago,
                    )
                )
    return world


def answer(tenant: Tenant, call: Call) -> Reply:
    """A site that names people of both organizations, and knows who administers the project."""
    found: object
    if call.path.startswith("/rest/api/3/issue/10001/watchers"):
        found = {"watchers": [{"accountId": f"watcher-{name}"} for name in ("acme", "globex")]}
    elif call.path.startswith("/rest/api/3/issue/10001"):
        people = {"assignee": {"accountId": "idle-acme"}, "reporter": {"accountId": "suspended-globex"}}
        found = {"fields": people}
    elif call.path.startswith("/wiki/api/v2/pages/98311"):
        found = {"ownerId": "idle-acme", "version": {"authorId": "suspended-globex"}}
    elif call.path.startswith("/rest/api/3/permissions/check"):
        body = json.loads(call.body)
        if "projectPermissions" not in body:
            return tenant.answer(call)
        held = PROJECT_RIGHTS.get(body["accountId"], [])
        grants = [{"permission": name, "issues": [], "projects": [10000]} for name in held]
        found = {"globalPermissions": [], "projectPermissions": grants}
    else:
        return tenant.answer(call)
    return Reply(200, json.dumps(found).encode(), {"Content-Type": "application/json"})


def set_privacy(world: World, privacy: Privacy) -> None:
    with world.tools.begin() as session:
        for organization in session.query(Organization):
            organization.panel_privacy = privacy.value


@pytest.mark.parametrize("privacy", Privacy)
@pytest.mark.parametrize("account_id", ["oscar", "pia", "uma", None])
def test_s19_a_panel_never_speaks_of_another_organization(
    world: World, privacy: Privacy, account_id: str | None
) -> None:
    set_privacy(world, privacy)
    for tenant, other in ((world.acme, world.globex), (world.globex, world.acme)):
        answer = world.page(tenant, PANELS[tenant.product], account_id)
        assert answer.status_code == 200
        assert f"of {other.name}" not in answer.text
        assert other.name not in answer.text


def test_s26_without_the_right_nobody_reads_a_date(world: World) -> None:
    """The default: only that somebody is not active."""
    for tenant, who in ((world.acme, "Idle of acme"), (world.globex, "Suspended of globex")):
        text = main_of(world.page(tenant, PANELS[tenant.product], "uma").text)
        assert who in text
        assert "is not active at the moment." in text
        assert not any(word in text for word in FOR_NOBODY)
        assert "href" not in text


def test_nobody_reads_about_themselves_that_they_are_away(world: World) -> None:
    set_privacy(world, Privacy.DATES)
    text = main_of(world.page(world.acme, ISSUE, "idle-acme").text)
    assert "Idle of acme" not in text


def test_s26_off_is_off(world: World) -> None:
    set_privacy(world, Privacy.OFF)
    for tenant in (world.acme, world.globex):
        for account_id in ("uma", "ana", "pia"):
            assert "<main" not in world.page(tenant, PANELS[tenant.product], account_id).text


def test_s26_dates_for_administrators_of_the_project(world: World) -> None:
    set_privacy(world, Privacy.DATES_FOR_ADMINS)
    assert "has not been here for 120 days." in world.page(world.acme, ISSUE, "pia").text
    assert "days" not in main_of(world.page(world.acme, ISSUE, "uma").text)
    # Another project in the address has other administrators: nobody of this one is asked about.
    assert "days" not in main_of(world.page(world.acme, ISSUE.replace("10000", "10009"), "pia").text)
    assert "days" not in main_of(world.page(world.acme, "/panels/issue?issue=10001&project=", "pia").text)
    # In Confluence it is the site's administrators.
    assert "at least since" in world.page(world.globex, PAGE, "ana").text
    assert "since" not in main_of(world.page(world.globex, PAGE, "uma").text)


def test_s22_when_jira_does_not_say_who_administers_nobody_does(world: World) -> None:
    set_privacy(world, Privacy.DATES_FOR_ADMINS)

    def broken(call: Call) -> Reply:
        return Reply(500) if "permissions" in call.path else answer(world.acme, call)

    world.acme.listener.answer = broken
    text = main_of(world.page(world.acme, ISSUE, "pia").text)
    assert "is not active at the moment." in text
    assert "days" not in text


def test_who_watches_is_for_readers_whom_jira_shows_it(world: World) -> None:
    assert "Watcher of acme" in world.page(world.acme, ISSUE, "pia").text
    assert "Watcher of acme" in world.page(world.acme, ISSUE, "oscar").text
    assert "Watcher of acme" not in world.page(world.acme, ISSUE, "uma").text


def test_s25_visitors_who_are_not_logged_in_read_nothing_and_nobody_is_asked(world: World) -> None:
    set_privacy(world, Privacy.DATES)
    with world.untouched():
        for tenant in (world.acme, world.globex):
            assert "<main" not in world.page(tenant, PANELS[tenant.product], None).text


@pytest.mark.parametrize(
    "address",
    [
        "/panels/issue",
        "/panels/issue?issue=&project=",
        "/panels/issue?issue=DEMO-1&project=1",
        "/panels/issue?issue=1/../2&project=1",
        "/panels/issue?issue=%D9%A1&project=1",
        "/panels/issue?issue=" + "9" * 400,
        "/panels/page?content=98311&type=comment",
        "/panels/page?content=98311",
        "/panels/byline",
        "/panels/page?content=x&type=page",
    ],
)
def test_odd_addresses_ask_nobody(world: World, address: str) -> None:
    with world.untouched():
        assert world.page(world.acme, address, "ana").status_code == 200


def test_a_panel_of_the_other_product_stays_empty(world: World) -> None:
    assert "<main" not in world.page(world.acme, PAGE, "oscar").text
    assert "<main" not in world.page(world.globex, ISSUE, "oscar").text


def test_s01_the_issue_is_the_one_that_was_signed(world: World) -> None:
    token = world.acme.product_signed("GET", ISSUE, "uma")
    with world.untouched():
        for address in (
            ISSUE.replace("10001", "10002"),
            f"{ISSUE}&issue=10002",
            ISSUE.replace("project=10000", "project=1"),
            PAGE,
        ):
            assert world.request("GET", f"{address}&jwt={token}").status_code == 401


@pytest.mark.parametrize(
    "reply", [Reply(500), Reply(404), Reply(401), Reply(200, b"[]"), Reply(hang_up=True)]
)
def test_when_atlassian_fails_the_panel_is_empty_and_no_error(world: World, reply: Reply) -> None:
    for tenant in (world.acme, world.globex):
        tenant.listener.answer = lambda _call: reply
        answer = world.page(tenant, PANELS[tenant.product], "oscar")
        assert (answer.status_code, "<main" in answer.text) == (200, False)


def test_panels_of_a_site_that_never_answers_take_no_place_from_another_one(world: World) -> None:
    silent = threading.Event()

    def never(call: Call) -> Reply:
        silent.wait(60)
        return Reply(503)

    known = world.acme.listener.answer
    world.acme.listener.answer = never
    before = len(world.acme.listener.calls)
    addresses = [f"/panels/issue?issue={number}&project=10000" for number in range(20001, 20001 + 8)]
    opening = [threading.Thread(target=world.page, args=[world.acme, each, "uma"]) for each in addresses]
    for thread in opening:
        thread.start()
    for thread in opening:
        thread.join()
    # On a busy machine some may ask after the first ones have given up.
    assert len(world.acme.listener.calls) - before <= 2 * MOST_AT_ONCE < len(addresses)
    world.acme.listener.answer = known
    silent.set()
    assert "Idle of acme" in world.page(world.acme, ISSUE, "oscar").text, "the places are free again"


def test_whoever_asks_reads_why_it_is_not_known_who_is_away(world: World) -> None:
    assert "nothing to say" in world.page(world.globex, BYLINE, "suspended-globex").text
    assert "Log in to read who is away." in world.page(world.globex, BYLINE, None).text
    world.app.extensions[PARTICIPANTS] = Participants()
    world.globex.listener.answer = lambda _call: Reply(429, b"", {"Retry-After": "30"})
    silent = world.page(world.globex, BYLINE, "uma").text
    assert "Rollcall was not told who looks after this page." in silent
    assert "nothing to say" not in silent
    with world.tools.begin() as session:
        session.get_one(Stored, world.globex.client_key).organization_id = None
    for address in (BYLINE, "/panels/gadget?dashboard=1&item=2"):
        unknown = world.page(world.globex, address, "oscar").text
        assert "Rollcall does not know your organization yet" in unknown
        assert "operators of Rollcall" not in unknown


def test_people_are_remembered_for_a_minute_and_for_this_tenant_alone(world: World) -> None:
    world.page(world.acme, ISSUE, "oscar")
    asked = len(world.acme.listener.calls)
    assert asked == 2
    world.page(world.acme, ISSUE, "ana")
    assert len([call for call in world.acme.listener.calls if "/issue/" in call.path]) == asked
    world.globex.listener.calls.clear()
    # The same number elsewhere is another issue.
    participants = world.app.extensions[PARTICIPANTS]
    assert participants.of(world.tools, world.acme.client_key, Issue(10001, 10000))
    assert participants.of(world.tools, world.globex.client_key, Issue(10001, 10000)) == {}
    world.page(world.globex, PAGE, "oscar")
    assert world.globex.listener.calls
    world.clock.offset += REMEMBERED_FOR
    world.page(world.acme, ISSUE, "oscar")
    assert len([call for call in world.acme.listener.calls if "/issue/" in call.path]) == 2 * asked


def test_the_memory_is_bounded() -> None:
    kept: Remembered[int] = Remembered(most=3)
    now = datetime.now(UTC)
    for number in range(20):
        assert kept.get(("acme", number), now, lambda number=number: number) == number
        assert len(kept) <= 3


def test_s26_the_gadget_has_numbers_for_operators_alone(world: World) -> None:
    address = "/panels/gadget?dashboard=1&item=2"
    assert "not seen for 90 days" in world.page(world.acme, address, "oscar").text
    for account_id in ("uma", "ana", None):
        text = world.page(world.acme, address, account_id).text
        assert "shown to operators" in text
        assert "not seen for" not in text


def main_of(text: str) -> str:
    """What is shown."""
    return text.partition("<main")[2].partition("</main>")[0].partition(">")[2]
