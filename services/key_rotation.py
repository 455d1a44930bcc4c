"""Rotating the keys that seal secrets: `flask rotate-keys` seals everything anew with the first of CREDENTIAL_KEYS."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session, object_mapper

from connect.errors import Conflict
from models.credential import Credential, CredentialKind
from models.db import Base
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

MOST_ROUNDS = 5


def rotate_keys(tools: Toolbox) -> int:
    """Seals anew what an older key had sealed. Returns how many values.

    Raises CredentialUnreadable for a value that does not open; all are opened before the first one is written. Raises
    Conflict when others bring secrets that an older key sealed faster than they can be sealed anew.
    """
    sealed_anew = 0
    for _ in range(MOST_ROUNDS):
        with tools.begin() as session:
            renewals = _renewals(tools, session)
        if not renewals:
            return sealed_anew
        # One by one: nobody who installs or stores a secret waits for all of them.
        for renewal in renewals:
            with tools.begin() as session:
                sealed_anew += session.execute(renewal).rowcount  # type: ignore[attr-defined]
    raise Conflict(
        "Some secrets were replaced while they were sealed anew.",
        "Start all programs with the new CREDENTIAL_KEYS, then run it again.",
    )


def _renewals(tools: Toolbox, session: Session) -> list[Update]:
    """What is to be written, everything opened before."""
    found = []
    for owner, row, column in _places(session):
        sealed: bytes | None = getattr(owner, column)
        if sealed is None:
            continue
        # Opened also when it needs nothing: another key of the same name seals from now on, and opens none of it.
        secret = tools.vault.open(sealed, row=row, column=column)
        if not tools.vault.is_current(sealed):
            found.append(_renewal(owner, column, sealed, tools.vault.seal(secret, row=row, column=column)))
    return found


def _renewal(owner: Base, column: str, sealed: bytes, renewed: bytes) -> Update:
    """Only where the value is still the one that was read: a secret that came meanwhile stays."""
    mapper = object_mapper(owner)
    keys = zip(mapper.primary_key, mapper.primary_key_from_instance(owner), strict=True)
    unchanged = mapper.local_table.c[column] == sealed
    return (
        update(type(owner))
        .where(*(key == value for key, value in keys), unchanged)
        .values({column: renewed})
        .execution_options(synchronize_session=False)
    )


def _places(session: Session) -> Iterator[tuple[Base, str, str]]:
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
