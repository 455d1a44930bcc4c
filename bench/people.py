"""The People page and its filters at 100,000 people, on SQLite and PostgreSQL, as seen from outside the server."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from bench.world import World, request, world
from tests.postgres import serve

PEOPLE = 100_000
TIMES = 60
P95 = 50.0  # milliseconds at most
ADDRESSES = {
    "first page": "/app/people",
    "idle for 90 days": "/app/people?idle=90",
    "sorted by last seen": "/app/people?sort=seen&down=yes",
    "a name": "/app/people?text=ana",
    "page 500": "/app/people?page=500",
}


def main() -> bool:
    """Measure and print; whether every goal was reached."""
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), PEOPLE) as running:
        on_sqlite = pages("SQLite", running)
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "pg") as server,
        world(Path(folder), PEOPLE, server.url("postgres")) as running,
    ):
        on_postgresql = pages("PostgreSQL", running)
    return on_sqlite and on_postgresql


def pages(kind: str, running: World) -> bool:
    """Every address many times, one after the other."""
    running.synced()
    running.tidy()
    print(f"  {kind}")
    reached = [one_address(name, address, running) for name, address in ADDRESSES.items()]
    return all(reached)


def one_address(name: str, address: str, running: World) -> bool:
    """From the request to the last byte of the answer, on loopback."""
    headers = {"Authorization": f"JWT {running.token()}", "HX-Request": "true"}
    took = []
    for _ in range(TIMES):
        start = time.perf_counter()
        request(running.app, address, headers)
        took.append((time.perf_counter() - start) * 1000)
    p50, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    print(
        f"    {name:20} p50 {p50:6.1f} ms   p95 {p95:6.1f} ms{'' if p95 <= P95 else '  ← MISSED'}", flush=True
    )
    return p95 <= P95
