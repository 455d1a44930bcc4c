"""What operators say about access with an end: longer, now, or without an end; and who asks for longer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict, Invalid, NotFound
from models.answer import Answer, Decision
from models.audit import Event
from models.people import facts_of, find_person
from models.run import Case, Run, find_case
from models.timed_access import TimedAccess, TimedState
from rules.access_rule import access_of
from rules.case import CaseState, RunState
from rules.changes import Change, ChangeKind, is_away
from rules.deeds import Deed
from rules.roster import Entry, Origin
from rules.topics import AnswerKind
from rules.verdict import Why
from services.answers import settle
from services.audit import record
from services.doors import require_organization
from services.given_until import until_when_it_is_there
from services.ground import day_in
from services.orders import done_changes
from services.roster import begin_roster
from services.timed_access import end, hold
from services.timed_beginnings import given_by, look_again
from services.toolbox import Toolbox

LONGEST = timedelta(days=3660)
AGAIN = "Given again for longer."
_GIVES = (ChangeKind.JOIN_GROUP, ChangeKind.ASSIGN_ROLE)


def prolong(tools: Toolbox, caller: Caller, case_id: str, until: str) -> TimedAccess:
    """Another last day. What has ended already is given again. Raises Invalid, Conflict and NotFound."""
    organization_id = require_organization(tools, caller)
    now, by = tools.clock(), caller.account_id or ""
    with tools.begin() as session:
        timed, case = _held(session, organization_id, case_id)
        day = last_day(session, organization_id, until, now)
        prolong_until(tools, session, timed, case, day, by=by, now=now)
        _settle(session, timed, case, Decision.APPROVED, by, now)
        session.flush()
        session.expunge(timed)
        return timed


def end_now(tools: Toolbox, caller: Caller, case_id: str) -> TimedAccess:
    """Takes it back without waiting for its day. Raises Conflict when it is over already."""
    organization_id = require_organization(tools, caller)
    now, by = tools.clock(), caller.account_id or ""
    with tools.begin() as session:
        timed, case = _held(session, organization_id, case_id)
        if timed.state not in (TimedState.OPEN, TimedState.NOT_ENDED):
            raise Conflict("This access is over, or ending already.", "Reload the list.")
        end(tools, session, timed, case, by=by, now=now, reason="The access was ended by an operator.")
        _settle(session, timed, case, Decision.REFUSED, by, now)
        session.flush()
        session.expunge(timed)
        return timed


def drop_end(tools: Toolbox, caller: Caller, case_id: str) -> TimedAccess:
    """The access stays. Raises Conflict when it is over already."""
    organization_id = require_organization(tools, caller)
    now, by = tools.clock(), caller.account_id or ""
    with tools.begin() as session:
        timed, case = _held(session, organization_id, case_id)
        if timed.state not in (TimedState.OPEN, TimedState.NOT_ENDED):
            raise Conflict("This access is over, or ending already.", "Reload the list.")
        _give_back_what_ended(tools, session, timed, case, None, by, now)
        timed.state, timed.next_at, timed.reason = TimedState.DROPPED.value, None, ""
        _record(session, Event.TIMED_DROPPED, timed, by, now, "")
        _settle(session, timed, case, Decision.APPROVED, by, now)
        session.flush()
        session.expunge(timed)
        return timed


def prolong_until(
    tools: Toolbox, session: Session, timed: TimedAccess, case: Case, day: date, *, by: str, now: datetime
) -> None:
    """The same in the caller's transaction, with the row held."""
    if timed.state == TimedState.ENDING:
        raise Conflict("This access is ending at this moment.", "Wait a minute, then prolong it again.")
    if timed.state == TimedState.ENDED:
        _give_again(tools, session, timed, case, given_by(session, case), day, by, now)
    else:
        _give_back_what_ended(tools, session, timed, case, day, by, now)
        timed.state, timed.reason, timed.prolonged_until = TimedState.OPEN.value, "", day
        look_again(session, timed)
    timed.prolonged_by, timed.prolonged_at = by, now
    _record(session, Event.TIMED_PROLONGED, timed, by, now, f"{day:%-d %B %Y}")


