"""How many seats are taken and free in each product, as the last sync saw them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from models.organization import seats_of
from models.people import Person, Seat
from services.doors import require_organization
from services.roster_words import product_words
from services.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class FreeSeats:
    """`free` is None where Atlassian names no limit."""

    resource_id: str
    product: str
    taken: int
    free: int | None


def free_seats(tools: Toolbox, caller: Caller) -> list[FreeSeats]:
    """Every product of the organization, by name."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        return sorted(seat_counts(session, organization_id), key=lambda one: one.product)


def seat_counts(session: Session, organization_id: str) -> list[FreeSeats]:
    """Where Atlassian does not tell how many are taken, we count: suspended and deactivated people take none."""
    seats = seats_of(session, organization_id)
    held = _held(session, organization_id) if any(each.usage is None for each in seats) else {}
    found = []
    for each in seats:
        taken = held.get(each.resource_id, 0) if each.usage is None else each.usage
        free = max(each.capacity - taken, 0) if each.capacity is not None else None
        found.append(FreeSeats(each.resource_id, product_words(each.key, each.host_url), taken, free))
    return found


def _held(session: Session, organization_id: str) -> dict[str, int]:
    query = (
        select(Seat.resource_id, func.count())
        .join(
            Person,
            (Person.organization_id == Seat.organization_id) & (Person.account_id == Seat.account_id),
        )
        .where(Seat.organization_id == organization_id, Person.status == "active", Person.left_at.is_(None))
        .group_by(Seat.resource_id)
    )
    return dict(session.execute(query).all())
