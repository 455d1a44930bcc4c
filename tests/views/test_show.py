"""Dates, numbers and states in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from connect import errors
from models.audit import Event
from rules.case import CaseState, RunState
from rules.deeds import CAPABILITIES, FOR_RULES, Deed
from rules.filters import STATUSES
from rules.rule import Mode
from rules.verdict import Why
from services.mail_words import ENDINGS
from tests.architecture.sources import TOP
from views import audit_words, show, words

NOW = datetime(2026, 5, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=47), "47 hours ago"),
        (timedelta(days=93, hours=3), "93 days ago"),
        (timedelta(days=1200), "1,200 days ago"),
    ],
)
def test_ago(age: timedelta, expected: str) -> None:
    assert show.ago(NOW - age, NOW) == expected


def test_day_and_duration() -> None:
    assert show.day(NOW) == "3 May 2026"
    assert [show.duration(seconds) for seconds in (0, 45, 120, 130, 3900)] == [
        "0 s",
        "45 s",
        "2 min",
        "2 min 10 s",
        "1 h 5 min",
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ana Marić", "AM"),
        ("Jean-Luc Picard", "JP"),
        ("Cher", "C"),
        ("", "?"),
        ("(deleted) x", "X"),
        ("李 小龙", "李小"),
    ],
)
def test_initials(name: str, expected: str) -> None:
    assert show.initials(name) == expected


def test_every_state_and_event_has_words() -> None:
    assert set(audit_words.EVENTS) == set(Event)
    assert set(words.RUN_STATES) == set(RunState)
    assert set(words.STATUSES) == set(STATUSES)
    assert set(words.MODES) == set(Mode)
    assert set(words.WHYS) == set(Why) - {Why.CHOSEN}
    assert set(words.DEED_VERBS) == set(Deed)
    # A warning comes before every deed of a rule that takes something, and before an access with an end is taken back.
    assert set(ENDINGS) == {deed for deed in FOR_RULES if CAPABILITIES[deed].takes} | {Deed.TAKE_BACK}
    for state in CaseState:
        assert words.case_words(state, None, RunState.RUNNING)
        for deed in Deed:
            assert words.case_words(state, deed, RunState.RUNNING)
            assert words.case_words(state, deed, RunState.PREVIEW)


def test_a_path_of_a_rule_as_people_count() -> None:
    assert show.field_words("rules.0.steps.1.then.deed") == "Rule 1, step 2, then, deed"
    assert show.field_words("schedule.days_before") == "Schedule, days before"
    assert show.field_words("rules.²") == "Rules, ²"


def test_until_and_a_moment_elsewhere() -> None:
    assert show.until(NOW + timedelta(seconds=30), NOW) == "in a moment"
    assert show.until(NOW + timedelta(hours=3), NOW) == "in 3 hours"
    assert show.until(NOW + timedelta(days=9), NOW) == "in 9 days"
    assert show.in_zone(NOW, "Asia/Tokyo") == "Sun 3 May 2026, 21:00"
    assert show.day_there(NOW, "Asia/Tokyo") == "3 May 2026"
    assert show.day_there(NOW, "Pacific/Auckland") == "4 May 2026"


def test_no_page_shows_a_day_that_was_decided_in_utc() -> None:
    pages = [(page.name, page.read_text()) for page in (TOP / "templates").rglob("*.html")]
    of_utc = re.compile(r"\b(due_at|starts_at|ends_at) \| (day|date|moment)\b")
    assert {(name, found[0]) for name, text in pages for found in of_utc.finditer(text)} == {
        # A document for an audit, all of it in UTC, and it says so.
        ("evidence.html", "ends_at | moment")
    }


def test_results_are_words_not_codes() -> None:
    assert (
        audit_words.result_words("key_rejected", {"kind": "admin_key"})
        == "Admin API key: Atlassian rejects it"
    )
    for lacks in (errors.Why.ORGANIZATION, errors.Why.RIGHTS):
        reason = errors.AccessForbidden(lacks).reason
        assert "may not administer the organization" in audit_words.result_words(
            reason, {"kind": "admin_key"}
        )
    assert audit_words.result_words("acted 11, failed 2", {"deed": "suspend"}) == "11 done, 2 failed"
    assert audit_words.result_words("2000 people", None) == "2000 people"


@pytest.mark.parametrize(
    ("counts", "told", "said"),
    [
        ({CaseState.ACTED: 3}, 0, "Being taken back"),
        ({CaseState.ACTED: 2, CaseState.UNDONE: 1}, 0, "Taken back in part"),
        ({CaseState.UNDONE: 2, CaseState.UNDO_SKIPPED: 1}, 0, "Taken back in part"),
        ({CaseState.UNDO_SKIPPED: 3}, 0, "Not taken back"),
        ({CaseState.UNDONE: 3, CaseState.GUARDED: 1}, 0, "Taken back"),
        # Who was only warned has nothing to be taken back.
        ({CaseState.ACTED: 2, CaseState.UNDONE: 3}, 2, "Taken back"),
        ({CaseState.ACTED: 3, CaseState.UNDONE: 3}, 2, "Taken back in part"),
    ],
)
def test_how_far_an_undo_came(counts: dict[CaseState, int], told: int, said: str) -> None:
    changed = sum(
        counts.get(state, 0) for state in (CaseState.ACTED, CaseState.UNDONE, CaseState.UNDO_SKIPPED)
    )
    by_deed = {Deed.SUSPEND: changed - told, Deed.TELL: told}
    assert words.taken_back(counts, by_deed) == said


def test_behind_a_number_every_deed_has_words_of_its_own() -> None:
    assert len({words.counted_words(deed) for deed in Deed}) == len(Deed)
    assert all(words.will_words(deed).startswith("Will ") for deed in Deed)
