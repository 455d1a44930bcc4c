"""The review queue: cases that wait for an operator, and what an operator may say about them, one by one or many."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict, Invalid
from models.audit import Event
from models.people import Person, people_with_seats
from models.people_search import accounts_by_address
from models.rule import rule_names
from models.run import Case, Run, running_run_ids
from rules.case import IN_QUEUE, CaseState, moved
from rules.roster import is_unknown
from rules.timed import too_late
from rules.verdict import Why
from services.answer_queue import count_asking
from services.answers import locked
from services.audit import record
from services.doors import require_organization
from services.ground import day_in
from services.protecting import protect_person
from services.roster_words import access_in_words
from services.selection import selected
from services.toolbox import Toolbox

LONGEST_NOTE = 500
REFUSED = "An operator refused it."


@dataclass(frozen=True, slots=True)
class Waiting:
    """One case of the queue, as people see it."""

    case: Case
    run: Run
    rule_name: str
    person: Person | None
    gives: str = ""
    """What a roster would give or take, in words."""


def queue(
    tools: Toolbox, caller: Caller, *, state: CaseState | None = None, offset: int = 0, limit: int = 50
) -> tuple[list[Waiting], dict[CaseState, int]]:
    """One page of the queue, oldest first, and how many wait in each state."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        counts = count_waiting(session, organization_id)
        query = _waiting(organization_id).order_by(Run.created_at, Case.name, Case.id)
        if state is not None:
            query = query.where(Case.state == state.value)
        rows = session.execute(query.offset(offset).limit(limit)).all()
        names = rule_names(session, organization_id, [run.rule_id for _case, run in rows])
        people = people_with_seats(session, organization_id, [case.account_id for case, _run in rows])
        gives = access_in_words(session, organization_id, [case for case, _run in rows])
        found = [
            Waiting(
                case,
                run,
                names.get(run.rule_id or "", ""),
                people.get(case.account_id),
                gives.get(case.id, ""),
            )
            for case, run in rows
        ]
        session.expunge_all()
        return found, counts


def count_waiting(session: Session, organization_id: str) -> dict[CaseState, int]:
    """How many cases wait for an operator, by state; as ANSWERED, all whose answer waits."""
    rows = session.execute(_HOW_MANY, {"organization_id": organization_id})
    found = {CaseState(state): count for state, count in rows}
    answers = count_asking(session, organization_id)
    return found | ({CaseState.ANSWERED: answers} if answers else {})


def approve(
    tools: Toolbox, caller: Caller, case_ids: Sequence[str], *, known_held: Collection[str] | None = None
) -> int:
    """The deed may go on: first its warning, or, where nobody could be warned, the deed itself. Returns how many.

    What would end as soon as it began stays in the queue, with that as its reason; and so do those on hold of whom the
    operator did not know it: `known_held` are the cases shown as that, None when it does not matter. Raises Conflict
    when nothing else was chosen.
    """
    now = tools.clock()
    with tools.begin() as session:
        today = day_in(session, require_organization(tools, caller), now)
    left: list[Conflict] = []

    def on(case: Case) -> Event | None:
        if known_held is not None and case.state == CaseState.HELD and case.id not in known_held:
            left.append(Conflict("Somebody put them on hold meanwhile.", "Reload the queue, and ask them."))
            return None
        if objection := too_late(case.ends_on, today):
            case.reason = objection
            left.append(Conflict(objection, "Refuse it: another request has another last day."))
            return None
        if case.why == Why.UNREACHABLE:
            # The operator knows that no warning reached them: there is nothing to wait for.
            case.due_at = now
        case.state = moved(CaseState(case.state), CaseState.PLANNED).value
        case.approved_by, case.reason, case.why = caller.account_id, "", ""
        case.resume_at = max(now, case.starts_at) if case.starts_at is not None else now
        return Event.CASE_APPROVED

    approved = _for_each(tools, caller, case_ids, on, now) - len(left)
    if not approved:
        raise left[0]
    return approved


def hold(tools: Toolbox, caller: Caller, case_ids: Sequence[str]) -> int:
    """Puts cases aside: they wait until somebody approves or protects. Returns how many."""
    now = tools.clock()

    def on(case: Case) -> Event | None:
        if case.state == CaseState.HELD:
            return None
        case.state = moved(CaseState(case.state), CaseState.HELD).value
        return Event.CASE_HELD

    return _for_each(tools, caller, case_ids, on, now)


