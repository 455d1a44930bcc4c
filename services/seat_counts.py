"""How many seats are free in each product, as the last sync saw them."""

from __future__ import annotations

from dataclasses import dataclass

from connect.caller import Caller
from models.organization import seats_of
from services.doors import require_organization
from services.roster_words import product_words
from services.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class FreeSeats:
    """`free` is None where Atlassian names no limit."""

    product: str
    taken: int
    free: int | None


def free_seats(tools: Toolbox, caller: Caller) -> list[FreeSeats]:
    """Every product of the organization, by name."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        found = [
            FreeSeats(
                product_words(each.key, each.host_url),
                each.usage or 0,
                max(each.capacity - (each.usage or 0), 0) if each.capacity is not None else None,
            )
            for each in seats_of(session, organization_id)
        ]
    return sorted(found, key=lambda one: one.product)
