"""Panels sit on every issue: what one costs the server at 100,000 people on SQLite.

Atlassian's answers are remembered. The server's own part is what a panel takes longer than an answer that does nothing,
asked in turns.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
import urllib.parse
from pathlib import Path

from bench.world import World, request, world

PEOPLE = 100_000
TIMES = 300
OWN_PART = 5.0  # milliseconds at most
NOTHING = "/"
READER = "712020:0a0a0a0a-0000-4000-8000-000000000003"
PANELS = {
    "somebody is away": ("10042", READER),
    "for an operator": ("10042", ""),
    "nothing to say": ("10038", READER),
}
"""An issue of the pretend Jira, and who reads it; without a word the administrator."""


def main() -> bool:
    """Measure and print; whether every goal was reached."""
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), PEOPLE) as running:
        running.synced()
        reached = [one_panel(name, issue, who, running) for name, (issue, who) in PANELS.items()]
    return all(reached)


def one_panel(name: str, issue: str, who: str, running: World) -> bool:
    """From the request to the last byte of the answer, on loopback, one after the other."""
    address = signed(running, issue, who or running.account)
    took: dict[str, list[float]] = {address: [], NOTHING: []}
    request(running.app, address)  # Atlassian is asked now, and not again for a minute
    for _ in range(TIMES):
        for one, times in took.items():
            start = time.perf_counter()
            request(running.app, one)
            times.append((time.perf_counter() - start) * 1000)
    p50, p95 = (statistics.median(took[address]), statistics.quantiles(took[address], n=20)[-1])
    own = p50 - statistics.median(took[NOTHING])
    missed = "" if own <= OWN_PART else "  ← MISSED"
    print(
        f"    {name:20} own part {own:4.1f} ms   in all p50 {p50:5.1f} ms   p95 {p95:5.1f} ms{missed}",
        flush=True,
    )
    return own <= OWN_PART


def signed(running: World, issue: str, account_id: str) -> str:
    """The frame's address as the product signs it, without the host."""
    query = {"product": "jira", "module": "rollcall-issue", "work": issue, "as": account_id}
    site = int(running.environment["SANDBOX_PORTS"].split(",")[1])
    answer = json.loads(request(site, f"/host/frame?{urllib.parse.urlencode(query)}"))
    parts = urllib.parse.urlsplit(answer["url"])
    return f"{parts.path}?{parts.query}"
