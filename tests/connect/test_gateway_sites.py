"""Lists of a site as its specifications allow them: nothing in them is required."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connect.gateway.credentials import basic
from connect.gateway.jira import IssuePeople, JiraSite
from connect.gateway.jira_belongings import JiraBelongings
from connect.gateway.jira_tickets import JiraTickets
from connect.hosts import SiteOrigins
from tests.connect.listener import Call, Listener, Reply

LEAD = {"accountId": "5b10:ana"}
MOST_CALLS = 20
WORDS = ("startAt", "isLast", "total", "maxResults")


def opened(kind: type[Any], listener: Listener) -> Any:
    return kind(
        listener.url,
        origins=SiteOrigins((listener.url,)),
        authorization=basic("ana@acme.example", "ATATT-token"),
        clock=lambda: datetime(2026, 11, 23, tzinfo=UTC),
    )


def pages_of(name: str, rows: list[dict[str, Any]], size: int, told: str) -> Callable[[Call], Reply]:
    """A list in pages of `size`, of which nothing is told but the rows and one word."""

    def answer(call: Call) -> Reply:
        start = int(parse_qs(urlsplit(call.path).query)["startAt"][0])
        page = rows[start : start + size]
        words = {
            "startAt": start,
            "isLast": start + size >= len(rows),
            "total": len(rows),
            "maxResults": size,
        }
        return Reply(200, json.dumps({name: page, told: words[told]}).encode())

    return answer


@pytest.mark.parametrize("told", [{}, {"watchers": None}, {"watchers": []}])
def test_an_issue_has_its_people_though_its_watchers_are_not_told(
    told: dict[str, Any], listener: Listener
) -> None:
    def answer(call: Call) -> Reply:
        found = {"watchCount": 2} | told if "watchers" in call.path else {"fields": {"assignee": LEAD}}
        return Reply(200, json.dumps(found).encode())

    listener.answer = answer
    assert opened(JiraSite, listener).people_of_issue(1) == IssuePeople("5b10:ana", None, ())


@pytest.mark.parametrize("told", WORDS)
def test_a_list_of_jira_ends_whatever_it_tells_of_itself(told: str, listener: Listener) -> None:
    rows = [{"id": str(number), "name": "A", "lead": LEAD} for number in range(5)]
    listener.answer = pages_of("values", rows, 2, told)
    site = opened(JiraBelongings, listener)
    found, start = [], "0"
    for _ in range(MOST_CALLS):
        page = site.projects_led_by("5b10:ana", start)
        found += [one.reference for one in page.found]
        if page.next is None:
            break
        start = page.next
    assert (page.next, found) == (None, ["0", "1", "2", "3", "4"])


@pytest.mark.parametrize("told", WORDS)
def test_a_comment_is_found_on_whichever_page_it_is(told: str, listener: Listener) -> None:
    """Else it would be written twice."""
    comments = [{"body": f"comment {number}"} for number in range(5)]
    listener.answer = pages_of("comments", comments, 2, told)
    site = opened(JiraTickets, listener)
    assert site.has_comment_with("1", "comment 3")
    assert not site.has_comment_with("1", "comment 7")
