"""Whose last day comes near becomes a leaver by itself: Rollcall looks for what they own, an operator decides."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.absence import LastDay
from models.audit import APP
from models.leaver import Leaver, LeaverOrigin, open_leaver_of
from models.organization import Organization
from models.people import Person
from rules.farewell import LeaverState
from services.apart import apart
from services.ground import day_in
from services.leaver_ends import hold_up
from services.leavers import begin_leaver, end_of_day
from services.toolbox import Toolbox

DAYS_BEFORE = 7
"""Long enough to hand things over, short enough that what is found is still so."""
MOST_AT_ONCE = 100
TAKEN_BACK = (
    "Their last day was taken back. Write down another one, stop, or try again to end access all the same."
)


def begin_by_last_day(tools: Toolbox) -> int:
    """Begins the leavers whose last day is due, each once for each last day that was written down; how many."""
    with tools.begin() as session:
        organization_ids = _organizations(session, tools.clock())
    return sum(apart(lambda each: _begin(tools, each), organization_ids, "leavers by their last day"))


def _begin(tools: Toolbox, organization_id: str) -> int:
    now = tools.clock()
    with tools.begin() as session:
        due = _due(session, organization_id, day_in(session, organization_id, now))
        for account_id in due:
            begin_leaver(session, organization_id, account_id, by=APP, now=now, origin=LeaverOrigin.LAST_DAY)
        return len(due)


def follow_last_day(
    session: Session,
    organization_id: str,
    account_id: str,
    before: date | None,
    after: date | None,
    now: datetime,
) -> None:
    """Their last day is another one by now, or none: where access was to end with it, it ends with the new one.

    Without one an operator decides, or writes down another. To be called in the transaction that writes it down.
    """
    leaver = open_leaver_of(session, organization_id, account_id)
    if leaver is None or leaver.run_id is not None:
        return
    was_taken_back = leaver.reason == TAKEN_BACK and leaver.resume_at is None
    ended_with_it = before is not None and leaver.ends_at == end_of_day(session, organization_id, before)
    if not ended_with_it and not was_taken_back:
        return
    if after is not None:
        leaver.ends_at = end_of_day(session, organization_id, after)
        if was_taken_back:
            leaver.reason, leaver.resume_at = "", now
        elif leaver.state == LeaverState.ENDING and leaver.resume_at is not None:
            leaver.resume_at = max(leaver.ends_at, now)
    elif leaver.state in (LeaverState.HANDING_OVER, LeaverState.ENDING):
        hold_up(session, leaver, TAKEN_BACK, now)


def _organizations(session: Session, now: datetime) -> list[str]:
    """Those where a last day may be near, whatever day it is where they live."""
    day = timedelta(days=1)
    query = (
        select(LastDay.organization_id)
        .join(Organization, Organization.id == LastDay.organization_id)
        .where(
            Organization.doorless_since.is_(None),
            LastDay.ends_on >= (now - day).date(),
            LastDay.ends_on <= (now + day * (DAYS_BEFORE + 1)).date(),
        )
        .distinct()
    )
    return list(session.scalars(query))


def _due(session: Session, organization_id: str, today: date) -> list[str]:
    """Whose last day is near and has begun no leaver yet."""
    known = select(Leaver.id).where(
        Leaver.organization_id == LastDay.organization_id,
        Leaver.account_id == LastDay.account_id,
        # Whoever is a leaver when it is written down stays the one they are.
        Leaver.finished_at.is_(None) | (Leaver.finished_at >= LastDay.set_at),
    )
    query = (
        select(LastDay.account_id)
        .join(
            Person,
            (Person.organization_id == LastDay.organization_id) & (Person.account_id == LastDay.account_id),
        )
        .where(
            LastDay.organization_id == organization_id,
            Person.left_at.is_(None),
            Person.status == "active",
            LastDay.ends_on >= today,
            LastDay.ends_on <= today + timedelta(days=DAYS_BEFORE),
            ~known.exists(),
        )
        .limit(MOST_AT_ONCE)
    )
    return list(session.scalars(query))
