"""The kinds of durable work: how what is due is found, and what one piece of it is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

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
from services import (
    access_rule_runs,
    asking,
    daily_checks,
    leaver_work,
    rule_runs,
    scim_changes,
    sending,
    ticket_leases,
)
from services.toolbox import Toolbox

Due = tuple[Any, ...]
"""Organization id, and what else the workflow is called with: mostly the id of the row and the occasion, which is the
number of the attempt or a moment in ISO 8601.
"""

DELIVERIES_PER_TICK = 20
TICKETS_PER_TICK = 20


@dataclass(frozen=True, slots=True)
class Kind:
    """`workflow_id` names one piece after what its workflow is called with: enqueued twice, it is one."""

    workflow: str
    queue: str
    workflow_id: Callable[..., str]
    due: Callable[[Toolbox], Sequence[Due]]


KINDS = (
    Kind("sync_organization", syncs.QUEUE, syncs.workflow_id, syncs.due),
    Kind("run_rule", rules.QUEUE, rules.workflow_id, rule_runs.due_rules),
    Kind("ask_about_preview", questions.QUEUE, questions.workflow_id, asking.lease_previews),
    Kind("act_on_cases", cases.QUEUE, cases.workflow_id, cases.due),
    Kind(
        "deliver",
        deliveries.QUEUE,
        deliveries.workflow_id,
        lambda tools: sending.lease_due(tools, DELIVERIES_PER_TICK),
    ),
    Kind(
        "look_at_ticket",
        tickets.QUEUE,
        tickets.workflow_id,
        lambda tools: ticket_leases.lease_due(tools, TICKETS_PER_TICK),
    ),
    Kind("read_again", rereads.QUEUE, rereads.workflow_id, rereads.due),
    Kind("lead_leaver", leavers.QUEUE, leavers.workflow_id, leaver_work.due_leavers),
    Kind(
        "evaluate_access_rule",
        access_rules.QUEUE,
        access_rules.workflow_id,
        access_rule_runs.due_access_rules,
    ),
    Kind("follow_provider", scim.QUEUE, scim.workflow_id, scim_changes.due_connections),
)

CREDENTIAL_CHECKS = Kind(
    "check_credential", credential_checks.QUEUE, credential_checks.workflow_id, daily_checks.credentials_due
)
"""Not looked for every second: the rounds begin them."""
