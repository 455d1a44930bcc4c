"""Invitations (specs: admin-organization, /v2/orgs/{org}/users/invite), and who has an address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connect.errors import Unexpected
from connect.gateway.admin_calls import AdminCalls, checked_id, directory_path, group_id_of
from connect.gateway.answers import mapping, required_text, rows, text
from connect.gateway.people_calls import EXPAND, person_of
from rules.person import PersonFacts

_GIVEN = "INVITED"
_LONGEST_REASON = 300
"""Characters of Atlassian's reason that are shown."""
_NO_REASON = "Atlassian gives no reason"
_NO_MESSAGE = "Welcome!"
"""Atlassian's e-mail goes out when there is a message to put into it (specs: …/users/invite)."""


@dataclass(frozen=True, slots=True)
class InviteResult:
    """What became of one address: `roles` (resource id, role) and `groups` that were given, `problems` why others not.

    `account_id` is None when Atlassian does not say.
    """

    account_id: str | None
    roles: tuple[tuple[str, str], ...]
    groups: tuple[str, ...]
    problems: tuple[str, ...]


class InviteCalls(AdminCalls):
    """Letting somebody in who is not in the directory yet."""

    def invite(
        self,
        org_id: str,
        email: str,
        *,
        roles: Sequence[tuple[str, str]],
        groups: Sequence[str],
        message: str = "",
    ) -> InviteResult:
        """POST /admin/v2/orgs/{org}/users/invite for one address, with Atlassian's e-mail.

        206 tells what was not given. Raises Unexpected(402) without a paid subscription, and Unexpected(409) when no
        seat is free.
        """
        body = {
            "emails": [email],
            "permissionRules": [{"resource": resource_id, "role": role} for resource_id, role in roles],
            "additionalGroups": [checked_id(group_id) for group_id in groups],
            "sendNotification": True,
            "notificationText": message or _NO_MESSAGE,
        }
        answer = mapping(self._http.post(f"/admin/v2/orgs/{checked_id(org_id)}/users/invite", body))
        for row in rows(answer.get("data")):
            if text(row, "email").lower() == email.lower():
                return _result(row, roles)
        raise Unexpected(200, reason="atlassian_odd_shape")

    def person_at(self, org_id: str, email: str) -> tuple[str, PersonFacts] | None:
        """POST …/directories/{dir}/users/search by e-mail: directory id and person; None when nobody has it."""
        directories = f"/admin/v2/orgs/{checked_id(org_id)}/directories"
        for directory in self._listed(directories, (("limit", "100"),)):
            directory_id = required_text(directory, "directoryId")
            # Atlassian looks for exactly these letters, and keeps most addresses in small ones.
            body = {"emails": list(dict.fromkeys((email, email.lower()))), "expand": EXPAND, "limit": 2}
            for row in self._found(f"{directory_path(org_id, directory_id)}/users/search", body):
                found = person_of(row)
                # A hidden address was found by its exact words.
                if found.email is None or found.email.lower() == email.lower():
                    return directory_id, found
        return None


def _result(row: dict[str, Any], asked: Sequence[tuple[str, str]]) -> InviteResult:
    roles: list[tuple[str, str]] = []
    groups: list[str] = []
    problems: list[str] = []
    for result in rows(row.get("results") or []):
        for one in rows(result.get("roleAssignmentResult") or []):
            if text(one, "status") == _GIVEN:
                roles.append(_role_of(one, asked))
            else:
                problems.append(text(one, "statusReason")[:_LONGEST_REASON] or _NO_REASON)
        for one in rows(result.get("groupAssignmentResult") or []):
            if text(one, "status") == _GIVEN:
                groups.append(group_id_of(one, "group"))
            else:
                problems.append(text(one, "statusReason")[:_LONGEST_REASON] or _NO_REASON)
    return InviteResult(text(row, "id") or None, tuple(roles), tuple(groups), tuple(problems))


def _role_of(row: dict[str, Any], asked: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """The role by its id. The answer may name it by an ARI such as ari:cloud:jira::role/product/member."""
    resource_id, role = required_text(row, "resource"), required_text(row, "role")
    mine = [one for one in asked if one[0] == resource_id]
    return mine[0] if len(mine) == 1 and role.startswith("ari:") else (resource_id, role)
