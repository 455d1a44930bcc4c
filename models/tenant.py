"""Tenant: one installation in one product of one site, known by Atlassian's client key and nothing else (S18)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from sqlalchemy import Connection, ForeignKey, LargeBinary, Row, String, bindparam, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime
from models.organization import Organization


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


def close_tenant_gate(session: Session, client_key: str) -> None:
    """The tenant's row is the gate: what happens to it side by side is looked at one after the other."""
    session.execute(
        update(Tenant)
        .where(Tenant.client_key == client_key)
        .values(client_key=client_key)
        .execution_options(synchronize_session=False)
    )


# Asked on every request: one column, no object, and not built anew each time.
_INSTALLED = (Tenant.client_key == bindparam("client_key"), Tenant.uninstalled_at.is_(None))
_SEALED_SECRET = select(Tenant.shared_secret_sealed).where(*_INSTALLED)
_ORGANIZATION = select(Tenant.organization_id).where(*_INSTALLED)
_HOME = (
    select(Organization.id, Organization.time_zone)
    .join(Tenant, Tenant.organization_id == Organization.id)
    .where(*_INSTALLED)
)


def sealed_secret_of(connection: Connection, client_key: str) -> bytes | None:
    """The sealed shared secret of an installed tenant."""
    return connection.scalar(_SEALED_SECRET, {"client_key": client_key})


def organization_behind(connection: Connection, client_key: str) -> str | None:
    """The organization that an installed tenant leads to."""
    return connection.scalar(_ORGANIZATION, {"client_key": client_key})


def home_behind(connection: Connection, client_key: str) -> Row[str, str] | None:
    """The same with the time zone that the organization lives in."""
    return connection.execute(_HOME, {"client_key": client_key}).first()


def doors_of(session: Session, organization_id: str) -> list[Tenant]:
    """The installed tenants that are proven doors into this organization."""
    doors = select(Tenant).where(Tenant.organization_id == organization_id, Tenant.uninstalled_at.is_(None))
    return list(session.scalars(doors.order_by(Tenant.installed_at, Tenant.client_key)))


class Installation(TypedDict):
    """The columns of a tenant that an `installed` brings."""

    product: str
    base_url: str
    display_url: str
    description: str
    shared_secret_sealed: bytes
    oauth_client_id: str | None
    installation_id: str | None
    entitlement_id: str | None
    last_lifecycle_at: datetime


_INSTALL_AGAIN = (
    update(Tenant)
    .where(
        Tenant.client_key == bindparam("known_key"),
        Tenant.uninstalled_at.is_(None),
        Tenant.last_lifecycle_at <= bindparam("last_lifecycle_at"),
    )
    .values({name: bindparam(name) for name in Installation.__annotations__} | {"unreachable_since": None})
    .returning(Tenant.organization_id)
)
_HOLDER = select(Tenant.client_key).where(Tenant.installation_id == bindparam("installation_id"))
_BODY_HASH = select(LifecycleToken.body_hash).where(LifecycleToken.token_hash == bindparam("token_hash"))
_REMEMBER_TOKEN = insert(LifecycleToken)


def install_again(
    connection: Connection, client_key: str, installation: Installation
) -> Row[str | None] | None:
    """Replaces what is known of an installed tenant, and returns its organization; None when nothing was replaced.

    That is so when it is not installed, or has accepted a newer event. One statement, so that two events that arrive
    side by side need no other gate, and on SQLite nobody else waits longer than for this.
    """
    return connection.execute(_INSTALL_AGAIN, {"known_key": client_key, **installation}).first()


def holder_of(connection: Connection, installation_id: str) -> str | None:
    """The client key of the tenant with this installation id."""
    return connection.scalar(_HOLDER, {"installation_id": installation_id})


def body_hash_of(connection: Connection, token_hash: str) -> str | None:
    """Which body a lifecycle token was accepted with; None when it is new."""
    return connection.scalar(_BODY_HASH, {"token_hash": token_hash})


def remember_token(
    connection: Connection, *, token_hash: str, body_hash: str, client_key: str, expires_at: datetime
) -> None:
    """Writes down that a lifecycle token was accepted. Raises IntegrityError when it was already."""
    values = {
        "token_hash": token_hash,
        "body_hash": body_hash,
        "client_key": client_key,
        "expires_at": expires_at,
    }
    connection.execute(_REMEMBER_TOKEN, values)
