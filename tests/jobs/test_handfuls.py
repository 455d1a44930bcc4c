"""People are acted on a few at a time: which of them together, under which name, and how many wait."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dbos import DBOSClient

from jobs import cases
from jobs.bundles import bundled
from services import rule_runs
from tests.jobs.deployment import Deployment
from tests.jobs.rule_runs import EVERYBODY_IDLE, switched_on, synced

Deploy = Callable[..., Deployment]
WINDOW = 5000  # milliseconds


def test_a_handful_is_of_one_organization() -> None:
    mine = [(f"a{number:02}", 1) for number in range(cases.HANDFUL + 1)]
    leased = [("acme", *each) for each in mine] + [("globex", "g0", 3)]
    assert bundled(leased, cases.HANDFUL) == [
        ("acme", mine[:-1]),
        ("acme", mine[-1:]),
        ("globex", [("g0", 3)]),
    ]
    assert bundled([], cases.HANDFUL) == []


def test_the_same_people_at_the_same_attempts_are_one_workflow() -> None:
    handful = [("a0", 1), ("a1", 1)]
    assert cases.workflow_id(handful) == cases.workflow_id([("a0", 1), ("a1", 1)])
    others = ([("a0", 2), ("a1", 1)], [("a0", 1)], [("a1", 1), ("a0", 1)])
    assert cases.workflow_id(handful) not in {cases.workflow_id(other) for other in others}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_while_atlassian_is_slow_the_queue_does_not_grow(deploy: Deploy) -> None:
    """What is handed out faster than it is done would wait there for minutes, and be handed out again meanwhile."""
    deployment = deploy(people=900)
    deployment.start_worker()
    synced(deployment)
    deployment.control(
        "POST", "faults", json={"match": "/suspend$", "kind": "slow", "seconds": 2, "times": 900}
    )
    rule_id = switched_on(deployment, EVERYBODY_IDLE)
    run_id = rule_runs.run_now(deployment.tools, deployment.ana, rule_id)
    deployment.wait_for(lambda: deployment.case_states(run_id).get("acted", 0) >= 50, "50 people")
    assert deployment.case_states(run_id)["planned"] > 100, "there is plenty to do"
    client = DBOSClient(system_database_url=deployment.tools.settings.jobs_database_url)
    waiting = client.list_workflows(queue_name=cases.QUEUE, status="ENQUEUED", load_input=False)
    client.destroy()
    a_second = cases.PER_SECOND // cases.HANDFUL
    assert len(waiting) <= 2 * a_second


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_however_many_are_due_no_more_are_handed_out_than_are_allowed(deploy: Deploy) -> None:
    """The queue's fence is wider than the pace: the clock keeps it, a second's worth each second."""
    deployment = deploy(people=900)
    deployment.start_worker()
    synced(deployment)
    rule_id = switched_on(deployment, EVERYBODY_IDLE)
    run_id = rule_runs.run_now(deployment.tools, deployment.ana, rule_id)
    deployment.wait_for(lambda: deployment.case_states(run_id).get("acted", 0) >= 180, "180 people")
    client = DBOSClient(system_database_url=deployment.tools.settings.jobs_database_url)
    handfuls = client.list_workflows(name="act_on_cases", load_input=False, load_output=False)
    client.destroy()
    moments = sorted(each.created_at for each in handfuls if each.created_at is not None)
    # A window may catch one second's worth more than it is long.
    most = max(sum(each < start + WINDOW for each in moments[first:]) for first, start in enumerate(moments))
    assert most * cases.HANDFUL <= cases.PER_SECOND * (WINDOW / 1000 + 1)
