"""The organization's calendar: its time zone, its billing day, and when a rule runs next there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Invalid
from models.audit import Event
from models.organization import Organization, close_gate
from models.rule import rules_of
from rules.numbers import whole_number
from rules.schedule import Every, Schedule
from services.audit import record
from services.doors import require_organization
from services.rule_versions import newest
from services.schedules import known_time_zones, next_dates
from services.toolbox import Toolbox


def next_run_at(session: Session, organization_id: str, schedule: Schedule, now: datetime) -> datetime | None:
    """The first date after `now`; None for a rule that only runs by hand, or never again."""
    dates, _time_zone = dates_of(session, organization_id, schedule, now, 1)
    return dates[0] if dates else None


def dates_of(
    session: Session, organization_id: str, schedule: Schedule, now: datetime, count: int = 5
) -> tuple[list[datetime], str]:
    """The next dates of a schedule, and the organization's time zone, in which they are meant."""
    organization = session.get_one(Organization, organization_id)
    dates = next_dates(schedule, organization.time_zone, organization.billing_day, now, count)
    return dates, organization.time_zone


def calendar_of(tools: Toolbox, caller: Caller) -> tuple[str, int | None]:
    """(time zone, billing day or None)."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        organization = session.get_one(Organization, organization_id)
        return organization.time_zone, organization.billing_day


def set_calendar(tools: Toolbox, caller: Caller, time_zone: str, billing_day: str) -> None:
    """Both are typed words. Rules that are on get their new next date. Raises Invalid."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    if time_zone not in known_time_zones():
        raise Invalid("time_zone", "This is no time zone.", "Choose one from the list.")
    day = _day(billing_day.strip())
    with tools.begin() as session:
        close_gate(session, organization_id)
        organization = session.get_one(Organization, organization_id)
        if (organization.time_zone, organization.billing_day) == (time_zone, day):
            return
        organization.time_zone, organization.billing_day = time_zone, day
        record(
            session,
            Event.SETTINGS_CHANGED,
            at=now,
            actor=caller.account_id or "",
            organization_id=organization_id,
            result=f"time zone {time_zone}, billing day {day or 'unknown'}",
        )
        session.flush()
        if day is None:
            _refuse_without_billing_day(session, organization_id)
        plan_dates_anew(session, organization_id, now)


def _refuse_without_billing_day(session: Session, organization_id: str) -> None:
    for stored in rules_of(session, organization_id):
        _version, rule = newest(session, stored)
        if stored.is_on and rule.schedule.every is Every.BILLING:
            raise Invalid(
                "billing_day",
                f"“{stored.name}” runs before the billing day: without one it would never run.",
                "Keep the day, or switch that rule off first.",
            )


def plan_dates_anew(session: Session, organization_id: str, now: datetime) -> None:
    """Works out again when the rules that are on run next. Whose date has come runs first: it may wait for a sync."""
    for stored in rules_of(session, organization_id):
        if stored.is_on and (stored.next_run_at is None or stored.next_run_at > now):
            _version, rule = newest(session, stored)
            stored.next_run_at = next_run_at(session, organization_id, rule.schedule, now)


def _day(word: str) -> int | None:
    if not word:
        return None
    if day := whole_number(word, 31):
        return day
    raise Invalid(
        "billing_day",
        "The billing day is a day of the month, from 1 to 31.",
        "Correct it, or leave it empty.",
    )
