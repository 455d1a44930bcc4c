"""A few cases of one organization, one attempt at each."""

from __future__ import annotations

import logging
from contextlib import closing

from dbos import DBOS

from jobs.bundles import Bundle, bundled, name_of, waiting_in
from jobs.patience import faults_end, patient
from jobs.workbench import tools
from services import acting, orders, outcomes
from services.footing import Footing
from services.toolbox import Toolbox

logger = logging.getLogger("rollcall.jobs")

QUEUE = "cases"
PER_SECOND = 20
"""Of one organization, over all workers. Atlassian publishes no limit for these calls; after a 429 all of it waits.

As many are enqueued in a second, which keeps the pace: more would only wait in the queue, and be handed out again while
they wait.
"""
PER_TICK = 50
"""Of all organizations together: about as many as a worker gets done."""
HANDFUL = 10
"""Each workflow is queued, found and ended by itself: one for each person would cost more than it is good for."""

Handful = Bundle
"""(case id, attempt) of a few people of one organization."""


@DBOS.workflow(name="act_on_cases")
def act_on_cases(organization_id: str, handful: Handful) -> None:
    """One person after the other, each once: facts say what was done (services/acting.py)."""
    act_on_each(organization_id, handful)


@patient
def act_on_each(organization_id: str, handful: Handful) -> None:
    with closing(Footing(tools(), organization_id)) as footing:
        for case_id, attempt in handful:
            act(footing, case_id, attempt)


def act(footing: Footing, case_id: str, attempt: int) -> None:
    """One person. A fault of our own ends this case, and no other one."""
    with faults_end(f"case {case_id}", lambda: _fail(footing, case_id, attempt)):
        acting.act_on_case(footing, case_id, attempt)


def _fail(footing: Footing, case_id: str, attempt: int) -> None:
    """When not even that can be written down, the row is still due (clockwork.IN_VAIN), and the others go on."""
    try:
        outcomes.fail_case(footing.tools, footing.organization_id, case_id, attempt)
    except Exception:
        logger.exception("case %s could not be failed", case_id)


def due(tools: Toolbox) -> list[tuple[str, Handful]]:
    """(organization id, a handful) of the people whose time has come.

    An organization that has a second's worth waiting in the queue gets none: handed out again while they wait, the same
    people would be in two handfuls.
    """
    full = [key for key, handfuls in waiting_in(QUEUE).items() if handfuls * HANDFUL >= PER_SECOND]
    return bundled(orders.lease_due_cases(tools, PER_TICK, each=PER_SECOND, but_not=full), HANDFUL)


def workflow_id(handful: Handful) -> str:
    """Ours: the same people at the same attempts are one workflow, however often it is enqueued."""
    return f"cases:{name_of(handful)}"
