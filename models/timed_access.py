"""TimedAccess: what one case gave, and until when. Warned before, prolonged by an operator, taken back once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, Date, ForeignKeyConstraint, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime
from models.run import Case


class TimedState(StrEnum):
    """OPEN until its day is over; ENDING while its undo is at work; NOT_ENDED: it could not be taken back.

    DROPPED: an operator took the end away, so that the access stays.
    """

    OPEN = "open"
    ENDING = "ending"
    ENDED = "ended"
    NOT_ENDED = "not_ended"
    DROPPED = "dropped"


UNENDED = (TimedState.OPEN, TimedState.ENDING, TimedState.NOT_ENDED)
"""The person still has it, or some of it."""


class TimedAccess(Base):
    """`ends_on` is the last day that was asked for, `prolonged_until` the one that counts since an operator moved it.

    `warned` holds "2027-05-03:7" for each warning that went out: the last day it spoke of, and how many days before.
    `next_at` is when to look again, `reason` why it could not be taken back.
    """

    __tablename__ = "timed_access"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(36))
    account_id: Mapped[str] = mapped_column(String(128))
    ends_on: Mapped[date] = mapped_column(Date)
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(16), default=TimedState.OPEN.value)
    warned: Mapped[list[str]] = mapped_column(JSON)
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    prolonged_until: Mapped[date | None] = mapped_column(Date)
    prolonged_by: Mapped[str | None] = mapped_column(String(128))
    prolonged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[str | None] = mapped_column(String(128))
    end_run_id: Mapped[str | None] = mapped_column(String(36))
    reason: Mapped[str] = mapped_column(String(500), default="", server_default="")

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "case_id"], ["run_case.organization_id", "run_case.id"], ondelete="CASCADE"
        ),
        Index("ix_timed_due", "state", "next_at"),
        Index("ix_timed_by_person", "organization_id", "account_id"),
    )

    @property
    def until(self) -> date:
        """The last day that counts."""
        return self.prolonged_until or self.ends_on


def find_timed(session: Session, organization_id: str, case_id: str) -> TimedAccess | None:
    return session.get(TimedAccess, (organization_id, case_id))


def unended_among(
    session: Session, organization_id: str, account_ids: Iterable[str]
) -> list[tuple[TimedAccess, Case]]:
    """What these people have until its day has been dealt with, with the cases that gave it."""
    query = (
        select(TimedAccess, Case)
        .join(Case, (Case.organization_id == TimedAccess.organization_id) & (Case.id == TimedAccess.case_id))
        .where(
            TimedAccess.organization_id == organization_id,
            TimedAccess.account_id.in_(list(account_ids)),
            TimedAccess.state.in_([state.value for state in UNENDED]),
        )
    )
    return [(timed, case) for timed, case in session.execute(query)]


def timed_by_case(session: Session, organization_id: str, case_ids: Iterable[str]) -> dict[str, TimedAccess]:
    """Case id → what it gave until a day."""
    query = select(TimedAccess).where(
        TimedAccess.organization_id == organization_id, TimedAccess.case_id.in_(list(case_ids))
    )
    return {timed.case_id: timed for timed in session.scalars(query)}


def ends_of(session: Session, organization_id: str, case_ids: Iterable[str]) -> dict[str, date]:
    """Case id → the last day of what it gave."""
    found = timed_by_case(session, organization_id, case_ids)
    return {case_id: timed.until for case_id, timed in found.items()}
