from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.jobs.deployment import Deployment, deployed


@pytest.fixture
def deploy(
    database_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., Deployment]]:
    """deploy(people=…) starts a deployment on SQLite, and again on PostgreSQL."""
    jobs_url = f"sqlite:///{tmp_path / 'jobs.sqlite'}" if database_url.startswith("sqlite") else database_url
    with ExitStack() as stack:
        yield lambda **arguments: stack.enter_context(deployed(database_url, jobs_url, tmp_path, **arguments))
