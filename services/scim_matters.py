"""What needs an operator about identity providers: runs that the brake holds (S47)."""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from models.run import Run
from models.scim import ScimConnection
from rules.case import RunState
from rules.roster import Origin
from rules.topics import Topic
from services.matter import Matter

# Asked on every page: not built anew each time.
_BRAKED = (
    select(Run, ScimConnection.name)
    .join(
        ScimConnection,
        (ScimConnection.organization_id == Run.organization_id) & (ScimConnection.id == Run.origin_id),
    )
    .where(
        Run.organization_id == bindparam("organization_id"),
        Run.origin == Origin.SCIM.value,
        Run.state == RunState.BRAKED.value,
    )
    .order_by(Run.created_at.desc())
)


def about_providers(session: Session, organization_id: str) -> list[Matter]:
    """One for each run of a connection that waits to be let through."""
    return [
        Matter(
            Topic.RUN_BRAKED,
            f"braked-{run.id}",
            "warning",
            f"“{name}” was stopped by its brake. {run.reason}",
            "Look at it",
            f"/app/runs/{run.id}",
        )
        for run, name in session.execute(_BRAKED, {"organization_id": organization_id})
    ]
