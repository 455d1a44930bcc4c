"""Asking Atlassian about the accounts of one preview."""

from __future__ import annotations

from dbos import DBOS

from jobs.workbench import tools
from services import asking

QUEUE = "questions"


@DBOS.workflow(name="ask_about_preview")
def ask_about_preview(organization_id: str, run_id: str, _occasion: str) -> None:
    """A few people at a time. A worker that dies here is followed by another one, when the lease is over."""
    while ask(organization_id, run_id):
        pass


@DBOS.step()
def ask(organization_id: str, run_id: str) -> bool:
    return asking.ask_some(tools(), organization_id, run_id)


def workflow_id(run_id: str, occasion: str) -> str:
    """Ours: the same occasion is one workflow, however often it is enqueued."""
    return f"ask:{run_id}:{occasion}"
