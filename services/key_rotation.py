"""Rotating the keys that seal secrets: `flask rotate-keys` seals everything anew with the first of CREDENTIAL_KEYS."""

from __future__ import annotations

from sqlalchemy import select

from models.credential import Credential, CredentialKind
from models.hook import Hook
from models.tenant import Tenant
from services.doors import credential_row
from services.hook_secrets import SEALED_COLUMNS, hook_row
from services.installing import tenant_row
from services.toolbox import Toolbox


def rotate_keys(tools: Toolbox) -> int:
    """Seals anew what an older key had sealed, all or nothing. Returns how many values. Raises CredentialUnreadable."""
    sealed_anew = 0
    with tools.begin() as session:
        for tenant in session.scalars(select(Tenant).where(Tenant.shared_secret_sealed.is_not(None))):
            assert tenant.shared_secret_sealed is not None
            renewed = _renewed(
                tools, tenant.shared_secret_sealed, tenant_row(tenant.client_key), "shared_secret_sealed"
            )
            if renewed is not None:
                tenant.shared_secret_sealed = renewed
                sealed_anew += 1
        for credential in session.scalars(select(Credential)):
            row = credential_row(credential.client_key, CredentialKind(credential.kind))
            renewed = _renewed(tools, credential.sealed, row, "sealed")
            if renewed is not None:
                credential.sealed = renewed
                sealed_anew += 1
            renewed = credential.email_sealed and _renewed(
                tools, credential.email_sealed, row, "email_sealed"
            )
            if renewed:
                credential.email_sealed = renewed
                sealed_anew += 1
        for hook in session.scalars(select(Hook)):
            row = hook_row(hook.organization_id, hook.id)
            for column in SEALED_COLUMNS:
                sealed: bytes | None = getattr(hook, column)
                renewed = _renewed(tools, sealed, row, column) if sealed is not None else None
                if renewed is not None:
                    setattr(hook, column, renewed)
                    sealed_anew += 1
    return sealed_anew


def _renewed(tools: Toolbox, sealed: bytes, row: str, column: str) -> bytes | None:
    if tools.vault.is_current(sealed):
        return None
    return tools.vault.seal(tools.vault.open(sealed, row=row, column=column), row=row, column=column)
