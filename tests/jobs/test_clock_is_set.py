"""The clock of the machine is wrong, and is set: what happens by it goes on, at its pace."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dbos import DBOSClient

from tests.jobs.deployment import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Deploy = Callable[..., Deployment]
AN_HOUR, A_DAY = 3600, 86400
SETTLED = 20
"""Seconds: some beats, after which the schedules have found into step."""
CLOCKED_WORKER = [str(Path(__file__).with_name("worker_with_a_clock.py"))]


def ticks(deployment: Deployment) -> int:
    client = DBOSClient(system_database_url=deployment.tools.settings.jobs_database_url)
    found = client.list_workflows(name="tick", load_input=False, load_output=False)
    client.destroy()
    return len(found)


@pytest.mark.parametrize("wrong_by", [[-AN_HOUR], [A_DAY], [A_DAY, 0]], ids=["back", "forward", "and back"])
def test_what_happens_by_the_clock_goes_on_at_its_pace_after_it_was_set(
    deploy: Deploy, tmp_path: Path, wrong_by: list[int]
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("0")
    deployment = deploy(people=50)
    deployment.start_worker(program=[*CLOCKED_WORKER, str(clock)])
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    for seconds in wrong_by:
        clock.write_text(str(seconds))
        time.sleep(SETTLED)
    before = ticks(deployment)
    time.sleep(SETTLED)
    assert SETTLED / 2 <= ticks(deployment) - before <= SETTLED * 2, deployment.logs()
