"""What became of people whom a run had in hand for an identity provider: what they have by it, what was taken."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.run import Case, Run
from models.scim import ScimConnection, ScimUser
from rules.case import OPEN, CaseState
from rules.changes import ChangeKind, of_access
from rules.deeds import Deed
from rules.roster import action_from_words, is_unknown
from rules.scim import TAKEN_BACK, ScimMode, ScimState, Step, after
from rules.verdict import Why
from services.orders import done_changes
from services.scim_facts import access_from, access_to

_TAKING = {ChangeKind.SUSPEND: Deed.SUSPEND, ChangeKind.DEACTIVATE: Deed.DEACTIVATE}
SOON = timedelta(seconds=2)
"""Several that end together are looked at together."""
_RETURNING = frozenset({ChangeKind.RESTORE, ChangeKind.REACTIVATE})


def note_outcomes(session: Session, found: ScimConnection, now: datetime) -> None:
    """Lets go of everybody whose case has ended; who was changed is looked at again, for what comes next."""
    session.flush()
    query = (
        select(ScimUser, Case)
        .join(Case, (Case.organization_id == ScimUser.organization_id) & (Case.id == ScimUser.case_id))
        .where(
            ScimUser.organization_id == found.organization_id,
            ScimUser.connection_id == found.id,
            ScimUser.case_id.is_not(None),
            Case.state.not_in([state.value for state in OPEN]),
        )
    )
    for user, case in session.execute(query).all():
        _note(user, case, now)


def wake(session: Session, organization_id: str, connection_id: str, now: datetime) -> None:
    """Somebody's case has ended: what comes next for them is looked at in a moment."""
    soon = now + SOON
    session.execute(
        update(ScimConnection)
        .where(
            ScimConnection.organization_id == organization_id,
            ScimConnection.id == connection_id,
            ScimConnection.look_at > soon,
        )
        .values(look_at=soon)
    )


def take_up_again(session: Session, run: Run, now: datetime) -> None:
    """Whoever is in no other hands is in those of a run that is tried again: what comes of it is theirs."""
    mine = (ScimUser.organization_id == run.organization_id, ScimUser.connection_id == run.origin_id)
    # The connection first: the worker holds it, too, before it touches anybody.
    live = session.execute(
        update(ScimConnection)
        .where(
            ScimConnection.organization_id == run.organization_id,
            ScimConnection.id == run.origin_id,
            ScimConnection.deleted_at.is_(None),
            ScimConnection.mode == ScimMode.LIVE.value,
        )
        .values(look_at=now)
    )
    if not live.rowcount:  # type: ignore[attr-defined]
        return
    failed = select(Case).where(
        Case.organization_id == run.organization_id,
        Case.run_id == run.id,
        Case.state == CaseState.FAILED.value,
    )
    cases = session.scalars(failed).all()
    known = ScimUser.account_id.in_({case.account_id for case in cases})
    called = ScimUser.email.in_({case.email for case in cases if case.email})
    free = select(ScimUser).where(*mine, ScimUser.case_id.is_(None), known | called)
    # Deleted and created again is the same person: the one who is there comes last, and stands.
    users: dict[str | None, ScimUser] = {}
    for user in session.scalars(free.order_by(ScimUser.deleted_at.is_(None), ScimUser.changed_at)):
        users[user.account_id] = users[user.email] = user
    for case in cases:
        again = users.get(case.account_id) or users.get(case.email or case.account_id)
        if again is not None:
            again.case_id, again.state, again.reason = case.id, ScimState.WORKING.value, ""


def _note(user: ScimUser, case: Case, now: datetime) -> None:
    landed = done_changes(case)
    kinds = {change.kind for change in landed}
    deed, action = Deed(case.deed), action_from_words(Deed(case.deed), case.action)
    done = case.why == Why.DONE
    # What somebody else took out before is not given any more either.
    gone = of_access(action) if done and deed is Deed.TAKE_BACK else ()
    user.given = access_to(after(access_from(user.given), (*landed, *gone)))
    user.case_id = None
    user.invited = user.invited or ChangeKind.INVITE in kinds
    if not is_unknown(case.account_id):
        user.account_id = case.account_id
    for kind, taking in _TAKING.items():
        if kind in kinds:
            user.taken = taking.value
    if kinds & _RETURNING:
        user.taken = ""
    if landed or user.dirty_at is not None or case.reason in TAKEN_BACK:
        # What was said meanwhile is another word, even if it asks for the same again.
        user.tried, user.dirty_at = None, user.dirty_at or now
        return
    user.tried = _words(deed, case.action)
    user.state = (ScimState.SETTLED if done else ScimState.FAILED).value
    user.reason = "" if done else case.reason or "The run was stopped before their turn."


def step_to_words(step: Step) -> dict[str, Any]:
    """A step as it is remembered, to be told from the next one."""
    return {
        "deed": step.deed.value,
        "roles": sorted([list(one) for one in step.access.roles]),
        "groups": sorted(step.access.groups),
    }


def _words(deed: Deed, action: dict[str, Any] | None) -> dict[str, Any]:
    found = action_from_words(deed, action)
    return {
        "deed": deed.value,
        "roles": sorted([list(one) for one in found.roles]),
        "groups": sorted(found.join),
    }
