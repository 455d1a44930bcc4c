"""TicketRule: which tickets of a Jira site bring whom access. TicketCall: one ticket that was sent to a rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    JSON,
    Connection,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Row,
    String,
    UniqueConstraint,
    bindparam,
    func,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime
from models.tenant import Tenant
from rules.tickets import CallState, CommentState


class TicketRule(Base):
    """`client_key` is the Jira whose tickets it takes; a deleted rule stays for its log, without its secret.

    `request_types` are names or ids; `domains` and `groups` say whose tickets count. What it gives is a profile, or
    `gives` (group ids); `days` long, None: as the profile says, or for good. `person_field` names the field of the
    ticket in which the person stands who gets it; empty: the reporter.
    """

    __tablename__ = "ticket_rule"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    client_key: Mapped[str] = mapped_column(String(255))
    project: Mapped[str] = mapped_column(String(64))
    request_types: Mapped[list[str]] = mapped_column(JSON)
    domains: Mapped[list[str]] = mapped_column(JSON)
    groups: Mapped[list[str]] = mapped_column(JSON)
    person_field: Mapped[str] = mapped_column(String(100), default="", server_default="")
    profile_id: Mapped[str | None] = mapped_column(String(36))
    gives: Mapped[list[str]] = mapped_column(JSON)
    days: Mapped[int | None]
    with_approval: Mapped[bool]
    comments: Mapped[bool]
    is_on: Mapped[bool]
    secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    secret_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(String(128))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_call_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    # A caller outside knows the rule's id alone.
    __table_args__ = (UniqueConstraint("id"),)


class TicketCall(Base):
    """A ticket is taken once per rule, however often it is sent. `account_id` is the reporter, as Jira says.

    `resume_at` is when to go on, None when only the case can move it; `case_state` is where the case was when somebody
    looked last. `reason` is for operators, `said` is what a comment tells everybody who sees the ticket. `body_hash`
    (SHA-256) is of the call that counts: what came later with the same ticket did nothing. `client_key` is the Jira of
    the rule when it was sent: in another one the same number is another ticket.
    """

    __tablename__ = "ticket_call"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    rule_id: Mapped[str] = mapped_column(String(36))
    client_key: Mapped[str] = mapped_column(String(255), default="", server_default="")
    issue_id: Mapped[str] = mapped_column(String(20))
    issue_key: Mapped[str] = mapped_column(String(100), default="")
    body_hash: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    account_id: Mapped[str] = mapped_column(String(128), default="")
    request_type: Mapped[str] = mapped_column(String(255), default="")
    state: Mapped[str] = mapped_column(String(16), default=CallState.RECEIVED.value)
    reason: Mapped[str] = mapped_column(String(500), default="")
    said: Mapped[str] = mapped_column(String(300), default="")
    run_id: Mapped[str | None] = mapped_column(String(36))
    case_id: Mapped[str | None] = mapped_column(String(36))
    case_state: Mapped[str] = mapped_column(String(16), default="")
    comment_state: Mapped[str] = mapped_column(String(16), default=CommentState.NONE.value)
    comment_reason: Mapped[str] = mapped_column(String(300), default="")
    attempt: Mapped[int] = mapped_column(default=0)
    troubles: Mapped[int] = mapped_column(default=0)
    working_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resume_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "rule_id"],
            ["ticket_rule.organization_id", "ticket_rule.id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("organization_id", "rule_id", "client_key", "issue_id"),
        Index("ix_ticket_call_by_time", "organization_id", "rule_id", "received_at"),
        # Only what waits is in it: the worker asks every second, and the log is long.
        Index(
            "ix_ticket_call_due",
            "organization_id",
            "resume_at",
            sqlite_where=resume_at.is_not(None),
            postgresql_where=resume_at.is_not(None),
        ),
        Index("ix_ticket_call_followed", "state", "organization_id", "case_id"),
    )


_SECRET = (
    select(TicketRule.organization_id, TicketRule.client_key, TicketRule.secret_sealed)
    .join(Tenant, Tenant.client_key == TicketRule.client_key)
    .where(
        TicketRule.id == bindparam("rule_id"),
        TicketRule.deleted_at.is_(None),
        TicketRule.is_on.is_(True),
        TicketRule.secret_sealed.is_not(None),
        Tenant.uninstalled_at.is_(None),
        Tenant.organization_id == TicketRule.organization_id,
    )
)


def sealed_ticket_secret(connection: Connection, rule_id: str) -> Row[str, str, bytes | None] | None:
    """(organization id, client key of its Jira, sealed secret) of a rule that takes tickets now."""
    return connection.execute(_SECRET, {"rule_id": rule_id}).first()


def ticket_rules_of(session: Session, organization_id: str) -> list[TicketRule]:
    """By name, without deleted ones."""
    query = select(TicketRule).where(
        TicketRule.organization_id == organization_id, TicketRule.deleted_at.is_(None)
    )
    return list(session.scalars(query.order_by(TicketRule.name, TicketRule.id)))


def find_ticket_rule(session: Session, organization_id: str, rule_id: str) -> TicketRule | None:
    """None for a deleted one, too."""
    rule = session.get(TicketRule, (organization_id, rule_id))
    return rule if rule is not None and rule.deleted_at is None else None


def find_call(
    session: Session, organization_id: str, call_id: str, *, alone: bool = False
) -> TicketCall | None:
    """`alone`: nobody else changes it until this transaction ends."""
    return session.get(TicketCall, (organization_id, call_id), with_for_update=alone)


def calls_of(
    session: Session,
    organization_id: str,
    rule_id: str,
    states: Sequence[str] = (),
    *,
    offset: int = 0,
    limit: int = 50,
) -> tuple[list[TicketCall], int]:
    """One page of a rule's log, newest first, and how many there are."""
    ours = [TicketCall.organization_id == organization_id, TicketCall.rule_id == rule_id]
    if states:
        ours.append(TicketCall.state.in_(states))
    total = session.scalar(select(func.count(TicketCall.id)).where(*ours)) or 0
    query = select(TicketCall).where(*ours).order_by(TicketCall.received_at.desc(), TicketCall.id)
    return list(session.scalars(query.offset(offset).limit(limit))), total


def count_calls(session: Session, organization_id: str) -> dict[str, dict[str, int]]:
    """Rule id → state → how many."""
    query = (
        select(TicketCall.rule_id, TicketCall.state, func.count(TicketCall.id))
        .where(TicketCall.organization_id == organization_id)
        .group_by(TicketCall.rule_id, TicketCall.state)
    )
    found: dict[str, dict[str, int]] = {}
    for rule_id, state, count in session.execute(query):
        found.setdefault(rule_id, {})[state] = count
    return found
