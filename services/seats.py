"""The paid places per product, as the organization's workspaces tell."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete
from sqlalchemy.orm import Session

from connect.gateway.organization import WorkspaceRecord
from models.organization import Seats


def replace_seats(session: Session, organization_id: str, workspaces: Iterable[WorkspaceRecord]) -> None:
    """Makes the remembered products those of `workspaces`."""
    session.execute(delete(Seats).where(Seats.organization_id == organization_id))
    session.add_all(
        Seats(
            organization_id=organization_id,
            resource_id=workspace.resource_id,
            key=workspace.type_key,
            name=workspace.name,
            host_url=workspace.host_url or "",
            capacity=workspace.capacity,
            usage=workspace.usage,
        )
        for workspace in {workspace.resource_id: workspace for workspace in workspaces}.values()
    )
    session.flush()
