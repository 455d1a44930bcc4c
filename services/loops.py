"""The loop alarm: what a deed took away is back in the directory, though nobody here gave it back.

Mostly an identity provider has put somebody back into a group: Rollcall would take it away again for ever. Whom
somebody let in again at Atlassian was given it back: their time counts from then.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session, aliased

from models.audit import APP, Event
from models.people import Person
from models.run import Case, find_run, run_ids_since
from rules.access_path import groups_of_provider
from rules.case import CaseState
from rules.changes import Change, ChangeKind, Snapshot, holds
from rules.deeds import Deed
from rules.organization import OrganizationFacts
from rules.roster import action_from_words
from services.audit import record
from services.batches import batches
from services.candidates import people_as_candidates
from services.ground import organization_facts
from services.orders import MOVES_ENDS, done_changes
from services.rule_versions import step_of

LOOKED_AT = timedelta(days=30)
DEEDS = (Deed.REMOVE_ACCESS, Deed.CHANGE_GROUPS, Deed.REMOVE, Deed.SUSPEND)
# Asked on every page: not built anew each time.
_HOW_MANY = select(func.count(Case.id)).where(
    Case.organization_id == bindparam("organization_id"), Case.came_back_at > bindparam("since")
)


def find_loops(session: Session, organization_id: str, now: datetime, read_since: datetime) -> int:
    """Marks the cases of the last weeks whose people came back; called when a sync is complete. Returns how many.

    Whatever was done after `read_since` may not show in what the sync read.
    """
    organization = organization_facts(session, organization_id)
    by_rung: dict[tuple[str, int], frozenset[str]] = {}
    found = 0
    for batch in batches(_acted_lately(session, organization_id, now, read_since)):
        query = select(Case).where(Case.organization_id == organization_id, Case.id.in_(batch))
        cases = session.scalars(query).all()
        account_ids = [case.account_id for case in cases]
        people = people_as_candidates(session, organization_id, account_ids, organization)
        let_in: set[str] = set()
        for case in cases:
            person = people.get(case.account_id)
            if person is None:
                continue
            taken = done_changes(case)
            ended = _products_ended(session, case, organization, by_rung)
            if not any(_is_back(change, person.seen, ended) for change in taken):
                continue
            case.came_back_at = now
            found += 1
            if any(_was_let_in(change, person.seen, organization) for change in taken):
                let_in.add(case.account_id)
            record(
                session,
                Event.CASE_CAME_BACK,
                at=now,
                actor=APP,
                organization_id=organization_id,
                subject=case.account_id,
                run_id=case.run_id,
                details={"deed": case.deed},
            )
        _note_let_in(session, organization_id, let_in, now)
    return found


def _acted_lately(session: Session, organization_id: str, now: datetime, read_since: datetime) -> list[str]:
    """The ids of the cases that are looked at: those of a month may be too many to hold."""
    since = now - LOOKED_AT
    later = aliased(Case)
    changed_since = select(later.id).where(
        later.organization_id == Case.organization_id,
        later.account_id == Case.account_id,
        later.changed.is_(True),
        later.deed.not_in(MOVES_ENDS),
        later.finished_at > Case.finished_at,
    )
    query = select(Case.id).where(
        Case.organization_id == organization_id,
        Case.state == CaseState.ACTED.value,
        Case.deed.in_([deed.value for deed in DEEDS]),
        Case.came_back_at.is_(None),
        Case.finished_at > since,
        Case.finished_at < read_since,
        # Given back by a run of ours: by hand, or because an absence was over.
        ~changed_since.exists(),
    )
    return [
        case_id
        for run_ids in batches(run_ids_since(session, organization_id, since))
        for case_id in session.scalars(query.where(Case.run_id.in_(run_ids)))
    ]


def _note_let_in(session: Session, organization_id: str, account_ids: Collection[str], now: datetime) -> None:
    session.execute(
        update(Person)
        .where(Person.organization_id == organization_id, Person.account_id.in_(account_ids))
        .values(given_back_at=now)
        .execution_options(synchronize_session=False)
    )


def _is_back(change: Change, seen: Snapshot, ended: frozenset[str]) -> bool:
    """Whether the directory shows again what this change took; a product that was `ended`, by whichever way."""
    if change.kind is not ChangeKind.REVOKE_ROLE and not holds(change, seen):
        return True
    return any(access.resource_id in ended for access in seen.facts.products)


def _products_ended(
    session: Session,
    case: Case,
    organization: OrganizationFacts,
    by_rung: dict[tuple[str, int], frozenset[str]],
) -> frozenset[str]:
    """The products that a case was to end and the person had; empty where it was about something else.

    Not what the groups that they left open by now: that may be more. `by_rung` is what was found out before.
    """
    if case.deed != Deed.REMOVE_ACCESS:
        return frozenset()
    had = frozenset((case.earlier or {}).get("products", ()))
    if case.action is not None:
        return had & organization.resources_of(action_from_words(Deed.REMOVE_ACCESS, case.action).products)
    rung = (case.run_id, case.step)
    if rung not in by_rung:
        step = step_of(session, case, find_run(session, case.organization_id, case.run_id))
        by_rung[rung] = organization.resources_of(step.action.products) if step is not None else frozenset()
    return had & by_rung[rung]


def _was_let_in(change: Change, seen: Snapshot, organization: OrganizationFacts) -> bool:
    """Whether somebody gave back what was taken. What an identity provider puts back is no wish that they have it."""
    if change.kind is ChangeKind.JOIN_GROUP or holds(change, seen):
        return False
    return not groups_of_provider([change.about], organization)


def count_loops(session: Session, organization_id: str, now: datetime) -> int:
    """How many people came back in the last weeks."""
    return session.scalar(_HOW_MANY, {"organization_id": organization_id, "since": now - LOOKED_AT}) or 0
