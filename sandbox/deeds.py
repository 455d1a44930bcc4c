"""What was asked to be done to whom, and whether it changed anything: the proof of "exactly once"."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox import announcements
from sandbox.store import Store


def record(
    store: Store,
    org: str,
    account_id: str,
    action: str,
    *,
    effective: bool,
    status: int,
    about: str | None = None,
) -> None:
    """Note one call. `about` is the group or the product that the action was about, if any."""
    if effective:
        announcements.note(org, account_id, announcements.BY_DEED.get(action))
    with store.write() as connection:
        connection.execute(
            "INSERT INTO deed (org, account_id, action, effective, status, at, about) VALUES (?,?,?,?,?,?,?)",
            (org, account_id, action, int(effective), status, datetime.now(UTC).isoformat(), about),
        )


def effects(store: Store) -> dict[str, dict[str, Any]]:
    """account id -> {action: effective changes, "calls": {action: every call}, "by": {"action:about": changes}}."""
    found: dict[str, dict[str, Any]] = {}
    for row in store.all(
        "SELECT account_id, action, about, sum(effective) AS changes, count(*) AS calls FROM deed"
        " GROUP BY account_id, action, about"
    ):
        person = found.setdefault(row["account_id"], {"suspend": 0, "restore": 0, "calls": {}, "by": {}})
        action = row["action"]
        person[action] = person.get(action, 0) + row["changes"]
        person["calls"][action] = person["calls"].get(action, 0) + row["calls"]
        if row["about"] is not None:
            person["by"][f"{action}:{row['about']}"] = row["changes"]
    return found


def forget(store: Store) -> None:
    with store.write() as connection:
        connection.execute("DELETE FROM deed")
