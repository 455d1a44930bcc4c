"""The organization's Admin API (specs: admin-organization; paths below /admin; `Authorization: Bearer <key>`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from connect.gateway.account_calls import AccountCalls
from connect.gateway.admin_calls import MAX_PAGES, Place, checked_id, product_key
from connect.gateway.answers import count, identifier, mapping, required_text, text
from connect.gateway.group_calls import PAGE_OF_GROUPS, GroupCalls
from connect.gateway.invite_calls import InviteCalls
from connect.gateway.people_calls import (
    EXPAND,
    MOST_BY_ID,
    MOST_UNREADABLE,
    PAGE_OF_PEOPLE,
    PeopleCalls,
    PeoplePage,
)
from connect.gateway.role_calls import RoleCalls
from connect.gateway.token_calls import TokenCalls

__all__ = [
    "EXPAND",
    "MAX_PAGES",
    "MOST_BY_ID",
    "MOST_UNREADABLE",
    "PAGE_OF_GROUPS",
    "PAGE_OF_PEOPLE",
    "PAGE_OF_WORKSPACES",
    "DirectoryRecord",
    "OrganizationGateway",
    "OrganizationRecord",
    "PeoplePage",
    "Place",
    "WorkspaceRecord",
]

PAGE_OF_WORKSPACES = 1000
LONGEST_ADDRESS, LONGEST_NAME = 500, 255

_OWNER = re.compile(r"(?:ari:cloud:identity::user/)?([0-9A-Za-z:_|-]{1,128})", re.ASCII)


@dataclass(frozen=True, slots=True)
class OrganizationRecord:
    """An organization that the key opens."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class DirectoryRecord:
    """A user directory of an organization. Writes need its id; reads may use "-" for all."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class WorkspaceRecord:
    """One product on one site. `capacity` and `usage` count seats, None when Atlassian does not say."""

    resource_id: str
    name: str
    type_key: str
    host_url: str | None
    capacity: int | None
    usage: int | None
    owner_account_id: str | None = None


class OrganizationGateway(PeopleCalls, InviteCalls, GroupCalls, RoleCalls, AccountCalls, TokenCalls):
    """One organization administrator's key at work. Every method raises AtlassianError."""

    def organizations(self) -> list[OrganizationRecord]:
        """GET /admin/v1/orgs: the organizations that the key opens."""
        return [
            OrganizationRecord(required_text(row, "id"), text(mapping(row.get("attributes")), "name"))
            for row in self._listed("/admin/v1/orgs", ())
        ]

    def directories(self, org_id: str) -> list[DirectoryRecord]:
        """GET /admin/v2/orgs/{org}/directories."""
        return [
            DirectoryRecord(required_text(row, "directoryId"), text(row, "name"))
            for row in self._listed(f"/admin/v2/orgs/{checked_id(org_id)}/directories", (("limit", "100"),))
        ]

    def workspaces(self, org_id: str) -> list[WorkspaceRecord]:
        """POST /admin/v2/orgs/{org}/workspaces: the products of the organization with their sites and seats."""
        path = f"/admin/v2/orgs/{checked_id(org_id)}/workspaces"

        def ask(cursor: str | None) -> Any:
            # Beside a cursor this one search takes no other word (specs: admin-organization, WorkspacesRequest).
            return self._http.post(
                path, {"limit": PAGE_OF_WORKSPACES} if cursor is None else {"cursor": cursor}
            )

        return [_workspace(row) for row in self._pages(path, ask)]


def _workspace(row: dict[str, Any]) -> WorkspaceRecord:
    attributes = mapping(row.get("attributes"))
    return WorkspaceRecord(
        resource_id=identifier(row, "id"),
        name=text(attributes, "name")[:LONGEST_NAME],
        type_key=product_key(text(attributes, "typeKey") or text(attributes, "type")),
        host_url=_address(text(attributes, "hostUrl")) or None,
        # A licence without a limit may say so by -1, or by more seats than there are people.
        capacity=count(attributes, "capacity"),
        usage=count(attributes, "usage"),
        owner_account_id=_owner(text(attributes, "owner")),
    )


def _address(value: str) -> str:
    """Where a product is. No form is described: a bare host is one of a site, too (S27 compares whole origins)."""
    address = f"https://{value}" if value and "://" not in value else value
    return address if len(address) <= LONGEST_ADDRESS else ""


def _owner(value: str) -> str | None:
    """The account behind an owner, who may be an ARI or a bare account id; None for anybody else, such as a team."""
    found = _OWNER.fullmatch(value)
    account_id = found.group(1) if found else ""
    return account_id if account_id and not account_id.startswith("ari:") else None
