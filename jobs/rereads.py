"""Reading one person again, or starting the sync that was asked for instead."""

from __future__ import annotations

import logging

from dbos import DBOS

from jobs.workbench import tools
from services import rereading

logger = logging.getLogger("rollcall.jobs")

QUEUE = "rereads"


@DBOS.workflow(name="read_again")
def read_again(organization_id: str, reread_id: str, attempt: int) -> None:
    """What comes after a crash is decided by the row (services/rereading.py)."""
    read(organization_id, reread_id, attempt)


@DBOS.step()
def read(organization_id: str, reread_id: str, attempt: int) -> None:
    try:
        rereading.reread(tools(), organization_id, reread_id, attempt)
    except Exception:
        logger.exception("reread %s met a fault", reread_id)
        rereading.fail(tools(), organization_id, reread_id, attempt)


def workflow_id(reread_id: str, attempt: int) -> str:
    """Ours: the same attempt is one workflow, however often it is enqueued."""
    return f"reread:{reread_id}:{attempt}"
