"""People by filter: the list, its order, its counts, and whoever has an address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    func,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.people import IS_AWAY, Membership, Person, Seat, people_with_seats
from rules.activity import ActivityKind
from rules.filters import PeopleFilter


def select_people(organization_id: str, filter: PeopleFilter, now: datetime) -> Select[Person]:
    """The people of the filter, in no order."""
    return select(Person).where(*_conditions(organization_id, filter, now))


def find_people(
    session: Session,
    organization_id: str,
    filter: PeopleFilter,
    now: datetime,
    *,
    offset: int = 0,
    limit: int = 50,
) -> list[Person]:
    """One page of the filter, in its order; seats come along."""
    # First who, then what about them: an index can tell who without fetching the rows of all pages before.
    who = _who(organization_id, filter, now).offset(offset).limit(limit)
    return people_by_id(session, organization_id, session.scalars(who).all())


def find_ids(
    session: Session, organization_id: str, filter: PeopleFilter, now: datetime, limit: int
) -> list[str]:
    """The account ids of the first ones."""
    return list(session.scalars(_who(organization_id, filter, now).limit(limit)))


def people_by_id(session: Session, organization_id: str, account_ids: Sequence[str]) -> list[Person]:
    """These people in this order; seats come along."""
    found = people_with_seats(session, organization_id, account_ids) if account_ids else {}
    return [found[account_id] for account_id in account_ids if account_id in found]


def _who(organization_id: str, filter: PeopleFilter, now: datetime) -> Select[str]:
    return (
        select(Person.account_id).where(*_conditions(organization_id, filter, now)).order_by(*_order(filter))
    )


def accounts_by_address(session: Session, organization_id: str, addresses: Sequence[str]) -> dict[str, str]:
    """Address in small letters → account id, of those of these addresses whom the directory shows.

    Of two accounts with one address it is the one that is here, and not the one that has gone.
    """
    query = select(Person.address, Person.account_id).where(
        Person.organization_id == organization_id,
        Person.left_at.is_(None),
        Person.address.in_({each.strip().lower() for each in addresses} - {""}),
    )
    return dict(session.execute(query.order_by(IS_AWAY.desc(), Person.account_id.desc())).all())


def count_people(session: Session, organization_id: str, filter: PeopleFilter, now: datetime) -> int:
    """How many people the filter shows."""
    query = select(func.count(Person.account_id)).where(*_conditions(organization_id, filter, now))
    return session.scalar(query) or 0


def _conditions(organization_id: str, filter: PeopleFilter, now: datetime) -> list[ColumnElement[bool]]:
    conditions = [Person.organization_id == organization_id]
    if filter.status == "left":
        conditions.append(Person.left_at.is_not(None))
    else:
        conditions.append(Person.left_at.is_(None))
        if filter.status:
            conditions.append(Person.status == filter.status)
    if filter.text:
        conditions.append(Person.search_text.contains(filter.text.casefold(), autoescape=True))
    if filter.claim:
        conditions.append(Person.claim_status == filter.claim)
    if filter.domain:
        conditions.append(Person.email_domain == filter.domain)
    if filter.synced is not None:
        synced = Person.management_source == "synced"
        conditions.append(synced if filter.synced else ~synced)
    if filter.group:
        members = select(Membership.account_id).where(
            Membership.organization_id == organization_id, Membership.group_id == filter.group
        )
        conditions.append(Person.account_id.in_(members))
    if filter.product:
        conditions.append(_holds_seat(organization_id, filter, now))
    else:
        conditions.extend(_idle_condition(Person.activity, Person.seen_at, filter.idle, now))
    return conditions


def _idle_condition(
    activity: InstrumentedAttribute[str],
    seen_at: InstrumentedAttribute[datetime | None],
    idle: int | str | None,
    now: datetime,
) -> list[ColumnElement[bool]]:
    # Idle for N days speaks only of people who were seen: never and unknown are answers of their own (S45).
    if idle is None:
        return []
    if isinstance(idle, int):
        return [seen_at <= now - timedelta(days=idle)]
    return [activity == idle]


def _holds_seat(organization_id: str, filter: PeopleFilter, now: datetime) -> ColumnElement[bool]:
    holders = select(Seat.account_id).where(
        Seat.organization_id == organization_id,
        Seat.product_key == filter.product,
        *_idle_condition(Seat.activity, Seat.seen_at, filter.idle, now),
    )
    if isinstance(filter.idle, int):
        # Says nothing new, but lets the index be used.
        holders = holders.where(Seat.activity == ActivityKind.SEEN.value)
    return Person.account_id.in_(holders)


def _order(filter: PeopleFilter) -> list[ColumnElement[Any]]:
    column: InstrumentedAttribute[Any] = {
        "name": Person.name,
        "seen": Person.seen_at,
        "status": Person.status,
        "email": Person.email,
        "added": Person.added_at,
    }[filter.sort]
    order = column.desc() if filter.descending else column.asc()
    if column.property.columns[0].nullable:
        # Each database puts empty values elsewhere by itself: say where, so that paging means the same on both.
        order = order.nulls_last() if filter.descending else order.nulls_first()
    return [order, Person.account_id.desc() if filter.descending else Person.account_id.asc()]
