"""Which workers are alive, so that the work of a silent one is taken over."""

from __future__ import annotations

from datetime import timedelta

from models.worker import Worker, beating_since
from services.toolbox import Toolbox

SILENT_AFTER = timedelta(seconds=30)


def beat(tools: Toolbox) -> None:
    """A sign of life of this worker's slot."""
    with tools.begin() as session:
        session.merge(Worker(slot=tools.settings.worker_slot, beat_at=tools.clock()))


def living_workers(tools: Toolbox) -> set[str]:
    """The slots that gave a sign of life lately; this one is always among them."""
    with tools.begin() as session:
        return beating_since(session, tools.clock() - SILENT_AFTER) | {tools.settings.worker_slot}
