"""What somebody holds by themselves: a place in a group, a direct role. A change may show late, as at Atlassian."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Holding:
    """One row of `member` (team) or `direct_role` (resource, role), whoever has it."""

    table: str
    columns: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def key(self) -> str:
        return " ".join(self.values)

    @property
    def condition(self) -> str:
        return " AND ".join(f"{column} = ?" for column in ("seq", *self.columns))


def place_in(team: str) -> Holding:
    return Holding("member", ("team",), (team,))


def role_on(resource: str, role: str) -> Holding:
    return Holding("direct_role", ("resource", "role"), (resource, role))


def holds(store: Store, seq: int, holding: Holding) -> bool:
    """The truth, also where readers don't see it yet."""
    late = store.one(
        "SELECT present FROM late WHERE seq = ? AND held = ? AND key = ?", (seq, holding.table, holding.key)
    )
    if late is not None:
        return bool(late["present"])
    sql = f"SELECT 1 FROM {holding.table} WHERE {holding.condition}"
    return store.one(sql, (seq, *holding.values)) is not None


def put(store: Store, seq: int, holding: Holding, *, present: bool, delay: float = 0) -> bool:
    """Give or take; whether it changed anything. For `delay` seconds readers still see the old state."""
    with store.write() as connection:
        if holds(store, seq, holding) is present:
            return False
        connection.execute(
            "INSERT OR REPLACE INTO late VALUES (?,?,?,?,?)",
            (seq, holding.table, holding.key, int(present), time.time() + delay),
        )
        settle(store)
        return True


def settle(store: Store) -> None:
    """Let readers see what is late no more."""
    if not store.all("SELECT 1 FROM late WHERE until <= ? LIMIT 1", (time.time(),)):
        return
    with store.write() as connection:
        for row in store.all("SELECT * FROM late WHERE until <= ?", (time.time(),)):
            values = row["key"].split(" ")
            holding = place_in(*values) if row["held"] == "member" else role_on(*values)
            if row["present"]:
                marks = ",".join("?" * (1 + len(values)))
                sql = f"INSERT OR IGNORE INTO {holding.table} VALUES ({marks})"
            else:
                sql = f"DELETE FROM {holding.table} WHERE {holding.condition}"
            connection.execute(sql, (row["seq"], *values))
            connection.execute(
                "DELETE FROM late WHERE seq = ? AND held = ? AND key = ?",
                (row["seq"], row["held"], row["key"]),
            )


def run_identity_provider(store: Store, org: str) -> int:
    """Put everybody back into the synced groups they are in at the identity provider; how many came back."""
    with store.write() as connection:
        connection.execute(
            "DELETE FROM late WHERE held = 'member' AND (seq, key) IN (SELECT * FROM synced_member)"
        )
        return connection.execute(
            "INSERT OR IGNORE INTO member SELECT seq, team FROM synced_member"
            " WHERE team IN (SELECT id FROM team WHERE org = ?)",
            (org,),
        ).rowcount
