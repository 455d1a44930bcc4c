"""Audit entry: who did what to whom, when, with which result. Only ever added, never changed or deleted (S52)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ColumnElement, Index, String, delete, event, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Mapper, Session, mapped_column

from models.db import Base, UtcDateTime


class Event(StrEnum):
    """The vocabulary: subject:action."""

    TENANT_INSTALLED = "tenant:installed"
    TENANT_REINSTALLED = "tenant:reinstalled"
    TENANT_UNINSTALLED = "tenant:uninstalled"
    ORGANIZATION_LINKED = "organization:linked"
    ORGANIZATION_UNLINKED = "organization:unlinked"
    ORGANIZATION_PURGED = "organization:purged"
    CREDENTIAL_STORED = "credential:stored"
    CREDENTIAL_REPLACED = "credential:replaced"
    CREDENTIAL_REFUSED = "credential:refused"
    CREDENTIAL_CHECKED = "credential:checked"
    CREDENTIAL_FORGOTTEN = "credential:forgotten"
    CREDENTIAL_DIED = "credential:died"
    OPERATOR_NAMED = "operator:named"
    OPERATOR_REMOVED = "operator:removed"
    SYNC_STARTED = "sync:started"
    SYNC_COMPLETED = "sync:completed"
    SYNC_STOPPED = "sync:stopped"
    SYNC_FAILED = "sync:failed"
    RUN_PREVIEWED = "run:previewed"
    RUN_CONFIRMED = "run:confirmed"
    RUN_STOPPED = "run:stopped"
    RUN_RETRIED = "run:retried"
    RUN_FINISHED = "run:finished"
    RUN_STARTED = "run:started"
    RUN_REFUSED = "run:refused"
    RUN_STOPPED_BY_BRAKE = "run:stopped_by_brake"
    RUN_BRAKE_RELEASED = "run:brake_released"
    RULE_CREATED = "rule:created"
    RULE_CHANGED = "rule:changed"
    RULE_CONFIRMED = "rule:confirmed"
    RULE_SWITCHED_ON = "rule:switched_on"
    RULE_SWITCHED_OFF = "rule:switched_off"
    RULE_DELETED = "rule:deleted"
    PROTECTED_ADDED = "protected:added"
    PROTECTED_REMOVED = "protected:removed"
    SETTINGS_CHANGED = "organization:settings_changed"
    LAST_DAY_SET = "person:last_day_set"
    LAST_DAY_CLEARED = "person:last_day_cleared"
    ABSENCE_ENDED = "person:absence_ended"
    ABSENCE_KEPT = "person:absence_kept"
    CASE_WARNED = "case:warned"
    CASE_COULD_NOT_WARN = "case:could_not_warn"
    CASE_PUT_OFF = "case:put_off"
    CASE_KEPT = "case:kept"
    CASE_APPROVED = "case:approved"
    CASE_HELD = "case:held"
    CASE_NOTED = "case:noted"
    CASE_CAME_BACK = "case:came_back"
    CASE_ACTED = "case:acted"
    CASE_SPARED = "case:spared"
    CASE_FAILED = "case:failed"
    CASE_REFUSED = "case:refused"
    CASE_STOPPED = "case:stopped"
    CASE_UNDONE = "case:undone"
    CASE_UNDO_SKIPPED = "case:undo_skipped"
    EXPORT_TAKEN = "export:taken"
    ANSWER_GIVEN = "answer:given"
    ANSWER_DECIDED = "answer:decided"
    MAIL_SENDER_CHANGED = "mail:sender_changed"
    MAIL_SENDER_FORGOTTEN = "mail:sender_forgotten"
    MAIL_TEXT_CHANGED = "mail:text_changed"
    MAIL_TESTED = "mail:tested"
    MAIL_ADDRESS_LET_GO = "mail:address_let_go"
    HOOK_ADDED = "hook:added"
    HOOK_CHANGED = "hook:changed"
    HOOK_REMOVED = "hook:removed"
    HOOK_TESTED = "hook:tested"
    DELIVERY_REPEATED = "delivery:repeated"
    CASE_CALLED_OFF = "case:called_off"
    PROFILE_CREATED = "profile:created"
    PROFILE_CHANGED = "profile:changed"
    PROFILE_REMOVED = "profile:removed"
    LEAVER_BEGUN = "leaver:begun"
    LEAVER_PLANNED = "leaver:planned"
    LEAVER_CONFIRMED = "leaver:confirmed"
    LEAVER_STOPPED = "leaver:stopped"
    LEAVER_HANDED_OVER = "leaver:handed_over"
    LEAVER_HELD_UP = "leaver:held_up"
    LEAVER_DONE = "leaver:done"
    LEAVER_HANDING_BACK = "leaver:handing_back"
    LEAVER_HANDED_BACK = "leaver:handed_back"
    BELONGING_MOVED = "belonging:moved"
    BELONGING_MOVED_BACK = "belonging:moved_back"
    BELONGING_NOT_MOVED = "belonging:not_moved"
    TOKEN_REVOKED = "token:revoked"
    ACCESS_RULE_CREATED = "access_rule:created"
    ACCESS_RULE_CHANGED = "access_rule:changed"
    ACCESS_RULE_SWITCHED = "access_rule:switched"
    ACCESS_RULE_DELETED = "access_rule:deleted"
    ACCESS_RULE_LOOP = "access_rule:loop_found"
    ACCESS_RULE_LOOP_OVER = "access_rule:loop_over"
    TIMED_WARNED = "timed:warned"
    TIMED_PROLONGED = "timed:prolonged"
    TIMED_DROPPED = "timed:dropped"
    TIMED_ENDING = "timed:ending"
    TIMED_ENDED = "timed:ended"
    TIMED_NOT_ENDED = "timed:not_ended"
    SCIM_CONNECTED = "scim:connected"
    SCIM_TOKEN_REPLACED = "scim:token_replaced"
    SCIM_CHANGED = "scim:changed"
    SCIM_MAPPED = "scim:mapped"
    SCIM_DISCONNECTED = "scim:disconnected"
    TICKET_RULE_ADDED = "ticket_rule:added"
    TICKET_RULE_CHANGED = "ticket_rule:changed"
    TICKET_RULE_REMOVED = "ticket_rule:removed"
    TICKET_RETRIED = "ticket:retried"


APP = "rollcall"
"""The actor of what the app does by itself."""


class AuditEntry(Base):
    """`actor` and `subject` are account ids, never names or addresses; `details` holds no personal data (S41)."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    organization_id: Mapped[str | None] = mapped_column(String(100))
    client_key: Mapped[str | None] = mapped_column(String(255))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    event: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(128))
    subject: Mapped[str | None] = mapped_column(String(128))
    run_id: Mapped[str | None] = mapped_column(String(36))
    result: Mapped[str] = mapped_column(String(500), default="")
    details: Mapped[dict[str, str] | None] = mapped_column(JSON)

    __table_args__ = (
        Index("ix_audit_by_organization", "organization_id", "id"),
        Index("ix_audit_by_tenant", "client_key", "id"),
        Index("ix_audit_by_subject", "organization_id", "subject", "id"),
    )


