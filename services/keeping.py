"""What the person concerned sees and says: their open warning, and that they still need their access."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict
from models.answer import Answer, Decision, answers_to
from models.notice import Notice, NoticeKind
from models.organization import Organization
from models.run import Case, Run, find_run
from models.tenant import find_tenant
from models.timed_access import TimedAccess, TimedState
from rules.case import CaseState, RunState
from rules.deeds import Deed
from rules.products import family_of
from rules.rule import OnKeep
from rules.topics import AnswerKind
from services import answers
from services.activity_signals import note_seen, places_of
from services.doors import organization_of
from services.rule_versions import step_of
from services.toolbox import Toolbox

NOTHING_TO_KEEP = "No warning of yours is open."
ASK_AN_ADMINISTRATOR = "If you miss access, ask an administrator of your organization."


@dataclass(frozen=True, slots=True)
class OwnWarning:
    """`ends_on` is the day where the organization lives, as in the mail; None when nothing follows but the warning.

    `is_timed`: access was given until then. `asks`: their answer alone does not keep it, an operator decides.
    `refused`: one did, and did not agree.
    """

    case_id: str
    deed: Deed
    ends_on: date | None
    can_keep: bool
    is_timed: bool = False
    asks: bool = False
    refused: bool = False


def own_warning(tools: Toolbox, caller: Caller) -> OwnWarning | None:
    """The newest warning of the person who asks that still matters, one that they can answer first; marks it as read.

    Having come to read it is activity: the product itself proved that they are there.
    """
    organization_id = organization_of(tools, caller)
    if organization_id is None or caller.account_id is None:
        return None
    now = tools.clock()
    ends = select(TimedAccess.case_id).where(
        TimedAccess.organization_id == Notice.organization_id,
        TimedAccess.case_id == Notice.case_id,
        TimedAccess.state == TimedState.OPEN.value,
        # One that was prolonged since speaks of a day that no longer counts.
        TimedAccess.prolonged_at.is_(None) | (TimedAccess.prolonged_at < Notice.created_at),
    )
    query = (
        select(Notice, Case, Organization.time_zone)
        .join(Case, (Case.organization_id == Notice.organization_id) & (Case.id == Notice.case_id))
        .join(Organization, Organization.id == Notice.organization_id)
        .where(
            Notice.organization_id == organization_id,
            Notice.account_id == caller.account_id,
            (Case.state == CaseState.WARNED.value)
            | ((Notice.kind == NoticeKind.TOLD.value) & Notice.read_at.is_(None))
            | ((Notice.kind == NoticeKind.ENDS.value) & ends.exists()),
        )
        # A warning that waits for their answer is not hidden by news of anything else.
        .order_by((Case.state == CaseState.WARNED.value).desc(), Notice.created_at.desc())
        .limit(1)
    )
    with tools.begin() as session:
        row = session.execute(query).first()
        if row is None:
            return None
        notice, case, time_zone = row
        notice.read_at = notice.read_at or now
        tenant = find_tenant(session, caller.tenant)
        if tenant is not None:
            places = places_of(session, organization_id, tenant)
            note_seen(session, organization_id, caller.account_id, family_of(tenant.product), now, places)
        waiting = case.state == CaseState.WARNED
        ends_at = notice.ends_at if notice.kind == NoticeKind.ENDS else case.due_at if waiting else None
        ends_on = ends_at.astimezone(ZoneInfo(time_zone)).date() if ends_at is not None else None
        said = answers_to(session, organization_id, [case.id]).get(case.id, ())
        if notice.kind == NoticeKind.ENDS:
            asked = [
                one for one in said if one.kind == AnswerKind.PROLONG and one.given_at > notice.created_at
            ]
            return OwnWarning(
                case.id, Deed(notice.deed), ends_on, not asked, is_timed=True, refused=_is_refused(asked)
            )
        step = step_of(session, case, find_run(session, organization_id, case.run_id)) if waiting else None
        kept = [one for one in said if one.kind == AnswerKind.KEEP]
        return OwnWarning(
            case.id,
            Deed(notice.deed),
            ends_on,
            waiting and not kept,
            asks=step is not None and step.answer is OnKeep.REVIEW,
            refused=_is_refused(kept),
        )


def _is_refused(said: Iterable[Answer]) -> bool:
    return any(one.decision == Decision.REFUSED for one in said)


def keep_my_access(tools: Toolbox, caller: Caller) -> bool:
    """Whoever was warned says that they still need their access: every open warning of theirs ends here.

    Saying it twice changes nothing. False when an operator has to decide about one of them, because its rule says so.
    Raises Conflict when there is nothing to keep: True is a promise.
    """
    organization_id = organization_of(tools, caller)
    now = tools.clock()
    if organization_id is None or caller.account_id is None:
        raise Conflict(NOTHING_TO_KEEP, ASK_AN_ADMINISTRATOR)
    running = select(Run.id).where(
        Run.organization_id == organization_id, Run.id == Case.run_id, Run.state == RunState.RUNNING.value
    )
    warned = (Case.state == CaseState.WARNED.value) & running.exists()
    acting = (Case.state == CaseState.ACTING.value) & (Case.warnings > 0) & Case.kept_at.is_(None)
    mine = (Case.organization_id == organization_id, Case.account_id == caller.account_id)
    with tools.begin() as session:
        open_cases = answers.locked(session, *mine, warned | acting)
        if not open_cases:
            return _is_kept(session, *mine)
        kept = [answers.keep(session, case, now) for case in open_cases]
    return all(kept)


def _is_kept(session: Session, *mine: ColumnElement[bool]) -> bool:
    """Whether what they said about their last warning counts; False when an operator has to decide. Raises Conflict."""
    newest = (
        select(Case)
        .join(Notice, (Notice.organization_id == Case.organization_id) & (Notice.case_id == Case.id))
        .where(*mine, Notice.kind == NoticeKind.WARNING.value)
        .order_by(Notice.created_at.desc())
    )
    case = session.scalar(newest.limit(1))
    if case is not None and case.kept_at is not None and case.state in (CaseState.SPARED, CaseState.ACTING):
        return True
    if case is not None and case.state == CaseState.ANSWERED:
        said = answers_to(session, case.organization_id, [case.id]).get(case.id, ())
        if any(one.kind == AnswerKind.KEEP for one in said):
            return False
    raise Conflict(NOTHING_TO_KEEP, ASK_AN_ADMINISTRATOR)