def leave(tools: Toolbox, caller: Caller, case_ids: Sequence[str]) -> int:
    """An operator refuses: the deed does not happen, and nothing is remembered for another time. Returns how many."""
    now = tools.clock()

    def on(case: Case) -> Event | None:
        case.state = moved(CaseState(case.state), CaseState.SPARED).value
        case.reason, case.finished_at, case.resume_at = REFUSED, now, None
        return Event.CASE_SPARED

    return _for_each(tools, caller, case_ids, on, now)


def note(tools: Toolbox, caller: Caller, case_ids: Sequence[str], text: str) -> int:
    """Writes a note beside cases. Raises Invalid when it is too long."""
    if len(text) > LONGEST_NOTE:
        raise Invalid("note", f"A note has at most {LONGEST_NOTE} characters.", "Shorten it.")

    def on(case: Case) -> Event | None:
        case.note = text.strip()
        return Event.CASE_NOTED

    return _for_each(tools, caller, case_ids, on, tools.clock())


def spare_and_protect(
    tools: Toolbox, caller: Caller, case_ids: Sequence[str], *, reason: str, until: str
) -> int:
    """Protects the people of these cases and leaves them alone. Raises Invalid for a bad reason or date.

    Raises Conflict when somebody among them has no account yet: then nothing is done.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        cases = _cases(session, organization_id, case_ids)
        accounts = _accounts(session, organization_id, cases)
        for case in cases:
            protect_person(
                session,
                organization_id,
                caller,
                accounts[case.id],
                case.name,
                reason=reason,
                until=until,
                now=now,
            )
            case.state = moved(CaseState(case.state), CaseState.SPARED).value
            case.reason, case.finished_at, case.resume_at = f"Protected: {reason.strip()}"[:500], now, None
            _record(session, Event.CASE_SPARED, case, caller, now, case.reason)
        return len(cases)


def _accounts(session: Session, organization_id: str, cases: Sequence[Case]) -> dict[str, str]:
    """Case id → whom to protect. Somebody who was to be invited may have come meanwhile, by the same address."""
    unknown = {case.id: (case.email or "").strip().lower() for case in cases if is_unknown(case.account_id)}
    here = accounts_by_address(session, organization_id, list(unknown.values()))
    without = [case.name for case in cases if case.id in unknown and unknown[case.id] not in here]
    if without:
        more = f" and {len(without) - 1:,} more" if len(without) > 1 else ""
        raise Conflict(
            f"{without[0]}{more} cannot be protected yet: nobody has an account before they are invited.",
            "Refuse it, and nobody is invited; or approve it, and protect them once they are in your directory.",
        )
    return {case.id: here[unknown[case.id]] if case.id in unknown else case.account_id for case in cases}


def _for_each(
    tools: Toolbox, caller: Caller, case_ids: Sequence[str], on: Callable[[Case], Event | None], now: datetime
) -> int:
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        cases = _cases(session, organization_id, case_ids)
        for case in cases:
            event = on(case)
            if event is not None:
                words = {Event.CASE_NOTED: case.note, Event.CASE_SPARED: case.reason}.get(event, "")
                _record(session, event, case, caller, now, words)
        return len(cases)


def _cases(session: Session, organization_id: str, case_ids: Sequence[str]) -> list[Case]:
    wanted = selected(case_ids)
    # Whoever decides about them, or stops their run, this moment comes before: who waits is asked only then.
    locked(session, Case.organization_id == organization_id, Case.id.in_(wanted))
    query = _waiting(organization_id).where(Case.id.in_(wanted))
    cases = [case for case, _run in session.execute(query)]
    if not cases:
        raise Conflict("Nobody of these waits any more.", "Reload the queue.")
    return cases


def _waiting(organization_id: str) -> Select[Case, Run]:
    return (
        select(Case, Run)
        .join(Run, (Run.organization_id == Case.organization_id) & (Run.id == Case.run_id))
        .where(*_in_queue(organization_id))
    )


def _in_queue(organization_id: str | BindParameter[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        Case.organization_id == organization_id,
        Case.run_id.in_(running_run_ids(organization_id)),
        Case.state.in_([state.value for state in IN_QUEUE]),
    )


# Asked on every page: not built anew each time.
_HOW_MANY = (
    select(Case.state, func.count()).where(*_in_queue(bindparam("organization_id"))).group_by(Case.state)
)


def _record(session: Session, event: Event, case: Case, caller: Caller, now: datetime, result: str) -> None:
    record(
        session,
        event,
        at=now,
        actor=caller.account_id or "",
        organization_id=case.organization_id,
        subject=case.account_id,
        run_id=case.run_id,
        result=result,
        details={"deed": case.deed},
    )
