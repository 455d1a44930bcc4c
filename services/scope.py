"""Whom a rule is about and whose time may have come, as conditions for the database.

They are coarse and may bring people too many, never too few: rules/plan.py decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import Session

from models.absence import LastDay
from models.people import Membership, Person, Seat
from rules.activity import ActivityKind
from rules.organization import OrganizationFacts
from rules.plan import CLAIM
from rules.rule import How, When, Who


def scope_of(organization_id: str, who: Who, organization: OrganizationFacts) -> list[ColumnElement[bool]]:
    """The people whom a rule is about."""
    conditions = [Person.organization_id == organization_id, Person.left_at.is_(None)]
    if who.people:
        conditions.append(Person.account_id.in_(who.people))
    if who.products:
        conditions.append(_holds_seat(organization_id, organization.resources_of(who.products)))
    if who.groups:
        conditions.append(_in_groups(organization_id, who.groups))
    if who.not_groups:
        conditions.append(~_in_groups(organization_id, who.not_groups))
    if who.domains:
        conditions.append(Person.email_domain.in_(who.domains))
    if who.account:
        conditions.append(Person.claim_status == CLAIM[who.account])
    if who.source:
        synced = Person.management_source == "synced"
        conditions.append(synced if who.source == "synced" else ~synced)
    return conditions


def count_scope(session: Session, organization_id: str, who: Who, organization: OrganizationFacts) -> int:
    """How many people a rule is about: what the brake's share is a share of."""
    query = select(func.count(Person.account_id)).where(*scope_of(organization_id, who, organization))
    return session.scalar(query) or 0


def may_have_come(
    organization_id: str, when: When, organization: OrganizationFacts, now: datetime, today: date
) -> ColumnElement[bool]:
    """A condition that holds at least for everybody for whom rules.idle.time_has_come does."""
    found: list[ColumnElement[bool]] = []
    whole = when.how is How.ALL and not when.products
    activity, seen_at = (Person.activity, Person.seen_at) if whole else (Seat.activity, Seat.seen_at)
    by_activity: list[ColumnElement[bool]] = []
    if when.not_seen is not None:
        by_activity.append(seen_at <= now - timedelta(days=when.not_seen))
    if when.never is not None:
        never = activity == ActivityKind.NEVER.value
        by_activity.append(never if not whole else never & _added_before(now, when.never))
    if by_activity:
        either = or_(*by_activity)
        found.append(either if whole else _idle_seat(organization_id, when, organization, either))
    if when.invited is not None:
        found.append(Person.email_verified.is_(False) & _added_before(now, when.invited))
    for status, days in (("suspended", when.suspended), ("deactivated", when.deactivated)):
        if days is not None:
            found.append(and_(Person.status == status, Person.status_since <= now - timedelta(days=days)))
    if when.past_end is not None:
        over = select(LastDay.account_id).where(
            LastDay.organization_id == organization_id,
            LastDay.ends_on <= today - timedelta(days=when.past_end),
        )
        found.append(Person.account_id.in_(over))
    return or_(*found) if found else false()


def _idle_seat(
    organization_id: str, when: When, organization: OrganizationFacts, idle: ColumnElement[bool]
) -> ColumnElement[bool]:
    seats = select(Seat.account_id).where(Seat.organization_id == organization_id, idle)
    if when.products:
        seats = seats.where(Seat.resource_id.in_(organization.resources_of(when.products)))
    return Person.account_id.in_(seats)


def _added_before(now: datetime, days: int) -> ColumnElement[bool]:
    return Person.added_at <= now - timedelta(days=days)


def _holds_seat(organization_id: str, resource_ids: frozenset[str]) -> ColumnElement[bool]:
    holders = select(Seat.account_id).where(
        Seat.organization_id == organization_id, Seat.resource_id.in_(resource_ids)
    )
    return Person.account_id.in_(holders)


def _in_groups(organization_id: str, group_ids: Sequence[str]) -> ColumnElement[bool]:
    members = select(Membership.account_id).where(
        Membership.organization_id == organization_id, Membership.group_id.in_(group_ids)
    )
    return Person.account_id.in_(members)
