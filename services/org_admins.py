"""Who administers the organization, where an answer does not say so.

It says it of nobody else, and may leave it out, or have it empty, by mistake: admins would lose their guard (S48). Of
whom it says nothing, and of whoever was an admin before, another question decides.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import Person
from rules.person import ORG_ADMIN, PersonFacts

logger = logging.getLogger("rollcall.sync")

ROLES = "platformRoles"

Ask = Callable[[str], frozenset[str]]
"""Organization id → the account ids of its admins, asked of Atlassian now."""


def with_org_admins(
    ask: Ask, organization_id: str, people: Sequence[PersonFacts], known: Collection[str]
) -> list[PersonFacts]:
    """The same people, whose organization admins are told. `known`: who was one. Raises AtlassianError."""
    if not any(_is_in_doubt(facts, known) for facts in people):
        return list(people)
    admins = ask(organization_id)
    if not admins:
        # Every organization has one: that there is none is no answer.
        logger.warning("Atlassian names no admin of %s: who was one stays one", organization_id)
        admins = frozenset(known)
    return [_told(facts, admins) if _is_in_doubt(facts, known) else facts for facts in people]


def known_org_admins(session: Session, organization_id: str, account_ids: Collection[str]) -> frozenset[str]:
    """Who of these people was an admin when they were seen last."""
    query = select(Person.account_id).where(
        Person.organization_id == organization_id,
        Person.account_id.in_(account_ids),
        Person.is_org_admin.is_(True),
    )
    return frozenset(session.scalars(query))


def _is_in_doubt(facts: PersonFacts, known: Collection[str]) -> bool:
    return not facts.is_org_admin and (ROLES in facts.untold or facts.account_id in known)


def _told(facts: PersonFacts, admins: Collection[str]) -> PersonFacts:
    found = {ORG_ADMIN} if facts.account_id in admins else set()
    return replace(facts, platform_roles=facts.platform_roles | found, untold=facts.untold - {ROLES})
