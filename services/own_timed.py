"""Access with an end, as the person concerned sees it by the link in their mail, and asks to have it for longer.

Looking changes nothing. Asking is written down once, and decided by an operator.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict
from models.answer import GRANTED, Answer, Decision, answers_to
from models.audit import Event
from models.organization import Organization
from models.run import Case, find_case
from models.timed_access import TimedAccess, TimedState, find_timed
from rules.deeds import Deed
from rules.topics import AnswerKind, Topic
from services.answers import OVER, RELOAD, tidy
from services.audit import record
from services.doors import organization_of
from services.keep_links import read_keep_link
from services.notices import announce
from services.own_case import ASK_BACK_WITHIN, OwnCase, Stage, first_name, may_say, own_case
from services.timed_access import hold
from services.timed_beginnings import names_given
from services.toolbox import Toolbox


def own_page(tools: Toolbox, token: str) -> OwnCase:
    """What the page of a link shows, whatever it is about. Raises NotFound for a link that is not ours."""
    organization_id, case_id, account_id = read_keep_link(tools, token)
    now = tools.clock()
    with tools.begin() as session:
        timed = find_timed(session, organization_id, case_id)
        organization = session.get(Organization, organization_id)
        case = find_case(session, organization_id, case_id)
        if timed is not None and organization is not None and case is not None:
            return _page(session, organization, timed, case, account_id, now)
    return own_case(tools, token)


def ask_for_longer(tools: Toolbox, token: str, words: str) -> None:
    """Takes down that somebody needs it longer, by their link. Asking twice is asking once.

    Raises NotFound for a link that is not ours, Invalid for a bad reason, Conflict when it is too late.
    """
    organization_id, case_id, account_id = read_keep_link(tools, token)
    _ask(tools, organization_id, case_id, account_id, tidy(words))


def ask_for_longer_inside(tools: Toolbox, caller: Caller, case_id: str) -> None:
    """The same in the product: about nobody but the proven caller."""
    organization_id = organization_of(tools, caller)
    if organization_id is None or caller.account_id is None:
        raise Conflict(OVER, RELOAD, reason="nothing_to_prolong")
    _ask(tools, organization_id, case_id, caller.account_id, "")


def has_asked(session: Session, organization_id: str, case_ids: Iterable[str]) -> dict[str, Answer]:
    """Case id → their wish for more time."""
    query = select(Answer).where(
        Answer.organization_id == organization_id,
        Answer.kind == AnswerKind.PROLONG.value,
        Answer.case_id.in_(list(case_ids)),
    )
    return {answer.case_id: answer for answer in session.scalars(query)}


def _page(
    session: Session,
    organization: Organization,
    timed: TimedAccess,
    case: Case,
    account_id: str,
    now: datetime,
) -> OwnCase:
    answers = answers_to(session, organization.id, [case.id]).get(case.id, [])
    stage = _stage(timed, organization, answers, now) if timed.account_id == account_id else Stage.CLOSED
    if stage is Stage.CLOSED:
        return OwnCase(stage, organization.language)
    zone = ZoneInfo(organization.time_zone)
    # An operator may have ended it before its day.
    ended_on = timed.ended_at.astimezone(zone).date() if timed.ended_at is not None else timed.until
    return OwnCase(
        stage=stage,
        language=organization.language,
        first_name=first_name(case.name),
        deed=Deed.TAKE_BACK,
        products=tuple(names_given(session, case)),
        today=now.astimezone(zone).date(),
        ends_on=min(timed.until, ended_on),
        may_say=may_say(stage, answers),
    )


def _stage(timed: TimedAccess, organization: Organization, answers: Iterable[Answer], now: datetime) -> Stage:
    if organization.doorless_since is not None:
        return Stage.CLOSED
    asked = next((one for one in answers if one.kind == AnswerKind.PROLONG), None)
    waits = asked is not None and asked.decision == Decision.WAITS
    granted = asked is not None and asked.decision in GRANTED
    if timed.state == TimedState.OPEN:
        if asked is None:
            return Stage.ENDS
        if not granted and not _was_moved_since(timed, asked):
            return Stage.ENDS_ASKED if waits else Stage.ENDS_REFUSED
        warned_again = any(mark.startswith(timed.until.isoformat()) for mark in timed.warned)
        return Stage.ENDS if warned_again else Stage.PROLONGED
    if timed.state == TimedState.ENDING:
        return Stage.HAPPENING
    if timed.state != TimedState.ENDED or timed.ended_at is None or now > timed.ended_at + ASK_BACK_WITHIN:
        return Stage.CLOSED
    if waits:
        return Stage.ASKED
    decided_since = asked is not None and asked.decided_at is not None and asked.decided_at >= timed.ended_at
    if not decided_since:
        return Stage.WAS_TIMED
    return Stage.GRANTED if granted else Stage.NOT_GRANTED


def _was_moved_since(timed: TimedAccess, asked: Answer) -> bool:
    """Whether an operator gave them more time after all, by themselves."""
    if timed.prolonged_at is None or asked.decided_at is None:
        return False
    return timed.prolonged_at > asked.decided_at


def _ask(tools: Toolbox, organization_id: str, case_id: str, account_id: str, words: str) -> None:
    now = tools.clock()
    with tools.begin() as session:
        timed = hold(session, organization_id, case_id)
        organization = session.get(Organization, organization_id)
        if timed is None or organization is None or timed.account_id != account_id:
            raise Conflict(OVER, RELOAD, reason="nothing_to_prolong")
        answers = answers_to(session, organization_id, [case_id]).get(case_id, [])
        asked = next((one for one in answers if one.kind == AnswerKind.PROLONG), None)
        if asked is not None and asked.decision == Decision.WAITS:
            return
        if AnswerKind.PROLONG not in may_say(_stage(timed, organization, answers, now), answers):
            raise Conflict(OVER, RELOAD, reason="too_late_to_prolong")
        if asked is None:
            asked = Answer(organization_id=organization_id, case_id=case_id, kind=AnswerKind.PROLONG.value)
            session.add(asked)
        asked.account_id, asked.words, asked.given_at = account_id, words, now
        asked.decision, asked.decided_by, asked.decided_at = Decision.WAITS.value, "", None
        _tell(session, timed, now)


def _tell(session: Session, timed: TimedAccess, now: datetime) -> None:
    record(
        session,
        Event.ANSWER_GIVEN,
        at=now,
        actor=timed.account_id,
        organization_id=timed.organization_id,
        subject=timed.account_id,
        run_id=timed.run_id,
        details={"answer": AnswerKind.PROLONG.value},
    )
    announce(
        session,
        timed.organization_id,
        Topic.ANSWERED,
        f"{timed.case_id}:{AnswerKind.PROLONG.value}:{timed.until.isoformat()}:{timed.state}",
        now,
        facts={"answer": AnswerKind.PROLONG.value},
        account_id=timed.account_id,
        case_id=timed.case_id,
        run_id=timed.run_id,
    )
