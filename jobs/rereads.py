"""Reading a few people of one organization again, or starting the sync that was asked for instead."""

from __future__ import annotations

from dbos import DBOS

from jobs.bundles import bundled, name_of, waiting_in
from jobs.patience import faults_end, patient
from jobs.workbench import tools
from services import rereading
from services.rereading import Readings
from services.toolbox import Toolbox

QUEUE = "rereads"


PER_TICK = 50
"""Of all organizations together."""
AT_ONCE = 20
"""Of one organization: a workflow a second, and two searches."""


@DBOS.workflow(name="read_again")
def read_again(organization_id: str, readings: Readings) -> None:
    """What comes after a crash is decided by the rows (services/rereading.py)."""
    read(organization_id, readings)


@patient
def read(organization_id: str, readings: Readings) -> None:
    with faults_end("rereading", lambda: rereading.fail(tools(), organization_id, readings)):
        rereading.reread(tools(), organization_id, readings)


def due(tools: Toolbox) -> list[tuple[str, Readings]]:
    """(organization id, a few of its people). While some wait in the queue, an organization gets no more."""
    leased = rereading.lease_due(tools, PER_TICK, each=AT_ONCE, but_not=list(waiting_in(QUEUE)))
    return bundled(leased, AT_ONCE)


def workflow_id(readings: Readings) -> str:
    """Ours: the same people at the same attempts are one workflow, however often it is enqueued."""
    return f"rereads:{name_of(readings)}"
