"""Handover: who may have it, and what to do with each belonging from facts alone, whenever somebody was interrupted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.handover import (
    FAMILY,
    GIVEN,
    ORDER,
    TO_MOVE,
    WORDS,
    BelongingState,
    End,
    Go,
    Kind,
    Successor,
    decide_move,
    decide_return,
    objection_to,
    sole_steward,
)
from tests.rules.people import person

UMA, JON, ANA = "uma", "jon", "ana"
EVERYWHERE = frozenset({"jira", "confluence"})


def test_every_kind_has_words_and_a_place_in_the_order() -> None:
    assert set(ORDER) == set(Kind) - {Kind.TOKEN}
    assert set(WORDS) == set(Kind)
    assert set(FAMILY) | {Kind.GROUP, Kind.TOKEN} == set(Kind)


@pytest.mark.parametrize(
    ("columns", "families", "leaving", "words"),
    [
        ({}, EVERYWHERE, False, ""),
        ({}, frozenset({"confluence"}), False, "no access to Jira"),
        ({}, EVERYWHERE, True, "leaving too"),
        ({"status": "suspended", "membership_status": "suspended"}, EVERYWHERE, False, "not active"),
        ({"account_status": "inactive"}, EVERYWHERE, False, "account is not active"),
        ({"account_type": "app"}, EVERYWHERE, False, "not a person"),
    ],
)
def test_who_may_have_a_filter(
    columns: dict[str, object], families: frozenset[str], leaving: bool, words: str
) -> None:
    found = objection_to(Successor(person(JON, **columns), families, leaving), Kind.FILTER, UMA)
    assert words in found if words else not found


def test_nobody_and_the_leaver_may_have_nothing_and_a_space_needs_confluence() -> None:
    assert "directory" in objection_to(Successor(None), Kind.FILTER, UMA)
    assert "leaving" in objection_to(Successor(person(UMA), EVERYWHERE), Kind.FILTER, UMA)
    jira_only = Successor(person(JON), frozenset({"jira"}))
    assert "Confluence" in objection_to(jira_only, Kind.SPACE, UMA)
    assert not objection_to(Successor(person(JON)), Kind.GROUP, UMA)


@pytest.mark.parametrize(
    ("holders", "begun", "expected"),
    [
        ({UMA}, False, Go()),
        ({UMA}, True, Go()),
        ({JON}, True, BelongingState.MOVED),
        ({JON}, False, BelongingState.LEFT),
        ({ANA}, False, BelongingState.REFUSED),
        (set(), False, BelongingState.REFUSED),
        (None, True, BelongingState.REFUSED),
    ],
)
def test_what_to_do_with_one_filter(holders: set[str] | None, begun: bool, expected: object) -> None:
    found = decide_move(Kind.FILTER, holders, leaver=UMA, successor=JON, begun=begun)
    assert (
        found == expected if isinstance(expected, Go) else isinstance(found, End) and found.state is expected
    )


@pytest.mark.parametrize(
    ("kind", "holders", "expected"),
    [
        (Kind.FILTER, {JON}, Go()),
        (Kind.FILTER, {UMA}, BelongingState.MOVED_BACK),
        (Kind.FILTER, {ANA}, BelongingState.MOVED),
        (Kind.FILTER, set(), BelongingState.MOVED),
        (Kind.SPACE, {UMA, JON}, Go()),
        (Kind.SPACE, {UMA}, BelongingState.MOVED_BACK),
        (Kind.SPACE, None, BelongingState.MOVED),
    ],
)
def test_only_what_the_successor_still_has_is_handed_back(
    kind: Kind, holders: set[str] | None, expected: object
) -> None:
    found = decide_return(kind, holders, leaver=UMA, successor=JON, begun=False)
    assert (
        found == expected if isinstance(expected, Go) else isinstance(found, End) and found.state is expected
    )


def test_a_space_needs_a_new_steward_when_only_the_sites_administrators_are_left() -> None:
    assert sole_steward(UMA, {UMA}, {}, {ANA}) == "Nobody else may administer it."
    assert "site's administrators" in (
        sole_steward(UMA, {UMA}, {"admins": frozenset({ANA, UMA})}, {ANA}) or ""
    )
    assert sole_steward(UMA, {UMA, JON}, {}, {ANA}) is None
    assert sole_steward(UMA, {UMA}, {"team": frozenset({JON})}, {ANA}) is None
    assert sole_steward(UMA, {JON}, {}, {ANA}) is None


@given(
    kind=st.sampled_from(ORDER),
    # Before the row was written, after it, after the call, after the outcome; and somebody else's hand in between.
    deaths=st.lists(st.sampled_from(["row", "call", "end"]), max_size=6),
    meddling=st.lists(st.sampled_from(["", "", "", "ana", "gone"]), max_size=8),
)
def test_whoever_dies_wherever_each_thing_is_moved_once(
    kind: Kind, deaths: list[str], meddling: list[str]
) -> None:
    holders: set[str] | None = {UMA}
    state, calls = BelongingState.CHOSEN, 0
    for death in [*deaths, ""]:
        meddled = meddling.pop(0) if meddling else ""
        if meddled == "gone":
            holders = None
        elif meddled and holders is not None and kind not in GIVEN:
            holders = {meddled}
        begun = state is BelongingState.MOVING
        decision = decide_move(kind, holders, leaver=UMA, successor=JON, begun=begun)
        if isinstance(decision, End):
            if death == "end":
                continue
            state = decision.state
            break
        assert holders is not None
        if death == "row":
            state = BelongingState.MOVING
            continue
        state = BelongingState.MOVING
        calls += 1
        holders = {*holders, JON} if kind in GIVEN else {JON}
        if death in ("call", "end"):
            continue
        state = BelongingState.MOVED
        break
    assert calls <= 1
    if state is BelongingState.MOVED:
        assert calls == 1
        assert holders is not None
    elif state not in TO_MOVE:
        assert state in (BelongingState.REFUSED, BelongingState.LEFT)
