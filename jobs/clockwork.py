"""What happens by the clock: finding what is due, the daily rounds, taking over from silent workers."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from dbos import DBOS

from jobs import access_rules, cases, deliveries, endings, leavers, questions, rules, scim, syncs, tickets
from jobs.workbench import tools
from services import (
    absences,
    access_rule_runs,
    asking,
    daily_checks,
    days,
    digests,
    give_backs,
    leaver_last_days,
    leaver_work,
    matters,
    orders,
    retention,
    rule_runs,
    runs,
    scim_changes,
    sending,
    summary,
    syncing,
    ticket_leases,
    workers,
)

logger = logging.getLogger("rollcall.jobs")

CASES_PER_TICK = 50
"""Every one of them is a checkpoint: more than this would not be written in the second that a tick has."""
DELIVERIES_PER_TICK = 20
TICKETS_PER_TICK = 20
KEEP_TICKS = timedelta(hours=1)
KEEP_WORK = timedelta(days=7)
"""How long DBOS remembers finished work. Rows remember for ever what was done; this is about ids alone."""
SWEEP = 2000
CLOCK = ["tick", "take_over", "rounds", "sweep"]
WORK = [
    "sync_organization",
    "run_rule",
    "ask_about_preview",
    "act_on_case",
    "deliver",
    "look_at_ticket",
    "lead_leaver",
    "evaluate_access_rule",
    "follow_provider",
]

Due = tuple[str, str, int]
"""Organization id, id of the row, number of the attempt."""
DueByDate = tuple[str, str, str]
"""Organization id, id of the row, the occasion as a moment in ISO 8601."""


@DBOS.workflow(name="tick")
def tick(_due_at: datetime, _context: Any) -> None:
    """Every second: enqueues what is due. Waiting lives in rows, never in a sleeping workflow."""
    due_syncs, due_rules, due_questions, due_cases, due_deliveries, due_tickets, due_leavers, due_access = (
        look_around()
    )
    for organization_id, sync_id, attempt in due_syncs:
        _enqueue(
            syncs.QUEUE,
            "sync_organization",
            syncs.workflow_id(sync_id, attempt),
            organization_id,
            sync_id,
            attempt,
        )
    for organization_id, rule_id, due_at in due_rules:
        _enqueue(
            rules.QUEUE, "run_rule", rules.workflow_id(rule_id, due_at), organization_id, rule_id, due_at
        )
    for organization_id, run_id, occasion in due_questions:
        _enqueue(
            questions.QUEUE,
            "ask_about_preview",
            questions.workflow_id(run_id, occasion),
            organization_id,
            run_id,
            occasion,
        )
    for organization_id, case_id, attempt in due_cases:
        _enqueue(
            cases.QUEUE, "act_on_case", cases.workflow_id(case_id, attempt), organization_id, case_id, attempt
        )
    for organization_id, delivery_id, attempt in due_deliveries:
        _enqueue(
            deliveries.QUEUE,
            "deliver",
            deliveries.workflow_id(delivery_id, attempt),
            organization_id,
            delivery_id,
            attempt,
        )
    for organization_id, call_id, attempt in due_tickets:
        _enqueue(
            tickets.QUEUE,
            "look_at_ticket",
            tickets.workflow_id(call_id, attempt),
            organization_id,
            call_id,
            attempt,
        )
    for organization_id, rule_id, number in due_access:
        _enqueue(
            access_rules.QUEUE,
            "evaluate_access_rule",
            access_rules.workflow_id(rule_id, number),
            organization_id,
            rule_id,
            number,
        )
    for organization_id, leaver_id, attempt in due_leavers:
        _enqueue(
            leavers.QUEUE,
            "lead_leaver",
            leavers.workflow_id(leaver_id, attempt),
            organization_id,
            leaver_id,
            attempt,
        )
    for organization_id, connection_id, due_at in providers_due():
        _enqueue(
            scim.QUEUE,
            "follow_provider",
            scim.workflow_id(connection_id, due_at),
            organization_id,
            connection_id,
            due_at,
        )


@DBOS.step()
def look_around() -> tuple[
    list[Due], list[DueByDate], list[DueByDate], list[Due], list[Due], list[Due], list[Due], list[Due]
]:
    for organization_id in runs.finish_runs(tools()):
        summary.summary(tools(), organization_id)
    give_backs.give_back_within_caps(tools())
    endings.keep_time()
    return (
        syncing.due_syncs(tools()),
        rule_runs.due_rules(tools()),
        asking.lease_previews(tools()),
        orders.lease_due_cases(tools(), CASES_PER_TICK),
        sending.lease_due(tools(), DELIVERIES_PER_TICK),
        ticket_leases.lease_due(tools(), TICKETS_PER_TICK),
        leaver_work.due_leavers(tools()),
        access_rule_runs.due_access_rules(tools()),
    )


@DBOS.step()
def providers_due() -> list[DueByDate]:
    return scim_changes.due_connections(tools())


@DBOS.workflow(name="rounds")
def rounds(_due_at: datetime, _context: Any) -> None:
    """Every ten minutes, when due: daily syncs, ended absences, last days, digests, matters, credential checks, the
    clean-up, the day's numbers."""
    start_daily_syncs()
    bring_back()
    begin_leavers()
    send_digests()
    announce_matters()
    purge()
    for client_key, kind in credentials_due():
        check_credential(client_key, kind)
    write_days()


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


@DBOS.step()
def credentials_due() -> list[tuple[str, str]]:
    return [(client_key, kind.value) for client_key, kind in daily_checks.credentials_due(tools())]


@DBOS.step()
def check_credential(client_key: str, kind: str) -> None:
    daily_checks.check_credential(tools(), client_key, kind)


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


@DBOS.step()
def orphans() -> list[str]:
    living = workers.living_workers(tools())
    pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    return [
        status.workflow_id for status in pending if status.executor_id not in living and status.name in WORK
    ]


@DBOS.workflow(name="sweep")
def sweep(_due_at: datetime, _context: Any) -> None:
    """Hourly: forgets finished workflows, so that the system database does not grow for ever."""
    for workflow_ids in finished():
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


def _enqueue(
    queue: str, workflow: str, workflow_id: str, organization_id: str, row_id: str, occasion: int | str
) -> None:
    DBOS.enqueue_workflow_with_options(
        {
            "queue_name": queue,
            "workflow_name": workflow,
            "workflow_id": workflow_id,
            "queue_partition_key": organization_id,
        },
        organization_id,
        row_id,
        occasion,
    )
