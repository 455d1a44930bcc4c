"""Sync: one reading of the whole directory, page by page. Only a complete one counts (S46)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime


class SyncState(StrEnum):
    """RUNNING covers waiting too: `resume_at` says until when."""

    RUNNING = "running"
    COMPLETE = "complete"
    STOPPED = "stopped"
    FAILED = "failed"


class Sync(Base):
    """How far the reading is. `directory_ids` is the work list, `directory_index` and `cursor` the place in it."""

    __tablename__ = "sync"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(16), default=SyncState.RUNNING.value)
    requested_by: Mapped[str] = mapped_column(String(128))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resume_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempt: Mapped[int] = mapped_column(default=0)
    """How often it was taken up again; part of the workflow's id."""
    directory_ids: Mapped[str] = mapped_column(String(2000), default="")
    directory_index: Mapped[int] = mapped_column(default=0)
    cursor: Mapped[str | None] = mapped_column(String(2000))
    pages: Mapped[int] = mapped_column(default=0)
    people: Mapped[int] = mapped_column(default=0)
    expected: Mapped[int | None]
    """How many people the organization says it has, for the progress bar."""
    api_seconds: Mapped[float] = mapped_column(default=0.0)
    problem: Mapped[str] = mapped_column(String(500), default="")
    outline: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    """What was read of the organization without its people when Atlassian said wait (services.directory_outline)."""

    __table_args__ = (
        Index("ix_sync_by_start", "organization_id", "started_at"),
        # Two syncs of one organization never run at once, whoever asks.
        Index(
            "uq_sync_running",
            "organization_id",
            unique=True,
            sqlite_where=(state == SyncState.RUNNING.value),
            postgresql_where=(state == SyncState.RUNNING.value),
        ),
    )


# Asked on every page: not built anew each time.
_OF_ORGANIZATION = Sync.organization_id == bindparam("organization_id")
_RUNNING = select(Sync).where(_OF_ORGANIZATION, Sync.state == SyncState.RUNNING.value)
_NEWEST = select(Sync).where(_OF_ORGANIZATION).order_by(Sync.started_at.desc()).limit(1)
_NEWEST_IN_STATE = _NEWEST.where(Sync.state == bindparam("state"))


def running_sync(session: Session, organization_id: str) -> Sync | None:
    return session.scalar(_RUNNING, {"organization_id": organization_id})


def latest_sync(session: Session, organization_id: str, state: SyncState | None = None) -> Sync | None:
    """The newest sync, or the newest one that ended in `state`."""
    if state is None:
        return session.scalar(_NEWEST, {"organization_id": organization_id})
    return session.scalar(_NEWEST_IN_STATE, {"organization_id": organization_id, "state": state.value})


def newest_sync_id(session: Session, organization_id: str) -> str:
    """The sync that runs, or else the newest; empty before the first."""
    query = select(Sync.id).where(Sync.organization_id == organization_id)
    return session.scalar(query.order_by(Sync.started_at.desc()).limit(1)) or ""
