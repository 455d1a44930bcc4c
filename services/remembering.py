"""What a deed changed shows in our own memory at once; the next sync reads it from Atlassian anyway."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models.absence import Absence
from models.people import Membership, Person, Seat, find_person
from models.run import Case, Run
from rules.activity import Activity, ActivityKind, combined
from rules.changes import Change, ChangeKind
from rules.deeds import Deed
from rules.roster import FREE_ROLES
from rules.undo import status_after
from services.orders import Order


def remember(session: Session, order: Order, now: datetime) -> None:
    """Shows the new state at once; the next sync reads it from Atlassian anyway."""
    person = find_person(session, order.organization_id, order.account_id)
    if person is None:
        return
    for change in order.begun or ():
        for column, value in status_after(change.kind).items():
            setattr(person, column, value)
            person.status_since, person.refusal = now, ""
        if change.kind is ChangeKind.REMOVE:
            person.left_at, person.seat_count = now, 0
        elif change.kind in (ChangeKind.LEAVE_GROUP, ChangeKind.JOIN_GROUP):
            _remember_membership(session, order, change)
    if order.action.deed is Deed.REMOVE_ACCESS:
        _forget_seats(session, order, person)
    else:
        _add_seats(session, order, person)


def _remember_membership(session: Session, order: Order, change: Change) -> None:
    key = (order.organization_id, order.account_id, change.about)
    membership = session.get(Membership, key)
    if change.kind is ChangeKind.LEAVE_GROUP and membership is not None:
        session.delete(membership)
    if change.kind is ChangeKind.JOIN_GROUP and membership is None:
        session.add(
            Membership(organization_id=key[0], account_id=key[1], group_id=key[2]),
        )


def _add_seats(session: Session, order: Order, person: Person) -> None:
    """What was given shows as a place that nobody has been seen in yet."""
    organization = order.ground.organization
    given = {
        resource_id
        for change in order.begun or ()
        for resource_id in (
            organization.grants.get(change.about, ())
            if change.kind is ChangeKind.JOIN_GROUP
            else (change.about,)
            if change.kind is ChangeKind.ASSIGN_ROLE and change.role not in FREE_ROLES
            else ()
        )
        if resource_id in organization.products
    }
    for resource_id in sorted(given):
        key = (order.organization_id, order.account_id, resource_id)
        if session.get(Seat, key) is None:
            session.add(
                Seat(
                    organization_id=key[0],
                    account_id=key[1],
                    resource_id=resource_id,
                    product_key=organization.products[resource_id].key,
                    activity=ActivityKind.UNKNOWN.value,
                )
            )
            person.seat_count += 1


def _forget_seats(session: Session, order: Order, person: Person) -> None:
    ended = order.ground.organization.resources_of(order.action.products)
    session.execute(
        delete(Seat).where(
            Seat.organization_id == order.organization_id,
            Seat.account_id == order.account_id,
            Seat.resource_id.in_(ended),
        )
    )
    session.flush()
    held = select(Seat.product_key, Seat.activity, Seat.seen_at).where(
        Seat.organization_id == order.organization_id, Seat.account_id == order.account_id
    )
    left = [
        Activity(ActivityKind(kind), seen_at if kind == ActivityKind.SEEN else person.added_at, key)
        for key, kind, seen_at in session.execute(held)
    ]
    # What they did in a product that they lost does not make them any fresher.
    activity = combined(left)
    seen = activity.kind is ActivityKind.SEEN
    person.seat_count, person.activity = len(left), activity.kind.value
    person.seen_at, person.seen_in = (activity.at, activity.product) if seen else (None, "")


def remember_absence(session: Session, order: Order, case: Case, now: datetime) -> None:
    """A suspension that landed carries its reason, note and end; whoever is back is no longer away."""
    kinds = {change.kind for change in order.landed}
    if ChangeKind.RESTORE in kinds:
        session.execute(
            update(Absence)
            .where(
                Absence.organization_id == order.organization_id,
                Absence.account_id == order.account_id,
                Absence.ended_at.is_(None),
            )
            .values(ended_at=now)
        )
    if ChangeKind.SUSPEND not in kinds or session.get(Absence, (order.organization_id, case.id)) is not None:
        return
    run = session.get_one(Run, (order.organization_id, order.run_id))
    purpose = run.purpose or {}
    pause = order.step.pause if order.step is not None else None
    if not purpose and pause is None:
        return
    ends_on = (
        order.ground.today + timedelta(days=pause)
        if pause is not None
        else datetime.fromisoformat(purpose["ends_on"]).date()
        if purpose.get("ends_on")
        else None
    )
    session.add(
        Absence(
            organization_id=order.organization_id,
            case_id=case.id,
            account_id=order.account_id,
            reason=purpose.get("reason", "") or case.because[:100],
            note=purpose.get("note", ""),
            ends_on=ends_on,
            comes_back=order.step.comes_back if order.step is not None else bool(purpose.get("comes_back")),
            began_at=now,
        )
    )
