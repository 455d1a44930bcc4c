"""Starting DBOS in the worker: its database, its queues, its clock; and the heartbeat while it runs."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from dbos import DBOS, DBOSConfig

from jobs import (
    access_rules,
    cases,
    credential_checks,
    deliveries,
    leavers,
    questions,
    rereads,
    rules,
    scim,
    syncs,
    tickets,
)
from jobs.schedules import count_from, keep_in_step
from jobs.workbench import lay_out
from models.db import told_to_the_driver
from services.toolbox import Toolbox
from services.workers import beat, beat_on

VERSION = "1"
"""Fixed: a workflow of yesterday's program may be finished by today's. Workflows are short and re-entrant."""
BEAT_SECONDS = 5.0
LAST_SECONDS = 20
"""From being told to stop to the end: before another worker takes this one for dead (services/workers.py), and before

whoever started it kills it; platforms wait for half a minute.
"""
HANDFULS_AT_A_TIME = 6
"""Per organization and worker: one whose Atlassian is slow leaves room for others."""
DELIVERIES_PER_SECOND = 10
"""Per organization: mail servers take more for a flood of spam."""
DELIVERIES_AT_A_TIME = 3
"""Per organization and worker: a hook that lets its callers wait keeps nobody else's notices waiting."""

SOON, IN_A_SECOND = 0.25, 1.0
"""Seconds between two looks at a queue. Every look is a question to the database, also when there is nothing to do."""
ONE_BY_ONE = {
    rules.QUEUE: 2,
    # What one rule gives, the next one sees.
    access_rules.QUEUE: 2,
    leavers.QUEUE: 2,
    questions.QUEUE: 2,
    # Two tickets of one person wait for each other.
    tickets.QUEUE: 4,
    # A word about many people is no flood of calls.
    rereads.QUEUE: 4,
    scim.QUEUE: 2,
    credential_checks.QUEUE: 4,
}
"""Queues of which each organization has one piece of work at a time → how many a worker does at once."""


def pace() -> tuple[int, float]:
    """(handfuls, seconds): of one organization, no more start in any such time, over all workers.

    The clock hands out a second's worth each second (cases.due). Here a whole pause is left for a look at the queue
    that comes late, or each of them would make everybody slower.
    """
    return cases.PER_SECOND // cases.HANDFUL, 1.0 - SOON


def run(tools: Toolbox) -> None:
    """Works until SIGTERM, SIGINT or SIGHUP. What is unfinished goes on at the next start, or in another worker."""
    lay_out(tools)
    # Before the work of yesterday goes on: it may ask who is alive.
    beat(tools)
    DBOS(config=_config(tools))
    DBOS.launch()
    DBOS.register_queue(syncs.QUEUE, worker_concurrency=2, partition_concurrency=1, polling_interval_sec=SOON)
    limit, period = pace()
    DBOS.register_queue(
        cases.QUEUE,
        worker_concurrency=8,
        partition_worker_concurrency=HANDFULS_AT_A_TIME,
        partition_limiter={"limit": limit, "period": period},
        polling_interval_sec=SOON,
    )
    DBOS.register_queue(
        deliveries.QUEUE,
        worker_concurrency=8,
        partition_worker_concurrency=DELIVERIES_AT_A_TIME,
        partition_limiter={"limit": DELIVERIES_PER_SECOND, "period": 1.0},
        polling_interval_sec=SOON,
    )
    for queue, at_once in ONE_BY_ONE.items():
        DBOS.register_queue(
            queue, worker_concurrency=at_once, partition_concurrency=1, polling_interval_sec=IN_A_SECOND
        )
    count_from(tools.clock())
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # Whoever waits for a database that is away, or for an answer, waits on, and holds the program: it is ended
        # then, also when it is the heart that waits. To be told again gives no more time.
        if not stopped.is_set():
            signal.alarm(LAST_SECONDS)
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # A terminal that is closed; whoever started us with nohup wants to hear nothing of it.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, stop)
    while not stopped.wait(BEAT_SECONDS):
        beat_on(tools)
        keep_in_step(tools.clock())
    DBOS.destroy(workflow_completion_timeout_sec=5)


def _config(tools: Toolbox) -> DBOSConfig:
    return {
        "name": "rollcall",
        "system_database_url": tools.settings.jobs_database_url,
        # What workflows are given and return is nobody's business in a log.
        "db_engine_kwargs": {
            "hide_parameters": True,
            "connect_args": told_to_the_driver(tools.settings.jobs_database_url),
        },
        "executor_id": tools.settings.worker_slot,
        "application_version": VERSION,
        "scheduler_polling_interval_sec": 1.0,
        "log_level": "WARNING",
    }
