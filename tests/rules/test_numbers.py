"""Whole numbers: digits, and not too many of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.numbers import MOST, whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("007", 7),
        ("366", 366),
        ("367", None),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.0", None),
        (" 1", None),
        ("1_0", None),
        ("²", None),
        ("٣", None),
        ("0001", None),
        ("1" + "0" * 5000, None),
        ("0" * 5000, None),
    ],
)
def test_a_number_is_digits_and_no_larger_than_it_may_be(text: str, number: int | None) -> None:
    assert whole_number(text, 366) == number


@given(st.text() | st.integers().map(str))
def test_nothing_is_too_odd(text: str) -> None:
    number = whole_number(text)
    assert number is None or 0 <= number <= MOST
