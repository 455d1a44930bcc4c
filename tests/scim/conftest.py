from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from services import identity_providers
from tests import world as worlds
from tests.scim.provider import IdentityProvider, connected
from tests.services.conftest import BOTH, neighbours, postgres_app, sqlite_app, world
from tests.world import Neighbours, World

__all__ = ["neighbours", "postgres_app", "sqlite_app", "world"]


@pytest.fixture(scope="module", params=BOTH)
def shared_world(neighbours: Neighbours, request: pytest.FixtureRequest) -> Iterator[World]:
    """For tests of the protocol: what a connection knows, no other connection sees."""
    found = worlds.build(neighbours, request.getfixturevalue(request.param))
    found.store_key("ana", "acme")
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


@pytest.fixture
def live(world: World) -> IdentityProvider:
    """Acme's directory has been read; a connection is live, inactive means suspended."""
    world.synced()
    found = connected(world, provider="entra")
    identity_providers.note_preview(world.tools, found.operator, found.connection_id)
    identity_providers.switch_mode(world.tools, found.operator, found.connection_id, live=True)
    return found
