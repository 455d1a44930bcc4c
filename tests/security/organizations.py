"""An organization behind a tenant, with one of everything in it; every row names the tenant it belongs to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from models.access_rule import StoredAccessRule
from models.audit import AuditEntry
from models.delivery import Delivery
from models.hook import Hook
from models.leaver import Belonging, Leaver, Look
from models.mail import MailSuppression
from models.organization import Operator, Organization, Seats
from models.people import Group, Membership, Person, Seat
from models.profile import Profile
from models.protected import Protected
from models.rule import RuleVersion, StoredRule
from models.run import Case, Run
from models.scim import ScimConnection, ScimGroup, ScimUser
from models.sync import Sync
from models.tenant import find_tenant
from models.ticket import TicketCall, TicketRule
from models.timed_access import TimedAccess
from rules.case import CaseState, RunState
from tests.security.world import Tenant, World

NOW = datetime.now(UTC) - timedelta(hours=1)


def link(world: World, tenant: Tenant, *operators: str) -> str:
    """An organization with one of everything in it, behind a tenant. Every row names the tenant."""
    return world.once(("link", tenant.name, *operators), lambda: _link(world, tenant, *operators))


def _link(world: World, tenant: Tenant, *operators: str) -> str:
    name = tenant.name
    org = f"org-{name}"
    with world.tools.begin() as session:
        found = find_tenant(session, tenant.client_key)
        assert found is not None
        session.add(Organization(id=org, name=f"{name} organization", created_at=NOW))
        session.flush()
        found.organization_id = org
        for account_id in operators:
            session.add(
                Operator(
                    organization_id=org, account_id=account_id, reason="named", named_by="ana", named_at=NOW
                )
            )
        run_id = run_of(tenant)
        rows = [
            Seats(organization_id=org, resource_id=f"ari:{name}", key="jira-software", name=f"{name} seats"),
            Group(organization_id=org, group_id=f"group-{name}", name=f"{name} group"),
            Person(
                organization_id=org,
                account_id=f"person-{name}",
                directory_id="dir",
                name=f"Person of {name}",
                search_text=name,
                email=f"person@{name}.example",
                activity="never",
                sync_id="s",
                synced_at=NOW,
            ),
            Run(
                organization_id=org,
                id=run_id,
                deed="suspend",
                state=RunState.FINISHED.value,
                requested_by="ana",
                created_at=NOW,
                finished_at=NOW,
            ),
            StoredRule(
                organization_id=org,
                id=rule_of(tenant),
                name=f"{name} rule",
                version=1,
                created_by="ana",
                created_at=NOW,
            ),
            Protected(
                organization_id=org,
                id=protected_of(tenant),
                kind="domain",
                value=f"{name}-partner.example",
                label=f"{name}-partner.example",
                reason=f"{name} reason",
                added_by="ana",
                added_at=NOW,
            ),
            Hook(
                organization_id=org,
                id=hook_of(tenant),
                kind="signed",
                name=f"{name} hook",
                address_sealed=b"sealed",
                host=f"hooks.{name}.example",
                topics=["key:dead"],
                created_by="ana",
                created_at=NOW,
            ),
            Delivery(
                organization_id=org,
                id=delivery_of(tenant),
                channel="hook",
                topic="key:dead",
                target=hook_of(tenant),
                facts={"sentence": f"{name} sentence."},
                state="not_sent",
                reason=f"{name} reason",
                created_at=NOW,
                finished_at=NOW,
            ),
            ScimConnection(
                organization_id=org,
                id=connection_of(tenant),
                name=f"{name} directory",
                provider="other",
                token_created_at=NOW,
                created_by="ana",
                created_at=NOW,
                when_inactive="suspend",
                when_deleted="suspend",
                mode="audit",
            ),
            TicketRule(
                organization_id=org,
                id=ticket_rule_of(tenant),
                name=f"{name} tickets",
                client_key=tenant.client_key,
                project="HELP",
                request_types=[],
                domains=[f"{name}.example"],
                groups=[],
                gives=[f"group-{name}"],
                with_approval=True,
                comments=False,
                is_on=True,
                secret_at=NOW,
                created_by="ana",
                created_at=NOW,
                changed_by="ana",
                changed_at=NOW,
            ),
            StoredAccessRule(
                organization_id=org,
                id=access_rule_of(tenant),
                name=f"{name} access rule",
                name_key=f"{name} access rule",
                sources=[f"group-{name}"],
                roles=[],
                groups=[],
                created_by="ana",
                created_at=NOW,
                changed_at=NOW,
            ),
            Profile(
                organization_id=org,
                id=profile_of(tenant),
                name=f"{name} profile",
                name_key=f"{name} profile",
                roles=[],
                groups=[f"group-{name}"],
                created_by="ana",
                created_at=NOW,
                changed_at=NOW,
            ),
            Leaver(
                organization_id=org,
                id=leaver_of(tenant),
                account_id=f"person-{name}",
                name=f"Person of {name}",
                state="planned",
                deed="suspend",
                created_by="ana",
                created_at=NOW,
                looked_at=NOW,
            ),
            MailSuppression(
                organization_id=org,
                account_id=f"person-{name}",
                address=f"person@{name}.example",
                reason=f"{name} reason",
                added_at=NOW,
            ),
            Sync(
                id=f"sync-{name}",
                organization_id=org,
                requested_by="ana",
                started_at=NOW,
                finished_at=NOW,
                state="complete",
            ),
            AuditEntry(
                organization_id=org,
                client_key=tenant.client_key,
                at=NOW,
                event="run:confirmed",
                actor="ana",
                result=f"{name} result",
            ),
        ]
        session.add_all(rows)
        session.flush()
        session.add_all(
            [
                Seat(
                    organization_id=org,
                    account_id=f"person-{name}",
                    resource_id=f"ari:{name}",
                    product_key="jira-software",
                    activity="never",
                ),
                Look(
                    organization_id=org,
                    leaver_id=leaver_of(tenant),
                    client_key=tenant.client_key,
                    kind="filter",
                    site=f"https://{name}.example",
                    state="seen",
                    found=1,
                ),
                Belonging(
                    organization_id=org,
                    leaver_id=leaver_of(tenant),
                    kind="filter",
                    client_key=tenant.client_key,
                    reference="10300",
                    name=f"{name} filter",
                ),
                RuleVersion(
                    organization_id=org,
                    rule_id=rule_of(tenant),
                    version=1,
                    definition={
                        "name": f"{name} rule",
                        "steps": [{"when": {"never": 14}, "then": {"deed": "suspend"}}],
                    },
                    created_by="ana",
                    created_at=NOW,
                ),
                ScimGroup(
                    organization_id=org,
                    id=scim_group_of(tenant),
                    connection_id=connection_of(tenant),
                    display_name=f"{name} provider group",
                    display_name_key=f"{name} provider group",
                    document={},
                    created_at=NOW,
                    changed_at=NOW,
                ),
                ScimUser(
                    organization_id=org,
                    id=scim_user_of(tenant),
                    connection_id=connection_of(tenant),
                    user_name=f"newcomer@{name}.example",
                    user_name_key=f"newcomer@{name}.example",
                    document={"userName": f"newcomer@{name}.example"},
                    created_at=NOW,
                    changed_at=NOW,
                    state="failed",
                ),
                TicketCall(
                    organization_id=org,
                    id=ticket_call_of(tenant),
                    rule_id=ticket_rule_of(tenant),
                    issue_id="12001",
                    issue_key=f"{name.upper()}-1",
                    body_hash="0" * 64,
                    received_at=NOW,
                    account_id=f"person-{name}",
                    state="failed",
                    reason=f"{name} reason",
                    finished_at=NOW,
                ),
                Membership(organization_id=org, account_id=f"person-{name}", group_id=f"group-{name}"),
                Case(
                    organization_id=org,
                    id=f"case-{name}",
                    run_id=run_id,
                    account_id=f"person-{name}",
                    directory_id="dir",
                    name=f"Person of {name}",
                    deed="suspend",
                    state=CaseState.ACTED.value,
                ),
            ]
        )
        session.flush()
        session.add(
            TimedAccess(
                organization_id=org,
                case_id=case_of(tenant),
                run_id=run_id,
                account_id=f"person-{name}",
                ends_on=NOW.date() + timedelta(days=90),
                began_at=NOW,
                warned=[],
            )
        )
    return org


def rule_of(tenant: Tenant) -> str:
    return f"rule-{tenant.name}"


def protected_of(tenant: Tenant) -> str:
    return f"protected-{tenant.name}"


def hook_of(tenant: Tenant) -> str:
    return f"hook-{tenant.name}"


def delivery_of(tenant: Tenant) -> str:
    return f"delivery-{tenant.name}"


def connection_of(tenant: Tenant) -> str:
    return f"connection-{tenant.name}"


def scim_group_of(tenant: Tenant) -> str:
    return f"{'abcdef'[len(tenant.name) % 6] * 8}-0000-4000-8000-000000000001"


def scim_user_of(tenant: Tenant) -> str:
    return f"{'abcdef'[len(tenant.name) % 6] * 8}-0000-4000-8000-000000000002"


def access_rule_of(tenant: Tenant) -> str:
    return f"access-rule-{tenant.name}"


def case_of(tenant: Tenant) -> str:
    return f"case-{tenant.name}"


def leaver_of(tenant: Tenant) -> str:
    return f"leaver-{tenant.name}"


def profile_of(tenant: Tenant) -> str:
    return f"profile-{tenant.name}"


def ticket_rule_of(tenant: Tenant) -> str:
    return f"ticket-rule-{tenant.name}"


def ticket_call_of(tenant: Tenant) -> str:
    return f"ticket-call-{tenant.name}"


def run_of(tenant: Tenant) -> str:
    return f"run-{tenant.name}"
