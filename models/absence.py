"""Absence and last day: how long a suspension is meant to last, and until when somebody is expected to stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import BindParameter, Date, ForeignKeyConstraint, Index, String, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime


class Absence(Base):
    """Why somebody is suspended and until when; written when the suspension landed, named by its case.

    `comes_back`: they are restored by itself when `ends_on` is over. `ended_at` is set when they are back.
    """

    __tablename__ = "absence"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(128))
    reason: Mapped[str] = mapped_column(String(100))
    note: Mapped[str] = mapped_column(String(500), default="")
    ends_on: Mapped[date | None] = mapped_column(Date)
    comes_back: Mapped[bool] = mapped_column(default=False)
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "account_id"],
            ["person.organization_id", "person.account_id"],
            ondelete="CASCADE",
        ),
        Index("ix_absence_by_person", "organization_id", "account_id", "ended_at"),
        Index("ix_absence_by_end", "ends_on", "ended_at"),
    )


class LastDay(Base):
    """Until when somebody is expected to stay: the end of a contract, written down by an operator."""

    __tablename__ = "last_day"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    ends_on: Mapped[date] = mapped_column(Date)
    note: Mapped[str] = mapped_column(String(500), default="")
    set_by: Mapped[str] = mapped_column(String(128))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "account_id"],
            ["person.organization_id", "person.account_id"],
            ondelete="CASCADE",
        ),
    )


IS_OPEN = Absence.ended_at.is_(None)
# Asked for thousands of people at once: built anew, SQLAlchemy would look at every one of the account ids.
_ORGANIZATION: BindParameter[str] = bindparam("organization_id")
_ACCOUNTS: BindParameter[str] = bindparam("account_ids", expanding=True)
_ABSENCES = (
    select(Absence)
    .where(Absence.organization_id == _ORGANIZATION, Absence.account_id.in_(_ACCOUNTS), IS_OPEN)
    .order_by(Absence.began_at)
)
_LAST_DAYS = select(LastDay).where(
    LastDay.organization_id == _ORGANIZATION, LastDay.account_id.in_(_ACCOUNTS)
)


def absences_of(session: Session, organization_id: str, account_ids: Sequence[str]) -> dict[str, Absence]:
    """The open absence of each of these people, the newest one."""
    asked = {"organization_id": organization_id, "account_ids": list(account_ids)}
    return {absence.account_id: absence for absence in session.scalars(_ABSENCES, asked)}


def last_days_of(session: Session, organization_id: str, account_ids: Sequence[str]) -> dict[str, LastDay]:
    """What was written down for each of these people."""
    asked = {"organization_id": organization_id, "account_ids": list(account_ids)}
    return {last.account_id: last for last in session.scalars(_LAST_DAYS, asked)}
