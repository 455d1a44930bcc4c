"""The panels, the gadget and their settings, as Jira opens them: over the pretend Jira's own issues."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select

from models.absence import Absence
from models.audit import AuditEntry, Event
from models.organization import Organization
from models.panel import Gadget, SummaryDay
from models.people import Person
from services import days
from services.participants import Participants
from tests.views.house import ANA, JON, UMA, House, mark_in, words_of
from views.panels import PARTICIPANTS

ISSUE = "/panels/issue?issue={}&project=10000"
GADGET = "/panels/gadget?dashboard=10100&item=10200"
DEFAULTS = {"privacy": "inactive", "days": "90", "give_back_cap": ""}


@pytest.fixture(autouse=True)
def forgetful(house: House) -> Iterator[None]:
    """Nothing is remembered from the test before; settings, days and gadgets are left as they were."""
    house.deployment.app.extensions[PARTICIPANTS] = Participants()
    yield
    with house.deployment.tools.begin() as session:
        session.execute(delete(SummaryDay))
        session.execute(delete(Gadget))
        organization = session.scalars(select(Organization)).one()
        organization.panel_privacy, organization.panel_days, organization.give_back_cap = "inactive", 90, None


def people_of(house: House, issue: str) -> dict[str, str]:
    """Role → account id."""
    found: dict[str, str] = house.deployment.control("GET", "works")[issue]
    return found


def name_of(house: House, account_id: str) -> str:
    return house.person(account_id=account_id).name


def test_an_operator_reads_everything_and_has_a_link_to_act(house: House) -> None:
    people = people_of(house, "10042")
    answer = house.page(ISSUE.format("10042"), ANA)
    words = words_of(answer)
    assert f"{name_of(house, people['assignee'])} has not been here for" in words
    assert "Assignee · Act in Rollcall" in words
    assert "is suspended, at least since" in words
    account = people["assignee"].replace(":", "%3A")
    assert f"/plugins/servlet/ac/io.rollcall.app/rollcall-app#!people/{account}" in answer.text
    assert "Uma Lindqvist" not in words


def test_everybody_else_reads_that_somebody_is_not_active(house: House) -> None:
    people = people_of(house, "10042")
    for who in (UMA, JON):
        words = words_of(house.page(ISSUE.format("10042"), who))
        assert f"{name_of(house, people['assignee'])} is not active at the moment." in words
        assert not re.search(r"\d+ days|since|Act in Rollcall", words)


def test_dates_for_those_who_administer_the_project(house: House) -> None:
    assert (
        house.press("/app/notices", "/app/notices", **DEFAULTS | {"privacy": "dates_for_admins"}).status_code
        == 200
    )
    assert "has not been here for" in words_of(house.page(ISSUE.format("10042"), JON))
    assert "has not been here for" not in words_of(house.page(ISSUE.format("10042"), UMA))
    assert house.press("/app/notices", "/app/notices", **DEFAULTS | {"privacy": "dates"}).status_code == 200
    assert "has not been here for" in words_of(house.page(ISSUE.format("10042"), UMA))


def test_on_leave_until(house: House) -> None:
    people = people_of(house, "10041")
    began = datetime(2026, 5, 1, tzinfo=UTC)
    with house.deployment.tools.begin() as session:
        person = session.scalars(select(Person).where(Person.account_id == people["assignee"])).one()
        absence = Absence(
            organization_id=person.organization_id,
            case_id="c",
            account_id=person.account_id,
            reason="Leave",
            note="A secret note",
            ends_on=datetime(2027, 6, 1, tzinfo=UTC).date(),
            began_at=began,
        )
        session.add(absence)
    words = words_of(house.page(ISSUE.format("10041"), ANA))
    assert "is suspended since 1 May 2026: on leave until 1 June 2027." in words
    assert "is deactivated" in words
    assert "secret" not in words
    with house.deployment.tools.begin() as session:
        session.execute(delete(Absence))


@pytest.mark.parametrize("issue", ["10038", "10037", "99999"])
def test_nothing_to_say_is_nothing_at_all(house: House, issue: str) -> None:
    answer = house.page(ISSUE.format(issue), ANA)
    assert answer.status_code == 200
    assert words_of(answer) == "Who is away – Rollcall"
    assert "<main" not in answer.text
    assert "stylesheet" not in answer.text
    # The bridge is there, so that the frame can become as small as what it says.
    assert "bridge.js" in answer.text
    assert "htmx.min" not in answer.text


def test_hostile_names_are_only_names(house: House) -> None:
    people = people_of(house, "10042")
    hostile = "<img src=x onerror=alert(1)>{{ 7*7 }}" + "ا" * 200
    with house.deployment.tools.begin() as session:
        person = session.scalars(select(Person).where(Person.account_id == people["assignee"])).one()
        kept, person.name = person.name, hostile[:250]
    text = house.page(ISSUE.format("10042"), ANA).text
    assert "<img" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;{{ 7*7 }}" in text
    assert "<bdi>" in text
    with house.deployment.tools.begin() as session:
        session.scalars(select(Person).where(Person.account_id == people["assignee"])).one().name = kept


@pytest.mark.parametrize("path", [ISSUE.format("10042"), GADGET])
def test_a_panel_has_no_script_of_its_own(house: House, path: str) -> None:
    text = house.page(path).text
    assert re.findall(r"<script(?![^>]* src=)[^>]*>", text) == []
    assert re.findall(r"""\s(on\w+|hx-on[\w:-]*)=|["']\s*(?:js|javascript):""", text) == []


