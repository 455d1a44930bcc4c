"""Planning a rule over 100,000 people, and the first page of its preview, on SQLite and PostgreSQL."""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.insider import inside
from bench.world import World, request, world
from models.run import count_cases
from services import rule_runs, rules
from services.doors import require_organization
from tests.postgres import serve

PEOPLE = 100_000
TIMES = 7
LOOKS = 60
PLAN_SECONDS = 1.0
PAGE_MS = 200.0
GROWTH_MB = 60.0
"""How much memory planning may take: a batch of people, and the ids of those who are chosen."""
RULES: dict[str, dict[str, Any]] = {
    "idle for 90 days": {
        "steps": [{"when": {"not_seen": 90, "never": 30}, "then": {"deed": "suspend"}}],
    },
    "a ladder of three": {
        "steps": [
            {"when": {"not_seen": 60}, "then": {"deed": "tell"}},
            {"when": {"not_seen": 90}, "then": {"deed": "suspend"}},
            {"when": {"suspended": 90}, "then": {"deed": "deactivate"}},
        ],
    },
}


def main() -> bool:
    """Measure and print; whether every goal was reached."""
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), PEOPLE) as running:
        on_sqlite = plans("SQLite", running)
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "pg") as server,
        world(Path(folder), PEOPLE, server.url("postgres")) as running,
    ):
        on_postgresql = plans("PostgreSQL", running)
    return on_sqlite and on_postgresql


def plans(kind: str, running: World) -> bool:
    """Every rule several times, one after the other."""
    running.synced()
    running.tidy()
    print(f"  {kind}")
    reached = [one_rule(name, data, running) for name, data in RULES.items()]
    return all(reached)


def one_rule(name: str, data: dict[str, Any], running: World) -> bool:
    """The median of its plans, how much memory they took, and its preview as the browser gets it."""
    with inside(running) as (tools, caller):
        rule_id = rules.save_rule(tools, caller, data | {"name": name})
        before = _megabytes()
        took = []
        for _ in range(TIMES):
            start = time.perf_counter()
            run_id = rule_runs.preview_rule(tools, caller, rule_id)
            took.append(time.perf_counter() - start)
        growth = _megabytes() - before
        with tools.begin() as session:
            cases = sum(count_cases(session, require_organization(tools, caller), run_id).values())
    pages = []
    headers = {"Authorization": f"JWT {running.token()}", "HX-Request": "true"}
    for _ in range(LOOKS):
        start = time.perf_counter()
        request(running.app, f"/app/runs/{run_id}", headers)
        pages.append((time.perf_counter() - start) * 1000)
    plan, usual, page = (
        statistics.median(took),
        statistics.median(pages),
        statistics.quantiles(pages, n=20)[-1],
    )
    reached = plan <= PLAN_SECONDS and page <= PAGE_MS and growth <= GROWTH_MB
    print(
        f"    {name:20} {cases:7,} verdicts in {plan:5.2f} s, {growth:4.0f} MB more"
        f"   first page p50 {usual:6.1f} ms   p95 {page:6.1f} ms{'' if reached else '  ← MISSED'}",
        flush=True,
    )
    return reached


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
