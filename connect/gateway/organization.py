"""The organization's Admin API (specs: admin-organization; paths below /admin; `Authorization: Bearer <key>`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from connect.errors import Gone, Invalid, Unexpected, Why
from connect.gateway.answers import mapping, moment, required_text, rows, text
from connect.gateway.credentials import bearer
from connect.gateway.http import Http
from connect.gateway.paging import next_cursor
from rules.person import GroupRef, PersonFacts, ProductAccess

PAGE_OF_PEOPLE = 100
PAGE_OF_GROUPS = 100
PAGE_OF_WORKSPACES = 1000
MAX_PAGES = 1000
EXPAND = ["platformRoles", "productAccess", "groups"]

# Atlassian's calls name the same product differently: here it has the name that workspaces and ARIs use.
_PRODUCT_KEYS = {"jira": "jira-software", "jira-service-desk": "jira-servicedesk"}

_ACCOUNT_ID = re.compile(r"[0-9A-Za-z:_-]{1,128}", re.ASCII)
_ID = re.compile(r"[0-9A-Za-z_-]{1,128}|-", re.ASCII)


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


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """Up to 100 people and the cursor of the next page, None after the last."""

    people: tuple[PersonFacts, ...]
    next_cursor: str | None


class OrganizationGateway:
    """One organization administrator's key at work. Every method raises AtlassianError.

    One instance serves one thread. `seconds_waited` and `calls` are those of Http.
    """

    def __init__(self, api_url: str, admin_key: str, *, clock: Callable[[], datetime]) -> None:
        self._api_url = api_url
        self._http = Http(api_url, authorization=bearer(admin_key), clock=clock, forbidden_means=Why.SCOPE)

    @property
    def calls(self) -> int:
        return self._http.calls

    @property
    def seconds_waited(self) -> float:
        return self._http.seconds_waited

    def close(self) -> None:
        self._http.close()

    def organizations(self) -> list[OrganizationRecord]:
        """GET /admin/v1/orgs: the organizations that the key opens."""
        return [
            OrganizationRecord(required_text(row, "id"), text(mapping(row.get("attributes")), "name"))
            for row in self._get_all("/admin/v1/orgs", ())
        ]

    def directories(self, org_id: str) -> list[DirectoryRecord]:
        """GET /admin/v2/orgs/{org}/directories."""
        return [
            DirectoryRecord(required_text(row, "directoryId"), text(row, "name"))
            for row in self._get_all(f"/admin/v2/orgs/{_id(org_id)}/directories", (("limit", "100"),))
        ]

    def workspaces(self, org_id: str) -> list[WorkspaceRecord]:
        """POST /admin/v2/orgs/{org}/workspaces: the products of the organization with their sites and seats."""
        path = f"/admin/v2/orgs/{_id(org_id)}/workspaces"
        found: list[WorkspaceRecord] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            # Beside a cursor this one search takes no other word (specs: admin-organization, WorkspacesRequest).
            body = {"limit": PAGE_OF_WORKSPACES} if cursor is None else {"cursor": cursor}
            answer = mapping(self._http.post(path, body))
            found.extend(_workspace(row) for row in rows(answer.get("data")))
            cursor = next_cursor(answer, api_url=self._api_url, path=path, current=cursor)
            if cursor is None:
                return found
        raise Unexpected(200, reason="atlassian_endless_list")

    def people_count(self, org_id: str, directory_id: str) -> int:
        """GET …/directories/{dir}/users/count: how many people a whole reading will meet."""
        answer = mapping(self._http.get(_people_path(org_id, directory_id, "count")))
        return _count(answer, "count") or 0

    def people_page(
        self, org_id: str, directory_id: str, cursor: str | None = None, limit: int = PAGE_OF_PEOPLE
    ) -> PeoplePage:
        """POST …/directories/{dir}/users/search: one page of people with roles, product access and groups."""
        path = _people_path(org_id, directory_id, "search")
        answer = mapping(self._http.post(path, _with_cursor({"limit": limit, "expand": EXPAND}, cursor)))
        people = tuple(_person(row) for row in rows(answer.get("data")))
        return PeoplePage(people, next_cursor(answer, api_url=self._api_url, path=path, current=cursor))

    def person(self, org_id: str, directory_id: str, account_id: str) -> PersonFacts:
        """One person, read now. Raises Gone when the directory does not have them; Invalid for an odd id (S32)."""
        _account_id(account_id)
        body = {"accountIds": [account_id], "expand": EXPAND, "limit": 1}
        answer = mapping(self._http.post(_people_path(org_id, directory_id, "search"), body))
        for row in rows(answer.get("data")):
            if row.get("accountId") == account_id:
                return _person(row)
        raise Gone

    def groups_granting(self, org_id: str, directory_id: str, resource_id: str) -> list[GroupRef]:
        """POST …/directories/{dir}/groups/search by resourceIds: the groups that give access to one product."""
        path = f"/admin/v2/orgs/{_id(org_id)}/directories/{_id(directory_id)}/groups/search"
        found: list[GroupRef] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            body = _with_cursor({"limit": PAGE_OF_GROUPS, "resourceIds": [resource_id]}, cursor)
            answer = mapping(self._http.post(path, body))
            found.extend(
                GroupRef(required_text(row, "id"), text(row, "name")) for row in rows(answer.get("data"))
            )
            cursor = next_cursor(answer, api_url=self._api_url, path=path, current=cursor)
            if cursor is None:
                return found
        raise Unexpected(200, reason="atlassian_endless_list")

    def suspend(self, org_id: str, directory_id: str, account_id: str) -> None:
        """POST …/users/{account}/suspend. A real directory id is needed, not "-"."""
        self._http.post(_deed_path(org_id, directory_id, account_id, "suspend"))

    def restore(self, org_id: str, directory_id: str, account_id: str) -> None:
        """POST …/users/{account}/restore. A real directory id is needed, not "-"."""
        self._http.post(_deed_path(org_id, directory_id, account_id, "restore"))

    def _get_all(self, path: str, query: tuple[tuple[str, str], ...]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            answer = mapping(self._http.get(path, query if cursor is None else (("cursor", cursor),)))
            found.extend(rows(answer.get("data")))
            cursor = next_cursor(answer, api_url=self._api_url, path=path, current=cursor)
            if cursor is None:
                return found
        raise Unexpected(200, reason="atlassian_endless_list")


def _id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise Invalid("id", reason="odd_id")
    return value


def _account_id(value: str) -> str:
    if not _ACCOUNT_ID.fullmatch(value):
        raise Invalid("account_id", reason="odd_account_id")
    return quote(value, safe="")


def _people_path(org_id: str, directory_id: str, deed: str) -> str:
    return f"/admin/v2/orgs/{_id(org_id)}/directories/{_id(directory_id)}/users/{deed}"


def _deed_path(org_id: str, directory_id: str, account_id: str, deed: str) -> str:
    if directory_id == "-":
        raise Invalid("directory_id", reason="write_needs_a_directory")
    return (
        f"/admin/v2/orgs/{_id(org_id)}/directories/{_id(directory_id)}/users/{_account_id(account_id)}/{deed}"
    )


def _with_cursor(body: dict[str, Any], cursor: str | None) -> dict[str, Any]:
    return body if cursor is None else {**body, "cursor": cursor}


def _workspace(row: dict[str, Any]) -> WorkspaceRecord:
    attributes = mapping(row.get("attributes"))
    return WorkspaceRecord(
        resource_id=required_text(row, "id"),
        name=text(attributes, "name"),
        type_key=text(attributes, "typeKey") or text(attributes, "type"),
        host_url=text(attributes, "hostUrl") or None,
        capacity=_count(attributes, "capacity"),
        usage=_count(attributes, "usage"),
    )


def _count(row: dict[str, Any], key: str) -> int | None:
    value = row.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _person(row: dict[str, Any]) -> PersonFacts:
    account_id = required_text(row, "accountId")
    _account_id(account_id)
    return PersonFacts(
        account_id=account_id,
        name=text(row, "name"),
        nickname=text(row, "nickname"),
        email=text(row, "email") or None,
        account_type=text(row, "accountType"),
        account_status=text(row, "accountStatus"),
        membership_status=text(row, "membershipStatus"),
        status=text(row, "status"),
        claim_status=text(row, "claimStatus"),
        management_source=text(row, "managementSource"),
        platform_roles=_roles(row.get("platformRoles") or []),
        added_at=moment(row, "addedToOrg"),
        products=tuple(_product(product) for product in rows(row.get("productAccess") or [])),
        groups=tuple(
            GroupRef(required_text(group, "id"), text(group, "name"))
            for group in rows(row.get("groups") or [])
        ),
    )


def _product(row: dict[str, Any]) -> ProductAccess:
    key = text(row, "key")
    return ProductAccess(
        required_text(row, "id"), _PRODUCT_KEYS.get(key, key), moment(row, "lastActiveTimestamp")
    )


def _roles(value: Any) -> frozenset[str]:
    # An unreadable list of roles must not make an org admin look like anybody (S48).
    if not isinstance(value, list) or not all(isinstance(role, str) for role in value):
        raise Unexpected(200, reason="atlassian_odd_shape")
    return frozenset(value)
