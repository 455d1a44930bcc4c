"""Deeds at Atlassian: reading one person now, and making one change."""

from __future__ import annotations

from collections.abc import Callable

from connect.errors import Gone
from connect.gateway.organization import OrganizationGateway
from rules.changes import Change, ChangeKind, Snapshot, needs_roles
from rules.deeds import Deed
from services.orders import Order


def read_now(gateway: OrganizationGateway, order: Order) -> Snapshot | None:
    """The person this moment, with roles where the deed is about them; None when no longer in the directory."""
    try:
        facts = gateway.person(order.organization_id, order.directory_id, order.account_id)
        if not _asks_for_roles(order):
            return Snapshot(facts)
        return Snapshot(facts, gateway.roles_of(order.organization_id, order.directory_id, order.account_id))
    except Gone:
        return None


def make(gateway: OrganizationGateway, order: Order, change: Change) -> None:
    """One call. What is already so counts as made: an answer may have been lost before."""
    try:
        _CALLS[change.kind](gateway, order, change)
    except Gone:
        if change.kind not in (ChangeKind.LEAVE_GROUP, ChangeKind.REMOVE):
            raise


def _asks_for_roles(order: Order) -> bool:
    return (
        order.action.deed is Deed.REMOVE_ACCESS or needs_roles(order.begun or ()) or needs_roles(order.back)
    )


_CALLS: dict[ChangeKind, Callable[[OrganizationGateway, Order, Change], None]] = {
    ChangeKind.SUSPEND: lambda gateway, order, change: gateway.suspend(
        order.organization_id, order.directory_id, order.account_id
    ),
    ChangeKind.RESTORE: lambda gateway, order, change: gateway.restore(
        order.organization_id, order.directory_id, order.account_id
    ),
    ChangeKind.LEAVE_GROUP: lambda gateway, order, change: gateway.leave_group(
        order.organization_id, order.directory_id, change.about, order.account_id
    ),
    ChangeKind.JOIN_GROUP: lambda gateway, order, change: gateway.join_group(
        order.organization_id, order.directory_id, change.about, order.account_id
    ),
    ChangeKind.REVOKE_ROLE: lambda gateway, order, change: gateway.revoke_role(
        order.organization_id, order.account_id, change.about, change.role
    ),
    ChangeKind.ASSIGN_ROLE: lambda gateway, order, change: gateway.assign_role(
        order.organization_id, order.account_id, change.about, change.role
    ),
    ChangeKind.DEACTIVATE: lambda gateway, order, change: gateway.deactivate(order.account_id),
    ChangeKind.REACTIVATE: lambda gateway, order, change: gateway.reactivate(order.account_id),
    ChangeKind.REMOVE: lambda gateway, order, change: gateway.remove(
        order.organization_id, order.directory_id, order.account_id
    ),
    ChangeKind.DELETE: lambda gateway, order, change: gateway.delete_account(order.account_id),
    ChangeKind.KEEP_ACCOUNT: lambda gateway, order, change: gateway.keep_account(order.account_id),
}
