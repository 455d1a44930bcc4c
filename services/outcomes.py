"""What came of an attempt at a case: written down with its audit entry, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connect.errors import AppError, Unexpected
from connect.gateway.answers import NO_SEAT_LEFT
from models.answer import Answer
from models.audit import APP, Event
from models.organization import Organization
from models.run import Case, Run, find_case, find_run, hold_case
from rules.case import UNFINISHED, CaseState, RunState, moved
from rules.changes import Change, ChangeKind
from rules.roster import is_unknown
from rules.topics import AnswerKind, Topic
from rules.verdict import Why
from services import consequences, remembering
from services.administrators_left import forget_what_was_given_up
from services.audit import record
from services.delays import pause_after
from services.directory_news import read_again
from services.half_undone import leave_the_rest
from services.half_way import follow_what_landed
from services.notices import announce
from services.orders import Order
from services.seat_memory import seats_ended, seats_given
from services.toolbox import Toolbox

MOST_TROUBLES = 10
"""With the pauses between them half an hour: Atlassian's own troubles seldom last longer."""
STOPPED = "The run was stopped."
OUR_FAULT = "Something went wrong inside Rollcall."

_EVENTS = {
    CaseState.ACTED: Event.CASE_ACTED,
    CaseState.SPARED: Event.CASE_SPARED,
    CaseState.FAILED: Event.CASE_FAILED,
    CaseState.REFUSED: Event.CASE_REFUSED,
}


def finish(tools: Toolbox, order: Order, state: CaseState, reason: str, *, rejected: bool = False) -> None:
    """The result, the audit entry and, for an undo, the mark on the case taken back: one transaction.

    `rejected` means that Atlassian said no: whatever the person becomes later is not this case's doing.
    """
    with tools.begin() as session:
        case = find_case(session, order.organization_id, order.case_id)
        if case is not None and CaseState(case.state) in UNFINISHED:
            _end(tools, session, case, order, state, reason, rejected=rejected)


def finish_by_facts(
    tools: Toolbox,
    order: Order,
    state: CaseState,
    reason: str,
    *,
    rejected: bool = False,
    is_there: bool = False,
) -> None:
    """The same for what was found before a call of this attempt. `is_there`: all that was to be done is so already.

    Whoever waited long in the queue may have been handed out twice. If the other attempt has begun since, what this
    one has found may be that one's doing: it says itself what came of it.
    """
    with tools.begin() as session:
        case = hold_case(session, order.organization_id, order.case_id)
        if case is None or CaseState(case.state) not in UNFINISHED or case.acting_since != order.acting_since:
            return
        if is_there:
            case.why = Why.DONE.value
        _end(tools, session, case, order, state, reason, rejected=rejected)


def finish_in_memory(
    tools: Toolbox, order: Order, do: Callable[[Session, Case, datetime], tuple[CaseState, str]]
) -> None:
    """A deed that is all in our own memory: done and written down in one transaction, or not at all.

    `do` gets the case, held, with the moment, and says what came of it. Whoever was handed out twice does it once.
    """
    with tools.begin() as session:
        case = hold_case(session, order.organization_id, order.case_id)
        if case is None or CaseState(case.state) not in UNFINISHED:
            return
        state, reason = do(session, case, tools.clock())
        _end(tools, session, case, order, state, reason, rejected=False)


def _end(
    tools: Toolbox,
    session: Session,
    case: Case,
    order: Order,
    state: CaseState,
    reason: str,
    *,
    rejected: bool,
) -> None:
    now = tools.clock()
    run = session.get_one(Run, (case.organization_id, case.run_id))
    case.state, case.reason = moved(CaseState(case.state), state).value, reason[:500]
    case.finished_at, case.resume_at = now, None
    if rejected:
        case.acting_since = None
    _write_landed(case, order)
    _write_account(session, case, order)
    forget_what_was_given_up(session, order)
    if state is CaseState.ACTED:
        remembering.remember(session, order, case.earlier or {}, now)
    if state is CaseState.ACTED or case.changed:
        remembering.remember_absence(session, order, case, run, now)
    record_case(session, _EVENTS[state], order, now, reason)
    if state is CaseState.FAILED:
        _learn_what_came_of_it(tools, session, case)
    if state is CaseState.ACTED and order.action.takes:
        _tell_that_it_ended(session, order, case, now)
    if case.undoes is not None:
        _mark_undone(session, case, order, state, now)
    consequences.follow(session, case, run, now)


