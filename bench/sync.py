"""A first sync of 2,000, 20,000 and 100,000 people: is Rollcall slower than the API it reads, does its memory grow?

The sandbox thinks a quarter of a second about each page. By itself it answers in milliseconds, which no service
across the internet does, and then everything that Rollcall writes down would look slow beside it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.world import world

SIZES = (2_000, 20_000, 100_000)
ANSWER_SECONDS = 0.25
SHARE = 1.1  # wall time beside the sum of the API's own answer times, at most
MEGABYTES = 200.0  # the worker's memory, at most


def main() -> bool:
    """Measure and print; whether every goal was reached."""
    reached = [one_size(people) for people in SIZES]
    return all(reached)


def one_size(people: int) -> bool:
    """One sync from nothing."""
    with (
        tempfile.TemporaryDirectory() as folder,
        world(Path(folder), people, answer_seconds=ANSWER_SECONDS) as running,
    ):
        sync = running.synced()
        peak = running.peak
        calls = running.calls(sync.started_at)
    assert sync.finished_at is not None
    wall = (sync.finished_at - sync.started_at).total_seconds()
    share = wall / sync.api_seconds
    reached = share <= SHARE and peak <= MEGABYTES
    print(
        f"  {people:7,} people  {calls:5} calls  {wall:6.1f} s, of which the API's {sync.api_seconds:6.1f} s: "
        f"{share:4.2f} times (wanted {SHARE})  {people / wall:6.0f} people/s  worker at most {peak:4.0f} MB"
        f"{'' if reached else '  ← MISSED'}",
        flush=True,
    )
    return reached
