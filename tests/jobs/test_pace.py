"""Deeds of one organization go out at the same pace on every database."""

from __future__ import annotations

import pytest

from jobs.cases import HANDFUL, PER_SECOND
from jobs.engine import pace


@pytest.mark.parametrize("url", ["sqlite:////data/jobs.sqlite", "postgresql://app@127.0.0.1/rollcall"])
def test_the_pace_is_the_same(url: str) -> None:
    handfuls, seconds = pace(url)
    assert handfuls * HANDFUL / seconds == pytest.approx(PER_SECOND)


def test_on_sqlite_the_limit_is_for_whole_seconds() -> None:
    """Its clock may count nothing smaller: four in a fifth of a second were four a second there."""
    _handfuls, seconds = pace("sqlite:////data/jobs.sqlite")
    assert seconds >= 1
