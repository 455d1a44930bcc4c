"""Following one identity provider at one moment."""

from __future__ import annotations

from dbos import DBOS

from jobs.patience import faults_end, patient
from jobs.workbench import tools
from services import scim_changes

QUEUE = "scim"


@DBOS.workflow(name="follow_provider")
def follow_provider(organization_id: str, connection_id: str, due_at: str) -> None:
    """Plans and begins; the cases are found by the next tick."""
    follow(organization_id, connection_id, due_at)


@patient
def follow(organization_id: str, connection_id: str, due_at: str) -> None:
    with faults_end(
        f"connection {connection_id}",
        lambda: scim_changes.fail(tools(), organization_id, connection_id, due_at),
    ):
        scim_changes.follow_up(tools(), organization_id, connection_id, due_at)


def workflow_id(connection_id: str, due_at: str) -> str:
    """Ours: the same moment is one workflow, however often it is enqueued."""
    return f"scim:{connection_id}:{due_at}"
