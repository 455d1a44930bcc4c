"""The three servers that are measured, each one process on a port of its own."""

from __future__ import annotations

import base64
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import atlassian

TOP = Path(__file__).resolve().parent.parent
EXPRESS = TOP / "bench" / "express"
# Loopback never goes through a proxy.
BROWSE = urllib.request.build_opener(urllib.request.ProxyHandler({}))
GUNICORN = [sys.executable, "-m", "gunicorn", "--workers", "1", "--log-level", "error", "--no-control-socket"]


@dataclass(frozen=True)
class Server:
    """A running server, and where it wants its three kinds of request."""

    name: str
    port: int
    installed: str
    page: str = "/pages/app"
    fragment: str = "/app/whoami"
    fragment_status: int = 200

    @property
    def url(self) -> str:
        """Its address, which is also the audience of install tokens."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def rollcall(folder: Path, keys: atlassian.KeyHost) -> Iterator[Server]:
    """Rollcall as the Procfile starts it, on SQLite."""
    # A page's fragment for somebody who is not logged in: proven like every other, then turned away.
    server = Server(
        "Rollcall", free_port(), "/connect/installed", fragment="/app/get-started", fragment_status=403
    )
    environment = settings(folder, server.url, keys.url)
    flask = [sys.executable, "-m", "flask", "--app", "app", "db", "upgrade"]
    subprocess.run(flask, cwd=TOP, env=environment, check=True, capture_output=True)
    with running(
        [*GUNICORN, "--bind", f"127.0.0.1:{server.port}", "app:create_app()"],
        environment,
        f"{server.url}/healthz",
    ):
        yield server


@contextmanager
def bare(folder: Path, keys: atlassian.KeyHost, page: str) -> Iterator[Server]:
    """bench/bare_app.py under the same gunicorn settings."""
    server = Server("bare Flask", free_port(), "/connect/installed")
    # They do not start without all settings of Rollcall's.
    environment = settings(folder, server.url, keys.url) | {
        "DATABASE_URL": f"sqlite:///{folder / 'bare.sqlite'}",
        "SEALING_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "PAGE": page,
    }
    command = [*GUNICORN, "--bind", f"127.0.0.1:{server.port}", "bench.bare_app:create_app()"]
    with running(command, environment, f"{server.url}/healthz"):
        yield server


@contextmanager
def express(keys: atlassian.KeyHost, page: str, store: str) -> Iterator[Server]:
    """Atlassian's Express library. `store` is "memory", or an SQLite file for the store it has by default.

    Needs Node.js and npm on the machine.
    """
    name = "Express in memory" if store == "memory" else "Express"
    server = Server(name, free_port(), "/installed")
    _install_express()
    environment = {
        **os.environ,
        "NODE_ENV": "production",
        "PORT": str(server.port),
        "AC_LOCAL_BASE_URL": server.url,
        "CONNECT_KEYS_CDN_URL": keys.url,
        "PAGE": page,
        "STORE": store,
    }
    with running(["node", "app.js"], environment, f"{server.url}/healthz", EXPRESS):
        yield server


def _install_express() -> None:
    stamp = EXPRESS / "node_modules" / ".installed"
    if stamp.exists():
        return
    print(
        "  installing Atlassian's Express library for comparison; its SQLite may have to be compiled ...",
        flush=True,
    )
    flags = ["--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(["npm", "ci", "--ignore-scripts", *flags], cwd=EXPRESS, check=True)
    subprocess.run(["npm", "rebuild", "sqlite3", *flags], cwd=EXPRESS, check=True)
    stamp.touch()


def settings(folder: Path, base_url: str, keys_url: str) -> dict[str, str]:
    """Rollcall's environment with everything in one folder."""
    return {
        **os.environ,
        "BASE_URL": base_url,
        "DATABASE_URL": f"sqlite:///{folder / 'rollcall.sqlite'}",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CREDENTIAL_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "INSTALL_KEYS_URL": keys_url,
        "ATLASSIAN_API_URL": keys_url,
        "SITE_ORIGINS": atlassian.SITE,
        "AP_SCRIPT_URL": f"{keys_url}/all.js",
        "LOG_LEVEL": "ERROR",
    }


@contextmanager
def running(
    command: list[str], environment: dict[str, str], url: str = "", folder: Path = TOP, patience: float = 30
) -> Iterator[subprocess.Popen[bytes]]:
    """A process, from the moment it answers at `url` (if it has one) until the end of the block."""
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    try:
        if url:
            _wait(url, process, patience)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes], patience: float) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            BROWSE.open(url, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"nothing at {url}")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
