"""The path of one person through a run, and what to do next from facts alone (S50).

planned ──► acting ──► acted ──► undone | undo_skipped
   │           └──► failed | refused        failed ──retry──► planned (straight to acted, if an earlier call had landed)
   └──► spared | cancelled                  guarded, not_possible: the preview said no
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rules.person import PersonFacts


class Deed(StrEnum):
    """What is done to a person in the organization's directory."""

    SUSPEND = "suspend"
    RESTORE = "restore"


class RunState(StrEnum):
    """PREVIEW waits for somebody to confirm; STOPPED had its waiting people cancelled."""

    PREVIEW = "preview"
    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"


class CaseState(StrEnum):
    """Where a person is. PLANNED, ACTING: still to do. All others are ends, some of which can be taken up again."""

    GUARDED = "guarded"
    NOT_POSSIBLE = "not_possible"
    PLANNED = "planned"
    ACTING = "acting"
    ACTED = "acted"
    FAILED = "failed"
    REFUSED = "refused"
    SPARED = "spared"
    CANCELLED = "cancelled"
    UNDONE = "undone"
    UNDO_SKIPPED = "undo_skipped"


UNFINISHED = frozenset({CaseState.PLANNED, CaseState.ACTING})

TRANSITIONS: dict[CaseState, frozenset[CaseState]] = {
    CaseState.GUARDED: frozenset(),
    CaseState.NOT_POSSIBLE: frozenset(),
    CaseState.PLANNED: frozenset(
        {
            CaseState.ACTING,
            CaseState.ACTED,
            CaseState.SPARED,
            CaseState.CANCELLED,
            CaseState.FAILED,
            CaseState.REFUSED,
        }
    ),
    CaseState.ACTING: frozenset(
        {
            CaseState.PLANNED,
            CaseState.ACTED,
            CaseState.FAILED,
            CaseState.REFUSED,
            CaseState.SPARED,
            CaseState.CANCELLED,
        }
    ),
    CaseState.ACTED: frozenset({CaseState.UNDONE, CaseState.UNDO_SKIPPED}),
    CaseState.FAILED: frozenset({CaseState.PLANNED}),
    CaseState.REFUSED: frozenset(),
    CaseState.SPARED: frozenset(),
    CaseState.CANCELLED: frozenset(),
    CaseState.UNDONE: frozenset(),
    CaseState.UNDO_SKIPPED: frozenset({CaseState.UNDONE}),
}


class ImpossibleTransition(Exception):
    """A bug: the program tried to lead a case where no path goes."""


def moved(before: CaseState, after: CaseState) -> CaseState:
    """`after`, if a path leads there. Raises ImpossibleTransition."""
    if after not in TRANSITIONS[before]:
        raise ImpossibleTransition(f"{before} → {after}")
    return after


@dataclass(frozen=True, slots=True)
class Act:
    """Call Atlassian now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again at `until`: an earlier call may have landed without showing yet."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """The facts show that the deed is done: an earlier attempt landed."""


@dataclass(frozen=True, slots=True)
class Spare:
    """Leave this person alone, and say why."""

    reason: str


Decision = Act | Wait | Record | Spare


def goal_reached(deed: Deed, facts: PersonFacts) -> bool:
    """Whether the directory already shows what the deed is for."""
    if deed is Deed.SUSPEND:
        return facts.membership_status == "suspended"
    return facts.membership_status == "active"


def decide(
    *,
    deed: Deed,
    acting_since: datetime | None,
    facts: PersonFacts | None,
    objection: str | None,
    now: datetime,
    settle: timedelta,
) -> Decision:
    """What to do with an unfinished case.

    `facts` is the person as read a moment ago, None when no longer in the directory. `objection` is the sentence of a
    guard or an impossibility that holds now. `acting_since` is set when an earlier attempt called Atlassian and nobody
    knows what came of it. `settle` is how long Atlassian may take to show an accepted change: only after that is the
    person believed untouched.
    """
    if facts is None:
        return Spare("No longer in the organization's directory.")
    if acting_since is not None:
        if goal_reached(deed, facts):
            return Record()
        if now < acting_since + settle:
            return Wait(acting_since + settle)
    if objection is not None:
        return Spare(objection)
    return Act()
