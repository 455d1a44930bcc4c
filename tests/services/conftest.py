from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import world as worlds
from tests.world import Neighbours, World


@pytest.fixture(scope="session")
def neighbours() -> Iterator[Neighbours]:
    found = Neighbours()
    yield found
    found.close()


@pytest.fixture
def world(neighbours: Neighbours, database_url: str) -> Iterator[World]:
    """Once on SQLite, once on PostgreSQL."""
    found = worlds.build(neighbours, database_url)
    yield found
    found.close()


@pytest.fixture
def sqlite_world(neighbours: Neighbours, sqlite_url: str) -> Iterator[World]:
    """For what does not depend on the database."""
    found = worlds.build(neighbours, sqlite_url)
    yield found
    found.close()
