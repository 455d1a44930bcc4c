"""Whether the database is as new as this program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine, Select, String, column, inspect, select, table
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

BEHIND = "The database was not upgraded to this version of Rollcall."
UPGRADE = "Run `flask db upgrade`."
_MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations" / "versions"
_NEEDED = max(file.name.partition("_")[0] for file in _MIGRATIONS.glob("[0-9]*.py"))
_FOUND: Select[str] = select(column("version_num", String)).select_from(table("alembic_version"))


def is_behind(connection: Connection) -> bool:
    """Whether `flask db upgrade` has something to do. With a newer one the program of yesterday goes on.

    Raises SQLAlchemyError when the database does not answer.
    """
    if not inspect(connection).has_table("alembic_version"):
        return True
    found: str | None = connection.scalar(_FOUND)
    return found is None or found < _NEEDED


def met_one_behind(trouble: BaseException, engine: Callable[[], Engine]) -> bool:
    """Whether a statement may have failed because what it needs comes with an upgrade that nobody has made yet."""
    if not isinstance(trouble, DBAPIError):
        return False
    try:
        with engine().connect() as connection:
            return is_behind(connection)
    except SQLAlchemyError:
        return False
