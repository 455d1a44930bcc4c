"""Protected: the organization's own list of people, groups and domains that no rule and no operator's run touches."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime
from rules.organization import ProtectedKind, Protection


class Protected(Base):
    """`value` is an account id, a group id or a domain; `label` what people knew it by when it was added.

    `until` is the last day on which it holds, None: for ever.
    """

    __tablename__ = "protected"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(String(255))
    label: Mapped[str] = mapped_column(String(255))
    reason: Mapped[str] = mapped_column(String(300))
    until: Mapped[date | None] = mapped_column(Date)
    added_by: Mapped[str] = mapped_column(String(128))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (UniqueConstraint("organization_id", "kind", "value"),)

    @property
    def protection(self) -> Protection:
        return Protection(ProtectedKind(self.kind), self.value, self.reason, self.until)


def find_protected(session: Session, organization_id: str, protected_id: str) -> Protected | None:
    return session.get(Protected, (organization_id, protected_id))


def protected_of(session: Session, organization_id: str) -> list[Protected]:
    """The whole list, people first, then by label."""
    query = select(Protected).where(Protected.organization_id == organization_id)
    found = session.scalars(query.order_by(Protected.label, Protected.id))
    order = list(ProtectedKind)
    return sorted(found, key=lambda each: order.index(ProtectedKind(each.kind)))
