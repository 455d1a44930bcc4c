"""The secret of a ticket rule: it opens the rule's own address, is shown once, and is kept sealed for its row."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from models.ticket import TicketRule, sealed_ticket_secret
from services.toolbox import Toolbox
from services.vault import CredentialUnreadable

HEADER = "X-Rollcall-Secret"
PREFIX = "rct_"
"""By which logs know it (connect/scrub.py)."""
SECRET_BYTES = 32
SEALED_COLUMN = "secret_sealed"


@dataclass(frozen=True, slots=True)
class TicketSource:
    """The proven answer to "which rule is this ticket sent to?"; `client_key` is the Jira that it looks into."""

    organization_id: str
    rule_id: str
    client_key: str


def ticket_rule_row(organization_id: str, rule_id: str) -> str:
    """The identity of a rule's row, as the vault binds it."""
    return f"ticket-rule/{organization_id}/{rule_id}"


def new_secret(tools: Toolbox, rule: TicketRule) -> str:
    """Another secret for a rule; the one before it opens nothing any more."""
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    row = ticket_rule_row(rule.organization_id, rule.id)
    rule.secret_sealed = tools.vault.seal(secret, row=row, column=SEALED_COLUMN)
    rule.secret_at = tools.clock()
    return secret


def open_door(tools: Toolbox, rule_id: str, given: str) -> TicketSource | None:
    """Whom a secret opens a rule for; None when it is wrong, or the rule takes nothing now: nobody learns which."""
    with tools.look() as connection:
        found = sealed_ticket_secret(connection, rule_id)
    if found is None:
        return None
    organization_id, client_key, sealed = found
    if sealed is None:
        return None
    try:
        wanted = tools.vault.open(sealed, row=ticket_rule_row(organization_id, rule_id), column=SEALED_COLUMN)
    except CredentialUnreadable:
        return None
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        return None
    return TicketSource(organization_id, rule_id, client_key)
