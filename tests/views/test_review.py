"""What an operator decides about single people: the queue, the protected list, last days and absences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from models.absence import Absence
from models.people import Group
from models.run import Run
from rules.case import RunState
from services.rule_runs import run_now
from services.rules import delete_rule, save_rule, switch_on
from tests.views.house import House, address_of, mark_in, words_of
from tests.views.test_runs import some_people

RULE = {
    "name": "Reviewed",
    "mode": "review",
    "steps": [{"when": {"not_seen": 30}, "then": {"deed": "suspend"}}],
}


@pytest.fixture
def waiting(house: House) -> Iterator[House]:
    """A rule in review mode has run."""
    tools, ana = house.deployment.tools, house.deployment.ana
    rule_id = save_rule(tools, ana, RULE)
    switch_on(tools, ana, rule_id)
    run_now(tools, ana, rule_id)
    yield house
    delete_rule(tools, ana, rule_id)


def cases(house: House, query: str = "") -> list[str]:
    found = re.findall(r'name="case" value="([^"]+)"', house.get(f"/app/review{query}").text)
    return [str(each) for each in found]


def test_an_empty_queue_says_when_somebody_waits(house: House) -> None:
    answer = house.get("/app/review")
    assert "Nobody waits for you" in words_of(answer)
    assert 'class="badge"' not in answer.text


def test_approve_hold_note_protect(waiting: House) -> None:
    house = waiting
    answer = house.get("/app/review")
    words = words_of(answer)
    assert "Will be suspended Reviewed Last seen" in words
    badge = re.search(r'class="badge">(\d+)', answer.text)
    assert badge is not None
    first, second, third, *_ = cases(house)
    assert "1 person on hold." in words_of(house.post("/app/review/hold", case=first))
    assert cases(house, "?show=held") == [first]
    assert "Note written beside 1 person." in words_of(
        house.post("/app/review/note", case=first, note="Ask <her>")
    )
    assert "Note: Ask <her>" in words_of(house.get("/app/review?show=held"))
    assert "1 person approved." in words_of(house.post("/app/review/approve", case=second))
    refused = house.post("/app/review/protect", case=third, reason="", until="")
    assert refused.status_code == 422
    assert "Say why" in words_of(refused)
    done = house.post("/app/review/protect", case=third, reason="Parental leave", until="")
    assert "1 person protected and left alone." in words_of(done)
    after = re.search(r'class="badge">(\d+)', done.text)
    assert after is not None
    assert int(after[1]) == int(badge[1]) - 2
    assert "Parental leave" in words_of(house.get("/app/protected"))
    entry = re.search(r"/app/protected/([0-9a-f-]{36})/remove", house.get("/app/protected").text)
    assert entry is not None
    assert "taken away" in words_of(house.post(f"/app/protected/{entry[1]}/remove"))


def test_why_somebody_was_chosen_weeks_ago_is_said_with_its_day(waiting: House) -> None:
    house = waiting

    def moved(days: int) -> datetime:
        with house.deployment.tools.begin() as session:
            run = session.scalars(select(Run).where(Run.state == RunState.RUNNING.value)).one()
            run.created_at += timedelta(days=days)
            return run.created_at

    assert "As of" not in words_of(house.get("/app/review"))
    day = moved(-20)
    assert f"As of {day:%-d %B %Y}." in words_of(house.get("/app/review"))
    moved(20)


def test_many_at_once_and_nobody_is_said(waiting: House) -> None:
    house = waiting
    several = cases(house)[:3]
    answer = house.post("/app/review/hold", case=several)  # type: ignore[arg-type]
    assert "3 people on hold." in words_of(answer)
    assert house.post("/app/review/approve").status_code == 422
    assert house.post("/app/review/approve", case="nobody").status_code == 409
    assert house.post("/app/review/explode", case=several[0]).status_code == 404
    assert address_of(house.get("/app/review?show=held&page=9")) == "review?show=held"
    assert address_of(house.get("/app/review?show=odd")) == "review"


def test_what_another_operator_decided_meanwhile_is_kept_and_said(waiting: House) -> None:
    house = waiting
    first, second, third, fourth, *_ = cases(house)
    house.post("/app/review/hold", case=first)
    # Whoever opened the queue before sees nobody on hold.
    refused = house.post("/app/review/approve", case=first)
    assert refused.status_code == 409
    assert "Somebody put them on hold meanwhile." in words_of(refused)
    done = words_of(house.post("/app/review/approve", case=[first, second]))  # type: ignore[arg-type]
    assert "1 person approved. Not so 1 person: somebody else decided meanwhile" in done
    assert cases(house, "?show=held") == [first]
    done = words_of(house.post("/app/review/protect", case=[second, third], reason="On leave", until=""))  # type: ignore[arg-type]
    assert "1 person protected and left alone. Not so 1 person:" in done
    # Who is shown as on hold may be approved.
    page = house.get("/app/review?show=held").text
    assert re.findall(r'name="held" value="([^"]+)"', page) == [first]
    done = words_of(house.post("/app/review/approve", case=[first, fourth], held=first))  # type: ignore[arg-type]
    assert "2 people approved." in done
    assert "Not so" not in done


def test_protect_a_person_a_group_and_a_domain(house: House) -> None:
    person = house.person(account_id=some_people(house, 1)[0])
    filled = house.get(f"/app/protected?person={person.account_id}")
    assert f'value="{person.account_id}"' in filled.text
    assert person.name in words_of(filled)
    form = {"kind": "person", "person": person.account_id, "reason": "On leave", "until": ""}
    assert f"{person.name} is protected." in words_of(house.post("/app/protected", **form))
    page = words_of(house.get(f"/app/people/{person.account_id}"))
    assert "Protected: no rule and no run touches this account. On leave" in page
    assert "Protected: On leave" in words_of(
        house.post("/app/runs", deed="suspend", account_ids=person.account_id)
    )
    saved = house.post("/app/protected", kind="domain", domain="@Partner.Example", reason="Partner", until="")
    assert "partner.example is protected." in words_of(saved)
    for entry in set(re.findall(r"/app/protected/([0-9a-f-]{36})/remove", saved.text)):
        house.post(f"/app/protected/{entry}/remove")
    assert "Nobody is on the list yet" in words_of(house.get("/app/protected"))


def test_a_protected_group_that_was_deleted_is_said_to_protect_nobody(house: House) -> None:
    tools = house.deployment.tools

    def is_gone(gone: bool) -> None:
        with tools.begin() as session:
            session.execute(update(Group).where(Group.group_id == group_id).values(gone=gone))

    with tools.begin() as session:
        group_id = session.scalars(select(Group.group_id).order_by(Group.group_id)).first()
    form = {"kind": "group", "group": group_id, "reason": "Ask Ana", "until": ""}
    assert "protects nobody" not in words_of(house.post("/app/protected", **form))
    is_gone(True)
    page = house.get("/app/protected")
    assert "Gone: protects nobody" in words_of(page)
    assert house.post("/app/protected", **form).status_code == 422
    is_gone(False)
    for entry in set(re.findall(r"/app/protected/([0-9a-f-]{36})/remove", page.text)):
        house.post(f"/app/protected/{entry}/remove")


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"kind": "person", "person": "nobody@acme.example", "reason": "x"}, "person"),
        ({"kind": "group", "group": "", "reason": "x"}, "group"),
        ({"kind": "domain", "domain": "no domain", "reason": "x"}, "domain"),
        ({"kind": "domain", "domain": "a.example", "reason": " "}, "reason"),
        ({"kind": "domain", "domain": "a.example", "reason": "x", "until": "2020-01-01"}, "until"),
        ({"kind": "everybody", "reason": "x"}, "kind"),
    ],
)
def test_what_cannot_be_protected_is_said_at_its_field(
    house: House, form: dict[str, str], field: str
) -> None:
    answer = house.post("/app/protected", **form)
    assert answer.status_code == 422
    assert re.search(rf'<(input|select)[^>]* id="{field}"[^>]*aria-invalid="true"', answer.text)


def test_a_last_day_is_written_down_and_forgotten(house: House) -> None:
    person = house.person(status="active", is_bot=False, is_org_admin=False, left_at=None)
    page = f"/app/people/{person.account_id}"
    path = f"{page}/last-day"
    opened = mark_in(house.get(page))
    words = words_of(house.press(page, path, ends_on="2027-05-31", note="Contract"))
    assert "31 May 2027, written down by Ana Marić" in words
    late = house.post(path, ends_on="", note="Badge returned", was=opened)
    assert late.status_code == 409, "somebody else has written it down since"
    refused = house.press(page, path, ends_on="soon", note="Contract")
    assert refused.status_code == 422
    assert 'value="soon"' in refused.text
    assert "None is written down" in words_of(house.press(page, path, ends_on="", note=""))


def test_a_suspension_says_why_and_until_when(new_house: House) -> None:
    house = new_house
    house.deployment.configure()
    house.read_directory()
    (account_id,) = some_people(house, 1)
    preview = house.post("/app/runs", deed="suspend", account_ids=account_id)
    assert "Why, and until when" in words_of(preview)
    run = f"/app/{address_of(preview)}"
    until = (house.deployment.tools.clock() + timedelta(days=90)).date()
    form = {"reason": "Leave", "note": "Parental leave", "comes_back": "yes"}
    refused = house.post(f"{run}/confirm", **form, ends_on="")
    assert refused.status_code == 422
    assert re.search(r'id="ends_on"[^>]*aria-invalid="true"', refused.text)
    assert 'value="Parental leave"' in refused.text
    assert house.post(f"{run}/confirm", **form, ends_on="2020-01-01").status_code == 422
    assert house.post(f"{run}/confirm", **form | {"reason": "Spite"}, ends_on="").status_code == 422
    confirmed = house.post(f"{run}/confirm", **form, ends_on=until.isoformat())
    assert "Decided then: they are restored by themselves when that day is over." in words_of(confirmed)
    house.act()
    page = words_of(house.get(f"/app/people/{account_id}"))
    assert f"Away until {until.day} {until:%B %Y}: leave Parental leave." in page
    assert "They are restored by themselves when that day is over." in page
    with house.deployment.tools.begin() as session:
        # As a rule writes it down that suspends for a number of days.
        session.scalars(select(Absence)).one().reason = "Last seen 95 days ago, in Confluence."
    page = words_of(house.get(f"/app/people/{account_id}"))
    assert f"{until:%B %Y}: last seen 95 days ago, in Confluence." in page
    house.post("/app/leavers", account_ids=account_id)
    assert "Whether that is still so stands on their own page." in words_of(house.get(run))
    page = words_of(house.get(f"/app/people/{account_id}"))
    assert "They are not restored when that day is over: they are leaving." in page


def test_whoever_is_away_may_be_left_where_they_are(new_house: House) -> None:
    house = new_house
    house.deployment.configure()
    house.read_directory()
    (account_id,) = some_people(house, 1)
    run = f"/app/{address_of(house.post('/app/runs', deed='suspend', account_ids=account_id))}"
    until = (house.deployment.tools.clock() + timedelta(days=90)).date().isoformat()
    house.post(f"{run}/confirm", reason="Leave", note="", comes_back="yes", ends_on=until)
    house.act()
    path = f"/app/people/{account_id}"
    assert "Do not bring back" in words_of(house.get(path))
    page = words_of(house.post(f"{path}/stay-away"))
    assert "They stay suspended until somebody restores them." in page
    assert "Do not bring back" not in page
    assert house.post(f"{path}/stay-away").status_code == 409
