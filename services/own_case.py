"""Their own case, as the person concerned may see it by the link in their warning: where it stands, what they may say.

Looking changes nothing: mail scanners open every link (S55).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from models.answer import GRANTED, Answer, Decision, answers_to
from models.organization import Organization
from models.people import find_person
from models.run import Case, Run, find_case, find_run
from rules.case import CaseState, RunState
from rules.deeds import CAPABILITIES, Deed
from rules.rule import OnKeep, Step
from rules.topics import AnswerKind
from services.keep_links import read_keep_link
from services.languages import ENGLISH
from services.names import names_of_those_had
from services.rule_versions import step_of
from services.seat_memory import seats_held
from services.toolbox import Toolbox

ASK_BACK_WITHIN = timedelta(days=90)
"""After that the link says nothing any more: whoever needs access then asks as everybody does."""
LONGEST_FIRST_NAME = 40
_TAKEN = (CaseState.ACTED, CaseState.UNDO_SKIPPED)


class Stage(StrEnum):
    """Where their case stands. At OPEN, SOON and ENDED they may answer; CLOSED says nothing about anybody.

    FOR_GOOD: it has ended, and no way of ours leads back.

    From ENDS to WAS_TIMED it is about access that was given with an end: at ENDS and WAS_TIMED they may ask for longer.
    """

    OPEN = "open"
    SOON = "soon"
    WAITS = "waits"
    HAPPENING = "happening"
    KEPT = "kept"
    AWAY = "away"
    TOLD = "told"
    ENDED = "ended"
    FOR_GOOD = "for_good"
    ASKED = "asked"
    GRANTED = "granted"
    NOT_GRANTED = "not_granted"
    GIVEN_BACK = "given_back"
    ENDS = "ends"
    ENDS_ASKED = "ends_asked"
    ENDS_REFUSED = "ends_refused"
    PROLONGED = "prolonged"
    WAS_TIMED = "was_timed"
    CLOSED = "closed"


_SAYABLE: dict[AnswerKind, frozenset[Stage]] = {
    AnswerKind.KEEP: frozenset({Stage.OPEN, Stage.SOON, Stage.HAPPENING}),
    AnswerKind.GIVE_UP: frozenset({Stage.OPEN}),
    AnswerKind.AWAY: frozenset({Stage.OPEN, Stage.SOON}),
    AnswerKind.ASK_BACK: frozenset({Stage.ENDED}),
    AnswerKind.PROLONG: frozenset({Stage.ENDS, Stage.WAS_TIMED}),
}


@dataclass(frozen=True, slots=True)
class OwnCase:
    """`ends_on` is the day of the deed where the organization lives, `until` the last day away that they named.

    `products` are the names of what ends where it is not everything. `asks`: their answer alone does not keep it, an
    operator decides. `refused`: an operator did not accept their word.
    """

    stage: Stage
    language: str = ENGLISH
    first_name: str = ""
    deed: Deed = Deed.SUSPEND
    products: tuple[str, ...] = ()
    today: date | None = None
    ends_on: date | None = None
    until: date | None = None
    asks: bool = False
    refused: bool = False
    may_say: frozenset[AnswerKind] = frozenset()


def own_case(tools: Toolbox, token: str) -> OwnCase:
    """What the page of this link shows. Raises NotFound for a link that is not ours."""
    organization_id, case_id, account_id = read_keep_link(tools, token)
    with tools.begin() as session:
        organization = session.get(Organization, organization_id)
        case = find_case(session, organization_id, case_id)
        language = organization.language if organization is not None else ENGLISH
        if organization is None or case is None or case.account_id != account_id:
            return OwnCase(Stage.CLOSED, language)
        run = find_run(session, organization_id, case.run_id)
        answers = answers_to(session, organization_id, [case_id]).get(case_id, [])
        stage = stage_of(case, run, organization, answers, tools.clock())
        if stage is Stage.CLOSED:
            return OwnCase(stage, language)
        zone = ZoneInfo(organization.time_zone)
        step = step_of(session, case, run)
        moment = case.finished_at if stage not in (Stage.OPEN, Stage.SOON, Stage.WAITS) else case.due_at
        return OwnCase(
            stage=stage,
            language=language,
            first_name=first_name(case.name),
            deed=Deed(case.deed),
            products=_products(session, case, step),
            today=tools.clock().astimezone(zone).date(),
            ends_on=moment.astimezone(zone).date() if moment is not None else None,
            until=max((one.until for one in answers if one.until is not None), default=None),
            asks=step is not None and step.answer is OnKeep.REVIEW,
            refused=any(one.decision == Decision.REFUSED for one in answers),
            may_say=may_say(stage, answers),
        )


def stage_of(
    case: Case, run: Run | None, organization: Organization, answers: Iterable[Answer], now: datetime
) -> Stage:
    """Where a case stands for the person it is about."""
    if run is None or organization.doorless_since is not None:
        return Stage.CLOSED
    given = {AnswerKind(one.kind): one for one in answers}
    state, running = CaseState(case.state), run.state == RunState.RUNNING
    if running and state is CaseState.WARNED:
        gave_up = AnswerKind.GIVE_UP in given and case.due_at is not None and case.due_at <= now
        return Stage.SOON if gave_up else Stage.OPEN
    if running and state is CaseState.ANSWERED:
        return Stage.WAITS
    if running and state is CaseState.ACTING and case.warnings:
        return Stage.HAPPENING
    if state is CaseState.SPARED:
        return _spared(given)
    if state is CaseState.UNDONE:
        return Stage.GIVEN_BACK if AnswerKind.ASK_BACK in given else Stage.CLOSED
    if state in _TAKEN and case.deed == Deed.TELL:
        return Stage.TOLD
    if state in _TAKEN and _was_taken_lately(case, now):
        return _asked(given) if CAPABILITIES[Deed(case.deed)].opposite else Stage.FOR_GOOD
    return Stage.CLOSED


def may_say(stage: Stage, answers: Iterable[Answer]) -> frozenset[AnswerKind]:
    """What may be answered now; nothing is asked twice."""
    given = {one.kind for one in answers}
    # Access that was prolonged ends once more: then it may be asked for once more.
    given.discard(AnswerKind.PROLONG)
    return frozenset(kind for kind, stages in _SAYABLE.items() if stage in stages and kind not in given)


def first_name(name: str) -> str:
    """How somebody is addressed: no more than this is shown without a log-in."""
    return (name.split() or [""])[0][:LONGEST_FIRST_NAME]


def _was_taken_lately(case: Case, now: datetime) -> bool:
    recent = case.finished_at is not None and now < case.finished_at + ASK_BACK_WITHIN
    return case.changed and recent and CAPABILITIES[Deed(case.deed)].takes


def _spared(given: dict[AnswerKind, Answer]) -> Stage:
    kept, away = given.get(AnswerKind.KEEP), given.get(AnswerKind.AWAY)
    if away is not None and away.decision in GRANTED:
        return Stage.AWAY
    return Stage.KEPT if kept is not None and kept.decision in GRANTED else Stage.CLOSED


def _asked(given: dict[AnswerKind, Answer]) -> Stage:
    asked = given.get(AnswerKind.ASK_BACK)
    if asked is None:
        return Stage.ENDED
    if asked.decision == Decision.WAITS:
        return Stage.ASKED
    return Stage.GRANTED if asked.decision in GRANTED else Stage.NOT_GRANTED


def _products(session: Session, case: Case, step: Step | None) -> tuple[str, ...]:
    """The names of the products that they lose, where the deed is about some alone."""
    if step is None:
        return ()
    person = find_person(session, case.organization_id, case.account_id)
    had = (case.earlier or {}).get("products") or seats_held(session, person)
    return tuple(names_of_those_had(session, case.organization_id, step.action.products, had))
