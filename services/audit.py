"""Writing the audit: in the same transaction as the change, so that neither exists without the other (S52)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from models.audit import ADD_ENTRY, Event


def record(
    session: Session,
    event: Event,
    *,
    at: datetime,
    actor: str,
    organization_id: str | None = None,
    client_key: str | None = None,
    subject: str | None = None,
    run_id: str | None = None,
    result: str = "",
    details: dict[str, str] | None = None,
) -> None:
    """Adds one entry. `actor` and `subject` are account ids (or models.audit.APP); no names, addresses or secrets."""
    session.connection().execute(
        ADD_ENTRY,
        {
            "organization_id": organization_id,
            "client_key": client_key,
            "at": at,
            "event": event.value,
            "actor": actor,
            "subject": subject,
            "run_id": run_id,
            "result": result[:500],
            "details": details,
        },
    )
