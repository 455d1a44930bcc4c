"""What was asked to be done to whom, and whether it changed anything: the proof of "exactly once"."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox.store import Store


def record(store: Store, org: str, account_id: str, action: str, *, effective: bool, status: int) -> None:
    with store.write() as connection:
        connection.execute(
            "INSERT INTO deed (org, account_id, action, effective, status, at) VALUES (?,?,?,?,?,?)",
            (org, account_id, action, int(effective), status, datetime.now(UTC).isoformat()),
        )


def effects(store: Store) -> dict[str, dict[str, Any]]:
    """account id -> {action: effective changes, "calls": {action: every call that reached us}}."""
    found: dict[str, dict[str, Any]] = {}
    for row in store.all(
        "SELECT account_id, action, sum(effective) AS changes, count(*) AS calls FROM deed"
        " GROUP BY account_id, action"
    ):
        person = found.setdefault(row["account_id"], {"suspend": 0, "restore": 0, "calls": {}})
        person[row["action"]] = row["changes"]
        person["calls"][row["action"]] = row["calls"]
    return found


def forget(store: Store) -> None:
    with store.write() as connection:
        connection.execute("DELETE FROM deed")
