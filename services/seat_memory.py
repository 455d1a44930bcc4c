"""Seats in our memory after a deed of ours: who holds one, and how many are taken, before the next sync says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from models.organization import Seats
from models.people import Membership, Person, Seat
from rules.activity import ActivityKind
from rules.changes import ChangeKind
from rules.deeds import Deed
from rules.roster import FREE_ROLES
from services.directory import count_again
from services.orders import Order

# Asked for every deed: not built anew each time.
_HELD = select(Seat.resource_id).where(
    Seat.organization_id == bindparam("organization_id"), Seat.account_id == bindparam("account_id")
)
# Locked in the same order always: of two deeds at once, each would else wait for the other one's product.
_TOLD = (
    select(Seats.resource_id)
    .where(
        Seats.organization_id == bindparam("organization_id"),
        Seats.resource_id.in_(bindparam("resource_ids", expanding=True)),
        Seats.usage.is_not(None),
    )
    .order_by(Seats.resource_id)
    .with_for_update()
)


def seats_held(session: Session, person: Person | None) -> frozenset[str]:
    """Resource ids of the products in which somebody takes a seat; who is suspended, deactivated or gone takes none."""
    if person is None or person.status != "active" or person.left_at is not None:
        return frozenset()
    session.flush()
    about = {"organization_id": person.organization_id, "account_id": person.account_id}
    return frozenset(session.scalars(_HELD, about))


def seats_given(order: Order) -> frozenset[str]:
    """Resource ids of the products to which the changes of this order lead."""
    organization = order.ground.organization
    given: set[str] = set()
    for change in order.begun or ():
        if change.kind is ChangeKind.JOIN_GROUP:
            given |= organization.grants.get(change.about, frozenset())
        elif change.kind is ChangeKind.ASSIGN_ROLE and change.role not in FREE_ROLES:
            given.add(change.about)
    return frozenset(given & organization.products.keys())


def seats_ended(session: Session, order: Order, earlier: Mapping[str, Any]) -> frozenset[str]:
    """Resource ids of the products to which nothing leads any more once the changes of this order have landed.

    Where nobody asked for somebody's roles, a group that they left is taken for the only way, as in rules/access_path.
    """
    organization = order.ground.organization
    if order.action.deed is Deed.REMOVE_ACCESS:
        return frozenset(organization.resources_of(order.action.products))
    ended: set[str] = set()
    revoked: set[tuple[str, str]] = set()
    for change in order.begun or ():
        if change.kind is ChangeKind.LEAVE_GROUP:
            ended |= organization.grants.get(change.about, frozenset())
        elif change.kind is ChangeKind.REVOKE_ROLE and change.role not in FREE_ROLES:
            ended.add(change.about)
            revoked.add((change.about, change.role))
    if not ended:
        return frozenset()
    session.flush()
    groups = session.scalars(
        select(Membership.group_id).where(
            Membership.organization_id == order.organization_id, Membership.account_id == order.account_id
        )
    )
    by_group = {each for group_id in groups for each in organization.grants.get(group_id, frozenset())}
    by_role = {
        resource_id
        for resource_id, role, direct in earlier.get("roles", ())
        if direct and role not in FREE_ROLES and (resource_id, role) not in revoked
    }
    return frozenset(ended - by_group - by_role - seats_given(order))


def add_seats(session: Session, order: Order, person: Person, now: datetime) -> None:
    """What was given shows as a place that nobody has been seen in yet."""
    for resource_id in sorted(seats_given(order)):
        key = (order.organization_id, order.account_id, resource_id)
        if session.get(Seat, key) is None:
            session.add(
                Seat(
                    organization_id=key[0],
                    account_id=key[1],
                    resource_id=resource_id,
                    product_key=order.ground.organization.products[resource_id].key,
                    activity=ActivityKind.UNKNOWN.value,
                    since=now,
                )
            )
            person.seat_count += 1


def forget_seats(session: Session, order: Order, person: Person, ended: frozenset[str]) -> None:
    """Takes these seats out, and what the person did in them: it does not make them any fresher."""
    if not ended:
        return
    session.flush()
    mine = (Seat.organization_id == order.organization_id, Seat.account_id == order.account_id)
    session.execute(delete(Seat).where(*mine, Seat.resource_id.in_(ended)))
    count_again(session, person)


def count_seats(
    session: Session, organization_id: str, before: frozenset[str], after: frozenset[str]
) -> None:
    """One seat more or less in each product of which Atlassian tells a number; elsewhere who holds one is counted."""
    changed = before ^ after
    if not changed:
        return
    session.flush()
    about = {"organization_id": organization_id, "resource_ids": sorted(changed)}
    for resource_id in session.scalars(_TOLD, about).all():
        step = 1 if resource_id in after else -1
        session.execute(
            update(Seats)
            .where(
                Seats.organization_id == organization_id,
                Seats.resource_id == resource_id,
                Seats.usage + step >= 0,
            )
            .values(usage=Seats.usage + step)
        )
