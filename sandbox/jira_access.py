"""Jira's calls about what people own: the caller, numbers of pages, and errors, in Jira's words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, jsonify, request

from sandbox import world
from sandbox.answers import Refusal
from sandbox.belongings import Belongings
from sandbox.cloud import Cloud
from sandbox.site_access import SiteCaller, app_caller


class JiraDesk:
    """One site's Jira: who asks, what people own there, where it lives."""

    def __init__(self, cloud: Cloud, site: str) -> None:
        self.cloud = cloud
        self.site = site
        self.belongings = Belongings(cloud, world.ORGANIZATIONS[site])

    @property
    def base(self) -> str:
        return self.cloud.sites[self.site]

    def reader(self) -> SiteCaller:
        return app_caller(self.cloud, self.site, "jira", "READ")

    def writer(self, scope: str = "WRITE") -> SiteCaller:
        known = app_caller(self.cloud, self.site, "jira", "READ")
        if known.app is not None:
            held = {str(each).upper() for each in known.app.descriptor.get("scopes", [])}
            if scope not in held and "ADMIN" not in held:
                raise jira_error(403, f"The app needs the scope {scope}.")
        return known

    def is_admin(self, known: SiteCaller) -> bool:
        account = known.account_id
        return account is not None and self.belongings.directory.may_administer(account, world.JIRA)

    def user(self, account_id: str | None) -> dict[str, Any] | None:
        return self.belongings.user(account_id, self.base)

    def page(self, rows: Sequence[Any], shape: Callable[[Any], dict[str, Any]], most: int = 50) -> Response:
        """startAt and maxResults, as Jira's page beans have them."""
        start = request.args.get("startAt", 0, type=int)
        limit = min(request.args.get("maxResults", most, type=int), 100)
        if self.cloud.max_page is not None:
            limit = min(limit, self.cloud.max_page)
        shown = rows[start : start + limit]
        last = start + limit >= len(rows)
        answer = {
            "self": f"{self.base}{request.path}?startAt={start}",
            "maxResults": limit,
            "startAt": start,
            "total": len(rows),
            "isLast": last,
            "values": [shape(row) for row in shown],
        }
        if not last:
            answer["nextPage"] = f"{self.base}{request.path}?startAt={start + limit}&maxResults={limit}"
        return jsonify(answer)


def jira_error(status: int, message: str) -> Refusal:
    return Refusal(status, {"errorMessages": [message], "errors": {}})


def body() -> dict[str, Any]:
    found = request.get_json(silent=True)
    if not isinstance(found, dict):
        raise jira_error(400, "Can not deserialize the request body.")
    return found
