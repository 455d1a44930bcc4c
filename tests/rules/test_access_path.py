"""Ending somebody's access: all of what was asked for, nothing else, and back exactly as it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.access_path import USER_ROLE, path_out
from rules.case import CaseState
from rules.changes import Change, ChangeKind, Snapshot, holds, still_to_do, way_back
from rules.deeds import Action, Deed
from rules.guards import Guarded
from rules.judging import judge, judge_way_back
from rules.organization import OrganizationFacts
from rules.person import GroupFacts, RoleHeld
from rules.verdict import Ground, Why
from tests.rules.organizations import (
    PRODUCTS,
    RESOURCES,
    TODAY,
    Real,
    done_deeds,
    organizations_and_somebody,
    tokens,
)

NOBODY = Guarded("ana", frozenset())
CONFLUENCE_ONE, CONFLUENCE_TWO, JIRA = RESOURCES
ending = st.frozensets(st.sampled_from(RESOURCES), min_size=1, max_size=2)


@given(organizations_and_somebody, ending)
def test_a_path_ends_what_was_asked_for_and_nothing_else(
    place: tuple[OrganizationFacts, Real], asked: frozenset[str]
) -> None:
    organization, real = place
    path = path_out(real.seen(organization), asked, organization)
    after = real.copy()
    for change in path.changes:
        assert after.apply(change), "every call of the path is needed"
    if path.obstacle:
        assert path.changes == ()
    else:
        assert after.access(organization) == real.access(organization) - asked


@given(organizations_and_somebody, tokens)
def test_only_product_access_is_taken_and_only_from_changeable_groups(
    place: tuple[OrganizationFacts, Real], products: tuple[str, ...]
) -> None:
    organization, real = place
    verdict = judge(
        Action(Deed.REMOVE_ACCESS, products=products),
        real.seen(organization),
        Ground(NOBODY, organization, TODAY),
    )
    asked = organization.resources_of(products)
    for change in verdict.changes:
        if change.kind is ChangeKind.LEAVE_GROUP:
            assert organization.grants[change.about], "permission groups are never left"
            assert organization.grants[change.about] <= asked
            assert organization.groups[change.about].modifiable
            assert not organization.groups[change.about].synced
        else:
            assert change.kind is ChangeKind.REVOKE_ROLE
            assert change.about in asked


@given(organizations_and_somebody, ending)
def test_before_anybody_asked_for_roles_the_path_goes_through_the_same_groups(
    place: tuple[OrganizationFacts, Real], asked: frozenset[str]
) -> None:
    organization, real = place
    """The preview knows no roles: it says the same obstacle, and leaves the same groups."""
    known, guessed = (
        path_out(real.seen(organization, with_roles=roles), asked, organization) for roles in (True, False)
    )
    assert (guessed.obstacle, guessed.groups) == (known.obstacle, known.groups)
    assert leaving(guessed.changes) == leaving(known.changes)
    assert {change.about for change in guessed.changes if change.role} <= {
        change.about for change in known.changes if change.role
    }


def leaving(changes: tuple[Change, ...]) -> list[str]:
    return [change.about for change in changes if change.kind is ChangeKind.LEAVE_GROUP]


def what_is_done(organization: OrganizationFacts, real: Real, action: Action) -> tuple[Change, ...]:
    seen = real.seen(organization)
    verdict = judge(action, seen, Ground(NOBODY, organization, TODAY))
    return still_to_do(verdict.changes, seen)


@given(done_deeds())
def test_s51_the_way_back_restores_exactly_what_was(deed: tuple[OrganizationFacts, Real, Action]) -> None:
    organization, real, action = deed
    before = real.copy()
    done = what_is_done(*deed)
    assert done or action.deed is Deed.REMOVE_ACCESS, "a group that grants more is an obstacle"
    assert all(real.apply(change) for change in done)
    assert still_to_do(done, real.seen(organization)) == ()
    back = way_back(done)
    assert len(back) == len(done)
    if done:
        assert judge_way_back(back, done, real.seen(organization)).changes == back
    assert all(real.apply(change) for change in back)
    assert real == before
    assert real.seen(organization) == before.seen(organization)


@given(done_deeds(), st.integers(0, 3))
def test_s51_an_interrupted_undo_goes_on(deed: tuple[OrganizationFacts, Real, Action], landed: int) -> None:
    """What the undo itself has taken back already does not look like somebody else's doing."""
    organization, real, _action = deed
    done = what_is_done(*deed)
    back = way_back(done)
    landed = min(landed, len(back) - 1)
    for change in (*done, *back[:landed]):
        real.apply(change)
    seen = real.seen(organization)
    if landed >= 0:
        assert judge_way_back(back, done, seen, begun=back).state is CaseState.PLANNED
    if landed > 0:
        assert judge_way_back(back, done, seen).objection == "Somebody changed this person since."


@given(done_deeds(), st.integers(0, 9))
def test_s51_whoever_was_changed_by_hand_since_is_left_alone(
    deed: tuple[OrganizationFacts, Real, Action], which: int
) -> None:
    organization, real, _action = deed
    done = what_is_done(*deed)
    back = way_back(done)
    for change in done:
        real.apply(change)
    if back:
        real.apply(back[which % len(back)])
        verdict = judge_way_back(back, done, real.seen(organization))
        assert (verdict.state, verdict.why) == (CaseState.NOT_POSSIBLE, Why.DONE)


# Examples.

STAFF = GroupFacts("g0", "staff")


