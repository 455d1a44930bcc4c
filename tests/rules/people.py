"""Random people as Atlassian might tell of them, for property tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from rules.guards import MACHINE_DOMAINS, Guarded
from rules.person import ORG_ADMIN, GroupRef, PersonFacts, ProductAccess

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ACCOUNTS = [f"account-{number}" for number in range(8)]
PRODUCTS = ["jira-software", "confluence", "jira-servicedesk"]

moments = st.integers(-40 * 24, 900 * 24).map(lambda hours: NOW - timedelta(hours=hours))
"""Up to forty days in the future, up to 900 days ago."""
products = st.lists(
    st.builds(
        lambda key, seen: ProductAccess(f"ari:{key}", key, seen),
        st.sampled_from(PRODUCTS),
        st.none() | moments,
    ),
    max_size=3,
    unique_by=lambda access: access.key,
).map(tuple)
emails = st.none() | st.sampled_from(
    [
        "ana@acme.example",
        "x@globex.example",
        "@",
        "no address",
        *(f"app@{domain}" for domain in MACHINE_DOMAINS),
    ]
)
people = st.builds(
    PersonFacts,
    account_id=st.sampled_from(ACCOUNTS),
    name=st.text(max_size=5),
    email=emails,
    account_type=st.sampled_from(["", "atlassian", "app", "customer"]),
    account_status=st.sampled_from(["", "active", "inactive", "closed"]),
    membership_status=st.sampled_from(["", "active", "suspended", "no_membership"]),
    status=st.sampled_from(["", "active", "suspended", "not_invited", "deactivated", "for_deletion"]),
    management_source=st.sampled_from(["", "invited", "synced"]),
    platform_roles=st.frozensets(st.sampled_from([ORG_ADMIN, "atlassian/site-admin", "atlassian/user"])),
    added_at=st.none() | moments,
    products=products,
    groups=st.just((GroupRef("g", "everybody"),)),
)
guards = st.builds(
    Guarded,
    asked_by=st.sampled_from(ACCOUNTS),
    key_holders=st.frozensets(st.sampled_from(ACCOUNTS), max_size=2),
)


def person(account_id: str = "uma", **columns: object) -> PersonFacts:
    """Somebody ordinary, active and changeable."""
    ordinary: dict[str, object] = {
        "account_id": account_id,
        "name": "Uma",
        "email": "uma@acme.example",
        "account_type": "atlassian",
        "account_status": "active",
        "membership_status": "active",
        "status": "active",
        "management_source": "invited",
    }
    return PersonFacts(**ordinary | columns)  # type: ignore[arg-type]
