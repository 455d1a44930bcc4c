"""Notice: something a person is told inside the product. One row per warning; the rows are what was sent."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKeyConstraint, Index, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime


class NoticeKind(StrEnum):
    """WARNING comes before a deed and says when; TOLD has no deed behind it; ENDS: access was given until a day."""

    WARNING = "warning"
    TOLD = "told"
    ENDS = "ends"


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


def grace_began_at(session: Session, organization_id: str, case_id: str) -> datetime | None:
    """When the first warning of the newest grace of a case was given: all of its warnings name one end."""
    mine = (
        Notice.organization_id == organization_id,
        Notice.case_id == case_id,
        Notice.kind == NoticeKind.WARNING.value,
    )
    newest = select(Notice.ends_at).where(*mine).order_by(Notice.ordinal.desc()).limit(1).scalar_subquery()
    return session.scalar(select(func.min(Notice.created_at)).where(*mine, Notice.ends_at == newest))
