"""Jira: searching and assigning issues (/rest/api/3/search/jql, …/approximate-count, /issue/{key}/assignee)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox import paging, works
from sandbox.cloud import Cloud
from sandbox.jira_access import JiraDesk, body, jira_error

# The one question that is asked of this Jira; a real one knows more.
JQL = re.compile(
    r'\s*assignee\s*=\s*"(?P<who>[0-9A-Za-z:_|-]+)"(?:\s+and\s+(?:statusCategory\s*!=\s*Done|resolution\s*=\s*'
    r"Unresolved))?(?:\s+order\s+by\s+\w+(?:\s+(?:asc|desc))?)?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """An issue, wherever this site keeps it."""

    id: str
    key: str
    summary: str
    assignee: str | None
    project: str
    open: bool = True


def blueprint(cloud: Cloud, site: str) -> Blueprint:
    routes = Blueprint("jira_search", __name__)
    desk = JiraDesk(cloud, site)
    own = desk.belongings

    def everything() -> list[Found]:
        mine = [
            Found(one.id, one.key, one.summary, one.assignee, works.PROJECT["id"])
            for one in works.issues(cloud.store, own.organization)
        ]
        kept = [
            Found(row["id"], row["key"], row["name"], row["holder"], row["parent"], bool(row["open"]))
            for row in own.all("issue")
        ]
        return mine + kept

    def matching(jql: Any) -> list[Found]:
        asked = JQL.fullmatch(jql) if isinstance(jql, str) else None
        if asked is None:
            raise jira_error(400, "Error in the JQL Query.")
        open_only = "done" in jql.lower() or "unresolved" in jql.lower()
        return [one for one in everything() if one.assignee == asked["who"] and (one.open or not open_only)]

    @routes.post("/rest/api/3/search/jql")
    def search() -> Response:
        """POST /rest/api/3/search/jql: a page, and the token of the next one."""
        desk.reader()
        asked = body()
        found = matching(asked.get("jql"))
        start = 0
        if asked.get("nextPageToken"):
            try:
                start = int(paging.read(asked["nextPageToken"])["issues"])
            except (paging.BadCursor, KeyError):
                raise jira_error(400, "The page token is not valid.") from None
        limit = min(int(asked.get("maxResults", 50)), cloud.max_page or 5000)
        last = start + limit >= len(found)
        names = asked.get("fields") or []
        answer: dict[str, Any] = {
            "isLast": last,
            "issues": [shape(one, names) for one in found[start : start + limit]],
        }
        if not last:
            answer["nextPageToken"] = paging.make({"issues": start + limit})
        return jsonify(answer)

    @routes.post("/rest/api/3/search/approximate-count")
    def approximate_count() -> Response:
        """POST /rest/api/3/search/approximate-count."""
        desk.reader()
        return jsonify(count=len(matching(body().get("jql"))))

    @routes.put("/rest/api/3/issue/<name>/assignee")
    def assign(name: str) -> tuple[Response | str, int]:
        """PUT /rest/api/3/issue/{issueIdOrKey}/assignee {"accountId"}; null: nobody."""
        known = desk.writer()
        if known.account_id is not None and not own.may_hold(known.account_id):
            raise jira_error(403, "You do not have permission to assign issues.")
        one = next((each for each in everything() if name in (each.id, each.key)), None)
        if one is None:
            raise jira_error(404, "Issue does not exist or you do not have permission to see it.")
        successor = body().get("accountId")
        if successor is not None and not own.may_hold(successor):
            own.note(one.assignee or "", "give_issue", one.id, effective=False, status=400)
            raise jira_error(400, "The user cannot be assigned issues.")
        row = own.find("issue", one.id)
        if row is not None:
            own.give(row, successor)
        else:
            works.change(cloud.store, own.organization, one.id, {"assignee": successor})
            own.note(one.assignee or "", "give_issue", one.id, one.assignee != successor, 204)
        return "", 204

    @routes.get("/rest/api/3/user/assignable/search")
    def assignable() -> Response:
        """GET /rest/api/3/user/assignable/search?accountId&project: the person, if issues there may be theirs."""
        desk.reader()
        project, account = request.args.get("project"), request.args.get("accountId")
        if not project or not account:
            raise jira_error(400, "accountId and project are needed.")
        if own.find("project", project) is None:
            raise jira_error(404, "The project was not found.")
        return jsonify([desk.user(account)] if own.may_hold(account) else [])

    def shape(one: Found, names: list[str]) -> dict[str, Any]:
        known = {
            "summary": one.summary,
            "assignee": desk.user(one.assignee),
            "project": {"id": one.project, "key": one.key.rpartition("-")[0]},
        }
        return {
            "id": one.id,
            "key": one.key,
            "self": f"{desk.base}/rest/api/3/issue/{one.id}",
            "fields": {name: value for name, value in known.items() if name in names},
        }

    return routes
