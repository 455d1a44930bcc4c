"""What every test may ask for: fresh databases, the pretend Atlassian, a browser. Sockets reach loopback only."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import PostgresDatabases, SqliteDatabases
from tests.loopback import refuse_other_hosts
from tests.postgres import serve

pytest_plugins = ["tests.browser"]

sys.addaudithook(refuse_other_hosts)

# "quick" finds the same examples in every run, "thorough" (`make test`) these and more; "search" looks for new ones:
# HYPOTHESIS_PROFILE=search make check
settings.register_profile("quick", max_examples=25, derandomize=True, deadline=None)
settings.register_profile("thorough", max_examples=100, derandomize=True, deadline=None)
settings.register_profile(
    "search", max_examples=5_000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is loaded by then stays: looking through it for garbage, again and again, is a tenth of the time.

    What is made later is looked through less often than Python does of its own accord.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000)
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that may take longest begin first: at the end nobody waits for one of them alone."""
    items.sort(key=_most_seconds, reverse=True)


def _most_seconds(item: pytest.Item) -> float:
    mark = item.get_closest_marker("timeout")
    return float(mark.args[0]) if mark is not None else 0.0


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    """Migrated SQLite files; the workers of one run share the template."""
    own = tmp_path_factory.getbasetemp()
    return SqliteDatabases(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[PostgresDatabases]:
    """Migrated databases on a PostgreSQL server of this test run's own.

    Not below pytest's own temporary folder: as root the server runs as another user, and every pytest that starts
    takes that folder's rights back.
    """
    with TemporaryDirectory(prefix="rollcall-pg-") as folder, serve(Path(folder)) as server:
        yield PostgresDatabases(server)


@pytest.fixture
def sqlite_url(sqlite_databases: SqliteDatabases, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated SQLite database."""
    with sqlite_databases.fresh(tmp_path) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated database: the test runs once on SQLite, once on PostgreSQL."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            databases: SqliteDatabases = request.getfixturevalue("sqlite_databases")
            yield stack.enter_context(databases.fresh(tmp_path))
        else:
            servers: PostgresDatabases = request.getfixturevalue("postgres_databases")
            yield stack.enter_context(servers.fresh())
