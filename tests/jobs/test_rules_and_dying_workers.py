"""Runs of rules while workers die, Atlassian storms, and operators change their minds (journey 4; S49, S50, S56)."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from dbos import DBOSClient
from sqlalchemy import select, update

from models.rule import StoredRule
from models.run import Case, Run
from services import rule_runs, rules, run_progress, runs, undoing
from tests.jobs.deployment import Deployment
from tests.jobs.dying_worker import DyingWorker
from tests.jobs.rule_runs import (
    EVERYBODY_IDLE,
    chosen_in,
    deeds,
    still_open,
    switched_on,
    synced,
    warnings_given,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
Deploy = Callable[..., Deployment]

WITH_NOTICE = EVERYBODY_IDLE | {
    "steps": [
        {
            "when": {"not_seen": 1},
            "then": {"deed": "suspend"},
            "grace": 3,
            "warn": [3, 1],
            "unreachable": "go_on",
        }
    ]
}


def test_s50_a_run_of_200_people_whose_worker_dies_after_every_single_step(deploy: Deploy) -> None:
    """With a notice before the deed, a second one, the deed and the undo."""
    deployment = deploy(people=900)
    deployment.start_worker()
    synced(deployment)
    deployment.kill_worker()
    rule_id = switched_on(deployment, WITH_NOTICE)
    worker = DyingWorker(deployment.tools)
    run_id = rule_runs.run_now(worker.tools, deployment.ana, rule_id)
    chosen = chosen_in(deployment, run_id)
    assert len(chosen) >= 200
    told = {
        person for person, state in states_of(deployment, run_id).items() if state in {"planned", "warned"}
    }

    worker.work()
    assert deeds(deployment, "suspend") == {}, "nobody before the grace is over"
    for days in (2.1, 1.1):
        worker.offset += timedelta(days=days)
        worker.work()

    assert told == set(chosen)
    assert set(states_of(deployment, run_id).values()) == {"acted"}
    assert deeds(deployment, "suspend") == dict.fromkeys(chosen, 1)
    assert set(warnings_given(deployment).values()) == {2}, "each warning once"
    assert worker.deaths > 5 * len(chosen)
    assert worker.moments >= set(range(1, 13)), "no step was left out"

    undo_id = undoing.preview_undo(worker.tools, deployment.ana, run_id)
    runs.confirm(worker.tools, deployment.ana, undo_id)
    worker.work()
    assert set(states_of(deployment, run_id).values()) == {"undone"}
    assert deeds(deployment, "restore") == dict.fromkeys(chosen, 1)


def test_s50_two_workers_share_a_run_and_are_killed_in_turn(deploy: Deploy) -> None:
    """kill -9 at moments that nobody chose; each time the other one, or the same one again, goes on."""
    deployment = deploy(people=900)
    deployment.start_worker("worker-1")
    synced(deployment)
    deployment.start_worker("worker-2")
    rule_id = switched_on(deployment, EVERYBODY_IDLE)
    run_id = rule_runs.run_now(deployment.tools, deployment.ana, rule_id)
    chosen = chosen_in(deployment, run_id)
    assert len(chosen) >= 200
    moments = random.Random(50)
    for number in range(4):
        left = still_open(deployment, run_id)
        goal = left - moments.randint(5, 25)
        deployment.wait_for(lambda goal=goal: still_open(deployment, run_id) <= goal, f"{goal} left")
        slot = f"worker-{number % 2 + 1}"
        deployment.kill_worker(slot)
        deployment.start_worker(slot)
    deployment.wait_for(lambda: still_open(deployment, run_id) == 0, "the run")

    assert deployment.case_states(run_id)["acted"] == len(chosen)
    assert deeds(deployment, "suspend") == dict.fromkeys(chosen, 1)
    client = DBOSClient(system_database_url=deployment.tools.settings.jobs_database_url)
    executors = {each.executor_id for each in client.list_workflows(name="act_on_cases", load_input=False)}
    client.destroy()
    assert executors == {"worker-1", "worker-2"}, "both had their share"


def test_a_rule_switched_off_in_the_middle_spares_everybody_who_waits(deploy: Deploy) -> None:
    deployment = deploy(people=500)
    deployment.start_worker()
    synced(deployment)
    rule_id = switched_on(deployment, EVERYBODY_IDLE)
    run_id = rule_runs.run_now(deployment.tools, deployment.ana, rule_id)
    chosen = len(chosen_in(deployment, run_id))
    deployment.wait_for(lambda: deployment.case_states(run_id).get("acted", 0) >= 20, "20 people")
    rules.switch_off(deployment.tools, deployment.ana, rule_id)
    deployment.wait_for(lambda: still_open(deployment, run_id) == 0, "those in hand")
    states = deployment.case_states(run_id)
    assert states["acted"] + states["spared"] + states.get("cancelled", 0) == chosen
    assert states["spared"] > 50
    assert len(deeds(deployment, "suspend")) == states["acted"]
    view = run_progress.show_run(deployment.tools, deployment.ana, run_id)
    assert (view.state, view.can_undo) == ("stopped", True)


def test_storms_of_429_and_5xx_delay_and_change_nothing(deploy: Deploy) -> None:
    deployment = deploy(people=500)
    deployment.start_worker()
    synced(deployment)
    rule_id = switched_on(deployment, EVERYBODY_IDLE)
    storm = [
        {"match": "/suspend$", "kind": "429", "seconds": 1, "times": 4},
        {"match": "/suspend$", "kind": "503", "times": 15, "skip": 10, "after": True},
        {"match": "/suspend$", "kind": "reset", "times": 15, "skip": 40},
        {"match": "/users/search$", "kind": "502", "times": 20, "skip": 60},
        {"match": "/users/search$", "kind": "429-no-header", "times": 1, "skip": 100},
    ]
    deployment.control("POST", "faults", json=storm)
    run_id = rule_runs.run_now(deployment.tools, deployment.ana, rule_id)
    chosen = chosen_in(deployment, run_id)
    deployment.wait_for(lambda: still_open(deployment, run_id) == 0, "the run")
    assert deployment.case_states(run_id)["acted"] == len(chosen)
    assert deeds(deployment, "suspend") == dict.fromkeys(chosen, 1)


def test_a_rule_runs_at_its_date_once_whoever_is_awake(deploy: Deploy) -> None:
    """Two workers, and the date comes while both look."""
    deployment = deploy(people=120)
    deployment.start_worker("worker-1")
    synced(deployment)
    deployment.start_worker("worker-2")
    rule_id = switched_on(deployment, EVERYBODY_IDLE | {"schedule": {"every": "day", "at": "06:00"}})
    bring_forward(deployment, rule_id)
    deployment.wait_for(lambda: runs_of(deployment, rule_id), "the run")
    deployment.wait_for(
        lambda: all(still_open(deployment, run_id) == 0 for run_id in runs_of(deployment, rule_id)), "its end"
    )
    (run_id,) = runs_of(deployment, rule_id)
    chosen = chosen_in(deployment, run_id)
    assert chosen
    assert deeds(deployment, "suspend") == dict.fromkeys(chosen, 1)


def states_of(deployment: Deployment, run_id: str) -> dict[str, str]:
    """Account id → state, of everybody whom the plan chose."""
    with deployment.tools.begin() as session:
        query = select(Case.account_id, Case.state).where(Case.run_id == run_id, Case.because != "")
        return dict(session.execute(query).all())


def runs_of(deployment: Deployment, rule_id: str) -> list[str]:
    """The runs of a rule that are no previews."""
    with deployment.tools.begin() as session:
        return list(session.scalars(select(Run.id).where(Run.rule_id == rule_id, Run.state != "preview")))


def bring_forward(deployment: Deployment, rule_id: str) -> None:
    """Its next date is now: nobody waits until six in the morning."""
    with deployment.tools.begin() as session:
        now = deployment.tools.clock()
        session.execute(update(StoredRule).where(StoredRule.id == rule_id).values(next_run_at=now))
