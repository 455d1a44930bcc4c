"""What Jira Automation of acme holds: the secret of a ticket rule, made by rows."""

from __future__ import annotations

from datetime import UTC, datetime

from models.organization import Organization
from models.ticket import TicketRule
from services.ticket_secrets import new_secret
from tests.security.organizations import link
from tests.security.routes import VALUES
from tests.security.world import Tenant, World

_SECRETS: dict[bytes, str] = {}


def ticket_secret_of(world: World, tenant: Tenant) -> str:
    """The secret of the one rule of a tenant; made if there is none."""
    org, rule_id = f"org-{tenant.name}", VALUES["ticket_rule_id"]
    with world.tools.begin() as session:
        found = session.get(TicketRule, (org, rule_id))
        if found is not None and found.secret_sealed in _SECRETS:
            return _SECRETS[found.secret_sealed]
        # Also when the tenant was uninstalled meanwhile: its organization is still there.
        is_linked = session.get(Organization, org) is not None
    if not is_linked:
        link(world, tenant)
    now = datetime.now(UTC)
    rule = TicketRule(
        organization_id=org,
        id=rule_id,
        name=f"{tenant.name} tickets",
        client_key=tenant.client_key,
        project="HELP",
        request_types=[],
        domains=[f"{tenant.name}.example"],
        groups=[],
        gives=[f"group-{tenant.name}"],
        with_approval=True,
        comments=False,
        is_on=True,
        created_by="ana",
        created_at=now,
        changed_by="ana",
        changed_at=now,
    )
    secret = new_secret(world.tools, rule)
    assert rule.secret_sealed is not None
    _SECRETS[rule.secret_sealed] = secret
    with world.tools.begin() as session:
        session.add(rule)
    return secret