def organization_with(**grants: frozenset[str]) -> OrganizationFacts:
    groups = {each: GroupFacts(each, f"name of {each}") for each in grants}
    return OrganizationFacts(products=PRODUCTS, groups=groups, grants=grants)


def test_a_group_that_grants_two_products_is_said_by_name() -> None:
    organization = organization_with(g0=frozenset({JIRA, CONFLUENCE_ONE}))
    path = path_out(Real(groups={"g0"}).seen(organization), [JIRA], organization)
    assert path.obstacle == "Leaving name of g0 would also end Confluence on one.atlassian.net."
    alone = replace(organization, products={each: PRODUCTS[each] for each in (JIRA, CONFLUENCE_ONE)})
    path = path_out(Real(groups={"g0"}).seen(alone), [JIRA], alone)
    assert path.obstacle == "Leaving name of g0 would also end Confluence."
    both = path_out(Real(groups={"g0"}).seen(organization), [JIRA, CONFLUENCE_ONE], organization)
    assert both.changes == (Change(ChangeKind.LEAVE_GROUP, "g0"),)


def test_of_the_same_product_on_two_sites_each_is_named_by_its_site() -> None:
    """Whoever takes it away on one site reads that it would end on the other one, too."""
    organization = organization_with(g0=frozenset({CONFLUENCE_ONE, CONFLUENCE_TWO}))
    real = Real(groups={"g0"})
    path = path_out(real.seen(organization), [CONFLUENCE_ONE], organization)
    assert path.obstacle == "Leaving name of g0 would also end Confluence on two.atlassian.net."
    path = path_out(real.seen(organization), [CONFLUENCE_ONE, CONFLUENCE_TWO], organization)
    assert path.changes == (Change(ChangeKind.LEAVE_GROUP, "g0"),)


@pytest.mark.parametrize("owned", [{"synced": True}, {"modifiable": False}])
def test_an_identity_providers_group_is_left_there(owned: dict[str, bool]) -> None:
    organization = organization_with(g0=frozenset({JIRA}))
    organization = replace(organization, groups={"g0": replace(STAFF, **owned)})  # type: ignore[arg-type]
    path = path_out(Real(groups={"g0"}).seen(organization), [JIRA], organization)
    assert path.obstacle == "staff belongs to your identity provider: remove them there."
    assert (path.provider, path.groups, path.changes) == (True, ("g0",), ())


def test_what_the_provider_would_end_besides_is_said() -> None:
    """Its administrator takes people out of whole groups: who still works in Confluence must not be surprised."""
    organization = organization_with(
        g0=frozenset({JIRA, CONFLUENCE_ONE}), g1=frozenset({JIRA}), g2=frozenset()
    )
    synced = {each: replace(STAFF, id=each, name=each, synced=True) for each in ("g0", "g1", "g2")}
    organization = replace(organization, groups=synced)
    seen = Real(groups={"g0", "g1", "g2"}).seen(organization)
    path = path_out(seen, [JIRA], organization)
    assert path.obstacle == (
        "g0 and g1 belong to your identity provider: remove them there."
        " That would also end Confluence on one.atlassian.net."
    )
    assert path_out(seen, [JIRA, CONFLUENCE_ONE], organization).obstacle.endswith(": remove them there.")


def test_both_ways_are_closed() -> None:
    organization = organization_with(g0=frozenset({JIRA}), permissions=frozenset())
    real = Real(groups={"g0", "permissions"}, direct={(JIRA, USER_ROLE), (JIRA, "atlassian/admin")})
    path = path_out(real.seen(organization), [JIRA], organization)
    assert set(path.changes) == {
        Change(ChangeKind.REVOKE_ROLE, JIRA, USER_ROLE),
        Change(ChangeKind.REVOKE_ROLE, JIRA, "atlassian/admin"),
        Change(ChangeKind.LEAVE_GROUP, "g0"),
    }


def test_a_role_by_a_group_that_nobody_has_read_is_an_obstacle() -> None:
    organization = organization_with()
    seen = replace(
        Real(direct={(JIRA, USER_ROLE)}).seen(organization),
        roles=(RoleHeld(JIRA, USER_ROLE, direct=True, by_group=True),),
    )
    path = path_out(seen, [JIRA], organization)
    assert path.obstacle == "Comes to Jira by a group that Rollcall cannot see."
    assert path.changes == ()


@pytest.mark.parametrize("direct", [True, False])
def test_the_role_of_ai_opens_nothing_and_is_nobodys_to_take(direct: bool) -> None:
    organization = organization_with()
    real = Real(direct={(JIRA, USER_ROLE)}).seen(organization)
    ai = RoleHeld(JIRA, "atlassian/ai-access", direct=direct, by_group=not direct)
    path = path_out(replace(real, roles=(ai, *(real.roles or ()))), [JIRA], organization)
    assert path.changes == (Change(ChangeKind.REVOKE_ROLE, JIRA, USER_ROLE),)


def test_roles_that_nobody_asked_for_are_not_taken_for_revoked() -> None:
    change = Change(ChangeKind.REVOKE_ROLE, JIRA, USER_ROLE)
    facts = Real(direct={(JIRA, USER_ROLE)}).seen(organization_with()).facts
    assert not holds(change, Snapshot(facts, None))
    assert holds(change, Snapshot(facts, ()))


def test_one_product_on_every_site_or_on_one() -> None:
    organization = organization_with()
    assert organization.resources_of(["confluence"]) == {CONFLUENCE_ONE, CONFLUENCE_TWO}
    assert organization.resources_of([CONFLUENCE_TWO, "gone"]) == {CONFLUENCE_TWO}
