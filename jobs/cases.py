"""One attempt at one case."""

from __future__ import annotations

import logging

from dbos import DBOS

from jobs.workbench import tools
from services import acting, outcomes

logger = logging.getLogger("rollcall.jobs")

QUEUE = "cases"
PER_SECOND = 20
"""Of one organization, over all workers: far below what Atlassian's gateway lets through.

As many are enqueued in a second, too: more would only wait in the queue, and be handed out again while they wait.
"""


@DBOS.workflow(name="act_on_case")
def act_on_case(organization_id: str, case_id: str, attempt: int) -> None:
    """One person, once. What comes after a crash is decided by facts (services/acting.py)."""
    act(organization_id, case_id, attempt)


@DBOS.step()
def act(organization_id: str, case_id: str, attempt: int) -> None:
    try:
        acting.act_on_case(tools(), organization_id, case_id, attempt)
    except Exception:
        logger.exception("case %s met a fault", case_id)
        outcomes.fail_case(tools(), organization_id, case_id)


def workflow_id(case_id: str, attempt: int) -> str:
    """Ours: the same attempt is one workflow, however often it is enqueued."""
    return f"case:{case_id}:{attempt}"
