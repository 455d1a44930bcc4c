"""What a database complains about is logged: it must name nobody (S41)."""

from __future__ import annotations

import logging
import socket
import time
from io import StringIO
from pathlib import Path

import pytest
from dbos._utils import retriable_postgres_exception
from flask import Flask
from sqlalchemy import create_engine, insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from connect.scrub import Scrubber
from models.db import db, is_away, told_to_the_driver
from models.people import Person
from tests.world import ACME, World


def test_s41_an_error_of_the_database_names_nobody(world: World) -> None:
    world.synced()
    out = StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(Scrubber())
    logger = logging.getLogger("rollcall.database")
    logger.addHandler(handler)
    try:
        with pytest.raises(IntegrityError) as found, world.tools.begin() as session:
            session.execute(
                insert(Person).values(organization_id=ACME, account_id="uma", name="Uma Lindqvist")
            )
        logger.error("failed", exc_info=found.value)
    finally:
        logger.removeHandler(handler)
    assert "INSERT INTO person" in out.getvalue()
    assert "Lindqvist" not in out.getvalue()


@pytest.mark.parametrize("host", ["/nowhere", "127.0.0.1:1"])
def test_dbos_waits_for_a_database_however_it_is_not_found(host: str) -> None:
    engine = create_engine(f"postgresql+psycopg://postgres@/rollcall?host={host}&connect_timeout=2")
    with pytest.raises(OperationalError) as found:
        engine.connect()
    assert is_away(found.value)
    assert retriable_postgres_exception(found.value)


def test_a_database_is_away_for_whoever_gets_no_connection_because_all_others_wait_for_it(
    tmp_path: Path,
) -> None:
    engine = create_engine(
        f"sqlite:///{tmp_path / 'busy.sqlite'}", pool_size=1, max_overflow=0, pool_timeout=0.01
    )
    with engine.connect(), pytest.raises(NoConnectionLeft) as found:
        engine.connect()
    assert is_away(found.value)
    engine.dispose()


def test_dbos_waits_for_a_disk_to_have_room(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'small.sqlite'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE words (word TEXT)")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=2")
        with pytest.raises(OperationalError) as found:
            connection.exec_driver_sql("INSERT INTO words VALUES (hex(randomblob(9999)))")
    assert is_away(found.value)
    assert retriable_postgres_exception(found.value)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO words VALUES ('room')")
    engine.dispose()


def test_a_statement_that_is_wrong_is_not_tried_until_the_database_is_there(world: World) -> None:
    with pytest.raises(DBAPIError) as found, world.tools.begin() as session:
        session.execute(text("SELECT nothing FROM nowhere"))
    assert not is_away(found.value)


@pytest.mark.slow
def test_what_takes_longer_than_postgresql_may_take_is_not_tried_for_a_day(postgres_app: Flask) -> None:
    with postgres_app.app_context(), db.engine.connect() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 200"))
        with pytest.raises(OperationalError) as found:
            connection.execute(text("SELECT pg_sleep(9)"))
    assert not is_away(found.value)


@pytest.mark.slow
def test_dbos_waits_for_a_postgresql_that_only_reads_until_it_takes_something(postgres_app: Flask) -> None:
    with postgres_app.app_context(), db.engine.connect() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        with pytest.raises(DBAPIError) as found:
            connection.execute(text("DELETE FROM person"))
    assert is_away(found.value)
    assert retriable_postgres_exception(found.value)


@pytest.mark.slow
def test_who_asks_a_database_that_takes_calls_and_says_nothing_hears_of_it_soon() -> None:
    """As one does that hangs. By itself the driver waits for 130 seconds."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://postgres@127.0.0.1:{silent.getsockname()[1]}/rollcall"
        began = time.monotonic()
        with pytest.raises(OperationalError) as found:
            create_engine(url, connect_args=told_to_the_driver(url)).connect()
        assert time.monotonic() - began < 60
    assert is_away(found.value)


def test_what_the_address_of_a_database_says_counts_more_and_sqlite_is_told_nothing() -> None:
    assert "connect_timeout" in told_to_the_driver("postgresql+psycopg:///rollcall")
    assert "connect_timeout" not in told_to_the_driver("postgresql+psycopg:///rollcall?connect_timeout=99")
    assert told_to_the_driver("sqlite:////var/lib/rollcall.sqlite") == {}
