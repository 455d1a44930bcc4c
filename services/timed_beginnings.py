"""Access with an end begins with the deed that gives it, and is over with the undo that takes it back.

Both are written down in the transaction of the outcome itself.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from models.answer import Answer, Decision
from models.audit import APP, Event
from models.organization import seats_of, zone_of
from models.people import Grant, Group, Membership
from models.run import Case, Run
from models.timed_access import UNENDED, TimedAccess, TimedState, find_timed
from rules.case import NOT_HERE, CaseState
from rules.changes import Change, ChangeKind
from rules.deeds import Deed
from rules.judging import NOTHING_LEFT
from rules.products import product_name
from rules.roster import Origin, is_unknown
from rules.timed import next_look
from rules.topics import AnswerKind, Topic
from services.audit import record
from services.notices import announce
from services.orders import done_changes
from services.timed_gone import end_without_a_deed

_GIVES = (ChangeKind.INVITE, ChangeKind.JOIN_GROUP, ChangeKind.ASSIGN_ROLE)


def begin(session: Session, case: Case, run: Run, now: datetime) -> None:
    """What this case gave ends some day. Called again for the same case, it changes nothing but the account's id."""
    assert case.ends_on is not None
    if run.origin == Origin.TIMED and case.state == CaseState.ACTED:
        _waits_no_more(session, case, run, now)
    known = find_timed(session, case.organization_id, case.id)
    if known is not None:
        known.account_id = case.account_id
        return
    if not any(change.kind in _GIVES for change in done_changes(case)):
        return
    timed = TimedAccess(
        organization_id=case.organization_id,
        case_id=case.id,
        run_id=case.run_id,
        account_id=case.account_id,
        ends_on=case.ends_on,
        began_at=now,
        state=TimedState.OPEN.value,
        warned=[],
    )
    session.flush()
    session.add(timed)
    look_again(session, timed)
    if run.origin == Origin.TIMED:
        _tell_that_it_is_back(session, case, run, now)


def _tell_that_it_is_back(session: Session, case: Case, run: Run, now: datetime) -> None:
    """Whoever asked for it when it had ended was promised a message; `run` came from the case that had given it."""
    asked = session.get(Answer, (case.organization_id, run.origin_id, AnswerKind.PROLONG.value))
    if asked is None or is_unknown(case.account_id):
        return
    announce(
        session,
        case.organization_id,
        Topic.GIVEN_BACK,
        case.id,
        now,
        facts={"deed": Deed.GIVE_BACK.value, "names": names_given(session, case)},
        account_id=case.account_id,
        by_mail=True,
        case_id=case.id,
        run_id=run.id,
    )


def _waits_no_more(session: Session, case: Case, run: Run, now: datetime) -> None:
    """What failed at first, in whole or in part, was tried again from its run."""
    asked = session.get(Answer, (case.organization_id, run.origin_id, AnswerKind.PROLONG.value))
    if asked is not None and asked.decision == Decision.WAITS:
        asked.decision, asked.decided_by, asked.decided_at = Decision.APPROVED.value, run.requested_by, now


def look_again(session: Session, timed: TimedAccess) -> None:
    """Sets when the worker looks at it again: at the next warning, or at its end."""
    zone = zone_of(session, timed.organization_id)
    began = timed.began_at.astimezone(zone).date()
    days_ahead, day = next_look(began, timed.until, frozenset(timed.warned))
    timed.next_at = moment_of(day, zone, at=time(6) if days_ahead else time(0))


