"""Two tenants, acme (Jira) and globex (Confluence), installed in a real app; and a network that counts who called."""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from config import APP_KEY, Settings
from connect.install_keys import InstallKeys
from models.db import db
from services.administrators import Administrators
from services.install_key_shelf import InstallKeyShelf
from services.toolbox import Toolbox
from tests import tokens
from tests.connect.listener import Call, Listener, Reply
from tests.keepsakes import SqliteKeepsake, Witness, dump
from views.access import ADMINISTRATORS, TOOLS
from views.limits import COUNTS

Found = TypeVar("Found")

BASE_URL = "https://rollcall.example.com"
KID = "0b1c3f44-6d0e-4c55-9d6a-5f1f0c7d9e11"
INSTALLED, UNINSTALLED = "/connect/installed", "/connect/uninstalled"


class Clock:
    """The app's clock: real time, moved by hand."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset


@dataclass
class Tenant:
    """One site as the tests know it: what Atlassian would know."""

    name: str
    client_key: str
    product: str
    listener: Listener
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    admins: set[str] = field(default_factory=lambda: {"ana"})

    @property
    def base_url(self) -> str:
        return self.listener.url + ("/wiki" if self.product == "confluence" else "")

    def body(self, event: str = "installed", **changed: Any) -> dict[str, Any]:
        """The body of a lifecycle event; `changed` wins, None removes a field."""
        fields: dict[str, Any] = {
            "key": APP_KEY,
            "clientKey": self.client_key,
            "sharedSecret": self.secret if event == "installed" else None,
            "baseUrl": self.base_url,
            "displayUrl": self.base_url,
            "productType": self.product,
            "description": f"{self.name} site",
            "eventType": event,
            "serverVersion": "100287",
        }
        fields.update(changed)
        return {name: value for name, value in fields.items() if value is not None}

    def context(self, account_id: str | None = "ana", **changed: Any) -> str:
        return tokens.context_token(self.secret, self.client_key, sub=account_id, **changed)

    def product_signed(
        self, method: str, address: str, account_id: str | None = "ana", **changed: Any
    ) -> str:
        return tokens.iframe_token(self.secret, self.client_key, method, address, sub=account_id, **changed)

    def lifecycle(self, address: str = INSTALLED, **changed: Any) -> str:
        return tokens.lifecycle_token(
            self.client_key, address, **{"base_url": BASE_URL, "kid": KID, **changed}
        )

    def answer(self, call: Call) -> Reply:
        """The site's own API: only the admin check."""
        if call.path.startswith("/rest/api/3/permissions/check"):
            account_id = json.loads(call.body)["accountId"]
            return _json({"globalPermissions": ["ADMINISTER"] if account_id in self.admins else []})
        if call.path.startswith("/wiki/rest/api/user?"):
            account_id = parse_qs(urlsplit(call.path).query)["accountId"][0]
            administer = [{"operation": "administer", "targetType": "application"}]
            return _json({"operations": administer if account_id in self.admins else []})
        return Reply(404)


