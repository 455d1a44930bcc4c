"""What a deed changed shows in our own memory at once; the next sync reads it from Atlassian anyway."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from models.absence import Absence
from models.people import Membership, find_person
from models.run import Case, Run
from rules.changes import Change, ChangeKind
from rules.undo import status_after
from services.directory import free_places
from services.orders import Order
from services.returning import forget_the_time_before, was_gone
from services.seat_memory import add_seats, count_seats, forget_seats, seats_ended, seats_given, seats_held


def remember(session: Session, order: Order, earlier: Mapping[str, Any], now: datetime) -> None:
    """Shows the new state at once; the next sync reads it from Atlassian anyway. `earlier` is Case.earlier."""
    person = find_person(session, order.organization_id, order.account_id)
    changes = order.begun or ()
    # Somebody invited may be here by now, with what the invitation brought: before it they held nothing.
    is_new = any(change.kind is ChangeKind.INVITE for change in changes)
    before = frozenset[str]() if is_new else seats_held(session, person)
    if person is None:
        count_seats(session, order.organization_id, before, seats_given(order))
        return
    if is_new and was_gone(person):
        person.given_back_at = now
        forget_the_time_before(session, order.organization_id, [person], now)
    for change in changes:
        for column, value in status_after(change.kind).items():
            setattr(person, column, value)
            person.status_since, person.refusal = now, ""
        if change.kind is ChangeKind.REMOVE:
            person.left_at, person.seat_count = now, 0
            free_places(session, order.organization_id, [order.account_id])
        elif change.kind in (ChangeKind.LEAVE_GROUP, ChangeKind.JOIN_GROUP):
            _remember_membership(session, order, change)
    if _gives_back(order):
        person.given_back_at = now
    add_seats(session, order, person, now)
    forget_seats(session, order, person, seats_ended(session, order, earlier))
    count_seats(session, order.organization_id, before, seats_held(session, person))


def _gives_back(order: Order) -> bool:
    kinds = {change.kind for change in order.begun or ()}
    given = {ChangeKind.JOIN_GROUP, ChangeKind.ASSIGN_ROLE} if order.undoes is not None else set()
    return not kinds.isdisjoint(given | {ChangeKind.RESTORE, ChangeKind.REACTIVATE, ChangeKind.KEEP_ACCOUNT})


def _remember_membership(session: Session, order: Order, change: Change) -> None:
    key = (order.organization_id, order.account_id, change.about)
    membership = session.get(Membership, key)
    if change.kind is ChangeKind.LEAVE_GROUP and membership is not None:
        session.delete(membership)
    if change.kind is ChangeKind.JOIN_GROUP and membership is None:
        session.add(
            Membership(organization_id=key[0], account_id=key[1], group_id=key[2]),
        )


def remember_absence(session: Session, order: Order, case: Case, run: Run, now: datetime) -> None:
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
    if ChangeKind.SUSPEND not in kinds:
        return
    purpose = run.purpose or {}
    pause = order.step.pause if order.step is not None else None
    if not purpose and pause is None:
        return
    if session.get(Absence, (order.organization_id, case.id)) is not None:
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
