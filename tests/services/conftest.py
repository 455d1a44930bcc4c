from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from flask import Flask

from tests import world as worlds
from tests.databases import PostgresDatabases, SqliteDatabases
from tests.world import Neighbours, World


@pytest.fixture(scope="session")
def neighbours() -> Iterator[Neighbours]:
    with closing(Neighbours()) as found:
        yield found


@pytest.fixture(scope="session")
def sqlite_app(
    neighbours: Neighbours, sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    with sqlite_databases.fresh(tmp_path_factory.mktemp("services")) as url:
        app = worlds.open_app(neighbours, url)
        yield app
        worlds.close(neighbours, app)


@pytest.fixture(scope="session")
def postgres_app(neighbours: Neighbours, postgres_databases: PostgresDatabases) -> Iterator[Flask]:
    with postgres_databases.fresh() as url:
        app = worlds.open_app(neighbours, url)
        yield app
        worlds.close(neighbours, app)


BOTH = [
    pytest.param("sqlite_app", id="sqlite"),
    pytest.param("postgres_app", id="postgresql", marks=pytest.mark.slow),
]


@pytest.fixture(params=BOTH)
def world(neighbours: Neighbours, request: pytest.FixtureRequest) -> Iterator[World]:
    """Once on SQLite, once on PostgreSQL."""
    found = worlds.build(neighbours, request.getfixturevalue(request.param))
    yield found
    found.http.close()


@pytest.fixture
def sqlite_world(neighbours: Neighbours, sqlite_app: Flask) -> Iterator[World]:
    """For what does not depend on the database."""
    found = worlds.build(neighbours, sqlite_app)
    yield found
    found.http.close()


@pytest.fixture
def world_of_its_own(neighbours: Neighbours, database_url: str) -> Iterator[World]:
    """For tests that spoil the database itself."""
    app = worlds.open_app(neighbours, database_url)
    found = worlds.build(neighbours, app)
    yield found
    found.http.close()
    worlds.close(neighbours, app)
