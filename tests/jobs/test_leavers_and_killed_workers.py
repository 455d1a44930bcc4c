"""A leaver while real workers are killed (kill -9) at random moments: everything once, and all of it proven (S50)."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from models.audit import Event
from models.leaver import Belonging, Leaver
from rules.farewell import LeaverState
from rules.handover import Kind
from sandbox.world import ACME, API_TOKENS
from services import credential_storing, leaver_decisions, leaver_evidence, leavers
from services.leaver_decisions import Plan
from tests.jobs.deployment import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
JON, UMA = (person.account_id for person in ACME.people[1:3])
SLOW = [
    {"match": match, "method": method, "kind": "slow", "seconds": 0.15, "times": None}
    for match, method in ((r".*/(owner|assignee|bulk/edit)$", "PUT"), (r".*/api-tokens/[^/]+$", "DELETE"))
]


def state(deployment: Deployment, leaver_id: str) -> str:
    with deployment.tools.begin() as session:
        return session.get_one(Leaver, (ACME.id, leaver_id)).state


def changes(deployment: Deployment) -> dict[str, int]:
    """What became of Uma's things: {"give_filter:10300": times}."""
    found: dict[str, int] = deployment.control("GET", "effects").get(UMA, {}).get("by", {})
    return found


def killed(deployment: Deployment, things: int, moments: random.Random) -> None:
    """Waits until so many things have changed, and a random moment more; then the power is cut."""
    deployment.wait_for(lambda: len(changes(deployment)) >= things, f"{things} things")
    time.sleep(moments.random() / 3)
    deployment.kill_worker()
    deployment.start_worker()


def test_s50_a_leaver_of_killed_workers_is_handed_over_once_with_evidence(
    deploy: Callable[..., Deployment],
) -> None:
    deployment = deploy(people=120)
    deployment.start_worker()
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    tools, ana = deployment.tools, deployment.ana
    expires_on = (datetime.now(UTC) + timedelta(days=200)).date().isoformat()
    credential_storing.store_api_token(
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
    for _ in range(2):
        killed(deployment, len(changes(deployment)) + moments.randint(2, 5), moments)
    with tools.begin() as session:
        handed_over = session.query(Belonging).filter(Belonging.kind != Kind.TOKEN.value).count()
    # The third one while tokens are revoked.
    killed(deployment, handed_over + 1, moments)
    deployment.wait_for(lambda: state(deployment, leaver_id) == LeaverState.DONE, "the end")
    evidence = leaver_evidence.evidence_of(tools, ana, leaver_id)
    rows = evidence.belongings
    assert {row.state for row in rows} == {"moved"}
    found = changes(deployment)
    assert found == dict.fromkeys(
        (f"{'revoke' if row.kind == Kind.TOKEN else 'give'}_{row.kind}:{row.reference}" for row in rows), 1
    )
    assert deployment.control("GET", "effects")[UMA]["suspend"] == 1
    assert {row.reference for row in rows if row.kind == Kind.TOKEN} != set()
    entries = [one.entry for one in evidence.entries]
    proven = Counter((entry.event, (entry.details or {}).get("reference", "")) for entry in entries)
    for row in rows:
        event = Event.TOKEN_REVOKED if row.kind == Kind.TOKEN else Event.BELONGING_MOVED
        assert proven[event.value, row.reference] == 1, row
    assert [entry.event for entry in entries].count(Event.CASE_ACTED.value) == 1
    assert entries[-1].event == Event.LEAVER_DONE.value
