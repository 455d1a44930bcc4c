"""One person as a rule sees them just before the deed: as Atlassian shows them, with what only we know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Date,
    Row,
    String,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from models.absence import IS_TO_END, Absence, LastDay
from models.answer import Answer, means_away
from models.db import UtcDateTime
from models.people import Person, Seat, Signal
from models.run import Case
from rules.activity import KnownSeat, activity_per_product
from rules.changes import Snapshot
from rules.idle import Candidate
from rules.person import ProductAccess
from services.asking import believed
from services.told_and_kept import WAS_TOLD, is_case_of_rule

_A_DAY = timedelta(days=1)
"""Where the organization lives, it may still be the day before."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What we wrote down about somebody besides what Atlassian shows: since when they have this status, what it
    answered about the account, whether they were an organization admin. Empty for strangers.
    """

    status: str = ""
    status_since: datetime | None = None
    in_several_directories: bool = False
    given_back_at: datetime | None = None
    refusal: str = ""
    is_org_admin: bool = False


REMEMBERED = (
    Person.status, Person.status_since, Person.in_several_directories, Person.given_back_at, Person.refusal,
    Person.asked_at, Person.is_org_admin,
)  # fmt: skip
"""The columns that `remembered` reads."""


def remembered(row: Row[Any], now: datetime) -> Remembered:
    """Of a row with these columns; of nobody we know they are all empty."""
    if row.status is None:
        return Remembered()
    return Remembered(
        status=row.status,
        status_since=row.status_since,
        in_several_directories=row.in_several_directories,
        given_back_at=row.given_back_at,
        refusal=believed(row.refusal, row.asked_at, now),
        is_org_admin=row.is_org_admin,
    )


_ORGANIZATION: BindParameter[str] = bindparam("organization_id")
_RULE: BindParameter[str] = bindparam("rule_id", type_=String)
_WHO: BindParameter[str] = bindparam("account_id")
# Asked for every deed: one question, not built anew each time.
_ABSENCE = (
    select(Absence.ends_on, Absence.comes_back)
    .where(Absence.organization_id == _ORGANIZATION, Absence.account_id == _WHO, IS_TO_END)
    .order_by(Absence.began_at.desc())
    .limit(1)
)
_KNOWN = select(
    select(LastDay.ends_on)
    .where(LastDay.organization_id == _ORGANIZATION, LastDay.account_id == _WHO)
    .scalar_subquery()
    .label("last_day"),
    _ABSENCE.with_only_columns(Absence.ends_on).scalar_subquery().label("away_until"),
    _ABSENCE.with_only_columns(Absence.comes_back).scalar_subquery().label("comes_back"),
    select(func.max(case((WAS_TOLD, Case.finished_at))))
    .where(is_case_of_rule(_ORGANIZATION, _RULE), Case.account_id == _WHO)
    .scalar_subquery()
    .label("told_at"),
    select(func.max(Case.kept_at))
    .where(is_case_of_rule(_ORGANIZATION, _RULE), Case.account_id == _WHO)
    .scalar_subquery()
    .label("kept_at"),
    select(func.max(Answer.until))
    .where(means_away(_ORGANIZATION, bindparam("today", type_=Date)), Answer.account_id == _WHO)
    .scalar_subquery()
    .label("said_away_until"),
)
# Signals are seats of nobody: one question for both.
_LIFE: CompoundSelect[*tuple[Any, ...]] = union_all(
    select(
        literal(False).label("is_seat"),
        Signal.place,
        Signal.place.label("key"),
        literal("").label("kind"),
        Signal.seen_at,
        cast(null(), UtcDateTime).label("since"),
    ).where(Signal.organization_id == _ORGANIZATION, Signal.account_id == _WHO),
    select(literal(True), Seat.resource_id, Seat.product_key, Seat.activity, Seat.seen_at, Seat.since).where(
        Seat.organization_id == _ORGANIZATION, Seat.account_id == _WHO
    ),
)


def candidate_read_now(
    session: Session,
    organization_id: str,
    seen: Snapshot,
    memory: Remembered,
    rule_id: str | None,
    now: datetime,
) -> Candidate:
    """Somebody as Atlassian shows them this moment, with what only we know: signals, since when they have their seats,
    last day, absence, answers.
    """
    account_id = seen.facts.account_id
    about = {
        "organization_id": organization_id,
        "account_id": account_id,
        "rule_id": rule_id,
        "today": now.date() - _A_DAY,
    }
    known = session.execute(_KNOWN, about).one()
    signals: dict[str, datetime] = {}
    seats: dict[str, KnownSeat] = {}
    for is_seat, place, key, kind, seen_at, since in session.execute(_LIFE, about):
        if is_seat:
            seats[place] = KnownSeat(key, kind, seen_at, since)
        else:
            signals[place] = seen_at
    activities = activity_per_product(seen.facts, signals, seats, found_at=now)
    if memory.in_several_directories:
        # One directory was asked: what they have in the others is known from the sync.
        shown = {access.resource_id for access in seen.facts.products}
        activities += [
            (ProductAccess(place, seat.key, seat.seen_at), seat.activity(seen.facts.added_at))
            for place, seat in sorted(seats.items(), key=itemgetter(0))
            if place not in shown
        ]
    return Candidate(
        seen=seen,
        activities=tuple(activities),
        status_since=memory.status_since if memory.status == seen.facts.status else None,
        ends_on=known.last_day,
        away_until=known.away_until,
        comes_back=bool(known.comes_back),
        in_several_directories=memory.in_several_directories,
        given_back_at=memory.given_back_at,
        told_at=known.told_at,
        kept_at=known.kept_at,
        said_away_until=known.said_away_until,
        refusal=memory.refusal,
    )
