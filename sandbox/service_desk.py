"""A project of Jira Service Management: its request types, the requests that people raise, and their comments."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import Any

from sandbox import world
from sandbox.store import Store

PROJECT = {"id": "10900", "key": "HELP", "name": "IT help"}
REQUEST_TYPES = {"101": "Get access to design tools", "102": "New colleague", "103": "Something is broken"}
TYPE_FIELD, PERSON_FIELD = "customfield_10010", "customfield_10071"
PERSON_FIELD_NAME = "E-mail of the new colleague"
FIRST_ID = 12000
STATUSES = {
    "open": ("10001", "Waiting for support", ("4", "indeterminate", "In Progress", "yellow")),
    "done": ("10002", "Resolved", ("3", "done", "Done", "green")),
}
NAMES = {
    "summary": "Summary",
    "project": "Space",
    "reporter": "Reporter",
    "status": "Status",
    "created": "Created",
    TYPE_FIELD: "Request Type",
    PERSON_FIELD: PERSON_FIELD_NAME,
}
SCHEMA = {
    "summary": {"type": "string", "system": "summary"},
    "project": {"type": "project", "system": "project"},
    "reporter": {"type": "user", "system": "reporter"},
    "status": {"type": "status", "system": "status"},
    "created": {"type": "datetime", "system": "created"},
    TYPE_FIELD: {
        "type": "sd-customerrequesttype",
        "custom": "com.atlassian.servicedesk:vp-origin",
        "customId": 10010,
    },
    PERSON_FIELD: {
        "type": "string",
        "custom": "com.atlassian.jira.plugin.system.customfieldtypes:textfield",
        "customId": 10071,
    },
}


class ServiceDesk:
    """The one such project of a site."""

    def __init__(self, store: Store, organization: world.Organization) -> None:
        self._store = store
        self._org = organization.key

    def raise_request(
        self, request_type: str, reporter: str, summary: str, person: str = "", project: str = PROJECT["key"]
    ) -> sqlite3.Row:
        """A new request; ValueError for an unknown type."""
        if request_type not in REQUEST_TYPES:
            raise ValueError(f"request types are {', '.join(REQUEST_TYPES)}")
        with self._store.write() as connection:
            row = connection.execute("SELECT max(id) AS last FROM request").fetchone()
            number = max(int(row["last"] or 0), FIRST_ID) + 1
            key = f"{project}-{number - FIRST_ID}"
            connection.execute(
                "INSERT INTO request VALUES (?,?,?,?,?,?,?,?,?)",
                (number, self._org, key, request_type, summary, reporter, person, "open", _now()),
            )
        found = self.find(str(number))
        assert found is not None
        return found

    def find(self, name: str) -> sqlite3.Row | None:
        """By id or key."""
        return self._store.one(
            "SELECT * FROM request WHERE org = ? AND (CAST(id AS TEXT) = ? OR key = ?)",
            (self._org, name, name),
        )

    def all(self) -> list[sqlite3.Row]:
        """The newest first."""
        return self._store.all("SELECT * FROM request WHERE org = ? ORDER BY id DESC", (self._org,))

    def change(self, name: str, values: dict[str, str]) -> bool:
        """Other values of type, summary, reporter, person, status; ValueError for an unknown one."""
        if set(values) - {"type", "summary", "reporter", "person", "status"}:
            raise ValueError("type, summary, reporter, person, status may be changed")
        row = self.find(name)
        if row is None:
            return False
        with self._store.write() as connection:
            for column, value in values.items():
                connection.execute(f"UPDATE request SET {column} = ? WHERE id = ?", (value, row["id"]))
        return True

    def remove(self, name: str) -> bool:
        row = self.find(name)
        if row is not None:
            with self._store.write() as connection:
                connection.execute("DELETE FROM request WHERE id = ?", (row["id"],))
        return row is not None

    def comment(self, request_id: int, author: str, body: Any) -> sqlite3.Row:
        with self._store.write() as connection:
            added = connection.execute(
                "INSERT INTO request_comment (org, request, author, body, created) VALUES (?,?,?,?,?)",
                (self._org, request_id, author, json.dumps(body), _now()),
            )
        row = self._store.one("SELECT * FROM request_comment WHERE id = ?", (added.lastrowid,))
        assert row is not None
        return row

    def comments(self, request_id: int) -> list[sqlite3.Row]:
        """The oldest first."""
        return self._store.all(
            "SELECT * FROM request_comment WHERE org = ? AND request = ? ORDER BY id", (self._org, request_id)
        )


def plain_text(body: Any) -> str:
    """The words of a comment in Atlassian's document format, a line for each paragraph."""
    if isinstance(body, dict) and body.get("type") == "text":
        return str(body.get("text", ""))
    parts = [plain_text(each) for each in body.get("content", [])] if isinstance(body, dict) else []
    return ("\n" if isinstance(body, dict) and body.get("type") == "doc" else "").join(parts)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
