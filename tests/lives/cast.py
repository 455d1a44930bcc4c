"""The people of a random life, and what they really have at Atlassian, read past the app and past the API."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from connect.caller import Caller
from connect.gateway.jira_tickets import JiraTickets
from models.db import Base
from sandbox import holdings
from sandbox.people import Directory
from sandbox.world import ORGANIZATIONS
from services.atlassian import Atlassian
from tests.lives.twin import make_a_twin
from tests.security.world import Clock
from tests.services.tickets import store_token
from tests.world import ACCOUNTS, GLOBEX, World
from views.access import TOOLS

PEOPLE = (
    "ida", "ian", "ivy", "abe", "bea", "cal", "dee", "eve", "ned", "amy", "exa",
    "syd", "uma", "bot", "service", "owner", "ana", "priya", "jon",
)  # fmt: skip
"""Idle ones; cal works in Confluence alone, where only a mail reaches him; eve is idle and works with Rollcall as an
operator; ned never came, amy is active; exa is external, syd belongs to an identity provider, much belongs to uma; then
machines, the owner of another site, and administrators: ana's is the key.
"""
_MADE = {
    "ida": ("employee", {"groups": ["jira-users"], "direct": ["jira-software"]}),
    "ian": ("employee", {"groups": ["jira-users", "confluence-users"]}),
    "ivy": ("employee", {"groups": ["service-desk-agents"], "direct": ["jira-software"]}),
    "abe": ("employee", {"groups": ["jira-users"]}),
    "bea": ("employee", {"groups": ["jira-users", "team-design"]}),
    "cal": ("employee", {"groups": ["confluence-users"]}),
    "dee": ("employee", {"groups": ["jira-users", "service-desk-agents", "contractors"]}),
    "eve": ("employee", {"groups": ["jira-users"]}),
    "ned": ("employee", {"groups": ["jira-users"], "idle": None}),
    "amy": ("employee", {"groups": ["jira-users"], "idle": 1}),
    "exa": ("external", {"groups": ["jira-users"]}),
    "syd": ("employee", {"groups": ["jira-users"], "management_source": "synced"}),
    "uma": ("", {"groups": ["jira-users"]}),
    "bot": ("bot", {"groups": ["jira-users"]}),
    "service": ("employee", {"groups": ["jira-users"], "email": "robot@serviceaccount.atlassian.com"}),
    "owner": ("other-site-owner", {"groups": ["jira-users"]}),
    "ana": ("", {"groups": ["jira-users", "jira-admins"]}),
    "priya": ("", {"groups": ["jira-users", "jira-admins"]}),
    "jon": ("", {"groups": ["jira-users", "jira-admins"]}),
}  # fmt: skip
_AT_WORK_IN = {"cal": "confluence"}
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


class _SignedNow(Atlassian):
    """What the app signs is judged by Atlassian's clock, which nobody moves."""

    def tickets_as_app(self, *where: str) -> AbstractContextManager[JiraTickets]:
        now = Atlassian(self.api_url, self.app_key, self.origins, lambda: datetime.now(UTC))
        return now.tickets_as_app(*where)


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
        self.ids |= {name: ACCOUNTS[name] for name in ("ana", "priya", "jon", "uma")}
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
        self.twin = make_a_twin(world, world.clock())

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
        for one in world.directory():
            if one["account_id"] not in taken:
                world.sandbox.cloud.directory("acme").remove(one["account_id"])
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
        store_token(world, ana)
        return ana

    def _stand_still(self, hours: int) -> None:
        """It is so late tomorrow."""
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(
            hour=hours, minute=0, second=0, microsecond=0
        )
        still, tools = StillClock(tomorrow), self.world.tools
        atlassian = tools.atlassian
        sites = _SignedNow(atlassian.api_url, atlassian.app_key, atlassian.origins, still)
        self.world.app.extensions[TOOLS] = replace(tools, clock=still, atlassian=sites)
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
        """When they were active last where they work. Of whom nothing lets in there, Atlassian tells no date."""
        work = ORGANIZATIONS["acme"].resource(_AT_WORK_IN.get(name, "jira-software"))
        if work not in self.products(name):
            return None
        row = self._store.one(
            "SELECT last_active FROM activity JOIN person ON person.seq = activity.seq"
            " WHERE org = 'acme' AND account_id = ? AND resource = ?",
            (self.ids[name], work),
        )
        return datetime.fromisoformat(row["last_active"]) if row and row["last_active"] else None

    def tickets(self) -> dict[str, tuple[str, str]]:
        """Id → (status, reporter) of the requests at the service desk."""
        found = self._store.all("SELECT id, status, reporter FROM request WHERE org = 'acme'")
        return {str(row["id"]): (row["status"], row["reporter"]) for row in found}

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
        """Somebody else changes the account, or they are seen at a moment, where they may work. Whether that says

        anything new.
        """
        row = self._row(name)
        if row is None or (not last_active and all(row[each] == value for each, value in columns.items())):
            return False
        seen: dict[str, str | None] = {}
        where = _AT_WORK_IN.get(name, "jira-software")
        if last_active and ORGANIZATIONS["acme"].resource(where) in self.products(name):
            seen[where] = last_active
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
