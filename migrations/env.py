"""Alembic's entry: migrates the database of the app that runs `flask db`."""

from typing import Any, Literal

from alembic import context
from flask import current_app

from models import Base
from models.db import UtcDateTime


def plain_types(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """A migration keeps meaning the same, whatever becomes of our own types."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


engine = current_app.extensions["migrate"].db.engine

with engine.connect() as connection:
    if connection.dialect.name == "sqlite":
        # A table that is copied is dropped afterwards, and would take along whatever refers to its rows.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.commit()
        # By itself the driver begins none before a table is changed: an upgrade that is killed would be half done, and
        # could not be done again. Whoever upgrades at the same time waits here.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        # Here, too: of two who make the same table at once, one fails. The lock ends with the connection.
        connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext('rollcall upgrade'))")
        connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # SQLite changes a table by copying it.
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        render_item=plain_types,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
    # Not given to the next one with the lock.
    connection.invalidate()
