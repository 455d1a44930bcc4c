"""Notice: something a person is told inside the product. One row per warning; the rows are what was sent."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKeyConstraint, Index, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime


class NoticeKind(StrEnum):
    """WARNING comes before a deed and says when; TOLD has no deed behind it."""

    WARNING = "warning"
    TOLD = "told"


class Notice(Base):
    """`ordinal` counts the warnings of one case, so that none is given twice. `ends_at` is when the deed is due.

    `read_at` is when the person first saw it.
    """

    __tablename__ = "notice"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(36))
    account_id: Mapped[str] = mapped_column(String(128))
    kind: Mapped[str] = mapped_column(String(16))
    ordinal: Mapped[int]
    deed: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "case_id"], ["run_case.organization_id", "run_case.id"], ondelete="CASCADE"
        ),
        UniqueConstraint("organization_id", "case_id", "ordinal"),
        Index("ix_notice_by_person", "organization_id", "account_id", "created_at"),
    )


def notices_for(session: Session, organization_id: str, account_id: str, limit: int = 20) -> list[Notice]:
    """What this person was told, newest first."""
    query = select(Notice).where(Notice.organization_id == organization_id, Notice.account_id == account_id)
    return list(session.scalars(query.order_by(Notice.created_at.desc()).limit(limit)))
