"""One person, whole: seats and where they come from, groups, what happened to them, and why nobody may touch them."""

from __future__ import annotations

from dataclasses import dataclass

from connect.caller import Caller
from connect.errors import NotFound
from models.absence import Absence, LastDay, absences_of, last_days_of
from models.answer import Answer, answers_by
from models.audit import AuditEntry, entries_of
from models.organization import Seats, seats_of
from models.people import (
    Group,
    Person,
    Seat,
    facts_of,
    find_person,
    granting_groups_of,
    groups_of,
    seats_by_person,
)
from models.run import Case, Run, history_of
from rules.case import CHANGED, NOT_HERE, CaseState
from rules.deeds import CAPABILITIES, Action, Deed
from rules.guards import SENTENCES, guard_of
from rules.idle import Candidate
from rules.judging import judge
from rules.organization import Protection
from rules.verdict import Ground, Verdict
from services.candidates import people_as_candidates
from services.coming_back import who_stays_away
from services.doors import require_organization
from services.ground import ground_of
from services.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class PersonPage:
    """`products` and `granted_by` (names of groups) are by resource id; `guard` is a sentence.

    `stays_away` is why nobody restores them when their absence is over, though it was meant to end by itself.
    `undoable` is the newest case that changed this person and can still be taken back.
    """

    person: Person
    seats: list[Seat]
    products: dict[str, Seats]
    granted_by: dict[str, list[str]]
    groups: list[Group]
    guard: str | None
    protection: Protection | None
    absence: Absence | None
    stays_away: str
    last_day: LastDay | None
    can_suspend: Verdict
    can_restore: Verdict
    undoable: Case | None
    history: list[tuple[Case, Run]]
    audit: list[AuditEntry]
    answers: list[Answer]


def person_page(tools: Toolbox, caller: Caller, account_id: str) -> PersonPage:
    """Raises NotFound for somebody who is not in the caller's organization (S19)."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        person = find_person(session, organization_id, account_id)
        if person is None:
            raise NotFound("This person is not in your organization.", "Go back to the list of people.")
        ground = ground_of(tools, session, organization_id, caller.account_id or "", tools.clock())
        candidate = people_as_candidates(session, organization_id, [account_id], ground.organization).get(
            account_id
        )
        facts = facts_of(person)
        guard = guard_of(facts, ground.guarded, ground.organization.site_owners)
        history = history_of(session, organization_id, account_id)
        absence = absences_of(session, organization_id, [account_id]).get(account_id)
        page = PersonPage(
            person=person,
            seats=seats_by_person(session, organization_id, [account_id]).get(account_id, []),
            products={seats.resource_id: seats for seats in seats_of(session, organization_id)},
            granted_by=granting_groups_of(session, organization_id, account_id),
            groups=groups_of(session, organization_id, account_id),
            guard=SENTENCES[guard] if guard is not None else None,
            protection=ground.organization.protection_of(
                candidate.seen.facts if candidate is not None else facts, ground.today
            ),
            absence=absence,
            stays_away=who_stays_away(session, organization_id, [absence], ground.today).get(account_id, "")
            if absence is not None and absence.comes_back
            else "",
            last_day=last_days_of(session, organization_id, [account_id]).get(account_id),
            can_suspend=_verdict(candidate, Deed.SUSPEND, ground),
            can_restore=_verdict(candidate, Deed.RESTORE, ground),
            undoable=next((case for case, _run in history if _can_be_undone(case)), None),
            history=history,
            audit=entries_of(session, organization_id, caller.tenant, subject=account_id, limit=50),
            answers=answers_by(session, organization_id, account_id),
        )
        session.expunge_all()
        return page


def _verdict(candidate: Candidate | None, deed: Deed, ground: Ground) -> Verdict:
    if candidate is None:
        return Verdict(CaseState.NOT_POSSIBLE, NOT_HERE)
    return judge(
        Action(deed), candidate.seen, ground, in_several_directories=candidate.in_several_directories
    )


def _can_be_undone(case: Case) -> bool:
    # An undo is not undone: whoever is to have it again gets it anew.
    ours = case.changed and case.undoes is None and CaseState(case.state) in CHANGED
    return ours and CAPABILITIES[Deed(case.deed)].opposite is not None
