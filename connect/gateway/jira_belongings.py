"""What somebody owns in Jira, and giving it to somebody else (specs: jira-platform-v3).

By an administrator's API token: an app may not do it, and does not see what is shared with nobody.
"""

from __future__ import annotations

from typing import Any

from connect.errors import AccessForbidden, Gone, Unexpected
from connect.gateway.admin_calls import checked_account_id
from connect.gateway.answers import count, flag, mapping, required_text, rows, text
from connect.gateway.site_calls import FoundPage, SiteCalls, number
from rules.handover import Found, Kind

PAGE = 100
PROJECTS_AT_A_TIME = 20


class JiraBelongings(SiteCalls):
    """Every method raises AtlassianError. An account id is checked before it stands in a question (S32)."""

    # -- finding --------------------------------------------------------------------------------------------------

    def projects_led_by(self, account_id: str, start: str = "0") -> FoundPage:
        """GET /rest/api/3/project/search?expand=lead: one page of all projects, of which those led by somebody."""
        answer = self._page("/rest/api/3/project/search", start, PAGE, (("expand", "lead"),))
        found = tuple(
            Found(Kind.PROJECT, required_text(row, "id"), text(row, "name"), text(row, "key"))
            for row in rows(answer.get("values"))
            if _account(row.get("lead")) == account_id
        )
        return FoundPage(found, _after(answer, start))

    def components_led_by(self, account_id: str, start: str = "0") -> FoundPage:
        """GET /rest/api/3/project/{id}/component, for the next few projects."""
        answer = self._page("/rest/api/3/project/search", start, PROJECTS_AT_A_TIME)
        found: list[Found] = []
        for project in rows(answer.get("values")):
            found += self._components(required_text(project, "id"), text(project, "key"), account_id)
        return FoundPage(tuple(found), _after(answer, start))

    def _components(self, project_id: str, project_key: str, account_id: str) -> list[Found]:
        found: list[Found] = []
        start: str | None = "0"
        while start is not None:
            try:
                answer = self._page(f"/rest/api/3/project/{number(project_id)}/component", start, PAGE)
            except Gone:
                return found
            found += [
                Found(Kind.COMPONENT, required_text(row, "id"), text(row, "name"), project_key)
                for row in rows(answer.get("values"))
                if _account(row.get("lead")) == account_id
            ]
            start = _after(answer, start)
        return found

    def filters_of(self, account_id: str, start: str = "0") -> FoundPage:
        """GET /rest/api/3/filter/search?accountId&overrideSharePermissions: private ones too."""
        asked = (("accountId", _plain(account_id)), ("expand", "owner"), ("overrideSharePermissions", "true"))
        answer = self._page("/rest/api/3/filter/search", start, PAGE, asked)
        return FoundPage(
            tuple(
                Found(Kind.FILTER, required_text(row, "id"), text(row, "name"))
                for row in rows(answer.get("values"))
            ),
            _after(answer, start),
        )

    def dashboards_of(self, account_id: str, start: str = "0") -> FoundPage:
        """GET /rest/api/3/dashboard/search?accountId: what the token's owner may see of them."""
        asked = (("accountId", _plain(account_id)), ("expand", "owner"))
        answer = self._page("/rest/api/3/dashboard/search", start, PAGE, asked)
        return FoundPage(
            tuple(
                Found(Kind.DASHBOARD, required_text(row, "id"), text(row, "name"))
                for row in rows(answer.get("values"))
            ),
            _after(answer, start),
        )

    def count_open_issues(self, account_id: str) -> int:
        """POST /rest/api/3/search/approximate-count."""
        asked = {"jql": _open_issues(account_id)}
        return count(mapping(self._http.post("/rest/api/3/search/approximate-count", asked)), "count") or 0

    def open_issues_of(self, account_id: str, token: str = "") -> FoundPage:
        """POST /rest/api/3/search/jql: one page of what is assigned to somebody and not done."""
        asked: dict[str, Any] = {
            "jql": _open_issues(account_id),
            "maxResults": PAGE,
            "fields": ["summary", "project"],
        }
        if token:
            asked["nextPageToken"] = token
        answer = mapping(self._http.post("/rest/api/3/search/jql", asked))
        found = tuple(_issue(row) for row in rows(answer.get("issues")))
        following = text(answer, "nextPageToken") or None
        if following == token:
            raise Unexpected(200, reason="atlassian_odd_cursor")
        return FoundPage(found, following)

    # -- who has it now -------------------------------------------------------------------------------------------

    def holder(self, kind: Kind, reference: str) -> str | None:
        """The account that has one belonging now; None: nobody. Raises Gone."""
        at = number(reference)
        match kind:
            case Kind.PROJECT:
                return _account(mapping(self._http.get(f"/rest/api/3/project/{at}")).get("lead"))
            case Kind.COMPONENT:
                return _account(mapping(self._http.get(f"/rest/api/3/component/{at}")).get("lead"))
            case Kind.FILTER:
                return self._filter_owner(at)
            case Kind.DASHBOARD:
                return _account(mapping(self._http.get(f"/rest/api/3/dashboard/{at}")).get("owner"))
            case Kind.ISSUE:
                answer = mapping(self._http.get(f"/rest/api/3/issue/{at}", (("fields", "assignee"),)))
                return _account(mapping(answer.get("fields")).get("assignee"))
            case _:
                raise ValueError(kind)

    def _filter_owner(self, at: str) -> str | None:
        try:
            answer = self._http.get(f"/rest/api/3/filter/{at}", (("overrideSharePermissions", "true"),))
        except Unexpected as error:
            # Jira says 400 where a filter is not there any more.
            if error.status == 400:
                raise Gone from error
            raise
        return _account(mapping(answer).get("owner"))

    def may_be_assigned(self, account_id: str, project_id: str) -> bool:
        """GET /rest/api/3/user/assignable/search?accountId&project."""
        asked = (("accountId", _plain(account_id)), ("project", number(project_id)))
        return any(
            row.get("accountId") == account_id
            for row in rows(self._http.get("/rest/api/3/user/assignable/search", asked))
        )

    # -- changing hands -------------------------------------------------------------------------------------------

    def give(self, kind: Kind, reference: str, account_id: str) -> None:
        """Lets somebody have it from now on. Raises Unexpected(400) when Jira does not want them to, and Gone."""
        at, successor = number(reference), _plain(account_id)
        match kind:
            case Kind.PROJECT:
                self._http.put(f"/rest/api/3/project/{at}", {"leadAccountId": successor})
            case Kind.COMPONENT:
                self._http.put(f"/rest/api/3/component/{at}", {"leadAccountId": successor})
            case Kind.FILTER:
                self._http.put(f"/rest/api/3/filter/{at}/owner", {"accountId": successor})
            case Kind.DASHBOARD:
                self._give_dashboard(at, successor)
            case Kind.ISSUE:
                self._http.put(f"/rest/api/3/issue/{at}/assignee", {"accountId": successor})
            case _:
                raise ValueError(kind)

    def _give_dashboard(self, at: str, successor: str) -> None:
        """PUT /rest/api/3/dashboard/bulk/edit: its answer is 200 also for what was not done."""
        asked = {
            "action": "changeOwner",
            "entityIds": [int(at)],
            "changeOwnerDetails": {"newOwner": successor, "autofixName": False},
            "extendAdminPermissions": True,
        }
        failed = mapping(
            mapping(self._http.put("/rest/api/3/dashboard/bulk/edit", asked)).get("entityErrors") or {}
        )
        if at not in failed:
            return
        said = mapping(failed[at]).get("errorMessages")
        words = " ".join(str(each) for each in said) if isinstance(said, list) else ""
        if "not found" in words:
            raise Gone
        if "owner of the dashboard" in words:
            raise AccessForbidden
        raise Unexpected(400, reason="atlassian_dashboard_not_given")

    def _page(
        self, path: str, start: str, most: int, asked: tuple[tuple[str, str], ...] = ()
    ) -> dict[str, Any]:
        return mapping(self._http.get(path, (*asked, ("startAt", number(start)), ("maxResults", str(most)))))


def _open_issues(account_id: str) -> str:
    return f'assignee = "{_plain(account_id)}" AND statusCategory != Done ORDER BY key'


def _plain(account_id: str) -> str:
    # Also what would end the quotes of a JQL (S32).
    checked_account_id(account_id)
    return account_id


def _issue(row: dict[str, Any]) -> Found:
    fields = mapping(row.get("fields"))
    project = mapping(fields.get("project") or {})
    return Found(
        Kind.ISSUE,
        required_text(row, "id"),
        text(fields, "summary"),
        text(row, "key"),
        place=text(project, "id"),
    )


def _after(answer: dict[str, Any], start: str) -> str | None:
    """Where the page after the one from `start` begins: Jira may give shorter pages than were asked for.

    From what was asked: Jira need not say where a page begins, and the same one would be read for ever.
    """
    shown = len(rows(answer.get("values")))
    if flag(answer, "isLast", missing=False) or not shown:
        return None
    following = int(start) + shown
    total = count(answer, "total")
    return None if total is not None and following >= total else str(following)


def _account(user: Any) -> str | None:
    return (text(user, "accountId") or None) if isinstance(user, dict) else None
