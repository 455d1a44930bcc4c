"""Somebody who has just been invited shows among the people at once; the next sync reads them anyway."""

from __future__ import annotations

from connect.errors import AtlassianError
from connect.gateway.organization import OrganizationGateway
from models.sync import newest_sync_id
from services.directory import store_people
from services.orders import Order
from services.toolbox import Toolbox


def remember_newcomer(tools: Toolbox, gateway: OrganizationGateway, order: Order) -> None:
    """Reads and stores who has the address of this order, if the directory shows them already.

    The invitation was answered before: that they cannot be looked at is no outcome of it (S50).
    """
    try:
        found = gateway.person_at(order.organization_id, order.email)
    except AtlassianError:
        return
    if found is None:
        return
    directory_id, facts = found
    with tools.begin() as session:
        sync_id = newest_sync_id(session, order.organization_id)
        store_people(session, order.organization_id, directory_id, sync_id, [facts], tools.clock())
