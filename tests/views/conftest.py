from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.databases import SqliteDatabases
from tests.views.house import House, NewHouse, built


@pytest.fixture(scope="session")
def house(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Configured, and its directory read. Shared: tests leave it as they found it."""
    folder = tmp_path_factory.mktemp("house")
    with sqlite_databases.fresh(folder) as url, built(url, folder) as house:
        house.deployment.configure()
        house.read_directory()
        yield house


@pytest.fixture(scope="session")
def first_new_house(
    sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NewHouse]:
    folder = tmp_path_factory.mktemp("new-house")
    with (
        sqlite_databases.fresh(folder) as url,
        built(url, folder) as house,
        closing(NewHouse(house)) as first,
    ):
        yield first


@pytest.fixture
def new_house(first_new_house: NewHouse) -> House:
    """Just installed, and for this test alone."""
    return first_new_house.again()
