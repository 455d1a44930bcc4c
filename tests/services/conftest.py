from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import cache

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
def app_on(
    neighbours: Neighbours, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Flask]]:
    """The app on "sqlite" or "postgresql", made when it is first asked for."""
    with ExitStack() as stack:

        @cache
        def find(kind: str) -> Flask:
            if kind == "sqlite":
                files: SqliteDatabases = request.getfixturevalue("sqlite_databases")
                url = stack.enter_context(files.fresh(tmp_path_factory.mktemp("services")))
            else:
                server: PostgresDatabases = request.getfixturevalue("postgres_databases")
                url = stack.enter_context(server.fresh())
            app = worlds.open_app(neighbours, url)
            stack.callback(worlds.close, app)
            return app

        yield find


@pytest.fixture(params=["sqlite", "postgresql"])
def world(
    neighbours: Neighbours, app_on: Callable[[str], Flask], request: pytest.FixtureRequest
) -> Iterator[World]:
    """Once on SQLite, once on PostgreSQL."""
    found = worlds.build(neighbours, app_on(request.param))
    yield found
    found.http.close()


@pytest.fixture
def sqlite_world(neighbours: Neighbours, app_on: Callable[[str], Flask]) -> Iterator[World]:
    """For what does not depend on the database."""
    found = worlds.build(neighbours, app_on("sqlite"))
    yield found
    found.http.close()


@pytest.fixture
def world_of_its_own(neighbours: Neighbours, database_url: str) -> Iterator[World]:
    """For tests that spoil the database itself."""
    app = worlds.open_app(neighbours, database_url)
    found = worlds.build(neighbours, app)
    yield found
    found.http.close()
    worlds.close(app)
