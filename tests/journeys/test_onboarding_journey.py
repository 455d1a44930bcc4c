"""Joiners by clicking: a profile, a pasted list, the preview, the invitation accepted; a file with two rows to mend."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from services import syncing
from services.credential_storing import store_admin_key
from tests.jobs.deployment import KEY, Deployment
from tests.journeys.journey import Journey

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
NORA, BOB = "nora@newcomers.example", "bob@newcomers.example"


def test_joiners_from_a_profile_to_the_report(
    start: Callable[[str, str], Journey], deployment: Deployment, tmp_path: Path
) -> None:
    deployment.configure()
    door = deployment.control("POST", "install", json={"site": "acme", "product": "confluence"})
    ana = replace(deployment.ana, tenant=door["client_key"])
    expires_on = (datetime.now(UTC) + timedelta(days=200)).date().isoformat()
    store_admin_key(deployment.tools, ana, key=KEY, expires_on=expires_on)
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    journey = start("confluence", "light")
    frame = journey.frame

    # A profile, from an example.
    journey.open("rollcall-app", "onboarding")
    journey.arrive("Invite")
    journey.look("first-a-profile")
    frame.get_by_role("link", name="Make a profile").click()
    journey.arrive("Profiles")
    journey.look("no-profile-yet")
    frame.get_by_role("link", name="Contractor").click()
    journey.arrive("New profile")
    frame.get_by_role("textbox", name="Name").fill("")
    frame.locator("#groups").click()
    frame.get_by_label("contractors").check()
    journey.click("Save")
    expect(frame.locator("#name-problem")).to_contain_text("A profile needs a name.")
    expect(frame.get_by_role("textbox", name="Name")).to_be_focused()
    journey.look("a-slip")
    frame.get_by_role("textbox", name="Name").fill("Contractor")
    journey.click("Save")
    expect(frame.get_by_role("status").filter(has_text="“Contractor” is saved.")).to_be_visible()
    journey.look("profiles")

    # A pasted list with a line that is none, then its preview.
    frame.get_by_role("link", name="Invite with Contractor").click()
    journey.arrive("Invite")
    expect(frame.get_by_role("checkbox", name=re.compile("Contractor"))).to_be_checked()
    frame.get_by_label("E-mail addresses").fill(f"Nora Newman <{NORA}>\nBob")
    journey.click("Show the preview")
    expect(frame.locator("#people-problem")).to_contain_text("line 2 “Bob”")
    journey.look("a-line-not-understood")
    frame.get_by_label("E-mail addresses").fill(f"Nora Newman <{NORA}>; {BOB}")
    frame.get_by_label("Message in Atlassian's invitation").fill("Welcome to the team.")
    journey.click("Show the preview")
    journey.arrive("Preview: 2 people")
    journey.look("the-preview")
    journey.click("Invite 2 people")
    journey.arrive("Invit")
    expect(frame.get_by_text("Finished", exact=True)).to_be_visible(timeout=60_000)
    journey.look("invited")

    # Seen at the pretend Atlassian; one accepts there, and is not open any more.
    mail = deployment.control("GET", "mails")
    assert any(NORA in str(one) and "Welcome to the team." in str(one) for one in mail)
    frame.locator("#tabs").get_by_role("link", name="Onboarding").click()
    journey.arrive("^Invite$")
    expect(frame.get_by_role("row").filter(has_text=NORA)).to_contain_text("Not answered")
    journey.look("not-answered-yet")
    people = deployment.control("GET", "people?site=acme&limit=10000")
    nora = next(one["account_id"] for one in people if one["email"] == NORA)
    deployment.control("POST", f"people/{nora}/accept?site=acme")
    syncing.request_sync(deployment.tools, deployment.ana)
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the second sync")
    journey.page.reload()
    journey.arrive("Invite")
    expect(
        frame.get_by_text("1 of 2 people whom Rollcall invited in the last 30 days has come.")
    ).to_be_visible()
    expect(frame.get_by_role("row").filter(has_text=NORA)).to_have_count(0)
    journey.look("one-has-come")

    # One who comes later, and is called off.
    frame.get_by_label("E-mail addresses").fill("carla@newcomers.example")
    frame.get_by_role("checkbox", name=re.compile("Contractor")).check()
    frame.get_by_label("First day").fill("2099-05-01")
    journey.click("Show the preview")
    journey.arrive("Preview: 1 person")
    journey.click("Invite 1 person")
    journey.arrive("Invit")
    frame.locator("#tabs").get_by_role("link", name="Onboarding").click()
    journey.arrive("^Invite$")
    expect(frame.get_by_text("Begins on 1 May 2099")).to_be_visible()
    journey.look("begins-later")
    journey.click("Call off carla@newcomers.example")
    expect(frame.get_by_role("status").filter(has_text="is called off")).to_be_visible()

    # A file with two rows to mend: mended, it becomes a run with a report.
    frame.get_by_role("link", name="From a file").click()
    journey.arrive("From a file")
    journey.look("from-a-file")
    with journey.page.expect_download() as template:
        journey.click("Download the template")
    assert template.value.path().read_text("utf-8-sig").startswith('"e-mail","name","profile"')
    journey.click("Check the file")
    expect(frame.locator("#file-problem")).to_contain_text("There is no file")
    file = tmp_path / "people.csv"
    file.write_text(
        f"E-mail;Name;Profile;Action\ndora@newcomers.example;Dora;Contractor;\nemil;Emil;Contractor;\n{BOB};;;dance\n"
    )
    frame.get_by_label("A CSV file").set_input_files(file)
    journey.click("Check the file")
    journey.arrive("Preview: 1 person")
    expect(frame.get_by_text("2 rows of the file have to be mended.")).to_be_visible()
    journey.look("rows-to-mend")
    with journey.page.expect_download() as to_mend:
        journey.click("Download these rows to mend")
    rows = list(csv.DictReader(to_mend.value.path().read_text("utf-8-sig").splitlines()))
    assert [row["problem"][:12] for row in rows] == ["e-mail: “emi", "action: Ther"]
    file.write_text(
        file.read_text().replace("emil;", "emil@newcomers.example;").replace(";;dance", ";;suspend")
    )
    frame.get_by_role("link", name="Upload another file").click()
    journey.arrive("From a file")
    frame.get_by_label("A CSV file").set_input_files(file)
    journey.click("Check the file")
    journey.arrive("Preview: 3 people")
    expect(frame.locator("#bad-rows")).to_have_count(0)
    journey.look("the-mended-file")
    frame.get_by_role("button", name=re.compile("3 people$")).click()
    expect(frame.get_by_text("Finished", exact=True)).to_be_visible(timeout=60_000)
    journey.look("the-run-of-the-file")
    with journey.page.expect_download() as report:
        journey.click("Report for each row")
    lines = list(csv.DictReader(report.value.path().read_text("utf-8-sig").splitlines()))
    assert [(row["line"], row["result"]) for row in lines] == [("2", "acted"), ("3", "acted"), ("4", "acted")]

    # The same file again: nothing to do.
    frame.locator("#tabs").get_by_role("link", name="Onboarding").click()
    journey.arrive("^Invite$")
    frame.get_by_role("link", name="From a file").click()
    journey.arrive("From a file")
    frame.get_by_label("A CSV file").set_input_files(file)
    journey.click("Check the file")
    expect(frame.get_by_text("Everything is so already: there is nothing to do.")).to_be_visible()
    journey.look("nothing-to-do")

    # A last day, and the same list with a later one: prolonged where it stands, and set back.
    sooner, later = ((datetime.now(UTC) + timedelta(days=days)).date() for days in (20, 60))
    for until, verdict in ((sooner, "Will get access"), (later, "Will be prolonged")):
        file.write_text(f"E-mail;Groups to add;End\n{NORA};service-desk-agents;{until.isoformat()}\n")
        frame.locator("#tabs").get_by_role("link", name="Onboarding").click()
        journey.arrive("^Invite$")
        frame.get_by_role("link", name="From a file").click()
        journey.arrive("From a file")
        frame.get_by_label("A CSV file").set_input_files(file)
        journey.click("Check the file")
        journey.arrive("Preview: 1 person")
        expect(frame.get_by_role("row").filter(has_text=verdict)).to_have_count(1)
        if until is later:
            both = f"From {sooner:%-d %B %Y} to {later:%-d %B %Y}."
            expect(frame.get_by_role("row").filter(has_text=both)).to_have_count(1)
            journey.look("will-be-prolonged")
        frame.get_by_role("button", name=re.compile("1 person$")).click()
        expect(frame.get_by_text("Finished", exact=True)).to_be_visible(timeout=60_000)
    expect(frame.get_by_role("row").filter(has_text=both)).to_contain_text("Prolonged")
    journey.look("prolonged")
    journey.click("Undo the run…")
    journey.arrive("Preview: take the run back")
    journey.look("will-be-set-back")
    journey.click("Set back the last day of 1 person")
    expect(frame.get_by_text("Finished", exact=True)).to_be_visible(timeout=60_000)
    journey.look("set-back")
    assert journey.findings == []
    assert journey.complaints == []
