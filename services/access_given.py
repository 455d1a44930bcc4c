"""What access rules gave to whom, written down with the answers of Atlassian themselves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.access_rule import AccessGiven, find_access_rule, find_given
from models.rule import StoredRule
from models.run import Case, Run
from rules.changes import INVERSE, Change, ChangeKind
from rules.deeds import Deed
from services.orders import done_changes

TAKEN_BY_HAND = "An operator took it back."
GONE_AGAIN = "What the rule gave was gone again:"
"""How every reason begins why a rule leaves somebody alone who lost it twice; behind it stands who takes it out."""
BY_OTHERS = f"{GONE_AGAIN} another system takes it out."
_GIVES = (ChangeKind.JOIN_GROUP, ChangeKind.ASSIGN_ROLE)


def note(session: Session, rule_id: str, case: Case, now: datetime) -> None:
    """A case of a rule has ended: what landed was given, or is over."""
    if find_access_rule(session, case.organization_id, rule_id) is None:
        return
    for change in done_changes(case):
        if change.kind in _GIVES:
            _given(session, rule_id, case, change, now)
        elif case.deed == Deed.TAKE_BACK:
            part = Change(INVERSE[change.kind], change.about, change.role)
            record = find_given(session, case.organization_id, rule_id, case.account_id, part)
            if record is not None and record.over_at is None:
                record.over_at, record.over_case_id = now, case.id
    session.flush()


def why_gone_again(session: Session, given: AccessGiven) -> str:
    """Who takes out what an access rule gives, as the reason to give it no more.

    Mostly it is another system, but it may be a rule or a run of our own.
    """
    later = (
        select(Case, Run)
        .join(Run, (Run.organization_id == Case.organization_id) & (Run.id == Case.run_id))
        .where(
            Case.organization_id == given.organization_id,
            Case.account_id == given.account_id,
            Case.changed.is_(True),
            Case.finished_at >= given.given_at,
        )
        .order_by(Case.finished_at.desc())
    )
    for case, run in session.execute(later):
        if given.part.inverse() in done_changes(case):
            return f"{GONE_AGAIN} {_taker(session, run)} takes it out."[:300]
    return BY_OTHERS


def _taker(session: Session, run: Run) -> str:
    rule = session.get(StoredRule, (run.organization_id, run.rule_id)) if run.rule_id else None
    if rule is not None:
        return f"your rule “{rule.name}”"
    other = find_access_rule(session, run.organization_id, run.origin_id)
    return f"your access rule “{other.name}”" if other is not None else "a run of Rollcall"


def note_undone(session: Session, original: Case, now: datetime) -> None:
    """A case of a rule was undone: what it gave is gone, and is not given again; what it took is the rule's again."""
    ours = (
        AccessGiven.organization_id == original.organization_id,
        AccessGiven.account_id == original.account_id,
    )
    gave = select(AccessGiven).where(*ours, AccessGiven.case_id == original.id, AccessGiven.over_at.is_(None))
    for record in session.scalars(gave):
        record.stopped_at, record.reason = now, TAKEN_BY_HAND
    for record in session.scalars(select(AccessGiven).where(*ours, AccessGiven.over_case_id == original.id)):
        record.over_at = record.over_case_id = None


def _given(session: Session, rule_id: str, case: Case, part: Change, now: datetime) -> None:
    record = find_given(session, case.organization_id, rule_id, case.account_id, part)
    if record is None:
        record = AccessGiven(
            organization_id=case.organization_id,
            rule_id=rule_id,
            account_id=case.account_id,
            kind=part.kind.value,
            about=part.about,
            role=part.role,
            missing=0,
        )
        session.add(record)
    elif record.over_at is not None:
        record.missing = 0
    record.case_id, record.given_at = case.id, case.finished_at or now
    record.over_at = record.over_case_id = record.stopped_at = None
    record.reason = ""
