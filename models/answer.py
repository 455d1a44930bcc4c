"""Answer: what the person concerned said about their own case."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    ForeignKeyConstraint,
    Index,
    String,
    and_,
    func,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime
from rules.topics import AnswerKind


class Decision(StrEnum):
    """What became of an answer; WAITS while an operator has to decide. AUTOMATIC: nobody had to."""

    WAITS = ""
    APPROVED = "approved"
    REFUSED = "refused"
    AUTOMATIC = "automatic"


GRANTED = (Decision.APPROVED.value, Decision.AUTOMATIC.value)


class Answer(Base):
    """One per case and kind: saying the same again changes nothing.

    `until` is the last day away. `decision` is empty while an operator has to decide (ask_back, or a keep that the
    rule sends to review), else approved, refused or automatic; `decided_by` says who. One that waits and has a
    `decided_by` was granted by them before, and nothing came of it.
    """

    __tablename__ = "answer"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(128))
    words: Mapped[str] = mapped_column(String(500), default="")
    until: Mapped[date | None] = mapped_column(Date)
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decision: Mapped[str] = mapped_column(String(16), default=Decision.WAITS.value)
    decided_by: Mapped[str] = mapped_column(String(128), default="")
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "case_id"], ["run_case.organization_id", "run_case.id"], ondelete="CASCADE"
        ),
        Index("ix_answer_open", "organization_id", "decision", "given_at"),
        Index("ix_answer_by_person", "organization_id", "account_id"),
    )


def answers_to(session: Session, organization_id: str, case_ids: Iterable[str]) -> dict[str, list[Answer]]:
    """What was answered about each of these cases, the newest last."""
    found: dict[str, list[Answer]] = {}
    query = select(Answer).where(
        Answer.organization_id == organization_id, Answer.case_id.in_(list(case_ids))
    )
    for answer in session.scalars(query.order_by(Answer.given_at, Answer.kind)):
        found.setdefault(answer.case_id, []).append(answer)
    return found


def answers_by(session: Session, organization_id: str, account_id: str, limit: int = 20) -> list[Answer]:
    """What somebody answered, the newest first."""
    query = select(Answer).where(Answer.organization_id == organization_id, Answer.account_id == account_id)
    return list(session.scalars(query.order_by(Answer.given_at.desc(), Answer.kind).limit(limit)))


def means_away(
    organization_id: str | BindParameter[str], today: date | BindParameter[date]
) -> ColumnElement[bool]:
    """An answer says that somebody is away. Days before `today` are over; what an operator refused, or has not seen,
    does not count.
    """
    return and_(
        Answer.organization_id == organization_id,
        Answer.decision.in_(GRANTED),
        Answer.kind == AnswerKind.AWAY.value,
        Answer.until >= today,
    )


def said_away(session: Session, organization_id: str, today: date) -> dict[str, date]:
    """Who said that they are away, and until when."""
    query = (
        select(Answer.account_id, func.max(Answer.until))
        .where(means_away(organization_id, today))
        .group_by(Answer.account_id)
    )
    return {person: until for person, until in session.execute(query) if until is not None}
