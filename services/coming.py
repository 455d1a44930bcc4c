"""What happens by itself in the next seven days: to whom, on which day, and by what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, case, func, literal, null, select
from sqlalchemy.orm import Session

from models.absence import Absence
from models.db import UtcDateTime
from models.leaver import Leaver
from models.organization import zone_of
from models.people import Person
from models.rule import rule_names
from models.run import Case, Run, running_run_ids
from models.timed_access import TimedAccess, TimedState
from rules.case import CaseState
from rules.deeds import Deed
from rules.farewell import LeaverState
from services.coming_back import who_stays_away

AHEAD = timedelta(days=7)
RUN, TIMED, AWAY, LEAVERS = "run", "timed", "away", "leavers"
"""Where it can be looked at, put off or stopped: its run, access with an end, who is suspended, who is leaving."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Coming:
    """So many people on one day, where the organization lives. `rule` is its name, empty where there is none.

    `place` is RUN, TIMED, AWAY or LEAVERS; `run_id` is empty for all but the first.
    """

    day: date
    deed: Deed
    people: int
    rule: str
    place: str
    run_id: str


@dataclass(frozen=True, slots=True)
class ComingPerson:
    """One of them."""

    day: date
    deed: Deed
    name: str
    rule: str


def what_comes(session: Session, organization_id: str, now: datetime) -> list[Coming]:
    """Day by day, and of one day the most people first."""
    zone = zone_of(session, organization_id)
    counted: Counter[tuple[Any, ...]] = Counter()
    for query in _queries(session, organization_id, now, zone):
        one = query.subquery()
        kinds = (one.c.deed, one.c.rule_id, one.c.place, one.c.run_id)
        for at, deed, rule_id, place, run_id, people in session.execute(
            select(func.min(one.c.at), *kinds, func.count()).group_by(
                _on_one_day(one.c.at, now, zone), *kinds
            )
        ):
            counted[_day(at, zone), deed, rule_id or "", place, run_id] += people
    names = rule_names(session, organization_id, [rule_id for _day, _deed, rule_id, *_ in counted if rule_id])
    coming = [
        Coming(day, Deed(deed), people, names.get(rule_id, ""), place, run_id)
        for (day, deed, rule_id, place, run_id), people in counted.items()
    ]
    return sorted(coming, key=lambda each: (each.day, -each.people, each.deed, each.rule))


def whom_it_meets(session: Session, organization_id: str, now: datetime, limit: int) -> list[ComingPerson]:
    """The first of them, day by day."""
    zone = zone_of(session, organization_id)
    found = [
        (_day(at, zone), name, Deed(deed), rule_id or "")
        for query in _queries(session, organization_id, now, zone)
        for at, deed, rule_id, _place, _run_id, name in session.execute(
            query.order_by("at", "name").limit(limit)
        )
    ]
    first = sorted(found)[:limit]
    names = rule_names(session, organization_id, [rule_id for *_, rule_id in first if rule_id])
    return [ComingPerson(day, deed, name, names.get(rule_id, "")) for day, name, deed, rule_id in first]


def _on_one_day(at: ColumnElement[Any], now: datetime, zone: ZoneInfo) -> ColumnElement[Any]:
    """The same for everything on one day there: whom a rule has warned, each has a moment of their own."""
    if not isinstance(at.type, UtcDateTime):
        return at
    today = now.astimezone(zone).date()
    midnights = (datetime.combine(today + day * _DAY, time.min, zone) for day in range(1, AHEAD.days + 1))
    return case(*((at < midnight, day) for day, midnight in enumerate(midnights, 1)), else_=0)


def _day(at: datetime | date, zone: ZoneInfo) -> date:
    # Of what lasts to the end of a day, a day is known; it happens on the next one.
    return at.astimezone(zone).date() if isinstance(at, datetime) else at + _DAY


def _queries(
    session: Session, organization_id: str, now: datetime, zone: ZoneInfo
) -> list[Select[*tuple[Any, ...]]]:
    """(at, deed, rule id, place, run id, name) of everybody, kind by kind; `at` is a moment or a last day."""
    today = now.astimezone(zone).date()
    # Whole days, so that of what comes on one day some of it is not told sooner.
    end = datetime.combine(today + AHEAD + _DAY, time.min, zone)
    return [
        _of_runs(organization_id, now, end),
        _of_timed_access(organization_id, today),
        _of_absences(session, organization_id, today),
        _of_leavers(organization_id, now, end),
    ]


def _of_runs(organization_id: str, now: datetime, end: datetime) -> Select[*tuple[Any, ...]]:
    """Whose grace ends, and whose first day comes."""
    at = func.coalesce(Case.due_at, Case.starts_at)
    return (
        select(
            at.label("at"),
            Case.deed.label("deed"),
            Run.rule_id.label("rule_id"),
            literal(RUN).label("place"),
            Case.run_id.label("run_id"),
            Case.name.label("name"),
        )
        .join(Run, (Run.organization_id == Case.organization_id) & (Run.id == Case.run_id))
        .where(
            Case.organization_id == organization_id,
            Case.run_id.in_(running_run_ids(organization_id)),
            Case.state.in_([CaseState.PLANNED.value, CaseState.WARNED.value]),
            at < end,
            # What is late, or begins at once, is at work already.
            at > now,
        )
    )


def _of_timed_access(organization_id: str, today: date) -> Select[*tuple[Any, ...]]:
    until = func.coalesce(TimedAccess.prolonged_until, TimedAccess.ends_on)
    return (
        _without_run(until, literal(Deed.TAKE_BACK.value), TIMED, Case.name)
        .join_from(
            TimedAccess,
            Case,
            (Case.organization_id == TimedAccess.organization_id) & (Case.id == TimedAccess.case_id),
        )
        .where(
            TimedAccess.organization_id == organization_id,
            TimedAccess.state == TimedState.OPEN.value,
            until >= today,
            until < today + AHEAD,
        )
    )


def _of_absences(session: Session, organization_id: str, today: date) -> Select[*tuple[Any, ...]]:
    over = (
        Absence.organization_id == organization_id,
        Absence.ended_at.is_(None),
        Absence.comes_back.is_(True),
        Absence.ends_on >= today,
        Absence.ends_on < today + AHEAD,
    )
    absences = session.scalars(select(Absence).where(*over)).all()
    stay = who_stays_away(session, organization_id, absences, today) if absences else {}
    return (
        _without_run(Absence.ends_on, literal(Deed.RESTORE.value), AWAY, Person.name)
        .join_from(
            Absence,
            Person,
            (Person.organization_id == Absence.organization_id) & (Person.account_id == Absence.account_id),
        )
        .where(*over, Absence.account_id.not_in(stay))
    )


def _of_leavers(organization_id: str, now: datetime, end: datetime) -> Select[*tuple[Any, ...]]:
    return _without_run(Leaver.ends_at, Leaver.deed, LEAVERS, Leaver.name).where(
        Leaver.organization_id == organization_id,
        Leaver.state.in_([LeaverState.HANDING_OVER.value, LeaverState.ENDING.value]),
        Leaver.deed != Deed.LIST.value,
        # Whoever is held up waits for an operator.
        Leaver.resume_at.is_not(None),
        Leaver.ends_at > now,
        Leaver.ends_at < end,
    )


def _without_run(at: Any, deed: Any, place: str, name: Any) -> Select[*tuple[Any, ...]]:
    return select(
        at.label("at"),
        deed.label("deed"),
        null().label("rule_id"),
        literal(place).label("place"),
        literal("").label("run_id"),
        name.label("name"),
    )
