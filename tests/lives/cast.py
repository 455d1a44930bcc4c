"""The people of a random life, and what they really have at Atlassian, read past the app and past the API."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from connect.caller import Caller
from models.db import Base
from sandbox import holdings
from sandbox.people import Directory
from sandbox.world import ORGANIZATIONS
from tests.security.world import Clock
from tests.world import ACCOUNTS, GLOBEX, World
from views.access import TOOLS

PEOPLE = (
    "ida", "ian", "ivy", "abe", "bea", "cal", "dee", "eve", "ned", "amy", "exa",
    "syd", "bot", "service", "owner", "ana", "priya", "jon",
)  # fmt: skip
"""Idle ones; eve is idle and works with Rollcall as an operator; ned never came, amy is active; exa is external, syd
belongs to an identity provider; then machines, the owner of another site, and administrators: ana's is the key.
"""
_MADE = {
    "ida": ("employee", {"groups": ["jira-users"], "direct": ["jira-software"]}),
    "ian": ("employee", {"groups": ["jira-users", "confluence-users"]}),
    "ivy": ("employee", {"groups": ["service-desk-agents"], "direct": ["jira-software"]}),
    "abe": ("employee", {"groups": ["jira-users"]}),
    "bea": ("employee", {"groups": ["jira-users", "team-design"]}),
    "cal": ("employee", {"groups": ["confluence-users"], "direct": ["jira-software"]}),
    "dee": ("employee", {"groups": ["jira-users", "service-desk-agents", "contractors"]}),
    "eve": ("employee", {"groups": ["jira-users"]}),
    "ned": ("employee", {"groups": ["jira-users"], "idle": None}),
    "amy": ("employee", {"groups": ["jira-users"], "idle": 1}),
    "exa": ("external", {"groups": ["jira-users"]}),
    "syd": ("employee", {"groups": ["jira-users"], "management_source": "synced"}),
    "bot": ("bot", {"groups": ["jira-users"]}),
    "service": ("employee", {"groups": ["jira-users"], "email": "robot@serviceaccount.atlassian.com"}),
    "owner": ("other-site-owner", {"groups": ["jira-users"]}),
    "ana": ("", {"groups": ["jira-users", "jira-admins"]}),
    "priya": ("", {"groups": ["jira-users", "jira-admins"]}),
    "jon": ("", {"groups": ["jira-users", "jira-admins"]}),
}  # fmt: skip
SOURCES, TARGETS = ("service-desk-agents", "team-design"), ("confluence-users", "contractors")
"""Groups that access rules follow, and groups that they give. Of the first nobody else is a member."""
TO_HAVE = ("jira-users", *SOURCES, *TARGETS)


class StillClock(Clock):
    """Moved by hand alone, but that no two moments are the same: a life is lived the same way each time."""

    def __init__(self, begins: datetime) -> None:
        super().__init__()
        self._now = begins

    def __call__(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now + self.offset


@dataclass(frozen=True)
class Having:
    """What somebody really has, shown or not."""

    membership: str
    account: str
    groups: frozenset[str]
    roles: frozenset[tuple[str, str]]


class Cast:
    """The people by name, in a world of their own on its first day."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.once(("the cast",), self._come)
        found = {one["account_id"]: one["nickname"] for one in world.directory()}
        self.ids = {nickname: account_id for account_id, nickname in found.items() if nickname in PEOPLE}
        self.ids |= {name: ACCOUNTS[name] for name in ("ana", "priya", "jon")}
        self.names = {account_id: name for name, account_id in self.ids.items()}
        self.emails = {
            self.names[one["account_id"]]: one["email"]
            for one in world.directory()
            if one["account_id"] in self.names
        }
        self.names_by_email = {email.lower(): name for name, email in self.emails.items()}
        self.groups = {name: group["id"] for name, group in world.groups().items()}
        self.callers: dict[str, Caller] = {
            name: world.caller(self.ids[name]) for name in ("ana", "priya", "eve")
        }
        self._store = world.sandbox.cloud.store
        self._stand_still(hours=13)
        self.next_door_before = self.next_door()

    def _come(self) -> Caller:
        world = self.world
        taken = set(ACCOUNTS.values())
        for name, (kind, arranged) in _MADE.items():
            account_id = ACCOUNTS.get(name) or next(
                one["account_id"]
                for one in world.directory()
                if one["kind"] == kind and one["account_id"] not in taken
            )
            taken.add(account_id)
            plain = {
                "claim_status": "unmanaged" if kind == "external" else "managed",
                "account_status": "active",
            }
            world.arrange(account_id, **plain, membership_status="active", nickname=name, **arranged)  # type: ignore[arg-type]
        self._stand_still(hours=12)
        with world.sandbox.cloud.store.write() as connection:
            others = f"seq NOT IN (SELECT seq FROM person WHERE account_id IN ({','.join('?' * len(taken))}))"
            for source in SOURCES:
                connection.execute(
                    f"DELETE FROM member WHERE team = ? AND {others}", (world.groups()[source]["id"], *taken)
                )
        world.sync(world.store_key("gina", "globex"))
        ana = world.store_key()
        world.sync(ana)
        return ana

    def _stand_still(self, hours: int) -> None:
        """It is so late tomorrow."""
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(
            hour=hours, minute=0, second=0, microsecond=0
        )
        still, tools = StillClock(tomorrow), self.world.tools
        self.world.app.extensions[TOOLS] = replace(
            tools, clock=still, atlassian=replace(tools.atlassian, clock=still)
        )
        self.world.clock = still

    def next_door(self) -> dict[str, list[tuple[object, ...]]]:
        """All that is remembered of the other organization."""
        with self.world.tools.begin() as session:
            return {
                name: sorted(
                    (
                        tuple(row)
                        for row in session.execute(select(table).where(table.c.organization_id == GLOBEX))
                    ),
                    key=repr,
                )
                for name, table in Base.metadata.tables.items()
                if "organization_id" in table.c
            }

    def having(self, name: str) -> Having | None:
        """None: no longer in the directory."""
        row = self._row(name)
        if row is None:
            return None
        seq = row["seq"]
        groups = {team["team"] for team in self._store.all("SELECT team FROM member WHERE seq = ?", (seq,))}
        roles = {
            (role["resource"], role["role"])
            for role in self._store.all("SELECT resource, role FROM direct_role WHERE seq = ?", (seq,))
        }
        for late in self._store.all("SELECT held, key, present FROM late WHERE seq = ?", (seq,)):
            if late["held"] == "member":
                (groups.add if late["present"] else groups.discard)(late["key"])
            else:
                resource, _, role = late["key"].partition(" ")
                (roles.add if late["present"] else roles.discard)((resource, role))
        return Having(row["membership"], row["account_status"], frozenset(groups), frozenset(roles))

    def is_suspended(self, name: str) -> bool:
        having = self.having(name)
        return having is not None and having.membership == "suspended"

    def products(self, name: str) -> set[str]:
        """The resource ids that their groups and roles open."""
        row = self._row(name)
        return (
            set()
            if row is None
            else {one for one, _ in self._directory.access([row["seq"]]).get(row["seq"], [])}
        )

    def seen(self, name: str) -> datetime | None:
        """When they were active in Jira last. Of whom nothing lets in there, Atlassian tells no date."""
        jira = ORGANIZATIONS["acme"].resource("jira-software")
        if jira not in self.products(name):
            return None
        row = self._store.one(
            "SELECT last_active FROM activity JOIN person ON person.seq = activity.seq"
            " WHERE org = 'acme' AND account_id = ? AND resource = ?",
            (self.ids[name], jira),
        )
        return datetime.fromisoformat(row["last_active"]) if row and row["last_active"] else None

    def is_org_admin(self, name: str) -> bool:
        row = self._row(name)
        return row is not None and "atlassian/org-admin" in row["platform_roles"].split()

    def put(self, name: str, group: str, *, member: bool) -> bool:
        """Somebody else changes who is in a group."""
        row = self._row(name)
        return row is not None and holdings.put(
            self._store, row["seq"], holdings.place_in(self.groups[group]), present=member
        )

    def put_role(self, name: str, product: str, *, present: bool) -> bool:
        """Somebody else gives or takes a role on a product."""
        row = self._row(name)
        role = holdings.role_on(ORGANIZATIONS["acme"].resource(product), "atlassian/user")
        return row is not None and holdings.put(self._store, row["seq"], role, present=present)

    def change(self, name: str, last_active: str | None = None, **columns: str) -> bool:
        """Somebody else changes the account, or they are seen at a moment. Whether that says anything new."""
        row = self._row(name)
        if row is None or (not last_active and all(row[each] == value for each, value in columns.items())):
            return False
        seen: dict[str, str | None] = {"jira-software": last_active} if last_active else {}
        return self._directory.change(self.ids[name], columns, seen)

    def leave(self, name: str) -> bool:
        """Somebody else takes them out of the directory."""
        return self._directory.remove(self.ids[name])

    def show_all(self) -> None:
        """Atlassian has had its time: what was changed late is shown."""
        with self._store.write() as connection:
            connection.execute("UPDATE late SET until = 0")
            connection.execute("UPDATE person SET former_until = 0 WHERE former_until > 0")
        holdings.settle(self._store)

    @property
    def _directory(self) -> Directory:
        return self.world.sandbox.cloud.directory("acme")

    def _row(self, name: str) -> sqlite3.Row | None:
        return self._store.one(
            "SELECT * FROM person WHERE org = 'acme' AND account_id = ?", (self.ids[name],)
        )