@dataclass
class World:
    app: Flask
    client: FlaskClient
    file: str
    clock: Clock
    hub: Listener
    acme: Tenant
    globex: Tenant
    witness: Witness
    day: FirstDay | None = None
    moment: SqliteKeepsake | None = None
    steps: tuple[tuple[object, ...], ...] = ()

    def once(self, step: tuple[object, ...], make: Callable[[], Found]) -> Found:
        """`make`, or what it did to the same database in an earlier test."""
        return make() if self.day is None else self.day.once(self, step, make)

    def close(self) -> None:
        """Lets go of the database."""
        self.witness.close()
        with self.app.app_context():
            db.engine.dispose()

    @property
    def tools(self) -> Toolbox:
        found: Toolbox = self.app.extensions[TOOLS]
        return found

    @property
    def outgoing(self) -> list[str]:
        """Every call that left the app, in short."""
        listeners = (self.hub, self.acme.listener, self.globex.listener)
        return [
            f"{call.method} {listener.url}{call.path}" for listener in listeners for call in listener.calls
        ]

    def request(self, method: str, address: str, token: str = "", **arguments: Any) -> TestResponse:
        """One request with the token in the header."""
        headers = dict(arguments.pop("headers", {}))
        if token:
            headers["Authorization"] = f"JWT {token}"
        return self.client.open(
            address, method=method, headers=headers, base_url=BASE_URL, buffered=True, **arguments
        )

    def page(
        self, tenant: Tenant, address: str, account_id: str | None = "ana", **changed: Any
    ) -> TestResponse:
        """A page as the product opens it."""
        token = tenant.product_signed("GET", address, account_id, **changed)
        joint = "&" if "?" in address else "?"
        return self.request("GET", f"{address}{joint}jwt={token}")

    def lifecycle(
        self, tenant: Tenant, event: str = "installed", token: str = "", **changed: Any
    ) -> TestResponse:
        """A lifecycle event as Atlassian sends it; `changed` fields of the body."""
        address = f"/connect/{event}"
        return self.request(
            "POST", address, token or tenant.lifecycle(address), json=tenant.body(event, **changed)
        )

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything the database holds."""
        with closing(sqlite3.connect(self.file)) as connection:
            return dump(connection)

    @contextmanager
    def untouched(self, *, calls: int = 0) -> Iterator[None]:
        """Nothing in here changes the database; exactly so many calls leave the app."""
        called = len(self.outgoing)
        with self.witness.looking() as unchanged:
            yield
            assert unchanged(), "the database changed"
        assert len(self.outgoing) - called == calls, self.outgoing[called:]


class FirstDay:
    """A world to begin every test with: making the app takes long, laying back its database does not."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._database = SqliteKeepsake(world.file)
        self._later: dict[tuple[object, ...], tuple[SqliteKeepsake, Any]] = {}

    def close(self) -> None:
        for keepsake in (self._database, *(keepsake for keepsake, _found in self._later.values())):
            keepsake.close()
        self._world.close()

    def once(self, world: World, step: tuple[object, ...], make: Callable[[], Found]) -> Found:
        """What `make` does to the database and returns: made the first time, laid back from then on.

        Only for what depends on nothing but the database, and always comes out the same.
        """
        if world.moment is None or not world.moment.is_now:
            world.moment = None
            return make()
        world.steps += (step,)
        if world.steps not in self._later:
            found = make()
            self._later[world.steps] = SqliteKeepsake(world.file), found
        world.moment, kept = self._later[world.steps]
        world.moment.lay_back()
        return cast("Found", kept)

    def again(self) -> World:
        """The same app and tenants, as if nothing had happened since."""
        first = self._world
        self._database.lay_back()
        clock = Clock()
        first.hub.answer = answer_as_hub
        first.app.extensions[TOOLS] = replace(
            first.tools, clock=clock, install_keys=new_install_keys(first.tools, clock)
        )
        first.app.extensions[ADMINISTRATORS] = Administrators(first.tools)
        first.app.extensions[COUNTS].storage.reset()
        acme, globex = (replace(each, admins=set(each.admins)) for each in (first.acme, first.globex))
        for tenant in (acme, globex):
            tenant.listener.answer = tenant.answer
        for listener in (first.hub, acme.listener, globex.listener):
            listener.calls.clear()
        client = first.app.test_client()
        return replace(
            first, client=client, clock=clock, acme=acme, globex=globex, day=self, moment=self._database
        )


def new_install_keys(tools: Toolbox, clock: Callable[[], datetime]) -> InstallKeys:
    """What a web process that has just begun knows of them."""
    shelf = InstallKeyShelf(tools.looks, tools.sessions)
    return InstallKeys(tools.settings.install_keys_urls, clock=clock, shelf=shelf)


def settings_for(database_url: str, hub: Listener, *sites: Listener) -> Settings:
    """A deployment that meets only listeners of this machine."""
    return Settings.from_environment(environment_for(database_url, hub, *sites))


def environment_for(database_url: str, hub: Listener, *sites: Listener) -> dict[str, str]:
    return {
        "BASE_URL": BASE_URL,
        "DATABASE_URL": database_url,
        "CREDENTIAL_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "INSTALL_KEYS_URL": hub.url,
        "ATLASSIAN_API_URL": hub.url,
        "SITE_ORIGINS": ",".join(site.url for site in sites),
        "AP_SCRIPT_URL": "https://bridge.example.com/all.js",
    }


def build(database_url: str, hub: Listener, acme: Listener, globex: Listener) -> World:
    """The app on a fresh database, with both tenants installed by Atlassian's own signature."""
    app = create_app(settings_for(database_url, hub, acme, globex))
    clock = Clock()
    app.extensions[TOOLS] = replace(app.extensions[TOOLS], clock=clock)
    app.extensions[ADMINISTRATORS] = Administrators(app.extensions[TOOLS])
    world = World(
        app=app,
        client=app.test_client(),
        file=database_url.removeprefix("sqlite:///"),
        clock=clock,
        hub=hub,
        acme=Tenant("acme", "acme-client-key", "jira", acme),
        globex=Tenant("globex", "globex-client-key", "confluence", globex),
        witness=Witness(database_url.removeprefix("sqlite:///")),
    )
    hub.answer = answer_as_hub
    for tenant in (world.acme, world.globex):
        tenant.listener.answer = tenant.answer
        assert world.lifecycle(tenant).status_code == 204
    for listener in (hub, acme, globex):
        listener.calls.clear()
    return world


def answer_as_hub(call: Call) -> Reply:
    """The key host: knows one key."""
    return Reply(200, tokens.public_pem().encode()) if call.path == f"/{KID}" else Reply(404)


def _json(value: object) -> Reply:
    return Reply(200, json.dumps(value).encode(), {"Content-Type": "application/json"})
