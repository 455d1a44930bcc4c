"""Roles of people on products (specs: admin-organization, …/users/{account}/role-assignments, roles/assign|revoke)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connect.errors import Unexpected
from connect.gateway.admin_calls import AdminCalls, checked_account_id, checked_id, directory_path
from connect.gateway.answers import required_text, rows
from rules.person import RoleHeld

PAGE_OF_ROLES = 100


class RoleCalls(AdminCalls):
    """Who has which role, and how they came to it."""

    def roles_of(self, org_id: str, directory_id: str, account_id: str) -> tuple[RoleHeld, ...]:
        """GET …/directories/{dir}/users/{account}/role-assignments: all roles, direct or by a group or both."""
        person = checked_account_id(account_id)
        path = f"{directory_path(org_id, directory_id)}/users/{person}/role-assignments"
        found = self._listed(path, (("limit", str(PAGE_OF_ROLES)),))
        return tuple(role for row in found for role in _roles(row))

    def assign_role(self, org_id: str, account_id: str, resource_id: str, role: str) -> None:
        """POST /admin/v1/orgs/{org}/users/{account}/roles/assign: a role of one's own on one product.

        Raises Unexpected(409) with a code of `answers.NO_SEAT_LEFT` when no seat is free.
        """
        self._http.post(_role_path(org_id, account_id, "assign"), {"role": role, "resource": resource_id})

    def revoke_role(self, org_id: str, account_id: str, resource_id: str, role: str) -> None:
        """POST /admin/v1/orgs/{org}/users/{account}/roles/revoke: what a group grants stays."""
        self._http.post(_role_path(org_id, account_id, "revoke"), {"role": role, "resource": resource_id})


def _role_path(org_id: str, account_id: str, deed: str) -> str:
    return f"/admin/v1/orgs/{checked_id(org_id)}/users/{checked_account_id(account_id)}/roles/{deed}"


def _roles(row: dict[str, Any]) -> Iterator[RoleHeld]:
    resource_id = required_text(row, "resourceId")
    for assignment in rows(row.get("roleAssignments")):
        ways = assignment.get("roleAssignmentMethods")
        if not isinstance(ways, list):
            raise Unexpected(200, reason="atlassian_odd_shape")
        # Every way but "direct" is one that revoking does not take away: through a group, or inferred from one.
        by_group = any(way != "direct" for way in ways)
        yield RoleHeld(resource_id, required_text(assignment, "role"), "direct" in ways, by_group)
