"""The database is away for a while, as when it is restarted: the programs say so, and go on by themselves."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from requests import get
from sqlalchemy import func, select

from jobs.engine import LAST_SECONDS
from models.delivery import Delivery
from models.worker import Worker
from rules.topics import DeliveryState
from tests.databases import PostgresDatabases
from tests.jobs.deployment import Deployment, deployed
from tests.jobs.test_slow_hooks import announce, hook
from tests.postgres import frozen, serve, stopped

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
            assert health(deployment) == 503
        deployment.wait_for(lambda: health(deployment) == 200, "an answer of the database")
        back = deployment.tools.clock()
        deployment.wait_for(
            lambda: worker.poll() is not None or _last_beat(deployment) > back, "a sign of life"
        )
        assert worker.poll() is None
        deployment.configure()
        deployment.wait_for(lambda: deployment.sync().started_at > back, "a second sync")
        deployment.wait_for(lambda: deployment.sync().state == "complete", "its end")


def test_a_sync_goes_on_after_postgresql_was_restarted_in_the_middle_of_it(tmp_path: Path) -> None:
    """Its socket is gone meanwhile: nobody is there who could say that the database shuts down."""
    with TemporaryDirectory(prefix="rollcall-pg-") as folder, serve(Path(folder)) as server:
        databases = PostgresDatabases(server)
        with databases.fresh() as url, deployed(url, url, tmp_path, people=1500) as deployment:
            slow = {"match": ".*/users/search", "method": "POST", "kind": "slow", "seconds": 0.5, "times": 60}
            deployment.control("POST", "faults", json=slow)
            deployment.start_worker()
            deployment.configure()
            deployment.wait_for(lambda: deployment.sync().pages >= 3, "page 3")
            with stopped(Path(folder)):
                time.sleep(1)
            assert health(deployment) == 200, "whoever asks first is answered"
            deployment.wait_for(lambda: deployment.sync().state != "running", "the end of the sync")
            assert (deployment.sync().state, deployment.sync().people) == ("complete", 1500)


def test_a_sync_goes_on_when_a_database_that_only_read_for_a_while_takes_something_again(
    postgres_databases: PostgresDatabases, tmp_path: Path
) -> None:
    """As a stand-by does, or one whose disk is nearly full: who is connected stays so when that is over."""
    with postgres_databases.fresh() as url, deployed(url, url, tmp_path, people=1500) as deployment:
        slow = {"match": ".*/users/search", "method": "POST", "kind": "slow", "seconds": 0.5, "times": 60}
        deployment.control("POST", "faults", json=slow)
        deployment.start_worker()
        deployment.configure()
        deployment.wait_for(lambda: deployment.sync().pages >= 3, "page 3")
        with postgres_databases.only_read(url):
            time.sleep(5)
        deployment.wait_for(lambda: deployment.sync().state != "running", "the end of the sync")
        assert (deployment.sync().state, deployment.sync().people) == ("complete", 1500)


def test_a_worker_that_is_told_to_end_ends_though_the_database_is_away(tmp_path: Path) -> None:
    with TemporaryDirectory(prefix="rollcall-pg-") as folder, serve(Path(folder)) as server:
        databases = PostgresDatabases(server)
        with databases.fresh() as url, deployed(url, url, tmp_path, people=1500) as deployment:
            slow = {"match": ".*/users/search", "method": "POST", "kind": "slow", "seconds": 0.5, "times": 60}
            deployment.control("POST", "faults", json=slow)
            deployment.start_worker()
            worker = deployment.workers["worker-1"]
            deployment.configure()
            deployment.wait_for(lambda: deployment.sync().pages >= 3, "page 3")
            with stopped(Path(folder)):
                time.sleep(3)
                worker.terminate()
                worker.wait(LAST_SECONDS + 10)
            deployment.start_worker()
            deployment.wait_for(lambda: deployment.sync().state != "running", "the end of the sync")
            assert (deployment.sync().state, deployment.sync().people) == ("complete", 1500)


def test_a_worker_that_is_told_to_end_ends_though_the_database_says_nothing(tmp_path: Path) -> None:
    """Its heart waits for the answer, too."""
    with TemporaryDirectory(prefix="rollcall-pg-") as folder, serve(Path(folder)) as server:
        databases = PostgresDatabases(server)
        with databases.fresh() as url, deployed(url, url, tmp_path, people=50) as deployment:
            deployment.start_worker()
            worker = deployment.workers["worker-1"]
            deployment.configure()
            deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
            with frozen(Path(folder)):
                time.sleep(LONGER_THAN_TWO_BEATS)
                worker.terminate()
                worker.wait(LAST_SECONDS + 20)


def test_what_was_taken_is_not_sent_once_more_because_the_answer_came_meanwhile(
    postgres_databases: PostgresDatabases, tmp_path: Path
) -> None:
    with postgres_databases.fresh() as url, deployed(url, url, tmp_path, people=50) as deployment:
        deployment.configure()
        hook(deployment, deployment.ana, "slow")
        deployment.control("POST", "hooks/slow/answer", json={"seconds": 3})
        for occasion in ("first", "second"):
            announce(deployment, deployment.ana, occasion)
        deployment.start_worker()
        deployment.wait_for(lambda: len(deployment.control("GET", "hooks?name=slow")) == 2, "both calls")
        with postgres_databases.away(url):
            time.sleep(5)
        deployment.wait_for(lambda: _sent(deployment) == 2, "both to be sent")
        assert len(deployment.control("GET", "hooks?name=slow")) == 2


def _sent(deployment: Deployment) -> int | None:
    with deployment.tools.begin() as session:
        sent = select(func.count()).where(Delivery.state == DeliveryState.SENT.value)
        return session.scalar(sent)


def _last_beat(deployment: Deployment) -> object:
    with deployment.tools.begin() as session:
        return session.get_one(Worker, "worker-1").beat_at
