"""Access with an end: what is due of it, one after the other. One that meets a fault keeps nobody else waiting."""

from __future__ import annotations

import logging

from jobs.workbench import tools
from services import timed_access

logger = logging.getLogger("rollcall.jobs")


def keep_time() -> None:
    for organization_id, case_id in timed_access.due_ends(tools()):
        try:
            timed_access.look(tools(), organization_id, case_id)
        except Exception:
            logger.exception("the end of case %s met a fault", case_id)
            timed_access.put_off(tools(), organization_id, case_id)
