"""The directory: reading pages of people and changing one of them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox import world
from sandbox.store import Store

# What a reader sees: a change made under the fault "delay-visibility" shows only after `former_until`.
SHOWN_MEMBERSHIP = "(CASE WHEN former_until > :now THEN former_membership ELSE membership END)"
SHOWN_STATUS = f"""(CASE account_status WHEN 'inactive' THEN 'deactivated' WHEN 'closed' THEN 'for_deletion' ELSE
 CASE {SHOWN_MEMBERSHIP} WHEN 'active' THEN 'active' WHEN 'suspended' THEN 'suspended' ELSE 'not_invited' END END)"""


@dataclass(slots=True)
class Where:
    """SQL conditions with their values; `:now` is always there."""

    clauses: list[str]
    values: dict[str, Any]

    @classmethod
    def organization(cls, org: str) -> Where:
        return cls(["org = :org"], {"org": org, "now": time.time()})

    def add(self, clause: str, **values: Any) -> None:
        self.clauses.append(clause)
        self.values.update(values)

    def within(self, expression: str, name: str, wanted: Sequence[Any]) -> None:
        """`expression` is one of `wanted`."""
        marks = {f"{name}{index}": value for index, value in enumerate(wanted)}
        self.add(f"{expression} IN ({','.join(':' + key for key in marks)})", **marks)

    @property
    def sql(self) -> str:
        return " AND ".join(self.clauses)


def filtered(org: str, asked: dict[str, Any]) -> Where:
    """The filters of POST /v2/orgs/{orgId}/directories/{directoryId}/users/search (and of /users/count)."""
    where = Where.organization(org)
    for field, expression in (
        ("accountIds", "account_id"),
        # Exactly as written: of group names, and not of these, Atlassian says that case is no matter.
        ("emails", "email"),
        ("emailDomains", "domain"),
        ("accountStatus", "account_status"),
        ("membershipStatus", SHOWN_MEMBERSHIP),
        ("status", SHOWN_STATUS),
    ):
        if asked.get(field):
            lower = field == "emailDomains"
            where.within(expression, field, [str(v).lower() if lower else v for v in asked[field]])
    if asked.get("claimStatus"):
        where.add("claim = :claim", claim=asked["claimStatus"])
    if asked.get("mfaEnabled") is not None:
        where.add("mfa = :mfa", mfa=int(asked["mfaEnabled"]))
    if asked.get("searchTerm"):
        term = "%" + str(asked["searchTerm"]).lower().replace("%", r"\%").replace("_", r"\_") + "%"
        where.add(
            r"(lower(name) LIKE :term ESCAPE '\' OR lower(nickname) LIKE :term ESCAPE '\'"
            r" OR (email_hidden = 0 AND lower(email) LIKE :term ESCAPE '\'))",
            term=term,
        )
    _through_groups(where, asked)
    return where


def _through_groups(where: Where, asked: dict[str, Any]) -> None:
    if asked.get("groupIds"):
        inner = Where([], {})
        inner.within("team", "team", asked["groupIds"])
        where.add(f"seq IN (SELECT seq FROM member WHERE {inner.sql})", **inner.values)
    for field, column in (("resourceIds", "resource"), ("roleIds", "role")):
        if asked.get(field):
            inner = Where([], {})
            inner.within(column, column, asked[field])
            sql = (
                f"seq IN (SELECT seq FROM member JOIN team_role ON team_role.team = member.team WHERE {inner.sql}"
                f" UNION SELECT seq FROM direct_role WHERE {inner.sql})"
            )
            if field == "roleIds":
                roles = {f"platform{i}": f"% {role} %" for i, role in enumerate(asked[field])}
                sql = (
                    f"({sql} OR "
                    + " OR ".join(f"' ' || platform_roles || ' ' LIKE :{key}" for key in roles)
                    + ")"
                )
                inner.values.update(roles)
            where.add(sql, **inner.values)


class Directory:
    """One organization's people in the store."""

    def __init__(self, store: Store, organization: world.Organization) -> None:
        self._store = store
        self.organization = organization

    # -- reading ------------------------------------------------------------------------------------------------

    def page(
        self, where: Where, after: tuple[str, int] | None, limit: int, order: str | None
    ) -> list[sqlite3.Row]:
        """Up to `limit` rows behind the position `after` (nickname, seq); `order` None, "asc" or "desc" by nickname."""
        values = dict(where.values, limit=limit)
        clauses = [where.sql]
        if after is not None:
            values.update(nick=after[0], seq=after[1])
            clauses.append(
                "seq > :seq"
                if order is None
                else f"(nickname, seq) {'>' if order == 'asc' else '<'} (:nick, :seq)"
            )
        ordering = "seq" if order is None else f"nickname {order}, seq {order}"
        sql = (
            f"SELECT *, {SHOWN_MEMBERSHIP} AS shown_membership, {SHOWN_STATUS} AS shown_status FROM person"
            f" WHERE {' AND '.join(clauses)} ORDER BY {ordering} LIMIT :limit"
        )
        return self._store.connection.execute(sql, values).fetchall()

    def count(self, where: Where) -> int:
        return int(
            self._store.connection.execute(
                f"SELECT count(*) FROM person WHERE {where.sql}", where.values
            ).fetchone()[0]
        )

    def count_outside(self) -> int:
        """Managed accounts that are in no directory: whoever is asked for everybody counts them too."""
        where = " OR ".join(["email LIKE ?"] * len(self.organization.domains))
        sql = (
            f"SELECT count(*) AS n FROM former_account WHERE ({where})"
            " AND account_id NOT IN (SELECT account_id FROM person)"
        )
        row = self._store.one(sql, [f"%@{domain}" for domain in self.organization.domains])
        return int(row["n"]) if row else 0

    def find(self, account_id: str) -> sqlite3.Row | None:
        where = Where.organization(self.organization.key)
        where.add("account_id = :account", account=account_id)
        rows = self.page(where, None, 1, None)
        return rows[0] if rows else None

    def groups(self, seqs: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
        """seq -> groups as users/search with expand `groups` shows them."""
        rows = self._store.all(
            "SELECT member.seq, team.id, team.name, team.description FROM member JOIN team ON team.id = member.team"
            f" WHERE member.seq IN ({_numbers(seqs)}) ORDER BY member.seq, team.name"
        )
        found: dict[int, list[dict[str, Any]]] = {}
        for row in rows:
            found.setdefault(row["seq"], []).append(
                {"id": row["id"], "name": row["name"], "description": row["description"]}
            )
        return found

    def access(self, seqs: Iterable[int]) -> dict[int, list[tuple[str, str | None]]]:
        """seq -> (resource, last active or None) for every product the person has a role in."""
        numbers = _numbers(seqs)
        rows = self._store.all(
            "SELECT held.seq, held.resource, activity.last_active FROM ("
            f" SELECT member.seq, team_role.resource FROM member JOIN team_role ON team_role.team = member.team"
            f" WHERE member.seq IN ({numbers})"
            f" UNION SELECT seq, resource FROM direct_role WHERE seq IN ({numbers})) AS held"
            " LEFT JOIN activity ON activity.seq = held.seq AND activity.resource = held.resource"
            " ORDER BY held.seq, held.resource DESC"
        )
        found: dict[int, list[tuple[str, str | None]]] = {}
        for row in rows:
            found.setdefault(row["seq"], []).append((row["resource"], row["last_active"]))
        return found

    def roles(self, seq: int) -> dict[str, dict[str, list[str]]]:
        """resource -> role -> how it was assigned (`direct`, `group_direct`)."""
        rows = self._store.all(
            "SELECT team_role.resource, team_role.role, 'group_direct' AS method FROM member"
            " JOIN team_role ON team_role.team = member.team WHERE member.seq = ?"
            " UNION SELECT resource, role, 'direct' FROM direct_role WHERE seq = ?",
            (seq, seq),
        )
        found: dict[str, dict[str, list[str]]] = {}
        for row in rows:
            found.setdefault(row["resource"], {}).setdefault(row["role"], []).append(row["method"])
        return found

    def may_administer(self, account_id: str, product: str) -> bool:
        """Has this active person the product's admin role, directly, by a group or as site admin?"""
        person = self.find(account_id)
        if person is None or person["account_status"] != "active" or person["shown_membership"] != "active":
            return False
        if "atlassian/org-admin" in person["platform_roles"]:
            return True
        return "atlassian/admin" in self.roles(person["seq"]).get(self.organization.resource(product), {})

    # -- changing -----------------------------------------------------------------------------------------------

    def set_membership(self, account_id: str, wanted: str, delay: float) -> bool:
        """Suspend or restore; whether it changed anything. For `delay` seconds readers still see the old state."""
        with self._store.write() as connection:
            row = connection.execute(
                "SELECT seq, membership FROM person WHERE org = ? AND account_id = ?",
                (self.organization.key, account_id),
            ).fetchone()
            if row is None or row["membership"] == wanted:
                return False
            connection.execute(
                "UPDATE person SET membership = ?, former_membership = ?, former_until = ? WHERE seq = ?",
                (wanted, row["membership"], time.time() + delay if delay else 0, row["seq"]),
            )
            return True

    def change(self, account_id: str, columns: dict[str, Any], last_active: dict[str, str | None]) -> bool:
        """Overwrite columns and last-active dates (by product, None = never); False when there is nobody like that."""
        with self._store.write() as connection:
            row = connection.execute(
                "SELECT seq FROM person WHERE org = ? AND account_id = ?", (self.organization.key, account_id)
            ).fetchone()
            if row is None:
                return False
            if columns:
                names = ", ".join(f"{name} = ?" for name in columns)
                connection.execute(
                    f"UPDATE person SET {names}, former_until = 0 WHERE seq = ?",
                    (*columns.values(), row["seq"]),
                )
            for product, moment in last_active.items():
                connection.execute(
                    "INSERT OR REPLACE INTO activity VALUES (?,?,?)",
                    (row["seq"], self.organization.resource(product), moment),
                )
            return True

    def remove(self, account_id: str) -> bool:
        """Take somebody out of the directory for good: roles and groups are lost, the account stays theirs."""
        with self._store.write() as connection:
            row = connection.execute(
                "SELECT seq FROM person WHERE org = ? AND account_id = ?", (self.organization.key, account_id)
            ).fetchone()
            if row is None:
                return False
            connection.execute(
                "INSERT OR REPLACE INTO former_account"
                " SELECT lower(email), account_id, name, nickname FROM person WHERE seq = ?",
                (row["seq"],),
            )
            for table in ("member", "synced_member", "direct_role", "late", "activity", "person"):
                connection.execute(f"DELETE FROM {table} WHERE seq = ?", (row["seq"],))
            return True


def _numbers(seqs: Iterable[int]) -> str:
    return ",".join(str(int(seq)) for seq in seqs)