def turn_down(tools: Toolbox, order: Order, state: CaseState, problem: AppError) -> None:
    """Atlassian said no, and `state` is what that means, unless nobody knows what came of a call.

    Then the case has failed: whoever tries it again asks the facts first (S50). So it is when we could not even look at
    what an earlier attempt left behind, and when a call went well with an answer that cannot be read.
    """
    with tools.begin() as session:
        case = find_case(session, order.organization_id, order.case_id)
        begun_now = case is not None and case.acting_since != order.acting_since
    went_well = isinstance(problem, Unexpected) and 200 <= problem.status < 300
    if went_well:
        # Nobody said no.
        state = CaseState.FAILED
    if went_well if begun_now else order.acting_since is not None:
        finish(tools, order, CaseState.FAILED, words(problem))
    else:
        finish(tools, order, state, words(problem), rejected=True)


def facts_of(order: Order, case: Case, ends_at: datetime | None) -> dict[str, Any]:
    """What a notice about a case says: why, as it is now, days or weeks after they were chosen."""
    because = order.because
    return {
        "deed": order.action.deed.value,
        "ends_at": ends_at.isoformat() if ends_at is not None else "",
        "because": because.sentence if because is not None else case.because,
        "because_facts": because.to_words() if because is not None else case.because_facts,
        "rule": order.rule.name if order.rule is not None else "",
        "rule_id": order.rule_id or "",
    } | _about(order, _at_stake(order), order.action.leave)


def _at_stake(order: Order) -> list[str]:
    """The products that a deed is about, by key or resource id; none, when it is about the whole person."""
    grants = order.ground.organization.grants
    opened = {each for group_id in order.action.leave for each in grants.get(group_id, ())}
    return list(order.action.products) or sorted(opened)


def _about(order: Order, products: list[str], groups: Sequence[str]) -> dict[str, Any]:
    """What a notice is about: products, or the groups that are changed where these open and end none."""
    names = [order.ground.organization.group_name(group_id) for group_id in groups] if not products else []
    return {"products": products, "names": names}


def _tell_that_it_ended(session: Session, order: Order, case: Case, now: datetime) -> None:
    """Whom an operator took access by hand is told by the operator; a rule tells by itself."""
    left = _groups(order, ChangeKind.LEAVE_GROUP)
    lost = _had(case, seats_ended(session, order, case.earlier or {}), left)
    announce(
        session,
        order.organization_id,
        Topic.ENDED,
        case.id,
        now,
        facts=facts_of(order, case, now) | _about(order, lost, left),
        account_id=order.account_id,
        by_mail=order.step is not None and order.step.by_mail and order.ground.organization.mails,
        case_id=case.id,
        run_id=case.run_id,
    )


def note_landed(tools: Toolbox, order: Order) -> bool:
    """One of several changes was answered: whatever happens next, undo must know of it.

    Whether the next call is for this attempt to make: from now on Atlassian has its time to show that one. A machine
    that slept meanwhile was overtaken.
    """
    with tools.begin() as session:
        case = find_case(session, order.organization_id, order.case_id)
        if case is None:
            return False
        _write_landed(case, order)
        if case.attempt != order.attempt or case.state != CaseState.ACTING:
            return False
        case.acting_since = tools.clock()
        return True


def postpone(tools: Toolbox, order: Order, until: datetime) -> None:
    """Look again at `until`."""
    with tools.begin() as session:
        case = find_case(session, order.organization_id, order.case_id)
        if case is not None and CaseState(case.state) in UNFINISHED:
            case.resume_at = until


