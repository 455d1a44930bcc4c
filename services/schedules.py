"""When a rule runs: wall-clock times in the organization's time zone, worked out as moments, right across DST.

A time that the clocks skip in spring becomes the first moment after the gap; one that comes twice in autumn counts
once, the first time. Cron expressions are read without a zone, as wall-clock times: with one, they would come twice.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import count as counting
from zoneinfo import ZoneInfo, available_timezones

from croniter import croniter
from croniter.croniter import CroniterError

from rules.plain_data import Problem
from rules.schedule import Every, Schedule

AREAS = (
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
)  # fmt: skip

_LONGEST_GAP = timedelta(days=2)
"""No clock was ever set by more than a day."""
_SOME_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 -- wall-clock time


def next_dates(
    schedule: Schedule, time_zone: str, billing_day: int | None, after: datetime, count: int = 5
) -> list[datetime]:
    """The next moments after `after` in UTC, at most `count`, each later than the one before.

    Empty for manual rules, and where problem_of has something to say. Raises ZoneInfoNotFoundError for a time zone
    that nobody knows.
    """
    if schedule.every is Every.MANUAL or problem_of(schedule, billing_day) is not None:
        return []
    zone = ZoneInfo(time_zone)
    begin = after.astimezone(zone).replace(tzinfo=None) - _LONGEST_GAP
    found: list[datetime] = []
    latest = after.astimezone(UTC)
    for wall in _wall_times(schedule, billing_day, begin):
        if len(found) == count:
            break
        moment = _moment(wall, zone)
        if moment > latest:
            found.append(moment)
            latest = moment
    return found


def problem_of(schedule: Schedule, billing_day: int | None) -> Problem | None:
    """Why this schedule will not do, at its field; None when it will."""
    if schedule.every is Every.BILLING and billing_day is None:
        return Problem(
            "schedule.every", "Nobody has said yet on which day of the month Atlassian bills: say it first."
        )
    if schedule.every is Every.CRON:
        sentence = _cron_problem(schedule.cron)
        return None if sentence is None else Problem("schedule.cron", sentence)
    return None


@cache
def _zones() -> tuple[str, ...]:
    return ("UTC", *sorted(name for name in available_timezones() if name.partition("/")[0] in AREAS))


def known_time_zones() -> list[str]:
    """The time zones to choose from: UTC, then places by name. Old names and fixed offsets are left out."""
    return list(_zones())


def _cron_problem(cron: str) -> str | None:
    if len(cron.split()) != 5:
        return "A cron expression has five parts: minute, hour, day, month, weekday."
    if re.search(r"[rh]\b|[rh]\(", _without_names(cron)):
        return "Random times (R, H) would be different each time they are asked for: write fixed ones."
    try:
        minutes = croniter.expand(cron)[0][0]
        if len(minutes) != 1 or minutes[0] == "*":
            return "At most once an hour: write one number for the minute."
        croniter(cron, _SOME_DAY).get_next(datetime)
    except (CroniterError, ValueError, KeyError, IndexError, AttributeError, TypeError, OverflowError):
        return "This cron expression names no moment that ever comes."
    return None


def _without_names(cron: str) -> str:
    """Without names of days and months: MAR and THU have letters that mean something else alone."""
    return re.sub(r"[a-z]{3}", "", cron.lower())


def _wall_times(schedule: Schedule, billing_day: int | None, begin: datetime) -> Iterator[datetime]:
    if schedule.every is Every.CRON:
        cron = croniter(schedule.cron, begin)
        while True:
            yield cron.get_next(datetime)
    at = time(schedule.hour, schedule.minute)
    for day in _days(schedule, billing_day, begin.date()):
        yield datetime.combine(day, at)


def _days(schedule: Schedule, billing_day: int | None, first: date) -> Iterator[date]:
    match schedule.every:
        case Every.DAY:
            yield from (first + timedelta(days=days) for days in counting())
        case Every.WEEK:
            start = first + timedelta(days=(schedule.weekday - first.weekday()) % 7)
            yield from (start + timedelta(weeks=weeks) for weeks in counting())
        case Every.MONTH:
            yield from (_in_month(first, months, schedule.day) for months in counting())
        case Every.BILLING:
            before = timedelta(days=schedule.days_before)
            yield from (_in_month(first, months, billing_day or 1) - before for months in counting())


def _in_month(first: date, months: int, day: int) -> date:
    """The day of the month that comes `months` after that of `first`; its last day, if it is too short."""
    years, month = divmod(first.month - 1 + months, 12)
    year = first.year + years
    return date(year, month + 1, min(day, monthrange(year, month + 1)[1]))


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first moment at which the clocks there show this time or, if they skip it, a later one."""
    early = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    late = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if early >= late:
        # Fold 0 of a time that comes twice is the first of the two.
        return late
    before = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = (early + (late - early) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late
