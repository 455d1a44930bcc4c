"""Jira Automation, as far as it is needed: when a request is raised, send a web request; again when that fails."""

from __future__ import annotations

import json
import sqlite3
import threading
from typing import Any

import requests

from sandbox.cloud import Cloud

ATTEMPTS = 3
PAUSE = 1.0
TIMEOUT = 10
BODY = '{\n  "issue": {"id": "{{issue.id}}", "key": "{{issue.key}}"}\n}'
EMPTY = {"url": "", "header": "", "value": "", "body": BODY, "on": False}


def settings(cloud: Cloud, site: str) -> dict[str, Any]:
    """What somebody filled in: url, header, value, body, on."""
    return EMPTY | json.loads(cloud.store.get(f"automation:{site}") or "{}")


def set_up(cloud: Cloud, site: str, values: dict[str, Any]) -> dict[str, Any]:
    """ValueError for a value that Jira Automation does not have, or an address that is none."""
    unknown = set(values) - set(EMPTY)
    found = settings(cloud, site) | values
    if unknown or (found["on"] and not str(found["url"]).startswith(("http://", "https://"))):
        raise ValueError(
            f"url, header, value, body, on; not: {sorted(unknown)}; and an address begins with http"
        )
    cloud.store.put(f"automation:{site}", json.dumps(found))
    return found


def on_created(cloud: Cloud, site: str, row: sqlite3.Row) -> None:
    """The trigger: sends in the background, as Jira does."""
    about = settings(cloud, site)
    if about["on"]:
        threading.Thread(target=send, args=(cloud, site, dict(row), about), daemon=True).start()


def send(cloud: Cloud, site: str, issue: dict[str, Any], about: dict[str, Any]) -> int:
    """One web request as it was set up, with its repetitions; the last status, 0 without an answer."""
    values = {
        "{{issue.id}}": str(issue["id"]),
        "{{issue.key}}": issue["key"],
        "{{issue.summary}}": issue["summary"],
        "{{issue.reporter.accountId}}": issue["reporter"],
    }
    body = about["body"]
    for word, value in values.items():
        body = body.replace(word, value)
    headers = {"Content-Type": "application/json"}
    if about["header"]:
        headers[about["header"].strip()] = about["value"].strip()
    status = 0
    try:
        for attempt in range(1, ATTEMPTS + 1):
            status = _post(about["url"].strip(), body, headers)
            # Whoever has reset everything meanwhile, or set it up anew, is not told of what was before.
            if settings(cloud, site) != about:
                break
            _note(cloud, site, issue["key"], attempt, status)
            if 0 < status < 500 and status != 429:
                break
            if attempt < ATTEMPTS and cloud.stopping.wait(PAUSE):
                break
    finally:
        cloud.store.leave_thread()
    return status


def calls(cloud: Cloud, site: str) -> list[sqlite3.Row]:
    """What was sent, the newest first."""
    return cloud.store.all("SELECT * FROM automation_call WHERE org = ? ORDER BY id DESC LIMIT 100", (site,))


def _post(url: str, body: str, headers: dict[str, str]) -> int:
    try:
        return requests.post(
            url, data=body.encode(), headers=headers, timeout=TIMEOUT, allow_redirects=False
        ).status_code
    except requests.RequestException:
        return 0


def _note(cloud: Cloud, site: str, key: str, attempt: int, status: int) -> None:
    with cloud.store.write() as connection:
        connection.execute(
            "INSERT INTO automation_call (org, key, attempt, status) VALUES (?,?,?,?)",
            (site, key, attempt, status),
        )
