"""Rows that wait for the worker (`resume_at`): each is handed to one asker, and again when nobody begins with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import InstrumentedAttribute

from models.delivery import Delivery
from models.reread import Reread
from models.run import Case
from models.ticket import TicketCall
from services.toolbox import Toolbox

LEASE = timedelta(minutes=1)
"""How long a row may wait in the queue before it is handed out again."""
PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
)
"""Between attempts, growing; after the last one it ends."""


def turn(
    organization_id: InstrumentedAttribute[str], *order: InstrumentedAttribute[Any]
) -> ColumnElement[int]:
    """To sort by: each organization's first one comes before anybody's second, so that a large one starves nobody."""
    return func.row_number().over(partition_by=organization_id, order_by=order)


def lease(
    tools: Toolbox,
    model: type[Case | Delivery | Reread | TicketCall],
    limit: int,
    *conditions: ColumnElement[bool],
    each: int | None = None,
) -> list[tuple[str, str, int]]:
    """(organization id, row id, next attempt) of what is due and meets the conditions.

    Every organization with something due gets an equal share, at most `each`, so that a large one never starves a small
    one. Handed out again, a row has the same attempt: whoever begins with it second finds what the first one did.
    """
    now = tools.clock()
    due = (model.resume_at <= now, *conditions)
    with tools.begin() as session:
        organization_ids = session.scalars(select(model.organization_id).where(*due).distinct()).all()
    leased: list[tuple[str, str, int]] = []
    share = max(limit // max(len(organization_ids), 1), 1)
    most = share if each is None else min(share, each)
    for organization_id in organization_ids:
        mine = (model.organization_id == organization_id, *due)
        # The index of what is due of cases has no organization: by that, SQLite would read all there ever were.
        place = model.organization_id.concat("") if model is Case else model.organization_id
        first = select(model.id).where(place == organization_id, *due).order_by(model.resume_at).limit(most)
        with tools.begin() as session:
            # Asked before: of a run that has just begun, PostgreSQL does not know how much is due, and joins it all.
            ids = session.scalars(first).all()
            # The condition stands here again: of two who ask at once, the second one waits and finds the row taken.
            taken = (
                update(model)
                .where(model.id.in_(ids), *mine)
                .values(resume_at=now + LEASE)
                .returning(model.id, model.attempt)
                .execution_options(synchronize_session=False)
            )
            leased += [(organization_id, row_id, attempt + 1) for row_id, attempt in session.execute(taken)]
    return leased
