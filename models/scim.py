"""SCIM: the identity provider's connection, and the people and groups it told us about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Connection,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime
from rules.scim import ScimMode


class ScimConnection(Base):
    """One identity provider. `token_hash` is the SHA-256 of its bearer token, which is stored nowhere (S54).

    `when_inactive` and `when_deleted` are deeds (rules.deeds.Deed; LIST does nothing). `mode` is audit or live.
    `begins_leavers`: whoever goes there becomes a leaver here, so that what they own is handed over.
    `brake_number` and `brake_share` limit from how many people access may be taken within a day. `previewed_at` is when
    an operator last looked at what would change.
    """

    __tablename__ = "scim_connection"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    provider: Mapped[str] = mapped_column(String(16))
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    token_created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    when_inactive: Mapped[str] = mapped_column(String(16))
    when_deleted: Mapped[str] = mapped_column(String(16))
    begins_leavers: Mapped[bool] = mapped_column(default=False, server_default=false())
    mode: Mapped[str] = mapped_column(String(16))
    previewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    brake_number: Mapped[int | None]
    brake_share: Mapped[int | None]
    look_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the worker looks at this connection's people again; pushed ahead by whoever looks."""
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_scim_connection_due", "look_at"),)


class ScimUser(Base):
    """Somebody as the identity provider describes them. `document` is the description, without any password.

    The keys are what filters compare, with the addresses in ScimAddress.
    `email` is where an invitation goes, and by which they are found in the directory.
    `changed_at` is the provider's last change; `dirty_at` is set until the change has been followed up at Atlassian.
    `given` is the access they have by this connection (roles, groups), `taken` the deed by which it was last taken,
    `invited` that it invited them, until they are seen here.
    """

    __tablename__ = "scim_user"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    connection_id: Mapped[str] = mapped_column(String(36))
    user_name: Mapped[str] = mapped_column(String(320))
    user_name_key: Mapped[str] = mapped_column(String(400))
    external_id: Mapped[str] = mapped_column(String(255), default="")
    display_name: Mapped[str] = mapped_column(String(255), default="")
    display_name_key: Mapped[str] = mapped_column(String(400), default="")
    email: Mapped[str] = mapped_column(String(320), default="")
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    account_id: Mapped[str | None] = mapped_column(String(128))
    dirty_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(16), default="waiting", server_default="waiting")
    reason: Mapped[str] = mapped_column(String(500), default="", server_default="")
    case_id: Mapped[str | None] = mapped_column(String(36))
    """The case in which somebody is in a run's hands now; what comes next is decided when it has ended."""
    tried: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """The step that last came to nothing: it is not tried again until the provider says something new."""
    given: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    taken: Mapped[str] = mapped_column(String(16), default="", server_default="")
    invited: Mapped[bool] = mapped_column(default=False, server_default=false())
    leaver_id: Mapped[str | None] = mapped_column(String(36))
    """Whom they became when the provider let them go; forgotten when they come back."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "connection_id"],
            ["scim_connection.organization_id", "scim_connection.id"],
            ondelete="CASCADE",
        ),
        Index(
            "uq_scim_user_name",
            "organization_id",
            "connection_id",
            "user_name_key",
            unique=True,
            sqlite_where=deleted_at.is_(None),
            postgresql_where=deleted_at.is_(None),
        ),
        Index(
            "ix_scim_user_former_name",
            "organization_id",
            "connection_id",
            "user_name_key",
            sqlite_where=deleted_at.is_not(None),
            postgresql_where=deleted_at.is_not(None),
        ),
        Index("ix_scim_user_by_email", "organization_id", "connection_id", "email"),
        Index(
            "ix_scim_user_in_hand",
            "organization_id",
            "connection_id",
            "case_id",
            sqlite_where=case_id.is_not(None),
            postgresql_where=case_id.is_not(None),
        ),
        # With the order of a list: else SQLite, as long as it knows no figures, reads the list for the order's sake.
        Index(
            "ix_scim_user_by_external_id",
            "organization_id",
            "connection_id",
            "external_id",
            "created_at",
            "id",
        ),
        Index("ix_scim_user_by_time", "organization_id", "connection_id", "created_at", "id"),
        Index("ix_scim_user_dirty", "organization_id", "connection_id", "dirty_at"),
        Index("ix_scim_user_by_account", "organization_id", "account_id", "connection_id"),
    )


class ScimAddress(Base):
    """One address of somebody, as filters compare it; `kind` is its type, or "" for none."""

    __tablename__ = "scim_address"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(100), primary_key=True)
    address: Mapped[str] = mapped_column(String(400), primary_key=True)

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "user_id"],
            ["scim_user.organization_id", "scim_user.id"],
            ondelete="CASCADE",
        ),
        Index("ix_scim_address", "organization_id", "address", "kind", "user_id"),
    )


class ScimGroup(Base):
    """A group of the identity provider; `profile_id` is what its members get."""

    __tablename__ = "scim_group"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    connection_id: Mapped[str] = mapped_column(String(36))
    display_name: Mapped[str] = mapped_column(String(255))
    display_name_key: Mapped[str] = mapped_column(String(400))
    external_id: Mapped[str] = mapped_column(String(255), default="")
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    profile_id: Mapped[str | None] = mapped_column(String(36))

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "connection_id"],
            ["scim_connection.organization_id", "scim_connection.id"],
            ondelete="CASCADE",
        ),
        Index("uq_scim_group_name", "organization_id", "connection_id", "display_name_key", unique=True),
        Index("ix_scim_group_by_time", "organization_id", "connection_id", "created_at", "id"),
    )


class ScimFormerGroup(Base):
    """What a group gave that the provider has deleted: providers delete groups to push them anew."""

    __tablename__ = "scim_former_group"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    connection_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    display_name_key: Mapped[str] = mapped_column(String(400), primary_key=True)
    external_id: Mapped[str] = mapped_column(String(255))
    profile_id: Mapped[str] = mapped_column(String(36))
    deleted_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "connection_id"],
            ["scim_connection.organization_id", "scim_connection.id"],
            ondelete="CASCADE",
        ),
    )


class ScimMember(Base):
    """Somebody is in a group of the identity provider."""

    __tablename__ = "scim_member"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    group_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    display: Mapped[str] = mapped_column(String(255), default="", server_default="")
    """What the provider calls them here."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "group_id"],
            ["scim_group.organization_id", "scim_group.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["organization_id", "user_id"],
            ["scim_user.organization_id", "scim_user.id"],
            ondelete="CASCADE",
        ),
        Index("ix_scim_member_by_user", "organization_id", "user_id", "group_id"),
    )


