"""Rule: what an operator told Rollcall to do by itself. Every change is a new version; a run names the one it ran."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime


class StoredRule(Base):
    """`version` is the newest one. A rule that is not on does nothing; a deleted one is kept for its runs."""

    __tablename__ = "rule"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    version: Mapped[int] = mapped_column(default=1)
    is_on: Mapped[bool] = mapped_column(default=False)
    next_run_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_rule_due", "next_run_at"),
        Index(
            "uq_rule_name",
            "organization_id",
            "name",
            unique=True,
            sqlite_where=(deleted_at.is_(None)),
            postgresql_where=(deleted_at.is_(None)),
        ),
    )


class RuleVersion(Base):
    """`definition` is the rule as data (rules/rule_file.py). `seen_by` looked at a preview of this very version.

    `confirmed_by` is the second operator, for rules that delete accounts.
    """

    __tablename__ = "rule_version"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    rule_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    definition: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_by: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_by: Mapped[str | None] = mapped_column(String(128))
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_by: Mapped[str | None] = mapped_column(String(128))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "rule_id"], ["rule.organization_id", "rule.id"], ondelete="CASCADE"
        ),
    )


def find_rule(session: Session, organization_id: str, rule_id: str) -> StoredRule | None:
    """A rule that was not deleted."""
    rule = session.get(StoredRule, (organization_id, rule_id))
    return rule if rule is not None and rule.deleted_at is None else None


def find_rule_by_name(session: Session, organization_id: str, name: str) -> StoredRule | None:
    return session.scalar(
        select(StoredRule).where(
            StoredRule.organization_id == organization_id,
            StoredRule.name == name,
            StoredRule.deleted_at.is_(None),
        )
    )


def find_version(session: Session, organization_id: str, rule_id: str, version: int) -> RuleVersion | None:
    return session.get(RuleVersion, (organization_id, rule_id, version))


def rules_of(session: Session, organization_id: str) -> list[StoredRule]:
    """The rules of an organization, by name."""
    query = select(StoredRule).where(
        StoredRule.organization_id == organization_id, StoredRule.deleted_at.is_(None)
    )
    return list(session.scalars(query.order_by(StoredRule.name, StoredRule.id)))


def rule_names(session: Session, organization_id: str, rule_ids: Iterable[str | None]) -> dict[str, str]:
    """Names by id, those of deleted rules too."""
    ids = {rule_id for rule_id in rule_ids if rule_id}
    query = select(StoredRule.id, StoredRule.name).where(
        StoredRule.organization_id == organization_id, StoredRule.id.in_(ids)
    )
    return dict(session.execute(query).all())
