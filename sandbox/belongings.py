"""Looking up what people of a site own, and giving it to somebody else; every change is counted like a deed."""

from __future__ import annotations

import sqlite3
from typing import Any

from sandbox import belongings_seed, deeds, world
from sandbox.cloud import Cloud
from sandbox.people import Directory


class Belongings:
    """What the people of one organization own."""

    def __init__(self, cloud: Cloud, organization: world.Organization) -> None:
        self._cloud = cloud
        self._store = cloud.store
        self.organization = organization

    @property
    def directory(self) -> Directory:
        return self._cloud.directory(self.organization.key)

    def all(self, kind: str, **columns: Any) -> list[sqlite3.Row]:
        """Everything of a kind with these columns, by id."""
        belongings_seed.fill(self._store, self.organization)
        where = "".join(f" AND {name} = :{name}" for name in columns)
        return self._store.connection.execute(
            f"SELECT * FROM belonging WHERE org = :org AND kind = :kind{where} ORDER BY length(id), id",
            {"org": self.organization.key, "kind": kind, **columns},
        ).fetchall()

    def find(self, kind: str, name: str) -> sqlite3.Row | None:
        """By id or key."""
        belongings_seed.fill(self._store, self.organization)
        return self._store.one(
            "SELECT * FROM belonging WHERE org = ? AND kind = ? AND (id = ? OR (key = ? AND kind != 'component'))",
            (self.organization.key, kind, name, name),
        )

    def give(self, row: sqlite3.Row, holder: str | None, status: int = 204) -> None:
        """Somebody else has it from now on. The deed is noted with whoever had it before."""
        with self._store.write() as connection:
            connection.execute(
                "UPDATE belonging SET holder = ? WHERE org = ? AND kind = ? AND id = ?",
                (holder, row["org"], row["kind"], row["id"]),
            )
            self.note(row["holder"] or "", f"give_{row['kind']}", row["id"], row["holder"] != holder, status)

    def remove(self, row: sqlite3.Row) -> None:
        with self._store.write() as connection:
            connection.execute(
                "DELETE FROM belonging WHERE org = ? AND kind = ? AND id = ?",
                (row["org"], row["kind"], row["id"]),
            )

    def note(self, account_id: str, action: str, about: str, effective: bool, status: int) -> None:  # noqa: FBT001
        deeds.record(
            self._store,
            self.organization.key,
            account_id,
            action,
            effective=effective,
            status=status,
            about=about,
        )

    def may_hold(self, account_id: str | None, product: str = world.JIRA) -> bool:
        """Somebody active with access to the product."""
        person = self.directory.find(account_id) if account_id else None
        if person is None or person["shown_status"] != "active":
            return False
        access = self.directory.access([person["seq"]]).get(person["seq"], [])
        return any(world.product_of(resource) == product for resource, _ in access)

    def user(self, account_id: str | None, base: str) -> dict[str, Any] | None:
        """Somebody as Jira shows them beside something they own; None for nobody."""
        person = self.directory.find(account_id) if account_id else None
        if person is None:
            return None
        return {
            "self": f"{base}/rest/api/3/user?accountId={person['account_id']}",
            "accountId": person["account_id"],
            "accountType": "atlassian",
            "displayName": person["name"],
            "active": person["shown_status"] == "active",
        }

    # -- who may do what in a space -------------------------------------------------------------------------------

    def permissions(self, space: str) -> list[sqlite3.Row]:
        belongings_seed.fill(self._store, self.organization)
        return self._store.all(
            "SELECT * FROM space_permission WHERE org = ? AND space = ? ORDER BY id",
            (self.organization.key, space),
        )

    def roles(self, space: str) -> list[sqlite3.Row]:
        """Who has which role in a space: principal_type is USER, GROUP or ACCESS_CLASS."""
        return self._store.all(
            "SELECT * FROM space_role WHERE org = ? AND space = ? ORDER BY role, principal_type, principal",
            (self.organization.key, space),
        )

    def give_role(self, space: str, role: str, kind: str, principal: str) -> None:
        """A role of that space which includes to read and to administer it."""
        belongings_seed.fill(self._store, self.organization)
        with self._store.write() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO space_permission (org, space, principal_type, principal, operation)"
                " VALUES (?,?,'role',?,?)",
                [(self.organization.key, space, role, each) for each in ("read", "administer")],
            )
            connection.execute(
                "INSERT OR IGNORE INTO space_role VALUES (?,?,?,?,?)",
                (self.organization.key, space, role, kind, principal),
            )

    def may_in_space(self, account_id: str, space: str, operation: str) -> bool:
        """By themselves, by a group they are in, or by a role that one of these has."""
        person = self.directory.find(account_id)
        if person is None or person["shown_status"] != "active":
            return False
        groups = {group["id"] for group in self.directory.groups([person["seq"]]).get(person["seq"], [])}
        roles = {
            row["role"]
            for row in self.roles(space)
            if row["principal"] == account_id or row["principal"] in groups
        }
        return any(
            row["operation"] == operation and row["principal"] in {account_id, *groups, *roles}
            for row in self.permissions(space)
        )

    def grant(self, space: str, kind: str, principal: str, operation: str) -> int | None:
        """The id of the new permission; None when it is there already."""
        with self._store.write() as connection:
            added = connection.execute(
                "INSERT OR IGNORE INTO space_permission (org, space, principal_type, principal, operation)"
                " VALUES (?,?,?,?,?)",
                (self.organization.key, space, kind, principal, operation),
            )
            self.note(
                principal, f"grant_{operation}", space, bool(added.rowcount), 200 if added.rowcount else 400
            )
            return added.lastrowid if added.rowcount else None

    def take(self, row: sqlite3.Row) -> None:
        """One permission; with the one to read go all others of the same principal."""
        with self._store.write() as connection:
            same = "org = ? AND space = ? AND principal = ?"
            values: tuple[Any, ...] = (row["org"], row["space"], row["principal"])
            if row["operation"] != "read":
                same, values = f"{same} AND id = ?", (*values, row["id"])
            connection.execute(f"DELETE FROM space_permission WHERE {same}", values)
            self.note(row["principal"], f"take_{row['operation']}", row["space"], effective=True, status=204)
