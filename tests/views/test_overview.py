"""The Overview: what comes by itself, and where each of it can be put off."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import delete

from models.absence import Absence
from models.worker import Worker
from sandbox.world import ACME
from services.ground import day_in
from tests.views.house import House, words_of


def test_the_overview_says_what_comes_by_itself(house: House) -> None:
    assert "In the next seven days Nothing: no grace" in words_of(house.get("/app/overview"))
    tools = house.deployment.tools
    person = house.person(status="suspended", left_at=None)
    with tools.begin() as session:
        ends_on = day_in(session, ACME.id, tools.clock()) + timedelta(days=2)
        words = {"case_id": "an absence", "reason": "Parental leave", "comes_back": True, "ends_on": ends_on}
        session.add(
            Absence(organization_id=ACME.id, account_id=person.account_id, began_at=tools.clock(), **words)
        )
    try:
        answer = house.get("/app/overview")
    finally:
        with tools.begin() as session:
            session.execute(delete(Absence).where(Absence.case_id == "an absence"))
    back = ends_on + timedelta(days=1)
    assert f"{back.day} {back:%B %Y} Restore 1 person Their absence is over" in words_of(answer)
    assert 'href="/app/people?status=suspended"' in answer.text


def test_that_no_worker_runs_is_said_on_every_page_without_a_way_that_leads_nowhere(new_house: House) -> None:
    house = new_house
    house.deployment.configure()
    house.read_directory()
    tools = house.deployment.tools
    with tools.begin() as session:
        session.add(Worker(slot="worker-1", beat_at=tools.clock() - timedelta(minutes=2)))
    strip = re.search(r'<div id="strip".*?</div>', house.get("/app/runs").text, flags=re.DOTALL)
    assert strip is not None
    assert "No worker of Rollcall has given a sign of life since" in strip[0]
    assert "button" not in strip[0]
    assert "No worker of Rollcall has given a sign of life since" in words_of(house.get("/app/overview"))


def test_the_bar_of_a_sync_says_that_nobody_works(new_house: House) -> None:
    house = new_house
    house.deployment.configure()
    house.read_directory()
    house.post("/app/sync")
    assert "Stands still" not in words_of(house.get("/app/sync"))
    tools = house.deployment.tools
    with tools.begin() as session:
        session.add(Worker(slot="worker-1", beat_at=tools.clock() - timedelta(minutes=2)))
    assert "Stands still: no worker has given a sign of life since" in words_of(house.get("/app/sync"))
