"""One attempt at one delivery, by mail or hook."""

from __future__ import annotations

import logging

from dbos import DBOS

from jobs.patience import patient
from jobs.workbench import tools
from services import sending
from services.parcel import Outcome

logger = logging.getLogger("rollcall.jobs")

QUEUE = "deliveries"


@DBOS.workflow(name="deliver")
def deliver(organization_id: str, delivery_id: str, attempt: int) -> None:
    """What comes after a crash is decided by the row (services/sending.py)."""
    outcome = send(organization_id, delivery_id, attempt)
    if outcome is not None:
        settle(organization_id, delivery_id, attempt, outcome)


@DBOS.step()
def send(organization_id: str, delivery_id: str, attempt: int) -> Outcome | None:
    try:
        return sending.send(tools(), organization_id, delivery_id, attempt)
    except Exception:
        logger.exception("delivery %s met a fault", delivery_id)
        sending.fail(tools(), organization_id, delivery_id, attempt)
        return None


@patient
def settle(organization_id: str, delivery_id: str, attempt: int, outcome: Outcome) -> None:
    """A step of its own: what was taken is not sent once more because the database was away when the answer came."""
    sending.settle(tools(), organization_id, delivery_id, attempt, outcome)


def workflow_id(delivery_id: str, attempt: int) -> str:
    """Ours: the same attempt is one workflow, however often it is enqueued."""
    return f"delivery:{delivery_id}:{attempt}"
