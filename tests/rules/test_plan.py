"""The verdict on one person: chosen, guarded, or not possible, each with its reason."""

from __future__ import annotations

import pytest
from hypothesis import given

from rules.case import CaseState, Deed, goal_reached
from rules.guards import SENTENCES, Guard, Guarded
from rules.person import PersonFacts
from rules.plan import CHOSEN, judge
from tests.rules.people import guards, people, person

NOBODY = Guarded("ana", frozenset())
SUSPENDED = {"membership_status": "suspended", "status": "suspended"}
DEACTIVATED = "The whole Atlassian account is deactivated"
NO_ACCESS = "Has no access"
SYNCED = "Belongs to your identity provider"


@pytest.mark.parametrize(
    ("deed", "columns", "reason"),
    [
        (Deed.SUSPEND, {}, ""),
        (Deed.RESTORE, SUSPENDED, ""),
        (Deed.SUSPEND, SUSPENDED, "Is suspended already."),
        (Deed.RESTORE, {}, "Is not suspended."),
        (Deed.SUSPEND, {"account_status": "inactive", "status": "deactivated"}, DEACTIVATED),
        (Deed.SUSPEND, {"account_status": "closed", "status": "for_deletion"}, DEACTIVATED),
        (Deed.RESTORE, SUSPENDED | {"account_status": "closed"}, DEACTIVATED),
        (Deed.SUSPEND, {"membership_status": "no_membership", "status": "not_invited"}, NO_ACCESS),
        (Deed.RESTORE, {"membership_status": "no_membership"}, NO_ACCESS),
        (Deed.SUSPEND, {"management_source": "synced"}, SYNCED),
        (Deed.RESTORE, SUSPENDED | {"management_source": "synced"}, SYNCED),
        (Deed.SUSPEND, {"management_source": ""}, ""),
    ],
)
def test_verdicts(deed: Deed, columns: dict[str, str], reason: str) -> None:
    verdict = judge(deed, person(**columns), NOBODY)
    assert verdict.reason.startswith(reason)
    if reason:
        assert (verdict.state, verdict.objection) == (CaseState.NOT_POSSIBLE, verdict.reason)
    else:
        assert verdict == CHOSEN
        assert verdict.objection is None


def test_somebody_in_two_directories_is_not_changed() -> None:
    verdict = judge(Deed.SUSPEND, person(), NOBODY, in_several_directories=True)
    assert verdict.state is CaseState.NOT_POSSIBLE
    assert "several directories" in verdict.reason


def test_a_guard_comes_before_an_obstacle() -> None:
    verdict = judge(Deed.SUSPEND, person("ana", management_source="synced"), NOBODY)
    assert (verdict.state, verdict.reason) == (CaseState.GUARDED, SENTENCES[Guard.YOURSELF])


@given(people, guards)
def test_whoever_is_chosen_can_be_changed(facts: PersonFacts, guarded: Guarded) -> None:
    for deed in Deed:
        verdict = judge(deed, facts, guarded)
        assert (verdict.state is CaseState.PLANNED) == (not verdict.reason)
        if verdict.state is CaseState.PLANNED:
            assert not goal_reached(deed, facts)
            assert facts.management_source != "synced"
            assert facts.account_status not in {"inactive", "closed"}
            assert facts.membership_status != "no_membership"
