"""Who administers which space of a Confluence, and letting somebody (specs: confluence-v2, changes: -v1).

Changing is closed to apps, and open only to who administers the space: not to every administrator of the site.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from connect.errors import AccessForbidden, Gone, Unavailable, Unexpected
from connect.gateway.admin_calls import checked_account_id
from connect.gateway.answers import mapping, required_text, rows, text
from connect.gateway.paging import MAX_CURSOR_CHARACTERS, cursor_in
from connect.gateway.site_calls import SiteCalls, key, number
from rules.handover import Found, Kind

PAGE_OF_PERMISSIONS = 250
MAX_PAGES = 200


@dataclass(frozen=True, slots=True)
class Stewards:
    """Who administers a space, themselves or by a role. `by_role`: also somebody whom these lists do not name."""

    users: frozenset[str]
    groups: frozenset[str]
    by_role: bool


@dataclass(frozen=True, slots=True)
class SpacePage:
    """Some spaces with their stewards, and the cursor of the next page; None after the last."""

    spaces: tuple[tuple[Found, Stewards], ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class _Permission:
    id: str
    kind: str
    principal: str
    operation: str


class ConfluenceSpaces(SiteCalls):
    """Every method raises AtlassianError."""

    def spaces(self, cursor: str = "", limit: int = 20) -> SpacePage:
        """GET /api/v2/spaces, and GET /api/v2/spaces/{id}/permissions of each."""
        query = (("limit", str(limit)), *((("cursor", cursor),) if cursor else ()))
        answer = mapping(self._http.get("/api/v2/spaces", query))
        found: list[tuple[Found, Stewards]] = []
        for row in rows(answer.get("results")):
            space = Found(Kind.SPACE, required_text(row, "id"), text(row, "name"), text(row, "key"))
            try:
                found.append((space, self.stewards(space.reference)))
            except Gone:
                continue
        return SpacePage(tuple(found), _next(answer, cursor))

    def stewards(self, space_id: str) -> Stewards:
        """Who administers one space: GET /api/v2/spaces/{id}/permissions, and who has the roles among them.

        Raises Gone.
        """
        held = {
            (one.kind, one.principal) for one in self._permissions(space_id) if one.operation == "administer"
        }
        for role_id in sorted(principal for kind, principal in held if kind == "role"):
            named = self._who_has(space_id, role_id)
            if named is not None:
                held = (held - {("role", role_id)}) | named
        return Stewards(
            frozenset(principal for kind, principal in held if kind == "user"),
            frozenset(principal for kind, principal in held if kind == "group"),
            any(kind not in ("user", "group") for kind, _principal in held),
        )

    def _who_has(self, space_id: str, role_id: str) -> set[tuple[str, str]] | None:
        """(kind, id) of whoever has a role: GET /api/v2/spaces/{id}/role-assignments; None where nobody tells."""
        found = set()
        try:
            for row in self._all(
                f"/api/v2/spaces/{number(space_id)}/role-assignments", (("role-id", role_id),)
            ):
                principal = mapping(row.get("principal") or {})
                if text(row, "roleId") == role_id:
                    found.add((text(principal, "principalType").lower(), text(principal, "principalId")))
        except (AccessForbidden, Gone):
            return None
        except Unavailable as problem:
            # So a site may say that it has no such list.
            if problem.reason == "atlassian_page_404":
                return None
            raise
        except Unexpected as problem:
            # Sites without roles of spaces.
            if problem.status in (400, 404, 501):
                return None
            raise
        return found

    def let_administer(self, space_id: str, space_key: str, account_id: str) -> list[str]:
        """POST /rest/api/space/{key}/permission: read, where it is missing, then administer.

        Returns the ids of what was given. Raises AccessForbidden when the token's owner does not administer the space.
        """
        checked_account_id(account_id)
        held = self._held(space_id, account_id)
        given = []
        for operation in ("read", "administer"):
            if operation in held:
                continue
            asked = {
                "subject": {"type": "user", "identifier": account_id},
                "operation": {"key": operation, "target": "space"},
            }
            answer = mapping(self._http.post(f"/rest/api/space/{key(space_key)}/permission", asked))
            given.append(str(answer.get("id") or ""))
        return given

    def may_read(self, space_id: str, account_id: str) -> bool:
        """Whether somebody may read a space by name, and not by a group: GET /api/v2/spaces/{id}/permissions."""
        return "read" in self._held(space_id, account_id)

    def let_administer_no_more(
        self, space_id: str, space_key: str, account_id: str, *, nor_read: bool = False
    ) -> None:
        """DELETE /rest/api/space/{key}/permission/{id}. Raises Unexpected(400) when nobody would be left.

        With `nor_read` also what let_administer() gave them to read it, unless somebody gave them more since.
        """
        held = self._held(space_id, account_id)
        if nor_read and "read" in held and held.keys() <= {"read", "administer"}:
            # First, since with it Confluence takes every other permission: dying in between leaves something to find.
            self._take(space_key, held["read"])
            held = self._held(space_id, account_id)
        if "administer" in held:
            self._take(space_key, held["administer"])

    def _take(self, space_key: str, permission_id: str) -> None:
        self._http.delete(f"/rest/api/space/{key(space_key)}/permission/{number(permission_id)}")

    def _held(self, space_id: str, account_id: str) -> dict[str, str]:
        """What somebody may do in a space by name: operation → the id of the permission."""
        return {
            one.operation: one.id
            for one in self._permissions(space_id)
            if (one.kind, one.principal) == ("user", account_id)
        }

    def _permissions(self, space_id: str) -> Iterator[_Permission]:
        for row in self._all(f"/api/v2/spaces/{number(space_id)}/permissions"):
            yield from _permission(row)

    def _all(self, path: str, asked: tuple[tuple[str, str], ...] = ()) -> Iterator[dict[str, Any]]:
        """Every row of a list, page by page."""
        cursor = ""
        for _ in range(MAX_PAGES):
            query = (*asked, ("limit", str(PAGE_OF_PERMISSIONS)), *((("cursor", cursor),) if cursor else ()))
            answer = mapping(self._http.get(path, query))
            yield from rows(answer.get("results"))
            following = _next(answer, cursor)
            if following is None:
                return
            cursor = following
        raise Unexpected(200, reason="atlassian_endless_list")


def _permission(row: dict[str, Any]) -> Iterator[_Permission]:
    principal, operation = mapping(row.get("principal") or {}), mapping(row.get("operation") or {})
    if text(operation, "targetType") == "space":
        yield _Permission(
            text(row, "id"), text(principal, "type"), text(principal, "id"), text(operation, "key")
        )


def _next(answer: dict[str, Any], current: str) -> str | None:
    """The cursor in `_links.next`, which is an address without a host; nothing else of it is used (S31)."""
    address = text(mapping(answer.get("_links") or {}), "next")
    if not address:
        return None
    cursor = cursor_in(urlsplit(address).query)
    if not cursor or cursor == current or len(cursor) > MAX_CURSOR_CHARACTERS:
        raise Unexpected(200, reason="atlassian_odd_cursor")
    return cursor
