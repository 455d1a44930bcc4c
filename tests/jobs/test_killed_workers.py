"""Workers die at any moment, and for good; nobody is lost, nobody is acted on twice (S46, S50; journeys 3 and 4)."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from jobs.engine import LAST_SECONDS
from models.people import Person
from models.run import Case
from rules.case import CaseState
from rules.deeds import Deed
from rules.filters import PeopleFilter
from services import previews, run_progress, runs, undoing
from tests.jobs.deployment import Deployment, deployed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
Deploy = Callable[..., Deployment]

SLOW_PAGES = {"match": ".*/users/search", "method": "POST", "kind": "slow", "seconds": 0.25, "times": 60}


def synced(deployment: Deployment) -> Deployment:
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    return deployment


def people_of_the_sandbox(deployment: Deployment) -> set[str]:
    found = deployment.control("GET", "people", params={"site": "acme", "limit": 100_000})
    return {row["account_id"] for row in found}


def suspend_everybody_possible(deployment: Deployment) -> tuple[str, int]:
    tools, ana = deployment.tools, deployment.ana
    run_id = previews.preview(
        tools, ana, Deed.SUSPEND, account_ids=None, filter=PeopleFilter(status="active", synced=False)
    )
    runs.confirm(tools, ana, run_id)
    return run_id, deployment.case_states(run_id)["planned"]


def deeds(deployment: Deployment, deed: str) -> dict[str, int]:
    """account id → how often the sandbox was really changed."""
    effects = deployment.control("GET", "effects")
    return {account_id: found[deed] for account_id, found in effects.items() if found[deed]}


def test_s46_a_sync_of_2000_people_killed_three_times_is_complete_and_right(deploy: Deploy) -> None:
    deployment = deploy(people=2000)
    deployment.control("POST", "faults", json=SLOW_PAGES)
    deployment.start_worker()
    deployment.configure()
    for pages in (3, 8, 13):
        deployment.wait_for(lambda pages=pages: deployment.sync().pages >= pages, f"page {pages}")
        deployment.kill_worker()
        assert deployment.sync().state == "running"
        deployment.start_worker()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the sync")

    assert deployment.sync().people == 2000
    with deployment.tools.begin() as session:
        stored = set(session.scalars(select(Person.account_id).where(Person.left_at.is_(None))))
    assert stored == people_of_the_sandbox(deployment)


def test_s46_a_worker_that_never_comes_back_is_followed_by_another(deploy: Deploy) -> None:
    deployment = deploy(people=2000)
    deployment.control("POST", "faults", json=SLOW_PAGES)
    deployment.start_worker("worker-1")
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().pages >= 4, "page 4")
    deployment.kill_worker("worker-1")
    deployment.start_worker("worker-2")
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the sync in another worker")
    assert deployment.sync().people == 2000


def test_s50_a_thousand_suspensions_with_the_worker_killed_act_on_each_person_once(deploy: Deploy) -> None:
    deployment = deploy(people=2700)
    deployment.start_worker()
    synced(deployment)
    run_id, chosen = suspend_everybody_possible(deployment)
    assert chosen >= 1000

    for share in (0.15, 0.4, 0.7):
        goal = int(chosen * share)
        deployment.wait_for(
            lambda goal=goal: deployment.case_states(run_id).get("acted", 0) >= goal, f"{goal} people"
        )
        deployment.kill_worker()
        deployment.start_worker()
    deployment.wait_for(
        lambda: run_progress.show_run(deployment.tools, deployment.ana, run_id).to_do == 0, "the run"
    )

    states = deployment.case_states(run_id)
    assert states["acted"] == chosen, states
    assert deeds(deployment, "suspend") == dict.fromkeys(acted_in(deployment, run_id), 1)


def test_s51_undo_with_the_worker_killed_gives_everybody_back_once(deploy: Deploy) -> None:
    deployment = deploy(people=300)
    deployment.start_worker()
    synced(deployment)
    run_id, chosen = suspend_everybody_possible(deployment)
    deployment.wait_for(lambda: deployment.case_states(run_id).get("acted") == chosen, "the run")
    deployment.wait_for(
        lambda: run_progress.show_run(deployment.tools, deployment.ana, run_id).can_undo, "the end of the run"
    )
    suspended = set(deeds(deployment, "suspend"))

    undo_id = undoing.preview_undo(deployment.tools, deployment.ana, run_id)
    runs.confirm(deployment.tools, deployment.ana, undo_id)
    deployment.wait_for(lambda: deployment.case_states(undo_id).get("acted", 0) >= 20, "20 people")
    deployment.kill_worker()
    deployment.start_worker()
    deployment.wait_for(
        lambda: run_progress.show_run(deployment.tools, deployment.ana, undo_id).to_do == 0, "the undo"
    )

    assert deployment.case_states(run_id)["undone"] == chosen
    assert deeds(deployment, "restore") == dict.fromkeys(suspended, 1)


def test_a_worker_whose_terminal_is_closed_ends_as_it_is_told_to(sqlite_url: str, tmp_path: Path) -> None:
    with deployed(sqlite_url, f"sqlite:///{tmp_path / 'jobs.sqlite'}", tmp_path, people=50) as deployment:
        deployment.start_worker()
        deployment.configure()
        deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
        deployment.workers["worker-1"].send_signal(signal.SIGHUP)
        assert deployment.workers["worker-1"].wait(LAST_SECONDS + 30) == 0


def acted_in(deployment: Deployment, run_id: str) -> list[str]:
    with deployment.tools.begin() as session:
        acted = select(Case.account_id).where(Case.run_id == run_id, Case.state == CaseState.ACTED.value)
        found = list(session.scalars(acted))
        assert len(found) == session.scalar(
            select(func.count(func.distinct(Case.account_id))).where(
                Case.run_id == run_id, Case.state == "acted"
            )
        )
        return found
