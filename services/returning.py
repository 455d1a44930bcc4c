"""Whoever was gone for a while and is here again is hired anew: what counted for the time before is over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from models.absence import LastDay
from models.audit import APP, Event
from models.organization import zone_of
from services.audit import record
from services.timed_gone import end_with_the_person

GONE_FOR = timedelta(days=7)
"""Whom one sync did not find, and the next one does, was not gone: their last day is still theirs."""


def forget_the_time_before(
    session: Session, organization_id: str, known: Iterable[Any], now: datetime
) -> None:
    """To be called for people who are here, with their rows as they were before: no rule goes by a last day that was

    over before they came back, and nothing is taken from them because of an end that was meant for what they had then.
    Their page says so.
    """
    gone = {row.account_id: since for row in known if (since := _gone_since(row)) and since <= now - GONE_FOR}
    back = list(gone)
    if not back:
        return
    for account_id, since in gone.items():
        end_with_the_person(session, organization_id, account_id, since, now)
    today = now.astimezone(zone_of(session, organization_id)).date()
    over = (
        delete(LastDay)
        .where(
            LastDay.organization_id == organization_id,
            LastDay.account_id.in_(back),
            LastDay.ends_on < today,
        )
        .returning(LastDay.account_id, LastDay.ends_on)
        .execution_options(synchronize_session=False)
    )
    for account_id, day in session.execute(over).all():
        record(
            session,
            Event.LAST_DAY_CLEARED,
            at=now,
            actor=APP,
            organization_id=organization_id,
            subject=account_id,
            result=f"They had left and are here again: {day:%-d %B %Y} was the last day of the time before.",
        )


def was_gone(row: Any) -> bool:
    """Whether somebody was not in the organization. A managed account may be shown in its directory all the while.

    Of several directories, each says its own.
    """
    return row.left_at is not None or (row.status == "not_invited" and not row.in_several_directories)


def _gone_since(row: Any) -> datetime | None:
    since: datetime | None = row.left_at or row.status_since
    return since if was_gone(row) else None
