"""Fresh databases for tests: the real migrations run once per kind, every test gets a copy of the outcome."""

from __future__ import annotations

import base64
import fcntl
import itertools
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests.postgres import Server

TOP = Path(__file__).resolve().parent.parent


def migrate(database_url: str, deed: str = "upgrade", revision: str = "head") -> None:
    """Bring a database up to date the way a deployment does: `flask db upgrade`; or elsewhere."""
    # Not on top: whoever asks for no database needn't wait until the whole app is loaded.
    from app import create_app
    from config import Settings

    settings = {
        "BASE_URL": "http://127.0.0.1:8000",
        "DATABASE_URL": database_url,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CREDENTIAL_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    app = create_app(Settings.from_environment(settings))
    done = app.test_cli_runner().invoke(args=["db", deed, "--directory", str(TOP / "migrations"), revision])
    with app.app_context():
        app.extensions["migrate"].db.engine.dispose()
    assert done.exit_code == 0, f"flask db {deed} failed:\n{done.output}\n{done.exception!r}"


def sqlalchemy_url(database_url: str) -> str:
    """As SQLAlchemy spells it: PostgreSQL by psycopg."""
    return database_url.replace("postgresql://", "postgresql+psycopg://", 1)


class SqliteDatabases:
    """Copies of one migrated file."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.sqlite"
        with (folder / "template.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # whoever comes second finds it made
            if not self._template.exists():
                making = folder / "making.sqlite"
                making.unlink(missing_ok=True)
                migrate(f"sqlite:///{making}")
                making.rename(self._template)

    @contextmanager
    def fresh(self, folder: Path) -> Iterator[str]:
        """The address of a new, migrated, empty database in `folder`."""
        file = folder / "rollcall.sqlite"
        shutil.copyfile(self._template, file)
        yield f"sqlite:///{file}"


class PostgresDatabases:
    """Databases made from one migrated template on one server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._numbers = itertools.count(1)
        self._template = f"template_{os.getpid()}"
        self._do("CREATE DATABASE {}", self._template)
        migrate(server.url(self._template))

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The address of a new, migrated, empty database; dropped afterwards, whoever is still connected."""
        with self._of(self._template) as url:
            yield url

    @contextmanager
    def blank(self) -> Iterator[str]:
        """The same without a single table."""
        with self._of("template1") as url:
            yield url

    @contextmanager
    def away(self, url: str) -> Iterator[None]:
        """Nobody reaches this database until the block ends; whoever was connected is cut off."""
        name = _name_in(url)
        self._do("ALTER DATABASE {} ALLOW_CONNECTIONS false", name)
        try:
            self._cut_off(name)
            yield
        finally:
            self._do("ALTER DATABASE {} ALLOW_CONNECTIONS true", name)

    @contextmanager
    def only_read(self, url: str) -> Iterator[None]:
        """This database takes nothing until the block ends, like a stand-by; who is connected then stays so."""
        name = _name_in(url)
        self._do("ALTER DATABASE {} SET default_transaction_read_only = on", name)
        try:
            self._cut_off(name)
            yield
        finally:
            self._do("ALTER DATABASE {} RESET default_transaction_read_only", name)

    @contextmanager
    def _of(self, template: str) -> Iterator[str]:
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self._do("CREATE DATABASE {} TEMPLATE {}", name, template)
        try:
            yield self._server.url(name)
        finally:
            self._do("DROP DATABASE {} WITH (FORCE)", name)

    def _cut_off(self, name: str) -> None:
        with psycopg.connect(self._server.admin_dsn, autocommit=True) as connection:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(cut, (name,))

    def _do(self, statement: str, *names: str) -> None:
        with psycopg.connect(self._server.admin_dsn, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _name_in(url: str) -> str:
    (name,) = urlsplit(url).path.split("/")[1:]
    return name
