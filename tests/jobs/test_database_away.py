"""The database is away for a while, as when it is restarted: the programs say so, and go on by themselves."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from requests import get

from models.worker import Worker
from tests.databases import PostgresDatabases
from tests.jobs.deployment import Deployment, deployed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LONGER_THAN_TWO_BEATS = 12


def health(deployment: Deployment) -> int:
    return get(f"{deployment.environment['BASE_URL']}/healthz", timeout=10).status_code


def test_a_database_that_was_away_ends_no_worker_and_the_health_check_tells_of_it(
    postgres_databases: PostgresDatabases, tmp_path: Path
) -> None:
    with postgres_databases.fresh() as url, deployed(url, url, tmp_path, people=50) as deployment:
        assert health(deployment) == 200
        deployment.start_worker()
        worker = deployment.workers["worker-1"]
        deployment.configure()
        deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
        with postgres_databases.away(url):
            time.sleep(LONGER_THAN_TWO_BEATS)
            assert health(deployment) == 500
        deployment.wait_for(lambda: health(deployment) == 200, "an answer of the database")
        back = deployment.tools.clock()
        deployment.wait_for(
            lambda: worker.poll() is not None or _last_beat(deployment) > back, "a sign of life"
        )
        assert worker.poll() is None
        deployment.configure()
        deployment.wait_for(lambda: deployment.sync().started_at > back, "a second sync")
        deployment.wait_for(lambda: deployment.sync().state == "complete", "its end")


def _last_beat(deployment: Deployment) -> object:
    with deployment.tools.begin() as session:
        return session.get_one(Worker, "worker-1").beat_at
