"""Mail by clicking: the server and its answers, a text with its preview, the test mail in the pretend mailbox."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from rules.topics import Channel, Topic
from services.notices import send_out
from tests.browser import screenshot, serious_findings
from tests.databases import SqliteDatabases
from tests.jobs.deployment import ANA, Deployment, deployed
from tests.journeys.journey import Journey

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


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


@pytest.mark.parametrize("colours", ["dark"])
def test_mail_from_the_server_to_the_mailbox(
    start: Callable[[str, str], Journey], deployment: Deployment, colours: str
) -> None:
    journey = start("jira", colours)
    frame = journey.frame
    journey.open("rollcall-app", "mail")
    journey.arrive("Mail")
    journey.look("mail")

    # The deployment's server works.
    journey.click("Send a test mail")
    expect(frame.get_by_text("The mail server took the mail.")).to_be_visible()
    journey.look("tried")

    # What is typed is not what is tested.
    frame.get_by_label("Host").fill("127.0.0.1")
    frame.get_by_label("Password").fill("swordfish")
    journey.click("Send a test mail")
    expect(frame.get_by_text("Save first, then test.")).to_be_visible()
    expect(frame.get_by_label("Host")).to_have_value("127.0.0.1")
    expect(frame.get_by_label("Password")).to_have_value("swordfish")
    journey.look("save-first")
    frame.get_by_label("Password").fill("")

    # One of our own in a private network is refused at its field.
    frame.get_by_label("Host").fill("127.0.0.1")
    frame.get_by_label("Mails come from").fill("it@acme.example")
    frame.locator("section", has_text="Your mail server").get_by_role("button", name="Save").click()
    expect(frame.locator("#host-problem")).to_contain_text("private network")
    journey.look("a-private-host")

    # German, and a summary every morning.
    frame.get_by_label("Language of all mails").select_option("de")
    frame.get_by_label("Summary for named operators").select_option("day")
    frame.locator("section", has_text="Language and summaries").get_by_role("button", name="Save").click()
    expect(frame.get_by_role("status").filter(has_text="Saved.")).to_be_visible()

    # The text of the warning: the preview follows what is typed, and says what it cannot use.
    frame.get_by_role("link", name="Warning before something happens in Deutsch").click()
    journey.arrive("Warning before something happens")
    preview = frame.locator("#mail-preview")
    expect(preview).to_contain_text("Guten Tag Ana Marić")
    frame.get_by_label("With").fill("Uma")
    expect(preview).to_contain_text("Guten Tag Uma Lindqvist")
    journey.look("a-text")
    frame.get_by_label("Subject").fill("Noch da, {{ person.name }}? {{ nobody }}")
    expect(preview).to_contain_text("There is no variable {{ nobody }} here.")
    journey.look("a-slip")
    frame.get_by_label("Subject").fill("Noch da, {{ person.first_name }}?")
    expect(preview.get_by_role("article")).to_contain_text("Noch da, Uma?")
    journey.click("Send me this")
    expect(frame.locator("#tried")).to_contain_text("The mail server took the mail.")
    journey.click("Save")
    expect(frame.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    journey.click("Back to the default")
    journey.click("Delete my text")
    expect(frame.get_by_text("The text of your own is gone")).to_be_visible()
    expect(frame.get_by_label("Subject")).to_have_value("Brauchen Sie Ihren Zugang zu {{ products }} noch?")

    # A digest arrives by the worker; its link ends it.
    now = deployment.tools.clock()
    with deployment.tools.begin() as session:
        organization_id = deployment.sync().organization_id
        send_out(
            session,
            organization_id,
            Topic.DIGEST,
            "today",
            now,
            channel=Channel.MAIL,
            target=ANA,
            facts={"since": now.isoformat(), "until": now.isoformat()},
        )
    deployment.wait_for(lambda: len(deployment.control("GET", "mails")) == 3, "the digest")

    page = journey.page
    page.goto(f"{deployment.sandbox.hub}/mail")
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_count(3)
    page.get_by_role("link", name=re.compile("Rollcall bei Acme")).click()
    mail = page.frame_locator("article iframe")
    expect(mail.get_by_text("Was in den nächsten sieben Tagen von selbst geschieht")).to_be_visible()
    screenshot(page, f"{journey.folder}/{journey.name}/mailbox")
    journey.findings += serious_findings(page)
    with page.expect_popup() as popup:
        mail.get_by_role("link", name="Keine Zusammenfassungen mehr").click()
    stop = popup.value
    screenshot(stop, f"{journey.folder}/{journey.name}/stop")
    stop.get_by_role("button", name="No more summaries").click()
    expect(stop.get_by_role("heading", name="You get no more summaries")).to_be_visible()

    journey.open("rollcall-app", "mail")
    journey.arrive("Mail")
    journey.click("Send them to me again")
    expect(frame.get_by_text("You get summaries again.")).to_be_visible()
    assert journey.findings == []
    # The colours of the sandbox are set in every frame, and a mail's frame may keep nothing.
    assert [one for one in journey.complaints if "The document is sandboxed" not in one] == []
