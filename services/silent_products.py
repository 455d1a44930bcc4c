"""Products of which a sync is told that nobody administers them, though somebody did: not any more, or left out?

Their last administrator would lose the guard (S48). A product may have none, so those who were are asked about.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from connect.errors import Gone
from connect.gateway.organization import OrganizationGateway
from models.people import Person, ProductAdmin
from services.directory_outline import PRODUCT_ADMIN, Outline
from services.toolbox import Toolbox

MOST_ASKED = 5
"""Of one product."""


def administered_after_all(
    tools: Toolbox, gateway: OrganizationGateway, organization_id: str, outline: Outline
) -> frozenset[str]:
    """Resource ids of such products that somebody administers. Raises AtlassianError."""
    silent = {each.resource_id for each in outline.workspaces} - {place for place, _ in outline.admins}
    query = (
        select(ProductAdmin.resource_id, Person.directory_id, Person.account_id)
        .join(
            Person,
            (Person.organization_id == ProductAdmin.organization_id)
            & (Person.account_id == ProductAdmin.account_id),
        )
        .where(
            ProductAdmin.organization_id == organization_id,
            ProductAdmin.resource_id.in_(silent - outline.admins_untold),
            Person.left_at.is_(None),
        )
        .order_by(ProductAdmin.resource_id, Person.account_id)
    )
    with tools.begin() as session:
        were = session.execute(query).all()
    people: dict[str, list[tuple[str, str]]] = {}
    for resource_id, directory_id, account_id in were:
        people.setdefault(resource_id, []).append((directory_id, account_id))
    return frozenset(
        resource_id
        for resource_id, some in people.items()
        if _is_administered(gateway, organization_id, resource_id, some[:MOST_ASKED])
    )


def _is_administered(
    gateway: OrganizationGateway, organization_id: str, resource_id: str, people: Iterable[tuple[str, str]]
) -> bool:
    for directory_id, account_id in people:
        try:
            roles = gateway.roles_of(organization_id, directory_id, account_id)
        except Gone:
            continue
        if any(each.resource_id == resource_id and each.role == PRODUCT_ADMIN for each in roles):
            return True
    return False
