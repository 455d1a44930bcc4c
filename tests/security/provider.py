"""Identity providers of acme and globex: a connection each, by rows, and the token that opens it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import update

from models.scim import ScimConnection
from models.tenant import find_tenant
from services.scim_connections import hash_of, new_token
from tests.security.organizations import link
from tests.security.world import Tenant, World

_TOKENS: dict[str, str] = {}


def connection_of(tenant: Tenant) -> str:
    return f"scim-{tenant.name}"


def token_of(world: World, tenant: Tenant) -> str:
    """The token of a tenant's identity provider; connected if it was not."""
    with world.tools.begin() as session:
        found = session.get(ScimConnection, (f"org-{tenant.name}", connection_of(tenant)))
        if found is not None and found.token_hash == hash_of(_TOKENS.get(tenant.name, "")):
            return _TOKENS[tenant.name]
    token, token_hash = new_token()
    _TOKENS[tenant.name] = token
    with world.tools.begin() as session:
        known = find_tenant(session, tenant.client_key)
        is_linked = known is not None and known.organization_id is not None
    if not is_linked:
        link(world, tenant)
    now = datetime.now(UTC)
    with world.tools.begin() as session:
        if session.get(ScimConnection, (f"org-{tenant.name}", connection_of(tenant))) is None:
            session.add(
                ScimConnection(
                    organization_id=f"org-{tenant.name}",
                    id=connection_of(tenant),
                    name=f"{tenant.name} directory",
                    provider="other",
                    token_hash=token_hash,
                    token_created_at=now,
                    created_by="ana",
                    created_at=now,
                    when_inactive="suspend",
                    when_deleted="suspend",
                    mode="audit",
                )
            )
        else:
            session.execute(
                update(ScimConnection)
                .where(ScimConnection.id == connection_of(tenant))
                .values(token_hash=token_hash)
            )
    return token
