"""The daily look at every stored credential, so that a dead key is noticed before it is needed."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from sqlalchemy import select

from connect.errors import NotFound
from models.audit import APP
from models.credential import Credential, CredentialKind
from models.tenant import Tenant
from services.credentials import check
from services.toolbox import Toolbox

EVERY = timedelta(days=1)


def credentials_due(tools: Toolbox) -> list[tuple[str, str, str, str]]:
    """(organization id, client key, kind, last check in ISO 8601) of the credentials that nobody has checked for a day.

    A door that has no organization yet stands for itself.
    """
    query = (
        select(Tenant.organization_id, Credential.client_key, Credential.kind, Credential.checked_at)
        .join(Tenant, Tenant.client_key == Credential.client_key)
        .where(Tenant.uninstalled_at.is_(None), Credential.checked_at < tools.clock() - EVERY)
        .order_by(Credential.checked_at)
    )
    with tools.begin() as session:
        return [
            (organization_id or client_key, client_key, kind, checked_at.isoformat())
            for organization_id, client_key, kind, checked_at in session.execute(query)
        ]


def check_credential(tools: Toolbox, client_key: str, kind: str) -> None:
    """Checks one of them; the answer is stored and audited. One that was forgotten meanwhile is passed over."""
    with suppress(NotFound):
        check(tools, client_key, CredentialKind(kind), actor=APP)
