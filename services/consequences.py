"""What follows from the outcome of a case, in its transaction: access begins to end, a rule knows what it gave."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from models.run import Case, Run, find_case
from rules.case import CaseState
from rules.deeds import Deed
from rules.roster import Origin
from services import access_given, give_back_outcomes, scim_outcomes, timed_beginnings, timed_gone


def follow(session: Session, case: Case, run: Run, now: datetime) -> None:
    """To be called for every case of `run` that has ended, whatever came of it; nothing happens twice."""
    if run.origin == Origin.SCIM:
        scim_outcomes.wake(session, run.organization_id, run.origin_id, now)
    if case.undoes is not None:
        original = find_case(session, case.organization_id, case.undoes)
        if original is not None and original.state == CaseState.UNDONE:
            access_given.note_undone(session, original, now)
            timed_beginnings.note_undone(session, original, run, now)
        elif original is not None:
            timed_beginnings.note_not_undone(session, original, case, run, now)
            give_back_outcomes.note_not_given_back(session, original, case, run, now)
    elif case.changed:
        if case.ends_on is not None:
            timed_beginnings.begin(session, case, run, now)
        if run.origin == Origin.ACCESS_RULE:
            access_given.note(session, run.origin_id, case, now)
    if run.origin == Origin.TIMED and case.undoes is None:
        give_back_outcomes.note_not_given_again(session, case, run, now)
    if case.changed and case.state == CaseState.ACTED and case.deed == Deed.REMOVE:
        by = run.requested_by
        timed_gone.end_with_the_person(session, case.organization_id, case.account_id, now, now, by)