def last_day(session: Session, organization_id: str, word: str, now: datetime) -> date:
    """A typed day, from today on. Raises Invalid."""
    try:
        day = date.fromisoformat(word.strip())
    except ValueError as problem:
        raise Invalid("until", "Say until when.", "Choose the last day of the access.") from problem
    today = day_in(session, organization_id, now)
    if day < today:
        raise Invalid("until", "This day is over.", "Choose a day from today on, or end the access now.")
    if day > today + LONGEST:
        raise Invalid("until", "This day is too far away.", "Choose a day within ten years, or drop the end.")
    return day


def _give_back_what_ended(
    tools: Toolbox,
    session: Session,
    timed: TimedAccess,
    case: Case,
    day: date | None,
    by: str,
    now: datetime,
) -> None:
    """An end that could not go all the way has taken a part."""
    rest = done_changes(case)
    ended = tuple(change for change in given_by(session, case) if change not in rest)
    if ended and timed.state == TimedState.NOT_ENDED:
        _give_again(tools, session, timed, case, ended, day, by, now)


def _give_again(
    tools: Toolbox,
    session: Session,
    timed: TimedAccess,
    case: Case,
    changes: Iterable[Change],
    day: date | None,
    by: str,
    now: datetime,
) -> None:
    if _is_on_its_way(session, timed):
        raise Conflict(
            f"The access of {case.name} is being given again at this moment.",
            "Wait a minute, then prolong it where it stands under “Access with an end”.",
        )
    access = access_of(change for change in changes if change.kind in _GIVES)
    person = find_person(session, timed.organization_id, timed.account_id)
    gone = person is None or person.left_at is not None or is_away(facts_of(person))
    entry = Entry(
        Deed.INVITE if gone and case.email else Deed.GIVE_ACCESS,
        email=case.email or "",
        account_id="" if gone and case.email else timed.account_id,
        name=case.name,
        access=access,
        ends_on=day,
        because=AGAIN,
    )
    run = begin_roster(
        session, tools, timed.organization_id, [entry], Origin.TIMED, timed.case_id, by=by, now=now
    )
    again = session.scalars(
        select(Case).where(Case.organization_id == run.organization_id, Case.run_id == run.id)
    ).one()
    # Who has it by another way has what they asked for, unless it ends before that day.
    if again.state != CaseState.PLANNED and again.why != Why.DONE:
        raise Conflict(
            f"The access of {case.name} cannot be given again: {again.reason}",
            "Solve that first, or refuse, and help them by hand.",
        )
    there = until_when_it_is_there(session, again) if again.why == Why.DONE else None
    if there is not None and (day is None or there < day):
        raise Conflict(
            f"{case.name} has this access again already, until {there:%-d %B %Y}.",
            "Prolong it where it stands under “Access with an end”, among all that end.",
        )


def _is_on_its_way(session: Session, timed: TimedAccess) -> bool:
    """Else the day that is said second would be lost without a word."""
    giving = select(Run.id).where(
        Run.organization_id == timed.organization_id,
        Run.origin == Origin.TIMED.value,
        Run.origin_id == timed.case_id,
        Run.undoes.is_(None),
        Run.state == RunState.RUNNING.value,
    )
    return session.scalar(giving.limit(1)) is not None


def _held(session: Session, organization_id: str, case_id: str) -> tuple[TimedAccess, Case]:
    timed = hold(session, organization_id, case_id)
    case = find_case(session, organization_id, case_id)
    if timed is None or case is None:
        raise NotFound("This access has no end, or not any more.", "Reload the list.")
    return timed, case


def _settle(
    session: Session, timed: TimedAccess, case: Case, decision: Decision, by: str, now: datetime
) -> None:
    """Whoever waits for an answer has it by that."""
    asked = session.get(Answer, (timed.organization_id, timed.case_id, AnswerKind.PROLONG.value))
    if asked is not None and asked.decision == Decision.WAITS:
        settle(session, asked, case, decision, by=by, now=now)


def _record(session: Session, event: Event, timed: TimedAccess, by: str, now: datetime, result: str) -> None:
    record(
        session,
        event,
        at=now,
        actor=by,
        organization_id=timed.organization_id,
        subject=timed.account_id,
        run_id=timed.run_id,
        result=result,
    )
