"""The list of leavers: by who has to do something next."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from models.leaver import Leaver
from rules.farewell import CHOOSING, OVER, WORKING


class Standing(StrEnum):
    """WAITING: an operator has to decide, or to do something by hand. UNDER_WAY: Rollcall goes on by itself."""

    ALL = ""
    WAITING = "waiting"
    UNDER_WAY = "under_way"
    OVER = "over"


_WORKING = Leaver.state.in_(sorted(state.value for state in WORKING))
HELD_UP = _WORKING & Leaver.resume_at.is_(None)
"""`Leaver.is_held_up`, for the database."""
_CONDITIONS: dict[Standing, ColumnElement[bool]] = {
    Standing.ALL: true(),
    Standing.WAITING: Leaver.state.in_(sorted(state.value for state in CHOOSING)) | HELD_UP,
    Standing.UNDER_WAY: _WORKING & Leaver.resume_at.is_not(None),
    Standing.OVER: Leaver.state.in_(sorted(state.value for state in OVER)),
}


def leavers_of(
    session: Session, organization_id: str, standing: Standing, *, offset: int = 0, limit: int = 50
) -> list[Leaver]:
    """Newest first."""
    query = select(Leaver).where(Leaver.organization_id == organization_id, _CONDITIONS[standing])
    return list(
        session.scalars(query.order_by(Leaver.created_at.desc(), Leaver.id).offset(offset).limit(limit))
    )


def count_leavers(session: Session, organization_id: str) -> dict[Standing, int]:
    """How many there are of each."""
    counts = [func.count().filter(condition) for condition in _CONDITIONS.values()]
    query = select(*counts).select_from(Leaver).where(Leaver.organization_id == organization_id)
    return dict(zip(_CONDITIONS, session.execute(query).one(), strict=True))
