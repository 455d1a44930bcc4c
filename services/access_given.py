"""What access rules gave to whom, written down with the answers of Atlassian themselves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.access_rule import AccessGiven, find_access_rule, find_given
from models.run import Case
from rules.changes import INVERSE, Change, ChangeKind
from rules.deeds import Deed
from services.orders import done_changes

TAKEN_BY_HAND = "An operator took it back."
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
