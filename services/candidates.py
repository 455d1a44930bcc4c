"""People as a rule sees them, from memory, batch by batch: those whose time may have come.

The batches are asked of the connection: rows are all that is wanted, and a session costs as much again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, or_, select
from sqlalchemy.orm import Session

from models.absence import absences_to_end, last_days_of
from models.answer import said_away
from models.people import Membership, Person, Seat
from models.run import Case, Run
from rules.activity import KnownSeat
from rules.case import OPEN, RunState
from rules.changes import Snapshot
from rules.idle import AccessAndActivity, Candidate
from rules.organization import OrganizationFacts
from rules.person import ORG_ADMIN, GroupRef, PersonFacts, ProductAccess
from rules.rule import Rule
from services.asking import believed
from services.batches import batches
from services.scope import may_have_come, scope_of
from services.told_and_kept import kept, told

_COLUMNS = (
    Person.account_id, Person.name, Person.email, Person.account_type, Person.account_status,
    Person.membership_status, Person.status, Person.claim_status, Person.management_source,
    Person.email_verified, Person.is_org_admin, Person.added_at, Person.status_since, Person.refusal,
    Person.asked_at, Person.in_several_directories, Person.given_back_at, Person.directory_id,
)  # fmt: skip
# Asked for each batch of two thousand: built anew, SQLAlchemy would look at every one of the account ids.
_ORGANIZATION: BindParameter[str] = bindparam("organization_id")
_ACCOUNTS: BindParameter[str] = bindparam("account_ids", expanding=True)
_PEOPLE = select(*_COLUMNS).where(
    Person.organization_id == _ORGANIZATION, Person.account_id.in_(_ACCOUNTS), Person.left_at.is_(None)
)
_SEATS = select(
    Seat.account_id, Seat.resource_id, Seat.product_key, Seat.activity, Seat.seen_at, Seat.since
).where(Seat.organization_id == _ORGANIZATION, Seat.account_id.in_(_ACCOUNTS))
_MEMBERSHIPS = select(Membership.account_id, Membership.group_id).where(
    Membership.organization_id == _ORGANIZATION, Membership.account_id.in_(_ACCOUNTS)
)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a rule knows besides the directory: whom a run has in hand, whom it told and who answered what, the time."""

    under_way: frozenset[str]
    told: Mapping[str, datetime]
    kept: Mapping[str, datetime]
    away: Mapping[str, date]
    now: datetime


def candidates(
    session: Session,
    organization_id: str,
    rule: Rule,
    rule_id: str | None,
    organization: OrganizationFacts,
    now: datetime,
    today: date,
) -> Iterator[Candidate]:
    """Everybody of the rule's scope whose time may have come, by account id."""
    conditions = [
        *scope_of(organization_id, rule.who, organization),
        or_(*(may_have_come(organization_id, step.when, organization, now, today) for step in rule.steps)),
    ]
    known = _Known(
        _under_way(session, organization_id),
        told(session, organization_id, rule_id),
        kept(session, organization_id, rule_id),
        said_away(session, organization_id, today),
        now,
    )
    # Who they are is asked once: with a place to go on from, each batch would sort everybody again.
    account_ids = session.connection().scalars(select(Person.account_id).where(*conditions)).all()
    for batch in batches(sorted(account_ids)):
        yield from _candidates_of(
            session, organization_id, _rows(session, organization_id, batch), organization, known
        )


def people_as_candidates(
    session: Session,
    organization_id: str,
    account_ids: Sequence[str],
    organization: OrganizationFacts,
) -> dict[str, Candidate]:
    """These people from memory, whether their time has come or not, without what only a rule knows of them.

    Those who left are absent.
    """
    rows = _rows(session, organization_id, account_ids)
    found = _candidates_of(session, organization_id, rows, organization, None)
    return {candidate.seen.facts.account_id: candidate for candidate in found}


def _rows(session: Session, organization_id: str, account_ids: Sequence[str]) -> Sequence[Any]:
    """These people's columns, by account id; those who left are absent."""
    session.flush()
    return sorted(_about(session, _PEOPLE, organization_id, account_ids), key=lambda row: row.account_id)


