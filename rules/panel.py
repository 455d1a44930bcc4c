"""What a panel on an issue or a page says about somebody, and to whom how much of it. Unknown says nothing (S45)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from rules.activity import ActivityKind

LEAVE = "Leave"
"""The one reason of an absence that everybody may read; the others are for operators."""
GONE = frozenset({"deactivated", "for_deletion"})


class Privacy(StrEnum):
    """What panels on issues and pages say about somebody who is away."""

    OFF = "off"
    INACTIVE = "inactive"
    DATES_FOR_ADMINS = "dates_for_admins"
    DATES = "dates"


class ContentKind(StrEnum):
    """What has people in Confluence, by the word that its frames use."""

    PAGE = "page"
    BLOG_POST = "blogpost"


class Role(StrEnum):
    """What somebody has to do with an issue or a page."""

    ASSIGNEE = "assignee"
    REPORTER = "reporter"
    WATCHER = "watcher"
    OWNER = "owner"
    LAST_EDITOR = "last_editor"


class Detail(StrEnum):
    """How much is said: nothing; that somebody is not active; since when and until when; the reason as well."""

    NOTHING = "nothing"
    INACTIVE = "inactive"
    DATES = "dates"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Standing:
    """A person of the directory as far as a panel cares. `never_since` is since when somebody who never came could have
    come; `away_*` describe an open absence.
    """

    status: str
    activity: str
    seen_at: datetime | None = None
    never_since: datetime | None = None
    status_since: datetime | None = None
    is_bot: bool = False
    has_left: bool = False
    away_reason: str = ""
    away_since: datetime | None = None
    away_until: date | None = None


def detail(privacy: Privacy, *, operator: bool, administers: bool) -> Detail:
    """What the reader is told. Operators read everything in the app anyway."""
    if operator:
        return Detail.EVERYTHING
    if privacy is Privacy.OFF:
        return Detail.NOTHING
    if privacy is Privacy.DATES or (privacy is Privacy.DATES_FOR_ADMINS and administers):
        return Detail.DATES
    return Detail.INACTIVE


def is_away(person: Standing, days: int, now: datetime) -> bool:
    """Whether there is something to say: suspended, deactivated, gone, or not seen for so many days."""
    if person.has_left or person.status in GONE or person.status == "suspended":
        return True
    # What apps do is no activity that Atlassian counts (C8).
    return not person.is_bot and _idle(person, days, now)


def words(person: Standing, detail: Detail, days: int, now: datetime) -> str:
    """The sentence behind the person's name; empty when nothing is to be said."""
    if detail is Detail.NOTHING or not is_away(person, days, now):
        return ""
    if detail is Detail.INACTIVE:
        return "is not active at the moment."
    if person.has_left:
        return "is no longer in this organization."
    if person.status in GONE:
        return f"is deactivated{_at_least_since(person.status_since)}."
    if person.status == "suspended":
        if person.away_since is None:
            return f"is suspended{_at_least_since(person.status_since)}."
        return f"is suspended since {_day(person.away_since)}{_until(person, detail)}."
    if person.activity == ActivityKind.NEVER and person.never_since is not None:
        return f"was added {_days(now - person.never_since)} ago and has not been here yet."
    assert person.seen_at is not None
    return f"has not been here for {_days(now - person.seen_at)}."


def _idle(person: Standing, days: int, now: datetime) -> bool:
    moment = None
    if person.activity == ActivityKind.SEEN:
        moment = person.seen_at
    elif person.activity == ActivityKind.NEVER:
        moment = person.never_since
    return moment is not None and moment <= now - timedelta(days=days)


def _at_least_since(moment: datetime | None) -> str:
    # The directory has no date for it: all that is known is when it was first read so.
    return "" if moment is None else f", at least since {_day(moment)}"


def _until(person: Standing, detail: Detail) -> str:
    if person.away_reason == LEAVE:
        return ": on leave" + ("" if person.away_until is None else f" until {_day(person.away_until)}")
    reason = person.away_reason.lower() if detail is Detail.EVERYTHING else ""
    until = "" if person.away_until is None else f"until {_day(person.away_until)}"
    said = ", ".join(part for part in (reason, until) if part)
    return f": {said}" if said else ""


def _days(time: timedelta) -> str:
    return "1 day" if time.days == 1 else f"{time.days:,} days"


def _day(moment: date) -> str:
    return f"{moment.day} {moment:%B %Y}"
