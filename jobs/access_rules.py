"""One evaluation of one access rule."""

from __future__ import annotations

from dbos import DBOS

from jobs.patience import faults_end, patient
from jobs.workbench import tools
from services import access_rule_runs

QUEUE = "access_rules"


@DBOS.workflow(name="evaluate_access_rule")
def evaluate_access_rule(organization_id: str, rule_id: str, number: int) -> None:
    """Plans, and lists or begins; the cases are found by the next tick."""
    evaluate(organization_id, rule_id, number)


@patient
def evaluate(organization_id: str, rule_id: str, number: int) -> None:
    with faults_end(
        f"access rule {rule_id}",
        lambda: access_rule_runs.fail_evaluation(tools(), organization_id, rule_id, number),
    ):
        access_rule_runs.evaluate(tools(), organization_id, rule_id, number)


def workflow_id(rule_id: str, number: int) -> str:
    """Ours: the same evaluation is one workflow, however often it is enqueued."""
    return f"access_rule:{rule_id}:{number}"
