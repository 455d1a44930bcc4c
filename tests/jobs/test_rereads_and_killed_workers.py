"""A newcomer is told by Jira, the worker is killed while it reads them, and a rule gives them once (S50; 0015)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from sqlalchemy import func, select

from models.access_rule import AccessRuleNews, StoredAccessRule
from models.people import Group, Person
from models.reread import Reread
from models.run import Run
from models.sync import Sync
from rules.roster import Origin
from rules.rule import Mode
from sandbox.world import ACME
from services import access_rule_lists, access_rules
from services.access_rule_form import Typed
from tests.jobs.deployment import KEY, Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
Deploy = Callable[..., Deployment]


def count(deployment: Deployment, model: Any, *conditions: Any) -> int:
    with deployment.tools.begin() as session:
        return session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0


def group(deployment: Deployment, name: str) -> str:
    with deployment.tools.begin() as session:
        return session.scalar(select(Group.group_id).where(Group.name == name)) or ""


def live_rule(deployment: Deployment) -> None:
    typed = Typed(
        name="Agents with contractors",
        sources=[group(deployment, "service-desk-agents")],
        groups=[group(deployment, "contractors")],
    )
    rule_id = access_rules.save_access_rule(deployment.tools, deployment.ana, typed)
    access_rule_lists.preview_access_rule(deployment.tools, deployment.ana, rule_id)
    access_rule_lists.mark_seen(deployment.tools, deployment.ana, rule_id)
    access_rules.switch_mode(deployment.tools, deployment.ana, rule_id, Mode.LIVE)
    deployment.wait_for(
        lambda: count(deployment, StoredAccessRule, StoredAccessRule.evaluated_at.is_not(None)),
        "the first look",
    )


def at_rest(deployment: Deployment) -> bool:
    running = count(deployment, Run, Run.origin == Origin.ACCESS_RULE.value, Run.state == "running")
    return not running and not count(deployment, Reread) and not count(deployment, AccessRuleNews)


def invited(deployment: Deployment, address: str) -> str:
    """Somebody else invites them at Atlassian, and Jira tells it by itself; the account id."""
    answer = requests.post(
        f"{deployment.sandbox.hub}/admin/v2/orgs/{ACME.id}/users/invite",
        json={
            "emails": [address],
            "additionalGroups": [group(deployment, "service-desk-agents")],
            "permissionRules": [],
        },
        headers={"Authorization": f"Bearer {KEY}"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"][0]["id"])


def test_s50_a_newcomer_is_read_and_given_once_though_the_worker_is_killed(deploy: Deploy) -> None:
    deployment = deploy(people=120)
    deployment.start_worker()
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    live_rule(deployment)
    deployment.wait_for(lambda: at_rest(deployment), "the first runs")
    syncs = count(deployment, Sync)
    deployment.control("POST", "settings", json={"announces": True})
    slow = {"match": ".*/users/search", "method": "POST", "kind": "slow", "seconds": 3, "times": 1}
    deployment.control("POST", "faults", json=slow)
    nora = invited(deployment, "nora@acme.example")
    assert count(deployment, Reread) == 1
    deployment.wait_for(lambda: deployment.control("GET", "faults")[0]["hits"] == 1, "the reading to begin")
    deployment.kill_worker()
    assert count(deployment, Person, Person.account_id == nora) == 0
    deployment.start_worker()

    def given() -> Any:
        return deployment.control("GET", "effects").get(nora, {}).get("by", {})

    contractors = f"join_group:{group(deployment, 'contractors')}"
    deployment.wait_for(lambda: given().get(contractors), "what the rule gives")
    deployment.wait_for(lambda: at_rest(deployment), "the end of it")
    assert given()[contractors] == 1
    assert count(deployment, Person, Person.account_id == nora, Person.activity == "seen") == 0
    assert count(deployment, Sync) == syncs
