from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.connect.listener import Listener, listening
from tests.databases import SqliteDatabases
from tests.security import world as worlds
from tests.security.world import FirstDay, World


@pytest.fixture(scope="session")
def listeners() -> Iterator[tuple[Listener, Listener, Listener]]:
    with ExitStack() as stack:
        yield (
            stack.enter_context(listening()),
            stack.enter_context(listening()),
            stack.enter_context(listening()),
        )


@pytest.fixture(scope="session")
def first_day(
    sqlite_databases: SqliteDatabases,
    tmp_path_factory: pytest.TempPathFactory,
    listeners: tuple[Listener, Listener, Listener],
) -> Iterator[FirstDay]:
    """A world in which acme and globex have just been installed."""
    with sqlite_databases.fresh(tmp_path_factory.mktemp("world")) as url:
        first = FirstDay(worlds.build(url, *listeners))
        yield first
        first.close()


@pytest.fixture
def world(first_day: FirstDay) -> World:
    """acme and globex, installed; nobody has called anybody yet."""
    return first_day.again()
