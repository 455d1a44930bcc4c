"""Rules in a deployment: made, looked at, switched on, run; and what came of everybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from models.notice import Notice
from models.run import Case
from rules.case import OPEN, CaseState
from services import rule_runs, rules
from tests.jobs.deployment import Deployment

EVERYBODY_IDLE: dict[str, Any] = {
    "name": "Everybody who was not here today",
    "mode": "live",
    "who": {"source": "invited"},
    "steps": [{"when": {"not_seen": 1}, "then": {"deed": "suspend"}, "grace": 0}],
    "brake": {"number": "none", "share": "none"},
}


def synced(deployment: Deployment) -> Deployment:
    """Configured, and read for the first time."""
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    return deployment


def switched_on(deployment: Deployment, data: Mapping[str, Any]) -> str:
    """A rule that an operator has previewed and switched on; its id."""
    tools, ana = deployment.tools, deployment.ana
    rule_id = rules.save_rule(tools, ana, data)
    rule_runs.mark_seen(tools, ana, rule_runs.preview_rule(tools, ana, rule_id))
    rules.switch_on(tools, ana, rule_id)
    return rule_id


def chosen_in(deployment: Deployment, run_id: str) -> list[str]:
    """Account ids of everybody whom the plan chose."""
    with deployment.tools.begin() as session:
        return list(session.scalars(select(Case.account_id).where(Case.run_id == run_id, Case.because != "")))


def still_open(deployment: Deployment, run_id: str) -> int:
    return sum(count for state, count in deployment.case_states(run_id).items() if CaseState(state) in OPEN)


def warnings_given(deployment: Deployment) -> Counter[str]:
    """Account id → how many notices."""
    with deployment.tools.begin() as session:
        return Counter(session.scalars(select(Notice.account_id)))


def deeds(deployment: Deployment, deed: str) -> dict[str, int]:
    """Account id → how often the sandbox was really changed in this way."""
    effects = deployment.control("GET", "effects")
    return {account_id: found[deed] for account_id, found in effects.items() if found.get(deed)}
