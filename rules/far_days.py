"""Days that nobody means: a slip of a finger. At the end of all calendars there is none behind them to reckon with."""

from __future__ import annotations

from datetime import date

YEARS_AHEAD = 100


def is_far(day: date, today: date) -> bool:
    """Whether a day lies further ahead than anybody plans."""
    return day.year > today.year + YEARS_AHEAD
