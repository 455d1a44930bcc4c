"""Jira: projects and components with their leads (/rest/api/3/project…, /component/{id})."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.cloud import Cloud
from sandbox.jira_access import JiraDesk, body, jira_error


def blueprint(cloud: Cloud, site: str) -> Blueprint:
    routes = Blueprint("jira_projects", __name__)
    desk = JiraDesk(cloud, site)
    own = desk.belongings

    def require(kind: str, name: str) -> sqlite3.Row:
        row = own.find(kind, name)
        if row is None:
            raise jira_error(404, f"No {kind} could be found with key or id '{name}'.")
        return row

    @routes.get("/rest/api/3/project/search")
    def search() -> Response:
        """GET /rest/api/3/project/search?expand=lead."""
        desk.reader()
        with_lead = "lead" in request.args.get("expand", "")
        return desk.page(own.all("project"), lambda row: project_shape(row, lead=with_lead))

    @routes.get("/rest/api/3/project/<name>")
    def project(name: str) -> Response:
        """GET /rest/api/3/project/{projectIdOrKey}: the lead comes along."""
        desk.reader()
        return jsonify(project_shape(require("project", name), lead=True))

    @routes.put("/rest/api/3/project/<name>")
    def change_project(name: str) -> Response:
        """PUT /rest/api/3/project/{projectIdOrKey} {"leadAccountId"}."""
        known = desk.writer("PROJECT_ADMIN")
        row = require("project", name)
        if not desk.is_admin(known):
            raise jira_error(403, "You cannot edit the configuration of this project.")
        lead = body().get("leadAccountId")
        if lead is not None:
            if not own.may_hold(lead):
                own.note(row["holder"] or "", "give_project", row["id"], effective=False, status=400)
                raise jira_error(400, "The project lead does not exist, or may not use Jira.")
            own.give(row, lead, 200)
        return jsonify(project_shape(require("project", name), lead=True))

    @routes.get("/rest/api/3/project/<name>/component")
    def components(name: str) -> Response:
        """GET /rest/api/3/project/{projectIdOrKey}/component."""
        desk.reader()
        return desk.page(own.all("component", parent=require("project", name)["id"]), component_shape)

    @routes.get("/rest/api/3/component/<int:component_id>")
    def component(component_id: int) -> Response:
        """GET /rest/api/3/component/{id}."""
        desk.reader()
        return jsonify(component_shape(require("component", str(component_id))))

    @routes.put("/rest/api/3/component/<int:component_id>")
    def change_component(component_id: int) -> Response:
        """PUT /rest/api/3/component/{id} {"leadAccountId"}; "" takes the lead away."""
        known = desk.writer("PROJECT_ADMIN")
        row = require("component", str(component_id))
        if not desk.is_admin(known):
            raise jira_error(403, "You do not have permission to manage this component.")
        lead = body().get("leadAccountId")
        if lead is not None:
            if lead and not own.may_hold(lead):
                own.note(row["holder"] or "", "give_component", row["id"], effective=False, status=400)
                raise jira_error(400, "The user does not exist.")
            own.give(row, lead or None, 200)
        return jsonify(component_shape(require("component", str(component_id))))

    def project_shape(row: sqlite3.Row, *, lead: bool) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": row["id"],
            "key": row["key"],
            "name": row["name"],
            "self": f"{desk.base}/rest/api/3/project/{row['id']}",
            "projectTypeKey": "software",
            "simplified": False,
            "style": "classic",
            "isPrivate": False,
        }
        if lead and (user := desk.user(row["holder"])) is not None:
            shown["lead"] = user
        return shown

    def component_shape(row: sqlite3.Row) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": row["id"],
            "name": row["name"],
            "project": row["key"],
            "projectId": int(row["parent"]),
            "assigneeType": "PROJECT_DEFAULT",
            "isAssigneeTypeValid": True,
            "self": f"{desk.base}/rest/api/3/component/{row['id']}",
        }
        if (user := desk.user(row["holder"])) is not None:
            shown["lead"] = user
        return shown

    return routes
