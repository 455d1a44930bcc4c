"""Reread: somebody to be read again by themselves, because Jira or Confluence said that they came or changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, delete, false, func, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime

EVERYBODY = ""
"""Stands for an account id: one sync instead of many single readings."""


class Reread(Base):
    """One row for each person, however many events there were; `asked_at` is the newest one's arrival.

    `newcomer`: an event said that they were created, so that they may be unknown here.
    """

    __tablename__ = "reread"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(128))
    newcomer: Mapped[bool] = mapped_column(default=False, server_default=false())
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempt: Mapped[int] = mapped_column(default=0, server_default="0")
    troubles: Mapped[int] = mapped_column(default=0, server_default="0")
    resume_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("organization_id", "account_id"),
        Index("ix_reread_due", "resume_at"),
    )


def is_waiting(session: Session, organization_id: str, account_id: str) -> bool:
    """Whether they are to be read again, by themselves."""
    mine = (Reread.organization_id == organization_id, Reread.account_id == account_id)
    return session.scalar(select(literal(1)).where(*mine)) is not None


def count_waiting(session: Session, organization_id: str) -> int:
    """How many people wait to be read again by themselves."""
    query = select(func.count()).where(
        Reread.organization_id == organization_id, Reread.account_id != EVERYBODY
    )
    return session.scalar(query) or 0


def put_down(session: Session, row: Mapping[str, Any]) -> None:
    """A new row; or the one that waits already learns when it was last asked for. That one keeps its turn."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(Reread).values(**row)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["organization_id", "account_id"],
            set_={
                "asked_at": statement.excluded.asked_at,
                "newcomer": or_(Reread.newcomer, statement.excluded.newcomer),
            },
        )
    )


def forget_all(session: Session, organization_id: str) -> None:
    session.execute(delete(Reread).where(Reread.organization_id == organization_id))


def held_rereads(session: Session, organization_id: str, reread_ids: Iterable[str]) -> dict[str, Reread]:
    """The rows by id, read now and kept from others until the transaction ends; those that are gone are absent."""
    query = (
        select(Reread)
        .where(Reread.organization_id == organization_id, Reread.id.in_(reread_ids))
        .order_by(Reread.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in session.scalars(query)}
