"""Rotating the keys that seal secrets: `flask rotate-keys` seals everything anew with the first of CREDENTIAL_KEYS."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.credential import Credential, CredentialKind
from models.hook import Hook
from models.mail import MailSender
from models.tenant import Tenant
from models.ticket import TicketRule
from services.doors import credential_row
from services.hook_secrets import SEALED_COLUMNS, hook_row
from services.installing import tenant_row
from services.mail_senders import sender_row
from services.ticket_secrets import SEALED_COLUMN, ticket_rule_row
from services.toolbox import Toolbox


def rotate_keys(tools: Toolbox) -> int:
    """Seals anew what an older key had sealed, all or nothing. Returns how many values. Raises CredentialUnreadable."""
    sealed_anew = 0
    with tools.begin() as session:
        for owner, row, column in _places(session):
            sealed: bytes | None = getattr(owner, column)
            renewed = _renewed(tools, sealed, row, column) if sealed is not None else None
            if renewed is not None:
                setattr(owner, column, renewed)
                sealed_anew += 1
    return sealed_anew


def _places(session: Session) -> Iterator[tuple[object, str, str]]:
    """Every place of a sealed value: the object that has it, its row as the vault binds it, and the column."""
    for tenant in session.scalars(select(Tenant).where(Tenant.shared_secret_sealed.is_not(None))):
        yield tenant, tenant_row(tenant.client_key), "shared_secret_sealed"
    for credential in session.scalars(select(Credential)):
        row = credential_row(credential.client_key, CredentialKind(credential.kind))
        yield from ((credential, row, column) for column in ("sealed", "email_sealed"))
    for hook in session.scalars(select(Hook)):
        row = hook_row(hook.organization_id, hook.id)
        yield from ((hook, row, column) for column in SEALED_COLUMNS)
    for sender in session.scalars(select(MailSender)):
        yield sender, sender_row(sender.organization_id), "password_sealed"
    for rule in session.scalars(select(TicketRule).where(TicketRule.secret_sealed.is_not(None))):
        yield rule, ticket_rule_row(rule.organization_id, rule.id), SEALED_COLUMN


def _renewed(tools: Toolbox, sealed: bytes, row: str, column: str) -> bytes | None:
    if tools.vault.is_current(sealed):
        return None
    return tools.vault.seal(tools.vault.open(sealed, row=row, column=column), row=row, column=column)
