"""For how long a profile gives access."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.profile import FOR_GOOD, Term

DAY = date(2027, 3, 1)
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("term", "ends_on", "words"),
    [
        (FOR_GOOD, None, ""),
        (Term(1), DAY, "1 day"),
        (Term(90), date(2027, 5, 29), "90 days"),
        (Term(until=date(2027, 3, 31)), date(2027, 3, 31), "until 31 March 2027"),
        (Term(90, date(2027, 3, 31)), date(2027, 3, 31), "90 days, until 31 March 2027"),
        (Term(2, date(2027, 3, 31)), date(2027, 3, 2), "2 days, until 31 March 2027"),
    ],
)
def test_whichever_comes_first(term: Term, ends_on: date | None, words: str) -> None:
    assert (term.ends_on(DAY), term.words, bool(term)) == (ends_on, words, ends_on is not None)


@given(st.none() | st.integers(1, 3650), st.none() | DAYS, DAYS)
def test_nothing_lasts_longer_than_either(days: int | None, until: date | None, start: date) -> None:
    ends_on = Term(days, until).ends_on(start)
    assert days is None or (ends_on is not None and (ends_on - start).days < days)
    assert until is None or (ends_on is not None and ends_on <= until)


def test_a_day_that_is_over_is_a_trouble() -> None:
    assert list(Term(90, DAY).troubles(DAY)) == []
    (trouble,) = Term(until=DAY).troubles(DAY + timedelta(days=1))
    assert (trouble.field, trouble.sentence) == ("until", "Its last day was 1 March 2027.")
