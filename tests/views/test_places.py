"""Every place: a title, a heading, tabs that say where one is, an address that leads back; and who sees what."""

from __future__ import annotations

import re

import pytest

from tests.views.house import ANA, JON, UMA, House, address_of, words_of

PLACES = [
    ("overview", "Overview"),
    ("people", "People"),
    ("people?idle=90&status=active&sort=seen&down=yes", "People"),
    ("rules", "Rules"),
    ("rules/new", "New rule"),
    ("rules/new?template=idle-ladder", "New rule"),
    ("rules/import", "Import rules"),
    ("review", "Review"),
    ("protected", "Protected"),
    ("calendar", "Calendar"),
    ("runs", "Runs"),
    ("notices", "In the product"),
    ("hooks", "Hooks"),
    ("hooks/new", "New hook"),
    ("sent", "Sent"),
    ("sent?channel=hook&state=not_sent", "Sent"),
    ("audit", "Audit"),
    ("audit?event=sync%3Acompleted", "Audit"),
    ("configure", "Configure Token"),
    ("get-started", "Get started"),
]
UNDER = {"protected": "rules", "calendar": "rules", "hooks": "notices", "sent": "notices"}
"""Places that are reached from another one's tab."""


@pytest.mark.parametrize(("place", "title"), PLACES)
def test_a_place_has_title_heading_and_an_address_that_leads_back(
    house: House, place: str, title: str
) -> None:
    answer = house.get(f"/app/{place}")
    assert answer.status_code == 200
    assert f"<title>{title} – Rollcall</title>" in answer.text
    assert len(re.findall(r"<h1\b", answer.text)) == 1
    assert address_of(answer) == place
    current = re.findall(r'href="/app/([\w-]+)"[^>]* aria-current="page"', answer.text)
    first = re.split(r"[/?]", place)[0]
    assert current == ([] if place == "get-started" else [UNDER.get(first, first)])


@pytest.mark.parametrize("path", ["/pages/app", "/pages/configure", "/pages/get-started"])
def test_a_page_brings_its_first_content_and_no_script_of_its_own(house: House, path: str) -> None:
    text = house.page(path).text
    assert text.startswith("<!doctype html>")
    assert "<h1" in text
    assert "data-address=" in text
    # The policy forbids all of these; a template that needs one would silently not work.
    assert re.findall(r"<script(?![^>]* src=)[^>]*>", text) == []
    assert re.findall(r"""\s(on\w+|hx-on[\w:-]*)=|["']\s*(?:js|javascript):""", text) == []
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', text)
    assert len(files) >= 7
    assert all(re.search(r"\?v=[0-9a-f]{8}$", file) for file in files)


def test_every_file_of_a_page_is_there(house: House) -> None:
    for file in re.findall(r'(?:href|src)="(/static/[^"]+)"', house.page("/pages/app").text):
        assert house.get(file).status_code == 200, file


def test_no_answer_sets_a_cookie(house: House) -> None:
    for answer in (
        house.page("/pages/app"),
        house.get("/app/people"),
        house.get("/"),
        house.get("/app/nothing"),
    ):
        assert "Set-Cookie" not in answer.headers


def test_an_operator_opens_the_overview(house: House) -> None:
    assert address_of(house.page("/pages/app", ANA)) == "overview"


def test_an_administrator_who_is_no_operator_sees_configure_token_and_nobody_of_the_organization(
    house: House,
) -> None:
    answer = house.page("/pages/app", JON)
    assert address_of(answer) == "configure"
    words = words_of(answer)
    assert "Ana Marić can name you" in words
    assert "Operators They see" not in words
    assert 'href="/app/people"' not in answer.text
    other = house.person(is_org_admin=False, is_bot=False, status="suspended")
    assert other.name not in words


def test_a_plain_user_sees_a_sentence_and_no_tab(house: House) -> None:
    answer = house.page("/pages/app", UMA)
    assert answer.status_code == 403
    assert "Ask an organization admin" in words_of(answer)
    assert "hx-get" not in answer.text
    assert house.page("/pages/configure", UMA).status_code == 403


def test_an_anonymous_visitor_is_asked_to_log_in(house: House) -> None:
    answer = house.page("/pages/app", None)
    assert answer.status_code == 403
    assert "Log in to your site" in words_of(answer)


@pytest.mark.parametrize("account_id", [JON, UMA, None])
def test_people_are_for_operators(house: House, account_id: str | None) -> None:
    for path in (
        "people",
        "overview",
        "rules",
        "review",
        "protected",
        "runs",
        "audit",
        "operators/search?text=a",
    ):
        answer = house.get(f"/app/{path}", account_id)
        assert answer.status_code == 403
        assert "Trace id" in words_of(answer)


def test_before_the_key_the_administrator_is_led_to_configure_token(new_house: House) -> None:
    assert address_of(new_house.page("/pages/app")) == "configure"
    assert "Nobody sees your organization here yet" in words_of(new_house.get("/app/configure"))
    words = words_of(new_house.page("/pages/get-started"))
    assert "Paste an Admin API key It opens" in words
    assert "The first sync starts by itself" in words


def test_outside_atlassian_a_page_says_what_this_is(house: House) -> None:
    answer = house.get("/")
    assert "/jira/atlassian-connect.json" in answer.text
    assert "31 January 2027" in words_of(answer)
    assert house.get("/healthz").json == {"status": "ok"}


def test_nothing_under_audit_can_be_changed(house: House) -> None:
    rules = [rule for rule in house.deployment.app.url_map.iter_rules() if "audit" in rule.rule]
    assert rules
    assert {method for rule in rules for method in rule.methods or ()} == {"GET", "HEAD", "OPTIONS"}
