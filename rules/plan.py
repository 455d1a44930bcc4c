"""Who would be acted on, and why not the others. The preview and the deed ask the same function."""

from __future__ import annotations

from dataclasses import dataclass

from rules.case import CaseState, Deed, goal_reached
from rules.guards import SENTENCES, Guarded, guard_of
from rules.person import PersonFacts


@dataclass(frozen=True, slots=True)
class Verdict:
    """`state` is PLANNED (chosen), GUARDED or NOT_POSSIBLE; `reason` is a sentence for people, empty when chosen."""

    state: CaseState
    reason: str = ""

    @property
    def objection(self) -> str | None:
        return None if self.state is CaseState.PLANNED else self.reason


CHOSEN = Verdict(CaseState.PLANNED)


def judge(
    deed: Deed, facts: PersonFacts, guarded: Guarded, *, in_several_directories: bool = False
) -> Verdict:
    """The verdict on one person for one deed.

    Restoring is guarded by nothing: giving back access locks nobody out.
    """
    if deed is Deed.SUSPEND:
        guard = guard_of(facts, guarded)
        if guard is not None:
            return Verdict(CaseState.GUARDED, SENTENCES[guard])
    obstacle = _obstacle(deed, facts, several=in_several_directories)
    return CHOSEN if obstacle is None else Verdict(CaseState.NOT_POSSIBLE, obstacle)


def _obstacle(deed: Deed, facts: PersonFacts, *, several: bool) -> str | None:
    if facts.account_status in {"inactive", "closed"} or facts.status in {"deactivated", "for_deletion"}:
        return "The whole Atlassian account is deactivated: nothing left to do here."
    if facts.membership_status == "no_membership" or facts.status == "not_invited":
        return "Has no access to this organization's products."
    if goal_reached(deed, facts):
        return "Is suspended already." if deed is Deed.SUSPEND else "Is not suspended."
    if facts.management_source == "synced":
        return "Belongs to your identity provider: change them there, or the next sync undoes it."
    if several:
        return "Is in several directories of your organization: change them at admin.atlassian.com."
    return None
