"""Deeds at Atlassian: reading one person now, and making one change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connect.errors import Gone
from connect.gateway.organization import OrganizationGateway
from rules.changes import Change, ChangeKind, Snapshot, needs_roles
from rules.deeds import Deed
from rules.roster import is_unknown, nobody
from services.orders import Order
from services.org_admins import with_org_admins


@dataclass(frozen=True, slots=True)
class Made:
    """Which changes one call brought about; `problem` is why it brought no more, in Atlassian's words.

    `account_id` is that of somebody who had none before.
    """

    landed: frozenset[Change]
    problem: str = ""
    account_id: str | None = None


def read_now(gateway: OrganizationGateway, order: Order) -> Snapshot | None:
    """The person this moment, with roles where the deed is about them; None when no longer in the directory.

    Of somebody who is to be invited, nobody is no surprise. Raises Gone when the directory shows them, and Atlassian
    knows of no roles all the same: what leads to their access is not seen, and not gone.
    """
    if order.action.deed is Deed.INVITE and is_unknown(order.account_id):
        found = gateway.person_at(order.organization_id, order.email)
        if found is None:
            return Snapshot(nobody(order.email))
        directory_id, facts = found
        roles = gateway.roles_of(order.organization_id, directory_id, facts.account_id)
        return Snapshot(facts, roles, directory_id)
    try:
        facts = gateway.person(order.organization_id, order.directory_id, order.account_id)
    except Gone:
        return None
    known = (order.account_id,) if order.remembered.is_org_admin else ()
    [facts] = with_org_admins(gateway.org_admins, order.organization_id, [facts], known)
    if not _asks_for_roles(order):
        return Snapshot(facts)
    return Snapshot(facts, gateway.roles_of(order.organization_id, order.directory_id, order.account_id))


def make(gateway: OrganizationGateway, order: Order, change: Change) -> Made:
    """One call. What is already so counts as made: an answer may have been lost before."""
    if change.kind is ChangeKind.INVITE:
        return _invite(gateway, order)
    try:
        _CALLS[change.kind](gateway, order, change)
    except Gone:
        if change.kind not in (ChangeKind.LEAVE_GROUP, ChangeKind.REMOVE):
            raise
    return Made(frozenset({change}))


def _invite(gateway: OrganizationGateway, order: Order) -> Made:
    """The invitation brings roles and groups along; it is sent if any of them was given, or none was asked for."""
    action = order.action
    result = gateway.invite(
        order.organization_id, order.email, roles=action.roles, groups=action.join, message=action.message
    )
    given = {
        *(Change(ChangeKind.ASSIGN_ROLE, resource_id, role) for resource_id, role in result.roles),
        *(Change(ChangeKind.JOIN_GROUP, group_id) for group_id in result.groups),
    }
    if given or not result.problems:
        given.add(Change(ChangeKind.INVITE))
    return Made(frozenset(given), " ".join(dict.fromkeys(result.problems)), result.account_id)


def _asks_for_roles(order: Order) -> bool:
    return (
        order.action.deed is Deed.REMOVE_ACCESS
        or bool(order.action.roles)
        or needs_roles(order.begun or ())
        or needs_roles(order.back)
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
    ChangeKind.DEACTIVATE: lambda gateway, order, change: gateway.deactivate(
        order.account_id, order.action.message
    ),
    ChangeKind.REACTIVATE: lambda gateway, order, change: gateway.reactivate(order.account_id),
    ChangeKind.REMOVE: lambda gateway, order, change: gateway.remove(
        order.organization_id, order.directory_id, order.account_id
    ),
    ChangeKind.DELETE: lambda gateway, order, change: gateway.delete_account(order.account_id),
    ChangeKind.KEEP_ACCOUNT: lambda gateway, order, change: gateway.keep_account(order.account_id),
}
