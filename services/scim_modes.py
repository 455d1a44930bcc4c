"""Live and audit: what it means for a connection, its people and its runs when one becomes the other."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from models.audit import Event
from models.scim import ScimConnection, ScimUser, connections_of
from rules.roster import Origin
from rules.scim import ScimMode
from services.audit import record
from services.runs import stop_runs_of
from services.scim_book import ONLY_AUDITS

MODES = {ScimMode.LIVE: "Live", ScimMode.AUDIT: "Audit only"}
"""What the audit calls them."""


def to_mode(session: Session, found: ScimConnection, mode: ScimMode, by: str, now: datetime) -> None:
    """Everybody of the connection is looked at anew; in audit mode whoever waits for their turn is left alone."""
    if mode is ScimMode.AUDIT:
        stop_runs(session, found, by, now, ONLY_AUDITS)
    found.mode, found.look_at = mode.value, now
    session.execute(
        update(ScimUser)
        .where(ScimUser.organization_id == found.organization_id, ScimUser.connection_id == found.id)
        .values(dirty_at=now, state="waiting", reason="", tried=None)
    )


def only_audit_from_now_on(session: Session, organization_id: str, by: str, now: datetime) -> None:
    """No connection of an organization changes anybody before somebody has made it live again."""
    for found in connections_of(session, organization_id):
        if found.mode == ScimMode.LIVE:
            to_mode(session, found, ScimMode.AUDIT, by, now)
            record(
                session,
                Event.SCIM_CHANGED,
                at=now,
                actor=by,
                organization_id=organization_id,
                result=MODES[ScimMode.AUDIT],
                details={"connection": found.id, "name": found.name},
            )


def stop_runs(session: Session, found: ScimConnection, by: str, now: datetime, reason: str) -> None:
    """Stops all that the connection has begun."""
    # Before the connection's row is touched: a worker that ends a case comes to that one last as well. Whoever is in a
    # run that begins this very moment is spared at the deed (services/scim_book.py).
    stop_runs_of(session, found.organization_id, Origin.SCIM, found.id, by, now, reason)
