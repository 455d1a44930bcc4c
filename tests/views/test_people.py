"""The list of people, one person, and their export."""

from __future__ import annotations

import csv
import io
import re
from urllib.parse import unquote

import pytest
from sqlalchemy import select, update

from models.audit import AuditEntry
from models.people import Person
from models.run import Case
from tests.views.house import ANA, House, address_of, words_of


def count(house: House, query: str = "") -> int:
    found = re.search(r'data-total="(\d+)"', house.get(f"/app/people{query}").text)
    assert found is not None
    return int(found[1])


def test_filters_narrow_and_their_counts_add_up(house: House) -> None:
    everybody = count(house)
    assert everybody == house.deployment.sync().people
    statuses = ("active", "suspended", "deactivated", "not_invited", "for_deletion")
    assert sum(count(house, f"?status={status}") for status in statuses) == everybody
    assert 0 < count(house, "?idle=90") < count(house, "?idle=30") < everybody
    assert count(house, "?claim=managed") + count(house, "?claim=unmanaged") == everybody


def test_the_form_and_the_bookmark_name_the_same_filter(house: House) -> None:
    typed = house.get(
        "/app/people?text=&product=&idle=other&days=45&status=active&claim=&group=&domain=&synced="
    )
    assert address_of(typed) == "people?idle=45&status=active"
    again = house.get("/app/people?idle=45&status=active")
    assert 'value="other" selected' in again.text
    assert re.search(r'id="filter-days-input"[^>]* value="45"', again.text)


@pytest.mark.parametrize("word", ["domain", "group"])
def test_a_filter_that_is_no_choice_any_more_is_not_shown_as_any(house: House, word: str) -> None:
    """From the list of the protected: the next change of another field would drop it without a word."""
    shown = house.get(f"/app/people?{word}=nobody.example")
    assert count(house, f"?{word}=nobody.example") == 0
    assert re.search(r'<option value="nobody.example" selected>', shown.text)


@pytest.mark.parametrize("query", ["?idle=soon", "?status=odd", "?sort=luck", "?idle=other&days=-3"])
def test_a_filter_that_makes_no_sense_is_said(house: House, query: str) -> None:
    answer = house.get(f"/app/people{query}")
    assert answer.status_code == 422
    assert "Choose another value" in words_of(answer)


def test_paging_stays_inside_the_list(house: House) -> None:
    last = house.get("/app/people?page=99999")
    assert last.status_code == 200
    assert address_of(last) == "people?page=4"
    assert "Page 4 of 4" in words_of(last)
    assert address_of(house.get("/app/people?page=-3")) == "people"


def test_a_heading_sorts_and_then_turns_round(house: House) -> None:
    first = house.get("/app/people?idle=90&sort=seen")
    assert 'aria-sort="ascending"' in first.text
    assert 'href="/app/people?idle=90&amp;sort=seen&amp;down=yes"' in first.text
    assert 'aria-sort="descending"' in house.get("/app/people?idle=90&sort=seen&down=yes").text


def test_last_seen_is_a_date_and_days_with_the_product(house: House) -> None:
    words = words_of(house.get("/app/people?idle=90"))
    assert re.search(r"\d{1,2} [A-Z][a-z]+ 20\d\d \d[\d,]* days ago in (Jira|Confluence)", words)
    assert re.search(r"Never came added \d[\d,]* days ago", words_of(house.get("/app/people?idle=never")))


def test_the_list_says_who_is_guarded_and_why(house: House) -> None:
    words = words_of(house.get("/app/people?text=ana+mari"))
    assert "This is you." in words
    assert "Org admin" in words
    owner = house.deployment.control("GET", "people?kind=other-site-owner")[0]
    for path in (f"/app/people?text={owner['name']}", f"/app/people/{owner['account_id']}"):
        assert "Owns another site of the organization." in words_of(house.get(path)), path


def test_nobody_matches_says_what_to_do(house: House) -> None:
    words = words_of(house.get("/app/people?text=zzzzzz"))
    assert "Nobody matches" in words
    assert "Show everybody" in words


def test_a_name_is_text_and_never_markup(house: House) -> None:
    victim = house.person(status="active", is_bot=False, is_org_admin=False)
    evil = "<img src=x onerror=alert(1)>"
    with house.deployment.tools.begin() as session:
        session.execute(
            update(Person).where(Person.account_id == victim.account_id).values(name=evil, search_text="evil")
        )
    try:
        for path in (
            "/app/people?text=evil",
            f"/app/people/{victim.account_id}",
            "/app/operators/search?text=evil",
        ):
            answer = house.get(path)
            assert answer.status_code == 200
            assert evil in words_of(answer)
            assert "<img" not in answer.text
    finally:
        with house.deployment.tools.begin() as session:
            as_found = {"name": victim.name, "search_text": victim.search_text}
            session.execute(update(Person).where(Person.account_id == victim.account_id).values(**as_found))


def test_a_person_has_access_groups_history_and_the_way_to_suspend(house: House) -> None:
    with house.deployment.tools.begin() as session:
        person = session.scalars(
            select(Person).where(
                Person.status == "active",
                Person.is_bot.is_(False),
                Person.is_org_admin.is_(False),
                Person.management_source == "invited",
                Person.account_id.not_in(select(Case.account_id)),
                Person.account_id.not_in(select(AuditEntry.subject).where(AuditEntry.subject.is_not(None))),
            )
        ).first()
        session.expunge_all()
    assert person is not None
    answer = house.get(f"/app/people/{person.account_id}")
    words = words_of(answer)
    assert "Suspend…" in words
    for title in ("Account", "Groups", "Access and activity", "History", "Nothing was ever done"):
        assert title in words
    assert unquote(address_of(answer)) == f"people/{person.account_id}"


def test_a_guarded_person_has_no_button_but_a_reason(house: House) -> None:
    words = words_of(house.get(f"/app/people/{ANA}"))
    assert "Guarded: Rollcall never suspends this account." in words
    assert "This is you." in words
    assert "Suspend…" not in words


def test_a_stranger_is_not_found(house: House) -> None:
    assert house.get("/app/people/712020:nobody").status_code == 404


def test_the_export_is_a_file_with_the_people_of_the_filter(house: House) -> None:
    answer = house.get("/app/people/export?status=suspended")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="rollcall-people.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(rows) == count(house, "?status=suspended")
    assert {row["status"] for row in rows} == {"suspended"}
