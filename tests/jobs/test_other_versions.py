"""Work that an earlier version of the program has begun keeps nobody from what this one does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dbos import DBOSClient

from jobs import syncs
from sandbox.world import ACME
from services import syncing
from tests.jobs.deployment import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_work_that_is_not_known_any_more_keeps_no_place(deploy: Callable[..., Deployment]) -> None:
    deployment = deploy(people=50)
    deployment.start_worker()
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    client = DBOSClient(system_database_url=deployment.tools.settings.jobs_database_url)
    # Of the syncs of one organization one goes on at a time.
    client.enqueue(
        {
            "workflow_name": "read_the_directory",
            "workflow_id": "of-yesterday",
            "queue_name": syncs.QUEUE,
            "queue_partition_key": ACME.id,
        },
        ACME.id,
    )
    deployment.wait_for(
        lambda: client.list_workflows(status="PENDING", name="read_the_directory"), "its turn"
    )
    first = deployment.sync().id
    syncing.request_sync(deployment.tools, deployment.ana)
    deployment.wait_for(
        lambda: deployment.sync().id != first and deployment.sync().state == "complete", "the next sync"
    )
    assert client.list_workflows(workflow_ids=["of-yesterday"]) == []
    assert "['of-yesterday'] is nothing that this version does" in deployment.logs()
    client.destroy()
