"""Organization API: groups of a directory (/admin/v2/orgs/{orgId}/directories/{directoryId}/groups/…)."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import paging, world
from sandbox.admin_access import people_key
from sandbox.answers import errors
from sandbox.cloud import Cloud
from sandbox.search_body import read_group_search

BASE = "/v2/orgs/<org_id>/directories/<directory_id>/groups"


def blueprint(cloud: Cloud) -> Blueprint:
    routes = Blueprint("admin_groups", __name__, url_prefix="/admin")

    @routes.post(f"{BASE}/search")
    def search(org_id: str, directory_id: str) -> Response:
        """POST …/groups/search: a page of groups by name; `links.next` is a bare cursor."""
        held, _ = people_key(cloud, org_id, directory_id)
        asked = read_group_search(request)
        rows = [row for row in _teams(cloud, held.organization.key) if _wanted(cloud, row, asked)]
        if asked.get("sortBy") and asked["sortBy"][0].get("direction") == "desc":
            rows.reverse()
        start = _start(asked.get("cursor"))
        end = start + min(asked["limit"], cloud.max_page or 100)
        expand = set(asked.get("expand") or ())
        links = {"self": asked.get("cursor") or paging.make({"groups": 0})}
        if end < len(rows):
            links["next"] = paging.make({"groups": end})
        return jsonify(
            data=[_shown(cloud, held.organization, row, expand) for row in rows[start:end]], links=links
        )

    @routes.get(f"{BASE}/<group_id>")
    def group(org_id: str, directory_id: str, group_id: str) -> Response:
        """GET …/groups/{groupId}."""
        held, _ = people_key(cloud, org_id, directory_id)
        row = require_group(cloud, held.organization.key, group_id)
        return jsonify(data=_shown(cloud, held.organization, row, {"counts.users", "counts.resources"}))

    @routes.get(f"{BASE}/<group_id>/role-assignments")
    def roles(org_id: str, directory_id: str, group_id: str) -> Response:
        """GET …/groups/{groupId}/role-assignments: what the group grants."""
        held, _ = people_key(cloud, org_id, directory_id)
        require_group(cloud, held.organization.key, group_id)
        by_resource: dict[str, list[str]] = {}
        for resource, role in granted(cloud, group_id):
            by_resource.setdefault(resource, []).append(role)
        data = [
            {"resourceId": resource, "resourceOwner": world.product_of(resource), "roles": found}
            for resource, found in by_resource.items()
        ]
        return jsonify(data=data, links={"self": paging.make({"group": group_id})})

    return routes


def _teams(cloud: Cloud, org: str) -> list[sqlite3.Row]:
    return cloud.store.all("SELECT * FROM team WHERE org = ? ORDER BY name", (org,))


def require_group(cloud: Cloud, org: str, group_id: str) -> sqlite3.Row:
    """The group, or 404."""
    row = cloud.store.one("SELECT * FROM team WHERE org = ? AND id = ?", (org, group_id))
    if row is None:
        raise errors(404, "ADMIN-UAM-404-3", "Group Not Found")
    return row


def granted(cloud: Cloud, group_id: str) -> list[tuple[str, str]]:
    """(resource, role) of everything the group gives its members."""
    rows = cloud.store.all("SELECT resource, role FROM team_role WHERE team = ?", (group_id,))
    return [(row["resource"], row["role"]) for row in rows]


def _start(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        return int(paging.read(cursor)["groups"])
    except (paging.BadCursor, KeyError):
        raise errors(400, "ADMIN-400-1", "Invalid page cursor") from None


def _wanted(cloud: Cloud, row: sqlite3.Row, asked: dict[str, Any]) -> bool:
    if asked.get("groupIds") and row["id"] not in asked["groupIds"]:
        return False
    if asked.get("groupNames") and row["name"].lower() not in {name.lower() for name in asked["groupNames"]}:
        return False
    if asked.get("searchTerm") and asked["searchTerm"].lower() not in row["name"].lower():
        return False
    if asked.get("accountIds"):
        marks = ",".join("?" * len(asked["accountIds"]))
        sql = (
            "SELECT 1 FROM member JOIN person ON person.seq = member.seq"
            f" WHERE member.team = ? AND person.account_id IN ({marks})"
        )
        if cloud.store.one(sql, (row["id"], *asked["accountIds"])) is None:
            return False
    grants = cloud.store.all("SELECT resource, role FROM team_role WHERE team = ?", (row["id"],))
    if asked.get("resourceIds") and not {grant["resource"] for grant in grants} & set(asked["resourceIds"]):
        return False
    return not asked.get("roleIds") or bool({grant["role"] for grant in grants} & set(asked["roleIds"]))


def _shown(
    cloud: Cloud, organization: world.Organization, row: sqlite3.Row, expand: set[str]
) -> dict[str, Any]:
    synced = bool(row["synced"])
    shown: dict[str, Any] = {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "directoryId": organization.directory_id,
        "externalSynced": synced,
        "managedBy": "external" if synced else "admins",
        "managementAccess": {"readable": True, "modifiable": not synced, "deletable": not synced},
        "links": {"self": paging.make({"group": row["id"]})},
    }
    counts = {}
    if "counts.users" in expand:
        counts["users"] = _count(cloud, "SELECT count(*) AS n FROM member WHERE team = ?", row["id"])
    if "counts.resources" in expand:
        counts["resources"] = _count(
            cloud, "SELECT count(DISTINCT resource) AS n FROM team_role WHERE team = ?", row["id"]
        )
    return {**shown, "counts": counts} if counts else shown


def _count(cloud: Cloud, sql: str, team: str) -> int:
    row = cloud.store.one(sql, (team,))
    return int(row["n"]) if row else 0
