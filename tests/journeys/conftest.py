from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.databases import SqliteDatabases
from tests.jobs.deployment import Deployment, deployed
from tests.journeys.journey import Journey

PEOPLE = 400


@pytest.fixture
def deployment(sqlite_databases: SqliteDatabases, tmp_path: Path) -> Iterator[Deployment]:
    """Web, worker and the pretend Atlassian."""
    jobs = f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    with sqlite_databases.fresh(tmp_path) as url, deployed(url, jobs, tmp_path, people=PEOPLE) as found:
        found.start_worker()
        yield found


@pytest.fixture
def start(
    deployment: Deployment, new_page: Callable[..., Page], request: pytest.FixtureRequest
) -> Callable[[str, str], Journey]:
    """Opens a product in one of its colours; pictures are kept in a folder named after the test's file."""
    folder = request.path.stem.removeprefix("test_").replace("_", "-")

    def begin(product: str, colours: str) -> Journey:
        page = new_page(accept_downloads=True)
        page.context.add_init_script(f"localStorage.setItem('sandbox-theme', '{colours}')")
        return Journey(page, deployment, product, colours, folder)

    return begin
