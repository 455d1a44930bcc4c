"""Delivery: one notice on its way to one reader by mail or hook. Written in the transaction of what it tells about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime
from rules.topics import Channel, DeliveryState


class Delivery(Base):
    """`id` is made of what is told to whom on which occasion, so that the same thing is never told twice.

    `target` is an account id (mail) or a hook's id. `facts` are numbers, names of rules and ids, never addresses; who
    the person is, is looked up when it is sent. `status` is the HTTP or SMTP answer; `resume_at` when to try (again),
    None when there is nothing more to do; `sending_since` when the last attempt began whose outcome nobody knows.
    """

    __tablename__ = "delivery"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    channel: Mapped[str] = mapped_column(String(8))
    topic: Mapped[str] = mapped_column(String(32))
    target: Mapped[str] = mapped_column(String(128))
    account_id: Mapped[str] = mapped_column(String(128), default="")
    """Whom it is about; empty when it is about nobody in particular."""
    case_id: Mapped[str | None] = mapped_column(String(36))
    run_id: Mapped[str | None] = mapped_column(String(36))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16), default=DeliveryState.WAITING.value)
    reason: Mapped[str] = mapped_column(String(300), default="")
    status: Mapped[int | None]
    attempt: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    resume_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sending_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        # Only what waits is in it: the worker asks every second, and the log is long.
        Index(
            "ix_delivery_due",
            "organization_id",
            "resume_at",
            sqlite_where=resume_at.is_not(None),
            postgresql_where=resume_at.is_not(None),
        ),
        Index("ix_delivery_by_time", "organization_id", "channel", "created_at"),
        Index("ix_delivery_log", "organization_id", "created_at"),
        Index("ix_delivery_by_case", "organization_id", "case_id"),
    )


def unsent_mails(session: Session, organization_id: str, case_ids: Collection[str]) -> dict[str, str]:
    """Case id → why its newest mail could not be sent; without those whose newest mail left, or still may."""
    query = (
        select(Delivery.case_id, Delivery.state, Delivery.reason)
        .where(
            Delivery.organization_id == organization_id,
            Delivery.case_id.in_(case_ids),
            Delivery.channel == Channel.MAIL.value,
        )
        .order_by(Delivery.created_at)
    )
    newest = {case_id: (state, reason) for case_id, state, reason in session.execute(query)}
    return {
        case_id: reason
        for case_id, (state, reason) in newest.items()
        if case_id is not None and state == DeliveryState.NOT_SENT
    }


def find_delivery(session: Session, organization_id: str, delivery_id: str) -> Delivery | None:
    return session.get(Delivery, (organization_id, delivery_id))


def deliveries_by_id(
    session: Session, organization_id: str, delivery_ids: Sequence[str]
) -> Sequence[Delivery]:
    """These deliveries, in this order."""
    query = select(Delivery).where(Delivery.organization_id == organization_id, Delivery.id.in_(delivery_ids))
    found = {delivery.id: delivery for delivery in session.scalars(query)}
    return [found[delivery_id] for delivery_id in delivery_ids if delivery_id in found]
