"""Absences that end, and last days: who is away until when, and who comes back by itself."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict, Invalid, NotFound
from models.absence import Absence, LastDay
from models.audit import APP, Event
from models.organization import Organization, close_gate
from models.people import Person, find_person
from models.run import Run
from rules.case import CaseState, RunState
from rules.deeds import Action, Deed
from rules.judging import judge
from services.apart import apart
from services.audit import record
from services.candidates import people_as_candidates
from services.coming_back import who_stays_away
from services.doors import require_organization
from services.ground import day_in, ground_of
from services.leaver_last_days import follow_last_day
from services.previews import add_cases, row_of
from services.runs import record_run
from services.toolbox import Toolbox

MOST_AT_ONCE = 500
LONGEST_NOTE = 500


def bring_back(tools: Toolbox) -> list[str]:
    """Starts a run that restores everybody whose absence is over and was meant to end by itself.

    Returns the runs' ids. An absence is taken up once, in the transaction that makes its case. Whoever has gone
    meanwhile is not restored: the audit says why.
    """
    # East of us a day is over earlier.
    anywhere = tools.clock().date() + timedelta(days=1)
    with tools.begin() as session:
        organization_ids = session.scalars(
            select(Absence.organization_id).where(_over(anywhere)).distinct()
        ).all()
    found = apart(lambda each: _bring_back(tools, each), organization_ids, "the end of absences")
    return [run_id for run_id in found if run_id is not None]


def set_last_day(tools: Toolbox, caller: Caller, account_id: str, *, ends_on: str, note: str) -> None:
    """Writes down until when somebody is expected to stay; an empty date forgets it. Raises NotFound and Invalid."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        if find_person(session, organization_id, account_id) is None:
            raise NotFound("This person is not in your organization.", "Go back to the list of people.")
        day = _day(ends_on)
        if len(note) > LONGEST_NOTE:
            raise Invalid("note", f"A note has at most {LONGEST_NOTE} characters.", "Shorten it.")
        known = session.get(LastDay, (organization_id, account_id))
        before = known.ends_on if known is not None else None
        if before != day:
            follow_last_day(session, organization_id, account_id, before, day, now)
        if day is None:
            if known is not None:
                session.delete(known)
                _record(session, Event.LAST_DAY_CLEARED, organization_id, account_id, caller, now, "")
            return
        if known is None:
            known = LastDay(organization_id=organization_id, account_id=account_id)
            session.add(known)
        known.ends_on, known.note = day, note.replace("\0", "").strip()
        known.set_by, known.set_at = caller.account_id or "", now
        _record(session, Event.LAST_DAY_SET, organization_id, account_id, caller, now, day.isoformat())


def stay_away(tools: Toolbox, caller: Caller, account_id: str) -> None:
    """They are not restored when their absence is over: somebody has to do it. Raises NotFound and Conflict."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        if find_person(session, organization_id, account_id) is None:
            raise NotFound("This person is not in your organization.", "Go back to the list of people.")
        kept = session.execute(
            update(Absence)
            .where(
                Absence.organization_id == organization_id,
                Absence.account_id == account_id,
                Absence.ended_at.is_(None),
                Absence.comes_back.is_(True),
            )
            .values(comes_back=False)
        )
        if not kept.rowcount:  # type: ignore[attr-defined]
            raise Conflict("They are not restored by themselves any more.", "Reload the page and look again.")
        _record(session, Event.ABSENCE_KEPT, organization_id, account_id, caller, now, "")


def end_absences_of_the_present(
    session: Session, organization_id: str, now: datetime, read_since: datetime
) -> None:
    """Whoever a sync finds active again is no longer away, whoever restored them.

    Suspensions after `read_since` may not show in what the sync read.
    """
    present = select(Person.account_id).where(
        Person.organization_id == organization_id, Person.status == "active", Person.left_at.is_(None)
    )
    ended = (
        update(Absence)
        .where(
            Absence.organization_id == organization_id,
            Absence.ended_at.is_(None),
            Absence.began_at < read_since,
            Absence.account_id.in_(present),
        )
        .values(ended_at=now)
        .returning(Absence.account_id)
        .execution_options(synchronize_session=False)
    )
    for account_id in sorted(set(session.scalars(ended))):
        _record_end(session, organization_id, account_id, now, "A sync found them active.")


def _over(today: date) -> ColumnElement[bool]:
    """Without a door nobody could be restored: whoever comes back then waits for the next one."""
    with_door = select(Organization.id).where(Organization.doorless_since.is_(None))
    return and_(
        Absence.ended_at.is_(None),
        Absence.comes_back.is_(True),
        Absence.ends_on < today,
        Absence.organization_id.in_(with_door),
    )


def _bring_back(tools: Toolbox, organization_id: str) -> str | None:
    now = tools.clock()
    with tools.begin() as session:
        close_gate(session, organization_id)
        today = day_in(session, organization_id, now)
        query = select(Absence).where(Absence.organization_id == organization_id, _over(today))
        over = session.scalars(query.limit(MOST_AT_ONCE)).all()
        if not over:
            return None
        for absence in over:
            absence.ended_at = now
        stay = who_stays_away(session, organization_id, over, today)
        for account_id, why in stay.items():
            _record_end(session, organization_id, account_id, now, f"Not restored: {why}")
        account_ids = list(dict.fromkeys(each.account_id for each in over if each.account_id not in stay))
        if not account_ids:
            return None
        run = Run(
            organization_id=organization_id,
            id=str(uuid.uuid4()),
            deed=Deed.RESTORE.value,
            state=RunState.RUNNING.value,
            requested_by=APP,
            confirmed_by=APP,
            created_at=now,
            confirmed_at=now,
            reason="Their absence is over.",
        )
        session.add(run)
        record_run(session, Event.RUN_STARTED, run, APP, now, run.reason)
        ground = ground_of(tools, session, organization_id, APP, now)
        found = people_as_candidates(session, organization_id, account_ids, ground.organization)
        rows = []
        for account_id in account_ids:
            person = found.get(account_id)
            if person is None:
                continue
            verdict = judge(
                Action(Deed.RESTORE),
                person.seen,
                ground,
                in_several_directories=person.in_several_directories,
                refusal=person.refusal,
            )
            row = row_of(run, person, Deed.RESTORE, verdict)
            row["resume_at"] = now if verdict.state is CaseState.PLANNED else None
            rows.append(row)
        session.flush()
        add_cases(session, rows)
        return run.id


def _day(word: str) -> date | None:
    word = word.strip()
    if not word:
        return None
    try:
        day = date.fromisoformat(word)
    except ValueError as problem:
        raise Invalid(
            "ends_on", "This is no date.", "Write it as 2027-05-01, or leave it empty."
        ) from problem
    if not 2000 <= day.year <= 2100:
        raise Invalid("ends_on", "This year cannot be meant.", "Correct the date, or leave it empty.")
    return day


def _record_end(session: Session, organization_id: str, account_id: str, now: datetime, result: str) -> None:
    record(
        session,
        Event.ABSENCE_ENDED,
        at=now,
        actor=APP,
        organization_id=organization_id,
        subject=account_id,
        result=result,
    )


def _record(
    session: Session,
    event: Event,
    organization_id: str,
    account_id: str,
    caller: Caller,
    now: datetime,
    result: str,
) -> None:
    record(
        session,
        event,
        at=now,
        actor=caller.account_id or "",
        organization_id=organization_id,
        client_key=caller.tenant,
        subject=account_id,
        result=result,
    )
