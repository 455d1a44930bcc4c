"""What a rule may say as plain data: its limits, its conditions, what goes with which schedule."""

from __future__ import annotations

from rules.schedule import Every

MOST_DAYS = 3650
MOST_GRACE = 365
MOST_STEPS = 6
MOST_WARNINGS = 5
MOST_FRESH_HOURS = 720
MOST_PEOPLE = 10_000_000
DEFAULT_GRACE = 14
DEFAULT_FRESH_HOURS = 48

CONDITIONS = {"not_seen": 1, "never": 1, "invited": 1, "suspended": 1, "deactivated": 1, "past_end": 0}
"""Condition → the fewest days that make sense."""
OF_EVERY: dict[Every, tuple[str, ...]] = {
    Every.MANUAL: (),
    Every.DAY: ("at",),
    Every.WEEK: ("at", "weekday"),
    Every.MONTH: ("at", "day"),
    Every.BILLING: ("at", "days_before"),
    Every.CRON: ("cron",),
}
"""Which fields of a schedule mean anything: a time beside "manual" would promise a run that never comes."""


def default_warnings(grace: int) -> tuple[int, ...]:
    """The days before the deed on which people are warned unless the rule says otherwise."""
    return (grace, 3) if grace > 3 else (grace,) if grace > 0 else ()
