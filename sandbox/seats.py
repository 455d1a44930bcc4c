"""Paid places: which product is full. As many as it takes, unless the control API sets a limit."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.cloud import Cloud
from sandbox.people import Directory, Where

# The others cost nothing (admin-organization, roleIds).
PAID = ("atlassian/user", "atlassian/admin")


def capacity(cloud: Cloud, resource: str, holders: int) -> int:
    """The limit set, else the next hundred above those who have a role."""
    return cloud.seats.get(resource, -(-max(holders, 10) // 100) * 100)


def none_left(cloud: Cloud, directory: Directory, account_id: str, grants: Iterable[tuple[str, str]]) -> bool:
    """Would one of these (resource, role) take a seat that is not there? Who has a seat keeps it."""
    for resource in {resource for resource, role in grants if role in PAID} & set(cloud.seats):
        taken = _seated(directory, resource)
        mine = _seated(directory, resource)
        mine.add("account_id = :account", account=account_id)
        if not directory.count(mine) and directory.count(taken) >= cloud.seats[resource]:
            return True
    return False


def _seated(directory: Directory, resource: str) -> Where:
    where = Where.organization(directory.organization.key)
    where.add("account_status = 'active' AND membership = 'active'")
    roles = ",".join(f"'{role}'" for role in PAID)
    where.add(
        "seq IN (SELECT seq FROM member JOIN team_role ON team_role.team = member.team"
        f" WHERE resource = :resource AND role IN ({roles})"
        f" UNION SELECT seq FROM direct_role WHERE resource = :resource AND role IN ({roles}))",
        resource=resource,
    )
    return where
