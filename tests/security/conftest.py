from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.connect.listener import Listener, listening
from tests.security import world as worlds
from tests.security.world import World


@pytest.fixture(scope="session")
def listeners() -> Iterator[tuple[Listener, Listener, Listener]]:
    with ExitStack() as stack:
        yield (
            stack.enter_context(listening()),
            stack.enter_context(listening()),
            stack.enter_context(listening()),
        )


@pytest.fixture
def world(sqlite_url: str, listeners: tuple[Listener, Listener, Listener]) -> Iterator[World]:
    """acme and globex, installed; nobody has called anybody yet."""
    for listener in listeners:
        listener.calls.clear()
    found = worlds.build(sqlite_url, *listeners)
    yield found
    found.close()
