"""One run of one rule at one date."""

from __future__ import annotations

from dbos import DBOS

from jobs.patience import faults_end, patient
from jobs.workbench import tools
from services import rule_runs

QUEUE = "rules"


@DBOS.workflow(name="run_rule")
def run_rule(organization_id: str, rule_id: str, due_at: str) -> None:
    """Plans and begins; the cases are found by the next tick."""
    start(organization_id, rule_id, due_at)


@patient
def start(organization_id: str, rule_id: str, due_at: str) -> None:
    with faults_end(f"rule {rule_id}", lambda: rule_runs.fail_due(tools(), organization_id, rule_id, due_at)):
        rule_runs.start_due(tools(), organization_id, rule_id, due_at)


def workflow_id(rule_id: str, due_at: str) -> str:
    """Ours: the same date is one workflow, however often it is enqueued."""
    return f"rule:{rule_id}:{due_at}"
