"""One step of one ticket that was sent to a rule."""

from __future__ import annotations

import logging

from dbos import DBOS

from jobs.workbench import tools
from services import ticket_calls

logger = logging.getLogger("rollcall.jobs")

QUEUE = "tickets"


@DBOS.workflow(name="look_at_ticket")
def look_at_ticket(organization_id: str, call_id: str, attempt: int) -> None:
    """What comes after a crash is decided by the row (services/ticket_calls.py)."""
    look(organization_id, call_id, attempt)


@DBOS.step()
def look(organization_id: str, call_id: str, attempt: int) -> None:
    try:
        ticket_calls.work(tools(), organization_id, call_id, attempt)
    except Exception:
        logger.exception("ticket call %s met a fault", call_id)
        ticket_calls.fail(tools(), organization_id, call_id, attempt)


def workflow_id(call_id: str, attempt: int) -> str:
    """Ours: the same attempt is one workflow, however often it is enqueued."""
    return f"ticket:{call_id}:{attempt}"
