"""Absence and last day: how long a suspension is meant to last, and until when somebody is expected to stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import BindParameter, Date, ForeignKeyConstraint, Index, String, bindparam, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.audit import APP
from models.db import Base, UtcDateTime
from models.people import Person
from models.run import Case, Run
from rules.case import OPEN, CaseState
from rules.deeds import Deed


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
NOT_RESTORED = frozenset(
    {
        CaseState.NOT_POSSIBLE,
        CaseState.GUARDED,
        CaseState.FAILED,
        CaseState.REFUSED,
        CaseState.SPARED,
    }
)
"""The ends of a restoring that was in vain."""
IS_TO_END = or_(
    IS_OPEN,
    select(Case.id)
    .join(Run, (Run.organization_id == Case.organization_id) & (Run.id == Case.run_id))
    .join(Person, (Person.organization_id == Case.organization_id) & (Person.account_id == Case.account_id))
    .where(
        Case.organization_id == Absence.organization_id,
        Case.account_id == Absence.account_id,
        Case.state.in_([state.value for state in OPEN | NOT_RESTORED]),
        # The run that was to restore them took the absence up at the moment at which it was made.
        Run.created_at == Absence.ended_at,
        Run.requested_by == APP,
        Run.deed == Deed.RESTORE.value,
        Person.status == "suspended",
        or_(Person.status_since.is_(None), Person.status_since <= Absence.ended_at),
    )
    .correlate(Absence)
    .exists(),
)
"""Open; or over, and they are still suspended, because they could not be restored. Not whose restoring was stopped."""
# Asked for thousands of people at once: built anew, SQLAlchemy would look at every one of the account ids.
_ORGANIZATION: BindParameter[str] = bindparam("organization_id")
_ACCOUNTS: BindParameter[str] = bindparam("account_ids", expanding=True)
_ABSENCES = (
    select(Absence)
    .where(Absence.organization_id == _ORGANIZATION, Absence.account_id.in_(_ACCOUNTS))
    .order_by(Absence.began_at)
)
_OPEN, _TO_END = _ABSENCES.where(IS_OPEN), _ABSENCES.where(IS_TO_END)
_LAST_DAYS = select(LastDay).where(
    LastDay.organization_id == _ORGANIZATION, LastDay.account_id.in_(_ACCOUNTS)
)


def absences_of(session: Session, organization_id: str, account_ids: Sequence[str]) -> dict[str, Absence]:
    """The open absence of each of these people, the newest one."""
    asked = {"organization_id": organization_id, "account_ids": list(account_ids)}
    return {absence.account_id: absence for absence in session.scalars(_OPEN, asked)}


def absences_to_end(session: Session, organization_id: str, account_ids: Sequence[str]) -> dict[str, Absence]:
    """The same, also of those who should be back and could not be restored."""
    asked = {"organization_id": organization_id, "account_ids": list(account_ids)}
    return {absence.account_id: absence for absence in session.scalars(_TO_END, asked)}


def last_days_of(session: Session, organization_id: str, account_ids: Sequence[str]) -> dict[str, LastDay]:
    """What was written down for each of these people."""
    asked = {"organization_id": organization_id, "account_ids": list(account_ids)}
    return {last.account_id: last for last in session.scalars(_LAST_DAYS, asked)}
