"""Groups of a directory and who is in them (specs: admin-organization, /v2/orgs/{org}/directories/{dir}/groups/…)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connect.errors import Unexpected
from connect.gateway.admin_calls import (
    AdminCalls,
    Place,
    checked_account_id,
    checked_id,
    directory_path,
    group_id_of,
    one_directory_path,
)
from connect.gateway.answers import flag, mapping, text
from rules.person import GroupFacts

PAGE_OF_GROUPS = 100


class GroupCalls(AdminCalls):
    """Groups, what they grant, and their members."""

    def groups(self, org_id: str, directory_id: str, place: Place | None = None) -> Iterator[GroupFacts]:
        """POST …/directories/{dir}/groups/search: every group, and whether we may change who is in it.

        From `place` on, where the reading of the list may go on later.
        """
        return map(_group, self._groups(org_id, directory_id, {}, place))

    def groups_granting(
        self, org_id: str, directory_id: str, resource_id: str, place: Place | None = None
    ) -> Iterator[str]:
        """POST …/directories/{dir}/groups/search by resourceIds: ids of the groups that give access to one product."""
        return map(group_id_of, self._groups(org_id, directory_id, {"resourceIds": [resource_id]}, place))

    def groups_of(self, org_id: str, directory_id: str, account_ids: Sequence[str]) -> frozenset[str]:
        """POST …/directories/{dir}/groups/search by accountIds: the groups that any of up to ten people is in."""
        for account_id in account_ids:
            checked_account_id(account_id)
        found = self._groups(org_id, directory_id, {"accountIds": list(account_ids)}, None)
        return frozenset(map(group_id_of, found))

    def join_group(self, org_id: str, directory_id: str, group_id: str, account_id: str) -> None:
        """POST …/groups/{group}/memberships. A real directory id is needed, not "-".

        Raises Unexpected(409): already a member, or, with a code of `answers.NO_SEAT_LEFT`, no seat is free.
        """
        checked_account_id(account_id)
        self._http.post(_members_path(org_id, directory_id, group_id), {"accountId": account_id})

    def leave_group(self, org_id: str, directory_id: str, group_id: str, account_id: str) -> None:
        """DELETE …/groups/{group}/memberships/{account}. A real directory id is needed, not "-".

        Raises Gone when the group is not there, or the person is not in it.
        """
        path = _members_path(org_id, directory_id, group_id)
        self._http.delete(f"{path}/{checked_account_id(account_id)}")

    def _groups(
        self, org_id: str, directory_id: str, asked: dict[str, Any], place: Place | None
    ) -> Iterator[dict[str, Any]]:
        path = f"{directory_path(org_id, directory_id)}/groups/search"
        return self._found(path, {"limit": PAGE_OF_GROUPS, **asked}, place)


def _members_path(org_id: str, directory_id: str, group_id: str) -> str:
    return f"{one_directory_path(org_id, directory_id)}/groups/{checked_id(group_id)}/memberships"


def _group(row: dict[str, Any]) -> GroupFacts:
    synced, modifiable = _whose(row)
    return GroupFacts(
        id=group_id_of(row),
        name=text(row, "name"),
        directory_id=text(row, "directoryId"),
        synced=synced,
        modifiable=modifiable,
    )


def _whose(row: dict[str, Any]) -> tuple[bool, bool]:
    """Whether an identity provider owns a group, and whether we may change it: not, when that cannot be read."""
    access = row.get("managementAccess")
    try:
        return (
            flag(row, "externalSynced", missing=False),
            flag(mapping(access) if access is not None else {}, "modifiable", missing=True),
        )
    except Unexpected:
        return False, False
