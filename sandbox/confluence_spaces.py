"""Confluence: spaces and who may do what in them (/wiki/api/v2/spaces…, /wiki/rest/api/space/{key}/permission)."""

from __future__ import annotations

import sqlite3
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, request

from sandbox import paging, world
from sandbox.answers import Refusal
from sandbox.belongings import Belongings
from sandbox.cloud import Cloud
from sandbox.site_access import SiteCaller, app_caller, unauthorized

OPERATIONS = frozenset({"administer", "read", "create", "delete", "export", "archive"})


def blueprint(cloud: Cloud, site: str) -> Blueprint:
    routes = Blueprint("confluence_spaces", __name__)
    own = Belongings(cloud, world.ORGANIZATIONS[site])

    def sees(known: SiteCaller, space: sqlite3.Row) -> bool:
        return known.app is not None or own.may_in_space(known.account_id or "", space["id"], "read")

    def page(rows: list[Any], place: str, shape: Any) -> Response:
        start = 0
        if request.args.get("cursor"):
            try:
                start = int(paging.read(request.args["cursor"])[place])
            except (paging.BadCursor, KeyError):
                raise not_found(400, "The cursor is not valid.") from None
        limit = min(request.args.get("limit", 25, type=int), 250, cloud.max_page or 250)
        links = {"base": cloud.base_url(site, "confluence")}
        if start + limit < len(rows):
            cursor = paging.make({place: start + limit})
            links["next"] = f"{request.path}?limit={limit}&cursor={quote(cursor, safe='')}"
        return jsonify({"results": [shape(row) for row in rows[start : start + limit]], "_links": links})

    @routes.get("/wiki/api/v2/spaces")
    def spaces() -> Response:
        """GET /wiki/api/v2/spaces?cursor&limit: those that the caller may see."""
        known = app_caller(cloud, site, "confluence", "READ")
        return page([row for row in own.all("space") if sees(known, row)], "spaces", space_shape)

    @routes.get("/wiki/api/v2/spaces/<int:space_id>/permissions")
    def permissions(space_id: int) -> Response:
        """GET /wiki/api/v2/spaces/{id}/permissions?cursor&limit."""
        known = app_caller(cloud, site, "confluence", "READ")
        space = own.find("space", str(space_id))
        if space is None or not sees(known, space):
            raise not_found(404, "The space was not found.")
        return page(own.permissions(str(space_id)), f"permissions{space_id}", permission_shape)

    @routes.get("/wiki/api/v2/spaces/<int:space_id>/role-assignments")
    def role_assignments(space_id: int) -> Response:
        """GET /wiki/api/v2/spaces/{id}/role-assignments?role-id&cursor&limit."""
        known = app_caller(cloud, site, "confluence", "READ")
        space = own.find("space", str(space_id))
        if space is None or not sees(known, space):
            raise not_found(404, "The space was not found.")
        asked = request.args.get("role-id")
        rows = [row for row in own.roles(str(space_id)) if asked in (None, row["role"])]
        return page(rows, f"roles{space_id}", role_shape)

    @routes.post("/wiki/rest/api/space/<key>/permission")
    def grant(key: str) -> Response:
        """POST /wiki/rest/api/space/{spaceKey}/permission: by somebody who administers the space, never by an app."""
        space = administered(key)
        asked: Any = request.get_json(silent=True)
        try:
            subject, operation = asked["subject"], asked["operation"]
            kind, principal = str(subject["type"]), str(subject["identifier"])
            wanted, target = str(operation["key"]), str(operation["target"])
        except (TypeError, KeyError):
            raise v1_error(400, "subject and operation are needed") from None
        if wanted not in OPERATIONS or target != "space" or kind not in ("user", "group"):
            raise v1_error(400, "This permission is not made here")
        if kind == "user" and not own.may_hold(principal, world.CONFLUENCE):
            raise v1_error(400, "The user may not use Confluence")
        held = {row["operation"] for row in own.permissions(space["id"]) if row["principal"] == principal}
        if wanted != "read" and "read" not in held:
            raise v1_error(400, "'read space' permission doesn't exist for the given user or group")
        made = own.grant(space["id"], kind, principal, wanted)
        if made is None:
            raise v1_error(400, "Permission already exists for the given user or group")
        return jsonify(
            {
                "id": made,
                "subject": {"type": kind, "identifier": principal},
                "operation": {"key": wanted, "target": target},
                "_links": {},
            }
        )

    @routes.delete("/wiki/rest/api/space/<key>/permission/<int:permission_id>")
    def take(key: str, permission_id: int) -> tuple[str, int]:
        """DELETE /wiki/rest/api/space/{spaceKey}/permission/{id}; somebody must be left who administers it."""
        space = administered(key)
        rows = own.permissions(space["id"])
        row = next((each for each in rows if each["id"] == permission_id), None)
        if row is None:
            raise v1_error(404, "There is no permission with this id")
        others = {
            each["principal"]
            for each in rows
            if each["operation"] == "administer" and each["principal"] != row["principal"]
        }
        if row["operation"] in ("administer", "read") and not others:
            raise v1_error(400, "All of the admin permissions cannot be removed from a space")
        own.take(row)
        return "", 204

    def administered(key: str) -> sqlite3.Row:
        known = app_caller(cloud, site, "confluence", "READ")
        if known.account_id is None:
            raise unauthorized("confluence")
        space = own.find("space", key)
        if space is None or not sees(known, space):
            raise v1_error(404, "There is no space with this key")
        if not own.may_in_space(known.account_id, space["id"], "administer"):
            raise v1_error(403, "You do not administer this space")
        return space

    def space_shape(row: sqlite3.Row) -> dict[str, Any]:
        return {
            "id": row["id"],
            "key": row["key"],
            "name": row["name"],
            "type": "global",
            "status": "current",
            "_links": {"webui": f"/spaces/{row['key']}"},
        }

    return routes


def permission_shape(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "principal": {"type": row["principal_type"], "id": row["principal"]},
        "operation": {"key": row["operation"], "targetType": "space"},
    }


def role_shape(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "roleId": row["role"],
        "principal": {"principalType": row["principal_type"], "principalId": row["principal"]},
    }


def not_found(status: int, message: str) -> Refusal:
    error = {"status": status, "code": "NOT_FOUND", "title": message, "detail": None}
    return Refusal(status, {"errors": [error]})


def v1_error(status: int, message: str) -> Refusal:
    data = {"authorized": status != 403, "valid": status != 400, "successful": False, "errors": []}
    return Refusal(status, {"statusCode": status, "message": message, "data": data})
