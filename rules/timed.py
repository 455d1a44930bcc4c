"""Access with an end: when somebody is told before, and when the day is over. Days are those where they live."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from rules.changes import Change

WARN_DAYS = (7, 1)
"""So many days before the last one they are told; nobody who got it later than that is."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the case `of` gave somebody until its last day; `is_open`: that day is still to be dealt with."""

    of: str
    until: date
    changes: tuple[Change, ...]
    is_open: bool = True


def too_late(ends_on: date | None, today: date) -> str | None:
    """Why access with this last day is not given any more; None when it has none, or today is not behind it."""
    if ends_on is None or today <= ends_on:
        return None
    return f"Its last day, {ends_on:%-d %B %Y}, is over: ask anew."


def ends_sooner(parts: Iterable[Change], given: Iterable[Given], wanted: date | None) -> date | None:
    """The first last day of what was given and is among `parts`, when that is before `wanted`; None: for good."""
    parts = frozenset(parts)
    days = (each.until for each in given if each.is_open and not parts.isdisjoint(each.changes))
    first = min(days, default=None)
    return first if first is not None and (wanted is None or first < wanted) else None


def warning_mark(until: date, days: int) -> str:
    """What is written down of a warning: another last day makes other marks."""
    return f"{until.isoformat()}:{days}"


def warnings_due(began: date, until: date, warned: frozenset[str], today: date) -> list[int]:
    """The warnings whose day has come and that did not go out, in days before the last one, the nearest first.

    One that comes after a nearer one went out says nothing new.
    """
    if today > until:
        return []
    return [days for days in _open(began, until, warned) if until - timedelta(days=days) <= today]


def next_look(began: date, until: date, warned: frozenset[str]) -> tuple[int, date]:
    """(days before the last one, day) of the next warning; (0, the day after the last one) when none is left."""
    ahead = _open(began, until, warned)
    if ahead:
        return ahead[-1], until - timedelta(days=ahead[-1])
    return 0, until + timedelta(days=1)


def _open(began: date, until: date, warned: frozenset[str]) -> list[int]:
    nearest = min((days for days in WARN_DAYS if warning_mark(until, days) in warned), default=None)
    return [
        days
        for days in sorted(WARN_DAYS)
        if (nearest is None or days < nearest) and until - timedelta(days=days) > began
    ]
