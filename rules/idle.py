"""Whether the time of a rule's step has come for a person, and why. Unknown never comes (S45)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from rules.activity import Activity, ActivityKind, combined
from rules.because import Because, BecauseKind, ago
from rules.changes import Snapshot
from rules.organization import OrganizationFacts
from rules.person import ProductAccess
from rules.products import product_name
from rules.rule import How, When

AccessAndActivity = tuple[ProductAccess, Activity]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person as a rule sees them.

    `status_since` is since when at least the directory shows their present status; `ends_on` the last day that an
    operator wrote down for them; `away_until` the end of a suspension that was meant to end, and `comes_back` that
    they are restored by themselves then, or should have been. `given_back_at` is when
    they last got back what had been taken from them. `under_way` says that a run has them in hand, `told_at` when this
    rule told them last, `kept_at` when they last answered it that they still need their access, `said_away_until` the
    last day away as they answered a warning of any rule, `refusal` what Atlassian answered when it was asked whether
    the account may be changed.
    """

    seen: Snapshot
    activities: tuple[AccessAndActivity, ...] = ()
    status_since: datetime | None = None
    ends_on: date | None = None
    away_until: date | None = None
    comes_back: bool = False
    in_several_directories: bool = False
    given_back_at: datetime | None = None
    under_way: bool = False
    told_at: datetime | None = None
    kept_at: datetime | None = None
    said_away_until: date | None = None
    refusal: str = ""
    directory_id: str = ""


def time_has_come(
    when: When, person: Candidate, organization: OrganizationFacts, now: datetime, today: date
) -> Because | None:
    """The first condition that holds; None when none does."""
    return (
        _by_activity(when, person, organization, now)
        or _invitation_unanswered(when, person, now)
        or _in_status(when, person, now)
        or past_end(when, person, today)
    )


def activity_words(person: Candidate, now: datetime) -> str:
    """When somebody was last seen, as the reason why a rule leaves them alone."""
    if not person.activities:
        return "Has no seat in any product."
    activity = combined(one for _access, one in person.activities)
    match activity.kind:
        case ActivityKind.SEEN:
            return f"Was here {ago(activity.idle_days(now) or 0)}, in {product_name(activity.product)}."
        case ActivityKind.NEVER:
            return f"Never came; added {ago(_days_since(activity.at, now))}."
        case ActivityKind.UNKNOWN:
            return "Nobody can say when they were last here."


def _by_activity(
    when: When, person: Candidate, organization: OrganizationFacts, now: datetime
) -> Because | None:
    if when.not_seen is None and when.never is None:
        return None
    concerned = looked_at(when, person, organization)
    if when.how is How.ANY:
        return next((found for one in concerned if (found := _idle_in(when, one, now))), None)
    activities = [activity for _access, activity in concerned]
    if any(activity.kind is ActivityKind.UNKNOWN for activity in activities):
        return None
    activity = combined(activities)
    days = _days_away(when, activity, now)
    if days is None:
        return None
    if activity.kind is ActivityKind.SEEN:
        return Because(BecauseKind.SEEN, days, activity.product)
    return Because(BecauseKind.NEVER, days)


def looked_at(
    when: When, person: Candidate, organization: OrganizationFacts
) -> tuple[AccessAndActivity, ...]:
    """The seats of which a condition speaks: those in its products, or all."""
    if not when.products:
        return person.activities
    wanted = organization.resources_of(when.products)
    return tuple(one for one in person.activities if one[0].resource_id in wanted)


def _idle_in(when: When, one: AccessAndActivity, now: datetime) -> Because | None:
    access, activity = one
    days = _days_away(when, activity, now)
    if days is None:
        return None
    kind = BecauseKind.SEEN if activity.kind is ActivityKind.SEEN else BecauseKind.NEVER
    return Because(kind, days, access.key, of_one=True)


def _days_away(when: When, activity: Activity, now: datetime) -> int | None:
    """For how many days somebody has stayed away, if that is long enough."""
    if activity.kind is ActivityKind.UNKNOWN:
        return None
    seen = activity.kind is ActivityKind.SEEN
    wanted = when.not_seen if seen else when.never
    days = _days_since(activity.at, now)
    return days if wanted is not None and days >= wanted else None


def _invitation_unanswered(when: When, person: Candidate, now: datetime) -> Because | None:
    facts = person.seen.facts
    if when.invited is None or facts.email_verified is not False or facts.added_at is None:
        return None
    if any(activity.kind is not ActivityKind.NEVER for _access, activity in person.activities):
        return None
    days = _days_since(facts.added_at, now)
    return Because(BecauseKind.INVITED, days) if days >= when.invited else None


def _in_status(when: When, person: Candidate, now: datetime) -> Because | None:
    if person.status_since is None:
        return None
    days = _days_since(person.status_since, now)
    status = person.seen.facts.status
    if when.suspended is not None and status == "suspended" and days >= when.suspended:
        return Because(BecauseKind.SUSPENDED, days)
    if when.deactivated is not None and status == "deactivated" and days >= when.deactivated:
        return Because(BecauseKind.DEACTIVATED, days)
    return None


def past_end(when: When, person: Candidate, today: date) -> Because | None:
    """Whether their last day is over for long enough, and which it was."""
    if when.past_end is None or person.ends_on is None:
        return None
    # The last day is theirs until it is over.
    if (today - person.ends_on).days <= when.past_end:
        return None
    return Because(BecauseKind.LAST_DAY, day=person.ends_on)


def _days_since(moment: datetime | None, now: datetime) -> int:
    return max((now - moment).days, 0) if moment is not None else 0