def connection_of_token(
    connection: Connection, token_hash: str
) -> tuple[str, str, str, datetime | None] | None:
    """(organization id, connection id, hash, last use) of the connection that a token with this hash opens."""
    query = select(
        ScimConnection.organization_id,
        ScimConnection.id,
        ScimConnection.token_hash,
        ScimConnection.last_used_at,
    ).where(ScimConnection.token_hash == token_hash, ScimConnection.deleted_at.is_(None))
    row = connection.execute(query).first()
    return None if row is None else (row[0], row[1], row[2] or "", row[3])


def find_connection(session: Session, organization_id: str, connection_id: str) -> ScimConnection | None:
    """One connection that was not deleted."""
    found = session.get(ScimConnection, (organization_id, connection_id))
    return None if found is None or found.deleted_at is not None else found


def connections_of(session: Session, organization_id: str) -> list[ScimConnection]:
    """The connections of an organization, by name."""
    query = select(ScimConnection).where(
        ScimConnection.organization_id == organization_id, ScimConnection.deleted_at.is_(None)
    )
    return list(session.scalars(query.order_by(ScimConnection.name, ScimConnection.id)))


def find_user(session: Session, organization_id: str, connection_id: str, user_id: str) -> ScimUser | None:
    """Somebody whom this connection has not deleted."""
    found = session.get(ScimUser, (organization_id, user_id))
    if found is None or found.connection_id != connection_id or found.deleted_at is not None:
        return None
    return found


def accounts_not_active(session: Session, organization_id: str, account_ids: Sequence[str]) -> Sequence[str]:
    """Those of these people whom a provider has deleted, or calls not active, by one name at least."""
    query = select(ScimUser.account_id).where(
        ScimUser.organization_id == organization_id,
        ScimUser.account_id.in_(account_ids),
        or_(ScimUser.deleted_at.is_not(None), ScimUser.active.is_(False)),
    )
    return [account_id for account_id in session.scalars(query.distinct()) if account_id is not None]


def users_of_accounts(
    session: Session, organization_id: str, account_ids: Sequence[str]
) -> list[tuple[ScimConnection, ScimUser]]:
    """What live connections have told about these people, the deleted among them."""
    query = (
        select(ScimConnection, ScimUser)
        .join(
            ScimConnection,
            (ScimConnection.organization_id == ScimUser.organization_id)
            & (ScimConnection.id == ScimUser.connection_id),
        )
        .where(
            ScimUser.organization_id == organization_id,
            ScimUser.account_id.in_(account_ids),
            ScimConnection.deleted_at.is_(None),
            ScimConnection.mode == ScimMode.LIVE.value,
        )
    )
    return [(connection, user) for connection, user in session.execute(query)]


def find_group(session: Session, organization_id: str, connection_id: str, group_id: str) -> ScimGroup | None:
    found = session.get(ScimGroup, (organization_id, group_id))
    return None if found is None or found.connection_id != connection_id else found


def groups_by_user(
    session: Session, organization_id: str, user_ids: Sequence[str]
) -> dict[str, list[ScimGroup]]:
    """The provider's groups that each of these people is in, by name."""
    query = (
        select(ScimMember.user_id, ScimGroup)
        .join(
            ScimGroup,
            (ScimGroup.organization_id == ScimMember.organization_id) & (ScimGroup.id == ScimMember.group_id),
        )
        .where(ScimMember.organization_id == organization_id, ScimMember.user_id.in_(user_ids))
        .order_by(ScimGroup.display_name_key)
    )
    found: dict[str, list[ScimGroup]] = {}
    for user_id, group in session.execute(query):
        found.setdefault(user_id, []).append(group)
    return found


def count_members(session: Session, organization_id: str, group_ids: Sequence[str]) -> dict[str, int]:
    """Id of each of these groups that has members → how many."""
    query = (
        select(ScimMember.group_id, func.count())
        .where(ScimMember.organization_id == organization_id, ScimMember.group_id.in_(group_ids))
        .group_by(ScimMember.group_id)
    )
    return dict(session.execute(query).all())
