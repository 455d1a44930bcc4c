"""Whose last day comes near becomes a leaver by itself: Rollcall looks for what they own, an operator decides."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from models.absence import LastDay
from models.audit import APP
from models.leaver import Leaver, LeaverOrigin
from models.organization import Organization
from models.people import Person
from services.leavers import begin_leaver
from services.toolbox import Toolbox

DAYS_BEFORE = 7
"""Long enough to hand things over, short enough that what is found is still so."""
MOST_AT_ONCE = 100


def begin_by_last_day(tools: Toolbox) -> int:
    """Begins the leavers whose last day is due, each once for each last day that was written down; how many."""
    now = tools.clock()
    soon = (now + timedelta(days=DAYS_BEFORE)).date()
    known = select(Leaver.id).where(
        Leaver.organization_id == LastDay.organization_id,
        Leaver.account_id == LastDay.account_id,
        Leaver.created_at >= LastDay.set_at,
    )
    query = (
        select(LastDay.organization_id, LastDay.account_id)
        .join(Organization, Organization.id == LastDay.organization_id)
        .join(
            Person,
            (Person.organization_id == LastDay.organization_id) & (Person.account_id == LastDay.account_id),
        )
        .where(
            Organization.doorless_since.is_(None),
            Person.left_at.is_(None),
            Person.status == "active",
            LastDay.ends_on >= now.date(),
            LastDay.ends_on <= soon,
            ~known.exists(),
        )
        .limit(MOST_AT_ONCE)
    )
    with tools.begin() as session:
        due = session.execute(query).all()
        for organization_id, account_id in due:
            begin_leaver(
                session,
                organization_id,
                account_id,
                by=APP,
                now=now,
                origin=LeaverOrigin.LAST_DAY,
            )
    return len(due)
