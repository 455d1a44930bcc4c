"""Access with an end as operators see it: who has what until when, given by which run, told and asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from models.answer import Answer, Decision
from models.people import Person, people_by_id
from models.run import Case, Run
from models.timed_access import TimedAccess, TimedState
from services.doors import require_organization
from services.ground import day_in
from services.own_timed import has_asked
from services.roster_words import access_in_words
from services.toolbox import Toolbox

SOON = timedelta(days=14)
OPEN, SOON_WORD, ASKED, TROUBLE, OVER = "", "soon", "asked", "trouble", "over"
KINDS = (OPEN, SOON_WORD, ASKED, TROUBLE, OVER)


@dataclass(frozen=True, slots=True)
class Ending:
    """One of them. `gives` in words, `asked` when the person asked for longer and nobody has decided."""

    timed: TimedAccess
    case: Case
    run: Run
    person: Person | None
    gives: str
    asked: Answer | None

    @property
    def waits(self) -> bool:
        return self.asked is not None and self.asked.decision == Decision.WAITS


@dataclass(frozen=True, slots=True)
class Endings:
    """One page of them, and how many there are of each kind."""

    rows: list[Ending]
    counts: dict[str, int]


def endings(tools: Toolbox, caller: Caller, kind: str = OPEN, *, offset: int = 0, limit: int = 50) -> Endings:
    """The next to end first; of those that are over, the last one."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        conditions = _conditions(tools, session, organization_id)
        until = func.coalesce(TimedAccess.prolonged_until, TimedAccess.ends_on)
        query = _rows(organization_id).where(conditions[kind])
        order = until.desc() if kind == OVER else until.asc()
        rows = session.execute(query.order_by(order, TimedAccess.case_id).offset(offset).limit(limit)).all()
        counts = {
            each: session.scalar(
                select(func.count())
                .select_from(TimedAccess)
                .where(TimedAccess.organization_id == organization_id, condition)
            )
            or 0
            for each, condition in conditions.items()
        }
        found = _with_words(session, organization_id, [(timed, case, run) for timed, case, run in rows])
        session.expunge_all()
        return Endings(found, counts)


def endings_of(tools: Toolbox, caller: Caller, account_id: str) -> list[Ending]:
    """Somebody's, the next to end first."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        query = _rows(organization_id).where(TimedAccess.account_id == account_id)
        rows = session.execute(query.order_by(TimedAccess.began_at.desc()).limit(20)).all()
        found = _with_words(session, organization_id, [(timed, case, run) for timed, case, run in rows])
        session.expunge_all()
        return found


def _rows(organization_id: str) -> Select[TimedAccess, Case, Run]:
    return (
        select(TimedAccess, Case, Run)
        .join(Case, (Case.organization_id == TimedAccess.organization_id) & (Case.id == TimedAccess.case_id))
        .join(Run, (Run.organization_id == TimedAccess.organization_id) & (Run.id == TimedAccess.run_id))
        .where(TimedAccess.organization_id == organization_id)
    )


def _conditions(tools: Toolbox, session: Session, organization_id: str) -> dict[str, ColumnElement[bool]]:
    today = day_in(session, organization_id, tools.clock())
    until = func.coalesce(TimedAccess.prolonged_until, TimedAccess.ends_on)
    going = TimedAccess.state.in_(
        [TimedState.OPEN.value, TimedState.ENDING.value, TimedState.NOT_ENDED.value]
    )
    waits = select(Answer.case_id).where(
        Answer.organization_id == TimedAccess.organization_id,
        Answer.case_id == TimedAccess.case_id,
        Answer.kind == "prolong",
        Answer.decision == Decision.WAITS.value,
    )
    return {
        OPEN: going,
        SOON_WORD: going & (until <= today + SOON),
        ASKED: waits.exists() & (TimedAccess.state != TimedState.DROPPED.value),
        TROUBLE: TimedAccess.state == TimedState.NOT_ENDED.value,
        OVER: ~going,
    }


def _with_words(
    session: Session, organization_id: str, rows: list[tuple[TimedAccess, Case, Run]]
) -> list[Ending]:
    people = people_by_id(session, organization_id, [timed.account_id for timed, _case, _run in rows])
    words = access_in_words(session, organization_id, [case for _timed, case, _run in rows])
    asked = has_asked(session, organization_id, [case.id for _timed, case, _run in rows])
    return [
        Ending(timed, case, run, people.get(timed.account_id), words.get(case.id, ""), asked.get(case.id))
        for timed, case, run in rows
    ]
