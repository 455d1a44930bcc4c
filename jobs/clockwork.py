"""What happens by the clock: finding what is due, the daily rounds, taking over from silent workers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from dbos import DBOS

from jobs import endings
from jobs.kinds import CREDENTIAL_CHECKS, KINDS, Due, Kind
from jobs.workbench import tools
from services import (
    absences,
    days,
    digests,
    give_backs,
    leaver_last_days,
    matters,
    retention,
    runs,
    summary,
    syncing,
    workers,
)
from services.apart import apart

logger = logging.getLogger("rollcall.jobs")

KEEP_TICKS = timedelta(hours=1)
KEEP_WORK = timedelta(days=7)
"""How long DBOS remembers finished work. Rows remember for ever what was done; this is about ids alone."""
SWEEP = 2000
IN_VAIN = timedelta(seconds=30)
"""What ended so long ago and is due all the same has left its row as it was: a fault of our own, or it came too early.

It is done again, at most this often. Shorter than a lease: what is handed out again is done again.
"""
CLOCK = ["tick", "take_over", "rounds", "sweep"]
_OURS = (*KINDS, CREDENTIAL_CHECKS)
WORK = [kind.workflow for kind in _OURS]
QUEUES = {kind.queue for kind in _OURS}


@DBOS.workflow(name="tick")
def tick(_due_at: datetime, _context: Any) -> None:
    """Every second: enqueues what is due. Waiting lives in rows, never in a sleeping workflow."""
    due = look_around()
    for kind in KINDS:
        for organization_id, *arguments in due.get(kind.workflow, ()):
            _enqueue(kind, organization_id, *arguments)


@DBOS.step()
def look_around() -> dict[str, list[Due]]:
    """Name of the workflow → what is due of it."""
    apart(lambda deed: deed(), (close_runs, give_back, endings.keep_time), "a tick")
    found = apart(lambda kind: (kind, list(kind.due(tools()))), KINDS, "looking for what is due")
    forget_in_vain([kind.workflow_id(*piece[1:]) for kind, due in found for piece in due])
    return {kind.workflow: due for kind, due in found}


def close_runs() -> None:
    apart(lambda each: summary.summary(tools(), each), runs.finish_runs(tools()), "the numbers after a run")


def give_back() -> None:
    give_backs.give_back_within_caps(tools())


def forget_in_vain(due: Sequence[str]) -> None:
    """DBOS does a workflow of one id once. Rows know what was done, so what they still ask for may be done again."""
    if not due:
        return
    ended = DBOS.list_workflows(
        workflow_ids=list(due),
        completed_before=(tools().clock() - IN_VAIN).isoformat(),
        load_input=False,
        load_output=False,
    )
    if ended:
        logger.warning("%s ended and left the row as it was: again", [status.workflow_id for status in ended])
        DBOS.delete_workflows([status.workflow_id for status in ended])


@DBOS.workflow(name="rounds")
def rounds(_due_at: datetime, _context: Any) -> None:
    """Every ten minutes, when due: daily syncs, ended absences, last days, digests, matters, the clean-up, credential
    checks, the day's numbers. What meets a fault of our own, which is in the log, keeps nothing else from being done.
    """
    deeds = (
        start_daily_syncs,
        bring_back,
        begin_leavers,
        send_digests,
        announce_matters,
        purge,
        check_credentials,
        write_days,
    )
    apart(lambda deed: deed(), deeds, "a round")


@DBOS.step()
def start_daily_syncs() -> None:
    syncing.start_daily_syncs(tools())


@DBOS.step()
def bring_back() -> None:
    absences.bring_back(tools())


@DBOS.step()
def begin_leavers() -> None:
    leaver_last_days.begin_by_last_day(tools())


@DBOS.step()
def announce_matters() -> None:
    matters.announce_matters(tools())


@DBOS.step()
def send_digests() -> None:
    digests.send_digests(tools())


def check_credentials() -> None:
    for organization_id, *arguments in credentials_due():
        _enqueue(CREDENTIAL_CHECKS, organization_id, *arguments)


@DBOS.step()
def credentials_due() -> list[Due]:
    due = list(CREDENTIAL_CHECKS.due(tools()))
    forget_in_vain([CREDENTIAL_CHECKS.workflow_id(*piece[1:]) for piece in due])
    return due


@DBOS.step()
def purge() -> None:
    retention.purge(tools())


@DBOS.step()
def write_days() -> None:
    days.write_days(tools())


@DBOS.workflow(name="take_over")
def take_over(_due_at: datetime, _context: Any) -> None:
    """Every nine seconds: work of workers that have fallen silent goes on elsewhere; DBOS alone leaves it pending."""
    for workflow_id in orphans():
        DBOS.resume_workflow(workflow_id)
    unknown = strangers()
    if unknown:
        forget(unknown)


@DBOS.step()
def orphans() -> list[str]:
    living = workers.living_workers(tools())
    pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    return [
        status.workflow_id for status in pending if status.executor_id not in living and status.name in WORK
    ]


@DBOS.step()
def strangers() -> list[str]:
    """Work that another version of this program has begun, and that this one does not know.

    DBOS would leave it pending for ever, in a place of its organization's. What it was about is in rows, and still due.
    """
    pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    found = [each for each in pending if each.queue_name in QUEUES and each.name not in WORK]
    if found:
        logger.warning("%s is nothing that this version does", [each.workflow_id for each in found])
    return [each.workflow_id for each in found]


@DBOS.workflow(name="sweep")
def sweep(_due_at: datetime, _context: Any) -> None:
    """Hourly: forgets finished workflows, so that the system database does not grow for ever."""
    # More than one batch of ticks is made in an hour.
    while batches := finished():
        for workflow_ids in batches:
            forget(workflow_ids)


@DBOS.step()
def finished() -> list[list[str]]:
    now = tools().clock()
    batches = []
    for names, keep in (
        (CLOCK, KEEP_TICKS),
        (WORK, KEEP_WORK),
    ):
        found = DBOS.list_workflows(
            name=names,
            completed_before=(now - keep).isoformat(),
            limit=SWEEP,
            load_input=False,
            load_output=False,
        )
        batches.append([status.workflow_id for status in found])
    return [batch for batch in batches if batch]


@DBOS.step()
def forget(workflow_ids: list[str]) -> None:
    DBOS.delete_workflows(workflow_ids)


def _enqueue(kind: Kind, organization_id: str, *arguments: Any) -> None:
    DBOS.enqueue_workflow_with_options(
        {
            "queue_name": kind.queue,
            "workflow_name": kind.workflow,
            "workflow_id": kind.workflow_id(*arguments),
            "queue_partition_key": organization_id,
        },
        organization_id,
        *arguments,
    )
