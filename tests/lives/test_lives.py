"""An organization lives random lives with Rollcall: rules, operators, people, others at Atlassian, faults, time.

Each act is one thing that somebody does, or that happens; what must hold is judged from outside (watch.py). A life is
its seed: LIFE=17 plays that one again, with SHORTEN=1 it tells the shortest way to what it found. LIVES=500 plays so
many.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from random import Random

import pytest
from flask import Flask

from tests import world as worlds
from tests.lives import between, desk, doors, giving, leaving, operators, others, post, under_way, worker
from tests.lives.calm import calm_down
from tests.lives.calm_watched import look_next_door
from tests.lives.cast import Cast
from tests.lives.stage import Act, Acts, NothingToDo, Stage
from tests.lives.under_way import look_at_something_open
from tests.lives.watch import Watch
from tests.services.mails import mail_switched_on
from tests.world import Neighbours

CHAPTERS, TURNS = 2, 18
"""Each chapter ends with a quiet week, in which everything is worked off."""
ROOMS = (operators.ACTS, others.ACTS, giving.ACTS, leaving.ACTS, desk.ACTS, doors.ACTS, post.ACTS)
NEXT_DOOR = 8
"""After so many turns somebody looks at the other organizations."""
MAILS, OPENS = 0.7, 0.5
"""How many organizations have a mail server; how often something begins of whose kind nothing is open."""
AT_WORK = worker.ACTS_AT_WORK | between.ACTS_AT_WORK


def acts_of(dice: Random) -> Acts:
    """In one life there is much of this, in another one of that: what goes on together, goes deep."""
    ordinary: Acts = {}
    for room in ROOMS:
        much = 2 if room is operators.ACTS else dice.choice([0, 1, 2])
        ordinary |= {act: much * weight * dice.choice([1, 2]) for act, weight in room.items()}
    going_on = worker.ACTS | between.ACTS | under_way.ACTS
    share = sum(ordinary.values()) / 60
    return ordinary | {act: round(weight * share) for act, weight in going_on.items()}


class Life:
    """One life by its seed. Every turn has dice of its own: without some of them the others stay the same."""

    def __init__(self, neighbours: Neighbours, app: Flask, seed: int) -> None:
        self.neighbours, self.app, self.seed = neighbours, app, seed
        self.journal: list[str] = []
        self.acts: Acts = {}

    def live(self, turns: Sequence[int]) -> None:
        self.journal = []
        world = worlds.build(self.neighbours, self.app)
        try:
            cast = Cast(world)
            stage = Stage(world, cast, Watch(cast), Random(f"{self.seed}"))
            self.acts = acts_of(stage.dice)
            post_office = mail_switched_on(world) if stage.dice.random() < MAILS else nullcontext()
            with post_office:
                operators.write_a_rule(stage)
                for turn in turns:
                    stage.dice = Random(f"{self.seed}/{turn}")
                    self._play(stage, turn)
        finally:
            world.clear_faults()
            world.http.close()

    def _play(self, stage: Stage, turn: int) -> None:
        if turn % NEXT_DOOR == 0:
            look_next_door(stage)
        if turn % TURNS == 0:
            self.journal.append(f"{turn:3} quiet")
            calm_down(stage)
            return
        opener = look_at_something_open(stage)
        acts = self.acts
        if stage.is_work_due and stage.dice.random() < 0.8:
            acts, opener = AT_WORK, None
        drawn = stage.dice.choices([*acts], [*acts.values()], k=20)
        if opener is not None and stage.dice.random() < OPENS:
            drawn.insert(0, opener)
        for act in drawn:
            stage.said.clear()
            try:
                act(stage)
            except NothingToDo:
                continue
            except Exception as problem:
                problem.add_note(_line(turn, act, stage))
                raise
            self.journal.append(_line(turn, act, stage))
            return


def _line(turn: int, act: Act, stage: Stage) -> str:
    return f"{turn:3} {act.__name__} ({', '.join(stage.said)})"


def shortest(life: Life, turns: list[int]) -> list[int]:
    """Fewer of these turns, of which none can be left out without living on."""
    size = max(len(turns) // 2, 1)
    while True:
        for start in range(0, len(turns), size):
            fewer = turns[:start] + turns[start + size :]
            if fewer and not _survives(life, fewer):
                turns = fewer
                break
        else:
            if size == 1:
                return turns
            size //= 2


def _survives(life: Life, turns: list[int]) -> bool:
    try:
        life.live(turns)
    except Exception:  # noqa: BLE001
        return False
    return True


@pytest.mark.slow
@pytest.mark.timeout(36_000)  # whoever looks for new lives takes their time
def test_a_random_life(neighbours: Neighbours, sqlite_app: Flask) -> None:
    again, turns = os.environ.get("LIFE"), list(range(1, CHAPTERS * TURNS + 1))
    for seed in [int(again)] if again else range(int(os.environ.get("LIVES", "12"))):
        life = Life(neighbours, sqlite_app, seed)
        try:
            life.live(turns)
        except Exception as problem:
            if os.environ.get("SHORTEN"):
                _survives(life, shortest(life, turns))  # lived once more: the journal is that one's
            problem.add_note(f"LIFE={seed}\n" + "\n".join(life.journal))
            raise
