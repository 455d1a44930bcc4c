"""What panels and gadgets remember: the numbers of each day, and how a dashboard's gadget is set."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base


class SummaryDay(Base):
    """The numbers of one day, as JSON of services/days.py: written once a day, so that a trend can be shown."""

    __tablename__ = "summary_day"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    numbers: Mapped[dict[str, Any]] = mapped_column(JSON)


class Gadget(Base):
    """What one gadget on one dashboard shows; `product` is empty for all of them."""

    __tablename__ = "gadget"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    client_key: Mapped[str] = mapped_column(String(255), primary_key=True)
    dashboard_id: Mapped[str] = mapped_column(String(20), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(20), primary_key=True)
    product: Mapped[str] = mapped_column(String(100), default="")
    days: Mapped[int]


def days_between(session: Session, organization_id: str, first: date, last: date) -> Sequence[SummaryDay]:
    """The days that were written down, the oldest first; both ends are included."""
    query = select(SummaryDay).where(
        SummaryDay.organization_id == organization_id, SummaryDay.day >= first, SummaryDay.day <= last
    )
    return session.scalars(query.order_by(SummaryDay.day)).all()
