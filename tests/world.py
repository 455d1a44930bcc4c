"""A world for a test: the app on a fresh database, two sites of the pretend Atlassian, real HTTP between them.

The worker's part is played by hand (`sync`, `act`), one step at a time, so that a test can come between two steps.
"""

from __future__ import annotations

import base64
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast
from urllib.parse import urlencode
from wsgiref.types import StartResponse, WSGIEnvironment

import requests
import urllib3
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from config import Settings
from connect.caller import Caller, Via
from connect.errors import Conflict
from connect.install_keys import InstallKeys
from jobs.bundles import bundled
from jobs.cases import HANDFUL
from models.audit import AuditEntry
from models.db import Base, db
from models.run import Case, Run
from rules.case import CaseState
from rules.deeds import Deed
from sandbox import server as sandbox_server
from sandbox.admin_roles import AI_ACCESS
from sandbox.server import Sandbox
from sandbox.store import Store
from sandbox.world import ADMIN_KEYS, API_TOKENS, ORGANIZATIONS
from services import (
    acting,
    activity_signals,
    credential_storing,
    directory_reading,
    orders,
    previews,
    rule_runs,
    rules,
    runs,
    sending,
    syncing,
    undoing,
)
from services.administrators import Administrators
from services.delays import LONGEST_PAUSE
from services.doors import require_organization
from services.footing import Footing
from services.install_key_shelf import InstallKeyShelf
from services.leasing import LEASE
from services.outcomes import MOST_TROUBLES
from services.toolbox import Toolbox
from tests.keepsakes import Keepsake, PostgresKeepsake, SqliteKeepsake
from tests.security.world import Clock
from tests.services.workers import deliver
from views.access import ADMINISTRATORS, TOOLS
from views.limits import COUNTS

Found = TypeVar("Found", Caller, str)

PEOPLE = 80
SETTLE = timedelta(seconds=3)
LEASE_OVER = max(LEASE, orders.AT_WORK) + timedelta(seconds=1)

ACME_KEY, EXPIRED_KEY, SCOPED_KEY, GLOBEX_KEY = (key.key for key in ADMIN_KEYS)
ANA_TOKEN, JON_TOKEN, UMA_TOKEN, EXPIRED_TOKEN, SCOPED_TOKEN, GINA_TOKEN = (
    token.token for token in API_TOKENS
)
ACCOUNTS = {
    person.name.split()[0].lower(): person.account_id
    for organization in ORGANIZATIONS.values()
    for person in organization.people
}
ACME, GLOBEX = ORGANIZATIONS["acme"].id, ORGANIZATIONS["globex"].id


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """The tests' output is no access log."""


