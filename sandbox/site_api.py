"""A site's own REST: Jira /rest/api/3 (permissions/check, myself, mypermissions, serverInfo), Confluence
/wiki/rest/api/user and /user/current, and /_edge/tenant_info."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import works, world
from sandbox.answers import Refusal
from sandbox.cloud import Cloud
from sandbox.site_access import app_caller, caller

GLOBAL_PERMISSIONS = (
    "ADMINISTER",
    "SYSTEM_ADMIN",
    "USER_PICKER",
    "BULK_CHANGE",
    "CREATE_SHARED_OBJECTS",
    "MANAGE_GROUP_FILTER_SUBSCRIPTIONS",
)
ADMIN_ONLY = frozenset({"ADMINISTER", "SYSTEM_ADMIN", "ADMINISTER_PROJECTS"})
PROJECT_PERMISSIONS = ("ADMINISTER_PROJECTS", "BROWSE_PROJECTS", "VIEW_VOTERS_AND_WATCHERS")

PROJECT_ID = int(works.PROJECT["id"])


def blueprint(cloud: Cloud, site: str) -> Blueprint:
    routes = Blueprint("site_api", __name__)
    organization = world.ORGANIZATIONS[site]
    directory = cloud.directory(site)

    def holds(account_id: str, permission: str) -> bool:
        if permission in ADMIN_ONLY:
            return directory.may_administer(account_id, world.JIRA)
        person = directory.find(account_id)
        return person is not None and person["shown_status"] == "active"

    @routes.get("/_edge/tenant_info")
    def tenant_info() -> Response:
        """Which cloud this is; open to everybody."""
        return jsonify(cloudId=organization.cloud_id)

    @routes.get("/rest/api/3/serverInfo")
    def server_info() -> Response:
        """GET /rest/api/3/serverInfo: open to everybody."""
        base = cloud.sites[site]
        return jsonify(
            baseUrl=base,
            displayUrl=base,
            displayUrlConfluence=f"{base}/wiki",
            version="1001.0.0-SNAPSHOT",
            versionNumbers=[1001, 0, 0],
            deploymentType="Cloud",
            buildNumber=100300,
            serverTitle="Jira",
        )

    @routes.post("/rest/api/3/permissions/check")
    def permissions_check() -> Response:
        """POST /rest/api/3/permissions/check: an app may ask about anybody, others about themselves or as admin."""
        known = app_caller(cloud, site, "jira", "READ")
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            raise _jira_error(400, "Can not deserialize the request body.")
        wanted = body.get("globalPermissions", [])
        in_projects = body.get("projectPermissions", [])
        named = [name for asked in in_projects for name in asked["permissions"]]
        unknown = [name for name in wanted if name not in GLOBAL_PERMISSIONS]
        unknown += [name for name in named if name not in PROJECT_PERMISSIONS]
        if unknown:
            raise Refusal(
                400, {"errorMessages": [], "errors": dict.fromkeys(unknown, "Unrecognized permission")}
            )
        account = body.get("accountId") or known.account_id
        if known.account_id and account != known.account_id and not holds(known.account_id, "ADMINISTER"):
            raise _jira_error(403, "Only Jira administrators can perform this operation.")
        granted = [name for name in wanted if account and holds(account, name)]
        known_projects = [
            project for asked in in_projects for project in asked.get("projects", []) if project == PROJECT_ID
        ]
        return jsonify(
            globalPermissions=granted,
            projectPermissions=[
                {"permission": name, "issues": [], "projects": known_projects}
                for name in dict.fromkeys(named)
                if known_projects and account and holds(account, name)
            ],
        )

    @routes.get("/rest/api/3/myself")
    def myself() -> Response:
        """GET /rest/api/3/myself."""
        known = caller(cloud, site, "jira")
        if known.app is not None:
            return jsonify(
                accountId=world.stable_id("app-user", site),
                accountType="app",
                active=True,
                displayName=known.app.descriptor.get("name", "App"),
                timeZone="Etc/UTC",
            )
        person = _found(directory.find(known.account_id or ""))
        return jsonify(_jira_user(person, cloud.sites[site]))

    @routes.get("/rest/api/3/mypermissions")
    def mypermissions() -> Response:
        """GET /rest/api/3/mypermissions?permissions=ADMINISTER."""
        known = caller(cloud, site, "jira")
        asked = [name for name in request.args.get("permissions", "").split(",") if name]
        if not asked:
            raise _jira_error(400, "The 'permissions' query parameter is required.")
        unknown = [name for name in asked if name not in GLOBAL_PERMISSIONS]
        if unknown:
            raise _jira_error(400, f"Unrecognized permission: {unknown[0]}")
        shown = {
            name: {
                "id": str(GLOBAL_PERMISSIONS.index(name)),
                "key": name,
                "name": name.replace("_", " ").title(),
                "type": "GLOBAL",
                "description": "",
                "havePermission": bool(known.account_id and holds(known.account_id, name)),
            }
            for name in asked
        }
        return jsonify(permissions=shown)

    @routes.get("/wiki/rest/api/user")
    def confluence_user() -> Response:
        """GET /wiki/rest/api/user?accountId=…&expand=operations."""
        app_caller(cloud, site, "confluence", "READ")
        account = request.args.get("accountId")
        if not account:
            raise _confluence_error(400, "accountId is required")
        person = directory.find(account)
        if person is None:
            raise _confluence_error(404, f"No user found with account id {account}")
        return jsonify(confluence_shape(person))

    @routes.get("/wiki/rest/api/user/current")
    def confluence_current() -> Response:
        """GET /wiki/rest/api/user/current?expand=operations."""
        known = caller(cloud, site, "confluence")
        return jsonify(confluence_shape(_found(directory.find(known.account_id or ""))))

    def confluence_shape(person: sqlite3.Row) -> dict[str, Any]:
        picture = {"path": "/wiki/aa-avatar/default", "width": 48, "height": 48, "isDefault": True}
        shown: dict[str, Any] = {
            "type": "known",
            "accountId": person["account_id"],
            "accountType": "atlassian",
            "email": "" if person["email_hidden"] else person["email"],
            "publicName": person["nickname"],
            "displayName": person["name"],
            "profilePicture": picture,
            "timeZone": person["time_zone"],
            "isExternalCollaborator": False,
            "isGuest": False,
            "_expandable": {},
            "_links": {},
        }
        expand = {part for value in request.args.getlist("expand") for part in value.split(",")}
        if "operations" in expand:
            active = person["shown_status"] == "active"
            operations = [{"operation": "use", "targetType": "application"}] if active else []
            if directory.may_administer(person["account_id"], world.CONFLUENCE):
                operations.append({"operation": "administer", "targetType": "application"})
            shown["operations"] = operations
        return shown

    return routes


def _found(person: sqlite3.Row | None) -> sqlite3.Row:
    if person is None:
        raise Refusal(404, {"errorMessages": ["The user does not exist."], "errors": {}})
    return person


def _jira_error(status: int, message: str) -> Refusal:
    return Refusal(status, {"errorMessages": [message], "errors": {}})


def _confluence_error(status: int, message: str) -> Refusal:
    return Refusal(
        status,
        {
            "statusCode": status,
            "message": message,
            "data": {"authorized": True, "valid": True, "successful": False, "errors": []},
        },
    )


def _jira_user(person: sqlite3.Row, base: str) -> dict[str, Any]:
    avatars = {f"{size}x{size}": f"{base}/avatar/{size}.png" for size in (16, 24, 32, 48)}
    return {
        "self": f"{base}/rest/api/3/user?accountId={person['account_id']}",
        "accountId": person["account_id"],
        "accountType": "atlassian",
        "emailAddress": person["email"],
        "avatarUrls": avatars,
        "displayName": person["name"],
        "active": person["shown_status"] == "active",
        "timeZone": person["time_zone"] or "Etc/UTC",
        "locale": "en_GB",
        "groups": {"size": 0, "items": []},
        "applicationRoles": {"size": 0, "items": []},
        "expand": "groups,applicationRoles",
    }