def moment_of(day: date, zone: ZoneInfo, at: time = time(0)) -> datetime:
    """That time of that day there."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def note_undone(session: Session, original: Case, run: Run, now: datetime) -> None:
    """What a case gave was taken back, by its end or by an operator: the person is told of the first."""
    timed = find_timed(session, original.organization_id, original.id)
    if timed is None or timed.state not in UNENDED:
        return
    timed.state, timed.ended_at, timed.next_at = TimedState.ENDED.value, now, None
    by_itself = run.origin == Origin.TIMED
    timed.reason = "" if by_itself else "An operator took it back before."
    _record(session, Event.TIMED_ENDED, timed, run, now, timed.reason)
    if by_itself and not is_unknown(timed.account_id):
        announce(
            session,
            timed.organization_id,
            Topic.ENDED,
            f"timed:{timed.case_id}:{timed.until.isoformat()}",
            now,
            facts=facts_of(session, timed, original),
            account_id=timed.account_id,
            by_mail=True,
            case_id=timed.case_id,
            run_id=run.id,
        )


def note_not_undone(session: Session, original: Case, undo: Case, run: Run, now: datetime) -> None:
    """Its undo left the person alone, failed or was stopped: operators see why."""
    timed = find_timed(session, original.organization_id, original.id)
    if timed is None or run.origin != Origin.TIMED or timed.end_run_id != run.id:
        return
    if timed.state not in (TimedState.ENDING, TimedState.NOT_ENDED):
        # Prolonged or dropped before this run was tried again: that stands.
        return
    if is_gone(undo.reason):
        end_without_a_deed(session, timed, now, run.requested_by)
        return
    cannot_end(session, timed, undo.reason or "It was stopped before their turn.", now, run)


def is_gone(why_not: str) -> bool:
    """Whether an undo had nothing to take back: the access went before, or the person did."""
    return why_not.endswith((NOTHING_LEFT, NOT_HERE))


def cannot_end(
    session: Session, timed: TimedAccess, reason: str, now: datetime, run: Run | None = None
) -> None:
    """The access stays although its day is over, until an operator looks at it."""
    timed.state, timed.reason, timed.next_at = TimedState.NOT_ENDED.value, reason[:500], None
    _record(session, Event.TIMED_NOT_ENDED, timed, run, now, reason)


def end_again(session: Session, run: Run, by: str, now: datetime) -> None:
    """A run that could not take it back tries again: from this moment on nobody prolongs it, or drops its end."""
    mine = (TimedAccess.organization_id == run.organization_id, TimedAccess.case_id == run.origin_id)
    # Whoever prolongs it this moment holds the row: one of the two comes too late.
    ending = session.execute(
        update(TimedAccess)
        .where(*mine, TimedAccess.state == TimedState.NOT_ENDED.value)
        .values(state=TimedState.ENDING.value, end_run_id=run.id, next_at=None, reason="")
        .returning(TimedAccess.account_id)
        .execution_options(synchronize_session=False)
    )
    for account_id in ending.scalars():
        record(
            session,
            Event.TIMED_ENDING,
            at=now,
            actor=by,
            organization_id=run.organization_id,
            subject=account_id,
            run_id=run.id,
            result=run.reason,
        )


def facts_of(session: Session, timed: TimedAccess, case: Case) -> dict[str, object]:
    """What a notice about it says."""
    noon = moment_of(timed.until, zone_of(session, timed.organization_id), at=time(12))
    return {
        "deed": Deed.TAKE_BACK.value,
        "ends_at": noon.isoformat(),
        "because": f"It was given until {timed.until:%-d %B %Y}.",
        "rule": "Access with an end",
        "names": names_given(session, case),
        "timed": True,
    }


def given_by(session: Session, case: Case) -> tuple[Change, ...]:
    """All that a case once gave: what an undo that ended halfway took back counts as done no more."""
    undos = session.scalars(
        select(Case).where(
            Case.organization_id == case.organization_id,
            Case.account_id == case.account_id,
            Case.undoes == case.id,
        )
    )
    taken = (change.inverse() for undo in undos for change in done_changes(undo))
    return tuple(dict.fromkeys((*done_changes(case), *(change for change in taken if change is not None))))


def names_given(session: Session, case: Case) -> list[str]:
    """What a case gave, by name: products, and groups that open none.

    What other groups of the person open does not end with it: then the group itself is named.
    """
    done = given_by(session, case) if case.state == CaseState.UNDONE else done_changes(case)
    groups = {change.about for change in done if change.kind is ChangeKind.JOIN_GROUP}
    roles = {change.about for change in done if change.kind is ChangeKind.ASSIGN_ROLE}
    others = select(Membership.group_id).where(
        Membership.organization_id == case.organization_id,
        Membership.account_id == case.account_id,
        Membership.group_id.not_in(groups),
    )
    kept = {each for opened in _opened_by(session, case.organization_id, others).values() for each in opened}
    grants = _opened_by(session, case.organization_id, groups)
    names = {
        product_name(each.key)
        for each in seats_of(session, case.organization_id)
        if each.resource_id in roles.union(*(opened - kept for opened in grants.values()))
    }
    alone = select(Group.name).where(
        Group.organization_id == case.organization_id,
        Group.group_id.in_([each for each in groups if grants.get(each, set()) <= kept]),
    )
    return [*sorted(names), *sorted(session.scalars(alone))]


def _opened_by(session: Session, organization_id: str, groups: Select[str] | set[str]) -> dict[str, set[str]]:
    """Group id → the products (resource ids) that it opens. Groups that open none are absent."""
    query = select(Grant.group_id, Grant.resource_id).where(
        Grant.organization_id == organization_id, Grant.group_id.in_(groups)
    )
    found: dict[str, set[str]] = {}
    for group_id, resource_id in session.execute(query):
        found.setdefault(group_id, set()).add(resource_id)
    return found


def _record(
    session: Session, event: Event, timed: TimedAccess, run: Run | None, now: datetime, result: str
) -> None:
    record(
        session,
        event,
        at=now,
        actor=run.requested_by if run is not None else APP,
        organization_id=timed.organization_id,
        subject=timed.account_id,
        run_id=run.id if run is not None else timed.run_id,
        result=result,
    )
