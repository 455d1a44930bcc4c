"""A verdict on one person: what it says, and what it stands on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from rules.because import Because
from rules.case import CaseState
from rules.changes import (
    Change,
)
from rules.guards import Guarded
from rules.organization import OrganizationFacts


class Why(StrEnum):
    """The kind of a reason, to be counted and filtered by."""

    CHOSEN = ""
    GUARD = "guard"
    PROTECTED = "protected"
    LAST_ADMIN = "last_admin"
    PROVIDER = "provider"
    OTHER_PRODUCT = "other_product"
    EXTERNAL = "external"
    DONE = "done"
    STATUS = "status"
    DIRECTORIES = "directories"
    UNDER_WAY = "under_way"
    TOLD = "told"
    KEPT = "kept"
    GIVEN_BACK = "given_back"
    UNREACHABLE = "unreachable"
    ATLASSIAN = "atlassian"
    NOT_IDLE = "not_idle"
    UNKNOWN = "unknown"
    SCOPE = "scope"
    SEATS = "seats"
    LAST_DAY = "last_day"


WORTH_A_ROW = frozenset({Why.UNDER_WAY, Why.TOLD, Why.KEPT, Why.GIVEN_BACK})
"""Of those whom a rule leaves alone, the ones worth a row: the others are simply not idle."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`state` is PLANNED (chosen), GUARDED, NOT_POSSIBLE or SPARED; `reason` a sentence for people.

    `changes` are the calls that the deed would make, `groups` the identity provider's groups that stand in the way,
    `step` the rung of the rule's ladder, `because` why its time has come.
    """

    state: CaseState
    reason: str = ""
    why: Why = Why.CHOSEN
    changes: tuple[Change, ...] = ()
    groups: tuple[str, ...] = ()
    step: int = 0
    because: Because | None = None

    @property
    def objection(self) -> str | None:
        return None if self.state is CaseState.PLANNED else self.reason


@dataclass(frozen=True, slots=True)
class Ground:
    """What a verdict stands on besides the person: who asks, the organization, the day there."""

    guarded: Guarded
    organization: OrganizationFacts
    today: date


def not_possible(reason: str, why: Why) -> Verdict:
    """The verdict for somebody for whom the deed cannot be done."""
    return Verdict(CaseState.NOT_POSSIBLE, reason, why)
