"""The tokens of acme's and globex's identity providers."""

from __future__ import annotations

from models.organization import Organization
from models.scim import ScimConnection
from services.scim_connections import hash_of, new_token
from tests.security.organizations import connection_of, link
from tests.security.world import Tenant, World

_TOKENS: dict[str, str] = {}


def token_of(world: World, tenant: Tenant) -> str:
    """The token of a tenant's identity provider; made when there is none, with the organization."""
    with world.tools.begin() as session:
        # Also when the tenant was uninstalled meanwhile: its organization is still there.
        is_linked = session.get(Organization, f"org-{tenant.name}") is not None
    if not is_linked:
        link(world, tenant)
    with world.tools.begin() as session:
        found = session.get_one(ScimConnection, (f"org-{tenant.name}", connection_of(tenant)))
        if found.token_hash != hash_of(_TOKENS.get(tenant.name, "")):
            _TOKENS[tenant.name], found.token_hash = new_token()
    return _TOKENS[tenant.name]