def postpone_organization(tools: Toolbox, order: Order, until: datetime) -> None:
    """429: this call did not happen, and nobody of this organization is acted on before `until`."""
    with tools.begin() as session:
        session.get_one(Organization, order.organization_id).paused_until = until
        case = find_case(session, order.organization_id, order.case_id)
        if case is None or CaseState(case.state) not in UNFINISHED:
            return
        case.resume_at = until
        if order.state is not CaseState.ACTING and case.state == CaseState.ACTING:
            run = session.get_one(Run, (order.organization_id, order.run_id))
            stopped = run.state != RunState.RUNNING
            state = CaseState.CANCELLED if stopped else order.state
            case.state, case.acting_since = moved(CaseState.ACTING, state).value, None
            if stopped:
                now = tools.clock()
                case.reason, case.finished_at, case.resume_at = STOPPED, now, None
                follow_what_landed(session, case, run, APP, now)


def trouble(tools: Toolbox, order: Order, problem: AppError) -> None:
    """No answer: before the call nothing happened, after it nobody knows. Facts decide once Atlassian has settled."""
    now = tools.clock()
    with tools.begin() as session:
        case = find_case(session, order.organization_id, order.case_id)
        if case is None or CaseState(case.state) not in UNFINISHED:
            return
        case.troubles += 1
        exhausted = case.troubles >= MOST_TROUBLES
        if not exhausted:
            case.resume_at = now + _pause(tools, case)
    if exhausted:
        finish(tools, order, CaseState.FAILED, words(problem))


def give_way(tools: Toolbox, order: Order) -> None:
    """Another run acts on this person: look again later. Or the run was stopped, and what has not landed will not."""
    now = tools.clock()
    with tools.begin() as session:
        case = find_case(session, order.organization_id, order.case_id)
        run = find_run(session, order.organization_id, order.run_id)
        if case is None or run is None or CaseState(case.state) not in UNFINISHED:
            return
        # What an earlier attempt did is seen only now: whoever takes the run back must know of it.
        _write_landed(case, order)
        if run.state == RunState.RUNNING:
            case.resume_at = now + timedelta(seconds=tools.settings.settle_seconds)
        else:
            case.state = moved(CaseState(case.state), CaseState.CANCELLED).value
            case.reason, case.finished_at, case.resume_at = STOPPED, now, None
            follow_what_landed(session, case, run, APP, now)


def fail_case(tools: Toolbox, organization_id: str, case_id: str, attempt: int) -> None:
    """Ends a case that met a fault of our own; the fault itself is in the log. In ACTING it is looked at again."""
    now = tools.clock()
    with tools.begin() as session:
        case = find_case(session, organization_id, case_id)
        if case is None:
            return
        # Whatever the fault rolled back: the next attempt is another one, or it would be taken for this.
        case.attempt = max(case.attempt, attempt)
        case.troubles += 1
        if case.state == CaseState.ACTING and case.troubles < MOST_TROUBLES:
            case.resume_at = now + _pause(tools, case)
        elif CaseState(case.state) in UNFINISHED:
            case.state = moved(CaseState(case.state), CaseState.FAILED).value
            case.reason, case.finished_at, case.resume_at = OUR_FAULT, now, None
            leave_the_rest(session, case)
            _learn_what_came_of_it(tools, session, case)
            run = session.get_one(Run, (case.organization_id, case.run_id))
            record(
                session,
                Event.CASE_FAILED,
                at=now,
                actor=APP,
                organization_id=organization_id,
                subject=case.account_id,
                run_id=case.run_id,
                result=OUR_FAULT,
                details={"deed": case.deed, "asked_by": run.confirmed_by or run.requested_by},
            )
            consequences.follow(session, case, run, now)


def _learn_what_came_of_it(tools: Toolbox, session: Session, case: Case) -> None:
    """Of a call whose outcome nobody knows, the person tells once Atlassian shows it."""
    if case.acting_since is not None and not is_unknown(case.account_id):
        settle = timedelta(seconds=tools.settings.settle_seconds)
        read_again(session, case.organization_id, case.account_id, tools.clock(), settle)


def _pause(tools: Toolbox, case: Case) -> timedelta:
    return pause_after(case.troubles, timedelta(seconds=tools.settings.settle_seconds))


