"""10,000 suspensions by one worker and by two, beside the rate that the sandbox lets through."""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import func, select

from bench import servers
from bench.insider import inside, switched_on
from bench.world import WORKER, World, control, request, world
from jobs.cases import PER_SECOND
from models.run import Case
from rules.case import CaseState
from services import rule_runs
from services.toolbox import Toolbox
from tests.postgres import serve

PEOPLE = 60_000
SUSPENSIONS = 10_000
SHARE = 0.95
RULE = {
    "name": "Everybody who was not here this week",
    "mode": "live",
    "who": {"source": "invited"},
    "steps": [{"when": {"not_seen": 7}, "then": {"deed": "suspend"}, "grace": 0}],
    "brake": {"number": "none", "share": "none"},
}
PATIENCE = 60.0  # seconds without a single deed


def main() -> bool:
    """Measure and print; whether every goal was reached."""
    reached = [one_crew(workers) for workers in (1, 2)]
    return all(reached)


def one_crew(workers: int) -> bool:
    """From the confirmation to the last result, on PostgreSQL, where workers share the work."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "pg") as server,
        world(Path(folder), PEOPLE, server.url("postgres")) as running,
        ExitStack() as stack,
    ):
        running.synced()
        running.tidy()
        for number in range(2, workers + 1):
            more = running.environment | {"WORKER_SLOT": f"worker-{number}"}
            stack.enter_context(servers.running(WORKER, more))
        control(running, "rate", {"per_second": PER_SECOND}, "PUT")
        rate, refused = _suspend(running)
    share = rate / PER_SECOND
    reached = share >= SHARE
    print(
        f"  {workers} worker{'s' if workers > 1 else ' '}  {SUSPENSIONS:,} suspensions, {rate:5.2f} a second:"
        f" {share:4.2f} of the {PER_SECOND} allowed (wanted {SHARE}), {refused} times refused"
        f"{'' if reached else '  ← MISSED'}",
        flush=True,
    )
    return reached


def _suspend(running: World) -> tuple[float, object]:
    """(suspensions a second, how often the sandbox said 429)."""
    with inside(running) as (tools, caller):
        rule_id = switched_on(tools, caller, RULE)
        running.tidy()
        run_id = rule_runs.run_now(tools, caller, rule_id)
        start = time.monotonic()
        while (done := _acted(tools, run_id)) < SUSPENSIONS:
            waited = time.monotonic() - start
            assert done or waited < PATIENCE, "nobody was suspended"
            time.sleep(0.5)
        seconds = time.monotonic() - start
    return done / seconds, json.loads(request(running.hub, "/control/rate"))["refused"]


def _acted(tools: Toolbox, run_id: str) -> int:
    with tools.begin() as session:
        acted = select(func.count(Case.id)).where(Case.run_id == run_id, Case.state == CaseState.ACTED.value)
        return session.scalar(acted) or 0
