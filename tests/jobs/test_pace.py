"""How fast deeds of one organization go out."""

from __future__ import annotations

import pytest

from jobs.cases import HANDFUL, PER_SECOND
from jobs.engine import SOON, pace


def test_looking_late_makes_nobody_slower_or_faster() -> None:
    handfuls, seconds = pace()
    assert handfuls * HANDFUL / (seconds + SOON / 2) == pytest.approx(PER_SECOND)
