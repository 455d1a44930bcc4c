"""A worker's protocol around the real `decide` and `moved`, and an Atlassian that shows late what it did.

The model keeps its own account of what really happened to the person: which calls changed something, and how often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rules.case import QUEUED, Act, CaseState, Record, Spare, Wait, decide, moved
from rules.changes import Change, Snapshot, holds, still_to_do, way_back
from rules.deeds import Action
from rules.guards import Guarded
from rules.judging import judge, judge_way_back
from rules.organization import OrganizationFacts
from rules.verdict import Ground, Verdict
from tests.rules.organizations import TODAY, Real
from tests.rules.people import NOW

SETTLE = timedelta(seconds=40)
NOBODY = Guarded("ana", frozenset())


class Died(Exception):
    """The worker is gone between two lines; whatever it had written down stays."""


@dataclass
class World:
    """Atlassian with one person in it. What a call does shows after `late` seconds."""

    organization: OrganizationFacts
    real: Real
    now: datetime = NOW
    in_directory: bool = True
    guarded: Guarded = NOBODY
    effective: Counter[Change] = field(default_factory=Counter)
    changed_by_others: bool = False
    _shown: list[tuple[datetime, Real]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._show(self.now)

    def seen(self) -> Snapshot | None:
        if not self.in_directory:
            return None
        return next(real for shows_at, real in reversed(self._shown) if shows_at <= self.now).seen(
            self.organization
        )

    def ground(self) -> Ground:
        return Ground(self.guarded, self.organization, TODAY)

    def call(self, change: Change, late: timedelta) -> None:
        if self.real.apply(change):
            self.effective[change] += 1
        self._show(max(self.now + late, self._shown[-1][0]))

    def somebody_changes(self, change: Change) -> None:
        """By somebody else's hand; it shows at once."""
        if self.real.apply(change):
            self.changed_by_others = True
        self._shown.clear()
        self._show(self.now)

    def _show(self, at: datetime) -> None:
        self._shown.append((at, self.real.copy()))


@dataclass
class Row:
    """What is written down of a case. `undone` are the changes that it takes back, None for a deed."""

    action: Action
    state: CaseState
    grace: timedelta = timedelta(0)
    undone: tuple[Change, ...] | None = None
    begun: tuple[Change, ...] | None = None
    landed: set[Change] = field(default_factory=set)
    earlier: Snapshot | None = None
    acting_since: datetime | None = None
    look_at: datetime = NOW
    due_at: datetime | None = None
    kept: bool = False
    running: bool = True
    rule_on: bool = True

    def to(self, state: CaseState) -> None:
        self.state = moved(self.state, state)

    def stop(self) -> None:
        self.running = False
        if self.state in QUEUED and self.acting_since is None:
            self.to(CaseState.CANCELLED)


@dataclass
class Attempt:
    """What happens during one attempt: the outcome of each call, how slow calls are, how late they show."""

    outcomes: Sequence[str]
    slow: timedelta
    late: timedelta
    gives_up: bool
    reachable: bool


def work(world: World, row: Row, attempt: Attempt) -> None:
    """One attempt at a case."""
    world.now = max(world.now, row.look_at)
    seen = world.seen()
    verdict = verdict_on(world, row, seen)
    objection = "They still need their access." if row.kept else None
    objection = objection or ("The rule was switched off." if not row.rule_on else None) or verdict.objection
    decision = decide(
        begun=row.begun,
        planned=verdict.changes,
        acting_since=row.acting_since,
        seen=seen,
        objection=objection,
        now=world.now,
        settle=SETTLE,
    )
    if row.acting_since is not None and row.begun and seen is not None:
        row.landed |= set(row.begun) - set(still_to_do(row.begun, seen))
    match decision:
        case Record():
            row.to(CaseState.ACTED)
        case Spare(reason):
            assert reason
            row.to(CaseState.SPARED)
        case Wait(until):
            assert until > world.now, "waiting ends"
            row.look_at = until
        case Act(changes):
            assert seen is not None, "S49: acts on somebody whom nobody has read"
            assert objection is None, "S48, S49: acts against an objection"
            if not _warns(world, row, reachable=attempt.reachable):
                _act(world, row, seen, changes, attempt)


def verdict_on(world: World, row: Row, seen: Snapshot | None) -> Verdict:
    if row.undone is not None:
        return judge_way_back(way_back(row.undone), row.undone, seen, begun=row.begun or ())
    if seen is None:
        return Verdict(CaseState.NOT_POSSIBLE, "Gone.")
    return judge(row.action, seen, world.ground())


def _warns(world: World, row: Row, *, reachable: bool) -> bool:
    if row.acting_since is not None or not row.grace:
        return False
    if row.due_at is None:
        if not reachable:
            row.to(CaseState.COULD_NOT_WARN)
            return True
        row.due_at = row.look_at = world.now + row.grace
        row.to(CaseState.WARNED)
    return world.now < row.due_at


def _act(world: World, row: Row, seen: Snapshot, changes: tuple[Change, ...], attempt: Attempt) -> None:
    if not row.running:
        row.to(CaseState.CANCELLED)
        return
    before, interrupted = row.state, row.acting_since is not None
    if before is not CaseState.ACTING:
        row.to(CaseState.ACTING)
    row.earlier = row.earlier or seen
    row.begun = tuple(dict.fromkeys((*(row.begun or ()), *changes)))
    for change, outcome in zip(changes, attempt.outcomes, strict=False):
        # Written anew before each call: Atlassian may take its time from this one on.
        row.acting_since = world.now
        if interrupted and not world.changed_by_others:
            assert not world.effective[change], "S50: asks again for what is done already"
        _guard(world, row, change)
        if outcome in {"done", "lost after", "dies after"}:
            world.call(change, attempt.late)
        if outcome != "done":
            _goes_wrong(world, row, before, outcome, gives_up=attempt.gives_up)
            return
        row.landed.add(change)
        world.now += attempt.slow
    row.to(CaseState.ACTED)


def _goes_wrong(world: World, row: Row, before: CaseState, outcome: str, *, gives_up: bool) -> None:
    if outcome.startswith("dies"):
        raise Died
    if outcome.startswith("lost"):
        row.look_at = world.now + SETTLE
        if gives_up:
            row.to(CaseState.FAILED)
    elif outcome == "refused":
        row.to(CaseState.REFUSED)
        row.acting_since = None
    elif before is not CaseState.ACTING:
        # Asked to slow down: this call did not happen.
        row.to(before)
        row.acting_since = None


def _guard(world: World, row: Row, change: Change) -> None:
    """Said again from the cases, not from the code, before every single call."""
    assert row.earlier is not None, "acts without the recorded earlier state"
    assert change in (row.begun or ()), "makes a call that nobody has written down"
    if row.undone is None:
        assert world.real.account_id != world.guarded.asked_by, "S48"
        assert world.real.account_id not in world.guarded.key_holders, "S48"
        assert not holds(change, row.earlier) or world.changed_by_others
