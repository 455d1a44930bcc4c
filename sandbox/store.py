"""What the pretend Atlassian remembers: one SQLite file, one connection a thread, one writer at a time."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Raised when the tables change, or the people made for them: an older file is emptied and filled anew.
VERSION = 3

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS person (
  seq INTEGER PRIMARY KEY, org TEXT NOT NULL, account_id TEXT NOT NULL, name TEXT NOT NULL,
  nickname TEXT NOT NULL, email TEXT NOT NULL, email_hidden INTEGER NOT NULL DEFAULT 0, domain TEXT NOT NULL,
  email_verified INTEGER NOT NULL DEFAULT 1, account_status TEXT NOT NULL, membership TEXT NOT NULL,
  former_membership TEXT, former_until REAL NOT NULL DEFAULT 0, claim TEXT NOT NULL, source TEXT,
  mfa INTEGER NOT NULL DEFAULT 0, added_at TEXT NOT NULL, deactivated_at TEXT, job TEXT, department TEXT,
  location TEXT, time_zone TEXT, kind TEXT NOT NULL, platform_roles TEXT NOT NULL DEFAULT '',
  UNIQUE (org, account_id));
CREATE INDEX IF NOT EXISTS person_page ON person (org, seq);
CREATE INDEX IF NOT EXISTS person_nickname ON person (org, nickname, seq);
CREATE INDEX IF NOT EXISTS person_email ON person (org, email);
CREATE INDEX IF NOT EXISTS person_kind ON person (org, kind);
CREATE TABLE IF NOT EXISTS former_account (email TEXT PRIMARY KEY, account_id TEXT NOT NULL, name TEXT NOT NULL,
  nickname TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS team (
  id TEXT PRIMARY KEY, org TEXT NOT NULL, name TEXT NOT NULL, description TEXT, synced INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS team_role (team TEXT NOT NULL, resource TEXT NOT NULL, role TEXT NOT NULL,
  PRIMARY KEY (team, resource, role)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS member (seq INTEGER NOT NULL, team TEXT NOT NULL, PRIMARY KEY (seq, team)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS member_team ON member (team, seq);
CREATE TABLE IF NOT EXISTS synced_member (seq INTEGER NOT NULL, team TEXT NOT NULL,
  PRIMARY KEY (seq, team)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS direct_role (seq INTEGER NOT NULL, resource TEXT NOT NULL, role TEXT NOT NULL,
  PRIMARY KEY (seq, resource, role)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS activity (seq INTEGER NOT NULL, resource TEXT NOT NULL, last_active TEXT,
  PRIMARY KEY (seq, resource)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS late (seq INTEGER NOT NULL, held TEXT NOT NULL, key TEXT NOT NULL,
  present INTEGER NOT NULL, until REAL NOT NULL, PRIMARY KEY (seq, held, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS admin_key (key TEXT PRIMARY KEY, org TEXT NOT NULL, owner TEXT NOT NULL,
  scoped INTEGER NOT NULL DEFAULT 0, expired INTEGER NOT NULL DEFAULT 0, label TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS api_token (token TEXT PRIMARY KEY, org TEXT NOT NULL, account_id TEXT NOT NULL,
  email TEXT NOT NULL, scoped INTEGER NOT NULL DEFAULT 0, expired INTEGER NOT NULL DEFAULT 0, label TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tenant (site TEXT NOT NULL, product TEXT NOT NULL, client_key TEXT NOT NULL,
  shared_secret TEXT NOT NULL, app_key TEXT NOT NULL, app_base_url TEXT NOT NULL, base_url TEXT NOT NULL,
  descriptor TEXT NOT NULL, installed INTEGER NOT NULL, PRIMARY KEY (site, product));
CREATE TABLE IF NOT EXISTS deed (id INTEGER PRIMARY KEY, org TEXT NOT NULL, account_id TEXT NOT NULL,
  action TEXT NOT NULL, effective INTEGER NOT NULL, status INTEGER NOT NULL, at TEXT NOT NULL,
  about TEXT);
CREATE TABLE IF NOT EXISTS mail (id INTEGER PRIMARY KEY, message_id TEXT NOT NULL, sender TEXT NOT NULL,
  recipient TEXT NOT NULL, received_at TEXT NOT NULL, times INTEGER NOT NULL, raw BLOB NOT NULL,
  UNIQUE (message_id, recipient));
CREATE INDEX IF NOT EXISTS deed_person ON deed (account_id, action);
CREATE TABLE IF NOT EXISTS belonging (org TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL,
  name TEXT NOT NULL, holder TEXT, parent TEXT NOT NULL DEFAULT '', shared INTEGER NOT NULL DEFAULT 1,
  open INTEGER NOT NULL DEFAULT 1, at TEXT, PRIMARY KEY (org, kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS belonging_holder ON belonging (org, kind, holder);
CREATE TABLE IF NOT EXISTS space_permission (id INTEGER PRIMARY KEY, org TEXT NOT NULL, space TEXT NOT NULL,
  principal_type TEXT NOT NULL, principal TEXT NOT NULL, operation TEXT NOT NULL,
  UNIQUE (org, space, principal_type, principal, operation));
CREATE TABLE IF NOT EXISTS space_role (org TEXT NOT NULL, space TEXT NOT NULL, role TEXT NOT NULL,
  principal_type TEXT NOT NULL, principal TEXT NOT NULL, PRIMARY KEY (org, space, role, principal_type, principal));
CREATE TABLE IF NOT EXISTS request (id INTEGER PRIMARY KEY, org TEXT NOT NULL, key TEXT NOT NULL, type TEXT NOT NULL,
  summary TEXT NOT NULL, reporter TEXT NOT NULL, person TEXT NOT NULL, status TEXT NOT NULL, created TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS request_comment (id INTEGER PRIMARY KEY, org TEXT NOT NULL, request INTEGER NOT NULL,
  author TEXT NOT NULL, body TEXT NOT NULL, created TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS automation_call (id INTEGER PRIMARY KEY, org TEXT NOT NULL, key TEXT NOT NULL,
  attempt INTEGER NOT NULL, status INTEGER NOT NULL);
"""

