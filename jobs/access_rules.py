"""One evaluation of one access rule."""

from __future__ import annotations

import logging

from dbos import DBOS

from jobs.patience import patient
from jobs.workbench import tools
from models.db import is_away
from services import access_rule_runs

logger = logging.getLogger("rollcall.jobs")

QUEUE = "access_rules"


@DBOS.workflow(name="evaluate_access_rule")
def evaluate_access_rule(organization_id: str, rule_id: str, number: int) -> None:
    """Plans, and lists or begins; the cases are found by the next tick."""
    evaluate(organization_id, rule_id, number)


@patient
def evaluate(organization_id: str, rule_id: str, number: int) -> None:
    try:
        access_rule_runs.evaluate(tools(), organization_id, rule_id, number)
    except Exception as trouble:
        if is_away(trouble):
            raise
        logger.exception("access rule %s met a fault", rule_id)
        access_rule_runs.fail_evaluation(tools(), organization_id, rule_id, number)


def workflow_id(rule_id: str, number: int) -> str:
    """Ours: the same evaluation is one workflow, however often it is enqueued."""
    return f"access_rule:{rule_id}:{number}"
