"""One interruption at every single call, of a deed and of its undo: few enough to try them all (S50, S51)."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from rules.case import CHANGED, UNFINISHED, CaseState
from rules.deeds import Action
from tests.rules.one_case import DEEDS, GOES_WELL, a_new_case, the_undo_of
from tests.rules.worker import Attempt, Died, Row, World, work

WRONG = ["rate limited", "lost before", "lost after", "dies before", "dies after"]
interrupted = pytest.mark.parametrize(
    ("wrong", "call", "late", "slow"), list(product(WRONG, range(3), [0, 39], [0, 50]))
)


def interrupt(
    world: World, row: Row, wrong: str, call: int, late: int, slow: int, *, gives_up: bool = False
) -> None:
    outcomes = ["done"] * call + [wrong] + ["done"] * 3
    attempt = Attempt(
        outcomes, timedelta(seconds=slow), timedelta(seconds=late), gives_up=gives_up, reachable=True
    )
    try:
        work(world, row, attempt)
    except Died:
        row.look_at = world.now


def go_on(world: World, row: Row) -> None:
    for _ in range(3):
        if row.state in UNFINISHED:
            work(world, row, GOES_WELL)


@interrupted
@pytest.mark.parametrize("action", DEEDS[:-1], ids=lambda action: action.deed)
def test_s50_wherever_it_is_interrupted_everything_happens_once(
    action: Action, wrong: str, call: int, late: int, slow: int
) -> None:
    world, case = a_new_case(action)
    interrupt(world, case, wrong, call, late, slow)
    go_on(world, case)
    assert case.state is CaseState.ACTED
    assert case.landed == set(case.begun or ()) == set(world.effective)
    assert set(world.effective.values()) == {1}


@interrupted
@pytest.mark.parametrize("action", [*DEEDS[:2], *DEEDS[3:5]], ids=lambda action: action.deed)
def test_s51_wherever_an_undo_is_interrupted_it_gives_back_exactly_what_was_taken(
    action: Action, wrong: str, call: int, late: int, slow: int
) -> None:
    world, case = a_new_case(action)
    before = world.real.copy()
    work(world, case, GOES_WELL)
    undo = the_undo_of(world, case)
    interrupt(world, undo, wrong, call, late, slow)
    go_on(world, undo)
    assert undo.state is CaseState.ACTED
    assert set(world.effective.values()) == {1}
    assert world.real == before


@interrupted
@pytest.mark.parametrize("again", ["go on", "fail and retry"])
@pytest.mark.parametrize("action", DEEDS[3:5], ids=lambda action: action.deed)
def test_s50_stop_forgets_nothing_that_landed(
    action: Action, again: str, wrong: str, call: int, late: int, slow: int
) -> None:
    world, case = a_new_case(action)
    interrupt(world, case, wrong, call, late, slow, gives_up=again == "fail and retry")
    if case.state is CaseState.FAILED:
        case.to(CaseState.PLANNED)
    case.stop()
    go_on(world, case)
    assert case.state in CHANGED
    assert set(world.effective) == case.landed
