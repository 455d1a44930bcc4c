"""When somebody was last seen: three answers, and "unknown" is never "idle" (S45)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.activity import (
    UNKNOWN,
    Activity,
    ActivityKind,
    KnownSeat,
    activity_in,
    activity_per_product,
    combined,
)
from rules.person import PersonFacts, ProductAccess
from rules.products import family_of
from tests.rules.people import NOW, PRODUCTS, moments, people, person

SEEN = NOW - timedelta(days=93)
ADDED = NOW - timedelta(days=400)
EARLIER, LATER = SEEN - timedelta(days=1), SEEN + timedelta(days=1)


@pytest.mark.parametrize(
    ("last_active", "added_at", "signal", "expected"),
    [
        (SEEN, ADDED, None, Activity(ActivityKind.SEEN, SEEN, "jira-software")),
        (SEEN, None, None, Activity(ActivityKind.SEEN, SEEN, "jira-software")),
        (None, ADDED, None, Activity(ActivityKind.NEVER, ADDED)),
        (None, None, None, UNKNOWN),
        (None, ADDED, SEEN, Activity(ActivityKind.SEEN, SEEN, "jira-software")),
        (SEEN, ADDED, LATER, Activity(ActivityKind.SEEN, LATER, "jira-software")),
        (SEEN, ADDED, EARLIER, Activity(ActivityKind.SEEN, SEEN, "jira-software")),
    ],
)
def test_one_product(
    last_active: datetime | None, added_at: datetime | None, signal: datetime | None, expected: Activity
) -> None:
    access = ProductAccess("ari:jira", "jira-software", last_active)
    assert activity_in(access, added_at, signal) == expected


@pytest.mark.parametrize(
    ("since", "counts_from"), [(None, ADDED), (SEEN, SEEN), (ADDED - timedelta(days=1), ADDED)]
)
def test_never_counts_from_the_day_of_the_seat(since: datetime | None, counts_from: datetime) -> None:
    access = ProductAccess("ari:jira", "jira-software", None)
    assert activity_in(access, ADDED, since=since) == Activity(ActivityKind.NEVER, counts_from, since=since)
    assert activity_in(access, None, since=since) == UNKNOWN
    assert KnownSeat("jira-software", "never", since=since).activity(ADDED).at == counts_from


@pytest.mark.parametrize(
    ("last_active", "expected"), [(None, SEEN), (EARLIER, SEEN), (SEEN, SEEN), (LATER, LATER)]
)
def test_what_was_told_once_is_not_forgotten(last_active: datetime | None, expected: datetime) -> None:
    facts = replace(
        person(added_at=ADDED), products=(ProductAccess("ari:jira", "jira-software", last_active),)
    )
    known = {"ari:jira": KnownSeat("jira-software", "seen", SEEN)}
    ((_access, activity),) = activity_per_product(facts, {}, known, NOW)
    assert activity == Activity(ActivityKind.SEEN, expected, "jira-software")


def test_a_seat_that_is_not_known_yet_is_there_since_it_was_found() -> None:
    facts = replace(person(added_at=ADDED), products=(ProductAccess("ari:jira", "jira-software", None),))
    assert activity_of(facts) == Activity(ActivityKind.NEVER, ADDED), "the first reading"
    ((_access, activity),) = activity_per_product(facts, {}, {}, NOW)
    assert activity == Activity(ActivityKind.NEVER, NOW, since=NOW)


OLD = Activity(ActivityKind.SEEN, SEEN, "confluence")
NEW = Activity(ActivityKind.SEEN, LATER, "jira-software")
NEVER = Activity(ActivityKind.NEVER, ADDED)
NEVER_YET = Activity(ActivityKind.NEVER, SEEN)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], UNKNOWN),
        ([NEVER], NEVER),
        ([NEVER, NEVER], NEVER),
        ([NEVER, NEVER_YET], NEVER_YET),
        ([NEVER_YET, NEVER], NEVER_YET),
        ([UNKNOWN], UNKNOWN),
        ([NEVER, UNKNOWN], UNKNOWN),
        ([UNKNOWN, NEVER], UNKNOWN),
        ([NEVER, OLD], OLD),
        ([UNKNOWN, OLD], OLD),
        ([OLD, NEW], NEW),
        ([NEW, OLD], NEW),
    ],
)
def test_all_products_together(parts: list[Activity], expected: Activity) -> None:
    assert combined(parts) == expected


def test_days() -> None:
    assert OLD.idle_days(NOW) == 93
    assert OLD.idle_days(SEEN + timedelta(hours=23)) == 0
    assert NEVER.idle_days(NOW) is None
    assert UNKNOWN.idle_days(NOW) is None


def test_a_moment_in_the_future_counts_as_today() -> None:
    assert Activity(ActivityKind.SEEN, NOW + timedelta(days=3), "jira-software").idle_days(NOW) == 0


def activity_of(facts: PersonFacts, signals: dict[str, datetime] | None = None) -> Activity:
    return combined(activity for _, activity in activity_per_product(facts, signals or {}))


def test_somebody_without_a_seat_is_unknown() -> None:
    assert activity_of(person(added_at=ADDED)) == UNKNOWN


@given(people)
def test_s45_without_a_date_nobody_is_idle(facts: PersonFacts) -> None:
    """Whatever else is known: days of idleness exist only where Atlassian gave a date."""
    activity = activity_of(facts)
    dates = [access.last_active for access in facts.products if access.last_active]
    assert (activity.idle_days(NOW) is not None) == bool(dates)
    if dates:
        assert activity.at == max(dates)
    else:
        never = bool(facts.products) and facts.added_at is not None
        assert activity.kind is (ActivityKind.NEVER if never else ActivityKind.UNKNOWN)


@given(people, st.dictionaries(st.sampled_from(sorted(map(family_of, PRODUCTS))), moments))
def test_s45_a_signal_makes_nobody_more_idle(facts: PersonFacts, signals: dict[str, datetime]) -> None:
    before, after = activity_of(facts), activity_of(facts, signals)
    if before.kind is ActivityKind.SEEN:
        assert before.at is not None
        assert after.at is not None
        assert after.at >= before.at
    if after != before:
        assert after.kind is ActivityKind.SEEN
        assert after.at == signals[family_of(after.product)]
