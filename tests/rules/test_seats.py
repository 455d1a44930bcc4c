"""How many seats a deed would free."""

from __future__ import annotations

import pytest

from rules.deeds import Action, Deed
from rules.organization import OrganizationFacts
from rules.person import GroupRef, ProductAccess
from rules.seats import seats_freed
from tests.rules.organizations import PRODUCTS, RESOURCES
from tests.rules.people import person

ONE, TWO, JIRA = RESOURCES
ORGANIZATION = OrganizationFacts(
    products=PRODUCTS,
    grants={
        "jira": frozenset({JIRA}),
        "both": frozenset({JIRA, ONE}),
        "new": frozenset({JIRA}),
        "none": frozenset(),
    },
)


@pytest.mark.parametrize("status", ["active", "suspended", "deactivated"])
@pytest.mark.parametrize(
    ("action", "freed"),
    [
        (Action(Deed.LIST), 0),
        (Action(Deed.TELL), 0),
        (Action(Deed.SUSPEND), 3),
        (Action(Deed.DEACTIVATE), 3),
        (Action(Deed.REMOVE), 3),
        (Action(Deed.DELETE), 3),
        (Action(Deed.REMOVE_ACCESS, products=("confluence",)), 2),
        (Action(Deed.REMOVE_ACCESS, products=(ONE,)), 1),
        (Action(Deed.CHANGE_GROUPS, leave=("jira",)), 0),
        (Action(Deed.CHANGE_GROUPS, leave=("both",)), 1),
        (Action(Deed.CHANGE_GROUPS, leave=("jira", "both")), 2),
        (Action(Deed.CHANGE_GROUPS, leave=("jira", "both"), join=("new",)), 1),
        (Action(Deed.CHANGE_GROUPS, join=("none",)), 0),
    ],
)
def test_only_seats_that_are_taken_and_would_end_are_counted(action: Action, freed: int, status: str) -> None:
    products = tuple(ProductAccess(each, PRODUCTS[each].key, None) for each in RESOURCES)
    groups = tuple(GroupRef(name, name) for name in ("jira", "both", "none"))
    facts = person(status=status, products=products, groups=groups)
    assert seats_freed(action, facts, ORGANIZATION) == (freed if status == "active" else 0)
