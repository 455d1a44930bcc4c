"""Following one identity provider at one moment."""

from __future__ import annotations

import logging

from dbos import DBOS

from jobs.patience import patient
from jobs.workbench import tools
from models.db import is_away
from services import scim_changes

logger = logging.getLogger("rollcall.jobs")

QUEUE = "scim"


@DBOS.workflow(name="follow_provider")
def follow_provider(organization_id: str, connection_id: str, due_at: str) -> None:
    """Plans and begins; the cases are found by the next tick."""
    follow(organization_id, connection_id, due_at)


@patient
def follow(organization_id: str, connection_id: str, due_at: str) -> None:
    try:
        scim_changes.follow_up(tools(), organization_id, connection_id, due_at)
    except Exception as trouble:
        if is_away(trouble):
            raise
        logger.exception("connection %s met a fault", connection_id)
        scim_changes.fail(tools(), organization_id, connection_id, due_at)


def workflow_id(connection_id: str, due_at: str) -> str:
    """Ours: the same moment is one workflow, however often it is enqueued."""
    return f"scim:{connection_id}:{due_at}"
