"""The cases that the tests of interruptions begin with: somebody with three ways into Jira, and a deed."""

from __future__ import annotations

from datetime import timedelta

from rules.case import CaseState
from rules.deeds import Action, Deed
from rules.judging import judge
from rules.organization import OrganizationFacts
from rules.person import GroupFacts
from tests.rules.organizations import PRODUCTS, RESOURCES, Real
from tests.rules.worker import SETTLE, Attempt, Row, World

JIRA = RESOURCES[2]
ORGANIZATION = OrganizationFacts(
    products=PRODUCTS,
    groups={each: GroupFacts(each, each) for each in ("a", "b", "c", "d")},
    grants={"a": frozenset({JIRA}), "b": frozenset({JIRA}), "c": frozenset({JIRA}), "d": frozenset()},
)
DEEDS = [
    Action(Deed.SUSPEND),
    Action(Deed.DEACTIVATE),
    Action(Deed.REMOVE),
    Action(Deed.CHANGE_GROUPS, leave=("a", "b"), join=("d",)),
    Action(Deed.REMOVE_ACCESS, products=("jira-software",)),
    Action(Deed.REMOVE_ACCESS, products=("jira-software",)),
]
GOES_WELL = Attempt(["done"] * 4, timedelta(0), timedelta(0), gives_up=False, reachable=True)


def a_new_case(action: Action, state: CaseState = CaseState.PLANNED, grace: int = 0) -> tuple[World, Row]:
    real = Real(direct={(JIRA, "atlassian/user")}, groups={"a", "b"}, columns={"claim_status": "managed"})
    world = World(ORGANIZATION, real)
    assert judge(action, real.seen(ORGANIZATION), world.ground()).state is CaseState.PLANNED
    return world, Row(action, state, grace=timedelta(days=grace))


def the_undo_of(world: World, case: Row) -> Row:
    undone = tuple(change for change in case.begun or () if change in case.landed)
    world.effective.clear()
    return Row(Action(Deed.GIVE_BACK), CaseState.PLANNED, undone=undone, look_at=world.now + SETTLE)
