"""Organization: what an admin key opens. It owns people, runs and audit. And its operators."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    SQLColumnExpression,
    String,
    exists,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from models.db import Base, UtcDateTime
from models.people import Person
from rules.panel import Privacy
from rules.person import IN_USE
from rules.topics import DigestEvery


class Organization(Base):
    """`doorless_since` is set when no installed tenant is a door any more; the data is purged N days later."""

    __tablename__ = "organization"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    doorless_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    forgotten_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """It is being forgotten for good, portion by portion: nobody opens it any more before it is gone."""
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Atlassian asked us to slow down: nobody of this organization is acted on before."""
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC", server_default="UTC")
    """In which rules run and days begin: a moment that stands for a day is shown as the day there."""
    billing_day: Mapped[int | None]
    """Day of the month on which Atlassian bills; unknown until somebody says it."""
    language: Mapped[str] = mapped_column(String(16), default="en", server_default="en")
    """Of mails to its people."""
    panel_privacy: Mapped[str] = mapped_column(
        String(16), default=Privacy.INACTIVE.value, server_default=Privacy.INACTIVE.value
    )
    panel_days: Mapped[int] = mapped_column(default=90, server_default="90")
    """After how many days away a panel on an issue or page speaks of somebody."""
    digest: Mapped[str] = mapped_column(
        String(8), default=DigestEvery.OFF.value, server_default=DigestEvery.OFF.value
    )
    digest_sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    give_back_cap: Mapped[int | None]
    """Who asks for their access back gets it by itself while fewer seats than this are in use; None: never."""


class Seats(Base):
    """A product of one site with its paid places, as the organization's workspaces tell (resource id is an ARI)."""

    __tablename__ = "seats"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    resource_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    key: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(255))
    host_url: Mapped[str] = mapped_column(String(500), default="")
    capacity: Mapped[int | None]
    usage: Mapped[int | None]
    """How many are taken, as Atlassian told last and our deeds changed it since; None where it does not tell."""
    owner_account_id: Mapped[str | None] = mapped_column(String(128))
    """Who owns this site apart from the organization."""


class Summary(Base):
    """Numbers that take long to count, counted once: JSON of services/summary.py, as of `counted_at`."""

    __tablename__ = "summary"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    counted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    numbers: Mapped[dict[str, Any]] = mapped_column(JSON)


class OperatorReason(StrEnum):
    """How somebody became an operator."""

    GAVE_KEY = "gave_key"
    NAMED = "named"


class Operator(Base):
    """Somebody who may see the organization's people and make the app act on them (S26), while they are still here."""

    __tablename__ = "operator"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    reason: Mapped[str] = mapped_column(String(16))
    named_by: Mapped[str] = mapped_column(String(128))
    named_at: Mapped[datetime] = mapped_column(UtcDateTime)
    digest_stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When they said that they want no summaries by mail."""


def close_gate(session: Session, organization_id: str) -> None:
    """The organization's row is the gate: of two who ask at once, the second waits, and sees what the first did."""
    session.execute(
        update(Organization)
        .where(Organization.id == organization_id)
        .values(id=organization_id)
        .execution_options(synchronize_session=False)
    )


def still_here(
    organization_id: SQLColumnExpression[str], account_id: SQLColumnExpression[str]
) -> ColumnElement[bool]:
    """Whether somebody neither left the organization's directory nor has an account there that is out of use.

    Whom the directory does not show yet is here: before the first sync that is who gave the key.
    """
    # Another name: the question around it may ask about people, too.
    person = aliased(Person)
    return ~exists().where(
        person.organization_id == organization_id,
        person.account_id == account_id,
        or_(
            person.left_at.is_not(None),
            person.account_status.not_in(IN_USE),
            # Of several directories the row shows one: who is suspended there may work in another.
            person.status.not_in(IN_USE) & person.in_several_directories.is_(False),
        ),
    )


def operators_of(session: Session, organization_id: str) -> list[Operator]:
    """Everybody on the list, the first one named first; also those who are gone."""
    query = select(Operator).where(Operator.organization_id == organization_id)
    return list(session.scalars(query.order_by(Operator.named_at, Operator.account_id)))


def operators_here(session: Session, organization_id: str) -> list[Operator]:
    """Those on the list who count: they are still here."""
    query = select(Operator).where(
        Operator.organization_id == organization_id,
        still_here(Operator.organization_id, Operator.account_id),
    )
    return list(session.scalars(query.order_by(Operator.named_at, Operator.account_id)))


def zone_of(session: Session, organization_id: str) -> ZoneInfo:
    """Where the organization lives: a moment is the day that it is there."""
    zone = session.scalar(select(Organization.time_zone).where(Organization.id == organization_id))
    return ZoneInfo(zone or "UTC")


def seats_of(session: Session, organization_id: str) -> list[Seats]:
    query = select(Seats).where(Seats.organization_id == organization_id)
    return list(session.scalars(query.order_by(Seats.name, Seats.resource_id)))


def site_owners(seats: Iterable[Seats]) -> frozenset[str]:
    """The account ids of those who own one of the sites that carry these products."""
    return frozenset(each.owner_account_id for each in seats if each.owner_account_id)
