"""Where a random life is played: the world, its people and the dice, and what the acts of all rooms ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, TypeVar

from sqlalchemy import Select, select

from connect.caller import Caller
from connect.errors import AppError
from models.run import Case, Run
from rules.case import OPEN, UNFINISHED, CaseState, RunState
from rules.plain_data import BadRule
from services.toolbox import Toolbox
from tests.lives.cast import PEOPLE, Cast
from tests.lives.watch import Watch
from tests.scim.provider import IdentityProvider
from tests.world import World

T = TypeVar("T")
REFUSALS = (AppError, BadRule)
"""What may be refused: a life goes on."""
SOMEBODY = PEOPLE[:12]
"""To whom things happen: no machines, and nobody without whom the organization stands still."""


class NothingToDo(Exception):
    """There is nobody for this act just now: another one is drawn."""


@dataclass
class Stage:
    """`rules`: their ids, the oldest first. `reading`: the syncs that a worker has begun with. `said`: what was drawn

    for the act that is played now.
    """

    world: World
    cast: Cast
    watch: Watch
    dice: Random
    provider: IdentityProvider | None = None
    rules: list[str] = field(default_factory=list)
    access_rules: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    reading: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def tools(self) -> Toolbox:
        return self.world.tools

    # -- the dice ----------------------------------------------------------------------------------------------------

    def pick(self, *things: T) -> T:
        thing = self.dice.choice(things)
        self.said.append(str(thing))
        return thing

    def one(self, found: Sequence[T]) -> T:
        if not found:
            raise NothingToDo
        turn = self.dice.randrange(len(found))
        self.said.append(f"{turn + 1} of {len(found)}")
        return found[turn]

    def some(self, found: Sequence[T], most: int = 4) -> list[T]:
        if not found:
            raise NothingToDo
        chosen = self.dice.sample(found, self.dice.randint(1, min(most, len(found))))
        self.said.append(f"{len(chosen)} of {len(found)}")
        return chosen

    def operator(self) -> Caller:
        return self.cast.callers[self.pick("ana", "ana", "priya", "eve")]

    def somebody(self) -> str:
        """Mostly one of those whom something is about to happen to, or has just happened."""
        names = list(SOMEBODY)
        if self.dice.random() < 0.7:
            newest = self.cases(*OPEN, CaseState.ACTED)
            concerned = {self.cast.names[case.account_id] for case in newest}
            names = [name for name in SOMEBODY if name in concerned] or names
        return self.pick(*names)

    def day(self, days: int) -> date:
        return self.world.clock().date() + timedelta(days=days)

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Something that may be refused. Nobody but the worker asks Atlassian for a change."""
        with self.watch.step(), suppress(*REFUSALS):
            yield

    # -- memory ------------------------------------------------------------------------------------------------------

    def rows(self, query: Select[Any]) -> list[Any]:
        """Found, and detached."""
        with self.tools.begin() as session:
            found = list(session.scalars(query))
            session.expunge_all()
            return found

    def runs(self, *states: RunState) -> list[Run]:
        """The newest of them, the newest first."""
        query = select(Run).where(Run.state.in_([state.value for state in states]))
        return self.rows(query.order_by(Run.created_at.desc(), Run.id).limit(6))

    def cases(self, *states: CaseState) -> list[Case]:
        query = select(Case).join(
            Run, (Run.id == Case.run_id) & (Run.organization_id == Case.organization_id)
        )
        query = query.where(Case.state.in_([state.value for state in states]))
        return self.rows(query.order_by(Case.account_id, Run.created_at))

    @property
    def is_work_due(self) -> bool:
        """Whether the worker would act on somebody now."""
        now = self.world.clock()
        return any(case.resume_at is not None and case.resume_at <= now for case in self.cases(*UNFINISHED))


Act = Callable[[Stage], None]
Acts = dict[Act, int]
"""How often each of them is drawn, compared with the others."""
