"""When a rule runs, as a value. The dates themselves are worked out in services/schedules.py."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Every(StrEnum):
    """BILLING is so many days before the organization's billing date; MANUAL only *Run now*."""

    MANUAL = "manual"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    BILLING = "billing"
    CRON = "cron"


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Schedule:
    """`hour` and `minute` are wall-clock time in the organization's time zone, as is everything else.

    `weekday` counts from Monday = 0. `day` is a day of the month; in months without it, their last day.
    `days_before` goes with BILLING, `cron` (five fields) with CRON.
    """

    every: Every = Every.MANUAL
    hour: int = 6
    minute: int = 0
    weekday: int = 0
    day: int = 1
    days_before: int = 3
    cron: str = ""
