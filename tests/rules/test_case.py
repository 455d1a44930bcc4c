"""The path of one person through a run: which ways there are, and what to do next from facts alone (S50)."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from rules.case import (
    TRANSITIONS,
    UNFINISHED,
    Act,
    CaseState,
    Decision,
    Deed,
    ImpossibleTransition,
    Record,
    Spare,
    Wait,
    decide,
    goal_reached,
    moved,
)
from rules.person import PersonFacts
from tests.rules.people import NOW, person

ALLOWED = {
    "planned": {"acting", "acted", "spared", "cancelled", "failed", "refused"},
    "acting": {"planned", "acted", "failed", "refused", "spared", "cancelled"},
    "acted": {"undone", "undo_skipped"},
    "undo_skipped": {"undone"},
    "failed": {"planned"},
}
SETTLE = timedelta(seconds=40)
JUST_NOW, LONG_AGO = NOW - SETTLE + timedelta(seconds=1), NOW - SETTLE
ACTIVE = person()
SUSPENDED = person(membership_status="suspended", status="suspended")
GONE = "No longer in the organization's directory."


@pytest.mark.parametrize(("before", "after"), list(product(CaseState, CaseState)))
def test_every_transition(before: CaseState, after: CaseState) -> None:
    if after.value in ALLOWED.get(before.value, set()):
        assert moved(before, after) is after
    else:
        with pytest.raises(ImpossibleTransition):
            moved(before, after)


def test_every_state_has_its_ways() -> None:
    assert set(TRANSITIONS) == set(CaseState)


def test_from_everything_unfinished_there_is_a_way_to_an_end() -> None:
    for state in UNFINISHED:
        assert TRANSITIONS[state] - UNFINISHED


@pytest.mark.parametrize(
    ("deed", "facts", "reached"),
    [
        (Deed.SUSPEND, SUSPENDED, True),
        (Deed.SUSPEND, ACTIVE, False),
        (Deed.SUSPEND, person(membership_status=""), False),
        (Deed.RESTORE, ACTIVE, True),
        (Deed.RESTORE, SUSPENDED, False),
        (Deed.RESTORE, person(membership_status="no_membership"), False),
    ],
)
def test_what_a_deed_is_for(deed: Deed, facts: PersonFacts, reached: bool) -> None:
    assert goal_reached(deed, facts) is reached


@pytest.mark.parametrize(
    ("acting_since", "facts", "objection", "expected"),
    [
        # Nothing was tried yet.
        (None, ACTIVE, None, Act()),
        (None, ACTIVE, "Guarded now.", Spare("Guarded now.")),
        (None, SUSPENDED, "Is suspended already.", Spare("Is suspended already.")),
        (None, None, None, Spare(GONE)),
        # Something was tried, and nobody knows what came of it.
        (JUST_NOW, ACTIVE, None, Wait(JUST_NOW + SETTLE)),
        (JUST_NOW, ACTIVE, "Guarded now.", Wait(JUST_NOW + SETTLE)),
        (JUST_NOW, SUSPENDED, None, Record()),
        (JUST_NOW, SUSPENDED, "Is suspended already.", Record()),
        (JUST_NOW, None, None, Spare(GONE)),
        (LONG_AGO, ACTIVE, None, Act()),
        (LONG_AGO, ACTIVE, "Guarded now.", Spare("Guarded now.")),
        (LONG_AGO, SUSPENDED, "Is suspended already.", Record()),
    ],
)
def test_s50_what_to_do_next(
    acting_since: object, facts: PersonFacts | None, objection: str | None, expected: Decision
) -> None:
    found = decide(
        deed=Deed.SUSPEND,
        acting_since=acting_since,  # type: ignore[arg-type]
        facts=facts,
        objection=objection,
        now=NOW,
        settle=SETTLE,
    )
    assert found == expected


def test_s50_a_restoration_is_decided_by_the_same_facts() -> None:
    def next_for(facts: PersonFacts) -> Decision:
        return decide(
            deed=Deed.RESTORE, acting_since=JUST_NOW, facts=facts, objection=None, now=NOW, settle=SETTLE
        )

    assert next_for(ACTIVE) == Record()
    assert next_for(SUSPENDED) == Wait(JUST_NOW + SETTLE)
