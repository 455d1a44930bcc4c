"""Reading and checking what a search asks for, by the limits of the specification."""

from __future__ import annotations

from typing import Any

from flask import Request

from sandbox.answers import errors

ROLES = (
    "atlassian/user",
    "atlassian/admin",
    "atlassian/guest",
    "atlassian/customer",
    "atlassian/user-access-admin",
    "atlassian/contributor",
    "atlassian/basic",
    "atlassian/stakeholder",
    "atlassian/org-admin",
    "atlassian/site-admin",
    "atlassian/ai-access",
)
# field -> most items, allowed words
USER_LISTS: dict[str, tuple[int, tuple[str, ...]]] = {
    "accountIds": (10, ()),
    "emails": (100, ()),
    "emailDomains": (10, ()),
    "directoryIds": (10, ()),
    "groupIds": (10, ()),
    "resourceIds": (20, ()),
    "roleIds": (10, ROLES),
    "accountStatus": (3, ("active", "inactive", "closed")),
    "membershipStatus": (3, ("active", "suspended", "no_membership")),
    "status": (4, ("active", "suspended", "not_invited", "deactivated", "for_deletion")),
}
USER_EXPAND = ("platformRoles", "counts.resources", "productAccess", "groups")
GROUP_LISTS: dict[str, tuple[int, tuple[str, ...]]] = {
    "accountIds": (10, ()),
    "groupIds": (10, ()),
    "groupNames": (100, ()),
    "directoryIds": (10, ()),
    "resourceIds": (20, ()),
    "resourceOwners": (10, ()),
    "roleIds": (10, ROLES),
}
GROUP_EXPAND = ("counts.users", "counts.resources")


def bad(detail: str) -> Exception:
    return errors(400, "ADMIN-400-24", "Invalid request body", detail)


def read_search(request: Request) -> dict[str, Any]:
    """The body of POST …/users/search; 400 when it breaks the specification."""
    body = _body(request)
    _lists(body, USER_LISTS)
    _words(body, USER_EXPAND, "nick_name")
    if body.get("emails") and body.get("searchTerm"):
        raise bad("emails and searchTerm are mutually exclusive")
    if body.get("claimStatus") not in (None, "managed", "unmanaged"):
        raise bad("claimStatus is managed or unmanaged")
    body["limit"] = _limit(body.get("limit", 50))
    return body


def read_group_search(request: Request) -> dict[str, Any]:
    """The body of POST …/groups/search."""
    body = _body(request)
    _lists(body, GROUP_LISTS)
    _words(body, GROUP_EXPAND, "name")
    if body.get("groupNames") and (body.get("searchTerm") or body.get("groupIds")):
        raise bad("groupNames excludes searchTerm and groupIds")
    body["limit"] = _limit(body.get("limit", 20))
    return body


def read_count(request: Request) -> dict[str, Any]:
    """The query of GET …/users/count, which knows no `emails`."""
    names = USER_LISTS.keys() - {"emails"}
    asked: dict[str, Any] = {name: request.args.getlist(name) for name in names if request.args.getlist(name)}
    _lists(asked, USER_LISTS)
    for name in ("claimStatus", "searchTerm"):
        if request.args.get(name):
            asked[name] = request.args[name]
    if "mfaEnabled" in request.args:
        asked["mfaEnabled"] = request.args["mfaEnabled"] == "true"
    return asked


def _body(request: Request) -> dict[str, Any]:
    body = request.get_json(silent=True) if request.content_length else {}
    if not isinstance(body, dict):
        raise bad("a JSON object is expected")
    return dict(body)


def _lists(body: dict[str, Any], allowed: dict[str, tuple[int, tuple[str, ...]]]) -> None:
    for name, (most, words) in allowed.items():
        value = body.get(name)
        if value is None:
            continue
        if (
            not isinstance(value, list)
            or not 1 <= len(value) <= most
            or not all(isinstance(v, str) for v in value)
        ):
            raise bad(f"{name} takes 1 to {most} strings")
        if words and not set(value) <= set(words):
            raise bad(f"{name} takes {', '.join(words)}")


def _words(body: dict[str, Any], expand: tuple[str, ...], sort_field: str) -> None:
    asked = body.get("expand")
    if asked is not None and (not isinstance(asked, list) or not set(asked) <= set(expand)):
        raise bad(f"expand takes {', '.join(expand)}")
    sort = body.get("sortBy")
    if sort is None:
        return
    first = sort[0] if isinstance(sort, list) and len(sort) == 1 and isinstance(sort[0], dict) else {}
    if first.get("field") != sort_field or first.get("direction") not in ("asc", "desc"):
        raise bad(f"sortBy takes one field, {sort_field}, and a direction")


def _limit(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100:
        raise bad("limit is 1 to 100")
    return value
