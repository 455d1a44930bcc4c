"""The worker's look at access with an end: tells people before, and takes it back once when its day is over."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.audit import APP, Event
from models.notice import Notice, NoticeKind
from models.organization import Organization, zone_of
from models.run import Case, find_case, find_run
from models.timed_access import TimedAccess, TimedState, find_timed
from rules.case import CaseState
from rules.deeds import Deed
from rules.roster import Origin, is_unknown
from rules.timed import warning_mark, warnings_due
from rules.topics import Topic
from services.audit import record
from services.ground import ground_of
from services.notices import announce
from services.timed_beginnings import cannot_end, facts_of, is_gone, look_again
from services.timed_gone import end_without_a_deed
from services.toolbox import Toolbox
from services.undoing import begin_undo

MOST_AT_ONCE = 50
AFTER_A_FAULT = timedelta(hours=1)
STOPPED = "The run that would have taken it back was stopped."
_IDS = uuid.UUID("0c9f3a1e-8a53-4b5a-9a8e-6f4a3d0f7b21")


def due_ends(tools: Toolbox) -> list[tuple[str, str]]:
    """(organization id, case id) of the access that somebody is to be told about, or whose day is over."""
    now = tools.clock()
    _notice_stopped_ends(tools, now)
    due = (
        select(TimedAccess.organization_id, TimedAccess.case_id)
        .join(Organization, Organization.id == TimedAccess.organization_id)
        .where(
            TimedAccess.state == TimedState.OPEN.value,
            TimedAccess.next_at <= now,
            Organization.doorless_since.is_(None),
        )
        .order_by(TimedAccess.next_at)
        .limit(MOST_AT_ONCE)
    )
    with tools.begin() as session:
        return [(organization_id, case_id) for organization_id, case_id in session.execute(due)]


def put_off(tools: Toolbox, organization_id: str, case_id: str) -> None:
    """It met a fault of our own, which is in the log: it is looked at again later, and the others before."""
    with tools.begin() as session:
        timed = hold(session, organization_id, case_id)
        if timed is not None and timed.state == TimedState.OPEN:
            timed.next_at = tools.clock() + AFTER_A_FAULT


def hold(session: Session, organization_id: str, case_id: str) -> TimedAccess | None:
    """The row, kept from everybody else to the end of the transaction. SQLite knows no FOR UPDATE: write first."""
    mine = (TimedAccess.organization_id == organization_id, TimedAccess.case_id == case_id)
    session.execute(
        update(TimedAccess).where(*mine).values(case_id=case_id).execution_options(synchronize_session=False)
    )
    return session.scalar(select(TimedAccess).where(*mine).execution_options(populate_existing=True))


def end(
    tools: Toolbox, session: Session, timed: TimedAccess, case: Case, *, by: str, now: datetime, reason: str
) -> str | None:
    """Begins to take back what the case gave, and nothing else. Returns the run's id; None: nothing was left, or it

    cannot be, and the row says why.
    """
    run = find_run(session, timed.organization_id, timed.run_id)
    assert run is not None
    timed.ended_by = by
    key = f"{timed.case_id}:{timed.until.isoformat()}"
    undo = begin_undo(
        session,
        run,
        case,
        ground_of(tools, session, timed.organization_id, by, now),
        by=by,
        now=now,
        settle=timedelta(seconds=tools.settings.settle_seconds),
        reason=reason,
        origin=Origin.TIMED,
        # By the clock it has our own id, so that it cannot begin twice; an operator may try again.
        run_id=str(uuid.uuid5(_IDS, key) if by == APP else uuid.uuid4()),
    )
    if isinstance(undo, str):
        if is_gone(undo):
            end_without_a_deed(session, timed, now, by)
        else:
            cannot_end(session, timed, undo, now)
        return None
    timed.state, timed.end_run_id, timed.next_at, timed.reason = TimedState.ENDING.value, undo.id, None, ""
    _record(session, Event.TIMED_ENDING, timed, by, now, reason)
    return undo.id


def look(tools: Toolbox, organization_id: str, case_id: str) -> str | None:
    """Tells the person, or takes the access back: the id of the run that does. May be repeated.

    The row is held while it is worked on: of two workers the second finds nothing left to do.
    """
    now = tools.clock()
    with tools.begin() as session:
        timed = hold(session, organization_id, case_id)
        case = find_case(session, organization_id, case_id)
        if timed is None or case is None or timed.state != TimedState.OPEN:
            return None
        if timed.next_at is None or timed.next_at > now:
            return None
        zone = zone_of(session, organization_id)
        today = now.astimezone(zone).date()
        if today > timed.until:
            reason = f"The access ended on {_day(timed.until)}."
            return end(tools, session, timed, case, by=APP, now=now, reason=reason)
        began = timed.began_at.astimezone(zone).date()
        due = warnings_due(began, timed.until, frozenset(timed.warned), today)
        if due:
            _warn(session, timed, case, now)
            timed.warned = [*timed.warned, *(warning_mark(timed.until, days) for days in due)]
        look_again(session, timed)
        return None


def _warn(session: Session, timed: TimedAccess, case: Case, now: datetime) -> None:
    if is_unknown(timed.account_id):
        return
    given = session.scalar(
        select(func.count(Notice.id)).where(
            Notice.organization_id == timed.organization_id, Notice.case_id == timed.case_id
        )
    ) or 0  # fmt: skip
    facts = facts_of(session, timed, case)
    session.add(
        Notice(
            organization_id=timed.organization_id,
            id=str(uuid.uuid4()),
            case_id=timed.case_id,
            account_id=timed.account_id,
            kind=NoticeKind.ENDS.value,
            ordinal=given + 1,
            deed=Deed.TAKE_BACK.value,
            created_at=now,
            ends_at=datetime.fromisoformat(str(facts["ends_at"])),
        )
    )
    announce(
        session,
        timed.organization_id,
        Topic.ACCESS_ENDS,
        f"{timed.case_id}:{timed.until.isoformat()}:{given}",
        now,
        facts=facts,
        account_id=timed.account_id,
        by_mail=True,
        case_id=timed.case_id,
        run_id=timed.run_id,
    )
    _record(session, Event.TIMED_WARNED, timed, APP, now, _day(timed.until))


def _notice_stopped_ends(tools: Toolbox, now: datetime) -> None:
    """An end that an operator stopped before its turn has no outcome that would tell."""
    stopped = (
        select(TimedAccess.organization_id, TimedAccess.case_id)
        .join(
            Case,
            (Case.organization_id == TimedAccess.organization_id)
            & (Case.run_id == TimedAccess.end_run_id)
            & (Case.undoes == TimedAccess.case_id),
        )
        .where(TimedAccess.state == TimedState.ENDING.value, Case.state == CaseState.CANCELLED.value)
        .limit(MOST_AT_ONCE)
    )
    with tools.begin() as session:
        for organization_id, case_id in session.execute(stopped).all():
            timed = find_timed(session, organization_id, case_id)
            if timed is not None:
                cannot_end(session, timed, STOPPED, now)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _record(session: Session, event: Event, timed: TimedAccess, by: str, now: datetime, result: str) -> None:
    record(
        session,
        event,
        at=now,
        actor=by,
        organization_id=timed.organization_id,
        subject=timed.account_id,
        run_id=timed.end_run_id or timed.run_id,
        result=result,
    )
