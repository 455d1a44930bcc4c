"""One attempt at one delivery, by mail or hook."""

from __future__ import annotations

import logging

from dbos import DBOS

from jobs.workbench import tools
from services import sending

logger = logging.getLogger("rollcall.jobs")

QUEUE = "deliveries"


@DBOS.workflow(name="deliver")
def deliver(organization_id: str, delivery_id: str, attempt: int) -> None:
    """What comes after a crash is decided by the row (services/sending.py)."""
    send(organization_id, delivery_id, attempt)


@DBOS.step()
def send(organization_id: str, delivery_id: str, attempt: int) -> None:
    try:
        sending.deliver(tools(), organization_id, delivery_id, attempt)
    except Exception:
        logger.exception("delivery %s met a fault", delivery_id)
        sending.fail(tools(), organization_id, delivery_id, attempt)


def workflow_id(delivery_id: str, attempt: int) -> str:
    """Ours: the same attempt is one workflow, however often it is enqueued."""
    return f"delivery:{delivery_id}:{attempt}"