def test_the_gadget_says_that_there_is_no_trend_yet(house: House) -> None:
    words = words_of(house.page(GADGET, ANA))
    assert "not seen for 90 days" in words
    assert "No trend yet: the first day is counted within a day." in words
    assert "no trend yet" in words
    days.write_days(house.deployment.tools)
    words = words_of(house.page(GADGET, ANA))
    assert "No trend yet: days are counted since" in words
    assert "sparkline" not in house.page(GADGET, ANA).text


def test_the_gadget_compares_with_a_month_ago(house: House) -> None:
    tools = house.deployment.tools
    days.write_days(tools)
    days.write_days(tools)
    with tools.begin() as session:
        today = session.scalars(select(SummaryDay)).one()
        current = today.numbers[""]["people"]["90"]
        for ago, more in ((45, 50), (36, 9), (32, 3), (15, 1)):
            numbers = {"": {"people": {"90": current + more}}}
            day = today.day - timedelta(days=ago)
            session.add(SummaryDay(organization_id=today.organization_id, day=day, numbers=numbers))
    answer = house.page(GADGET, ANA)
    assert "3 fewer since" in words_of(answer)
    assert answer.text.count("<polyline") == 1
    points = re.search(r'points="([^"]*)"', answer.text)
    assert points is not None
    assert len(points[1].split()) == 3


def test_days_are_written_once_and_only_for_organizations_that_were_read(house: House) -> None:
    tools = house.deployment.tools
    for _ in range(2):
        days.write_days(tools)
    with tools.begin() as session:
        assert session.scalar(select(func.count()).select_from(SummaryDay)) == 1
        row = session.scalars(select(SummaryDay)).one()
        assert set(row.numbers[""]["people"]) == {"30", "60", "90"}
        assert all(set(one) <= {"people", "seats"} for one in row.numbers.values())
        old = row.day - timedelta(days=days.KEPT_DAYS + 1)
        session.add(SummaryDay(organization_id=row.organization_id, day=old, numbers={}))
    days.write_days(tools)
    with tools.begin() as session:
        assert session.scalar(select(func.count()).select_from(SummaryDay)) == 1


def test_a_gadget_is_set_for_itself_alone(house: House) -> None:
    where = "?dashboard=10100&item=10200"
    form = house.get(f"/app/gadget{where}&edit=yes", ANA)
    assert "Idle from" in words_of(form)
    product = re.findall(r'<option value="([\w-]+)"', form.text)[0]
    assert house.post(f"/app/gadget{where}", ANA, product=product, days="30").status_code == 200
    assert "not seen for 30 days in" in words_of(house.page(GADGET, ANA))
    assert "not seen for 90 days" in words_of(house.page("/panels/gadget?dashboard=10100&item=1", ANA))


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"product": "<script>", "days": "30"}, "product"), ({"product": "", "days": "31"}, "days")],
)
def test_a_gadget_that_cannot_be_set_so_says_why(house: House, typed: dict[str, str], field: str) -> None:
    answer = house.post("/app/gadget?dashboard=1&item=2", ANA, **typed)
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"privacy": "all"}, "privacy"),
        ({"days": "0"}, "days"),
        ({"days": "3651"}, "days"),
        ({"days": "٣"}, "days"),
        ({"give_back_cap": "0"}, "give_back_cap"),
        ({"give_back_cap": "many"}, "give_back_cap"),
    ],
)
def test_settings_that_cannot_be_say_why(house: House, typed: dict[str, str], field: str) -> None:
    answer = house.press("/app/notices", "/app/notices", **DEFAULTS | typed)
    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == "#main"
    assert f'id="{field}-problem"' in answer.text


def test_settings_are_kept_and_audited(house: House) -> None:
    opened = house.get("/app/notices", ANA)
    assert "Only that somebody is not active" in words_of(opened)
    answer = house.press("/app/notices", "/app/notices", privacy="dates", days="60", give_back_cap="150")
    assert "Saved." in words_of(answer)
    late = house.post("/app/notices", ANA, **DEFAULTS, was=mark_in(opened))
    assert late.status_code == 409
    with house.deployment.tools.begin() as session:
        organization = session.scalars(select(Organization)).one()
        assert (organization.panel_privacy, organization.panel_days, organization.give_back_cap) == (
            "dates",
            60,
            150,
        )
        query = select(AuditEntry).where(AuditEntry.event == Event.SETTINGS_CHANGED.value)
        entry = session.scalars(query.order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.actor, entry.details) == (
            ANA,
            {"panel_privacy": "dates", "panel_days": "60", "give_back_cap": "150"},
        )
    page = words_of(house.get("/app/notices", ANA))
    assert "Sam Reed has not been here for 63 days." in page
    assert "on leave until" in page
