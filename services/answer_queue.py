"""Answers that wait for an operator: "I still need it" where the rule asks first, "give it back", "longer"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, case, func, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict
from models.answer import Answer, Decision
from models.people import Person, people_with_seats
from models.rule import rule_names
from models.run import Case, Run
from models.timed_access import TimedAccess, TimedState, ends_of
from rules.case import CaseState, RunState, moved
from rules.topics import AnswerKind
from services.answers import locked, settle, spare_as_said
from services.doors import require_organization
from services.give_back_outcomes import tried_in_vain
from services.give_backs import begin
from services.grace import next_warning_at
from services.rule_versions import step_of
from services.selection import selected
from services.timed_access import hold
from services.timed_deciding import last_day, prolong_until
from services.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class Asking:
    """One answer that waits, as people see it."""

    answer: Answer
    case: Case
    run: Run
    rule_name: str
    person: Person | None
    until: date | None = None
    """The last day of access that they ask to have for longer."""
    tried: str = ""
    """Why it was not given back, or given again, when that was agreed before."""

    @property
    def asks_longer(self) -> bool:
        return self.answer.kind == AnswerKind.PROLONG

    @property
    def asks_back(self) -> bool:
        return self.answer.kind == AnswerKind.ASK_BACK


def asking(tools: Toolbox, caller: Caller, *, offset: int = 0, limit: int = 50) -> list[Asking]:
    """One page of the answers that wait, oldest first."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        query = _open(organization_id).order_by(Answer.given_at, Case.id).offset(offset).limit(limit)
        rows = session.execute(query).all()
        names = rule_names(session, organization_id, [run.rule_id for _answer, _case, run in rows])
        people = people_with_seats(
            session, organization_id, [case.account_id for _answer, case, _run in rows]
        )
        ends = ends_of(session, organization_id, [case.id for _answer, case, _run in rows])
        tried = tried_in_vain(session, organization_id, [case for _answer, case, _run in rows])
        found = [
            Asking(
                answer,
                case,
                run,
                names.get(run.rule_id or "", ""),
                people.get(case.account_id),
                ends.get(case.id),
                tried.get(case.id, "") if answer.decided_by or answer.kind == AnswerKind.ASK_BACK else "",
            )
            for answer, case, run in rows
        ]
        session.expunge_all()
        return found


def count_asking(session: Session, organization_id: str) -> int:
    """How many answers wait for an operator."""
    return session.scalar(_HOW_MANY, {"organization_id": organization_id}) or 0


def newest_asking_at(session: Session, organization_id: str) -> datetime | None:
    """When the newest answer that waits was given, or came back to wait, because what was agreed did not happen."""
    since = case((Answer.decided_by != "", Answer.decided_at), else_=Answer.given_at)
    newest: datetime | None = session.scalar(_open(organization_id).with_only_columns(func.max(since)))
    return newest


def grant(tools: Toolbox, caller: Caller, case_ids: Sequence[str], until: str = "") -> int:
    """Lets people keep their access, or gives it back: the worker acts. Returns how many.

    Whoever asks for longer gets it `until` that day. Raises Invalid, also without a day for them, and Conflict when
    nobody waits any more or no way leads back for one of them: then nothing is done.
    """
    return _decide(tools, caller, case_ids, granted=True, until=until)


def refuse(tools: Toolbox, caller: Caller, case_ids: Sequence[str]) -> int:
    """Lets the deed go on, or leaves it done. Returns how many."""
    return _decide(tools, caller, case_ids, granted=False)


def _decide(
    tools: Toolbox, caller: Caller, case_ids: Sequence[str], *, granted: bool, until: str = ""
) -> int:
    organization_id = require_organization(tools, caller)
    wanted = selected(case_ids)
    now, by = tools.clock(), caller.account_id or ""
    with tools.begin() as session:
        locked(session, Case.organization_id == organization_id, Case.id.in_(wanted))
        rows = session.execute(_open(organization_id).where(Case.id.in_(wanted))).all()
        if not rows:
            raise Conflict("Nobody of these waits any more.", "Reload the queue.")
        for answer, case, run in rows:
            if answer.kind == AnswerKind.PROLONG:
                if granted:
                    _prolong(tools, session, case, until, by, now)
            elif answer.kind != AnswerKind.ASK_BACK:
                _lead_on(session, answer, case, run, now, granted=granted)
            elif granted:
                begin(tools, session, run, case, by=by, now=now)
            decision = Decision.APPROVED if granted else Decision.REFUSED
            settle(session, answer, case, decision, by=by, now=now)
        return len(rows)


def _prolong(tools: Toolbox, session: Session, case: Case, until: str, by: str, now: datetime) -> None:
    timed = hold(session, case.organization_id, case.id)
    assert timed is not None, "only access with an end is asked to be prolonged"
    day = last_day(session, case.organization_id, until, now)
    prolong_until(tools, session, timed, case, day, by=by, now=now)


def _lead_on(session: Session, answer: Answer, case: Case, run: Run, now: datetime, *, granted: bool) -> None:
    if granted:
        spare_as_said(case, answer, now)
        return
    case.state = moved(CaseState(case.state), CaseState.WARNED).value
    step = step_of(session, case, run)
    assert step is not None, "only a rule lets an answer wait"
    due_at = case.due_at or now
    case.resume_at = now if due_at <= now else next_warning_at(step, due_at, now)


def _open(organization_id: str | BindParameter[str]) -> Select[Answer, Case, Run]:
    return (
        select(Answer, Case, Run)
        .join(Case, (Case.organization_id == Answer.organization_id) & (Case.id == Answer.case_id))
        .join(Run, (Run.organization_id == Case.organization_id) & (Run.id == Case.run_id))
        .where(
            Answer.organization_id == organization_id,
            Answer.decision == Decision.WAITS.value,
            _still_matters(),
        )
    )


def _still_matters() -> ColumnElement[bool]:
    """A case that was stopped or taken back meanwhile is no longer decided about."""
    asks_back = (Answer.kind == AnswerKind.ASK_BACK.value) & Case.state.in_(
        [CaseState.ACTED.value, CaseState.UNDO_SKIPPED.value]
    )
    ends = select(TimedAccess.case_id).where(
        TimedAccess.organization_id == Answer.organization_id,
        TimedAccess.case_id == Answer.case_id,
        TimedAccess.state.in_([TimedState.OPEN.value, TimedState.NOT_ENDED.value, TimedState.ENDED.value]),
    )
    longer = (Answer.kind == AnswerKind.PROLONG.value) & ends.exists()
    keeps = (Case.state == CaseState.ANSWERED.value) & (Run.state == RunState.RUNNING.value)
    of_a_warning = Answer.kind.not_in([AnswerKind.ASK_BACK.value, AnswerKind.PROLONG.value])
    return asks_back | longer | (keeps & of_a_warning)


# Asked on every page: not built anew each time.
_HOW_MANY = _open(bindparam("organization_id")).with_only_columns(func.count())
