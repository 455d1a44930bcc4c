"""The database: one declarative base, one Flask-SQLAlchemy, and the column types that every table shares."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Dialect, MetaData, event, make_url
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator


class Base(DeclarativeBase):
    """Every table. Names of constraints are spelled out so that migrations can name them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. A naive datetime is refused: it is a bug, never a guess."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        # Lists and plans read hundreds of thousands of moments: one call for each, not four.
        return _from_sqlite if dialect.name == "sqlite" else _from_postgresql


def _from_sqlite(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text + "+00:00")


def _from_postgresql(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)


def for_single_questions(engine: Engine) -> Engine:
    """The same engine for those who ask once and keep nothing."""
    # Beginning and ending a transaction are two more ways to PostgreSQL; for SQLite they are no way at all.
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def refresh_statistics(session: Session) -> None:
    """Tells SQLite how large its tables are, so that it picks the right index; PostgreSQL finds out by itself."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("ANALYZE")


_HEARD_OF_SOON = {
    "connect_timeout": 10,
    # Seconds, but the last one: of a connection that says nothing whether anybody is there, and of what was sent.
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


def told_to_the_driver(database_url: str) -> dict[str, int]:
    """So that whoever asks a PostgreSQL whose machine or network is gone hears of it within a minute.

    By itself the driver waits two minutes for a connection, and for an answer as long as the kernel keeps hoping: for a
    quarter of an hour, or for ever. What the address says counts more. A question that takes long is none of that.
    """
    url = make_url(database_url)
    if url.get_backend_name() != "postgresql":
        return {}
    return {name: value for name, value in _HEARD_OF_SOON.items() if name not in url.query}


AWAY = "The database does not answer, or takes nothing at the moment."


def is_away(trouble: BaseException) -> bool:
    """Whether the database does not answer, or takes nothing now: what was to be done may be done once it does."""
    # SQLite says of a statement that is wrong that it is not the time for it, and PostgreSQL of one that takes longer
    # than it may (57014). It never will be.
    if isinstance(trouble, NoConnectionLeft):
        # All connections of this program wait for it.
        return True
    if not isinstance(trouble, DBAPIError):
        return False
    code = _code_of(trouble.orig)
    return code in _TAKES_NOTHING or (isinstance(trouble, OperationalError) and code not in _OF_THE_STATEMENT)


def why_away(trouble: BaseException) -> str:
    """For whoever runs Rollcall: that the database is away, and how it is said by whoever met that."""
    said = " ".join(str(getattr(trouble, "orig", trouble)).split())
    return f"{AWAY} What was said: {said.rstrip('.')}."


@event.listens_for(Engine, "handle_error")
def _tell_that_it_is_away(trouble: ExceptionContext) -> None:
    # DBOS waits for a database whose connection is lost, whatever it was about to remember. It would take one that is
    # not found, or that takes nothing, for a fault of the workflow, and could not write that down either: from then on
    # the workflow counts as being at work, and nobody goes on with it.
    if trouble.connection is None or _code_of(trouble.original_exception) in _TAKES_NOTHING:
        trouble.is_disconnect = True


_TAKES_NOTHING = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        # PostgreSQL only reads (25006): a stand-by, or one whose disk is nearly full, as hosts have it. Its disk fails
        # (58030), or it has cut off a transaction whose program slept (25P03).
        "25006",
        "58030",
        "25P03",
    }
)


_OF_THE_STATEMENT = frozenset({sqlite3.SQLITE_ERROR, "57014"})


def _code_of(trouble: BaseException | None) -> int | str | None:
    """The kind of SQLite's trouble, without its variety, or PostgreSQL's, where it says one."""
    if not isinstance(trouble, sqlite3.Error):
        found: str | None = getattr(trouble, "sqlstate", None)
        return found
    return getattr(trouble, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA busy_timeout=15000")
        cursor.close()


@event.listens_for(Engine, "connect")
def _prepare_postgresql(connection: Any, _record: object) -> None:
    if not isinstance(connection, sqlite3.Connection):
        # PostgreSQL thinks of disks that turn: it reads a whole table where an index knows all that is asked.
        cursor = connection.cursor()
        cursor.execute("SET random_page_cost = 1.1")
        cursor.close()
        connection.commit()
