"""What tests begin with is what was kept, whatever another test did to the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import Engine, create_engine, select

from models import Base
from tests.databases import PostgresDatabases, sqlalchemy_url
from tests.keepsakes import PostgresKeepsake, SqliteKeepsake, dump

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


CHANGES = {
    "renewed": "UPDATE organization SET name = 'Another'",
    "gone": "DELETE FROM operator",
    "one more": ORGANIZATION.format("globex"),
    "in a table that was empty": GROUP,
}


@pytest.mark.parametrize(
    "change", [*CHANGES.values(), "DELETE FROM alembic_version"], ids=[*CHANGES, "of no model of ours"]
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


@pytest.mark.slow
def test_what_was_changed_is_as_it_was_on_postgresql(postgres_databases: PostgresDatabases) -> None:
    """Also one change after the other, and what two keepsakes kept at two moments."""
    with postgres_databases.fresh() as url:
        engine = create_engine(sqlalchemy_url(url))
        change(engine, ORGANIZATION.format("acme"))
        earlier, at_first = PostgresKeepsake(engine), rows_in(engine)
        change(engine, OPERATOR)
        later, then = PostgresKeepsake(engine), rows_in(engine)
        for statement in CHANGES.values():
            change(engine, statement)
            assert rows_in(engine) != then
            later.lay_back()
            assert rows_in(engine) == then
        earlier.lay_back()
        assert rows_in(engine) == at_first
        earlier.close()
        later.lay_back()
        assert rows_in(engine) == then
        later.close()
        engine.dispose()


def change(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)


def rows_in(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for name, table in Base.metadata.tables.items()
        }