ADD_ENTRY = insert(AuditEntry).inline()
"""One statement for all of them: nobody needs the entry itself, or its number."""


class AuditIsAppendOnly(Exception):
    """Some code tried to change or delete an audit entry."""


@event.listens_for(AuditEntry, "before_update")
@event.listens_for(AuditEntry, "before_delete")
def _refuse(_mapper: Mapper[AuditEntry], _connection: Connection, _entry: AuditEntry) -> None:
    raise AuditIsAppendOnly


def entries_of(
    session: Session,
    organization_id: str | None,
    client_key: str,
    *,
    event: str = "",
    actor: str = "",
    subject: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[AuditEntry]:
    """One page of the organization's audit with that of the tenant itself, newest first. `before_id` pages on."""
    ours: ColumnElement[bool] = AuditEntry.client_key == client_key
    if organization_id is not None:
        # What happened at this door while it led to another organization stays that organization's.
        ours = (AuditEntry.organization_id == organization_id) | (ours & AuditEntry.organization_id.is_(None))
    else:
        ours = ours & AuditEntry.organization_id.is_(None)
    query = select(AuditEntry).where(ours)
    if event:
        query = query.where(AuditEntry.event == event)
    if actor:
        query = query.where(AuditEntry.actor == actor)
    if subject:
        query = query.where(AuditEntry.subject == subject)
    if since is not None:
        query = query.where(AuditEntry.at >= since)
    if until is not None:
        query = query.where(AuditEntry.at < until)
    if before_id is not None:
        query = query.where(AuditEntry.id < before_id)
    return list(session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit)))


def purge_audit(session: Session, organization_id: str, most: int | None = None) -> bool:
    """Ends the retention of an organization that left: a way out by age only (S52).

    Up to `most` entries at once; whether there may be more.
    """
    some = select(AuditEntry.id).where(AuditEntry.organization_id == organization_id).limit(most)
    gone = session.execute(delete(AuditEntry).where(AuditEntry.id.in_(some)))
    return bool(gone.rowcount == most)  # type: ignore[attr-defined]


def purge_audit_of_tenant(session: Session, client_key: str) -> None:
    """The same for a tenant that never led to an organization, or whose organization is gone."""
    session.execute(
        delete(AuditEntry).where(AuditEntry.client_key == client_key, AuditEntry.organization_id.is_(None))
    )
