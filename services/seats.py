"""The paid places per product, and the groups that give them away."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from connect.gateway.organization import WorkspaceRecord
from models.organization import Seats
from models.people import Grant


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


def replace_grants(session: Session, organization_id: str, grants: Iterable[tuple[str, str]]) -> None:
    """Makes the remembered grants those of `grants`: (group id, resource id)."""
    session.execute(delete(Grant).where(Grant.organization_id == organization_id))
    rows = [
        {"organization_id": organization_id, "group_id": group_id, "resource_id": resource_id}
        for group_id, resource_id in sorted(set(grants))
    ]
    if rows:
        session.execute(insert(Grant), rows)
