"""Worker: a heartbeat per worker slot, so that somebody notices when one falls silent for good."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime


class Worker(Base):
    """`slot` is the DBOS executor id of one worker process."""

    __tablename__ = "worker"

    slot: Mapped[str] = mapped_column(String(40), primary_key=True)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime)


_NEWEST_BEAT = select(func.max(Worker.beat_at))


def beating_since(session: Session, moment: datetime) -> set[str]:
    """The slots that gave a sign of life since `moment`."""
    return set(session.scalars(select(Worker.slot).where(Worker.beat_at >= moment)))


def newest_beat(session: Session) -> datetime | None:
    """The last sign of life of any worker; None when there never was one."""
    return session.scalar(_NEWEST_BEAT)
