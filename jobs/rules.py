"""One run of one rule at one date."""

from __future__ import annotations

import logging

from dbos import DBOS

from jobs.patience import patient
from jobs.workbench import tools
from models.db import is_away
from services import rule_runs

logger = logging.getLogger("rollcall.jobs")

QUEUE = "rules"


@DBOS.workflow(name="run_rule")
def run_rule(organization_id: str, rule_id: str, due_at: str) -> None:
    """Plans and begins; the cases are found by the next tick."""
    start(organization_id, rule_id, due_at)


@patient
def start(organization_id: str, rule_id: str, due_at: str) -> None:
    try:
        rule_runs.start_due(tools(), organization_id, rule_id, due_at)
    except Exception as trouble:
        if is_away(trouble):
            raise
        logger.exception("rule %s met a fault", rule_id)
        rule_runs.fail_due(tools(), organization_id, rule_id, due_at)


def workflow_id(rule_id: str, due_at: str) -> str:
    """Ours: the same date is one workflow, however often it is enqueued."""
    return f"rule:{rule_id}:{due_at}"
