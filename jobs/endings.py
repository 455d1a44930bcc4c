"""Access with an end: what is due of it, one after the other. One that meets a fault keeps nobody else waiting."""

from __future__ import annotations

from jobs.patience import faults_end
from jobs.workbench import tools
from services import timed_access


def keep_time() -> None:
    for organization_id, case_id in timed_access.due_ends(tools()):
        look(organization_id, case_id)


def look(organization_id: str, case_id: str) -> None:
    with faults_end(
        f"the end of case {case_id}", lambda: timed_access.put_off(tools(), organization_id, case_id)
    ):
        timed_access.look(tools(), organization_id, case_id)
