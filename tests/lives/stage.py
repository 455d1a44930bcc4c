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
from models.credential import Credential, CredentialState
from models.organization import Organization
from models.run import Case, Run
from models.ticket import TicketCall
from rules.case import OPEN, UNFINISHED, CaseState, RunState
from rules.plain_data import BadRule
from rules.roster import Origin
from services.toolbox import Toolbox
from tests.lives.cast import PEOPLE, Cast
from tests.lives.watch import Watch
from tests.scim.provider import IdentityProvider
from tests.services.tickets import Desk
from tests.world import ACME, World

T = TypeVar("T")
REFUSALS = (AppError, BadRule)
"""What may be refused: a life goes on."""
SOMEBODY = PEOPLE[:13]
"""To whom things happen: no machines, and nobody without whom the organization stands still."""
RATHER = 0.8
"""How often an act is about what is in hand, where it can be."""
_IDS = ("id", "case_id", "run_id", "end_run_id", "account_id", "rule_id", "origin_id", "issue_id", "undoes")


class NothingToDo(Exception):
    """There is nobody for this act just now: another one is drawn."""


@dataclass
class Stage:
    """`rules`: their ids, the oldest first. `reading`: the syncs that a worker has begun with. `in_hand`: the ids of

    what the worker is at, or of what is open: acts are rather about that. `said`: what was drawn for the act that is
    played now.
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
    in_hand: frozenset[str] = frozenset()
    desk: Desk | None = None

    @property
    def tools(self) -> Toolbox:
        return self.world.tools

    # -- the dice ----------------------------------------------------------------------------------------------------

    def pick(self, *things: T) -> T:
        thing = self.dice.choice(things)
        self.said.append(str(thing))
        return thing

    def one(self, found: Sequence[T]) -> T:
        found = self._rather_in_hand(found)
        if not found:
            raise NothingToDo
        turn = self.dice.randrange(len(found))
        self.said.append(f"{turn + 1} of {len(found)}")
        return found[turn]

    def some(self, found: Sequence[T], most: int = 4) -> list[T]:
        found = self._rather_in_hand(found)
        if not found:
            raise NothingToDo
        chosen = self.dice.sample(found, self.dice.randint(1, min(most, len(found))))
        self.said.append(f"{len(chosen)} of {len(found)}")
        return chosen

    def _rather_in_hand(self, found: Sequence[T]) -> Sequence[T]:
        if self.dice.random() > RATHER:
            return found
        return [thing for thing in found if self.in_hand & ids_of(thing)] or found

    def operator(self) -> Caller:
        return self.cast.callers[self.pick("ana", "ana", "priya", "eve")]

    def somebody(self) -> str:
        """Mostly one of those whom something is about to happen to, or has just happened."""
        names = [name for name in SOMEBODY if self.cast.ids[name] in self.in_hand]
        if names and self.dice.random() < RATHER:
            return self.pick(*names)
        names = list(SOMEBODY)
        if self.dice.random() < 0.7:
            states = [state.value for state in (*OPEN, CaseState.ACTED)]
            concerned = set(self.rows(select(Case.account_id).where(Case.state.in_(states))))
            names = [name for name in SOMEBODY if self.cast.ids[name] in concerned] or names
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
        """Those of our organization, detached."""
        whose = query.column_descriptions[0]["entity"]
        with self.tools.begin() as session:
            found = list(session.scalars(query.where(whose.organization_id == ACME)))
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

    def take_in_hand(self, case: Case) -> None:
        """Acts are rather about it from now on, and its run, rule and ticket."""
        self.in_hand = ids_of(case)
        for run in self.rows(select(Run).where(Run.id == case.run_id)):
            self.in_hand |= ids_of(run)
            if run.origin == Origin.TICKET:
                for ticket in self.rows(select(TicketCall).where(TicketCall.run_id == run.id)):
                    self.in_hand |= ids_of(ticket)

    @property
    def has_door(self) -> bool:
        """Whether the app is installed, and knows the organization by it."""
        with self.tools.begin() as session:
            return session.get_one(Organization, ACME).doorless_since is None

    @property
    def is_cut_off(self) -> bool:
        """Whether no key of the organization is believed to be good."""
        key = select(Credential).where(Credential.state != CredentialState.REJECTED.value).limit(1)
        with self.tools.begin() as session:
            return session.scalar(key.where(Credential.client_key == self.cast.callers["ana"].tenant)) is None

    @property
    def is_work_due(self) -> bool:
        """Whether the worker would act on somebody now."""
        unfinished = Case.state.in_([state.value for state in UNFINISHED])
        due = select(Case.id).where(unfinished, Case.resume_at <= self.world.clock())
        return bool(self.rows(due.limit(1)))


def ids_of(thing: object) -> frozenset[str]:
    """What a row, or an id alone, is about."""
    found = {thing if isinstance(thing, str) else getattr(thing, name, None) for name in _IDS}
    return frozenset(each for each in found if isinstance(each, str) and each)


Act = Callable[[Stage], None]
Acts = dict[Act, int]
"""How often each of them is drawn, compared with the others."""
