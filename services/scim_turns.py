"""Turns: an identity provider changes one thing after the other, and the worker follows in a while."""

from __future__ import annotations

from datetime import datetime

from scim2_models import UnauthorizedException
from sqlalchemy import case, update
from sqlalchemy.orm import Session

from models.scim import ScimConnection
from services.scim_connections import GATHER, Provisioner


def hold(session: Session, who: Provisioner, now: datetime) -> None:
    """Lets one change of a connection's people or groups happen after the other, and calls the worker in a while.

    Raises UnauthorizedException when the connection was deleted a moment ago.
    """
    soon = now + GATHER
    held = session.execute(
        update(ScimConnection)
        .where(
            ScimConnection.organization_id == who.organization_id,
            ScimConnection.id == who.connection_id,
            ScimConnection.deleted_at.is_(None),
        )
        .values(look_at=case((ScimConnection.look_at <= soon, ScimConnection.look_at), else_=soon))
    )
    if not held.rowcount:  # type: ignore[attr-defined]
        raise UnauthorizedException
