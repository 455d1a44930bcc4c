"""One person as a rule sees them just before the deed: as Atlassian shows them, with what only we know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from models.absence import absences_of, last_days_of
from models.answer import said_away
from models.people import Person
from rules.activity import activity_per_product
from rules.changes import Snapshot
from rules.idle import Candidate
from services.asking import believed
from services.directory import signals_of
from services.told_and_kept import told_and_kept

_A_DAY = timedelta(days=1)
"""Where the organization lives, it may still be the day before."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What we wrote down about somebody besides what Atlassian shows: since when they have this status, and what it
    answered about the account. Empty for strangers.
    """

    status: str = ""
    status_since: datetime | None = None
    in_several_directories: bool = False
    refusal: str = ""


def remembered(person: Person | None, now: datetime) -> Remembered:
    """Of somebody who may be nobody we know."""
    if person is None:
        return Remembered()
    return Remembered(
        status=person.status,
        status_since=person.status_since,
        in_several_directories=person.in_several_directories,
        refusal=believed(person.refusal, person.asked_at, now),
    )


def candidate_read_now(
    session: Session,
    organization_id: str,
    seen: Snapshot,
    memory: Remembered,
    rule_id: str | None,
    now: datetime,
) -> Candidate:
    """Somebody as Atlassian shows them this moment, with what only we know: signals, last day, absence, answers."""
    account_id = seen.facts.account_id
    signals = signals_of(session, organization_id, [account_id]).get(account_id, {})
    last_day = last_days_of(session, organization_id, [account_id]).get(account_id)
    absence = absences_of(session, organization_id, [account_id]).get(account_id)
    told_at, kept_at = told_and_kept(session, organization_id, rule_id, account_id)
    return Candidate(
        seen=seen,
        activities=tuple(activity_per_product(seen.facts, signals)),
        status_since=memory.status_since if memory.status == seen.facts.status else None,
        ends_on=last_day.ends_on if last_day is not None else None,
        away_until=absence.ends_on if absence is not None else None,
        in_several_directories=memory.in_several_directories,
        told_at=told_at,
        kept_at=kept_at,
        said_away_until=said_away(session, organization_id, now.date() - _A_DAY, account_id).get(account_id),
        refusal=memory.refusal,
    )
