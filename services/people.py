"""One person, whole: seats and where they come from, groups, what happened to them, and why nobody may touch them."""

from __future__ import annotations

from dataclasses import dataclass

from connect.caller import Caller
from connect.errors import NotFound
from models.audit import AuditEntry, entries_of
from models.credential import credential_holders
from models.organization import Seats, seats_of
from models.people import (
    Group,
    Person,
    Seat,
    count_people,
    facts_of,
    find_person,
    granting_groups_of,
    groups_of,
    seats_by_person,
)
from models.run import Case, Run, history_of
from models.sync import running_sync
from rules.case import CaseState, Deed
from rules.filters import PeopleFilter
from rules.guards import SENTENCES, Guarded, guard_of
from rules.plan import Verdict, judge
from services.doors import require_organization
from services.summary import summary
from services.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class PersonPage:
    """`products` and `granted_by` (names of groups) are by resource id; `guard` is a sentence."""

    person: Person
    seats: list[Seat]
    products: dict[str, Seats]
    granted_by: dict[str, list[str]]
    groups: list[Group]
    guard: str | None
    can_suspend: Verdict
    can_restore: Verdict
    history: list[tuple[Case, Run]]
    audit: list[AuditEntry]


def person_page(tools: Toolbox, caller: Caller, account_id: str) -> PersonPage:
    """Raises NotFound for somebody who is not in the caller's organization (S19)."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        person = find_person(session, organization_id, account_id)
        if person is None:
            raise NotFound("This person is not in your organization.", "Go back to the list of people.")
        facts = facts_of(person)
        guarded = Guarded(caller.account_id or "", frozenset(credential_holders(session, organization_id)))
        guard = guard_of(facts, guarded)
        several = person.in_several_directories
        page = PersonPage(
            person=person,
            seats=seats_by_person(session, organization_id, [account_id]).get(account_id, []),
            products={seats.resource_id: seats for seats in seats_of(session, organization_id)},
            granted_by=granting_groups_of(session, organization_id, account_id),
            groups=groups_of(session, organization_id, account_id),
            guard=SENTENCES[guard] if guard is not None else None,
            can_suspend=_verdict(person, judge(Deed.SUSPEND, facts, guarded, in_several_directories=several)),
            can_restore=_verdict(person, judge(Deed.RESTORE, facts, guarded, in_several_directories=several)),
            history=history_of(session, organization_id, account_id),
            audit=entries_of(session, organization_id, caller.tenant, subject=account_id, limit=50),
        )
        session.expunge_all()
        return page


def how_many(tools: Toolbox, organization_id: str, filter: PeopleFilter) -> int:
    """How many people a filter shows. Only syncs let people come and go: between them everybody is counted already."""
    if not filter.narrows:
        with tools.begin() as session:
            reading = running_sync(session, organization_id) is not None
        if not reading:
            return summary(tools, organization_id).totals.people
    with tools.begin() as session:
        return count_people(session, organization_id, filter, tools.clock())


def _verdict(person: Person, verdict: Verdict) -> Verdict:
    if person.left_at is not None:
        return Verdict(CaseState.NOT_POSSIBLE, "No longer in the organization's directory.")
    return verdict
