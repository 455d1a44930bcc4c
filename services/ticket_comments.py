"""The comment back on a ticket, by the API token of its Jira: the app itself may only read. Said once (S50)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy.orm import Session

from connect.errors import AccessForbidden, Gone, Invalid, Unauthorized
from models.credential import CredentialKind, credential_of
from models.ticket import TicketCall, find_call
from rules.tickets import CommentState
from services.doors import credential_row, mark_rejected
from services.expiry import rejection
from services.ticket_judging import require_jira
from services.toolbox import Toolbox
from services.vault import CredentialUnreadable

NO_TOKEN = "There is no API token with an Admin Email for this Jira."
TOKEN_NEXT_STEP = "Save one under Configure Token, there."


@dataclass(frozen=True, slots=True)
class _Comment:
    client_key: str
    base_url: str
    email: str
    token: str
    sealed: bytes
    issue_id: str
    words: str
    reference: str


def can_comment(session: Session, client_key: str) -> bool:
    """Whether there is an API token for this Jira."""
    return credential_of(session, client_key, CredentialKind.API_TOKEN) is not None


def say(tools: Toolbox, organization_id: str, call_id: str) -> None:
    """Comments the ticket, unless our reference stands there already: an earlier attempt may have died behind the
    call. Raises AtlassianError (to be tried again), Invalid (never), NotReady."""
    comment = _comment(tools, organization_id, call_id)
    if comment is None:
        return
    try:
        with tools.atlassian.tickets_by_token(comment.base_url, comment.email, comment.token) as site:
            if not site.has_comment_with(comment.issue_id, comment.reference):
                site.comment(comment.issue_id, (comment.words, comment.reference))
    except Unauthorized as error:
        raise _rejected(tools, comment) from error
    except AccessForbidden:
        raise Invalid("", "The owner of the API token may not comment this ticket.") from None
    except Gone:
        raise Invalid("", "The ticket is gone, or the owner of the API token may not see it.") from None
    with tools.begin() as session:
        call = find_call(session, organization_id, call_id)
        if call is not None:
            call.comment_state, call.comment_reason = CommentState.SENT.value, ""
            call.working_since = call.resume_at = None


def reference_of(call: TicketCall) -> str:
    """What stands below the comment, and tells it from all others: one for each thing that is said on a ticket."""
    return f"Rollcall reference {call.id[:13]}-{sha256(call.said.encode()).hexdigest()[:8]}"


def _comment(tools: Toolbox, organization_id: str, call_id: str) -> _Comment | None:
    with tools.begin() as session:
        call = find_call(session, organization_id, call_id)
        if call is None or call.comment_state != CommentState.DUE:
            return None
        # Where it was sent from: the rule may look into another Jira by now, where the number is a stranger's ticket.
        tenant = require_jira(session, organization_id, call.client_key)
        credential = credential_of(session, call.client_key, CredentialKind.API_TOKEN)
        if credential is None or credential.email_sealed is None:
            raise Invalid("", f"{NO_TOKEN} {TOKEN_NEXT_STEP}")
        row = credential_row(call.client_key, CredentialKind.API_TOKEN)
        try:
            email = tools.vault.open(credential.email_sealed, row=row, column="email_sealed")
            token = tools.vault.open(credential.sealed, row=row, column="sealed")
        except CredentialUnreadable:
            raise Invalid(
                "", "The API token can no longer be read. Replace it under Configure Token."
            ) from None
        return _Comment(
            call.client_key,
            tenant.base_url,
            email,
            token,
            credential.sealed,
            call.issue_id,
            call.said,
            reference_of(call),
        )


def _rejected(tools: Toolbox, comment: _Comment) -> Invalid:
    with tools.begin() as session:
        credential = credential_of(session, comment.client_key, CredentialKind.API_TOKEN)
        expires_on = credential.expires_on if credential is not None else None
    if expires_on is None:
        return Invalid("", f"{NO_TOKEN} {TOKEN_NEXT_STEP}")
    problem = rejection(CredentialKind.API_TOKEN, expires_on, tools.clock().date())
    mark_rejected(tools, comment.client_key, CredentialKind.API_TOKEN, comment.sealed, problem)
    return Invalid("", problem.sentence)
