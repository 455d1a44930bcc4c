"""A ticket rule of acme, its Jira Automation, and the worker's part, for tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import requests

from connect.caller import Caller
from models.ticket import TicketCall
from services import credential_storing, ticket_calls, ticket_leases, ticket_rules
from services.ticket_secrets import HEADER
from services.ticket_wishes import TicketWish
from services.toolbox import Toolbox
from tests.world import ANA_TOKEN, World

TOOLS_TYPE = "Get access to design tools"
GROUP = "contractors"


@dataclass
class Desk:
    """One rule with its secret; `ana` is the operator who made it."""

    world: World
    ana: Caller
    rule_id: str
    secret: str
    wish: TicketWish

    @property
    def address(self) -> str:
        return f"{self.world.url}/tickets/{self.rule_id}"

    def post(self, body: Any = None, **more: Any) -> requests.Response:
        """What Jira Automation does; `headers`, `data` and `url` win."""
        more = {"headers": {HEADER: self.secret}, "json": body, "url": self.address} | more
        return self.world.http.post(timeout=30, **more)

    def raised(self, reporter: str, **more: Any) -> dict[str, Any]:
        """Somebody raises a request; nothing is sent."""
        data = {"reporter": reporter, "type": "101"} | more
        found: dict[str, Any] = self.world.control("POST", "/tickets", data)
        return found

    def send(self, ticket: dict[str, Any]) -> requests.Response:
        """The body of the guide."""
        return self.post({"issue": {"id": str(ticket["id"]), "key": ticket["key"]}})

    def sent(self, reporter: str, **more: Any) -> dict[str, Any]:
        """A request is raised, sent, and worked through as far as it goes now."""
        ticket = self.raised(reporter, **more)
        assert self.send(ticket).status_code == 202
        self.work()
        return ticket

    def work(self, tools: Toolbox | None = None) -> None:
        """The worker's rounds over tickets and people, until nothing is due."""
        tools = tools or self.world.tools
        # What the app signs is judged by Atlassian's clock, which nobody moves.
        tools = replace(tools, atlassian=replace(tools.atlassian, clock=lambda: datetime.now(UTC)))
        idle = 0
        for _ in range(50):
            due = ticket_leases.lease_due(tools)
            for organization_id, call_id, attempt in due:
                ticket_calls.work(tools, organization_id, call_id, attempt)
            self.world.act(tools)
            # What was done to people in this round is noticed in the next one.
            idle = 0 if due else idle + 1
            if idle == 2:
                break
        else:
            raise AssertionError("the work does not end")

    def call(self, ticket: dict[str, Any] | None = None) -> TicketCall:
        """The one ticket of the log, or this one."""
        (found,) = self.calls(ticket)
        return found

    def calls(self, ticket: dict[str, Any] | None = None) -> list[TicketCall]:
        return [
            call
            for call in self.world.rows(TicketCall)
            if ticket is None or call.issue_id == str(ticket["id"])
        ]

    def comments(self, ticket: dict[str, Any]) -> list[str]:
        found = self.world.control("GET", "/tickets")
        return next(list(one["comments"]) for one in found if one["id"] == ticket["id"])

    def change(self, **wish: Any) -> None:
        self.wish = replace(self.wish, **wish)
        ticket_rules.change_rule(self.world.tools, self.ana, self.rule_id, self.wish)


def open_desk(world: World, *, token: bool = False, **wish: Any) -> Desk:
    """acme's directory is read, and a rule gives a place in a group to everybody at acme.example, at once."""
    ana = world.synced()
    if token:
        store_token(world, ana)
    return desk_of(world, ana, **{"comments": token} | wish)


def desk_of(world: World, ana: Caller, **wish: Any) -> Desk:
    """The rule alone."""
    values: dict[str, Any] = {
        "name": "Design tools",
        "client_key": ana.tenant,
        "project": "HELP",
        "request_types": TOOLS_TYPE,
        "domains": "acme.example",
        "gives_kind": "groups",
        "gives": wish.get("gives") or (world.groups()[GROUP]["id"],),
        "with_approval": False,
        "comments": False,
    }
    typed = TicketWish(**values | wish)
    rule, secret = ticket_rules.add_rule(world.tools, ana, typed)
    return Desk(world, ana, rule.id, secret, typed)


def store_token(world: World, ana: Caller) -> None:
    credential_storing.store_api_token(
        world.tools, ana, email="ana@acme.example", token=ANA_TOKEN, expires_on=world.in_a_year()
    )
