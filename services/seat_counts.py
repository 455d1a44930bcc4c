"""How many seats are taken and free in each product, as the last sync saw them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from connect.caller import Caller
from models.organization import seats_of
from services.doors import require_organization
from services.roster_words import product_words
from services.seats import seats_taken
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
    """Every product of the organization, as remembered."""
    found = []
    products = seats_of(session, organization_id)
    taken = seats_taken(session, organization_id, products)
    for each in products:
        free = max(each.capacity - taken[each.resource_id], 0) if each.capacity is not None else None
        product = product_words(each.key, each.host_url)
        found.append(FreeSeats(each.resource_id, product, taken[each.resource_id], free))
    return found
