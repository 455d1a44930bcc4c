"""Previews: everybody selected with a verdict, kept as a run that nothing has happened in yet."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict, Invalid, NotReady
from models.audit import Event
from models.people import Person
from models.people_search import select_people
from models.run import Case, Run
from models.sync import SyncState, latest_sync
from rules.case import RunState
from rules.deeds import BY_HAND, Action, Deed
from rules.far_days import is_far
from rules.filters import PeopleFilter
from rules.idle import Candidate
from rules.judging import judge
from rules.roster import Origin
from rules.verdict import Ground, Verdict
from services.batches import BATCH, batches
from services.candidates import people_as_candidates
from services.doors import require_organization
from services.ground import ground_of
from services.portions import in_portions
from services.runs import PREVIEWS_LIVE, record_run, require_run
from services.toolbox import Toolbox

MOST_PEOPLE = 5000
FRESH = timedelta(hours=48)
"""A plan is made only from a complete sync that is not older than this (S46)."""
RULE_PREVIEWS_LIVE = timedelta(days=30)
"""So that the next preview can say what has changed."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What an operator writes beside a suspension. `comes_back`: restored by itself when `ends_on` is over."""

    reason: str = ""
    note: str = ""
    ends_on: date | None = None
    comes_back: bool = False

    def to_row(self) -> dict[str, object] | None:
        if not (self.reason or self.note or self.ends_on):
            return None
        return {
            "reason": self.reason,
            "note": self.note,
            "ends_on": self.ends_on.isoformat() if self.ends_on else "",
            "comes_back": self.comes_back,
        }


def preview(
    tools: Toolbox,
    caller: Caller,
    deed: Deed,
    *,
    account_ids: Sequence[str] | None,
    filter: PeopleFilter | None,
    purpose: Purpose | None = None,
) -> str:
    """Works out a verdict for everybody selected, by ids or by filter, and keeps it as a run to be confirmed.

    Returns the run's id. Raises NotReady (no fresh complete sync) and Invalid (nobody, or too many).
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    if deed not in BY_HAND:
        raise Invalid("deed", "This is nothing that is done by hand.", "Choose Suspend or Restore.")
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
        run = new_run(session, organization_id, caller, deed, now)
        run.purpose = purpose.to_row() if purpose is not None else None
        ground = ground_of(tools, session, organization_id, caller.account_id or "", now)
        _add_selected(session, run, people, Action(deed), ground)
        return run.id


def describe(tools: Toolbox, caller: Caller, run_id: str, purpose: Purpose) -> None:
    """Writes reason, note and end beside a suspension that is not confirmed yet. Raises Conflict and Invalid."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        run = require_run(session, organization_id, run_id)
        if run.state != RunState.PREVIEW or run.deed != Deed.SUSPEND:
            raise Conflict("This preview was used already.", "Look at the list of runs.")
        today = ground_of(tools, session, organization_id, "", tools.clock()).today
        if purpose.ends_on is not None and purpose.ends_on < today:
            raise Invalid("ends_on", "The end lies in the past.", "Choose a day from today on, or none.")
        if purpose.ends_on is not None and is_far(purpose.ends_on, today):
            raise Invalid("ends_on", "The end is too far away.", "Choose an earlier day, or none.")
        run.purpose = purpose.to_row()


def purge_previews(tools: Toolbox, most: int = BATCH) -> None:
    """Deletes previews that nobody confirmed in time; those of rules are kept longer. `most` people at a time."""
    now = tools.clock()
    of_rule = (Run.rule_id.is_not(None) | (Run.origin == Origin.ACCESS_RULE.value)) & Run.undoes.is_(None)
    too_old = (~of_rule & (Run.created_at < now - PREVIEWS_LIVE)) | (
        Run.created_at < now - RULE_PREVIEWS_LIVE
    )
    query = select(Run.organization_id, Run.id).where(Run.state == RunState.PREVIEW.value, too_old)
    with tools.begin() as session:
        found = session.execute(query).all()
    for organization_id, run_id in found:
        forget_preview(tools, organization_id, run_id, most)


def forget_preview(tools: Toolbox, organization_id: str, run_id: str, most: int = BATCH) -> None:
    """Deletes one preview, `most` people at a time; one that was confirmed meanwhile stays."""
    in_portions(tools, lambda session: _forget_some(session, organization_id, run_id, most))


