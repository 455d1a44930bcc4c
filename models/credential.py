"""Credential: a secret that an administrator gave to one tenant, sealed and bound to its row (S37, S38)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, String, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime
from models.tenant import Tenant

LONGEST_RESULT = 300


class CredentialKind(StrEnum):
    """ADMIN_KEY opens the organization; API_TOKEN (with its Admin Email) acts in the tenant's own site."""

    ADMIN_KEY = "admin_key"
    API_TOKEN = "api_token"


class CredentialState(StrEnum):
    """What the last check found."""

    WORKING = "working"
    REJECTED = "rejected"
    UNCHECKED = "unchecked"


class Credential(Base):
    """One of the two credentials of one door. Only `last_four`, who and when are ever shown (S42)."""

    __tablename__ = "credential"

    client_key: Mapped[str] = mapped_column(
        ForeignKey("tenant.client_key", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    last_four: Mapped[str] = mapped_column(String(4))
    email_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    owner_account_id: Mapped[str | None] = mapped_column(String(128))
    """Whose token it is, as Atlassian says; unknown for an admin key."""
    stored_by: Mapped[str] = mapped_column(String(128))
    stored_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_on: Mapped[date]
    state: Mapped[str] = mapped_column(String(16), default=CredentialState.WORKING.value)
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    check_result: Mapped[str] = mapped_column(String(LONGEST_RESULT), default="")


def credential_of(session: Session, client_key: str, kind: CredentialKind) -> Credential | None:
    return session.get(Credential, (client_key, kind.value))


# Asked on every page and for every deed: not built anew each time.
_OF_ITS_DOORS = (Tenant.organization_id == bindparam("organization_id"), Tenant.uninstalled_at.is_(None))
_ADMIN_KEYS = (
    select(Credential)
    .join(Tenant, Tenant.client_key == Credential.client_key)
    .where(*_OF_ITS_DOORS, Credential.kind == CredentialKind.ADMIN_KEY.value)
    .order_by((Credential.state == CredentialState.REJECTED.value), Credential.stored_at.desc())
)
_HOLDERS = (
    select(Credential.stored_by, Credential.owner_account_id)
    .join(Tenant, Tenant.client_key == Credential.client_key)
    .where(*_OF_ITS_DOORS)
)


def admin_keys_of(session: Session, organization_id: str) -> list[Credential]:
    """The admin keys of the organization's doors, the one to use first: working before rejected, newest first."""
    return list(session.scalars(_ADMIN_KEYS, {"organization_id": organization_id}))


def credential_holders(session: Session, organization_id: str) -> set[str]:
    """Account ids of everybody whose credential drives the app: they are never acted on (S48)."""
    rows = session.execute(_HOLDERS, {"organization_id": organization_id})
    return {account for row in rows for account in row if account}
