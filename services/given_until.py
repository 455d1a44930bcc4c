"""What people have for a time already: what it is, and its last day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy.orm import Session

from models.run import Case
from models.timed_access import TimedState, unended_among
from rules.changes import of_access
from rules.deeds import Deed
from rules.roster import action_from_words
from rules.timed import Given, ends_sooner
from services.orders import done_changes

GivenUntil = dict[str, list[Given]]
"""By account id."""


def given_until(session: Session, organization_id: str, account_ids: Iterable[str]) -> GivenUntil:
    """Of these people, whoever has something for a time."""
    given: GivenUntil = {}
    for timed, case in unended_among(session, organization_id, account_ids):
        is_open = timed.state == TimedState.OPEN
        given.setdefault(timed.account_id, []).append(
            Given(timed.case_id, timed.until, done_changes(case), is_open)
        )
    return given


def until_when_it_is_there(session: Session, case: Case) -> date | None:
    """The last day of what `case` was to give and somebody had already; None when it stays."""
    action = action_from_words(Deed(case.deed), case.action)
    given = given_until(session, case.organization_id, [case.account_id])
    return ends_sooner(of_access(action), given.get(case.account_id, ()), None)
