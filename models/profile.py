"""Profile: a named bundle of product access and groups given to newcomers."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, Date, ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime
from rules.profile import Term
from rules.roster import Access


class Profile(Base):
    """`roles` are [resource id, role], `groups` ids. Its access ends after `days`, or with `until`."""

    __tablename__ = "profile"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(100))
    """The name in small letters: no two are told apart by capitals."""
    description: Mapped[str] = mapped_column(String(500), default="", server_default="")
    roles: Mapped[list[list[str]]] = mapped_column(JSON)
    groups: Mapped[list[str]] = mapped_column(JSON)
    days: Mapped[int | None]
    until: Mapped[date | None] = mapped_column(Date)
    created_by: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (UniqueConstraint("organization_id", "name_key"),)

    @property
    def access(self) -> Access:
        return Access(tuple((resource_id, role) for resource_id, role in self.roles), tuple(self.groups))

    @property
    def term(self) -> Term:
        return Term(self.days, self.until)


def profiles_of(session: Session, organization_id: str) -> list[Profile]:
    query = select(Profile).where(Profile.organization_id == organization_id)
    return list(session.scalars(query.order_by(Profile.name_key)))


def find_profile(session: Session, organization_id: str, profile_id: str) -> Profile | None:
    return session.get(Profile, (organization_id, profile_id))
