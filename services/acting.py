"""Acting on one person: read them now, ask the guards, write down what is about to happen, call, write down the result.

A worker may die between any two lines. Whoever comes next finds the case in ACTING and looks at the person, not at
what the program believed (S49, S50).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connect.errors import (
    AccessForbidden,
    AppError,
    Gone,
    Invalid,
    NotReady,
    RateLimited,
    SiteMoved,
    Unauthorized,
    Unavailable,
    Unexpected,
)
from connect.gateway.organization import OrganizationGateway
from models.audit import APP, Event
from models.credential import credential_holders
from models.organization import Organization
from models.people import Person, find_person
from models.run import Case, Run, find_case, find_run
from rules.case import Act, CaseState, Deed, Record, RunState, Spare, Wait, decide, moved
from rules.guards import Guarded
from rules.person import PersonFacts
from rules.plan import judge
from services.audit import record
from services.doors import opened
from services.runs import paused_until
from services.toolbox import Toolbox

LEASE = timedelta(minutes=1)
"""How long a case may wait in the queue before it is handed out again."""
AT_WORK = timedelta(minutes=10)
"""How long an attempt may take before another one looks what became of it."""
MOST_TROUBLES = 5
LEFT_AS = {Deed.SUSPEND: "suspended", Deed.RESTORE: "active"}


@dataclass(frozen=True, slots=True)
class _Order:
    """One unfinished case, copied out of the database."""

    organization_id: str
    case_id: str
    run_id: str
    account_id: str
    directory_id: str
    deed: Deed
    state: CaseState
    acting_since: datetime | None
    guarded: Guarded
    in_several_directories: bool
    objection: str | None


def lease_due_cases(tools: Toolbox, limit: int = 50) -> list[tuple[str, str, int]]:
    """(organization id, case id, next attempt) of the cases whose time has come, each handed out to one asker.

    A case that nobody has begun when its lease is over is handed out again, with the same attempt: enqueueing that
    twice is one workflow.
    """
    now = tools.clock()
    unfinished = Case.state.in_([CaseState.PLANNED.value, CaseState.ACTING.value])
    due = select(Case.id).where(unfinished, Case.resume_at <= now).order_by(Case.resume_at).limit(limit)
    # The condition stands outside again: of two who ask at once, the second one waits for the row and finds it taken.
    leased = (
        update(Case)
        .where(Case.id.in_(due), unfinished, Case.resume_at <= now)
        .values(resume_at=now + LEASE)
        .returning(Case.organization_id, Case.id, Case.attempt)
        .execution_options(synchronize_session=False)
    )
    with tools.begin() as session:
        return [
            (organization_id, case_id, attempt + 1)
            for organization_id, case_id, attempt in session.execute(leased)
        ]


def act_on_case(tools: Toolbox, organization_id: str, case_id: str, attempt: int) -> None:
    """Leads one case as far as it goes now: to an end, or to a moment at which to look again. May be repeated."""
    order = _take(tools, organization_id, case_id, attempt)
    if order is None:
        return
    try:
        with opened(tools, organization_id) as gateway:
            _act(tools, gateway, order)
    except RateLimited as pause:
        _postpone_organization(tools, order, pause.until)
    except Unavailable as trouble:
        _trouble(tools, order, trouble)
    except (Unauthorized, NotReady, SiteMoved) as problem:
        _finish(tools, order, CaseState.FAILED, _words(problem), rejected=True)
    except (AccessForbidden, Unexpected, Invalid, Gone) as problem:
        _finish(tools, order, CaseState.REFUSED, _words(problem), rejected=True)


def fail_case(tools: Toolbox, organization_id: str, case_id: str) -> None:
    """Ends a case that met a fault of our own; the fault itself is in the log. In ACTING it is looked at again."""
    now = tools.clock()
    with tools.begin() as session:
        case = find_case(session, organization_id, case_id)
        if case is None:
            return
        case.troubles += 1
        if case.state == CaseState.ACTING and case.troubles < MOST_TROUBLES:
            case.resume_at = now + timedelta(seconds=tools.settings.settle_seconds)
        elif case.state in (CaseState.ACTING, CaseState.PLANNED):
            case.state = moved(CaseState(case.state), CaseState.FAILED).value
            case.reason, case.finished_at, case.resume_at = "Something went wrong inside Rollcall.", now, None


def _take(tools: Toolbox, organization_id: str, case_id: str, attempt: int) -> _Order | None:
    now = tools.clock()
    with tools.begin() as session:
        taken = session.execute(
            update(Case)
            .where(
                Case.organization_id == organization_id,
                Case.id == case_id,
                Case.state.in_([CaseState.PLANNED.value, CaseState.ACTING.value]),
                Case.attempt <= attempt,
            )
            .values(attempt=attempt, resume_at=now + AT_WORK)
        )
        case = find_case(session, organization_id, case_id)
        run = find_run(session, organization_id, case.run_id) if case is not None else None
        if not taken.rowcount or case is None or run is None:  # type: ignore[attr-defined]
            return None
        later = _later(session, tools, case, now)
        if later is not None:
            case.resume_at = later
            return None
        person = find_person(session, organization_id, case.account_id)
        return _Order(
            organization_id=organization_id,
            case_id=case_id,
            run_id=case.run_id,
            account_id=case.account_id,
            directory_id=case.directory_id,
            deed=Deed(run.deed),
            state=CaseState(case.state),
            acting_since=case.acting_since,
            guarded=Guarded(
                run.confirmed_by or run.requested_by, frozenset(credential_holders(session, organization_id))
            ),
            in_several_directories=person is not None and person.in_several_directories,
            objection=_undo_objection(session, case),
        )


def _later(session: Session, tools: Toolbox, case: Case, now: datetime) -> datetime | None:
    """When to look again, if Atlassian asked for a pause or somebody else has just acted on the same person."""
    pause = paused_until(session, case.organization_id, now)
    if pause is not None:
        return pause
    settle = timedelta(seconds=tools.settings.settle_seconds)
    other = session.scalar(
        select(Case)
        .where(
            Case.organization_id == case.organization_id,
            Case.account_id == case.account_id,
            Case.id != case.id,
            (Case.state == CaseState.ACTING.value)
            | ((Case.state == CaseState.ACTED.value) & (Case.finished_at > now - settle)),
        )
        .limit(1)
    )
    # An undo of that very deed need not wait: the run itself knows what it left behind.
    if other is None or (other.id == case.undoes and other.state == CaseState.ACTED):
        return None
    return (other.finished_at or now) + settle


def _undo_objection(session: Session, case: Case) -> str | None:
    if case.undoes is None:
        return None
    original = find_case(session, case.organization_id, case.undoes)
    if original is None or original.state not in (CaseState.ACTED, CaseState.UNDO_SKIPPED):
        return "This was taken back already."
    newer = session.scalar(
        select(Case.id)
        .where(
            Case.organization_id == case.organization_id,
            Case.account_id == case.account_id,
            Case.state == CaseState.ACTED.value,
            Case.finished_at > original.finished_at,
        )
        .limit(1)
    )
    return None if newer is None else "A later run changed this person."


def _act(tools: Toolbox, gateway: OrganizationGateway, order: _Order) -> None:
    facts = _read(gateway, order)
    objection = order.objection
    if facts is not None and objection is None:
        verdict = judge(order.deed, facts, order.guarded, in_several_directories=order.in_several_directories)
        objection = verdict.objection
    decision = decide(
        deed=order.deed,
        acting_since=order.acting_since,
        facts=facts,
        objection=objection,
        now=tools.clock(),
        settle=timedelta(seconds=tools.settings.settle_seconds),
    )
    match decision:
        case Record():
            _finish(tools, order, CaseState.ACTED, "Found done after an interruption.")
        case Spare(reason):
            _finish(tools, order, CaseState.SPARED, reason)
        case Wait(until):
            _postpone(tools, order, until)
        case Act():
            assert facts is not None
            if _begin(tools, order, facts):
                _call(gateway, order)
                _finish(tools, order, CaseState.ACTED, "")
            else:
                _give_way(tools, order)


def _read(gateway: OrganizationGateway, order: _Order) -> PersonFacts | None:
    try:
        return gateway.person(order.organization_id, order.directory_id, order.account_id)
    except Gone:
        return None


def _begin(tools: Toolbox, order: _Order, facts: PersonFacts) -> bool:
    """Writes ACTING and what the person was before. False when the run was stopped, or somebody else was faster."""
    now = tools.clock()
    with suppress(IntegrityError), tools.begin() as session:
        running = select(Run.id).where(
            Run.organization_id == order.organization_id,
            Run.id == order.run_id,
            Run.state == RunState.RUNNING.value,
        )
        begun = session.execute(
            update(Case)
            .where(
                Case.organization_id == order.organization_id,
                Case.id == order.case_id,
                Case.state == order.state.value,
                Case.acting_since.is_(None)
                if order.acting_since is None
                else Case.acting_since == order.acting_since,
                running.exists(),
            )
            .values(
                state=CaseState.ACTING.value,
                acting_since=now,
                earlier=_earlier(facts),
                resume_at=now + AT_WORK,
            )
        )
        return bool(begun.rowcount)  # type: ignore[attr-defined]
    return False


def _give_way(tools: Toolbox, order: _Order) -> None:
    """Another run acts on this person: look again later. Or the run was stopped: an interrupted case did not land."""
    now = tools.clock()
    with tools.begin() as session:
        case = find_case(session, order.organization_id, order.case_id)
        run = find_run(session, order.organization_id, order.run_id)
        if case is None or run is None or case.state not in (CaseState.PLANNED, CaseState.ACTING):
            return
        if run.state == RunState.RUNNING:
            case.resume_at = now + timedelta(seconds=tools.settings.settle_seconds)
        else:
            case.state = moved(CaseState(case.state), CaseState.CANCELLED).value
            case.reason, case.finished_at, case.resume_at = "The run was stopped.", now, None


def _earlier(facts: PersonFacts) -> dict[str, str]:
    return {
        "membership_status": facts.membership_status,
        "status": facts.status,
        "products": ",".join(sorted(access.resource_id for access in facts.products)),
        "groups": ",".join(sorted(group.id for group in facts.groups)),
    }


def _call(gateway: OrganizationGateway, order: _Order) -> None:
    call = gateway.suspend if order.deed is Deed.SUSPEND else gateway.restore
    call(order.organization_id, order.directory_id, order.account_id)


def _finish(tools: Toolbox, order: _Order, state: CaseState, reason: str, *, rejected: bool = False) -> None:
    """The result, the audit entry and, for an undo, the mark on the case taken back: one transaction.

    `rejected` means that Atlassian said no: whatever the person becomes later is not this case's doing.
    """
    now = tools.clock()
    with tools.begin() as session:
        case = find_case(session, order.organization_id, order.case_id)
        if case is None or case.state not in (CaseState.PLANNED, CaseState.ACTING):
            return
        case.state, case.reason = moved(CaseState(case.state), state).value, reason[:500]
        case.finished_at, case.resume_at = now, None
        if rejected:
            case.acting_since = None
        if state is CaseState.ACTED:
            case.left_as = LEFT_AS[order.deed]
            _remember(session, order)
        event = {
            CaseState.ACTED: Event.CASE_ACTED,
            CaseState.SPARED: Event.CASE_SPARED,
            CaseState.FAILED: Event.CASE_FAILED,
            CaseState.REFUSED: Event.CASE_REFUSED,
        }[state]
        _record(session, event, order, now, reason)
        if case.undoes is not None:
            _mark_undone(session, case, order, state, now)


def _remember(session: Session, order: _Order) -> None:
    """Shows the new state at once; the next sync reads it from Atlassian anyway."""
    left_as = LEFT_AS[order.deed]
    session.execute(
        update(Person)
        .where(Person.organization_id == order.organization_id, Person.account_id == order.account_id)
        .values(membership_status=left_as, status=left_as)
    )


def _mark_undone(session: Session, case: Case, order: _Order, state: CaseState, now: datetime) -> None:
    original = find_case(session, case.organization_id, case.undoes or "")
    if original is None or original.state not in (CaseState.ACTED, CaseState.UNDO_SKIPPED):
        return
    if state is CaseState.ACTED:
        original.state = moved(CaseState(original.state), CaseState.UNDONE).value
        _record(session, Event.CASE_UNDONE, order, now, "", run_id=original.run_id)
    elif state is CaseState.SPARED and original.state == CaseState.ACTED:
        original.state = moved(CaseState.ACTED, CaseState.UNDO_SKIPPED).value
        original.reason = case.reason
        _record(session, Event.CASE_UNDO_SKIPPED, order, now, case.reason, run_id=original.run_id)


def _postpone(tools: Toolbox, order: _Order, until: datetime) -> None:
    with tools.begin() as session:
        case = find_case(session, order.organization_id, order.case_id)
        if case is not None and case.state in (CaseState.PLANNED, CaseState.ACTING):
            case.resume_at = until


def _postpone_organization(tools: Toolbox, order: _Order, until: datetime) -> None:
    """429: nothing happened, and nobody of this organization is acted on before `until`."""
    with tools.begin() as session:
        session.get_one(Organization, order.organization_id).paused_until = until
        case = find_case(session, order.organization_id, order.case_id)
        if case is None or case.state not in (CaseState.PLANNED, CaseState.ACTING):
            return
        case.resume_at = until
        if order.state is CaseState.PLANNED and case.state == CaseState.ACTING:
            stopped = session.get_one(Run, (order.organization_id, order.run_id)).state != RunState.RUNNING
            state = CaseState.CANCELLED if stopped else CaseState.PLANNED
            case.state, case.acting_since = moved(CaseState.ACTING, state).value, None
            if stopped:
                case.reason, case.finished_at, case.resume_at = "The run was stopped.", tools.clock(), None


def _trouble(tools: Toolbox, order: _Order, trouble: AppError) -> None:
    """No answer: before the call nothing happened, after it nobody knows. Facts decide once Atlassian has settled."""
    now = tools.clock()
    with tools.begin() as session:
        case = find_case(session, order.organization_id, order.case_id)
        if case is None or case.state not in (CaseState.PLANNED, CaseState.ACTING):
            return
        case.troubles += 1
        exhausted = case.troubles >= MOST_TROUBLES
        if not exhausted:
            case.resume_at = now + timedelta(seconds=tools.settings.settle_seconds)
    if exhausted:
        _finish(tools, order, CaseState.FAILED, _words(trouble))


def _words(problem: AppError) -> str:
    return f"{problem.sentence} {problem.next_step}"


def _record(
    session: Session, event: Event, order: _Order, now: datetime, result: str, run_id: str | None = None
) -> None:
    record(
        session,
        event,
        at=now,
        actor=APP,
        organization_id=order.organization_id,
        subject=order.account_id,
        run_id=run_id or order.run_id,
        result=result,
        details={"deed": order.deed.value, "asked_by": order.guarded.asked_by},
    )
