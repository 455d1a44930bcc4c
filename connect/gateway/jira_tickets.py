"""Tickets of one Jira site (specs: jira-platform-v3): reading one as the app, commenting by an API token."""

from __future__ import annotations

import json
from typing import Any

from connect.errors import Unexpected
from connect.gateway.answers import count, mapping, required_text, rows, text
from connect.gateway.site_calls import SiteCalls, key, number
from rules.tickets import PersonField, Ticket

REQUEST_TYPE = "com.atlassian.servicedesk:vp-origin"
"""The kind of the custom field in which Jira Service Management keeps the request type."""
LONG_ONES = "*all,-comment,-attachment,-worklog,-description"
COMMENTS_PER_PAGE = 100
MOST_PAGES = 20


class JiraTickets(SiteCalls):
    """Every method raises AtlassianError; Gone without the ticket, or where it may not be seen."""

    def ticket(self, name: str, person_field: str = "") -> Ticket:
        """One ticket by id or key: GET /rest/api/3/issue/{issueIdOrKey}?expand=names,schema.

        `person_field` is the name or id of the field that names the person. Raises Invalid for an odd name (S32).
        """
        asked = (("fields", LONG_ONES), ("expand", "names,schema"))
        answer = mapping(self._http.get(f"/rest/api/3/issue/{key(name)}", asked))
        fields = mapping(answer.get("fields"))
        schema = mapping(answer.get("schema") or {})
        names = mapping(answer.get("names") or {})
        type_id, type_name = _request_type(fields, schema)
        return Ticket(
            id=required_text(answer, "id"),
            key=required_text(answer, "key"),
            project=required_text(mapping(fields.get("project")), "key"),
            request_type_id=type_id,
            request_type=type_name,
            reporter=_account(fields.get("reporter")),
            is_closed=_is_closed(fields.get("status")),
            person=_person(fields, names, person_field) if person_field else None,
        )

    def has_comment_with(self, issue_id: str, words: str) -> bool:
        """Whether these words stand in one of its comments: GET /rest/api/3/issue/{id}/comment, page by page."""
        start = 0
        for _ in range(MOST_PAGES):
            asked = (
                ("orderBy", "-created"),
                ("startAt", str(start)),
                ("maxResults", str(COMMENTS_PER_PAGE)),
            )
            answer = mapping(self._http.get(f"/rest/api/3/issue/{number(issue_id)}/comment", asked))
            found = rows(answer.get("comments"))
            if any(words in _plain(one.get("body")) for one in found):
                return True
            start += len(found)
            total = count(answer, "total")
            if not found or (total is not None and start >= total):
                return False
        raise Unexpected(200, reason="atlassian_too_many_comments")

    def comment(self, issue_id: str, paragraphs: tuple[str, ...]) -> None:
        """A comment that everybody sees who sees the ticket: POST /rest/api/3/issue/{id}/comment."""
        content = [{"type": "paragraph", "content": [{"type": "text", "text": each}]} for each in paragraphs]
        body = {"body": {"type": "doc", "version": 1, "content": content}}
        self._http.post(f"/rest/api/3/issue/{number(issue_id)}/comment", body)


def _request_type(fields: dict[str, Any], schema: dict[str, Any]) -> tuple[str, str]:
    """Id and name; both empty for an issue that is no request."""
    for field, about in schema.items():
        value = fields.get(field)
        if isinstance(about, dict) and about.get("custom") == REQUEST_TYPE and isinstance(value, dict):
            found = value.get("requestType")
            if isinstance(found, dict):
                return str(found.get("id") or "")[:40], text(found, "name")[:255]
    return "", ""


def _is_closed(status: Any) -> bool:
    category = status.get("statusCategory") if isinstance(status, dict) else None
    return isinstance(category, dict) and category.get("key") == "done"


def _person(fields: dict[str, Any], names: dict[str, Any], wanted: str) -> PersonField | None:
    """What stands in the field: an address as text, or one person who was picked. None when it is not there."""
    by_name = [field for field, name in names.items() if isinstance(name, str) and _same(name, wanted)]
    value = next((fields[field] for field in (wanted, *by_name) if fields.get(field)), None)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        return PersonField(email=value.strip()[:400])
    account_id = _account(value)
    return PersonField(account_id=account_id) if account_id else None


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _plain(body: Any) -> str:
    """All words of a comment: a string, or Atlassian's document format."""
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)


def _account(user: Any) -> str | None:
    return (text(user, "accountId") or None) if isinstance(user, dict) else None
