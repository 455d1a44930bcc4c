"""What is finished is forgotten faster than it comes: DBOS's tables stay small."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from dbos import DBOSClient
from sqlalchemy import MetaData, Table, create_engine, insert

from jobs.clockwork import KEEP_TICKS, SWEEP
from tests.databases import sqlalchemy_url
from tests.jobs.deployment import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TICKS_OF_AN_HOUR = 3600


def test_all_ticks_of_an_hour_are_forgotten_in_the_next_one(deploy: Callable[..., Deployment]) -> None:
    assert TICKS_OF_AN_HOUR > SWEEP, "one batch is not enough"
    deployment = deploy(people=50)
    deployment.start_worker()
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    _tick_for_an_hour(deployment)
    client = DBOSClient(system_database_url=deployment.tools.settings.jobs_database_url)
    client.trigger_schedule("sweep")

    def left() -> int:
        found = client.list_workflows(workflow_id_prefix="sched-tick-long-ago", load_input=False)
        return len(found)

    assert left() > 0
    deployment.wait_for(lambda: not left(), "the end of the sweep")
    client.destroy()


def _tick_for_an_hour(deployment: Deployment) -> None:
    ended = round((deployment.tools.clock() - 2 * KEEP_TICKS - timedelta(minutes=1)).timestamp() * 1000)
    engine = create_engine(sqlalchemy_url(deployment.tools.settings.jobs_database_url))
    schema = None if engine.dialect.name == "sqlite" else "dbos"
    status = Table("workflow_status", MetaData(), autoload_with=engine, schema=schema)
    tick = {
        "status": "SUCCESS",
        "name": "tick",
        "created_at": ended,
        "updated_at": ended,
        "completed_at": ended,
    }
    with engine.begin() as connection:
        connection.execute(
            insert(status),
            [
                {"workflow_uuid": f"sched-tick-long-ago-{number}", **tick}
                for number in range(TICKS_OF_AN_HOUR)
            ],
        )
    engine.dispose()
