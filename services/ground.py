"""What verdicts stand on, read from memory: products, groups, grants, administrators, protections, the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.credential import credential_holders
from models.organization import seats_of, site_owners, zone_of
from models.people import Grant, Group, Person, ProductAdmin
from models.protected import protected_of
from models.tenant import doors_of
from rules.guards import Guarded
from rules.organization import OrganizationFacts, ProductFacts
from rules.person import GroupFacts
from rules.verdict import Ground
from services.mail_reach import has_sender
from services.seats import carried_by
from services.toolbox import Toolbox


def ground_of(tools: Toolbox, session: Session, organization_id: str, asked_by: str, now: datetime) -> Ground:
    """The ground for every verdict of one run, or of one deed. `asked_by` is an account id, or models.audit.APP."""
    return Ground(
        guarded=Guarded(asked_by, frozenset(credential_holders(session, organization_id))),
        organization=replace(
            organization_facts(session, organization_id), mails=has_sender(tools, session, organization_id)
        ),
        today=day_in(session, organization_id, now),
    )


def day_in(session: Session, organization_id: str, now: datetime) -> date:
    """Which day it is where the organization lives."""
    return now.astimezone(zone_of(session, organization_id)).date()


def organization_facts(session: Session, organization_id: str) -> OrganizationFacts:
    """The organization besides its people, as the last sync saw it."""
    seats = seats_of(session, organization_id)
    return OrganizationFacts(
        products={
            each.resource_id: ProductFacts(each.resource_id, each.key, each.host_url) for each in seats
        },
        groups=_groups(session, organization_id),
        grants=_grants(session, organization_id),
        admins=_admins(session, organization_id),
        site_owners=site_owners(seats),
        protections=tuple(each.protection for each in protected_of(session, organization_id)),
        doors=frozenset(carried_by(doors_of(session, organization_id), seats)),
    )


def _groups(session: Session, organization_id: str) -> dict[str, GroupFacts]:
    columns = (Group.group_id, Group.name, Group.synced, Group.modifiable, Group.gone)
    query = select(*columns).where(Group.organization_id == organization_id)
    return {
        group_id: GroupFacts(group_id, name, synced=synced, modifiable=modifiable, gone=gone)
        for group_id, name, synced, modifiable, gone in session.execute(query)
    }


def _grants(session: Session, organization_id: str) -> dict[str, frozenset[str]]:
    query = select(Grant.group_id, Grant.resource_id).where(Grant.organization_id == organization_id)
    found: dict[str, set[str]] = {}
    for group_id, resource_id in session.execute(query):
        found.setdefault(group_id, set()).add(resource_id)
    return {group_id: frozenset(resource_ids) for group_id, resource_ids in found.items()}


def _admins(session: Session, organization_id: str) -> dict[str, frozenset[str]]:
    query = (
        select(ProductAdmin.resource_id, ProductAdmin.account_id)
        .join(
            Person,
            (Person.organization_id == ProductAdmin.organization_id)
            & (Person.account_id == ProductAdmin.account_id),
        )
        .where(
            ProductAdmin.organization_id == organization_id,
            Person.left_at.is_(None),
            Person.status == "active",
        )
    )
    found: dict[str, set[str]] = {}
    for resource_id, account_id in session.execute(query):
        found.setdefault(resource_id, set()).add(account_id)
    return {resource_id: frozenset(account_ids) for resource_id, account_ids in found.items()}