def _about(
    session: Session, query: Select[*tuple[Any, ...]], organization_id: str, account_ids: Sequence[str]
) -> Sequence[Any]:
    asked = {"organization_id": organization_id, "account_ids": list(account_ids)}
    return session.connection().execute(query, asked).all()


def _candidates_of(
    session: Session,
    organization_id: str,
    rows: Sequence[Any],
    organization: OrganizationFacts,
    known: _Known | None,
) -> Iterator[Candidate]:
    account_ids = [row.account_id for row in rows]
    seats = _seats(session, organization_id, account_ids)
    groups = _groups(session, organization_id, account_ids, organization)
    last_days = last_days_of(session, organization_id, account_ids)
    absences = absences_to_end(session, organization_id, account_ids)
    for (
        account_id, name, email, account_type, account_status, membership_status, status, claim_status,
        management_source, email_verified, is_org_admin, added_at, status_since, refusal, asked_at, several,
        given_back_at, directory_id,
    ) in rows:  # fmt: skip
        activities = _activities(seats.get(account_id, ()), added_at)
        last_day, absence = last_days.get(account_id), absences.get(account_id)
        facts = PersonFacts(
            account_id=account_id,
            name=name,
            email=email,
            account_type=account_type,
            account_status=account_status,
            membership_status=membership_status,
            status=status,
            claim_status=claim_status,
            management_source=management_source,
            email_verified=email_verified,
            platform_roles=_ORG_ADMINS if is_org_admin else _NOBODY,
            added_at=added_at,
            products=tuple(access for access, _activity in activities),
            groups=tuple(groups.get(account_id, ())),
        )
        yield Candidate(
            seen=Snapshot(facts),
            activities=activities,
            status_since=status_since,
            ends_on=last_day.ends_on if last_day is not None else None,
            away_until=absence.ends_on if absence is not None else None,
            comes_back=absence is not None and absence.comes_back,
            in_several_directories=several,
            given_back_at=given_back_at,
            under_way=known is not None and account_id in known.under_way,
            told_at=known.told.get(account_id) if known is not None else None,
            kept_at=known.kept.get(account_id) if known is not None else None,
            said_away_until=known.away.get(account_id) if known is not None else None,
            refusal=believed(refusal, asked_at, known.now) if known is not None and refusal else "",
            directory_id=directory_id,
        )


_ORG_ADMINS = frozenset({ORG_ADMIN})
_NOBODY: frozenset[str] = frozenset()


def _seats(
    session: Session, organization_id: str, account_ids: Sequence[str]
) -> dict[str, list[tuple[str, KnownSeat]]]:
    found: dict[str, list[tuple[str, KnownSeat]]] = {}
    for account_id, resource_id, *seat in _about(session, _SEATS, organization_id, account_ids):
        found.setdefault(account_id, []).append((resource_id, KnownSeat(*seat)))
    return found


def _activities(
    seats: Sequence[tuple[str, KnownSeat]], added_at: datetime | None
) -> tuple[AccessAndActivity, ...]:
    return tuple(
        (ProductAccess(resource_id, seat.key, seat.seen_at), seat.activity(added_at))
        for resource_id, seat in sorted(seats, key=itemgetter(0))
    )


def _groups(
    session: Session, organization_id: str, account_ids: Sequence[str], organization: OrganizationFacts
) -> dict[str, list[GroupRef]]:
    references: dict[str, GroupRef] = {}
    found: dict[str, list[GroupRef]] = {}
    for account_id, group_id in _about(session, _MEMBERSHIPS, organization_id, account_ids):
        reference = references.get(group_id)
        if reference is None:
            reference = references[group_id] = GroupRef(group_id, organization.group_name(group_id))
        found.setdefault(account_id, []).append(reference)
    for groups in found.values():
        groups.sort(key=lambda group: (group.name, group.id))
    return found


def _under_way(session: Session, organization_id: str) -> frozenset[str]:
    """Everybody whom a run has in hand: two runs never work on the same person."""
    # By run: a database would rather read all cases there ever were.
    going = select(Run.id).where(
        Run.organization_id == organization_id,
        Run.state.in_([RunState.RUNNING.value, RunState.BRAKED.value]),
    )
    query = select(Case.account_id).where(
        Case.organization_id == organization_id,
        Case.run_id.in_(going),
        Case.state.in_([state.value for state in OPEN]),
    )
    return frozenset(session.scalars(query))
