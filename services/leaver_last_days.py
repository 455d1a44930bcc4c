"""Whose last day comes near becomes a leaver by itself: Rollcall looks for what they own, an operator decides."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.absence import LastDay
from models.audit import APP
from models.leaver import Leaver, LeaverOrigin
from models.organization import Organization
from models.people import Person
from services.ground import day_in
from services.leavers import begin_leaver
from services.toolbox import Toolbox

DAYS_BEFORE = 7
"""Long enough to hand things over, short enough that what is found is still so."""
MOST_AT_ONCE = 100


def begin_by_last_day(tools: Toolbox) -> int:
    """Begins the leavers whose last day is due, each once for each last day that was written down; how many."""
    now = tools.clock()
    begun = 0
    with tools.begin() as session:
        for organization_id in _organizations(session, now):
            today = day_in(session, organization_id, now)
            for account_id in _due(session, organization_id, today, MOST_AT_ONCE - begun):
                begin_leaver(
                    session,
                    organization_id,
                    account_id,
                    by=APP,
                    now=now,
                    origin=LeaverOrigin.LAST_DAY,
                )
                begun += 1
    return begun


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


def _due(session: Session, organization_id: str, today: date, limit: int) -> list[str]:
    """Whose last day is near and has begun no leaver yet."""
    known = select(Leaver.id).where(
        Leaver.organization_id == LastDay.organization_id,
        Leaver.account_id == LastDay.account_id,
        Leaver.created_at >= LastDay.set_at,
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
        .limit(limit)
    )
    return list(session.scalars(query))
