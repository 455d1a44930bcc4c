"""Answer: what the person concerned said about their own case."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.db import Base, UtcDateTime


class Answer(Base):
    """One per case and kind: saying the same again changes nothing.

    `until` is the last day away. `decision` is empty while an operator has to decide (ask_back, or a keep that the
    rule sends to review), else approved, refused or automatic; `decided_by` says who.
    """

    __tablename__ = "answer"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(128))
    words: Mapped[str] = mapped_column(String(500), default="")
    until: Mapped[date | None] = mapped_column(Date)
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decision: Mapped[str] = mapped_column(String(16), default="")
    decided_by: Mapped[str] = mapped_column(String(128), default="")
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "case_id"], ["run_case.organization_id", "run_case.id"], ondelete="CASCADE"
        ),
        Index("ix_answer_open", "organization_id", "decision", "given_at"),
    )
