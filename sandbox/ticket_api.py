"""Jira: requests as issues, and their comments (/rest/api/3/issue/{issueIdOrKey}/comment)."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import service_desk as desk_data
from sandbox import world
from sandbox.cloud import Cloud
from sandbox.jira_access import JiraDesk, body, jira_error
from sandbox.service_desk import NAMES, PERSON_FIELD, REQUEST_TYPES, SCHEMA, STATUSES, TYPE_FIELD, ServiceDesk

NOT_FOUND = "Issue does not exist or you do not have permission to see it."


def blueprint(cloud: Cloud, site: str) -> Blueprint:
    routes = Blueprint("ticket_api", __name__)
    desk = JiraDesk(cloud, site)
    requests_of = ServiceDesk(cloud.store, world.ORGANIZATIONS[site])

    def find(name: str) -> sqlite3.Row:
        row = requests_of.find(name)
        if row is None:
            raise jira_error(404, NOT_FOUND)
        return row

    def shape(row: sqlite3.Row) -> dict[str, Any]:
        author = desk.user(row["author"])
        return {
            "self": f"{desk.base}/rest/api/3/issue/{row['request']}/comment/{row['id']}",
            "id": str(row["id"]),
            "author": author,
            "updateAuthor": author,
            "body": json.loads(row["body"]),
            "created": row["created"],
            "updated": row["created"],
            "jsdPublic": True,
        }

    @routes.get("/rest/api/3/issue/<name>/comment")
    def comments(name: str) -> Response:
        """GET /rest/api/3/issue/{issueIdOrKey}/comment?orderBy&startAt&maxResults."""
        desk.reader()
        rows = requests_of.comments(find(name)["id"])
        order = request.args.get("orderBy", "created")
        if order.lstrip("+-") != "created":
            raise jira_error(400, "orderBy is not valid.")
        rows = rows[::-1] if order.startswith("-") else rows
        start = request.args.get("startAt", 0, type=int)
        limit = min(request.args.get("maxResults", 100, type=int), cloud.max_page or 100)
        shown = rows[start : start + limit]
        return jsonify(
            startAt=start, maxResults=limit, total=len(rows), comments=[shape(row) for row in shown]
        )

    @routes.post("/rest/api/3/issue/<name>/comment")
    def comment(name: str) -> tuple[Response, int]:
        """POST /rest/api/3/issue/{issueIdOrKey}/comment."""
        known = desk.writer()
        row = find(name)
        said = body().get("body")
        if not isinstance(said, dict) or said.get("type") != "doc" or not desk_data.plain_text(said).strip():
            raise jira_error(400, "Comment body can not be empty!")
        author = known.account_id or world.stable_id("app-user", site)
        return jsonify(shape(requests_of.comment(row["id"], author, said))), 201

    return routes


def issue_of(cloud: Cloud, site: str, name: str) -> dict[str, Any] | None:
    """A request as GET /rest/api/3/issue/{issueIdOrKey} shows it, with names and schema if asked; None: no request."""
    row = ServiceDesk(cloud.store, world.ORGANIZATIONS[site]).find(name)
    if row is None:
        return None
    desk = JiraDesk(cloud, site)
    known = {
        "summary": row["summary"],
        "project": _project(row, desk.base),
        "reporter": desk.user(row["reporter"]) or _customer(row["reporter"], desk.base),
        "status": _status(row["status"], desk.base),
        "created": row["created"],
        TYPE_FIELD: {
            "_links": {"web": f"{desk.base}/servicedesk/customer/portal/1/{row['key']}"},
            "requestType": {
                "id": row["type"],
                "name": REQUEST_TYPES[row["type"]],
                "serviceDeskId": "1",
                "portalId": "1",
            },
        },
        PERSON_FIELD: row["person"] or None,
    }
    asked = [each for value in request.args.getlist("fields") for each in value.split(",") if each]
    wanted = {each for each in asked if not each.startswith(("-", "*"))}
    fields = {
        field: value
        for field, value in known.items()
        if (not wanted or field in wanted) and f"-{field}" not in asked
    }
    expand = request.args.get("expand", "").split(",")
    answer: dict[str, Any] = {
        "expand": "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
        "id": str(row["id"]),
        "self": f"{desk.base}/rest/api/3/issue/{row['id']}",
        "key": row["key"],
        "fields": fields,
    }
    if "names" in expand:
        answer["names"] = {field: NAMES[field] for field in fields}
    if "schema" in expand:
        answer["schema"] = {field: SCHEMA[field] for field in fields}
    return answer


def _customer(account_id: str, base: str) -> dict[str, Any]:
    """Somebody of the portal alone, whom the organization's directory does not know."""
    return {
        "self": f"{base}/rest/api/3/user?accountId={account_id}",
        "accountId": account_id,
        "accountType": "customer",
        "displayName": "A customer",
        "active": True,
    }


def _project(row: sqlite3.Row, base: str) -> dict[str, Any]:
    key = row["key"].rpartition("-")[0]
    about = desk_data.PROJECT if key == desk_data.PROJECT["key"] else {"id": "10901", "key": key, "name": key}
    return {**about, "projectTypeKey": "service_desk", "self": f"{base}/rest/api/3/project/{about['id']}"}


def _status(status: str, base: str) -> dict[str, Any]:
    status_id, name, (category_id, key, category, colour) = STATUSES[status]
    return {
        "self": f"{base}/rest/api/3/status/{status_id}",
        "id": status_id,
        "name": name,
        "description": "",
        "statusCategory": {
            "self": f"{base}/rest/api/3/statuscategory/{category_id}",
            "id": int(category_id),
            "key": key,
            "name": category,
            "colorName": colour,
        },
    }
