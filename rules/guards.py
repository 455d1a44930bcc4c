"""Who is never touched, whatever anybody selects. There is no switch (S48)."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum

from rules.person import PersonFacts

# Atlassian gives apps and service accounts addresses of their own; the account type alone does not tell them apart.
MACHINE_DOMAINS = frozenset(
    {
        "bots.connect.atlassian.com",
        "connect.atlassian.com",
        "serviceaccount.atlassian.com",
        "bots.atlassian.com",
    }
)


class Guard(StrEnum):
    """The built-in reasons, in the order in which they are looked at."""

    YOURSELF = "yourself"
    KEY_HOLDER = "key_holder"
    ORG_ADMIN = "org_admin"
    MACHINE = "machine"
    SITE_OWNER = "site_owner"


SENTENCES = {
    Guard.YOURSELF: "This is you. Nobody can lock themselves out.",
    Guard.KEY_HOLDER: "Gave Rollcall a credential: without this account Rollcall would stop working.",
    Guard.ORG_ADMIN: "Administers the organization.",
    Guard.MACHINE: "An app or service account, not a person.",
    Guard.SITE_OWNER: "Owns another site of the organization.",
}


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the guards need to know besides the person: who asked for the deed, and whose credentials drive it.

    For a rule `asked_by` is its author; `let_go_by` are those who started the run, released its brake,
    approved their own case or tried it again.
    """

    asked_by: str
    key_holders: frozenset[str]
    let_go_by: frozenset[str] = frozenset()


def is_machine(facts: PersonFacts) -> bool:
    """Whether this account belongs to an app, a bot or a service rather than to a human."""
    if facts.account_type not in {"", "atlassian"}:
        return True
    return (facts.email or "").rpartition("@")[2].lower() in MACHINE_DOMAINS


def guard_of(facts: PersonFacts, guarded: Guarded, site_owners: Container[str] = frozenset()) -> Guard | None:
    """The first reason never to touch this person, or None."""
    if facts.account_id == guarded.asked_by or facts.account_id in guarded.let_go_by:
        return Guard.YOURSELF
    if facts.account_id in guarded.key_holders:
        return Guard.KEY_HOLDER
    if facts.is_org_admin:
        return Guard.ORG_ADMIN
    if is_machine(facts):
        return Guard.MACHINE
    if facts.account_id in site_owners:
        return Guard.SITE_OWNER
    return None
