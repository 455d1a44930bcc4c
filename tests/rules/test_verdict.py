"""The verdict on one person for one deed: chosen, guarded, or not possible, each with its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from rules.case import CaseState
from rules.changes import Change, ChangeKind, Snapshot, holds, way_back, whole_person
from rules.deeds import CAPABILITIES, Action, Deed
from rules.guards import SENTENCES, Guard, Guarded
from rules.judging import already, judge, judge_way_back
from rules.last_administrators import products_touched
from rules.organization import OrganizationFacts, ProtectedKind, Protection
from rules.person import GroupFacts, GroupRef, PersonFacts, ProductAccess
from rules.verdict import Ground, Verdict, Why
from tests.rules.organizations import PRODUCTS, RESOURCES, TODAY
from tests.rules.people import guards, people, person

ORGANIZATION = OrganizationFacts(products=PRODUCTS, doors=frozenset({RESOURCES[2], "ari:desk"}))
GROUND = Ground(Guarded("ana", frozenset()), ORGANIZATION, TODAY)
JIRA = RESOURCES[2]
SEATED = {"products": (ProductAccess(JIRA, "jira-software", None),)}
"""With a seat in a product that carries Rollcall: a notice there reaches them."""
ELSEWHERE = {"products": (ProductAccess(RESOURCES[0], "confluence", None),)}
SUSPENDED = {"membership_status": "suspended", "status": "suspended"}
MANAGED = {"claim_status": "managed"}
CLOSED = {"account_status": "closed", "status": "for_deletion"}
INACTIVE = {"account_status": "inactive", "status": "deactivated"}
DEACTIVATED = "The whole Atlassian account is deactivated"
NO_ACCESS = "Has no access"
SYNCED = "Belongs to your identity provider"
EXTERNAL = "External: only the organization that manages"
WHOLE = [deed for deed in Deed if whole_person(Action(deed))]


def verdict_on(deed: Deed, ground: Ground = GROUND, **columns: object) -> Verdict:
    return judge(Action(deed), Snapshot(person(**columns)), ground)


@pytest.mark.parametrize(
    ("deed", "columns", "reason"),
    [
        (Deed.SUSPEND, {}, ""),
        (Deed.RESTORE, SUSPENDED, ""),
        (Deed.SUSPEND, SUSPENDED, "Is suspended already."),
        (Deed.RESTORE, {}, "Is not suspended."),
        (Deed.SUSPEND, INACTIVE, DEACTIVATED),
        (Deed.SUSPEND, CLOSED, DEACTIVATED),
        (Deed.RESTORE, SUSPENDED | {"account_status": "closed"}, DEACTIVATED),
        (Deed.SUSPEND, {"membership_status": "no_membership", "status": "not_invited"}, NO_ACCESS),
        (Deed.RESTORE, {"membership_status": "no_membership"}, NO_ACCESS),
        (Deed.SUSPEND, {"management_source": "synced"}, SYNCED),
        (Deed.RESTORE, SUSPENDED | {"management_source": "synced"}, SYNCED),
        (Deed.SUSPEND, {"management_source": ""}, ""),
        (Deed.DEACTIVATE, MANAGED, ""),
        (Deed.DEACTIVATE, MANAGED | SUSPENDED, ""),
        (Deed.DEACTIVATE, {"claim_status": "unmanaged"}, EXTERNAL),
        (Deed.DEACTIVATE, {}, EXTERNAL),
        (Deed.DEACTIVATE, MANAGED | INACTIVE, DEACTIVATED),
        (Deed.REACTIVATE, MANAGED | INACTIVE, ""),
        (Deed.REACTIVATE, MANAGED, "The account is not deactivated."),
        (Deed.DELETE, MANAGED, ""),
        (Deed.DELETE, MANAGED | INACTIVE, ""),
        (Deed.DELETE, MANAGED | CLOSED, "The account is being deleted already."),
        (Deed.KEEP_ACCOUNT, MANAGED | CLOSED, ""),
        (Deed.KEEP_ACCOUNT, MANAGED, "The account is not being deleted."),
        # Deactivated, but nobody deletes it: there is nothing to cancel.
        (Deed.KEEP_ACCOUNT, MANAGED | INACTIVE, "The account is not being deleted."),
        (Deed.KEEP_ACCOUNT, MANAGED | {"status": "for_deletion"}, ""),
        (Deed.REMOVE, {}, ""),
        (Deed.REMOVE, SUSPENDED, ""),
        (Deed.REMOVE, INACTIVE, ""),
        (Deed.REMOVE, {"membership_status": "no_membership"}, NO_ACCESS),
    ],
)
def test_verdicts(deed: Deed, columns: dict[str, str], reason: str) -> None:
    verdict = verdict_on(deed, **columns)
    assert verdict.reason.startswith(reason)
    if reason:
        assert (verdict.state, verdict.objection) == (CaseState.NOT_POSSIBLE, verdict.reason)
        assert verdict.changes == ()
    else:
        assert verdict == Verdict(CaseState.PLANNED, changes=whole_person(Action(deed)))
        assert verdict.objection is None


@pytest.mark.parametrize(
    "columns", [{}, SUSPENDED, INACTIVE, {"management_source": "synced"}, {"account_type": "app"}]
)
def test_anybody_can_be_listed(columns: dict[str, object]) -> None:
    assert verdict_on(Deed.LIST, **columns) == Verdict(CaseState.PLANNED)


@pytest.mark.parametrize(
    ("columns", "reached"),
    [
        (SEATED, True),
        (SEATED | ELSEWHERE, False),
        ({"products": SEATED["products"] + ELSEWHERE["products"]}, True),
        ({"products": (ProductAccess("ari:desk", "jira-servicedesk", None),)}, True),
        ({"products": (ProductAccess("ari:jira-of-another-site", "jira-software", None),)}, False),
        ({}, False),
        (SEATED | SUSPENDED, False),
        (SEATED | INACTIVE, False),
        (SEATED | CLOSED, False),
        (SEATED | {"membership_status": "no_membership"}, False),
        (SEATED | {"membership_status": "", "account_status": ""}, True),
        # A notice locks nobody out: no guard keeps it from them, and no identity provider owns it.
        (SEATED | {"account_id": "ana"}, True),
        (SEATED | {"platform_roles": frozenset({"atlassian/org-admin"})}, True),
        (SEATED | {"management_source": "synced"}, True),
        (SEATED | {"account_type": "app"}, True),
    ],
)
def test_s56_only_those_are_told_whom_a_notice_can_reach(columns: dict[str, object], reached: bool) -> None:
    verdict = judge(Action(Deed.TELL), Snapshot(person(**{"account_id": "uma"} | columns)), GROUND)  # type: ignore[arg-type]
    if reached:
        assert verdict == Verdict(CaseState.PLANNED)
    else:
        assert (verdict.state, verdict.why) == (CaseState.NOT_POSSIBLE, Why.UNREACHABLE)
        assert verdict.objection == verdict.reason != ""


def test_without_a_product_that_carries_rollcall_nobody_is_told() -> None:
    ground = replace(GROUND, organization=replace(ORGANIZATION, doors=frozenset()))
    assert verdict_on(Deed.TELL, ground, **SEATED).why is Why.UNREACHABLE


def test_s48_whoever_let_a_run_go_is_not_locked_out_by_it() -> None:
    ground = replace(GROUND, guarded=Guarded("ana", frozenset(), frozenset({"uma", "app"})))
    for deed in Deed:
        if CAPABILITIES[deed].takes:
            verdict = verdict_on(deed, ground, **MANAGED)
            assert (verdict.state, verdict.reason) == (CaseState.GUARDED, SENTENCES[Guard.YOURSELF]), deed
    assert verdict_on(Deed.TELL, ground, **SEATED).state is CaseState.PLANNED
    assert verdict_on(Deed.RESTORE, ground, **SUSPENDED).state is CaseState.PLANNED
    other = judge(Action(Deed.SUSPEND), Snapshot(person("umi")), ground)
    assert other.state is CaseState.PLANNED


def test_somebody_in_two_directories_is_not_changed() -> None:
    verdict = judge(Action(Deed.SUSPEND), Snapshot(person()), GROUND, in_several_directories=True)
    assert (verdict.state, verdict.why) == (CaseState.NOT_POSSIBLE, Why.DIRECTORIES)


def test_what_atlassian_refused_is_not_asked_for_again() -> None:
    seen = Snapshot(person(**MANAGED))
    refused = judge(Action(Deed.DEACTIVATE), seen, GROUND, refusal="Only its owner may change this account.")
    assert (refused.reason, refused.why) == ("Only its owner may change this account.", Why.ATLASSIAN)
    assert judge(Action(Deed.SUSPEND), seen, GROUND, refusal="No.").state is CaseState.PLANNED


def test_a_guard_comes_before_an_obstacle() -> None:
    verdict = judge(Action(Deed.SUSPEND), Snapshot(person("ana", management_source="synced")), GROUND)
    assert (verdict.state, verdict.reason) == (CaseState.GUARDED, SENTENCES[Guard.YOURSELF])


@pytest.mark.parametrize(
    ("protection", "columns", "protected"),
    [
        (Protection(ProtectedKind.PERSON, "uma", "Board."), {}, True),
        (Protection(ProtectedKind.PERSON, "ulf", "Board."), {}, False),
        (Protection(ProtectedKind.PERSON, "uma", "Board.", until=TODAY), {}, True),
        (
            Protection(ProtectedKind.PERSON, "uma", "Board.", until=TODAY.replace(day=TODAY.day - 1)),
            {},
            False,
        ),
        (Protection(ProtectedKind.GROUP, "g0", "Board."), {"groups": (GroupRef("g0", "board"),)}, True),
        (Protection(ProtectedKind.GROUP, "g1", "Board."), {"groups": (GroupRef("g0", "board"),)}, False),
        (Protection(ProtectedKind.DOMAIN, "acme.example", "Board."), {"email": "uma@ACME.example"}, True),
        (Protection(ProtectedKind.DOMAIN, "acme.example", "Board."), {"email": "uma@globex.example"}, False),
        # Nobody can say that a hidden address is not of that domain.
        (Protection(ProtectedKind.DOMAIN, "acme.example", "Board."), {"email": None}, True),
    ],
)
def test_the_organizations_own_list(
    protection: Protection, columns: dict[str, object], protected: bool
) -> None:
    ground = replace(GROUND, organization=replace(ORGANIZATION, protections=(protection,)))
    verdict = verdict_on(Deed.SUSPEND, ground, **columns)
    assert (verdict.why is Why.PROTECTED) is protected
    if protected:
        assert verdict.state is CaseState.GUARDED
        assert verdict.reason.endswith(": Board.")
    assert verdict_on(Deed.TELL, ground, **SEATED | columns).state is CaseState.PLANNED


def test_whoever_owns_another_site_is_guarded() -> None:
    ground = replace(GROUND, organization=replace(ORGANIZATION, site_owners=frozenset({"uma"})))
    assert verdict_on(Deed.REMOVE, ground).reason == SENTENCES[Guard.SITE_OWNER]


@pytest.mark.parametrize(
    ("action", "touched"),
    [
        (Action(Deed.TELL), set()),
        (Action(Deed.SUSPEND), set(RESOURCES)),
        (Action(Deed.DELETE), set(RESOURCES)),
        (Action(Deed.REMOVE_ACCESS, products=("jira-software",)), {JIRA}),
        (Action(Deed.CHANGE_GROUPS, leave=("g0",), join=("g1",)), {JIRA}),
        (Action(Deed.CHANGE_GROUPS, join=("g0",)), set()),
    ],
)
def test_the_last_administrator_of_what_the_deed_is_about(action: Action, touched: set[str]) -> None:
    organization = replace(
        ORGANIZATION,
        groups={each: GroupFacts(each, each) for each in ("g0", "g1")},
        grants={"g0": frozenset({JIRA}), "g1": frozenset({RESOURCES[0]})},
        admins={each: frozenset({"uma"}) for each in RESOURCES},
    )
    assert products_touched(action, organization) == touched
    held = Snapshot(person(groups=(GroupRef("g0", "g0"),), products=(), **MANAGED))
    verdict = judge(action, held, replace(GROUND, organization=organization))
    if touched and action.deed is not Deed.REMOVE_ACCESS:
        assert verdict.why is Why.LAST_ADMIN
        assert verdict.reason.startswith("Is the last administrator of ")
    else:
        assert verdict.why is not Why.LAST_ADMIN


def test_groups_are_left_before_they_are_joined_and_only_where_needed() -> None:
    organization = replace(ORGANIZATION, groups={each: GroupFacts(each, each) for each in ("g0", "g1", "g2")})
    ground = replace(GROUND, organization=organization)
    seen = Snapshot(person(groups=(GroupRef("g0", "g0"), GroupRef("g2", "g2"))))
    verdict = judge(Action(Deed.CHANGE_GROUPS, leave=("g0", "g1"), join=("g2", "g1")), seen, ground)
    assert verdict.changes == (
        Change(ChangeKind.LEAVE_GROUP, "g0"),
        Change(ChangeKind.JOIN_GROUP, "g1"),
    )
    nothing = judge(Action(Deed.CHANGE_GROUPS, leave=("g1",), join=("g2",)), seen, ground)
    assert nothing.why is Why.DONE


@given(people, guards)
def test_whoever_is_chosen_can_be_changed(facts: PersonFacts, guarded: Guarded) -> None:
    for deed in WHOLE:
        verdict = judge(Action(deed), Snapshot(facts), replace(GROUND, guarded=guarded))
        assert (verdict.state is CaseState.PLANNED) == (not verdict.reason)
        if verdict.state is CaseState.PLANNED:
            assert not any(holds(change, Snapshot(facts)) for change in verdict.changes)
            assert facts.management_source != "synced"
            assert not CAPABILITIES[deed].managed_only or facts.claim_status == "managed"
        if verdict.state is CaseState.PLANNED and deed in (Deed.SUSPEND, Deed.RESTORE):
            assert facts.account_status not in {"inactive", "closed"}
            assert facts.membership_status != "no_membership"


SUSPEND = (Change(ChangeKind.SUSPEND),)
REMOVE = (Change(ChangeKind.REMOVE),)


@pytest.mark.parametrize(
    ("done", "seen", "objection"),
    [
        (SUSPEND, Snapshot(person(**SUSPENDED)), None),
        (SUSPEND, Snapshot(person()), "Has everything back already."),
        (SUSPEND, Snapshot(person(membership_status="no_membership")), "Somebody changed this person since."),
        (SUSPEND, None, "No longer in the organization's directory."),
        (REMOVE, Snapshot(person(membership_status="no_membership")), "There is no way back: "),
        ((), Snapshot(person()), "There is no way back: "),
    ],
)
def test_s51_undo(done: tuple[Change, ...], seen: Snapshot | None, objection: str | None) -> None:
    verdict = judge_way_back(way_back(done), done, seen)
    if objection is None:
        assert verdict == Verdict(CaseState.PLANNED, changes=way_back(done))
    else:
        assert verdict.state is CaseState.NOT_POSSIBLE
        assert verdict.reason.startswith(objection)


def test_changes_are_kept_as_words() -> None:
    for kind in ChangeKind:
        change = Change(kind, "about", "role")
        assert Change.from_words([*change.to_words(), True]) == change  # type: ignore[list-item]
        back = change.inverse()
        assert (back is None) == (kind in (ChangeKind.REMOVE, ChangeKind.INVITE))
        assert back is None or back.inverse() == change


def test_every_deed_that_takes_has_a_word_for_nothing_left_to_do() -> None:
    for deed in Deed:
        if CAPABILITIES[deed].takes:
            assert already(Action(deed)).endswith(".")
    assert set(CAPABILITIES) == set(Deed)
