"""Who else there is: groups that nobody else is in, spaces that nobody else looks after. From memory."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from connect.gateway.confluence_spaces import Stewards
from models.leaver import Leaver
from models.people import Group, Membership, Person, ProductAdmin
from rules.handover import Found, Kind, sole_steward


def lonely_groups(session: Session, organization_id: str, account_id: str) -> list[Found]:
    """Groups in which nobody else is active, as the last sync saw them."""
    mine, other = aliased(Membership), aliased(Membership)
    others = (
        select(other.account_id)
        .join(
            Person,
            (Person.organization_id == other.organization_id) & (Person.account_id == other.account_id),
        )
        .where(
            other.organization_id == organization_id,
            other.group_id == Group.group_id,
            other.account_id != account_id,
            Person.left_at.is_(None),
            Person.status == "active",
        )
    )
    query = (
        select(Group)
        .join(mine, (mine.organization_id == Group.organization_id) & (mine.group_id == Group.group_id))
        .where(Group.organization_id == organization_id, mine.account_id == account_id, ~others.exists())
        .order_by(Group.name)
    )
    return [
        Found(
            Kind.GROUP,
            group.group_id,
            group.name,
            detail="Your identity provider owns it." if group.synced or not group.modifiable else "",
        )
        for group in session.scalars(query)
    ]


def lonely_spaces(session: Session, leaver: Leaver, spaces: Sequence[tuple[Found, Stewards]]) -> list[Found]:
    found = []
    for space, stewards in spaces:
        if leaver.account_id not in stewards.users:
            continue
        sentence = sole_steward(
            leaver.account_id,
            active_among(session, leaver.organization_id, stewards.users),
            {each: members_of(session, leaver.organization_id, each) for each in stewards.groups},
            site_admins(session, leaver.organization_id),
        )
        if sentence is not None:
            also = " Somebody may have it by a role, which Rollcall does not see." if stewards.by_role else ""
            found.append(Found(Kind.SPACE, space.reference, space.name, space.key, f"{sentence}{also}"))
    return found


def active_among(session: Session, organization_id: str, account_ids: frozenset[str]) -> frozenset[str]:
    """Those of them who are active."""
    query = select(Person.account_id).where(
        Person.organization_id == organization_id,
        Person.account_id.in_(account_ids),
        Person.left_at.is_(None),
        Person.status == "active",
    )
    return frozenset(session.scalars(query))


def members_of(session: Session, organization_id: str, group_id: str) -> frozenset[str]:
    query = (
        select(Person.account_id)
        .join(
            Membership,
            (Membership.organization_id == Person.organization_id)
            & (Membership.account_id == Person.account_id),
        )
        .where(
            Membership.organization_id == organization_id,
            Membership.group_id == group_id,
            Person.left_at.is_(None),
            Person.status == "active",
        )
        .limit(1000)
    )
    return frozenset(session.scalars(query))


def site_admins(session: Session, organization_id: str) -> frozenset[str]:
    query = select(ProductAdmin.account_id).where(
        ProductAdmin.organization_id == organization_id, ProductAdmin.resource_id.contains("confluence")
    )
    return frozenset(session.scalars(query))
