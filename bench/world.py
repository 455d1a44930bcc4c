"""Rollcall and the pretend Atlassian as `make run` has them, with an organization of any size, synced."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench import servers
from models.organization import Organization
from models.sync import Sync, SyncState, latest_sync
from models.worker import Worker

WORKER = [sys.executable, "-m", "jobs"]
PATIENCE = 900.0  # seconds at most for one sync
# Seconds until the clock of a worker that has just started ticks: nobody's sync waits for that.
CLOCK_STARTS = 3.0


@dataclass
class World:
    """What runs, and the administrator's way in. `peak` is the worker's largest memory so far, in MB."""

    app: int
    hub: int
    database_url: str
    environment: dict[str, str]
    folder: Path
    account: str = ""
    client_key: str = ""
    peak: float = 0.0
    stopped: threading.Event = field(default_factory=threading.Event)

    def ask(self, path: str, form: dict[str, str] | None = None) -> bytes:
        """A page's fragment for the administrator; any answer but 200 is an error."""
        headers = {"Authorization": f"JWT {self.token()}", "HX-Request": "true"}
        return request(self.app, path, headers, form)

    def token(self) -> str:
        """What AP.context.getToken() gives."""
        query = urllib.parse.urlencode({"site": "acme", "product": "jira", "account_id": self.account})
        return str(json.loads(request(self.hub, f"/control/context-token?{query}"))["token"])

    def synced(self) -> Sync:
        """Wait for the first sync; it starts by itself when the key is stored."""
        engine = create_engine(self.database_url.replace("postgresql://", "postgresql+psycopg://", 1))
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with Session(engine, expire_on_commit=False) as session:
                organization = session.query(Organization).one()
                sync = latest_sync(session, organization.id)
            if sync is not None and sync.state != SyncState.RUNNING.value:
                assert sync.state == SyncState.COMPLETE.value, sync.problem
                engine.dispose()
                return sync
            time.sleep(0.5)
        raise TimeoutError("the sync did not end")

    def calls(self, since: datetime) -> int:
        """How often the organization's API was asked since then, out of the last 20,000 requests."""
        seen = json.loads(request(self.hub, "/control/requests?limit=20000"))
        return sum(one["at"] >= since.timestamp() and one["path"].startswith("/admin/") for one in seen)

    def tidy(self) -> None:
        """What PostgreSQL does by itself within minutes of a large change; here nobody waits for it."""
        if self.database_url.startswith("postgresql"):
            engine = create_engine(self.database_url.replace("postgresql://", "postgresql+psycopg://", 1))
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE")
            engine.dispose()


@contextmanager
def world(folder: Path, people: int, database_url: str = "", answer_seconds: float = 0) -> Iterator[World]:
    """An installed Rollcall with a stored key: its first sync has just begun.

    `answer_seconds` is how long the sandbox thinks about each page of people; by itself it takes milliseconds.
    """
    ports = [servers.free_port() for _ in range(5)]
    hub, acme, globex, app = (f"http://127.0.0.1:{port}" for port in ports[:4])
    environment = servers.settings(folder, app, hub) | {
        "SITE_ORIGINS": f"{acme},{globex}",
        "AP_SCRIPT_URL": f"{hub}/all.js",
        "SANDBOX_PORTS": ",".join(map(str, (*ports[:3], ports[4]))),
        "SANDBOX_STATE": str(folder / "sandbox.sqlite"),
        "SANDBOX_PEOPLE": str(people),
        "APP_BASE_URL": app,
    }
    environment |= {"DATABASE_URL": database_url} if database_url else {}
    built = World(ports[3], ports[0], environment["DATABASE_URL"], environment, folder)
    python = sys.executable
    subprocess.run(
        [python, "-m", "flask", "db", "upgrade"],
        cwd=servers.TOP,
        env=environment,
        check=True,
        capture_output=True,
    )
    with ExitStack() as stack:
        for command, url in (
            ([python, "-m", "sandbox"], f"{hub}/control/tenants"),
            ([*servers.GUNICORN, "--bind", f"127.0.0.1:{ports[3]}", "app:create_app()"], f"{app}/healthz"),
        ):
            stack.enter_context(servers.running(command, environment, url, patience=300))
        worker = stack.enter_context(servers.running(WORKER, environment))
        watcher = threading.Thread(target=_watch, args=(built, worker.pid), daemon=True)
        watcher.start()
        stack.callback(built.stopped.set)
        if answer_seconds:
            slow = {"match": "users/search", "method": "POST", "kind": "slow", "seconds": answer_seconds}
            control(built, "faults", slow | {"times": 1_000_000})
        _wait_for_a_worker(built)
        _open_the_door(built)
        yield built


def request(
    port: int, path: str, headers: dict[str, str] | None = None, form: dict[str, str] | None = None
) -> bytes:
    """One request on loopback; any answer but 200 is an error."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = urllib.parse.urlencode(form) if form is not None else None
    every = {
        **(headers or {}),
        **({"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}),
    }
    connection.request("GET" if form is None else "POST", path, body, every)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    assert answer.status == 200, f"{path} answered {answer.status}: {data[:300]!r}"
    return data


def _wait_for_a_worker(built: World) -> None:
    engine = create_engine(built.database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with Session(engine) as session:
            if session.query(Worker).first() is not None:
                engine.dispose()
                time.sleep(CLOCK_STARTS)
                return
        time.sleep(0.1)
    raise TimeoutError("the worker did not start")


def control(built: World, deed: str, body: dict[str, object], method: str = "POST") -> dict[str, object]:
    """One call of the sandbox's control API."""
    address = f"http://127.0.0.1:{built.hub}/control/{deed}"
    data = json.dumps(body).encode()
    asked = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
    with servers.BROWSE.open(asked, timeout=60) as answer:
        found: dict[str, object] = json.load(answer)
    return found


def _open_the_door(built: World) -> None:
    built.client_key = str(control(built, "install", {"site": "acme", "product": "jira"})["client_key"])
    credentials = json.loads(request(built.hub, "/control/credentials"))
    key = next(row for row in credentials["admin_keys"] if row["org"] == "acme")
    built.account = key["owner"]
    in_a_year = (datetime.now(UTC) + timedelta(days=365)).date().isoformat()
    built.ask("/app/configure/admin-key", {"key": key["key"], "expires_on": in_a_year})


def _watch(built: World, pid: int) -> None:
    while not built.stopped.wait(0.5):
        said = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
        built.peak = max(built.peak, int(said.strip() or 0) / 1024)
