"""Which workers are alive, so that the work of a silent one is taken over."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.worker import Worker, beating_since, newest_beat
from services.toolbox import Toolbox

logger = logging.getLogger("rollcall.workers")

SILENT_AFTER = timedelta(seconds=30)
NOBODY_WORKS_AFTER = timedelta(minutes=1)
"""A worker that is started again is back sooner."""


def beat(tools: Toolbox) -> None:
    """A sign of life of this worker's slot."""
    with tools.begin() as session:
        session.merge(Worker(slot=tools.settings.worker_slot, beat_at=tools.clock()))


def beat_on(tools: Toolbox) -> None:
    """Like beat, of a worker that is at work: a database that is away for a moment ends none."""
    try:
        beat(tools)
    except SQLAlchemyError as trouble:
        logger.warning("no sign of life: the database does not answer (%s)", type(trouble).__name__)


def living_workers(tools: Toolbox) -> set[str]:
    """The slots that gave a sign of life lately; this one is always among them."""
    with tools.begin() as session:
        return beating_since(session, tools.clock() - SILENT_AFTER) | {tools.settings.worker_slot}


def silent_since(session: Session, now: datetime, asked_at: datetime | None = None) -> datetime | None:
    """Since when no worker gives a sign of life; None while one does.

    Where none has ever worked: since `asked_at`, when something was asked for, if anything was.
    """
    since = newest_beat(session) or asked_at
    return since if since is not None and since <= now - NOBODY_WORKS_AFTER else None
