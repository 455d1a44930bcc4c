"""What an organization was at each earlier version is kept when it is upgraded, and every page shows it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, insert, select

from models.db import Base, db
from models.leaver import Leaver
from models.people import Person
from models.run import Run
from services import days
from tests import world as worlds
from tests.databases import TOP, PostgresDatabases, migrate, sqlalchemy_url
from tests.lives.test_lives import CHAPTERS, TURNS, Life
from tests.scim.provider import connected
from tests.test_databases import Rows, assert_nothing_lost, assert_whole, everything
from tests.world import ACME, Neighbours, World
from views.show import OPERATOR_TABS

LIFE = 4
"""One that has rows in most tables."""
VERSIONS = sorted((file.name[:4] for file in (TOP / "migrations" / "versions").glob("0*.py")), reverse=True)
SAID_OTHERWISE = {"left_as", "emails_key", "typed_emails_key"}
"""Columns that are gone: what stood in them stands elsewhere."""
SHOWN_EVERY, SOME = 5, 5

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_whatever_was_known_at_an_earlier_version_is_kept_and_shown(
    neighbours: Neighbours,
    sqlite_app: Flask,
    tmp_path: Path,
) -> None:
    # The last quiet week is left out: much is still open.
    Life(neighbours, sqlite_app, LIFE).live(range(1, CHAPTERS * TURNS))
    world = worlds._open(neighbours, sqlite_app)
    provider = connected(world)
    ben = provider.add("ben@acme.example", emails=[{"value": "Ben@home.example", "type": "home"}])
    provider.group("Bens", ben)
    days.write_days(world.tools)
    now, other = str(world.tools.engine.url.database), tmp_path / "other.sqlite"
    copy(now, other)
    with laid_back(now, tmp_path / "kept.sqlite"):
        go_through_all(neighbours, sqlite_app, other, now)


def go_through_all(neighbours: Neighbours, sqlite_app: Flask, other: Path, now: str) -> None:
    for number, version in enumerate(VERSIONS[1:-1]):
        back_and_forth(f"sqlite:///{other}", version)
        if number % SHOWN_EVERY == 0 or version == VERSIONS[-2]:
            copy(other, now)
            world = worlds._open(neighbours, sqlite_app)
            assert not_shown(world) == [], version
            world.http.close()


def test_so_it_is_on_postgresql(
    neighbours: Neighbours, sqlite_app: Flask, postgres_databases: PostgresDatabases
) -> None:
    Life(neighbours, sqlite_app, LIFE).live(range(1, CHAPTERS * TURNS))
    with sqlite_app.app_context():
        found = everything_of_ours(db.engine)
    with postgres_databases.fresh() as url:
        with opened(url) as engine, engine.begin() as connection:
            for table in Base.metadata.sorted_tables:
                if found[table.name]:
                    connection.execute(insert(table), found[table.name])
        for version in VERSIONS[1:-1]:
            back_and_forth(url, version)


def back_and_forth(url: str, version: str) -> None:
    """What an earlier version could have known is kept when that is upgraded."""
    migrate(url, "downgrade", version)
    with opened(url) as engine:
        before = everything(engine)
    migrate(url)
    with opened(url) as engine:
        assert_whole(engine)
        kept = everything(engine)
    assert_nothing_lost(before, kept, but=SAID_OTHERWISE)
    assert len(kept["scim_address"]) == sum("home.example" in str(row) for row in kept["scim_user"])


def everything_of_ours(engine: Engine) -> Rows:
    """As the models read it."""
    with engine.connect() as connection:
        return {
            table.name: [dict(row._mapping) for row in connection.execute(select(table))]
            for table in Base.metadata.sorted_tables
        }


def not_shown(world: World) -> list[str]:
    """The pages that an operator is not shown."""
    pages = [f"/app/{tab}" for tab, _title in OPERATOR_TABS]
    for model, address, key in (
        (Run, "/app/runs", "id"),
        (Person, "/app/people", "account_id"),
        (Leaver, "/app/leavers", "id"),
    ):
        mine = [row for row in world.rows(model) if row.organization_id == ACME]
        pages += [f"{address}/{getattr(row, key)}" for row in mine[:SOME]]
    return [page for page in pages if world.call("GET", page).status_code != 200]


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = create_engine(sqlalchemy_url(url))
    yield engine
    engine.dispose()


@contextmanager
def laid_back(file: str, kept: Path) -> Iterator[None]:
    """Other tests find the tables as they were: an upgraded one has its columns in another order."""
    copy(file, kept)
    try:
        yield
    finally:
        copy(kept, file)


def copy(source: str | Path, target: str | Path) -> None:
    """With what was written last, which is in another file beside it."""
    with closing(sqlite3.connect(source)) as given, closing(sqlite3.connect(target, timeout=30)) as taken:
        given.backup(taken)