class Neighbours:
    """The address of the app and the pretend Atlassian, started once; each test brings its own app to the address."""

    def __init__(self) -> None:
        self.app: Flask | None = None
        self.first_days: dict[int, FirstDay] = {}
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self.app_url = f"http://127.0.0.1:{self._server.server_port}"
        self.sandbox: Sandbox = sandbox_server.start(people=PEOPLE, app_base_url=self.app_url, seed="tests")
        self.lines = urllib3.PoolManager(maxsize=8)

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        assert self.app is not None
        return self.app.wsgi_app(environ, start_response)

    def close(self) -> None:
        self.lines.clear()
        self.sandbox.stop()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class World:
    """acme and globex, the app installed in Jira of both; `tools` is the app's toolbox, on a clock moved by hand."""

    app: Flask
    sandbox: Sandbox
    clock: Clock
    url: str
    lines: urllib3.PoolManager
    http: requests.Session = field(default_factory=requests.Session)
    doors: set[tuple[str, str]] = field(default_factory=set)
    installed_at: float = 0.0
    day: FirstDay | None = None
    steps: tuple[tuple[str, ...], ...] | None = ()

    def __getattribute__(self, name: str) -> Any:
        # Whoever takes one of these may change what `once` believes in.
        if name in {"app", "sandbox", "clock", "lines", "http"}:
            self.steps = None
        return super().__getattribute__(name)

    def once(self, step: tuple[str, ...], make: Callable[[], Found]) -> Found:
        """`make`, or what it did in an earlier test, as long as nothing else happened in this world before."""
        day, steps = self.day, self.steps
        if day is None or steps is None:
            return make()
        found = day.once((*steps, step), make)
        self.steps = (*steps, step)
        return found

    @property
    def tools(self) -> Toolbox:
        found: Toolbox = self.app.extensions[TOOLS]
        return found

    def later(self, **time: float) -> None:
        """Moves the app's clock; the pretend Atlassian's stays."""
        self.clock.offset += timedelta(**time)

    # -- Atlassian --------------------------------------------------------------------------------------------------

    def control(self, method: str, path: str, json: Any = None, **query: Any) -> Any:
        """One call of the sandbox's control API."""
        given = {name: value for name, value in query.items() if value is not None}
        address = f"/control{path}?{urlencode(given)}" if given else f"/control{path}"
        return self._ask(method, address, json).json()

    def _ask(
        self, method: str, address: str, json: Any, headers: dict[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        """What tests ask by the thousand: with `requests`, asking takes longer than answering."""
        answer = self.lines.request(
            method, f"{self.sandbox.hub}{address}", json=json, headers=headers, retries=False, timeout=120
        )
        assert answer.status < 400, answer.data.decode()
        return answer

    def install(self, site: str, product: str = "jira") -> str:
        """Installs the app as Atlassian does; the client key."""
        # Atlassian's tokens count in seconds: a second install within one would bring the very same token.
        time.sleep(
            max(0.0, self.installed_at + 1.05 - time.monotonic()) if (site, product) in self.doors else 0.0
        )
        self.doors.add((site, product))
        self.installed_at = time.monotonic()
        key: str = self.control("POST", "/install", {"site": site, "product": product})["client_key"]
        return key

    def fault(self, match: str, kind: str, **more: Any) -> None:
        """Something goes wrong for requests whose path matches: once, unless `times` says otherwise."""
        self.control("POST", "/faults", {"match": match, "kind": kind, **more})

    def clear_faults(self) -> None:
        self.control("DELETE", "/faults")

    def change(self, account_id: str, **columns: Any) -> None:
        """Changes a person behind the app's back; shows at once, also what a fault had delayed."""
        self.control("PATCH", f"/people/{account_id}", columns)

    def directory(self, site: str = "acme") -> list[dict[str, Any]]:
        """Everybody of a site as the sandbox knows them."""
        found: list[dict[str, Any]] = self.control("GET", "/people", site=site, limit=10_000)
        return found

    def api(self, method: str, path: str, json: Any = None, site: str = "acme") -> Any:
        """One call of the organization API, as any administrator might make it."""
        organization = ORGANIZATIONS[site]
        path = path.format(org=organization.id, directory=organization.directory_id)
        key = {"acme": ACME_KEY, "globex": GLOBEX_KEY}[site]
        headers = {"Authorization": f"Bearer {key}"}
        answer = self._ask(method, f"/admin{path}", json, headers)
        return answer.json() if answer.data else None

    def holding(self, account_id: str, site: str = "acme") -> dict[str, Any] | None:
        """What somebody really has at Atlassian: status, groups by name, roles of their own on products; None: gone."""
        users = "/v2/orgs/{org}/directories/{directory}/users"
        asked = {"accountIds": [account_id], "expand": ["groups", "productAccess"]}
        found = self.api("POST", f"{users}/search", asked, site)["data"]
        if not found:
            return None
        roles = self.api("GET", f"{users}/{account_id}/role-assignments", site=site)["data"]
        return {
            "status": (found[0]["membershipStatus"], found[0]["accountStatus"]),
            "groups": sorted(group["name"] for group in found[0]["groups"]),
            "direct": sorted(
                (role["resourceOwner"], one["role"])
                for role in roles
                if role["directoryId"] is not None
                for one in role["roleAssignments"]
                if "direct" in one["roleAssignmentMethods"] and one["role"] != AI_ACCESS
            ),
            "products": sorted(access["key"] for access in found[0]["productAccess"]),
        }

    def arrange(
        self,
        account_id: str,
        *,
        groups: Iterable[str] = (),
        direct: Iterable[str] = (),
        idle: float | None = 100,
        site: str = "acme",
        **columns: Any,
    ) -> str:
        """Makes somebody one with exactly these groups and direct products, last seen `idle` days ago, None: never."""
        held = self.holding(account_id, site)
        assert held is not None
        for name in {*held["groups"]} ^ {*groups}:
            member = name not in held["groups"]
            self.control("POST", f"/people/{account_id}/groups", {"group": name, "member": member})
        for product in {product for product, _role in held["direct"]} ^ {*direct}:
            deed = "revoke" if product in {one for one, _role in held["direct"]} else "assign"
            body = {"role": "atlassian/user", "resource": ORGANIZATIONS[site].resource(product)}
            self.api("POST", f"/v1/orgs/{{org}}/users/{account_id}/roles/{deed}", body, site)
        moment = None if idle is None else (datetime.now(UTC) - timedelta(days=idle)).isoformat()
        columns = {"management_source": "invited", "added_at": self.days_ago(500)} | columns
        self.change(account_id, last_active=moment, **columns)
        self.control("DELETE", "/effects")
        return account_id

    def days_ago(self, days: float) -> str:
        return (datetime.now(UTC) - timedelta(days=days)).isoformat()

    def people(self, count: int, site: str = "acme", **arranged: Any) -> list[str]:
        """Managed people, arranged alike; without a word in jira-users."""
        found = [one["account_id"] for one in self.directory(site) if one["kind"] == "employee"][:count]
        assert len(found) == count
        return [
            self.arrange(account_id, site=site, **{"groups": ["jira-users"]} | arranged)
            for account_id in found
        ]

    def effects_by(self, account_id: str) -> dict[str, int]:
        """What really changed in Atlassian, change by change: {"leave_group:jira-users": times}."""
        site = next(
            site
            for site in ORGANIZATIONS
            if any(account_id == one["account_id"] for one in self.directory(site))
        )
        names = {group["id"]: group["name"] for group in self.groups(site).values()}
        names |= {ORGANIZATIONS[site].resource(product): product for product in ORGANIZATIONS[site].products}
        found = self.control("GET", "/effects").get(account_id, {})
        by = {}
        for about, times in found.get("by", {}).items():
            deed, _, thing = about.partition(":")
            by[f"{deed}:{names[thing]}"] = times
        whole = ("suspend", "restore", "disable", "enable", "remove", "delete", "cancel_delete")
        by |= {deed: found[deed] for deed in whole if found.get(deed)}
        return {deed: times for deed, times in by.items() if times}

    def groups(self, site: str = "acme") -> dict[str, dict[str, Any]]:
        """The groups of a site by name."""
        found = self.api("POST", "/v2/orgs/{org}/directories/{directory}/groups/search", {"limit": 100}, site)
        return {group["name"]: group for group in found["data"]}

    def changeable(self, count: int, site: str = "acme") -> list[str]:
        """Account ids of people whom nothing keeps from being suspended."""
        found = [
            person["account_id"]
            for person in self.directory(site)
            if person["kind"] in {"employee", "external"}
            and (person["source"], person["membership"], person["account_status"])
            in {("invited", "active", "active"), (None, "active", "active")}
        ]
        assert len(found) >= count
        return found[:count]

    def effects(self, account_id: str) -> dict[str, int]:
        """What really changed in Atlassian: {"suspend": times, "restore": times}."""
        found = self.control("GET", "/effects").get(account_id, {})
        return {deed: found.get(deed, 0) for deed in ("suspend", "restore")}

    def calls(self, account_id: str, deed: str = "suspend") -> int:
        """How often the app asked for a deed, answered or not."""
        return len(self.requests(rf"/users/{account_id}/{deed}$"))

    def requests(self, path: str) -> list[dict[str, Any]]:
        """The requests to Atlassian's APIs whose path matches."""
        return [one for one in self.control("GET", "/requests", limit=20_000) if re.search(path, one["path"])]

    # -- the app ----------------------------------------------------------------------------------------------------

    def caller(self, name: str, site: str = "acme", product: str = "jira") -> Caller:
        """Somebody of a site, proven."""
        tenants = self.control("GET", "/tenants")
        key = next(one["client_key"] for one in tenants if (one["site"], one["product"]) == (site, product))
        return Caller(tenant=key, account_id=ACCOUNTS.get(name, name), via=Via.CONTEXT)

    def context_token(self, name: str, site: str = "acme", product: str = "jira") -> str:
        """What AP.context.getToken gives to somebody."""
        token: str = self.control(
            "GET", "/context-token", site=site, product=product, account_id=ACCOUNTS.get(name, name)
        )["token"]
        return token

    def call(
        self, method: str, path: str, name: str = "ana", site: str = "acme", **more: Any
    ) -> requests.Response:
        """One request of our own page, over HTTP, with a fresh context token."""
        headers = {"Authorization": f"JWT {self.context_token(name, site)}"}
        return self.http.request(method, self.url + path, headers=headers, **more)

    def webhook(self, event: str, account_id: str, site: str = "acme", product: str = "jira") -> list[int]:
        """Somebody does something in the product; how the app answered."""
        body = {"site": site, "product": product, "event": event, "account_id": account_id}
        statuses: list[int] = self.control("POST", "/webhook", body)["statuses"]
        return statuses

    def signal(self, account_id: str, site: str = "acme", product: str = "jira") -> None:
        """A proven webhook says that somebody did something now, by the app's clock."""
        caller = self.caller(account_id, site, product)
        activity_signals.record_signal(self.tools, caller, {"user": {"accountId": account_id}})

    def in_a_year(self) -> str:
        return (self.clock() + timedelta(days=360)).date().isoformat()

    def store_key(
        self, name: str = "ana", site: str = "acme", key: str = "", product: str = "jira"
    ) -> Caller:
        """Somebody saves the organization's Admin API key."""
        step = ("store_key", name, site, key, product)
        return self.once(step, lambda: self._store_key(name, site, key, product))

    def _store_key(self, name: str, site: str, key: str, product: str) -> Caller:
        caller = self.caller(name, site, product)
        key = key or {"acme": ACME_KEY, "globex": GLOBEX_KEY}[site]
        credential_storing.store_admin_key(self.tools, caller, key=key, expires_on=self.in_a_year())
        return caller

    def synced(self, site: str = "acme") -> Caller:
        """A key is saved and the directory is read completely; the operator who did it."""

        def make() -> Caller:
            caller = self.store_key({"acme": "ana", "globex": "gina"}[site], site)
            self.sync(caller)
            return caller

        return self.once(("synced", site), make)

    def sync(self, caller: Caller, tools: Toolbox | None = None) -> syncing.SyncProgress:
        """Lets the worker read as far as it goes now; starts a sync when none is running."""
        with suppress(Conflict):
            syncing.request_sync(self.tools, caller)
        self.read_on(tools)
        found = syncing.progress(self.tools, require_organization(self.tools, caller))
        assert found is not None
        return found

    def read_on(self, tools: Toolbox | None = None) -> None:
        """The worker's round over the syncs that are due."""
        tools = tools or self.tools
        for organization_id, sync_id, attempt in syncing.due_syncs(tools):
            if syncing.take_up(tools, organization_id, sync_id, attempt):
                while (
                    directory_reading.take_pages(tools, organization_id, sync_id)
                    == directory_reading.SyncStep.MORE
                ):
                    pass

    def begin_run(self, caller: Caller, account_ids: list[str], deed: Deed = Deed.SUSPEND) -> str:
        """Preview and confirm."""
        run_id = previews.preview(self.tools, caller, deed, account_ids=account_ids, filter=None)
        runs.confirm(self.tools, caller, run_id)
        return run_id

    def rule_data(self, *steps: dict[str, Any], name: str = "Idle", **data: Any) -> dict[str, Any]:
        """A live rule without a brake; without steps it suspends whoever was not seen for 90 days, at once."""
        return {
            "name": name,
            "mode": "live",
            "steps": list(steps) or [{"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 0}],
            "brake": {"number": "none", "share": "none"},
            "fresh_hours": 720,
            **data,
        }

    def rule(self, caller: Caller, *steps: dict[str, Any], name: str = "Idle", **data: Any) -> str:
        """Saves a rule, looks at its preview and switches it on."""
        rule_id = rules.save_rule(self.tools, caller, self.rule_data(*steps, name=name, **data))
        self.approve_rule(caller, rule_id)
        return rule_id

    def approve_rule(self, caller: Caller, rule_id: str) -> str:
        """A preview of the newest version, seen; the rule is on. Returns the preview's id."""
        preview = rule_runs.preview_rule(self.tools, caller, rule_id)
        rule_runs.mark_seen(self.tools, caller, preview)
        rules.switch_on(self.tools, caller, rule_id)
        return preview

    def run_rule(self, caller: Caller, rule_id: str) -> str:
        """*Run now*, and the worker's part as far as it goes now; the run's id."""
        run_id = rule_runs.run_now(self.tools, caller, rule_id)
        self.act()
        return run_id

    def tick(self, tools: Toolbox | None = None) -> None:
        """The worker's part: rules whose date has come, then cases, then runs that are over."""
        for organization_id, rule_id, due_at in rule_runs.due_rules(tools or self.tools):
            rule_runs.start_due(tools or self.tools, organization_id, rule_id, due_at)
        self.act(tools)

    def settled(self) -> None:
        """Atlassian shows by now whatever was done."""
        self.later(seconds=SETTLE.total_seconds() + 1)

    def given_up(self) -> None:
        """The worker's rounds until it has tried for the last time whom Atlassian gives no answer about."""
        for _ in range(MOST_TROUBLES):
            self.later(seconds=LONGEST_PAUSE.total_seconds() + 1)
            self.act()

    def undo(self, caller: Caller, run_id: str, account_id: str | None = None) -> str:
        """Takes a run back as far as it goes now; the undo's id."""
        self.settled()
        undo = undoing.preview_undo(self.tools, caller, run_id, account_id)
        runs.confirm(self.tools, caller, undo)
        self.act()
        return undo

    def act(self, tools: Toolbox | None = None) -> None:
        """The worker's round over the cases that are due, until none is."""
        tools = tools or self.tools
        for _ in range(100):
            due = orders.lease_due_cases(tools)
            if not due:
                break
            for organization_id, handful in bundled(due, HANDFUL):
                with closing(Footing(tools, organization_id)) as footing:
                    for case_id, attempt in handful:
                        acting.act_on_case(footing, case_id, attempt)
        else:
            raise AssertionError("the work does not end")
        runs.finish_runs(tools)

    def deliver(self, tools: Toolbox | None = None) -> int:
        """The worker's round over what is due to leave by mail and hook; how many attempts."""
        tools = tools or self.tools
        attempts = 0
        while due := sending.lease_due(tools):
            for organization_id, delivery_id, attempt in due:
                deliver(tools, organization_id, delivery_id, attempt)
                attempts += 1
        return attempts

    def hook_calls(self, name: str = "") -> list[dict[str, Any]]:
        """What arrived at the pretend Atlassian's /hooks/<name>."""
        found: list[dict[str, Any]] = self.control("GET", "/hooks", name=name)
        return found

    def hook_answers(self, name: str, **order: Any) -> None:
        """How /hooks/<name> answers from now on: status, headers, seconds, times."""
        self.control("POST", f"/hooks/{name}/answer", order)

    def case(self, run_id: str, account_id: str) -> Case:
        """One person of a run, as stored."""
        with self.tools.begin() as session:
            query = select(Case).where(Case.run_id == run_id, Case.account_id == account_id)
            found = session.scalars(query).one()
            session.expunge(found)
            return found

    def runs_of(self, rule_id: str) -> list[Run]:
        """The runs of a rule, oldest first; previews and undos are left out."""
        found = [run for run in self.rows(Run) if run.rule_id == rule_id and run.undoes is None]
        return sorted((run for run in found if run.state != "preview"), key=lambda run: run.created_at)

    def cases(self, run_id: str) -> dict[str, Case]:
        """Everybody of a run, as stored."""
        return {case.account_id: case for case in self.rows(Case) if case.run_id == run_id}

    def states(self, run_id: str) -> dict[str, CaseState]:
        with self.tools.begin() as session:
            query = select(Case.account_id, Case.state).where(Case.run_id == run_id)
            return {account_id: CaseState(state) for account_id, state in session.execute(query)}

    def audit(self, *events: str) -> list[AuditEntry]:
        """The entries of these events, oldest first."""
        with self.tools.begin() as session:
            query = select(AuditEntry).where(AuditEntry.event.in_(events)).order_by(AuditEntry.id)
            found = list(session.scalars(query))
            session.expunge_all()
            return found

    def stored(self, model: type[Any], *key: str) -> Any:
        """One row, read now and detached."""
        with self.tools.begin() as session:
            found = session.get(model, key if len(key) > 1 else key[0])
            if found is not None:
                session.expunge(found)
            return found

    def rows(self, model: type[Any]) -> list[Any]:
        """Every row of a table, detached."""
        with self.tools.begin() as session:
            found = list(session.scalars(select(model)))
            session.expunge_all()
            return found

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything the database holds."""
        with self.tools.begin() as session:
            return {
                name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
                for name, table in Base.metadata.tables.items()
            }


def open_app(neighbours: Neighbours, database_url: str) -> Flask:
    """The app on this database. It may serve one world after the other: its queries are compiled once."""
    return create_app(Settings.from_environment(environment_for(neighbours, database_url)))


def build(neighbours: Neighbours, app: Flask) -> World:
    """The first day: an empty database, the pretend Atlassian as new, the app installed in Jira of both sites."""
    day = neighbours.first_days.get(id(app))
    if day is not None:
        return day.again()
    neighbours.sandbox.cloud.reset()
    with app.extensions[TOOLS].begin() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(table.delete())
    world = _open(neighbours, app)
    for site in ("acme", "globex"):
        world.install(site)
    neighbours.first_days[id(app)] = FirstDay(neighbours, world)
    return world


def _open(neighbours: Neighbours, app: Flask) -> World:
    """What of the app remembers something, made anew."""
    neighbours.app = app
    tools: Toolbox = app.extensions[TOOLS]
    clock = Clock()
    app.extensions[TOOLS] = replace(
        tools,
        clock=clock,
        atlassian=replace(tools.atlassian, clock=clock),
        install_keys=InstallKeys(
            tools.settings.install_keys_urls,
            clock=clock,
            shelf=InstallKeyShelf(tools.looks, tools.sessions),
        ),
    )
    app.extensions[ADMINISTRATORS] = Administrators(app.extensions[TOOLS])
    app.extensions[COUNTS].storage.reset()
    return World(
        app=app, sandbox=neighbours.sandbox, clock=clock, url=neighbours.app_url, lines=neighbours.lines
    )


class Moment:
    """Both databases and the pretend Atlassian's log at one moment, kept."""

    def __init__(self, sandbox: Sandbox, app: Flask) -> None:
        self._cloud = sandbox.cloud
        self._journal = sandbox.cloud.journal
        self._entries = list(self._journal._entries)
        self._atlassian = SqliteKeepsake(sandbox.cloud.store.path)
        with app.app_context():
            engine = db.engine
        self._ours: Keepsake = (
            SqliteKeepsake(str(engine.url.database))
            if engine.dialect.name == "sqlite"
            else PostgresKeepsake(engine)
        )

    def lay_back(self) -> None:
        """Both hold again what they held, and nothing goes wrong any more."""
        store, self._cloud.store = self._cloud.store, cast("Store", _Filled(self._cloud.store))
        try:
            self._cloud.reset()
        finally:
            self._cloud.store = store
        self._atlassian.lay_back()
        self._ours.lay_back()
        self._journal.clear()
        self._journal._entries.extend(self._entries)

    def close(self) -> None:
        self._atlassian.close()
        self._ours.close()


class FirstDay:
    """A world just built, to begin every test with: building takes long, laying it back does not."""

    def __init__(self, neighbours: Neighbours, world: World) -> None:
        self._neighbours, self._app = neighbours, world.app
        self._installed_at = world.installed_at
        self._morning = Moment(neighbours.sandbox, self._app)
        self._later: dict[tuple[tuple[str, ...], ...], tuple[Moment, Any]] = {}

    def again(self) -> World:
        self._morning.lay_back()
        world = _open(self._neighbours, self._app)
        world.doors |= {("acme", "jira"), ("globex", "jira")}
        world.installed_at = self._installed_at
        world.day = self
        return world

    def once(self, steps: tuple[tuple[str, ...], ...], make: Callable[[], Found]) -> Found:
        """What these steps did to both databases: done the first time, laid back from then on."""
        if steps not in self._later:
            found = make()
            self._later[steps] = Moment(self._neighbours.sandbox, self._app), found
            return found
        moment, kept = self._later[steps]
        moment.lay_back()
        return cast("Found", kept)

    def close(self) -> None:
        for moment in (self._morning, *(moment for moment, _found in self._later.values())):
            moment.close()


class _Filled:
    """A store that holds already what a reset would fill it with: there is nothing to clear and nothing to write."""

    def __init__(self, store: Store) -> None:
        self.get = store.get

    def clear(self) -> None:
        """It is as it should be."""

    def put(self, key: str, value: str) -> None:
        """It is there."""


def close(neighbours: Neighbours, app: Flask) -> None:
    """Lets go of the database."""
    day = neighbours.first_days.pop(id(app), None)
    if day is not None:
        day.close()
    with app.app_context():
        db.engine.dispose()


def environment_for(neighbours: Neighbours, database_url: str) -> dict[str, str]:
    """A deployment beside the pretend Atlassian; all of it by addresses."""
    sandbox = neighbours.sandbox
    return {
        "BASE_URL": neighbours.app_url,
        "DATABASE_URL": database_url,
        "CREDENTIAL_KEYS": credential_key("k1"),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "INSTALL_KEYS_URL": f"{sandbox.hub}/install-keys",
        "ATLASSIAN_API_URL": sandbox.hub,
        "SITE_ORIGINS": f"{sandbox.acme},{sandbox.globex}",
        "AP_SCRIPT_URL": f"{sandbox.hub}/all.js",
        "SETTLE_SECONDS": str(int(SETTLE.total_seconds())),
        "PRIVATE_TARGETS": sandbox.hub.removeprefix("http://"),
    }


def credential_key(name: str) -> str:
    """One entry of CREDENTIAL_KEYS."""
    return f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}"
