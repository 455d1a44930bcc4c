"""Who is never touched (S48)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.case import CaseState
from rules.changes import Snapshot
from rules.deeds import FOR_RULES, Action, Deed
from rules.guards import MACHINE_DOMAINS, SENTENCES, Guard, Guarded, guard_of, is_machine
from rules.judging import judge
from rules.organization import OrganizationFacts
from rules.person import ORG_ADMIN, PersonFacts
from rules.verdict import Ground
from tests.rules.organizations import TODAY
from tests.rules.people import ACCOUNTS, guards, people, person

NOBODY = Guarded("ana", frozenset())


@pytest.mark.parametrize(
    ("facts", "guarded", "expected"),
    [
        (person(), NOBODY, None),
        (person("ana"), NOBODY, Guard.YOURSELF),
        (person("key"), Guarded("ana", frozenset({"key", "token"})), Guard.KEY_HOLDER),
        (person(platform_roles=frozenset({ORG_ADMIN})), NOBODY, Guard.ORG_ADMIN),
        (person(platform_roles=frozenset({"atlassian/site-admin"})), NOBODY, None),
        (person(account_type="app"), NOBODY, Guard.MACHINE),
        (person(email="svc-ci@serviceaccount.atlassian.com"), NOBODY, Guard.MACHINE),
        # The first reason is the one that is shown.
        (
            person("ana", platform_roles=frozenset({ORG_ADMIN})),
            Guarded("ana", frozenset({"ana"})),
            Guard.YOURSELF,
        ),
        (
            person("key", platform_roles=frozenset({ORG_ADMIN}), account_type="app"),
            Guarded("ana", frozenset({"key"})),
            Guard.KEY_HOLDER,
        ),
        (person(platform_roles=frozenset({ORG_ADMIN}), account_type="app"), NOBODY, Guard.ORG_ADMIN),
    ],
)
def test_s48_who_is_guarded(facts: PersonFacts, guarded: Guarded, expected: Guard | None) -> None:
    assert guard_of(facts, guarded) is expected


def test_s48_the_owner_of_another_site() -> None:
    assert guard_of(person("uma"), NOBODY, {"uma"}) is Guard.SITE_OWNER
    assert guard_of(person("uma"), NOBODY, {"ulf"}) is None


TAKING = [Action(deed, products=("jira-software",), leave=("g",)) for deed in FOR_RULES if Action(deed).takes]
GIVING = [Action(deed) for deed in Deed if not Action(deed).takes]


@given(people, guards, st.frozensets(st.sampled_from(ACCOUNTS), max_size=2))
def test_s48_the_guards_hold_for_every_deed_that_takes(
    facts: PersonFacts, guarded: Guarded, owners: frozenset[str]
) -> None:
    """Said again from the case, not from the code: yourself, the key's owner, org admins, machines, site owners."""
    untouchable = (
        facts.account_id == guarded.asked_by
        or facts.account_id in guarded.key_holders
        or "atlassian/org-admin" in facts.platform_roles
        or facts.account_type in {"app", "customer"}
        or (facts.email or "").endswith(tuple("@" + domain for domain in MACHINE_DOMAINS))
        or facts.account_id in owners
    )
    ground = Ground(guarded, OrganizationFacts(site_owners=owners), TODAY)
    for action in TAKING:
        verdict = judge(action, Snapshot(facts), ground)
        assert (verdict.state is CaseState.GUARDED) == untouchable
        if untouchable:
            assert verdict.reason in SENTENCES.values()


@given(people, guards)
def test_s48_what_locks_nobody_out_is_guarded_by_nothing(facts: PersonFacts, guarded: Guarded) -> None:
    for action in GIVING:
        verdict = judge(action, Snapshot(facts), Ground(guarded, OrganizationFacts(), TODAY))
        assert verdict.state is not CaseState.GUARDED


@pytest.mark.parametrize(
    ("email", "account_type", "expected"),
    [
        (None, "atlassian", False),
        (None, "", False),
        ("", "atlassian", False),
        ("ana@acme.example", "atlassian", False),
        ("ana@acme.example", "app", True),
        ("ana@acme.example", "customer", True),
        ("x@bots.connect.atlassian.com", "atlassian", True),
        ("X@Bots.Connect.Atlassian.Com", "", True),
        ("x@serviceaccount.atlassian.com", "atlassian", True),
        # An ending alone proves nothing.
        ("x@notbots.atlassian.com", "atlassian", False),
        ("x@atlassian.com", "atlassian", False),
        ("bots.connect.atlassian.com@acme.example", "atlassian", False),
    ],
)
def test_is_machine(email: str | None, account_type: str, expected: bool) -> None:
    assert is_machine(person(email=email, account_type=account_type)) is expected


def test_every_guard_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Guard)
