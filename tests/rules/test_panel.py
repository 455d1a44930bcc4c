"""What panels say about somebody: by standing, by what the reader may know; and about whom they say nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.panel import Detail, Privacy, Standing, detail, is_away, words

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=93)
IDLE = Standing("active", "seen", seen_at=LONG_AGO)
NEVER = Standing("active", "never", never_since=LONG_AGO)
SUSPENDED = Standing("suspended", "seen", seen_at=LONG_AGO, status_since=datetime(2026, 5, 1, tzinfo=UTC))
ON_LEAVE = replace(
    SUSPENDED, away_reason="Leave", away_since=datetime(2026, 4, 30, tzinfo=UTC), away_until=date(2026, 6, 1)
)
DEACTIVATED = Standing("deactivated", "unknown", status_since=datetime(2026, 5, 2, tzinfo=UTC))
AWAY = [IDLE, NEVER, SUSPENDED, ON_LEAVE, DEACTIVATED, replace(IDLE, has_left=True)]


@pytest.mark.parametrize(
    ("person", "sentence"),
    [
        (IDLE, "has not been here for 93 days."),
        (NEVER, "was added 93 days ago and has not been here yet."),
        (SUSPENDED, "is suspended, at least since 1 May 2026."),
        (ON_LEAVE, "is suspended since 30 April 2026: on leave until 1 June 2026."),
        (replace(ON_LEAVE, away_until=None), "is suspended since 30 April 2026: on leave."),
        (replace(ON_LEAVE, away_reason="Security"), "is suspended since 30 April 2026: until 1 June 2026."),
        (
            replace(ON_LEAVE, away_reason="Security", away_until=None),
            "is suspended since 30 April 2026.",
        ),
        (DEACTIVATED, "is deactivated, at least since 2 May 2026."),
        (replace(DEACTIVATED, status_since=None), "is deactivated."),
        (replace(IDLE, has_left=True), "is no longer in this organization."),
    ],
)
def test_with_dates(person: Standing, sentence: str) -> None:
    assert words(person, Detail.DATES, 90, NOW) == sentence


def test_why_somebody_is_suspended_is_for_operators() -> None:
    person = replace(ON_LEAVE, away_reason="Security")
    told = words(person, Detail.EVERYTHING, 90, NOW)
    assert told == "is suspended since 30 April 2026: security, until 1 June 2026."
    assert "ecurity" not in words(person, Detail.DATES, 90, NOW)


@pytest.mark.parametrize("person", AWAY)
def test_without_dates_everybody_sounds_alike(person: Standing) -> None:
    assert words(person, Detail.INACTIVE, 90, NOW) == "is not active at the moment."
    assert words(person, Detail.NOTHING, 90, NOW) == ""


@pytest.mark.parametrize(
    "person",
    [
        replace(IDLE, seen_at=NOW - timedelta(days=89)),
        replace(NEVER, never_since=NOW - timedelta(days=89)),
        replace(NEVER, never_since=None),
        replace(IDLE, is_bot=True),
        Standing("active", "unknown"),
        Standing("active", "unknown", never_since=LONG_AGO),
        Standing("not_invited", "unknown"),
    ],
)
def test_s45_who_was_here_and_who_is_unknown_is_not_spoken_of(person: Standing) -> None:
    assert not is_away(person, 90, NOW)
    assert words(person, Detail.EVERYTHING, 90, NOW) == ""


@pytest.mark.parametrize(
    ("privacy", "reader", "project_administrator"),
    [
        (Privacy.OFF, Detail.NOTHING, Detail.NOTHING),
        (Privacy.INACTIVE, Detail.INACTIVE, Detail.INACTIVE),
        (Privacy.DATES_FOR_ADMINS, Detail.INACTIVE, Detail.DATES),
        (Privacy.DATES, Detail.DATES, Detail.DATES),
    ],
)
def test_who_is_told_how_much(privacy: Privacy, reader: Detail, project_administrator: Detail) -> None:
    assert detail(privacy, operator=False, administers=False) is reader
    assert detail(privacy, operator=False, administers=True) is project_administrator
    assert detail(privacy, operator=True, administers=False) is Detail.EVERYTHING


@given(
    status=st.sampled_from(["active", "suspended", "deactivated", "for_deletion", "not_invited", "odd"]),
    activity=st.sampled_from(["seen", "never", "unknown"]),
    ago=st.integers(0, 4000),
    days=st.integers(1, 3650),
    bot=st.booleans(),
    left=st.booleans(),
)
def test_who_is_away_has_a_sentence_and_nobody_else(
    status: str, activity: str, ago: int, days: int, bot: bool, left: bool
) -> None:
    moment = NOW - timedelta(days=ago)
    person = Standing(status, activity, moment if activity == "seen" else None, moment, moment, bot, left)
    for level in (Detail.INACTIVE, Detail.DATES, Detail.EVERYTHING):
        sentence = words(person, level, days, NOW)
        assert bool(sentence) == is_away(person, days, NOW)
        assert not sentence or sentence.endswith(".")
