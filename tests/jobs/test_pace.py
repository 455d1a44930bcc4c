"""How fast deeds of one organization go out."""

from __future__ import annotations

from jobs.cases import HANDFUL, PER_SECOND
from jobs.engine import SOON, pace


def test_looking_late_makes_nobody_slower() -> None:
    handfuls, seconds = pace()
    assert handfuls * HANDFUL == PER_SECOND
    assert seconds + SOON <= 1.0
