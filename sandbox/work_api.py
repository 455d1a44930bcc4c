"""Reading issues and pages: Jira /rest/api/3/issue/{id} and …/watchers, Confluence /wiki/api/v2/pages, /blogposts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import ticket_api, works, world
from sandbox.answers import Refusal
from sandbox.belongings import Belongings
from sandbox.cloud import Cloud
from sandbox.site_access import app_caller

MADE_AT = "2026-01-12T09:30:00.000Z"


def blueprint(cloud: Cloud, site: str) -> Blueprint:
    routes = Blueprint("work_api", __name__)
    organization = world.ORGANIZATIONS[site]
    directory = cloud.directory(site)
    belongings = Belongings(cloud, organization)

    def user(account_id: str | None) -> dict[str, Any] | None:
        person = directory.find(account_id) if account_id else None
        if person is None:
            return None
        base = cloud.sites[site]
        return {
            "self": f"{base}/rest/api/3/user?accountId={person['account_id']}",
            "accountId": person["account_id"],
            "accountType": "atlassian",
            "displayName": person["name"],
            "active": person["shown_status"] == "active",
            "timeZone": person["time_zone"] or "Etc/UTC",
        }

    def find_issue(name: str) -> works.Issue:
        app_caller(cloud, site, "jira", "READ")
        for one in works.issues(cloud.store, organization):
            if name in (one.id, one.key):
                return one
        row = belongings.find("issue", name)
        if row is not None:
            return works.Issue(row["id"], row["key"], row["name"], row["holder"], None)
        message = "Issue does not exist or you do not have permission to see it."
        raise Refusal(404, {"errorMessages": [message], "errors": {}})

    def project(key: str) -> dict[str, Any]:
        row = belongings.find("project", key.rpartition("-")[0])
        named = works.PROJECT if row is None else {"id": row["id"], "key": row["key"], "name": row["name"]}
        return {**named, "self": f"{cloud.sites[site]}/rest/api/3/project/{named['id']}"}

    @routes.get("/rest/api/3/issue/<name>")
    def issue(name: str) -> Response:
        """GET /rest/api/3/issue/{issueIdOrKey}?fields=assignee,reporter."""
        app_caller(cloud, site, "jira", "READ")
        ticket = ticket_api.issue_of(cloud, site, name)
        if ticket is not None:
            return jsonify(ticket)
        one = find_issue(name)
        known = {
            "summary": one.summary,
            "assignee": user(one.assignee),
            "reporter": user(one.reporter),
            "project": project(one.key),
        }
        asked = {field for value in request.args.getlist("fields") for field in value.split(",") if field}
        fields = {name: value for name, value in known.items() if not asked or name in asked}
        return jsonify(
            {
                "expand": "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
                "id": one.id,
                "self": f"{cloud.sites[site]}/rest/api/3/issue/{one.id}",
                "key": one.key,
                "fields": fields,
            }
        )

    @routes.get("/rest/api/3/issue/<name>/watchers")
    def watchers(name: str) -> Response:
        """GET /rest/api/3/issue/{issueIdOrKey}/watchers."""
        one = find_issue(name)
        found = [shown for watcher in one.watchers if (shown := user(watcher)) is not None]
        return jsonify(
            {
                "self": f"{cloud.sites[site]}/rest/api/3/issue/{one.id}/watchers",
                "isWatching": False,
                "watchCount": len(found),
                "watchers": found,
            }
        )

    @routes.get("/wiki/api/v2/<any(pages, blogposts):kind>/<int:page_id>")
    def content(kind: str, page_id: int) -> Response:
        """GET /wiki/api/v2/pages/{id} and /wiki/api/v2/blogposts/{id}."""
        app_caller(cloud, site, "confluence", "READ")
        for one in works.pages(cloud.store, organization):
            if (one.id, f"{one.kind}s") == (str(page_id), kind):
                return jsonify(_content(one, cloud.base_url(site, "confluence")))
        error = {"status": 404, "code": "NOT_FOUND", "title": "Not Found", "detail": None}
        raise Refusal(404, {"errors": [error]})

    return routes


def _content(one: works.Page, base: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": one.id,
        "status": "current",
        "title": one.title,
        "spaceId": works.SPACE["id"],
        "authorId": one.owner,
        "createdAt": MADE_AT,
        "version": {
            "createdAt": MADE_AT,
            "message": "",
            "number": 1,
            "minorEdit": False,
            "authorId": one.editor,
        },
        "_links": {"base": base, "webui": f"/spaces/{works.SPACE['key']}/{one.kind}s/{one.id}"},
    }
    if one.kind == "page":
        shown |= {
            "parentId": "98300",
            "parentType": "page",
            "position": 1,
            "ownerId": one.owner,
            "lastOwnerId": None,
        }
    return shown