TABLES = (
    "meta",
    "person",
    "former_account",
    "team",
    "team_role",
    "member",
    "synced_member",
    "direct_role",
    "activity",
    "late",
    "admin_key",
    "api_token",
    "tenant",
    "deed",
    "mail",
    "belonging",
    "space_permission",
    "space_role",
    "request",
    "request_comment",
    "automation_call",
)


class Store:
    """SQLite behind a lock for writers. `path` ":memory:" means a temporary file, gone at close()."""

    def __init__(self, path: str) -> None:
        self._scratch = Path(tempfile.mkdtemp(prefix="sandbox-")) if path == ":memory:" else None
        self.path = str(self._scratch / "state.sqlite3") if self._scratch else path
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._left: list[sqlite3.Connection] = []
        self._writing = threading.RLock()
        with self.write() as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                for table in TABLES:
                    connection.execute(f"DROP TABLE IF EXISTS {table}")
            connection.executescript(f"{SCHEMA} PRAGMA user_version = {VERSION};")

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit; use write() to change something."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            with self._writing:
                connection = self._left.pop() if self._left else self._connect()
            self._local.connection = connection
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        self._connections.append(connection)
        return connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction; other writers wait, readers go on."""
        with self._writing:
            connection = self.connection
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            if connection.in_transaction:
                connection.execute("COMMIT")

    def all(self, sql: str, args: Iterable[Any] = ()) -> list[sqlite3.Row]:
        return self.connection.execute(sql, tuple(args)).fetchall()

    def one(self, sql: str, args: Iterable[Any] = ()) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.connection.execute(sql, tuple(args)).fetchone()
        return row

    def get(self, key: str) -> str | None:
        row = self.one("SELECT value FROM meta WHERE key = ?", (key,))
        return None if row is None else str(row["value"])

    def put(self, key: str, value: str) -> None:
        with self.write() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def clear(self) -> None:
        """Forget everything."""
        with self.write() as connection:
            for table in TABLES:
                connection.execute(f"DELETE FROM {table}")

    def leave_thread(self) -> None:
        """The calling thread needs its connection no more: a server thread ends with its client's connection.

        The next one goes on with it: to open one takes longer than to answer.
        """
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            self._local.connection = None
            with self._writing:
                # A thread may outlive the store by a moment: then close() was here before.
                if connection in self._connections:
                    self._left.append(connection)

    def close(self) -> None:
        """Close every connection and remove the temporary file."""
        with self._writing:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
            self._left.clear()
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)
