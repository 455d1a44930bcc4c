"""A handover while real workers are killed (kill -9) at moments that nobody chose: each thing is moved once (S50)."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from models.leaver import Belonging, Leaver
from rules.farewell import LeaverState
from sandbox.world import ACME, API_TOKENS
from services import credentials, leaver_decisions, leavers
from services.leaver_decisions import Plan
from tests.jobs.deployment import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
JON, UMA = (person.account_id for person in ACME.people[1:3])
SLOW = {
    "match": r".*/(owner|assignee|bulk/edit)$",
    "method": "PUT",
    "kind": "slow",
    "seconds": 0.15,
    "times": None,
}


def state(deployment: Deployment, leaver_id: str) -> str:
    with deployment.tools.begin() as session:
        return session.get_one(Leaver, (ACME.id, leaver_id)).state


def changes(deployment: Deployment) -> dict[str, int]:
    """What became of Uma's things: {"give_filter:10300": times}."""
    found: dict[str, int] = deployment.control("GET", "effects").get(UMA, {}).get("by", {})
    return found


def test_s50_a_handover_of_killed_workers_moves_each_thing_once(
    deploy: Callable[..., Deployment],
) -> None:
    deployment = deploy(people=120)
    deployment.start_worker()
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    tools, ana = deployment.tools, deployment.ana
    expires_on = (datetime.now(UTC) + timedelta(days=200)).date().isoformat()
    credentials.store_api_token(
        tools, ana, email="ana@acme.example", token=API_TOKENS[0].token, expires_on=expires_on
    )
    (leaver_id,) = leavers.request_leavers(tools, ana, [UMA])
    deployment.wait_for(lambda: state(deployment, leaver_id) == "ready", "what she owns")
    leaver_decisions.add_successor(tools, ana, leaver_id, JON)
    kinds = ("project", "component", "filter", "dashboard", "issue")
    plan = Plan(dict.fromkeys(kinds, JON), "suspend", None, True, "", "", "", "")
    leaver_decisions.choose(tools, ana, leaver_id, plan)
    deployment.wait_for(lambda: state(deployment, leaver_id) == "planned", "the dry run")
    deployment.control("POST", "faults", json=SLOW)
    leaver_decisions.confirm(tools, ana, leaver_id)
    moments = random.Random(50)
    for _ in range(3):
        goal = len(changes(deployment)) + moments.randint(2, 5)
        deployment.wait_for(lambda goal=goal: len(changes(deployment)) >= goal, f"{goal} things")
        deployment.kill_worker()
        deployment.start_worker()
    deployment.wait_for(lambda: state(deployment, leaver_id) == LeaverState.DONE, "the end")
    with tools.begin() as session:
        rows = session.query(Belonging).all()
        assert {row.state for row in rows} == {"moved"}
    found = changes(deployment)
    assert set(found.values()) == {1}
    assert len(found) == len(rows)
    assert deployment.control("GET", "effects")[UMA]["suspend"] == 1
