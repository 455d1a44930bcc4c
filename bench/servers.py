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
GUNICORN = [sys.executable, "-m", "gunicorn", "--workers", "1", "--log-level", "error"]


@dataclass(frozen=True)
class Server:
    """A running server, and where it wants its three kinds of request."""

    name: str
    port: int
    installed: str
    page: str
    fragment: str

    @property
    def url(self) -> str:
        """Its address, which is also the audience of install tokens."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def rollcall(folder: Path, keys: atlassian.KeyHost) -> Iterator[Server]:
    """Rollcall as the Procfile starts it, on SQLite."""
    server = Server("Rollcall", _free_port(), "/connect/installed", "/pages/app", "/app/whoami")
    environment = settings(folder, server.url, keys.url)
    flask = [sys.executable, "-m", "flask", "--app", "app", "db", "upgrade"]
    subprocess.run(flask, cwd=TOP, env=environment, check=True, capture_output=True)
    with _running([*GUNICORN, "--bind", f"127.0.0.1:{server.port}", "app:create_app()"], environment, server):
        yield server


@contextmanager
def bare(folder: Path, keys: atlassian.KeyHost, page: str) -> Iterator[Server]:
    """bench/bare_app.py under the same gunicorn settings."""
    server = Server("bare Flask", _free_port(), "/connect/installed", "/pages/app", "/app/whoami")
    environment = {
        **os.environ,
        "BASE_URL": server.url,
        "DATABASE_URL": f"sqlite:///{folder / 'bare.sqlite'}",
        "INSTALL_KEYS_URL": keys.url,
        "SEALING_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "PAGE": page,
    }
    command = [*GUNICORN, "--bind", f"127.0.0.1:{server.port}", "bench.bare_app:create_app()"]
    with _running(command, environment, server):
        yield server


@contextmanager
def express(keys: atlassian.KeyHost, page: str, store: str) -> Iterator[Server]:
    """Atlassian's Express library. `store` is "memory", or an SQLite file for the store it has by default.

    Needs Node.js and npm on the machine.
    """
    name = "Express in memory" if store == "memory" else "Express"
    server = Server(name, _free_port(), "/installed", "/pages/app", "/app/whoami")
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
    with _running(["node", "app.js"], environment, server, EXPRESS):
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
        "LOG_LEVEL": "WARNING",
    }


@contextmanager
def _running(
    command: list[str], environment: dict[str, str], server: Server, folder: Path = TOP
) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait(f"{server.url}/healthz", process)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    browse = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            browse.open(url, timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"nothing at {url}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
