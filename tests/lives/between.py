"""What comes between two effects of the worker: its own death, another worker, or whatever else counts just then."""

from __future__ import annotations

from contextlib import suppress

from tests.lives.giving import (
    decide_about_an_end,
    switch_an_access_rule,
    the_provider_moves_somebody,
    the_provider_says,
    write_an_access_rule,
)
from tests.lives.leaving import lead_a_leaver, write_a_last_day
from tests.lives.operators import (
    decide_about_answers,
    protect,
    run_a_rule,
    stop_a_run,
    switch_a_rule,
    take_back_a_run,
    take_back_one_case,
    try_again,
    write_a_rule,
)
from tests.lives.others import (
    answer_a_warning,
    changes_show_late,
    somebody_comes,
    somebody_is_changed,
    somebody_leaves,
    somebody_moves,
    something_goes_wrong,
)
from tests.lives.stage import Acts, NothingToDo, Stage
from tests.lives.worker import PARTS, act_on_people, another_worker, sync
from tests.services.workers import Around, Killed, with_something_between

ACTS_BETWEEN: Acts = {
    another_worker: 20,
    stop_a_run: 12,
    switch_a_rule: 8,
    answer_a_warning: 10,
    take_back_one_case: 6,
    take_back_a_run: 5,
    run_a_rule: 3,
    write_a_rule: 2,
    try_again: 2,
    protect: 4,
    decide_about_answers: 2,
    somebody_is_changed: 7,
    somebody_moves: 5,
    somebody_comes: 4,
    somebody_leaves: 1,
    something_goes_wrong: 3,
    changes_show_late: 2,
    sync: 5,
    the_provider_says: 6,
    the_provider_moves_somebody: 3,
    decide_about_an_end: 6,
    switch_an_access_rule: 3,
    write_an_access_rule: 2,
    lead_a_leaver: 5,
    write_a_last_day: 2,
}
SOON = 0.12
"""How probable it is at each moment between two effects: at most about ten of them belong to one person."""


def the_worker_dies(life: Stage) -> None:
    def around(*moment: str) -> None:
        if life.dice.random() < SOON:
            life.said.append(" ".join(moment))
            raise Killed

    _work_with(life, around)


def something_comes_between(life: Stage) -> None:
    left = [True]

    def around(*moment: str) -> None:
        if left and life.dice.random() < SOON:
            left.clear()
            life.said.append(" ".join(moment))
            _one_of_them(life)

    _work_with(life, around)


def _one_of_them(life: Stage) -> None:
    for act in life.dice.choices([*ACTS_BETWEEN], [*ACTS_BETWEEN.values()], k=5):
        life.said.append(act.__name__)
        with suppress(NothingToDo):
            return act(life)
    return None


def _work_with(life: Stage, around: Around) -> None:
    """Mostly while people are acted on."""
    busy = life.dice.choice([*PARTS, *[act_on_people] * 8])
    if busy is act_on_people and not life.is_work_due:
        raise NothingToDo
    life.said.append(busy.__name__)
    with life.watch.step(calls=True), suppress(Killed):
        for part in PARTS:
            part(life, with_something_between(life.tools, around) if part is busy else life.tools)


ACTS: Acts = {the_worker_dies: 10, something_comes_between: 40}
