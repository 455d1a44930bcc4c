"""When somebody was last seen. Three answers, because "no date" is not "idle since for ever" (S45)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rules.person import PersonFacts, ProductAccess
from rules.products import family_of


class ActivityKind(StrEnum):
    """SEEN has a date. NEVER has a seat since a known day and no date. UNKNOWN means nobody can say."""

    SEEN = "seen"
    NEVER = "never"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Activity:
    """`at` is the last sign of life (seen) or the day the person was added (never); None when unknown.

    `product` is the product key of the sign of life, empty otherwise.
    """

    kind: ActivityKind
    at: datetime | None = None
    product: str = ""

    def idle_days(self, now: datetime) -> int | None:
        """Whole days since the last sign of life; None unless seen. A moment in the future counts as today."""
        if self.kind is not ActivityKind.SEEN or self.at is None:
            return None
        return max((now - self.at).days, 0)


UNKNOWN = Activity(ActivityKind.UNKNOWN)


def activity_in(access: ProductAccess, added_at: datetime | None, signal: datetime | None = None) -> Activity:
    """The activity in one product. `signal` is what a webhook saw there: it makes the date fresher, never older."""
    dates = [date for date in (access.last_active, signal) if date is not None]
    if dates:
        return Activity(ActivityKind.SEEN, max(dates), access.key)
    if added_at is not None:
        return Activity(ActivityKind.NEVER, added_at)
    return UNKNOWN


def combined(activities: Iterable[Activity]) -> Activity:
    """The activity over all products: the newest sign of life; never only if every product says never.

    Without any product it is unknown.
    """
    newest: Activity | None = None
    never: Activity | None = None
    unknown = False
    for activity in activities:
        if activity.kind is ActivityKind.SEEN:
            if newest is None or _moment(activity) > _moment(newest):
                newest = activity
        elif activity.kind is ActivityKind.NEVER:
            never = never or activity
        else:
            unknown = True
    if newest is not None:
        return newest
    if unknown or never is None:
        return UNKNOWN
    return never


def activity_per_product(
    facts: PersonFacts, signals: Mapping[str, datetime]
) -> list[tuple[ProductAccess, Activity]]:
    """The activity in each product somebody has a seat in; `signals` are by family of products."""
    return [
        (access, activity_in(access, facts.added_at, signals.get(family_of(access.key))))
        for access in facts.products
    ]


def _moment(activity: Activity) -> datetime:
    assert activity.at is not None
    return activity.at
