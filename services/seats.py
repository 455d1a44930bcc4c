"""The paid places per product, and the groups that give them away."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from urllib.parse import urlsplit

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from connect.gateway.organization import WorkspaceRecord
from models.organization import Seats
from models.people import Grant, Group, Person, ProductAdmin, Seat
from models.tenant import Product, Tenant
from rules.person import GroupFacts
from rules.products import family_of
from services.batches import batches
from services.directory import upsert


def replace_seats(session: Session, organization_id: str, workspaces: Iterable[WorkspaceRecord]) -> None:
    """Makes the remembered products those of `workspaces`."""
    mine = select(Seats.resource_id).where(Seats.organization_id == organization_id)
    # In the order in which deeds count them (services/seat_memory.py).
    session.execute(mine.order_by(Seats.resource_id).with_for_update())
    session.execute(delete(Seats).where(Seats.organization_id == organization_id))
    session.add_all(
        Seats(
            organization_id=organization_id,
            resource_id=workspace.resource_id,
            key=workspace.type_key,
            name=workspace.name,
            host_url=workspace.host_url or "",
            capacity=workspace.capacity,
            usage=workspace.usage,
            owner_account_id=workspace.owner_account_id,
        )
        for workspace in {workspace.resource_id: workspace for workspace in workspaces}.values()
    )
    session.flush()


def carried_by(doors: Iterable[Tenant], products: Sequence[Seats]) -> list[str]:
    """The resource ids of the products that carry these doors: on one site of several, none of another one's does."""
    carrying = {(_host(door.base_url), family_of(door.product)) for door in doors}
    sites = {_host(each.host_url) for each in products if family_of(each.key) in set(Product)} - {""}
    # Atlassian need not tell where a product is: where there is one site, it is on that.
    otherwise = sites.pop() if len(sites) == 1 else ""
    return [
        each.resource_id
        for each in products
        if (_host(each.host_url) or otherwise, family_of(each.key)) in carrying
    ]


def _host(address: str) -> str:
    return urlsplit(address).netloc.lower()


def seats_taken(session: Session, organization_id: str, products: Iterable[Seats]) -> dict[str, int]:
    """Resource id → how many seats are taken. Where Atlassian does not tell, we count who holds one."""
    told = {seats.resource_id: seats.usage for seats in products}
    held = _held(session, organization_id) if None in told.values() else {}
    return {
        resource_id: usage if usage is not None else held.get(resource_id, 0)
        for resource_id, usage in told.items()
    }


def _held(session: Session, organization_id: str) -> dict[str, int]:
    """Suspended and deactivated people take no seat."""
    query = (
        select(Seat.resource_id, func.count())
        .join(
            Person,
            (Person.organization_id == Seat.organization_id) & (Person.account_id == Seat.account_id),
        )
        .where(Seat.organization_id == organization_id, Person.status == "active", Person.left_at.is_(None))
        .group_by(Seat.resource_id)
    )
    return dict(session.execute(query).all())


def replace_grants(
    session: Session, organization_id: str, grants: Iterable[tuple[str, str]], untold: Collection[str] = ()
) -> None:
    """Makes the remembered grants those of `grants`: (group id, resource id). Those of `untold` products stay."""
    mine = (Grant.organization_id == organization_id, Grant.resource_id.not_in(untold))
    session.execute(delete(Grant).where(*mine).execution_options(synchronize_session=False))
    rows = [
        {"organization_id": organization_id, "group_id": group_id, "resource_id": resource_id}
        for group_id, resource_id in sorted(set(grants))
    ]
    if rows:
        session.execute(insert(Grant), rows)


def replace_admins(
    session: Session,
    organization_id: str,
    admins: Iterable[tuple[str, str]],
    but_not: Collection[str] = (),
    untold: Collection[str] = (),
) -> None:
    """Makes the remembered administrators those of `admins`: (resource id, account id).

    Those of `untold` products stay. Who is in `but_not` administers what is remembered: they were just acted on, and
    may be shown as they were before.
    """
    mine = (
        ProductAdmin.organization_id == organization_id,
        ProductAdmin.account_id.not_in(but_not),
        ProductAdmin.resource_id.not_in(untold),
    )
    session.execute(delete(ProductAdmin).where(*mine).execution_options(synchronize_session=False))
    rows = [
        {"organization_id": organization_id, "resource_id": resource_id, "account_id": account_id}
        for resource_id, account_id in sorted(set(admins))
        if account_id not in but_not
    ]
    if rows:
        session.execute(insert(ProductAdmin), rows)


def store_groups(session: Session, organization_id: str, groups: Iterable[GroupFacts]) -> None:
    """Remembers the organization's groups, those without members too; groups that are gone keep their last name."""
    found = {group.id: group for group in groups}
    names = select(Group.group_id, Group.name).where(Group.organization_id == organization_id)
    known: dict[str, str] = dict(session.execute(names).all())
    for batch in batches(sorted(known - found.keys())):
        session.execute(
            update(Group)
            .where(Group.organization_id == organization_id, Group.group_id.in_(batch))
            .values(gone=True)
            .execution_options(synchronize_session=False)
        )
    upsert(
        session,
        Group,
        [
            {
                "organization_id": organization_id,
                "group_id": group.id,
                "name": group.name[:255] or known.get(group.id, ""),
                "synced": group.synced,
                "modifiable": group.modifiable,
                "gone": False,
            }
            for group in found.values()
        ],
    )
