"""Previews: everybody selected with a verdict, kept as a run that nothing has happened in yet."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict, Invalid, NotReady
from models.audit import Event
from models.credential import credential_holders
from models.people import Person, facts_of, select_people
from models.run import Case, Run
from models.sync import SyncState, latest_sync
from rules.case import CaseState, Deed, RunState
from rules.filters import PeopleFilter
from rules.guards import Guarded
from rules.person import PersonFacts
from rules.plan import judge
from services.doors import require_organization
from services.runs import PREVIEWS_LIVE, record_run, require_run
from services.toolbox import Toolbox

MOST_PEOPLE = 5000
FRESH = timedelta(hours=48)
"""A plan is made only from a complete sync that is not older than this (S46)."""
OPPOSITE = {Deed.SUSPEND: Deed.RESTORE, Deed.RESTORE: Deed.SUSPEND}


def preview(
    tools: Toolbox,
    caller: Caller,
    deed: Deed,
    *,
    account_ids: Sequence[str] | None,
    filter: PeopleFilter | None,
) -> str:
    """Works out a verdict for everybody selected, by ids or by filter, and keeps it as a run to be confirmed.

    Returns the run's id. Raises NotReady (no fresh complete sync) and Invalid (nobody, or too many).
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        require_fresh_sync(session, organization_id, now)
        query = select_people(organization_id, filter or PeopleFilter(), now)
        if account_ids is not None:
            query = query.where(Person.account_id.in_(list(account_ids)[: MOST_PEOPLE + 1]))
        people = list(session.scalars(query.limit(MOST_PEOPLE + 1)))
        if not people:
            raise Invalid("people", "Nobody is selected.", "Select people in the list first.")
        if len(people) > MOST_PEOPLE:
            raise Invalid(
                "people",
                f"More than {MOST_PEOPLE:,} people are selected.",
                "Narrow the filter and do it in several runs.",
            )
        run = _new_run(session, organization_id, caller, deed, now)
        guarded = Guarded(caller.account_id or "", frozenset(credential_holders(session, organization_id)))
        _add_cases(session, run, ((person, facts_of(person), None) for person in people), deed, guarded)
        return run.id


def preview_undo(tools: Toolbox, caller: Caller, run_id: str) -> str:
    """A preview of taking a run back: the opposite deed for everybody it changed, and for nobody else (S51)."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        undone = require_run(session, organization_id, run_id)
        if undone.undoes is not None or undone.state not in (RunState.FINISHED, RunState.STOPPED):
            raise Conflict("This run cannot be taken back now.", "Wait until it has finished.")
        acted = {
            case.account_id: case
            for case in session.scalars(
                select(Case).where(
                    Case.organization_id == organization_id,
                    Case.run_id == run_id,
                    Case.state.in_([CaseState.ACTED.value, CaseState.UNDO_SKIPPED.value]),
                )
            )
        }
        if not acted:
            raise Conflict("Nobody is left whom this run changed.", "There is nothing to take back.")
        people = session.scalars(
            select(Person).where(Person.organization_id == organization_id, Person.account_id.in_(acted))
        )
        deed = OPPOSITE[Deed(undone.deed)]
        run = _new_run(session, organization_id, caller, deed, now, undoes=run_id)
        guarded = Guarded(caller.account_id or "", frozenset(credential_holders(session, organization_id)))
        settle = timedelta(seconds=tools.settings.settle_seconds)
        rows = (
            (person, _as_left(person, acted[person.account_id], settle), acted[person.account_id].id)
            for person in people
        )
        _add_cases(session, run, rows, deed, guarded)
        return run.id


def purge_previews(tools: Toolbox) -> None:
    """Deletes previews that nobody confirmed in time."""
    old = tools.clock() - PREVIEWS_LIVE
    with tools.begin() as session:
        session.execute(delete(Run).where(Run.state == RunState.PREVIEW.value, Run.created_at < old))


def require_fresh_sync(session: Session, organization_id: str, now: datetime) -> None:
    """Raises NotReady unless the newest complete sync is recent enough to decide about people (S46)."""
    sync = latest_sync(session, organization_id, SyncState.COMPLETE)
    if sync is None:
        raise NotReady(
            "Rollcall has not read your directory completely yet.",
            "Start a sync on the Overview page and wait until it is complete.",
            reason="no_complete_sync",
        )
    if sync.started_at < now - FRESH:
        raise NotReady(
            "The last complete sync is too old to decide about people.",
            "Start a sync on the Overview page and wait until it is complete.",
            reason="stale_sync",
        )


def _new_run(
    session: Session,
    organization_id: str,
    caller: Caller,
    deed: Deed,
    now: datetime,
    undoes: str | None = None,
) -> Run:
    run = Run(
        organization_id=organization_id,
        id=str(uuid.uuid4()),
        deed=deed.value,
        state=RunState.PREVIEW.value,
        undoes=undoes,
        requested_by=caller.account_id or "",
        created_at=now,
    )
    session.add(run)
    record_run(session, Event.RUN_PREVIEWED, run, caller.account_id or "", now)
    return run


def _as_left(person: Person, case: Case, settle: timedelta) -> PersonFacts:
    # A sync that read the person before the deed could show says nothing about what somebody did since.
    facts = facts_of(person)
    if case.finished_at is not None and person.synced_at > case.finished_at + settle:
        return facts
    return replace(facts, membership_status=case.left_as or facts.membership_status)


def _add_cases(
    session: Session,
    run: Run,
    people: Iterable[tuple[Person, PersonFacts, str | None]],
    deed: Deed,
    guarded: Guarded,
) -> None:
    rows = []
    for person, facts, undoes in people:
        verdict = judge(deed, facts, guarded, in_several_directories=person.in_several_directories)
        rows.append(
            {
                "organization_id": run.organization_id,
                "id": str(uuid.uuid4()),
                "run_id": run.id,
                "account_id": person.account_id,
                "directory_id": person.directory_id,
                "name": person.name,
                "state": verdict.state.value,
                "reason": verdict.reason,
                "undoes": undoes,
                "attempt": 0,
                "troubles": 0,
            }
        )
    if rows:
        session.execute(insert(Case), rows)
