"""What an identity provider says this moment about the cases of a run that its word began."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.run import Case, Run
from models.scim import ScimUser, find_connection
from rules.deeds import Deed
from rules.roster import Origin, action_from_words
from rules.scim import ScimMode, no_longer_asked
from services.scim_facts import said_of

DISCONNECTED = "The identity provider was disconnected."
ONLY_AUDITS = "The connection to the identity provider only audits by now."
FORGOTTEN = "The identity provider says nothing about them any more."


@dataclass(frozen=True, slots=True)
class ScimBook:
    """The connection whose word counts, and what stands against everything that the run still has to do."""

    connection_id: str = ""
    objection: str | None = None


def open_at(session: Session, run: Run) -> ScimBook:
    """Empty for runs of anything else. An undo is no deed of the connection."""
    if run.origin != Origin.SCIM or run.undoes is not None:
        return ScimBook()
    found = find_connection(session, run.organization_id, run.origin_id)
    if found is None:
        return ScimBook(objection=DISCONNECTED)
    return ScimBook(found.id, None if found.mode == ScimMode.LIVE else ONLY_AUDITS)


def objection_to(session: Session, case: Case, book: ScimBook) -> str | None:
    """Why the provider's word, as it is now, does not ask for this case any more. Costs other cases nothing."""
    if book.objection is not None or not book.connection_id:
        return book.objection
    user = _user_of(session, case, book.connection_id)
    if user is None:
        return FORGOTTEN
    said = said_of(session, case.organization_id, [user])[user.id]
    return no_longer_asked(said, action_from_words(Deed(case.deed), case.action))


def _user_of(session: Session, case: Case, connection_id: str) -> ScimUser | None:
    """Whom the case is about. One that is tried again is in nobody's hands any more: they are found like anybody."""
    theirs = select(ScimUser).where(
        ScimUser.organization_id == case.organization_id, ScimUser.connection_id == connection_id
    )
    found = session.scalars(theirs.where(ScimUser.account_id == case.account_id)).all()
    if not found:
        # Only who is invited has no account. One question for each, which an index answers, as in scim_users.
        same = (ScimUser.case_id == case.id, ScimUser.email == case.email)
        found = [each for one in same for each in session.scalars(theirs.where(one))]
    return max(
        found,
        key=lambda user: (user.deleted_at is None, user.case_id == case.id, user.changed_at),
        default=None,
    )
