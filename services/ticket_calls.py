"""Tickets that were sent to rules, one at a time: read in Jira, judged, given to a run, followed, answered.

What begins a run and what remembers it is one transaction: a ticket begins one run at most, whatever dies or comes
twice (S50).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connect.errors import AppError, AtlassianError, Invalid, NotReady, RateLimited
from models.audit import APP
from models.run import Case, find_case
from models.ticket import TicketCall, TicketRule, find_call
from rules.case import CaseState
from rules.roster import Origin
from rules.tickets import CallState, CommentState, Objection, Ticket, another_ticket, state_after
from rules.verdict import Why
from services import ticket_comments
from services.given_until import until_when_it_is_there
from services.leasing import PAUSES
from services.roster import begin_roster
from services.ticket_judging import judge_ticket, read_ticket
from services.toolbox import Toolbox

AT_WORK = timedelta(minutes=5)
"""Only then is an attempt believed to have died."""
_GIVEN = "The access that this ticket asks for is given."
_THERE = "The access that this ticket asks for is there already."
_ENDS_SOONER = f"{_THERE} It does not stay as long: your administrator sees until when."
_NOT_GIVEN = "The access that this ticket asks for was not given. Your administrator sees why."
_OFF = Objection("The rule was switched off, or deleted, before the ticket was read.", "")
_MOVED = Objection("The rule looks into another Jira since this ticket was sent.", "")


@dataclass(frozen=True, slots=True)
class _Job:
    organization_id: str
    call_id: str
    attempt: int
    state: CallState
    comment: CommentState
    client_key: str
    issue_id: str
    issue_key: str
    rule: TicketRule


def work(tools: Toolbox, organization_id: str, call_id: str, attempt: int) -> None:
    """One step of one ticket. Does nothing when there is none to do, or another attempt is at work."""
    job = _begin(tools, organization_id, call_id, attempt)
    if job is None:
        return
    try:
        if job.state is CallState.RECEIVED:
            name = job.issue_key or job.issue_id
            _decide(
                tools, job, read_ticket(tools, job.rule, name) if _against(job, job.rule) is None else None
            )
        elif job.comment is CommentState.DUE:
            ticket_comments.say(tools, organization_id, call_id)
        else:
            _follow(tools, job)
    except (AtlassianError, NotReady) as problem:
        _later(tools, job, problem)
    except Invalid as problem:
        _give_up(tools, job, problem)


def fail(tools: Toolbox, organization_id: str, call_id: str, attempt: int) -> None:
    """An attempt met a fault of our own; the fault itself is in the log."""
    now = tools.clock()
    with tools.begin() as session:
        call = find_call(session, organization_id, call_id)
        if call is not None and call.resume_at is not None:
            # Whatever the fault rolled back: the next attempt is another one, or it would be taken for this.
            call.attempt = max(call.attempt, attempt)
            _put_off(call, "Something went wrong inside Rollcall.", now, None)


def _begin(tools: Toolbox, organization_id: str, call_id: str, attempt: int) -> _Job | None:
    now = tools.clock()
    with tools.begin() as session:
        call = find_call(session, organization_id, call_id)
        if call is None or call.resume_at is None or call.attempt >= attempt:
            return None
        if call.working_since is not None and now < call.working_since + AT_WORK:
            call.resume_at = call.working_since + AT_WORK
            return None
        rule = session.get_one(TicketRule, (organization_id, call.rule_id))
        call.attempt, call.working_since, call.resume_at = attempt, now, now + AT_WORK
        session.flush()
        session.expunge(rule)
        return _Job(
            organization_id,
            call_id,
            attempt,
            CallState(call.state),
            CommentState(call.comment_state),
            call.client_key,
            call.issue_id,
            call.issue_key,
            rule,
        )


def _against(job: _Job, rule: TicketRule) -> Objection | None:
    """Why the ticket is not even read."""
    if not rule.is_on or rule.deleted_at is not None:
        return _OFF
    return _MOVED if rule.client_key != job.client_key else None


def _decide(tools: Toolbox, job: _Job, ticket: Ticket | None) -> None:
    """What the ticket brings, once: only the attempt that still holds the row begins a run."""
    now = tools.clock()
    with tools.begin() as session:
        call = _hold(session, job, now)
        if call is None:
            return
        rule = session.get_one(TicketRule, (job.organization_id, call.rule_id))
        against = _against(job, rule)
        if ticket is None or against is not None:
            _end(call, CallState.SKIPPED, (against or _OFF).words, now)
            return
        if ticket.id != job.issue_id:
            # Sent by a Jira that the rule has left. Nothing is said: it would be on the ticket of a stranger.
            _end(call, CallState.SKIPPED, another_ticket(job.issue_key), now)
            return
        call.issue_key, call.account_id = ticket.key, ticket.reporter or ""
        call.request_type = ticket.request_type
        judged = judge_ticket(session, rule, ticket, now)
        if judged.entry is None:
            assert judged.objection is not None
            _end(call, CallState.SKIPPED, judged.objection.words, now)
            _comment(call, rule, judged.objection.said, now)
            return
        run = begin_roster(
            session,
            tools,
            job.organization_id,
            [judged.entry],
            Origin.TICKET,
            rule.id,
            by=APP,
            now=now,
            review=rule.with_approval,
        )
        case = session.scalars(
            select(Case).where(Case.organization_id == job.organization_id, Case.run_id == run.id)
        ).one()
        call.run_id, call.case_id = run.id, case.id
        _settle(session, call, rule, case, now)


def _follow(tools: Toolbox, job: _Job) -> None:
    now = tools.clock()
    with tools.begin() as session:
        call = _hold(session, job, now)
        if call is None:
            return
        case = find_case(session, job.organization_id, call.case_id or "")
        if case is not None:
            _settle(
                session, call, session.get_one(TicketRule, (job.organization_id, call.rule_id)), case, now
            )
        else:
            call.resume_at = call.working_since = None


def _hold(session: Session, job: _Job, now: datetime) -> TicketCall | None:
    """The row for this attempt alone: whoever comes beside it waits here, and finds it moved on."""
    held = session.execute(
        update(TicketCall)
        .where(
            TicketCall.organization_id == job.organization_id,
            TicketCall.id == job.call_id,
            TicketCall.attempt == job.attempt,
            TicketCall.state == job.state.value,
        )
        .values(working_since=now)
        .execution_options(synchronize_session=False)
    )
    if not held.rowcount:  # type: ignore[attr-defined]
        return None
    return find_call(session, job.organization_id, job.call_id)


def _settle(session: Session, call: TicketCall, rule: TicketRule, case: Case, now: datetime) -> None:
    """The call stands where its case stands."""
    state = state_after(CaseState(case.state))
    call.case_state, call.state, call.reason = case.state, state.value, case.reason[:500]
    call.working_since = call.resume_at = None
    call.finished_at, call.troubles = None, 0
    if state is CallState.APPLIED:
        _end(call, state, "", now)
        _comment(call, rule, _GIVEN + _until(case.ends_on), now)
    elif state is CallState.SKIPPED:
        _end(call, state, case.reason, now)
        _comment(call, rule, _not_given(session, case), now)
    elif state is CallState.FAILED:
        # Nothing is said on the ticket: an operator may try again.
        _end(call, state, case.reason, now)


def _not_given(session: Session, case: Case) -> str:
    if case.why == Why.DONE:
        return _THERE + _until(until_when_it_is_there(session, case))
    return _ENDS_SOONER if case.why == Why.LAST_DAY else _NOT_GIVEN


def _until(day: date | None) -> str:
    return f" It ends on {day.day} {day:%B %Y}." if day is not None else ""


def _end(call: TicketCall, state: CallState, reason: str, now: datetime) -> None:
    call.state, call.reason, call.finished_at = state.value, reason[:500], now
    call.working_since = call.resume_at = None
    call.troubles = 0


def _comment(call: TicketCall, rule: TicketRule, words: str, now: datetime) -> None:
    """Something is to be said on the ticket, as the next step; what was said already is not said again."""
    if rule.comments and words and words != call.said:
        call.said, call.comment_state, call.comment_reason = words, CommentState.DUE.value, ""
        call.resume_at = now


def _later(tools: Toolbox, job: _Job, problem: AppError) -> None:
    now = tools.clock()
    until = problem.until if isinstance(problem, RateLimited) else None
    with tools.begin() as session:
        call = _hold(session, job, now)
        if call is not None:
            _put_off(call, f"{problem.sentence} {problem.next_step}", now, until)


def _put_off(call: TicketCall, reason: str, now: datetime, until: datetime | None) -> None:
    call.working_since, call.troubles = None, call.troubles + 1
    over = call.troubles > len(PAUSES)
    if call.comment_state == CommentState.DUE and call.state != CallState.RECEIVED:
        call.comment_reason = reason[:300]
        call.comment_state = CommentState.NOT_SENT.value if over else CommentState.DUE.value
    elif over:
        _end(call, CallState.FAILED, reason, now)
    else:
        call.reason = reason[:500]
    call.resume_at = None if over else max(until or now, now + PAUSES[call.troubles - 1])


def _give_up(tools: Toolbox, job: _Job, problem: Invalid) -> None:
    now = tools.clock()
    with tools.begin() as session:
        call = _hold(session, job, now)
        if call is None:
            return
        if job.state is CallState.RECEIVED:
            _end(call, CallState.FAILED, f"{problem.sentence} {problem.next_step}", now)
        else:
            call.comment_state, call.comment_reason = CommentState.NOT_SENT.value, problem.sentence[:300]
            call.working_since = call.resume_at = None