def _forget_some(session: Session, organization_id: str, run_id: str, most: int) -> bool:
    """True while there is more of it. On SQLite nobody else writes while people are deleted: few at a time."""
    this = (Run.organization_id == organization_id, Run.id == run_id)
    cases = (Case.organization_id == organization_id, Case.run_id == run_id)
    # Held: whoever confirms it this moment comes before, and it stays.
    held = update(Run).where(*this, Run.state == RunState.PREVIEW.value).values(state=Run.state)
    if not session.execute(held).rowcount:  # type: ignore[attr-defined]
        return False
    some = delete(Case).where(*cases, Case.id.in_(select(Case.id).where(*cases).limit(most)))
    gone = session.execute(some.execution_options(synchronize_session=False))
    if gone.rowcount >= most:  # type: ignore[attr-defined]
        return True
    session.execute(delete(Run).where(*this))
    return False


def require_fresh_sync(
    session: Session, organization_id: str, now: datetime, fresh: timedelta = FRESH
) -> None:
    """Raises NotReady unless the newest complete sync is recent enough to decide about people (S46)."""
    sync = latest_sync(session, organization_id, SyncState.COMPLETE)
    if sync is None:
        raise NotReady(
            "Rollcall has not read your directory completely yet.",
            "Start a sync on the Overview page and wait until it is complete.",
            reason="no_complete_sync",
        )
    if sync.started_at < now - fresh:
        raise NotReady(
            "The last complete sync is too old to decide about people.",
            "Start a sync on the Overview page and wait until it is complete.",
            reason="stale_sync",
        )


def case_row(
    run: Run,
    account_id: str,
    directory_id: str,
    name: str,
    deed: Deed,
    verdict: Verdict,
    undoes: str | None = None,
) -> dict[str, object]:
    """The row of one person in a run that is being made."""
    return {
        "organization_id": run.organization_id,
        "id": str(uuid.uuid4()),
        "run_id": run.id,
        "account_id": account_id,
        "directory_id": directory_id,
        "name": name,
        "deed": deed.value,
        "step": verdict.step,
        "state": verdict.state.value,
        "why": verdict.why.value,
        "because": "",
        "because_facts": None,
        "reason": verdict.reason[:500],
        "groups": list(verdict.groups) or None,
        "undoes": undoes,
        "attempt": 0,
        "troubles": 0,
    }


def row_of(run: Run, person: Candidate, deed: Deed, verdict: Verdict) -> dict[str, object]:
    """The same for somebody as a rule sees them."""
    facts = person.seen.facts
    return case_row(run, facts.account_id, person.directory_id, facts.name, deed, verdict)


def new_run(
    session: Session,
    organization_id: str,
    caller: Caller,
    deed: Deed | None,
    now: datetime,
    undone: Run | None = None,
) -> Run:
    """A run that waits to be confirmed; `undone` is the one it would take back."""
    run = Run(
        organization_id=organization_id,
        id=str(uuid.uuid4()),
        deed=deed.value if deed is not None else None,
        state=RunState.PREVIEW.value,
        undoes=undone.id if undone is not None else None,
        rule_id=undone.rule_id if undone is not None else None,
        rule_version=undone.rule_version if undone is not None else None,
        requested_by=caller.account_id or "",
        created_at=now,
    )
    session.add(run)
    record_run(session, Event.RUN_PREVIEWED, run, caller.account_id or "", now)
    return run


def _add_selected(
    session: Session, run: Run, people: Sequence[Person], action: Action, ground: Ground
) -> None:
    rows = []
    for batch in batches(people):
        ids = [person.account_id for person in batch]
        found = people_as_candidates(session, run.organization_id, ids, ground.organization)
        for person in batch:
            candidate = found.get(person.account_id)
            if candidate is None:
                continue
            verdict = judge(
                action,
                candidate.seen,
                ground,
                in_several_directories=candidate.in_several_directories,
                refusal=candidate.refusal,
            )
            rows.append(row_of(run, candidate, action.deed, verdict))
    add_cases(session, rows)


def add_cases(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Inserts cases; nobody, and nothing happens."""
    if rows:
        session.flush()
        session.connection().execute(insert(Case), rows)
