"""What a database held at some moment, kept, and laid back before the next test: cheaper than making it anew."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol

from sqlalchemy import Connection, Engine

from models.db import Base

_OUR_TABLES = (
    "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)
_numbers = itertools.count(1)


class Keepsake(Protocol):
    """The moment it was made at."""

    def lay_back(self) -> None:
        """The database holds again what it held, no more and no less; connections to it may stay open."""

    def close(self) -> None:
        """Lets go of the database."""


class SqliteKeepsake:
    """All rows of a file.

    Its pages could be laid back at once, but then whoever is connected has to read the tables' definitions and prepare
    every statement again, which takes longer than what most tests ask.
    """

    def __init__(self, file: str) -> None:
        # Two statements for each table: none is prepared a second time.
        self._kept = sqlite3.connect(
            ":memory:", timeout=15, isolation_level=None, check_same_thread=False, cached_statements=500
        )
        with closing(sqlite3.connect(file, timeout=15)) as now:
            now.backup(self._kept)
        self._kept.execute("ATTACH ? AS now", (file,))
        self._kept.execute("PRAGMA now.synchronous=OFF")
        self._names = [name for (name,) in self._kept.execute(_OUR_TABLES)]
        self._filled = self._filled_in("main")
        self._version = data_version(self._kept, "now")

    @property
    def is_now(self) -> bool:
        """Nobody has written since it was made or laid back."""
        return data_version(self._kept, "now") == self._version

    def lay_back(self) -> None:
        if self.is_now:
            return
        with self._kept:
            self._kept.execute("BEGIN IMMEDIATE")
            for name in self._filled_in("now"):
                self._kept.execute(f'DELETE FROM now."{name}"')
            for name in self._filled:
                self._kept.execute(f'INSERT INTO now."{name}" SELECT * FROM main."{name}"')
        self._version = data_version(self._kept, "now")

    def close(self) -> None:
        self._kept.close()

    def _filled_in(self, schema: str) -> list[str]:
        """Most tables are empty: asking that of all takes less than emptying one."""
        asked = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {schema}.\"{name}\")" for name in self._names)
        return [name for (name,) in self._kept.execute(" UNION ALL ".join(asked))]


class PostgresKeepsake:
    """All rows of our tables, kept beside them. What counts ids goes on counting, as it does when rows are deleted."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._place = f"kept_{next(_numbers)}"
        # Whoever is referred to comes first.
        self._names = [table.name for table in Base.metadata.sorted_tables]
        with engine.begin() as connection:
            self._filled = self._filled_now(connection)
            copies = [f'CREATE TABLE {self._place}."{name}" AS TABLE "{name}"' for name in self._filled]
            connection.exec_driver_sql(";".join([f"CREATE SCHEMA {self._place}", *copies]))

    def lay_back(self) -> None:
        kept = [f'INSERT INTO "{name}" SELECT * FROM {self._place}."{name}"' for name in self._filled]
        with self._engine.begin() as connection:
            others = [f'DELETE FROM "{name}"' for name in reversed(self._filled_now(connection))]
            if others or kept:
                connection.exec_driver_sql(";".join(others + kept))

    def close(self) -> None:
        """What is kept goes with its database, which may be away by now."""

    def _filled_now(self, connection: Connection) -> list[str]:
        asked = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in self._names)
        filled = {name for (name,) in connection.exec_driver_sql(" UNION ALL ".join(asked))}
        return [name for name in self._names if name in filled]


class Witness:
    """Sees whether a SQLite file changes: by SQLite's own counter first, row by row when anybody wrote at all.

    The file has to be in WAL mode: only then the state before stays readable while others write.
    """

    def __init__(self, file: str) -> None:
        self._before, self._now = (
            sqlite3.connect(file, timeout=15, isolation_level=None, check_same_thread=False) for _ in range(2)
        )

    @contextmanager
    def looking(self) -> Iterator[Callable[[], bool]]:
        """Remembers the present; what it hands out says whether the rows are still the same."""
        version = data_version(self._now)
        self._before.execute("BEGIN")
        try:
            self._before.execute("SELECT 1 FROM sqlite_master").fetchone()
            yield lambda: data_version(self._now) == version or dump(self._now) == dump(self._before)
        finally:
            self._before.execute("ROLLBACK")

    def close(self) -> None:
        self._before.close()
        self._now.close()


def data_version(connection: sqlite3.Connection, schema: str = "main") -> int:
    """Another number as soon as another connection has committed anything to the file."""
    version: int = connection.execute(f"PRAGMA {schema}.data_version").fetchone()[0]
    return version


def dump(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Everything a SQLite database holds."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return {
        name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
        for (name,) in names.fetchall()
    }
