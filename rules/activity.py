"""When somebody was last seen. Three answers, because "no date" is not "idle since for ever" (S45)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from rules.person import PersonFacts, ProductAccess
from rules.products import family_of


class ActivityKind(StrEnum):
    """SEEN has a date. NEVER has a seat since a known day and no date. UNKNOWN means nobody can say."""

    SEEN = "seen"
    NEVER = "never"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Activity:
    """`at` is the last sign of life (seen) or since when at least they could have come (never); None when unknown.

    `product` is the product key of the sign of life, empty otherwise. `since` is since when at least the seat is there,
    where it came after the person: a sign of life may be older than it, of a time in which they had it before.
    """

    kind: ActivityKind
    at: datetime | None = None
    product: str = ""
    since: datetime | None = None

    def idle_days(self, now: datetime) -> int | None:
        """Whole days since the last sign of life; None unless seen. A moment in the future counts as today."""
        if self.kind is not ActivityKind.SEEN or self.at is None:
            return None
        return max((now - self.at).days, 0)


UNKNOWN = Activity(ActivityKind.UNKNOWN)


@dataclass(frozen=True, slots=True)
class KnownSeat:
    """A seat as it was written down. `since` is since when at least it is there; None when the first reading of the
    person had it: then it is there since they were added, as far as anybody can say.
    """

    key: str
    kind: str
    seen_at: datetime | None = None
    since: datetime | None = None

    def activity(self, added_at: datetime | None) -> Activity:
        """The activity in it; `added_at` is when its holder was added."""
        if self.kind == ActivityKind.SEEN:
            return Activity(ActivityKind.SEEN, self.seen_at, self.key, self.since)
        return never_came(added_at, self.since) if self.kind == ActivityKind.NEVER else UNKNOWN


def never_came(added_at: datetime | None, since: datetime | None) -> Activity:
    """Never, counted from the day of the seat and not from that of the person; unknown without the latter."""
    if added_at is None:
        return UNKNOWN
    return Activity(ActivityKind.NEVER, max(added_at, since or added_at), since=since)


def activity_in(
    access: ProductAccess,
    added_at: datetime | None,
    signal: datetime | None = None,
    *,
    since: datetime | None = None,
    seen_at: datetime | None = None,
) -> Activity:
    """The activity in one product. `signal` is what a webhook saw there, `seen_at` what was told earlier: they make the
    date fresher, never older. `since` is since when at least the seat is there, if that is known.
    """
    dates = [date for date in (access.last_active, signal, seen_at) if date is not None]
    if dates:
        return Activity(ActivityKind.SEEN, max(dates), access.key, since)
    return never_came(added_at, since)


def combined(activities: Iterable[Activity]) -> Activity:
    """The activity over all products: the newest sign of life; never only if every product says never, and then only
    since the newest seat.

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
            if never is None or _moment(activity) > _moment(never):
                never = activity
        else:
            unknown = True
    if newest is not None:
        return newest
    if unknown or never is None:
        return UNKNOWN
    return never


def activity_per_product(
    facts: PersonFacts,
    signals: Mapping[str, datetime],
    known: Mapping[str, KnownSeat] = MappingProxyType({}),
    found_at: datetime | None = None,
) -> list[tuple[ProductAccess, Activity]]:
    """The activity in each product somebody has a seat in; `known` is by resource id. So is `signals`, or by the family
    of products where nobody knew on which site it was.

    A seat that is not known came since the last reading: it is there since `found_at`; None: this is the first reading.
    """
    found = []
    for access in facts.products:
        seat = known.get(access.resource_id)
        since, seen_at = (seat.since, seat.seen_at) if seat is not None else (found_at, None)
        places = (access.resource_id, family_of(access.key))
        signal = max((signals[place] for place in places if place in signals), default=None)
        found.append((access, activity_in(access, facts.added_at, signal, since=since, seen_at=seen_at)))
    return found


def _moment(activity: Activity) -> datetime:
    assert activity.at is not None
    return activity.at
