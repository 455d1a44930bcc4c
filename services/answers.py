"""Answers: what the person concerned says about their own case, in the product or by the link in their warning.

The request writes down what they said, and lets their case go on accordingly; nobody is acted on here. The same
answer twice is one answer, with one entry in the audit.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from connect.errors import Conflict, Invalid
from models.answer import Answer, Decision, answers_to
from models.audit import Event
from models.organization import Organization
from models.run import Case, Run, find_run, hold_case
from rules.case import CaseState, moved
from rules.rule import OnKeep
from rules.topics import AnswerKind, Topic
from services.audit import record
from services.keep_links import read_keep_link
from services.languages import msgid
from services.notices import announce
from services.own_case import may_say, stage_of
from services.rule_versions import step_of
from services.toolbox import Toolbox

KEPT = "They answered that they still need their access."
LONGEST_WORDS = 500
MOST_DAYS_AWAY = 365

TOO_LONG = msgid("Your reason is too long.")
SHORTEN = msgid("Shorten it to 500 characters.")
NO_DATE = msgid("This is no date.")
WRITE_DATE = msgid("Choose the last day on which you are away.")
PAST = msgid("This day is over.")
TOO_FAR = msgid("This day is too far away.")
WITHIN_A_YEAR = msgid("Choose a day within a year, or talk to an administrator of your organization.")
OVER = msgid("There is nothing to answer any more.")
RELOAD = msgid("Open the page again to see where things stand.")

# What steers a terminal, a spreadsheet or the direction of other people's text: nobody's reason needs it.
_STEERING = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def answer(tools: Toolbox, token: str, kind: AnswerKind, *, words: str = "", until: str = "") -> None:
    """Takes down an answer that came by the link.

    Raises NotFound for a link that is not ours, Invalid for a bad reason or date, Conflict when it is too late.
    """
    organization_id, case_id, account_id = read_keep_link(tools, token)
    words = tidy(words)
    now = tools.clock()
    with tools.begin() as session:
        organization = session.get(Organization, organization_id)
        case = _locked(session, organization_id, case_id, account_id)
        if organization is None or case is None:
            raise Conflict(OVER, RELOAD, reason="keep_link_over")
        day = _last_day(until, now, organization) if kind is AnswerKind.AWAY else None
        answers = answers_to(session, organization_id, [case_id]).get(case_id, [])
        if any(one.kind == kind for one in answers):
            return
        run = find_run(session, organization_id, case.run_id)
        if kind not in may_say(stage_of(case, run, organization, answers, now), answers):
            raise Conflict(OVER, RELOAD, reason="too_late_to_answer")
        _take_down(session, case, run, kind, now, words=words, until=day)


def keep(session: Session, case: Case, now: datetime) -> bool:
    """ "I still need it", said in the product about a case that is locked. False when an operator has to decide."""
    if any(
        one.kind == AnswerKind.KEEP
        for one in answers_to(session, case.organization_id, [case.id]).get(case.id, ())
    ):
        return case.kept_at is not None
    run = find_run(session, case.organization_id, case.run_id)
    return _take_down(session, case, run, AnswerKind.KEEP, now)


def tidy(words: str) -> str:
    """A reason as it is kept: its lines, without what steers a display. Raises Invalid when it is too long."""
    words = _STEERING.sub("", words.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if len(words) > LONGEST_WORDS:
        raise Invalid("words", TOO_LONG, SHORTEN)
    return words


def locked(session: Session, *which: ColumnElement[bool]) -> list[Case]:
    """These cases, kept from everybody else to the end of the transaction. SQLite knows no FOR UPDATE: write first."""
    session.execute(
        update(Case)
        .where(*which)
        .values(account_id=Case.account_id)
        .execution_options(synchronize_session=False)
    )
    return list(session.scalars(select(Case).where(*which).execution_options(populate_existing=True)))


def settle(
    session: Session, answered: Answer, case: Case, decision: Decision, *, by: str, now: datetime
) -> None:
    """Writes down what was decided about an answer that waited, and by whom."""
    answered.decision, answered.decided_by, answered.decided_at = decision.value, by, now
    record(
        session,
        Event.ANSWER_DECIDED,
        at=now,
        actor=by,
        organization_id=answered.organization_id,
        subject=answered.account_id,
        run_id=case.run_id,
        result=decision.value,
        details={"answer": answered.kind, "deed": case.deed},
    )


def spare_as_said(case: Case, answered: Answer, now: datetime) -> None:
    """Ends a case as the person said: they keep their access, or are away."""
    case.state = moved(CaseState(case.state), CaseState.SPARED).value
    case.finished_at, case.resume_at = now, None
    if answered.until is not None:
        case.reason = f"They answered that they are away until {answered.until:%-d %B %Y}."
    else:
        case.reason, case.kept_at = KEPT, now


def _take_down(
    session: Session,
    case: Case,
    run: Run | None,
    kind: AnswerKind,
    now: datetime,
    *,
    words: str = "",
    until: date | None = None,
) -> bool:
    """Writes the answer and what follows from it. False when an operator has to decide."""
    step = step_of(session, case, run)
    state = CaseState(case.state)
    asks = kind in (AnswerKind.KEEP, AnswerKind.AWAY) and step is not None and step.answer is OnKeep.REVIEW
    if asks and state is not CaseState.WARNED:
        raise Conflict(OVER, RELOAD, reason="too_late_to_answer")
    waits = asks or kind is AnswerKind.ASK_BACK
    answered = Answer(
        organization_id=case.organization_id,
        case_id=case.id,
        kind=kind.value,
        account_id=case.account_id,
        words=words,
        until=until,
        given_at=now,
        decision=(Decision.WAITS if waits else Decision.AUTOMATIC).value,
        decided_at=None if waits else now,
    )
    session.add(answered)
    if asks:
        case.state, case.resume_at = moved(state, CaseState.ANSWERED).value, None
    elif kind is AnswerKind.GIVE_UP:
        case.due_at = case.resume_at = now
    elif state is CaseState.ACTING:
        # The worker looks at this before it calls, and whenever it begins anew.
        case.kept_at = now
    elif kind is not AnswerKind.ASK_BACK:
        spare_as_said(case, answered, now)
    _tell(session, case, kind, now)
    return not waits


def _tell(session: Session, case: Case, kind: AnswerKind, now: datetime) -> None:
    kept = kind is AnswerKind.KEEP and case.state == CaseState.SPARED
    record(
        session,
        Event.CASE_KEPT if kept else Event.ANSWER_GIVEN,
        at=now,
        actor=case.account_id,
        organization_id=case.organization_id,
        subject=case.account_id,
        run_id=case.run_id,
        details={"deed": case.deed} | ({} if kept else {"answer": kind.value}),
    )
    announce(
        session,
        case.organization_id,
        Topic.ANSWERED,
        f"{case.id}:{kind.value}",
        now,
        facts={"answer": kind.value},
        account_id=case.account_id,
        case_id=case.id,
        run_id=case.run_id,
    )


def _locked(session: Session, organization_id: str, case_id: str, account_id: str) -> Case | None:
    case = hold_case(session, organization_id, case_id)
    return case if case is not None and case.account_id == account_id else None


def _last_day(word: str, now: datetime, organization: Organization) -> date:
    today = now.astimezone(ZoneInfo(organization.time_zone)).date()
    try:
        day = date.fromisoformat(word.strip())
    except ValueError as problem:
        raise Invalid("until", NO_DATE, WRITE_DATE) from problem
    if day < today:
        raise Invalid("until", PAST, WRITE_DATE)
    if day > today + timedelta(days=MOST_DAYS_AWAY):
        raise Invalid("until", TOO_FAR, WITHIN_A_YEAR)
    return day
