"""Taking a run back: the inverse of what landed, for everybody it changed and nobody else (S51)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict
from models.audit import Event
from models.people import Person
from models.run import Case, Run
from models.sync import SyncState, latest_sync
from rules.case import CHANGED, CaseState, RunState
from rules.deeds import CAPABILITIES, Action, Deed
from rules.idle import Candidate
from rules.roster import Origin, action_to_words, is_unknown
from rules.undo import as_left_by, has_accepted, judge_undo, taken_back_by
from rules.verdict import Ground, Verdict, Why
from services.batches import batches
from services.candidates import people_as_candidates
from services.doors import require_organization
from services.ends_moved import undos_of
from services.ground import ground_of
from services.orders import done_changes, way_back_of
from services.previews import add_cases, case_row, new_run
from services.runs import record_run, require_run
from services.toolbox import Toolbox

_UNKNOWN = Verdict(
    CaseState.NOT_POSSIBLE,
    "Nobody knows what came of the last call: retry the failed ones of that run first.",
    Why.ATLASSIAN,
)
_NOT_READ = Verdict(
    CaseState.NOT_POSSIBLE,
    "Rollcall has not read them yet: sync now, then take it back once more.",
    Why.STATUS,
)
"""Of somebody invited whom Atlassian did not show when they were looked for, and no sync has found since."""


def preview_undo(tools: Toolbox, caller: Caller, run_id: str, account_id: str | None = None) -> str:
    """A preview of taking a run back, or what it did to one person: for everybody it changed, nobody else (S51)."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        undone = require_run(session, organization_id, run_id)
        whole = account_id is None
        if undone.undoes is not None or (whole and undone.state not in (RunState.FINISHED, RunState.STOPPED)):
            raise Conflict("This run cannot be taken back now.", "Wait until it has finished.")
        changed = _changed_by(session, undone, account_id)
        if not changed:
            raise Conflict("Nobody is left whom this run changed.", "There is nothing to take back.")
        deeds = {CAPABILITIES[Deed(deed)].opposite for deed in changed.values()}
        deed = deeds.pop() if len(deeds) == 1 else None
        run = new_run(session, organization_id, caller, deed, now, undone)
        ground = ground_of(tools, session, organization_id, caller.account_id or "", now)
        settle = timedelta(seconds=tools.settings.settle_seconds)
        for rows in _undo_rows(session, run, undone, list(changed), ground, settle):
            add_cases(session, rows)
        return run.id


def give_back(
    session: Session,
    undone: Run,
    case: Case,
    ground: Ground,
    *,
    by: str,
    now: datetime,
    settle: timedelta,
    reason: str,
) -> Run:
    """A run that takes back what one case did, begun at once. Raises Conflict when no way leads back."""
    run = begin_undo(session, undone, case, ground, by=by, now=now, settle=settle, reason=reason)
    if isinstance(run, str):
        raise Conflict(
            f"The access of {case.name} cannot be given back: {run}", "Refuse, and help them by hand."
        )
    return run


def begin_undo(
    session: Session,
    undone: Run,
    case: Case,
    ground: Ground,
    *,
    by: str,
    now: datetime,
    settle: timedelta,
    reason: str,
    origin: Origin = Origin.BY_HAND,
    run_id: str = "",
) -> Run | str:
    """A run that takes back what one case did, begun at once; or why no way leads back.

    With an `origin`, the case is what it came from. Who accepted an invitation that ends by itself stays, without what
    the invitation brought.
    """
    run = Run(
        organization_id=undone.organization_id,
        id=run_id or str(uuid.uuid4()),
        deed=(CAPABILITIES[Deed(case.deed)].opposite or Deed.GIVE_BACK).value,
        state=RunState.RUNNING.value,
        origin=origin.value,
        origin_id=case.id if origin else "",
        undoes=undone.id,
        rule_id=undone.rule_id,
        rule_version=undone.rule_version,
        requested_by=by,
        created_at=now,
        confirmed_by=by,
        confirmed_at=now,
        reason=reason,
    )
    changed = list(_changed_by(session, undone, case.account_id))
    rows = [row for some in _undo_rows(session, run, undone, changed, ground, settle) for row in some]
    if not rows or rows[0]["state"] != CaseState.PLANNED:
        return str(rows[0]["reason"]) if rows else "It was taken back already."
    run.deed = str(rows[0]["deed"])
    session.add(run)
    record_run(session, Event.RUN_STARTED, run, by, now, reason)
    add_cases(session, [row | {"resume_at": now} for row in rows])
    return run


