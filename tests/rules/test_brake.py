"""The brake: 0 is nobody, None is no limit, and neither comes about by accident (S47)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.brake import Brake

counts = st.integers(0, 200_000)


@pytest.mark.parametrize(
    ("brake", "chosen", "scope", "stops"),
    [
        (Brake(0, None), 1, 1000, True),
        (Brake(None, 0), 1, 1000, True),
        (Brake(0, 0), 0, 1000, False),
        (Brake(None, None), 100_000, 100_000, False),
        (Brake(100, None), 100, 100, False),
        (Brake(100, None), 101, 100_000, True),
        (Brake(None, 10), 10, 100, False),
        (Brake(None, 10), 11, 100, True),
        (Brake(None, 10), 2, 25, False),
        (Brake(None, 10), 3, 25, True),
        (Brake(None, 100), 5, 5, False),
        (Brake(100, 10), 50, 100, True),
        (Brake(100, 10), 101, 100_000, True),
    ],
)
def test_s47_what_the_brake_stops(brake: Brake, chosen: int, scope: int, stops: bool) -> None:
    assert (brake.objection(chosen, scope) is not None) is stops


@given(counts, counts)
def test_s47_without_limits_nothing_is_stopped(chosen: int, scope: int) -> None:
    assert Brake(None, None).objection(chosen, scope) is None


@given(st.integers(1, 200_000), counts)
def test_s47_zero_is_nobody(chosen: int, scope: int) -> None:
    assert Brake(0, None).objection(chosen, scope) is not None
    assert Brake(None, 0).objection(chosen, scope) is not None


@given(counts, counts, counts, st.integers(0, 100))
def test_whatever_passes_is_within_both_limits(chosen: int, scope: int, number: int, share: int) -> None:
    passes = Brake(number, share).objection(chosen, scope) is None
    assert passes == (chosen <= number and chosen <= scope * share / 100)


def test_the_sentence_says_who_many_and_how_many_are_allowed() -> None:
    assert Brake(1, None).objection(2, 9) == "2 people would be touched; the brake allows 1."
    said = Brake(None, 10).objection(2_000, 9_000)
    assert said == "2,000 people would be touched, of 9,000 whom the rule is about; the brake allows 10 %."
