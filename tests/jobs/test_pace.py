"""How fast deeds of one organization go out: the clock hands out a second's worth each second, queues only fence it."""

from __future__ import annotations

from jobs.cases import HANDFUL, PER_SECOND
from jobs.engine import SOON, pace


def test_a_look_at_the_queue_that_comes_late_makes_nobody_slower() -> None:
    handfuls, seconds = pace()
    assert handfuls * HANDFUL == PER_SECOND
    assert seconds + SOON <= 1.0


def test_what_has_piled_up_goes_out_hardly_faster() -> None:
    handfuls, seconds = pace()
    assert handfuls * HANDFUL / seconds <= PER_SECOND * 4 / 3
