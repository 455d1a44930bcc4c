"""What Jira and Confluence post for an event."""

from __future__ import annotations

import time
from typing import Any


def body(product: str, event: str, account_id: str, name: str, base_url: str) -> dict[str, Any]:
    """The event's JSON. The actor: `user`, `comment.author`, `worklog.author` (Jira); `userAccountId` (Confluence).

    Of user_… events these are whom it is about.
    """
    if product == "confluence":
        return _confluence(event, account_id, base_url)
    return _jira(event, account_id, name, base_url)


def _now() -> int:
    return int(time.time() * 1000)


def _jira(event: str, account_id: str, name: str, base_url: str) -> dict[str, Any]:
    user = {
        "self": f"{base_url}/rest/api/2/user?accountId={account_id}",
        "accountId": account_id,
        "displayName": name,
        "active": True,
        "timeZone": "Europe/Zagreb",
        "accountType": "atlassian",
        "avatarUrls": {},
    }
    issue = {
        "id": "10042",
        "key": "DEMO-42",
        "self": f"{base_url}/rest/api/2/issue/10042",
        "fields": {"summary": "Order new chairs", "project": {"id": "10000", "key": "DEMO", "name": "Demo"}},
    }
    envelope: dict[str, Any] = {"timestamp": _now(), "webhookEvent": event}
    if event.startswith("comment_"):
        comment = {"id": "20001", "author": user, "updateAuthor": user, "body": "Done."}
        return {**envelope, "comment": comment, "issue": issue}
    if event.startswith("worklog_"):
        return {
            **envelope,
            "worklog": {"id": "30001", "author": user, "updateAuthor": user, "issueId": "10042"},
        }
    if event.startswith("user_"):
        return {**envelope, "user": user}
    return {**envelope, "issue_event_type_name": event.replace("jira:", ""), "user": user, "issue": issue}


def _confluence(event: str, account_id: str, base_url: str) -> dict[str, Any]:
    envelope: dict[str, Any] = {"userAccountId": account_id, "accountType": "user", "timestamp": _now()}
    if event.startswith("user_"):
        return envelope
    if event.startswith("group_"):
        return {**envelope, "groups": [{"name": "contractors"}]}
    subject = {
        "id": 98765,
        "spaceKey": "DEMO",
        "title": "Meeting notes",
        "creatorAccountId": account_id,
        "lastModifierAccountId": account_id,
        "version": 3,
        "contentType": "page",
        "self": f"{base_url}/spaces/DEMO/pages/98765",
    }
    kind = event.split("_", 1)[0]
    return {**envelope, "updateTrigger": "edit_page", kind: subject}
