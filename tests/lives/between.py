"""What comes between two effects of the worker: its own death, another worker, or whatever else counts just then."""

from __future__ import annotations

from contextlib import suppress

from tests.lives.desk import a_ticket_is_changed, switch_the_ticket_rule
from tests.lives.doors import the_app_is_uninstalled, the_key_expires
from tests.lives.giving import (
    decide_about_an_end,
    disconnect_the_provider,
    switch_an_access_rule,
    switch_the_provider,
    the_provider_moves_somebody,
    the_provider_says,
    write_an_access_rule,
)
from tests.lives.leaving import hand_back, lead_a_leaver, write_a_last_day
from tests.lives.operators import (
    decide_about_answers,
    protect,
    review,
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
    follow_an_old_link,
    somebody_comes,
    somebody_is_changed,
    somebody_leaves,
    somebody_moves,
    something_goes_wrong,
)
from tests.lives.post import the_post_is_slow
from tests.lives.stage import Acts, NothingToDo, Stage
from tests.lives.worker import PARTS, Part, act_on_people, another_worker, sync
from tests.services.workers import Around, Killed, with_something_between

ACTS_BETWEEN: Acts = {
    another_worker: 32,
    stop_a_run: 18,
    switch_a_rule: 14,
    answer_a_warning: 12,
    take_back_one_case: 6,
    take_back_a_run: 5,
    run_a_rule: 3,
    write_a_rule: 2,
    try_again: 2,
    protect: 8,
    decide_about_answers: 2,
    follow_an_old_link: 1,
    the_key_expires: 2,
    the_app_is_uninstalled: 2,
    disconnect_the_provider: 2,
    switch_the_provider: 2,
    a_ticket_is_changed: 3,
    switch_the_ticket_rule: 2,
    review: 3,
    the_post_is_slow: 2,
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
    hand_back: 2,
    write_a_last_day: 2,
}
ABOUT_WHO_IS_IN_HAND: Acts = {
    another_worker: 9,
    stop_a_run: 6,
    switch_a_rule: 5,
    answer_a_warning: 4,
    take_back_one_case: 3,
    protect: 4,
    somebody_comes: 3,
    decide_about_an_end: 3,
    the_provider_says: 3,
    switch_the_provider: 1,
    a_ticket_is_changed: 3,
    lead_a_leaver: 2,
    the_key_expires: 1,
}
SOON = 0.2
"""How probable it is at each moment between two effects: about fifteen of them belong to one person."""


def the_worker_dies(life: Stage) -> None:
    def around(*moment: str) -> None:
        if life.dice.random() < SOON:
            life.said.append(" ".join(moment))
            raise Killed

    _work_with(life, _busy(life), around)


def something_comes_between(life: Stage) -> None:
    """Once or more often; where people are acted on, not before somebody is in hand."""
    busy, left = _busy(life), list(range(life.dice.choice([1, 2, 4])))
    life.in_hand = frozenset()

    def around(*moment: str) -> None:
        if not left or (busy is act_on_people and not life.in_hand):
            return
        if life.dice.random() < SOON:
            left.pop()
            life.said.append(" ".join(moment))
            _one_of_them(life)

    _work_with(life, busy, around)


def _one_of_them(life: Stage) -> None:
    acts = life.dice.choice([ACTS_BETWEEN, ABOUT_WHO_IS_IN_HAND])
    for act in life.dice.choices([*acts], [*acts.values()], k=5):
        life.said.append(act.__name__)
        with suppress(NothingToDo):
            return act(life)
    return None


def _busy(life: Stage) -> Part:
    """Mostly people are acted on."""
    busy = life.dice.choice([*PARTS, *[act_on_people] * 16])
    if busy is act_on_people and not life.is_work_due:
        raise NothingToDo
    life.said.append(busy.__name__)
    return busy


def _work_with(life: Stage, busy: Part, around: Around) -> None:
    with life.watch.step(calls=True), suppress(Killed):
        for part in PARTS:
            part(life, with_something_between(life.tools, around) if part is busy else life.tools)


ACTS: Acts = {the_worker_dies: 2, something_comes_between: 6}
ACTS_AT_WORK: Acts = {the_worker_dies: 8, something_comes_between: 40}
