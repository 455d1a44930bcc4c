"""A whole deployment on this machine: the pretend Atlassian, the web program, and workers that can be killed."""

from __future__ import annotations

import base64
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from flask import Flask
from sqlalchemy import func, select
from werkzeug.serving import make_server

from app import create_app
from config import Settings
from connect.caller import Caller, Via
from models.db import db
from models.run import Case
from models.sync import Sync
from sandbox import server
from sandbox.world import ACME, ADMIN_KEYS
from services.credential_storing import store_admin_key
from services.toolbox import Toolbox
from views.access import TOOLS

TOP = Path(__file__).resolve().parents[2]
KEY = next(each.key for each in ADMIN_KEYS if each.org == "acme" and not each.scoped and not each.expired)
ANA = ACME.admin.account_id
PATIENCE = 240.0


@dataclass
class Deployment:
    """acme's Jira is installed; nothing is configured yet."""

    app: Flask
    sandbox: server.Sandbox
    environment: dict[str, str]
    folder: Path
    client_key: str
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def tools(self) -> Toolbox:
        found: Toolbox = self.app.extensions[TOOLS]
        return found

    @property
    def ana(self) -> Caller:
        """The organization admin, through acme's Jira."""
        return Caller(self.client_key, ANA, Via.CONTEXT)

    def configure(self) -> None:
        """Ana stores the key: the first sync is due."""
        expires_on = (datetime.now(UTC) + timedelta(days=200)).date().isoformat()
        store_admin_key(self.tools, self.ana, key=KEY, expires_on=expires_on)

    def start_worker(self, slot: str = "worker-1", program: Sequence[str] = ("-m", "jobs")) -> None:
        log = (self.folder / f"{slot}.log").open("ab")
        command = [sys.executable, *program]
        environment = self.environment | {"WORKER_SLOT": slot, "PYTHONPATH": str(TOP)}
        self.workers[slot] = subprocess.Popen(command, cwd=TOP, env=environment, stdout=log, stderr=log)
        log.close()

    def kill_worker(self, slot: str = "worker-1") -> None:
        """As the power cut does it: no handler runs."""
        worker = self.workers.pop(slot)
        worker.send_signal(signal.SIGKILL)
        worker.wait()

    def logs(self) -> str:
        return "\n".join(file.read_text() for file in sorted(self.folder.glob("*.log")))

    def wait_for(self, condition: Callable[[], Any], what: str) -> Any:
        """The first true answer of `condition`."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"waited in vain for {what}\n{self.logs()}")

    def sync(self) -> Sync:
        """The newest sync."""
        with self.tools.begin() as session:
            session.expire_on_commit = False
            return session.scalars(select(Sync).order_by(Sync.started_at.desc())).first() or Sync()

    def case_states(self, run_id: str) -> dict[str, int]:
        with self.tools.begin() as session:
            query = select(Case.state, func.count(Case.id)).where(Case.run_id == run_id).group_by(Case.state)
            return dict(session.execute(query).all())

    def control(self, method: str, path: str, **arguments: Any) -> Any:
        """The sandbox's control API."""
        answer = requests.request(method, f"{self.sandbox.hub}/control/{path}", timeout=30, **arguments)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@contextmanager
def deployed(
    database_url: str, jobs_url: str, folder: Path, *, people: int, settle: int = 2, mail: bool = False
) -> Iterator[Deployment]:
    """A deployment of its own, with acme's Jira installed over real HTTP; everything ends with the block.

    `mail`: it hands its mails in at the pretend post office.
    """
    sandbox = server.start(people=people)
    web = make_server("127.0.0.1", 0, lambda _environ, _start: [], threaded=True)
    base_url = f"http://127.0.0.1:{web.server_port}"
    sandbox.cloud.app_base_url = base_url
    environment = {
        "BASE_URL": base_url,
        "DATABASE_URL": database_url,
        "JOBS_DATABASE_URL": jobs_url,
        "CREDENTIAL_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "INSTALL_KEYS_URL": sandbox.hub,
        "ATLASSIAN_API_URL": sandbox.hub,
        "SITE_ORIGINS": f"{sandbox.acme},{sandbox.globex}",
        "AP_SCRIPT_URL": f"{sandbox.hub}/all.js",
        "SETTLE_SECONDS": str(settle),
        "PRIVATE_TARGETS": sandbox.hub.removeprefix("http://"),
        "PATH": os.environ["PATH"],
    }
    if mail:
        environment |= {"SMTP_URL": f"smtp://{sandbox.post_office}", "MAIL_FROM": "rollcall@acme.example"}
    app = create_app(Settings.from_environment(environment))
    web.app = app
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    deployment = Deployment(app, sandbox, environment, folder, "")
    try:
        installed = deployment.control("POST", "install", json={"site": "acme", "product": "jira"})
        deployment.client_key = installed["client_key"]
        yield deployment
    finally:
        for slot in list(deployment.workers):
            deployment.kill_worker(slot)
        web.shutdown()
        thread.join()
        web.server_close()
        sandbox.stop()
        with app.app_context():
            db.engine.dispose()
