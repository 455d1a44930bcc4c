"""One attempt at one leaver: step by step, until it has to wait or an operator decides."""

from __future__ import annotations

from dbos import DBOS

from jobs.patience import faults_end, patient
from jobs.workbench import tools
from services import leaver_work

QUEUE = "leavers"


@DBOS.workflow(name="lead_leaver")
def lead_leaver(organization_id: str, leaver_id: str, attempt: int) -> None:
    """Goes on where the rows say; what comes after a crash is decided by facts (services/leaver_moves.py)."""
    if not take_up_leaver(organization_id, leaver_id, attempt):
        return
    while advance(organization_id, leaver_id):
        pass


@DBOS.step()
def take_up_leaver(organization_id: str, leaver_id: str, attempt: int) -> bool:
    return leaver_work.take_up(tools(), organization_id, leaver_id, attempt)


@patient
def advance(organization_id: str, leaver_id: str) -> bool:
    with faults_end(f"leaver {leaver_id}", lambda: leaver_work.fail(tools(), organization_id, leaver_id)):
        return leaver_work.advance(tools(), organization_id, leaver_id)
    return False


def workflow_id(leaver_id: str, attempt: int) -> str:
    """Ours: the same attempt is one workflow, however often it is enqueued."""
    return f"leaver:{leaver_id}:{attempt}"
