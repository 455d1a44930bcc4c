"""Tickets while real workers are killed (kill -9) at random moments: access once, one comment (S50)."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from models.people import Group, Membership
from models.run import Run
from models.ticket import TicketCall
from rules.roster import Origin
from sandbox.world import API_TOKENS
from services import credential_storing, ticket_calls, ticket_rules
from services.ticket_comments import reference_of
from services.ticket_secrets import HEADER
from services.ticket_wishes import TicketWish
from tests.jobs.deployment import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
GROUP = "contractors"
TICKETS = 20
# The next comment is written, and nobody hears so for a while: the worst moment to die.
UNANSWERED = {"match": ".*/comment$", "method": "POST", "kind": "timeout", "after": True, "seconds": 2}


def desk_of(deployment: Deployment) -> str:
    """A rule that gives a place in the group, its secret in Jira Automation; the group's id."""
    tools, ana = deployment.tools, deployment.ana
    expires_on = (datetime.now(UTC) + timedelta(days=200)).date().isoformat()
    credential_storing.store_api_token(
        tools, ana, email="ana@acme.example", token=API_TOKENS[0].token, expires_on=expires_on
    )
    with tools.begin() as session:
        group_id = session.scalars(select(Group.group_id).where(Group.name == GROUP)).one()
    wish = TicketWish(
        name="Design tools",
        client_key=ana.tenant,
        project="HELP",
        request_types="",
        domains="acme.example",
        gives_kind="groups",
        gives=(group_id,),
        with_approval=False,
        comments=True,
    )
    rule, secret = ticket_rules.add_rule(tools, ana, wish)
    url = f"{deployment.environment['BASE_URL']}/tickets/{rule.id}"
    deployment.control("PUT", "automation", json={"url": url, "header": HEADER, "value": secret})
    return group_id


def outside(deployment: Deployment, group_id: str) -> list[str]:
    """Account ids of active people whom the rule means, and who have nothing of it yet."""
    found = deployment.control("GET", "people", params={"site": "acme", "kind": "employee", "limit": 500})
    with deployment.tools.begin() as session:
        inside = set(session.scalars(select(Membership.account_id).where(Membership.group_id == group_id)))
    return [
        one["account_id"]
        for one in found
        if (one["membership"], one["account_status"], one["email_hidden"]) == ("active", "active", 0)
        and str(one["email"]).endswith("@acme.example")
        and one["account_id"] not in inside
    ]


def joined(deployment: Deployment, group_id: str) -> dict[str, int]:
    """Account id → how often the pretend Atlassian really let them in."""
    effects = deployment.control("GET", "effects")
    by = {account_id: found["by"].get(f"join_group:{group_id}", 0) for account_id, found in effects.items()}
    return {account_id: times for account_id, times in by.items() if times}


def time_passes(deployment: Deployment) -> None:
    """What a dead worker held is let go of after minutes. They are over at once: nobody sits here that long."""
    with deployment.tools.begin() as session:
        for call in session.scalars(select(TicketCall).where(TicketCall.resume_at.is_not(None))):
            call.resume_at = call.resume_at and call.resume_at - ticket_calls.AT_WORK
            call.working_since = call.working_since and call.working_since - ticket_calls.AT_WORK


def settled(deployment: Deployment) -> bool:
    with deployment.tools.begin() as session:
        calls = session.scalars(select(TicketCall)).all()
        return len(calls) == TICKETS and all(one.finished_at and one.resume_at is None for one in calls)


def test_s50_tickets_of_killed_workers_bring_access_once_and_one_comment(
    deploy: Callable[..., Deployment],
) -> None:
    deployment = deploy(people=120)
    deployment.start_worker()
    deployment.configure()
    deployment.wait_for(lambda: deployment.sync().state == "complete", "the first sync")
    group_id = desk_of(deployment)
    reporters = outside(deployment, group_id)[:TICKETS]
    assert len(reporters) == TICKETS
    tickets = [
        deployment.control("POST", "tickets", json={"reporter": reporter, "type": "101"})
        for reporter in reporters
    ]
    moments = random.Random(20)
    early = moments.randint(2, 6)
    deployment.wait_for(lambda: len(joined(deployment, group_id)) >= early, f"{early} people")
    for commenting in (False, True, True):
        if commenting:
            deployment.control("POST", "faults", json=UNANSWERED | {"skip": moments.randint(0, 3)})
            deployment.wait_for(lambda: deployment.control("GET", "faults")[-1]["hits"], "a comment")
        time.sleep(moments.random())
        deployment.kill_worker()
        time_passes(deployment)
        # Jira Automation sends again what it is not sure of.
        again = deployment.control("POST", f"tickets/{moments.choice(tickets)['key']}/send")
        assert again["status"] == 202
        deployment.start_worker()
    deployment.wait_for(lambda: settled(deployment), "every ticket")

    with deployment.tools.begin() as session:
        calls = session.scalars(select(TicketCall)).all()
        runs = session.scalars(select(Run.id).where(Run.origin == Origin.TICKET.value)).all()
        assert Counter((call.state, call.comment_state) for call in calls) == {("applied", "sent"): TICKETS}
        assert {call.run_id for call in calls} == set(runs)
        references = {call.issue_key: reference_of(call) for call in calls}
    assert len(runs) == TICKETS
    assert joined(deployment, group_id) == dict.fromkeys(reporters, 1)
    said = {one["key"]: one["comments"] for one in deployment.control("GET", "tickets")}
    assert {key: len(said[key]) for key in references} == dict.fromkeys(references, 1)
    assert all(said[key][0].endswith(reference) for key, reference in references.items())
