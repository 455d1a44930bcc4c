"""AccessRule: who is in these groups has that access too. AccessGiven: what it gave to whom, until it is over.

AccessRuleNews: who was read again by themselves and is not looked at yet.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    false,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime
from rules.access_rule import AccessRule, Given
from rules.brake import Brake
from rules.changes import Change, ChangeKind
from rules.roster import Access
from rules.rule import Mode


class StoredAccessRule(Base):
    """`sources` and `groups` are group ids, `roles` are [resource id, role]; with `profile_id` they are that profile's.

    Every change of what the rule does is a new `version`; `seen_version` is the one whose list an operator looked at.
    `mode` is audit or live. `sync_id` is the sync after which it was last evaluated, `evaluations` counts them; `again`
    asks for one more when its run is over.
    """

    __tablename__ = "access_rule"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(100))
    """The name in small letters: no two are told apart by capitals."""
    sources: Mapped[list[str]] = mapped_column(JSON)
    roles: Mapped[list[list[str]]] = mapped_column(JSON)
    groups: Mapped[list[str]] = mapped_column(JSON)
    profile_id: Mapped[str | None] = mapped_column(String(36))
    keep_when_over: Mapped[bool] = mapped_column(default=False, server_default=false())
    mode: Mapped[str] = mapped_column(String(16), default=Mode.AUDIT.value)
    brake_number: Mapped[int | None]
    brake_share: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)
    seen_version: Mapped[int | None]
    seen_by: Mapped[str | None] = mapped_column(String(128))
    created_by: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sync_id: Mapped[str | None] = mapped_column(String(36))
    evaluations: Mapped[int] = mapped_column(default=0, server_default="0")
    again: Mapped[bool] = mapped_column(default=False, server_default=false())
    evaluated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_result: Mapped[str] = mapped_column(String(500), default="", server_default="")
    last_run_id: Mapped[str | None] = mapped_column(String(36))

    __table_args__ = (UniqueConstraint("organization_id", "name_key"),)

    @property
    def gives(self) -> Access:
        return Access(tuple((resource_id, role) for resource_id, role in self.roles), tuple(self.groups))

    @property
    def rule(self) -> AccessRule:
        return AccessRule(tuple(self.sources), self.gives, self.keep_when_over)

    @property
    def brake(self) -> Brake:
        return Brake(self.brake_number, self.brake_share)

    @property
    def is_live(self) -> bool:
        return self.mode == Mode.LIVE


class AccessGiven(Base):
    """One thing that a rule gave to somebody, as the calls were answered. `kind`, `about`, `role` name the change.

    `missing` counts how often it was found gone although nobody here took it. `stopped_at`: since then the rule leaves
    them alone, `reason` says why. `over_at`: it is no longer the rule's; `over_case_id` took it back.
    """

    __tablename__ = "access_given"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    rule_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    about: Mapped[str] = mapped_column(String(255), primary_key=True)
    role: Mapped[str] = mapped_column(String(64), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(36))
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    missing: Mapped[int] = mapped_column(default=0, server_default="0")
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(300), default="", server_default="")
    over_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    over_case_id: Mapped[str | None] = mapped_column(String(36))

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "rule_id"],
            ["access_rule.organization_id", "access_rule.id"],
            ondelete="CASCADE",
        ),
        Index("ix_access_given_by_case", "organization_id", "case_id"),
        Index("ix_access_given_by_end", "organization_id", "over_case_id"),
        # Every page counts those whom a rule gave up on, among all that rules have ever given.
        Index(
            "ix_access_given_stopped",
            "organization_id",
            "rule_id",
            "stopped_at",
            sqlite_where=stopped_at.is_not(None),
            postgresql_where=stopped_at.is_not(None),
        ),
    )

    @property
    def part(self) -> Change:
        return Change(ChangeKind(self.kind), self.about, self.role)

    def as_read_since(self, read_since: datetime) -> Given:
        """What the planner knows of it, where everybody was read at `read_since`."""
        return Given(self.given_at < read_since, self.missing, self.stopped_at is not None)


class AccessRuleNews(Base):
    """Somebody whom a live rule is to look at, without a sync. `second`: they wait for the run of their first look."""

    __tablename__ = "access_rule_news"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    rule_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    second: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "rule_id"],
            ["access_rule.organization_id", "access_rule.id"],
            ondelete="CASCADE",
        ),
    )


def held_access_rule(session: Session, organization_id: str, rule_id: str) -> StoredAccessRule | None:
    """The rule, read now and kept from others until the transaction ends: an evaluation comes before it, or after."""
    hold_access_rules(
        session, StoredAccessRule.organization_id == organization_id, StoredAccessRule.id == rule_id
    )
    return session.get(StoredAccessRule, (organization_id, rule_id), populate_existing=True)


def hold_access_rules(session: Session, *which: ColumnElement[bool]) -> None:
    """Keeps these rules from others until the transaction ends; whoever is evaluating one of them ends first."""
    session.execute(
        update(StoredAccessRule)
        .where(*which)
        .values(evaluations=StoredAccessRule.evaluations)
        .execution_options(synchronize_session=False)
    )


def find_access_rule(session: Session, organization_id: str, rule_id: str) -> StoredAccessRule | None:
    return session.get(StoredAccessRule, (organization_id, rule_id))


def access_rules_of(session: Session, organization_id: str) -> list[StoredAccessRule]:
    """By name."""
    query = select(StoredAccessRule).where(StoredAccessRule.organization_id == organization_id)
    return list(session.scalars(query.order_by(StoredAccessRule.name_key)))


def given_by(session: Session, organization_id: str, rule_id: str) -> list[AccessGiven]:
    """What a rule gave and has not taken back, those included whom it leaves alone."""
    query = select(AccessGiven).where(
        AccessGiven.organization_id == organization_id,
        AccessGiven.rule_id == rule_id,
        AccessGiven.over_at.is_(None),
    )
    return list(session.scalars(query))


def find_given(
    session: Session, organization_id: str, rule_id: str, account_id: str, part: Change
) -> AccessGiven | None:
    return session.get(
        AccessGiven, (organization_id, rule_id, account_id, part.kind.value, part.about, part.role)
    )
