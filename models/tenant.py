"""Tenant: one installation in one product of one site, known by Atlassian's client key and nothing else (S18)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime


class Product(StrEnum):
    """The product that carries this installation."""

    JIRA = "jira"
    CONFLUENCE = "confluence"


class Tenant(Base):
    """`base_url` is for calls, `display_url` for people. `organization_id` is set only by proof: an admin key (S27)."""

    __tablename__ = "tenant"

    client_key: Mapped[str] = mapped_column(String(255), primary_key=True)
    product: Mapped[str] = mapped_column(String(16))
    base_url: Mapped[str] = mapped_column(String(500))
    display_url: Mapped[str] = mapped_column(String(500))
    description: Mapped[str] = mapped_column(String(500), default="")
    shared_secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    oauth_client_id: Mapped[str | None] = mapped_column(String(255))
    installation_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    entitlement_id: Mapped[str | None] = mapped_column(String(255))
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organization.id"), index=True)
    installed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    uninstalled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unreachable_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_lifecycle_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """`iat` of the newest lifecycle token accepted: an older one is refused (S57)."""


class LifecycleToken(Base):
    """A lifecycle token that was accepted, so that it is not accepted again with another body (S57)."""

    __tablename__ = "lifecycle_token"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    client_key: Mapped[str] = mapped_column(String(255))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def find_tenant(session: Session, client_key: str) -> Tenant | None:
    return session.get(Tenant, client_key)


def sealed_secret_of(session: Session, client_key: str) -> bytes | None:
    """The sealed shared secret of an installed tenant. Asked on every request: one column, no object."""
    secret = select(Tenant.shared_secret_sealed).where(
        Tenant.client_key == client_key, Tenant.uninstalled_at.is_(None)
    )
    return session.scalar(secret)


def doors_of(session: Session, organization_id: str) -> list[Tenant]:
    """The installed tenants that are proven doors into this organization."""
    doors = select(Tenant).where(Tenant.organization_id == organization_id, Tenant.uninstalled_at.is_(None))
    return list(session.scalars(doors.order_by(Tenant.installed_at, Tenant.client_key)))
