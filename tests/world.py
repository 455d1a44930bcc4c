"""A world for a test: the app on a fresh database, two sites of the pretend Atlassian, real HTTP between them.

The worker's part is played by hand (`sync`, `act`), one step at a time, so that a test can come between two steps.
"""

from __future__ import annotations

import base64
import re
import secrets
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import requests
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from config import Settings
from connect.caller import Caller, Via
from connect.errors import Conflict
from connect.install_keys import InstallKeys
from models.audit import AuditEntry
from models.db import Base, db
from models.run import Case
from rules.case import CaseState, Deed
from sandbox import server as sandbox_server
from sandbox.server import Sandbox
from sandbox.world import ADMIN_KEYS, API_TOKENS, ORGANIZATIONS
from services import acting, credentials, previews, runs, syncing
from services.administrators import Administrators
from services.doors import require_organization
from services.toolbox import Toolbox
from tests.security.world import Clock
from views.access import ADMINISTRATORS, TOOLS

PEOPLE = 80
SETTLE = timedelta(seconds=3)
LEASE_OVER = max(acting.LEASE, acting.AT_WORK) + timedelta(seconds=1)

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
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self.app_url = f"http://127.0.0.1:{self._server.server_port}"
        self.sandbox: Sandbox = sandbox_server.start(people=PEOPLE, app_base_url=self.app_url, seed="tests")

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        assert self.app is not None
        return self.app.wsgi_app(environ, start_response)

    def close(self) -> None:
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
    http: requests.Session = field(default_factory=requests.Session)

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
        answer = self.http.request(method, f"{self.sandbox.hub}/control{path}", json=json, params=query)
        assert answer.ok, answer.text
        return answer.json()

    def install(self, site: str, product: str = "jira") -> str:
        """Installs the app as Atlassian does; the client key."""
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

    def in_a_year(self) -> str:
        return (self.clock() + timedelta(days=360)).date().isoformat()

    def store_key(
        self, name: str = "ana", site: str = "acme", key: str = "", product: str = "jira"
    ) -> Caller:
        """Somebody saves the organization's Admin API key."""
        caller = self.caller(name, site, product)
        key = key or {"acme": ACME_KEY, "globex": GLOBEX_KEY}[site]
        credentials.store_admin_key(self.tools, caller, key=key, expires_on=self.in_a_year())
        return caller

    def synced(self, site: str = "acme") -> Caller:
        """A key is saved and the directory is read completely; the operator who did it."""
        caller = self.store_key({"acme": "ana", "globex": "gina"}[site], site)
        self.sync(caller)
        return caller

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
                while syncing.take_pages(tools, organization_id, sync_id) == syncing.SyncStep.MORE:
                    pass

    def begin_run(self, caller: Caller, account_ids: list[str], deed: Deed = Deed.SUSPEND) -> str:
        """Preview and confirm."""
        run_id = previews.preview(self.tools, caller, deed, account_ids=account_ids, filter=None)
        runs.confirm(self.tools, caller, run_id)
        return run_id

    def act(self, tools: Toolbox | None = None) -> None:
        """The worker's round over the cases that are due, until none is."""
        tools = tools or self.tools
        for _ in range(100):
            due = acting.lease_due_cases(tools)
            if not due:
                break
            for organization_id, case_id, attempt in due:
                acting.act_on_case(tools, organization_id, case_id, attempt)
        else:
            raise AssertionError("the work does not end")
        runs.finish_runs(tools)

    def case(self, run_id: str, account_id: str) -> Case:
        """One person of a run, as stored."""
        with self.tools.begin() as session:
            query = select(Case).where(Case.run_id == run_id, Case.account_id == account_id)
            found = session.scalars(query).one()
            session.expunge(found)
            return found

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
    neighbours.sandbox.cloud.reset()
    neighbours.app = app
    tools: Toolbox = app.extensions[TOOLS]
    with tools.begin() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(table.delete())
    clock = Clock()
    app.extensions[TOOLS] = replace(
        tools,
        clock=clock,
        atlassian=replace(tools.atlassian, clock=clock),
        install_keys=InstallKeys(tools.settings.install_keys_urls, clock=clock),
    )
    app.extensions[ADMINISTRATORS] = Administrators(app.extensions[TOOLS])
    world = World(app=app, sandbox=neighbours.sandbox, clock=clock, url=neighbours.app_url)
    for site in ("acme", "globex"):
        world.install(site)
    return world


def close(app: Flask) -> None:
    """Lets go of the database."""
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
    }


def credential_key(name: str) -> str:
    """One entry of CREDENTIAL_KEYS."""
    return f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}"
