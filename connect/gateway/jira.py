"""One Jira site (specs: jira-platform-v3).

As the app: is this person an administrator, of the site or of a project? Who has to do with an issue? With an API
token: whose is it?
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connect.errors import Gone, Unauthorized, Unexpected
from connect.gateway.answers import mapping, required_text, rows, text
from connect.gateway.http import READ_SECONDS, Authorization, Http
from connect.hosts import SiteOrigins

ADMINISTER = "ADMINISTER"
ADMINISTER_PROJECTS = "ADMINISTER_PROJECTS"
VIEW_WATCHERS = "VIEW_VOTERS_AND_WATCHERS"
TOKEN_REJECTED = "Atlassian rejected the API token or its e-mail address."
TOKEN_NEXT_STEP = (
    "Check that the e-mail address is the one of the account that made the token, and that the token was created "
    "without scopes and has not expired."
)


@dataclass(frozen=True, slots=True)
class IssuePeople:
    """Account ids; None and empty when there is nobody, or the app may not know."""

    assignee: str | None
    reporter: str | None
    watchers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MyselfRecord:
    """The owner of an API token. `email` is None when Atlassian hides it."""

    account_id: str
    email: str | None
    name: str


class JiraSite:
    """Calls to one Jira site with one credential (gateway.credentials.as_app or .basic).

    Raises Invalid when the address is not an allowed site (S29), AtlassianError from every method.
    """

    def __init__(
        self,
        base_url: str,
        *,
        origins: SiteOrigins,
        authorization: Authorization,
        clock: Callable[[], datetime],
        patience: float = READ_SECONDS,
    ) -> None:
        self._http = Http(
            origins.check(base_url).base_url, authorization=authorization, clock=clock, patience=patience
        )

    def close(self) -> None:
        self._http.close()

    def is_admin(self, account_id: str) -> bool:
        """Whether this person may ADMINISTER Jira. As the app: POST /rest/api/3/permissions/check."""
        body = {"globalPermissions": [ADMINISTER], "accountId": account_id}
        granted = mapping(self._http.post("/rest/api/3/permissions/check", body)).get("globalPermissions")
        if not isinstance(granted, list):
            raise Unexpected(200, reason="atlassian_odd_shape")
        return ADMINISTER in granted

    def rights_in_project(self, account_id: str, project_id: int) -> frozenset[str]:
        """Which of ADMINISTER_PROJECTS and VIEW_WATCHERS this person has there: POST /rest/api/3/permissions/check."""
        asked = {"permissions": [ADMINISTER_PROJECTS, VIEW_WATCHERS], "projects": [project_id]}
        answer = mapping(
            self._http.post(
                "/rest/api/3/permissions/check", {"projectPermissions": [asked], "accountId": account_id}
            )
        )
        return frozenset(
            text(granted, "permission")
            for granted in rows(answer.get("projectPermissions"))
            if project_id in (granted.get("projects") or ())
        )

    def people_of_issue(self, issue_id: int) -> IssuePeople:
        """Assignee, reporter and watchers: GET /rest/api/3/issue/{id} and …/watchers. Raises Gone without the issue."""
        path = f"/rest/api/3/issue/{issue_id}"
        fields = mapping(mapping(self._http.get(path, (("fields", "assignee,reporter"),))).get("fields"))
        try:
            # It may tell no more than how many there are.
            watchers = rows(mapping(self._http.get(f"{path}/watchers")).get("watchers") or [])
        except Gone:
            # Watching may be switched off.
            watchers = []
        return IssuePeople(
            _account(fields.get("assignee")),
            _account(fields.get("reporter")),
            tuple(found for watcher in watchers if (found := _account(watcher)) is not None),
        )

    def myself(self) -> MyselfRecord:
        """The owner of the API token: GET /rest/api/3/myself."""
        try:
            answer = mapping(self._http.get("/rest/api/3/myself"))
        except Unauthorized as error:
            raise Unauthorized(TOKEN_REJECTED, TOKEN_NEXT_STEP) from error
        return MyselfRecord(
            required_text(answer, "accountId"),
            text(answer, "emailAddress") or None,
            text(answer, "displayName"),
        )

    def may_administer(self) -> bool:
        """Whether the owner of the API token may ADMINISTER: GET /rest/api/3/mypermissions."""
        answer = mapping(self._http.get("/rest/api/3/mypermissions", (("permissions", ADMINISTER),)))
        permissions = mapping(answer.get("permissions"))
        return mapping(permissions.get(ADMINISTER, {})).get("havePermission") is True


def _account(user: Any) -> str | None:
    return (text(user, "accountId") or None) if isinstance(user, dict) else None
