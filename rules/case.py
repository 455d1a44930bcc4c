"""The path of one person through a run, and what to do next from facts alone (S50).

listed                                                       a rule in audit mode ends here
review ─approve─► planned        review ─hold─► held         every case of a rule in review mode begins in review
planned ──► warned ──► acting ──► acted ──► undone | undo_skipped
   │  └► could_not_warn ─approve─► planned
   │           │           └──► failed | refused             failed ──retry──► planned
   └───────────┴──► spared | cancelled                       guarded, not_possible: the plan said no

warned ──"I still need it"──► spared, or, if the rule says so, answered ──an operator──► spared | warned
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rules.changes import Change, ChangeKind, Snapshot, still_to_do


class RunState(StrEnum):
    """PREVIEW waits for somebody to confirm; BRAKED too, with too many people. REFUSED never began, and says why."""

    PREVIEW = "preview"
    BRAKED = "braked"
    REFUSED = "refused"
    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"


class CaseState(StrEnum):
    """Where a person is. See UNFINISHED and WAITING for the states that are no end."""

    GUARDED = "guarded"
    NOT_POSSIBLE = "not_possible"
    LISTED = "listed"
    REVIEW = "review"
    HELD = "held"
    PLANNED = "planned"
    WARNED = "warned"
    COULD_NOT_WARN = "could_not_warn"
    ANSWERED = "answered"
    ACTING = "acting"
    ACTED = "acted"
    FAILED = "failed"
    REFUSED = "refused"
    SPARED = "spared"
    CANCELLED = "cancelled"
    UNDONE = "undone"
    UNDO_SKIPPED = "undo_skipped"


UNFINISHED = frozenset({CaseState.PLANNED, CaseState.WARNED, CaseState.ACTING})
"""The worker looks at these by itself, when their time has come."""
IN_QUEUE = frozenset({CaseState.REVIEW, CaseState.HELD, CaseState.COULD_NOT_WARN})
"""These wait for an operator to say whether the deed goes on."""
WAITING = IN_QUEUE | {CaseState.ANSWERED}
"""These wait for an operator; of the answered, it is the person's answer that is decided about."""
OPEN = UNFINISHED | WAITING
QUEUED = OPEN - {CaseState.ACTING}
"""What *Stop* cancels at once, unless nobody knows what came of an earlier call: those the worker ends, by facts."""
CHOSEN = frozenset(CaseState) - {CaseState.GUARDED, CaseState.NOT_POSSIBLE}
CHANGED = frozenset(
    {
        CaseState.ACTED,
        CaseState.UNDO_SKIPPED,
        CaseState.FAILED,
        CaseState.REFUSED,
        CaseState.SPARED,
        CaseState.CANCELLED,
    }
)
"""The ends at which a person may have been changed, if only in part: undo looks at these."""

_ENDS_BEFORE_THE_DEED = frozenset({CaseState.SPARED, CaseState.CANCELLED})
_OUTCOMES = frozenset({CaseState.ACTED, CaseState.FAILED, CaseState.REFUSED})
_UNDO = frozenset({CaseState.UNDONE, CaseState.UNDO_SKIPPED})

TRANSITIONS: dict[CaseState, frozenset[CaseState]] = {
    CaseState.GUARDED: frozenset(),
    CaseState.NOT_POSSIBLE: frozenset(),
    CaseState.LISTED: frozenset(),
    CaseState.REVIEW: frozenset({CaseState.PLANNED, CaseState.HELD}) | _ENDS_BEFORE_THE_DEED,
    CaseState.HELD: frozenset({CaseState.PLANNED, CaseState.REVIEW}) | _ENDS_BEFORE_THE_DEED,
    CaseState.PLANNED: frozenset({CaseState.WARNED, CaseState.COULD_NOT_WARN, CaseState.ACTING})
    | _OUTCOMES
    | _ENDS_BEFORE_THE_DEED,
    CaseState.WARNED: frozenset({CaseState.ACTING, CaseState.COULD_NOT_WARN, CaseState.ANSWERED})
    | _OUTCOMES
    | _ENDS_BEFORE_THE_DEED,
    CaseState.COULD_NOT_WARN: frozenset({CaseState.PLANNED, CaseState.HELD}) | _ENDS_BEFORE_THE_DEED,
    CaseState.ANSWERED: frozenset({CaseState.WARNED}) | _ENDS_BEFORE_THE_DEED,
    CaseState.ACTING: frozenset({CaseState.PLANNED, CaseState.WARNED}) | _OUTCOMES | _ENDS_BEFORE_THE_DEED,
    CaseState.ACTED: _UNDO,
    CaseState.FAILED: _UNDO | {CaseState.PLANNED},
    CaseState.REFUSED: _UNDO,
    CaseState.SPARED: _UNDO,
    CaseState.CANCELLED: _UNDO,
    CaseState.UNDONE: frozenset(),
    CaseState.UNDO_SKIPPED: frozenset({CaseState.UNDONE}),
}


NOT_HERE = "No longer in the organization's directory."
"""Said of somebody whom a deed does not find any more: what they had here is gone with them."""


class ImpossibleTransition(Exception):
    """A bug: the program tried to lead a case where no path goes."""


def moved(before: CaseState, after: CaseState) -> CaseState:
    """`after`, if a path leads there. Raises ImpossibleTransition."""
    if after not in TRANSITIONS[before]:
        raise ImpossibleTransition(f"{before} → {after}")
    return after


@dataclass(frozen=True, slots=True)
class Act:
    """Make these changes now, in this order."""

    changes: tuple[Change, ...]


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


def decide(
    *,
    begun: Sequence[Change] | None,
    planned: Sequence[Change],
    acting_since: datetime | None,
    seen: Snapshot | None,
    objection: str | None,
    now: datetime,
    settle: timedelta,
) -> Decision:
    """What to do with an unfinished case whose time has come.

    `begun` are the changes that an earlier attempt wrote down before it called, None when none did; `planned` those
    worked out from what is seen now: whoever acts on them first writes down those that are not among `begun`. `seen`
    is the person as read a moment ago, None when no longer in the directory. `objection` is the sentence of a guard
    or an impossibility that holds now. `acting_since` is when the last call began whose outcome nobody knows; `settle`
    is how long Atlassian may take to show an accepted change: only after that is it believed not to have happened.
    """
    if acting_since is not None and begun is not None:
        if not not_shown(begun, seen):
            return Record()
        if seen is not None and now < acting_since + settle:
            return Wait(acting_since + settle)
    if seen is None:
        return Spare(NOT_HERE)
    if objection is not None:
        return Spare(objection)
    # What an earlier attempt has to finish may have grown: a new group would keep the access alive.
    return Act(still_to_do(dict.fromkeys((*(begun or ()), *planned)), seen))


def not_shown(begun: Sequence[Change], seen: Snapshot | None) -> Sequence[Change]:
    """Those of the changes that the directory does not show; nobody there shows that they were removed."""
    if seen is not None:
        return still_to_do(begun, seen)
    return () if any(change.kind is ChangeKind.REMOVE for change in begun) else begun
