"""Jira: filters and dashboards with their owners (/rest/api/3/filter…, /dashboard…)."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.cloud import Cloud
from sandbox.jira_access import JiraDesk, body, jira_error
from sandbox.site_access import SiteCaller


def blueprint(cloud: Cloud, site: str) -> Blueprint:
    routes = Blueprint("jira_lists", __name__)
    desk = JiraDesk(cloud, site)
    own = desk.belongings

    def visible(row: sqlite3.Row, known: SiteCaller) -> bool:
        return bool(row["shared"]) or row["holder"] == known.account_id

    def all_filters(known: SiteCaller) -> bool:
        """Also private ones: for administrators who say so."""
        return request.args.get("overrideSharePermissions") == "true" and desk.is_admin(known)

    @routes.get("/rest/api/3/filter/search")
    def filters() -> Response:
        """GET /rest/api/3/filter/search?accountId&expand=owner&overrideSharePermissions."""
        known = desk.reader()
        asked = {"holder": request.args["accountId"]} if request.args.get("accountId") else {}
        everything = all_filters(known)
        rows = [row for row in own.all("filter", **asked) if everything or visible(row, known)]
        return desk.page(rows, lambda row: filter_shape(row, bean=True))

    @routes.get("/rest/api/3/filter/<int:filter_id>")
    def one_filter(filter_id: int) -> Response:
        """GET /rest/api/3/filter/{id}: 400 when it is not there, or not for the caller."""
        known = desk.reader()
        row = own.find("filter", str(filter_id))
        if row is None or not (all_filters(known) or visible(row, known)):
            raise jira_error(400, "The selected filter is not available to you.")
        return jsonify(filter_shape(row, bean=False))

    @routes.put("/rest/api/3/filter/<int:filter_id>/owner")
    def change_owner(filter_id: int) -> tuple[Response | str, int]:
        """PUT /rest/api/3/filter/{id}/owner: 204; 400 when the new owner has one of that name."""
        known = desk.writer()
        row = own.find("filter", str(filter_id))
        successor = body().get("accountId")
        if row is None or not own.may_hold(successor):
            raise jira_error(404, "The filter or the new owner was not found.")
        if row["holder"] != known.account_id and not desk.is_admin(known):
            raise jira_error(403, "You do not own this filter.")
        if row["holder"] != successor and own.all("filter", holder=successor, name=row["name"]):
            own.note(row["holder"], "give_filter", row["id"], effective=False, status=400)
            raise jira_error(400, "The new owner has a filter with this name already.")
        own.give(row, successor)
        return "", 204

    @routes.get("/rest/api/3/dashboard/search")
    def dashboards() -> Response:
        """GET /rest/api/3/dashboard/search?accountId&expand=owner: what the caller may see, and no way around that."""
        known = desk.reader()
        asked = {"holder": request.args["accountId"]} if request.args.get("accountId") else {}
        rows = [row for row in own.all("dashboard", **asked) if visible(row, known)]
        return desk.page(rows, dashboard_shape)

    @routes.get("/rest/api/3/dashboard/<int:dashboard_id>")
    def one_dashboard(dashboard_id: int) -> Response:
        """GET /rest/api/3/dashboard/{id}."""
        known = desk.reader()
        row = own.find("dashboard", str(dashboard_id))
        if row is None or not visible(row, known):
            raise jira_error(404, "The dashboard was not found.")
        return jsonify(dashboard_shape(row))

    @routes.put("/rest/api/3/dashboard/bulk/edit")
    def edit_dashboards() -> Response:
        """PUT /rest/api/3/dashboard/bulk/edit {"action": "changeOwner", …}: 200, and what failed in entityErrors."""
        known = desk.writer()
        asked = body()
        details = asked.get("changeOwnerDetails")
        if asked.get("action") != "changeOwner" or not isinstance(details, dict):
            raise jira_error(400, "Only changeOwner is made here.")
        as_admin = bool(asked.get("extendAdminPermissions")) and desk.is_admin(known)
        failed: dict[str, Any] = {}
        for dashboard_id in asked.get("entityIds", []):
            row = own.find("dashboard", str(dashboard_id))
            message = objection(row, details.get("newOwner"), known, as_admin=as_admin)
            if message or row is None:
                failed[str(dashboard_id)] = {"errorMessages": [message], "errors": {}}
                continue
            own.give(row, details["newOwner"], 200)
        return jsonify({"action": "changeOwner", "entityErrors": failed})

    def objection(
        row: sqlite3.Row | None, successor: str | None, known: SiteCaller, *, as_admin: bool
    ) -> str:
        if row is None:
            return "The dashboard was not found."
        if row["holder"] != known.account_id and not as_admin:
            return "Only the owner of the dashboard can change its owner."
        if not own.may_hold(successor):
            return "The new owner does not exist, or may not use Jira."
        if row["holder"] != successor and own.all("dashboard", holder=successor, name=row["name"]):
            return "The new owner has a dashboard with this name already."
        return ""

    def filter_shape(row: sqlite3.Row, *, bean: bool) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "self": f"{desk.base}/rest/api/3/filter/{row['id']}",
            "id": row["id"],
            "name": row["name"],
            "viewUrl": f"{desk.base}/issues/?filter={row['id']}",
            "sharePermissions": share(row),
        }
        if not bean or "owner" in request.args.get("expand", ""):
            shown["owner"] = desk.user(row["holder"])
        return {key: value for key, value in shown.items() if value is not None}

    def dashboard_shape(row: sqlite3.Row) -> dict[str, Any]:
        user = own.user(row["holder"], desk.base) or {}
        return {
            "id": row["id"],
            "isFavourite": False,
            "name": row["name"],
            "owner": {
                key: user[key] for key in ("self", "accountId", "displayName", "active") if key in user
            },
            "popularity": 1,
            "self": f"{desk.base}/rest/api/3/dashboard/{row['id']}",
            "sharePermissions": share(row),
            "view": f"{desk.base}/jira/dashboards/{row['id']}",
        }

    def share(row: sqlite3.Row) -> list[dict[str, Any]]:
        return [{"id": int(row["id"]), "type": "loggedin"}] if row["shared"] else []

    return routes
