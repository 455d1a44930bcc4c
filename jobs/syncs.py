"""One attempt at a sync: pages, step by step, until it is complete or has to wait."""

from __future__ import annotations

from dbos import DBOS

from jobs.patience import faults_end, patient
from jobs.workbench import tools
from services import directory_reading, syncing
from services.summary import count_after_sync
from services.toolbox import Toolbox

QUEUE = "syncs"
Piece = tuple[str, str, int]
"""Organization id, sync id, attempt."""
FAULT = "fault"
"""A step met a fault of our own, which is in the log."""


@DBOS.workflow(name="sync_organization")
def sync_organization(organization_id: str, sync_id: str, attempt: int) -> None:
    """Goes on where the row says. A worker that dies here is followed by itself or by another one."""
    if not take_up(organization_id, sync_id, attempt):
        return
    while (step := take_pages(organization_id, sync_id)) == directory_reading.SyncStep.MORE:
        pass
    if step == FAULT:
        give_up(organization_id, sync_id)
    count(organization_id)


@patient
def take_up(organization_id: str, sync_id: str, attempt: int) -> bool:
    """Until it is known whether it was: nobody takes up a row that is being read."""
    return syncing.take_up(tools(), organization_id, sync_id, attempt)


@patient
def take_pages(organization_id: str, sync_id: str) -> str:
    with faults_end(f"sync {sync_id}"):
        return directory_reading.take_pages(tools(), organization_id, sync_id).value
    return FAULT


@DBOS.step(retries_allowed=True, max_attempts=10)
def give_up(organization_id: str, sync_id: str) -> None:
    """Tried for some minutes when it cannot be written down: nobody takes up a row that is being read."""
    syncing.fail_sync(tools(), organization_id, sync_id, syncing.OUR_FAULT)


@DBOS.step()
def count(organization_id: str) -> None:
    count_after_sync(tools(), organization_id)


def due(tools: Toolbox) -> list[Piece]:
    """What waits to be read, and what is being read as far as its row knows, but not as far as DBOS does.

    One of the two databases was restored from a backup, or lost: no other row waits for its workflow alone.
    """
    return [*syncing.due_syncs(tools), *_left_alone(syncing.syncs_under_way(tools))]


def _left_alone(under_way: list[Piece]) -> list[Piece]:
    names = [workflow_id(sync_id, attempt) for _organization_id, sync_id, attempt in under_way]
    if not names:
        return []
    found = DBOS.list_workflows(
        workflow_ids=names, status=["ENQUEUED", "PENDING"], load_input=False, load_output=False
    )
    at_work = {status.workflow_id for status in found}
    return [piece for piece, name in zip(under_way, names, strict=True) if name not in at_work]


def workflow_id(sync_id: str, attempt: int) -> str:
    """Ours: the same attempt is one workflow, however often it is enqueued."""
    return f"sync:{sync_id}:{attempt}"
