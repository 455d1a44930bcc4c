"""Proving who asks: pages, fragments and re-installs a second, beside bare Flask and Atlassian's Express library.

Each server is one process and gets the same requests, in turns, so that a busy moment of the machine hits all alike.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench import atlassian, servers
from bench.client import measure

ROUNDS = 5
PAGE = "<!doctype html><html lang=en><head><title>Page</title></head><body>" + "<p>Rollcall</p>" * 250
# How many times as fast as these Rollcall wants to be. Express in memory is there to compare with, nothing more: a
# tenant that is not in a database is gone with the process.
GOALS = {"bare Flask": 0.8, "Express": 2.0, "Express in memory": 0.0}


def main() -> bool:
    """Measure and print; whether every goal was reached."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keys = atlassian.KeyHost()
        stack.callback(keys.stop)
        running = [
            stack.enter_context(servers.rollcall(folder, keys)),
            stack.enter_context(servers.bare(folder, keys, PAGE)),
            stack.enter_context(servers.express(keys, PAGE, str(folder / "express.sqlite"))),
            stack.enter_context(servers.express(keys, PAGE, "memory")),
        ]
        kinds: dict[str, Callable[[servers.Server], list[bytes]]] = {
            "re-install": lambda to: [atlassian.installed(to.installed, to.url, keys) for _ in range(200)],
            "page": lambda to: [atlassian.page(to.page)] * 600,
            "fragment": lambda to: [atlassian.fragment(to.fragment)] * 600,
        }
        for server in running:  # the first install: from here on, the tenant's tokens are believed
            send(server, [atlassian.installed(server.installed, server.url, keys)])
        reached = [in_turns(kind, requests_for, running) for kind, requests_for in kinds.items()]
        return all(reached)


def in_turns(
    kind: str, requests_for: Callable[[servers.Server], list[bytes]], running: list[servers.Server]
) -> bool:
    """Measure one kind of request on every server; whether Rollcall was as fast as it wants to be."""
    speeds: dict[str, list[float]] = {server.name: [] for server in running}
    for _ in range(ROUNDS):
        for server in running:
            speeds[server.name].append(send(server, requests_for(server)))
    medians = {name: statistics.median(measured) for name, measured in speeds.items()}
    print(f"  {kind:10}  " + "   ".join(f"{name} {speed:6.0f}/s" for name, speed in medians.items()))
    reached = True
    for name, goal in GOALS.items():
        ratio = medians["Rollcall"] / medians[name]
        reached &= ratio >= goal
        wanted = f", wanted {goal}" if goal else ""
        print(f"  {'':10}  {ratio:5.2f} times {name}{wanted}{'' if ratio >= goal else '  ← MISSED'}")
    return reached


def send(server: servers.Server, requests: list[bytes]) -> float:
    """Answers a second; every one of them has to be a success."""
    measured = measure(server.port, requests)
    expected = {200, 204, server.fragment_status}
    assert set(measured.statuses) <= expected, f"{server.name} answered {measured.statuses}"
    return measured.per_second
