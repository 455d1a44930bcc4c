"""The path of one person through a run: which ways there are, and what to do next from facts alone (S50)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest

from rules.case import (
    CHANGED,
    OPEN,
    QUEUED,
    TRANSITIONS,
    UNFINISHED,
    WAITING,
    Act,
    CaseState,
    Decision,
    ImpossibleTransition,
    Record,
    Spare,
    Wait,
    decide,
    moved,
)
from rules.changes import Change, ChangeKind, Snapshot
from rules.person import GroupRef
from tests.rules.people import NOW, person

ENDS_EARLY = {"spared", "cancelled"}
OUTCOMES = {"acted", "failed", "refused"}
UNDO = {"undone", "undo_skipped"}
ALLOWED = {
    "review": {"planned", "held"} | ENDS_EARLY,
    "held": {"planned", "review"} | ENDS_EARLY,
    "planned": {"warned", "could_not_warn", "acting"} | OUTCOMES | ENDS_EARLY,
    "warned": {"acting", "could_not_warn", "answered"} | OUTCOMES | ENDS_EARLY,
    "could_not_warn": {"planned", "held"} | ENDS_EARLY,
    "answered": {"warned"} | ENDS_EARLY,
    "acting": {"planned", "warned"} | OUTCOMES | ENDS_EARLY,
    "acted": UNDO,
    "failed": UNDO | {"planned"},
    "refused": UNDO,
    "spared": UNDO,
    "cancelled": UNDO,
    "undo_skipped": {"undone"},
}
SETTLE = timedelta(seconds=40)
JUST_NOW, LONG_AGO = NOW - SETTLE + timedelta(seconds=1), NOW - SETTLE
ACTIVE = Snapshot(person())
SUSPENDED = Snapshot(person(membership_status="suspended", status="suspended"))
GONE = "No longer in the organization's directory."
SUSPEND, REMOVE = Change(ChangeKind.SUSPEND), Change(ChangeKind.REMOVE)
LEAVE_A, LEAVE_B, LEAVE_C = (Change(ChangeKind.LEAVE_GROUP, each) for each in "abc")


@pytest.mark.parametrize(("before", "after"), list(product(CaseState, CaseState)))
def test_every_transition(before: CaseState, after: CaseState) -> None:
    if after.value in ALLOWED.get(before.value, set()):
        assert moved(before, after) is after
    else:
        with pytest.raises(ImpossibleTransition):
            moved(before, after)


def test_every_state_has_its_ways() -> None:
    assert set(TRANSITIONS) == set(CaseState)


def test_from_everything_open_there_is_a_way_to_an_end() -> None:
    for state in OPEN:
        assert TRANSITIONS[state] - OPEN
    assert not UNFINISHED & WAITING


def test_stop_ends_everything_that_is_queued() -> None:
    assert all(CaseState.CANCELLED in TRANSITIONS[state] for state in QUEUED)


def test_whatever_may_have_changed_somebody_can_be_taken_back() -> None:
    for state in CHANGED - {CaseState.UNDO_SKIPPED}:
        assert TRANSITIONS[state] >= {CaseState.UNDONE, CaseState.UNDO_SKIPPED}
    assert {state for state in OPEN if CaseState.ACTING in TRANSITIONS[state]} <= UNFINISHED


@pytest.mark.parametrize(
    ("acting_since", "seen", "objection", "expected"),
    [
        # Nothing was tried yet.
        (None, ACTIVE, None, Act((SUSPEND,))),
        (None, ACTIVE, "Guarded now.", Spare("Guarded now.")),
        (None, SUSPENDED, "Is suspended already.", Spare("Is suspended already.")),
        (None, None, None, Spare(GONE)),
        # Something was tried, and nobody knows what came of it.
        (JUST_NOW, ACTIVE, None, Wait(JUST_NOW + SETTLE)),
        (JUST_NOW, ACTIVE, "Guarded now.", Wait(JUST_NOW + SETTLE)),
        (JUST_NOW, SUSPENDED, None, Record()),
        (JUST_NOW, SUSPENDED, "Is suspended already.", Record()),
        (JUST_NOW, None, None, Spare(GONE)),
        (LONG_AGO, ACTIVE, None, Act((SUSPEND,))),
        (LONG_AGO, ACTIVE, "Guarded now.", Spare("Guarded now.")),
        (LONG_AGO, SUSPENDED, "Is suspended already.", Record()),
    ],
)
def test_s50_what_to_do_next(
    acting_since: datetime | None, seen: Snapshot | None, objection: str | None, expected: Decision
) -> None:
    assert next_for(acting_since, seen, objection) == expected


def next_for(
    acting_since: datetime | None,
    seen: Snapshot | None,
    objection: str | None = None,
    begun: tuple[Change, ...] | None = None,
    planned: tuple[Change, ...] = (SUSPEND,),
) -> Decision:
    if acting_since is not None and begun is None:
        begun = (SUSPEND,)
    return decide(
        begun=begun,
        planned=planned,
        acting_since=acting_since,
        seen=seen,
        objection=objection,
        now=NOW,
        settle=SETTLE,
    )


def test_s50_whoever_was_removed_and_is_gone_was_removed() -> None:
    assert next_for(JUST_NOW, None, begun=(REMOVE,)) == Record()
    assert next_for(None, None, begun=(REMOVE,)) == Spare(GONE)


def in_groups(*names: str) -> Snapshot:
    return Snapshot(person(groups=tuple(GroupRef(each, each) for each in names)))


@pytest.mark.parametrize(
    ("acting_since", "groups", "planned", "expected"),
    [
        (JUST_NOW, "ab", (LEAVE_A, LEAVE_B), Wait(JUST_NOW + SETTLE)),
        (JUST_NOW, "b", (LEAVE_B,), Wait(JUST_NOW + SETTLE)),
        (JUST_NOW, "", (), Record()),
        (LONG_AGO, "b", (LEAVE_B,), Act((LEAVE_B,))),
        # Somebody let them into another group meanwhile: leaving the old ones alone would end nothing.
        (LONG_AGO, "bc", (LEAVE_B, LEAVE_C), Act((LEAVE_B, LEAVE_C))),
        # Retried after a known failure.
        (None, "bc", (LEAVE_B, LEAVE_C), Act((LEAVE_B, LEAVE_C))),
    ],
)
def test_s50_a_deed_of_several_changes_goes_on_where_it_was(
    acting_since: datetime | None, groups: str, planned: tuple[Change, ...], expected: Decision
) -> None:
    assert next_for(acting_since, in_groups(*groups), begun=(LEAVE_A, LEAVE_B), planned=planned) == expected


def test_s50_without_roles_nobody_knows_that_a_role_is_gone() -> None:
    change = Change(ChangeKind.REVOKE_ROLE, "ari", "atlassian/user")
    unread = replace(ACTIVE, roles=None)
    assert next_for(JUST_NOW, unread, begun=(change,), planned=()) == Wait(JUST_NOW + SETTLE)
    assert next_for(JUST_NOW, replace(ACTIVE, roles=()), begun=(change,), planned=()) == Record()
