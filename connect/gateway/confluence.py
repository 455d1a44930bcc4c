"""One Confluence site (specs: confluence-v1, -v2; its base address ends with /wiki). The same questions as jira.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connect.errors import Unauthorized
from connect.gateway.answers import mapping, required_text, rows, text
from connect.gateway.http import READ_SECONDS, Authorization, Http
from connect.gateway.jira import TOKEN_NEXT_STEP, TOKEN_REJECTED, MyselfRecord
from connect.hosts import SiteOrigins
from rules.panel import ContentKind


@dataclass(frozen=True, slots=True)
class ContentPeople:
    """Account ids; None when there is nobody, or the app may not know."""

    owner: str | None
    last_editor: str | None


class ConfluenceSite:
    """Calls to one Confluence site with one credential (gateway.credentials.as_app or .basic).

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
        """Whether this person may administer Confluence. As the app: GET /rest/api/user?expand=operations."""
        answer = mapping(
            self._http.get("/rest/api/user", (("accountId", account_id), ("expand", "operations")))
        )
        return _administers(answer)

    def people_of_content(self, content_id: int, kind: ContentKind) -> ContentPeople:
        """Owner and last editor: GET /api/v2/pages/{id} or …/blogposts/{id}. Raises Gone without it."""
        answer = mapping(self._http.get(f"/api/v2/{kind.value}s/{content_id}"))
        version = answer.get("version")
        # A blog post has no owner but its author.
        return ContentPeople(
            text(answer, "ownerId") or text(answer, "authorId") or None,
            (text(version, "authorId") or None) if isinstance(version, dict) else None,
        )

    def current_user(self) -> MyselfRecord:
        """The owner of the API token: GET /rest/api/user/current."""
        answer = self._current()
        return MyselfRecord(
            required_text(answer, "accountId"),
            text(answer, "email") or None,
            text(answer, "displayName") or text(answer, "publicName"),
        )

    def may_administer(self) -> bool:
        """Whether the owner of the API token may administer Confluence."""
        return _administers(self._current())

    def _current(self) -> dict[str, Any]:
        try:
            user = mapping(self._http.get("/rest/api/user/current", (("expand", "operations"),)))
        except Unauthorized as error:
            raise Unauthorized(TOKEN_REJECTED, TOKEN_NEXT_STEP) from error
        # A site that is open to the world takes whoever it does not know for a visitor.
        if text(user, "type") == "anonymous":
            raise Unauthorized(TOKEN_REJECTED, TOKEN_NEXT_STEP)
        return user


def _administers(user: dict[str, Any]) -> bool:
    if "operations" in user and user["operations"] is None:
        # So Confluence may say that there is nothing that they may do.
        return False
    return any(
        operation.get("operation") == "administer" and operation.get("targetType") == "application"
        for operation in rows(user.get("operations"))
    )