def _changed_by(session: Session, undone: Run, account_id: str | None) -> dict[str, str]:
    """Account id → deed, of everybody whom this run changed, or of one of them: the cases may be too many to hold."""
    query = select(Case.account_id, Case.deed).where(*_changed(undone))
    if account_id is not None:
        query = query.where(Case.account_id == account_id)
    return dict(session.execute(query).all())


def _changed(undone: Run) -> tuple[ColumnElement[bool], ...]:
    nobody_knows = (Case.state == CaseState.FAILED.value) & Case.acting_since.is_not(None)
    return (
        Case.organization_id == undone.organization_id,
        Case.run_id == undone.id,
        Case.changed.is_(True) | nobody_knows,
        Case.state.in_([state.value for state in CHANGED]),
    )


def _undo_rows(
    session: Session, run: Run, undone: Run, account_ids: Sequence[str], ground: Ground, settle: timedelta
) -> Iterator[list[dict[str, object]]]:
    """A batch of people at a time."""
    sync = latest_sync(session, run.organization_id, SyncState.COMPLETE)
    shown_before = sync.started_at - settle if sync is not None else None
    for batch in batches(account_ids):
        found = people_as_candidates(session, run.organization_id, batch, ground.organization)
        synced = _last_read(session, run.organization_id, batch)
        query = select(Case).where(*_changed(undone), Case.account_id.in_(batch))
        cases = session.scalars(query).all()
        of_ends = [case for case in cases if case.deed == Deed.PROLONG]
        set_back = undos_of(session, run.organization_id, of_ends, ground.today)
        rows = []
        for case in cases:
            if case.id in set_back:
                rows.append(_row_of_ends(run, case, *set_back[case.id]))
                continue
            read_at, left_at = synced.get(case.account_id, (None, None))
            if left_at is not None and case.finished_at is not None and left_at < case.finished_at:
                # Whoever had left before they were let in was read in that other time.
                read_at = None
            unread = read_at is None and not _was_looked_for(case, shown_before)
            person = found.get(case.account_id)
            rows.append(_undo_row(run, case, person, ground, read_at, settle, _NOT_READ if unread else None))
        yield rows


def _row_of_ends(run: Run, case: Case, action: Action, verdict: Verdict) -> dict[str, object]:
    row = case_row(run, case.account_id, case.directory_id, case.name, action.deed, verdict, undoes=case.id)
    return row | {"action": action_to_words(action)}


def _last_read(
    session: Session, organization_id: str, account_ids: Sequence[str]
) -> dict[str, tuple[datetime | None, datetime | None]]:
    """Account id → when somebody was read last, and since when they are gone."""
    query = select(Person.account_id, Person.synced_at, Person.left_at).where(
        Person.organization_id == organization_id, Person.account_id.in_(account_ids)
    )
    return {account_id: (read_at, left_at) for account_id, read_at, left_at in session.execute(query)}


def _was_looked_for(case: Case, shown_before: datetime | None) -> bool:
    """Whether a complete sync, which shows all that was done before, would have found whom this case let in.

    Whose account nobody named goes by another name there.
    """
    if shown_before is None or case.finished_at is None or is_unknown(case.account_id):
        return False
    return case.finished_at < shown_before


def _undo_row(
    run: Run,
    case: Case,
    person: Candidate | None,
    ground: Ground,
    read_at: datetime | None,
    settle: timedelta,
    unread: Verdict | None,
) -> dict[str, object]:
    seen = person.seen if person is not None else None
    deed = CAPABILITIES[Deed(case.deed)].opposite or Deed.GIVE_BACK
    if run.origin == Origin.TIMED and deed is Deed.REMOVE and seen is not None and has_accepted(seen.facts):
        deed = Deed.TAKE_BACK
    done = taken_back_by(deed, done_changes(case))
    # A sync that read the person before the deed could show says nothing about what somebody did since.
    read_since = read_at is not None and case.finished_at is not None and read_at > case.finished_at + settle
    if seen is not None and not read_since:
        seen = as_left_by(done, seen)
    nobody_knows = case.acting_since is not None and case.state == CaseState.FAILED
    verdict = (_UNKNOWN if nobody_knows else unread) or judge_undo(
        Action(deed),
        way_back_of(case, done),
        done,
        seen,
        ground,
        in_several_directories=person is not None and person.in_several_directories,
    )
    # Who was invited was in no directory before.
    directory_id = case.directory_id or (person.directory_id if person is not None else "")
    row = case_row(run, case.account_id, directory_id, case.name, deed, verdict, undoes=case.id)
    return row | {"action": None}
