"""A worker's threads take their memory from few heaps."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from jobs.memory import HEAPS
from tests.databases import SqliteDatabases
from tests.jobs.deployment import Deployment, deployed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="a setting of glibc"),
]


def heaps(deployment: Deployment) -> int:
    """How many there are beside the first one: each begins at a multiple of 64 MB."""
    maps = Path(f"/proc/{deployment.workers['worker-1'].pid}/maps").read_text()
    begins = [int(line.split("-")[0], 16) for line in maps.splitlines()]
    return sum(begin % (64 << 20) == 0 for begin in begins)


def test_many_threads_share_few_heaps(sqlite_databases: SqliteDatabases, tmp_path: Path) -> None:
    jobs = f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    with sqlite_databases.fresh(tmp_path) as url, deployed(url, jobs, tmp_path, people=50) as deployment:
        deployment.start_worker()
        deployment.configure()
        deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
        assert heaps(deployment) <= HEAPS
