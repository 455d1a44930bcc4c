from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from flask import Flask

from services import identity_providers
from tests import world as worlds
from tests.databases import PostgresDatabases, SqliteDatabases
from tests.scim.provider import IdentityProvider, connected
from tests.world import Neighbours, World


@pytest.fixture(scope="session")
def neighbours() -> Iterator[Neighbours]:
    with closing(Neighbours()) as found:
        yield found


@pytest.fixture(scope="session")
def sqlite_app(
    neighbours: Neighbours, sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    with sqlite_databases.fresh(tmp_path_factory.mktemp("scim")) as url:
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


@pytest.fixture(scope="module", params=BOTH)
def shared_world(neighbours: Neighbours, request: pytest.FixtureRequest) -> Iterator[World]:
    """For tests of the protocol: what a connection knows, no other connection sees."""
    found = worlds.build(neighbours, request.getfixturevalue(request.param))
    found.store_key("ana", "acme")
    yield found
    found.http.close()


@pytest.fixture(params=BOTH)
def world(neighbours: Neighbours, request: pytest.FixtureRequest) -> Iterator[World]:
    """For tests of what happens at Atlassian: a first day of its own."""
    found = worlds.build(neighbours, request.getfixturevalue(request.param))
    yield found
    found.http.close()


@pytest.fixture
def connect(shared_world: World) -> Iterator[Callable[[str], IdentityProvider]]:
    """connect("entra"): an identity provider with a token of its own; gone after the test."""
    made: list[IdentityProvider] = []

    def connect(provider: str) -> IdentityProvider:
        made.append(connected(shared_world, provider=provider))
        return made[-1]

    yield connect
    for each in made:
        identity_providers.disconnect(shared_world.tools, each.operator, each.connection_id)


@pytest.fixture
def entra(connect: Callable[[str], IdentityProvider]) -> IdentityProvider:
    return connect("entra")


@pytest.fixture
def okta(connect: Callable[[str], IdentityProvider]) -> IdentityProvider:
    return connect("okta")
