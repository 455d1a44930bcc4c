"""Notices by mail and hook while workers die: no mail twice, none lost (S50, S56).

A mail server cannot be asked whether it took a mail. So one that an attempt may have sent before it died goes out
again, as the same message: a mailbox shows it once.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from models.delivery import Delivery
from models.people import Person
from rules.topics import DeliveryState, HookKind, Topic
from services import hooks, rule_runs
from tests.jobs.deployment import Deployment
from tests.jobs.dying_worker import DyingWorker
from tests.jobs.rule_runs import EVERYBODY_IDLE, chosen_in, deeds, switched_on

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
Deploy = Callable[..., Deployment]

WARNED_BY_MAIL = EVERYBODY_IDLE | {
    "steps": [{"when": {"not_seen": 1}, "then": {"deed": "suspend"}, "grace": 3, "warn": [3, 1]}]
}
TOLD = EVERYBODY_IDLE | {"steps": [{"when": {"not_seen": 1}, "then": {"deed": "tell"}}]}


def synced_with_a_hook(deployment: Deployment, *topics: Topic) -> Deployment:
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    hooks.add_hook(
        deployment.tools,
        deployment.ana,
        kind=HookKind.SIGNED.value,
        name="Ours",
        address=f"{deployment.sandbox.hub}/hooks/ours",
        token="",
        topics=[topic.value for topic in topics],
    )
    return deployment


def addresses(deployment: Deployment, account_ids: list[str]) -> dict[str, str]:
    """Account id → address, of those who have one."""
    with deployment.tools.begin() as session:
        query = select(Person.account_id, Person.email).where(
            Person.account_id.in_(account_ids), Person.email.is_not(None)
        )
        return {account_id: (email or "").lower() for account_id, email in session.execute(query)}


def mails_in_boxes(deployment: Deployment) -> Counter[str]:
    """Address → how many messages its mailbox shows."""
    return Counter(mail["to"].lower() for mail in deployment.control("GET", "mails"))


def calls_by_name(deployment: Deployment) -> Counter[str]:
    """What the hook was called with → how often."""
    return Counter(call["headers"]["webhook-id"] for call in deployment.control("GET", "hooks"))


def unsettled(deployment: Deployment) -> int:
    with deployment.tools.begin() as session:
        return session.scalar(select(func.count()).where(Delivery.resume_at.is_not(None))) or 0


def test_a_worker_that_dies_at_every_step_tells_everybody_everything_once(deploy: Deploy) -> None:
    """Two warnings, then that the access ended."""
    deployment = deploy(people=850, mail=True)
    deployment.start_worker()
    synced_with_a_hook(deployment, Topic.WARNED, Topic.ENDED)
    deployment.kill_worker()
    rule_id = switched_on(deployment, WARNED_BY_MAIL)
    worker = DyingWorker(deployment.tools)
    run_id = rule_runs.run_now(worker.tools, deployment.ana, rule_id)
    chosen = chosen_in(deployment, run_id)
    worker.work()
    worker.send()
    for days in (2.1, 1.1):
        worker.offset += timedelta(days=days)
        worker.work()
        worker.send()

    states = deployment.case_states(run_id)
    assert states["acted"] == len(deeds(deployment, "suspend")) > 200
    known = addresses(deployment, list(deeds(deployment, "suspend")))
    boxes = [deployment.control("GET", f"mails?to={address}") for address in known.values()]
    assert {len(box) for box in boxes} == {3}
    assert unsettled(deployment) == 0
    called = calls_by_name(deployment)
    warned = states["acted"] + states.get("could_not_warn", 0)
    assert states["acted"] * 3 == len(called) <= warned * 3
    assert worker.deaths > 5 * len(chosen)
    repeated = [mail["times"] for box in boxes for mail in box if mail["times"] > 1]
    assert repeated, "some died between the server's answer and writing it down: the very case this is about"


def test_killed_workers_lose_no_notice(deploy: Deploy) -> None:
    """kill -9 at moments that nobody chose."""
    deployment = deploy(people=500, mail=True)
    deployment.start_worker()
    synced_with_a_hook(deployment, Topic.TOLD)
    rule_id = switched_on(deployment, TOLD)
    run_id = rule_runs.run_now(deployment.tools, deployment.ana, rule_id)
    chosen = chosen_in(deployment, run_id)
    assert len(chosen) > 80
    moments = random.Random(56)
    for _ in range(3):
        sent = len(deployment.control("GET", "mails"))
        goal = sent + moments.randint(5, 20)
        deployment.wait_for(
            lambda goal=goal: len(deployment.control("GET", "mails")) >= goal, f"{goal} mails sent"
        )
        deployment.kill_worker()
        deployment.start_worker()
    deployment.wait_for(
        lambda: deployment.case_states(run_id).get("acted", 0) == len(chosen) and unsettled(deployment) == 0,
        "every notice",
    )
    known = addresses(deployment, chosen)
    assert mails_in_boxes(deployment) == Counter(known.values())
    assert len(calls_by_name(deployment)) == len(chosen)
    with deployment.tools.begin() as session:
        states = Counter(session.scalars(select(Delivery.state)))
    assert states == {
        DeliveryState.SENT: len(known) + len(chosen),
        **({DeliveryState.NOT_SENT: len(chosen) - len(known)} if len(chosen) > len(known) else {}),
    }
