"""What tests begin with is what was kept, whatever another test did to the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.keepsakes import SqliteKeepsake, dump

MOMENT = "2026-05-03 12:00:00.000000"
ORGANIZATION = "INSERT INTO organization (id, name, created_at) VALUES ('{0}', '{0}', '" + MOMENT + "')"
OPERATOR = f"INSERT INTO operator VALUES ('acme', 'ana', 'named', 'ana', '{MOMENT}', NULL)"
GROUP = "INSERT INTO directory_group (organization_id, group_id, name) VALUES ('acme', 'g', 'Everybody')"


@pytest.fixture
def database(sqlite_url: str) -> Iterator[sqlite3.Connection]:
    """Acme is in it, with an operator; a connection that stays open, as the app's do."""
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(ORGANIZATION.format("acme"))
        connection.execute(OPERATOR)
        yield connection


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE organization SET name = 'Another'",
        "DELETE FROM operator",
        ORGANIZATION.format("globex"),
        GROUP,
        "DELETE FROM alembic_version",
    ],
    ids=["renewed", "gone", "one more", "in a table that was empty", "of no model of ours"],
)
def test_what_was_changed_is_as_it_was(database: sqlite3.Connection, sqlite_url: str, change: str) -> None:
    before = dump(database)
    with closing(SqliteKeepsake(sqlite_url.removeprefix("sqlite:///"))) as keepsake:
        assert keepsake.is_now
        database.execute(change)
        assert dump(database) != before
        assert not keepsake.is_now
        keepsake.lay_back()
        assert keepsake.is_now
    assert dump(database) == before


def test_whoever_is_connected_need_not_learn_the_tables_anew(
    database: sqlite3.Connection, sqlite_url: str
) -> None:
    """That is what makes a test expensive: every statement of every connection is prepared again."""
    asked = "PRAGMA schema_version"
    with closing(SqliteKeepsake(sqlite_url.removeprefix("sqlite:///"))) as keepsake:
        before = database.execute(asked).fetchone()
        database.execute("DELETE FROM operator")
        keepsake.lay_back()
        assert database.execute(asked).fetchone() == before