def words(problem: AppError) -> str:
    """A refusal as a reason on the case."""
    if isinstance(problem, Unexpected) and problem.code in NO_SEAT_LEFT:
        return "No seat is free in a product that this would give. Free one, or buy one, then try again."
    if isinstance(problem, Unexpected) and problem.status == 402:
        return "Your organization has no paid subscription for a product that this would give."
    if isinstance(problem, Unexpected) and problem.status == 409:
        return (
            "Atlassian says that this cannot be done as things are. Sync, look at the person, then try again."
        )
    return f"{problem.sentence} {problem.next_step}"


def not_given(problem: str) -> str:
    """What an invitation did not bring, in Atlassian's words."""
    next_step = "Free or buy a seat, or change what they are to get, then invite them again."
    return f"Atlassian did not give everything: {problem.rstrip('.')}. {next_step}"


def _write_landed(case: Case, order: Order) -> None:
    if case.changes is None:
        return
    case.changes = [
        [*row[:3], bool(row[3]) or Change.from_words(row) in order.landed] for row in case.changes
    ]
    case.changed = any(row[3] for row in case.changes)


def _write_account(session: Session, case: Case, order: Order) -> None:
    """Who was invited has an account from now on: their history begins with the invitation."""
    if not is_unknown(case.account_id) or is_unknown(order.account_id):
        return
    there = select(Case.id).where(
        Case.organization_id == case.organization_id,
        Case.run_id == case.run_id,
        Case.account_id == order.account_id,
    )
    if session.scalar(there.limit(1)) is None:
        case.account_id, case.directory_id = order.account_id, order.directory_id


def _mark_undone(session: Session, case: Case, order: Order, state: CaseState, now: datetime) -> None:
    original = find_case(session, case.organization_id, case.undoes or "")
    if original is None or not original.changed or original.state == CaseState.UNDONE:
        return
    if state is CaseState.ACTED:
        original.state = moved(CaseState(original.state), CaseState.UNDONE).value
        record_case(session, Event.CASE_UNDONE, order, now, "", run_id=original.run_id)
        _tell_that_it_is_back(session, order, original, now)
    elif state is CaseState.SPARED and original.state != CaseState.UNDO_SKIPPED:
        original.state = moved(CaseState(original.state), CaseState.UNDO_SKIPPED).value
        original.reason = case.reason
        record_case(session, Event.CASE_UNDO_SKIPPED, order, now, case.reason, run_id=original.run_id)
    if state is not CaseState.ACTED:
        leave_the_rest(session, case)


def _tell_that_it_is_back(session: Session, order: Order, original: Case, now: datetime) -> None:
    """Whoever asked for their access back is told that they have it."""
    if session.get(Answer, (original.organization_id, original.id, AnswerKind.ASK_BACK.value)) is None:
        return
    joined = _groups(order, ChangeKind.JOIN_GROUP)
    back = _had(original, seats_given(order), joined)
    announce(
        session,
        original.organization_id,
        Topic.GIVEN_BACK,
        original.id,
        now,
        facts={"deed": order.action.deed.value} | _about(order, back, joined),
        account_id=original.account_id,
        by_mail=True,
        case_id=original.id,
        run_id=order.run_id,
    )


def _had(case: Case, meant: frozenset[str], groups: Sequence[str]) -> list[str]:
    """The products that they had before a deed, of those that are `meant`; all, when the whole person is.

    What they hold by now would not tell. `groups` are those that changed: they need not mean any product.
    """
    whole = not meant and not groups
    return [each for each in (case.earlier or {}).get("products", ()) if whole or each in meant]


def _groups(order: Order, kind: ChangeKind) -> list[str]:
    return [change.about for change in order.begun or () if change.kind is kind]


def record_case(
    session: Session, event: Event, order: Order, now: datetime, result: str, run_id: str | None = None
) -> None:
    """Writes what happened to a person into the audit, with the deed and who asked for it."""
    record(
        session,
        event,
        at=now,
        actor=APP,
        organization_id=order.organization_id,
        subject=order.account_id,
        run_id=run_id or order.run_id,
        result=result,
        details={"deed": order.action.deed.value, "asked_by": order.asked_by},
    )
