"""What has to be done first, before somebody's access can end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules.changes import Snapshot
from rules.deeds import Action, Deed
from rules.farewell import (
    ENDING_WORDS,
    ENDINGS,
    OVER,
    WORKING,
    Obstacle,
    action_of_ending,
    is_over_already,
    obstacles,
)
from rules.guards import Guarded
from rules.organization import ProtectedKind, Protection
from rules.person import ORG_ADMIN, ProductAccess
from rules.verdict import Ground
from tests.rules.organizations import RESOURCES
from tests.rules.people import person
from tests.rules.test_verdict import GROUND, ORGANIZATION

SUSPEND = Action(Deed.SUSPEND)


def found(ground: Ground = GROUND, action: Action = SUSPEND, **columns: object) -> set[Obstacle]:
    guides = obstacles(action, Snapshot(person(**columns)), ground)
    assert all(guide.steps and guide.title for guide in guides)
    return {guide.obstacle for guide in guides}


def test_nothing_stands_in_the_way_of_an_ordinary_person() -> None:
    assert found() == set()
    assert set(ENDING_WORDS) == set(ENDINGS)
    assert not WORKING & OVER


def test_everything_that_stands_in_the_way_is_said_at_once() -> None:
    organization = replace(
        ORGANIZATION,
        admins={RESOURCES[0]: frozenset({"uma"}), RESOURCES[1]: frozenset({"uma", "ana"})},
        site_owners=frozenset({"uma"}),
        protections=(Protection(ProtectedKind.PERSON, "uma", "Runs the payroll"),),
    )
    ground = Ground(Guarded("uma", frozenset({"uma"})), organization, GROUND.today)
    assert found(ground, platform_roles=frozenset({ORG_ADMIN})) == {
        Obstacle.YOURSELF,
        Obstacle.ORG_ADMIN,
        Obstacle.KEY_HOLDER,
        Obstacle.SITE_OWNER,
        Obstacle.LAST_ADMIN,
        Obstacle.PROTECTED,
    }
    assert found(ground, Action(Deed.LIST), platform_roles=frozenset({ORG_ADMIN})) == set()


@pytest.mark.parametrize(
    ("deed", "columns", "expected"),
    [
        (Deed.SUSPEND, {"management_source": "synced"}, {Obstacle.PROVIDER}),
        (Deed.DEACTIVATE, {"claim_status": "unmanaged"}, {Obstacle.OTHER}),
        (Deed.SUSPEND, {"account_type": "app"}, {Obstacle.MACHINE}),
        (Deed.SUSPEND, {"status": "suspended", "membership_status": "suspended"}, set()),
    ],
)
def test_what_the_verdict_on_the_ending_says(
    deed: Deed, columns: dict[str, object], expected: set[Obstacle]
) -> None:
    assert found(action=Action(deed), **columns) == expected


def test_whose_access_has_ended_needs_no_ending() -> None:
    gone = Snapshot(person(status="suspended", membership_status="suspended"))
    assert is_over_already(SUSPEND, gone, GROUND)
    assert is_over_already(SUSPEND, None, GROUND)
    assert not is_over_already(SUSPEND, Snapshot(person()), GROUND)
    assert not is_over_already(Action(Deed.LIST), gone, GROUND)


@pytest.mark.parametrize("deed", [Deed.SUSPEND, Deed.REMOVE_ACCESS])
@pytest.mark.parametrize(
    "columns",
    [
        {"account_status": "inactive", "status": "deactivated"},
        {"status": "for_deletion", "account_status": "closed"},
        {"membership_status": "no_membership", "status": "not_invited"},
    ],
)
def test_whoever_is_shut_out_by_more_than_the_ending_needs_none(deed: Deed, columns: dict[str, str]) -> None:
    assert found(action=Action(deed), **columns) == set()
    assert is_over_already(Action(deed), Snapshot(person(**columns)), GROUND)
    assert not is_over_already(Action(Deed.DELETE), Snapshot(person(status="deactivated")), GROUND)


def test_who_is_away_in_one_of_several_directories_may_be_here_in_another() -> None:
    seen = Snapshot(person(membership_status="no_membership", status="not_invited"))
    (guide,) = obstacles(SUSPEND, seen, GROUND, in_several_directories=True)
    assert guide.obstacle is Obstacle.OTHER


def test_access_to_products_ends_in_all_of_the_organizations() -> None:
    """Whatever they hold, it is not over before they hold none."""
    ending = action_of_ending(Deed.REMOVE_ACCESS, ORGANIZATION)
    assert set(ending.products) == set(ORGANIZATION.products)
    for each in RESOURCES:
        held = (ProductAccess(each, ORGANIZATION.products[each].key, None),)
        assert not is_over_already(ending, Snapshot(person(products=held)), GROUND)
        ground = replace(GROUND, organization=replace(ORGANIZATION, admins={each: frozenset({"uma"})}))
        assert found(ground, ending, products=held) == {Obstacle.LAST_ADMIN}
    assert is_over_already(ending, Snapshot(person(products=())), GROUND)
    assert [action_of_ending(deed, ORGANIZATION) for deed in ENDINGS if deed is not Deed.REMOVE_ACCESS] == [
        Action(deed) for deed in ENDINGS if deed is not Deed.REMOVE_ACCESS
    ]
