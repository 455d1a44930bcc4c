"""Whom Atlassian may still show as they were before a deed of ours: until it has settled, we know better."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.run import Case
from rules.case import CaseState
from services.toolbox import Toolbox


def settling(
    tools: Toolbox,
    session: Session,
    organization_id: str,
    account_ids: Sequence[str],
    read_since: datetime | None = None,
) -> dict[str, datetime]:
    """Account id → when Atlassian shows what is being done to them, or was just done; of everybody else nothing.

    `read_since` is when somebody began to read them, if that was not just now: what was done since may not show in it.
    """
    now, settle = tools.clock(), timedelta(seconds=tools.settings.settle_seconds)
    query = select(Case.account_id, Case.finished_at).where(
        Case.organization_id == organization_id,
        Case.account_id.in_(account_ids),
        (Case.state == CaseState.ACTING.value)
        | (
            (Case.changed.is_(True) | Case.acting_since.is_not(None))
            & (Case.finished_at > (read_since or now) - settle)
        ),
    )
    found: dict[str, datetime] = {}
    for account_id, finished_at in session.execute(query):
        found[account_id] = max((finished_at or now) + settle, found.get(account_id, now))
    return found
