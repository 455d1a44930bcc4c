"""Tickets: a service desk whose requests give access, by a rule or an operator's word."""

from __future__ import annotations

from typing import Any

from services import ticket_rules
from tests.lives.stage import Acts, NothingToDo, Stage
from tests.services.tickets import GROUP, Desk, desk_of
from tests.world import ACCOUNTS


def open_a_desk(life: Stage) -> None:
    if life.desk is not None:
        raise NothingToDo
    with_approval, days = life.pick(False, False, True), life.pick("", "3")
    wish = {"with_approval": with_approval, "days": days, "gives": (life.cast.groups[GROUP],)}
    with life.allowed():
        life.desk = desk_of(life.world, life.cast.callers["ana"], **wish)


def raise_a_ticket(life: Stage) -> None:
    """It is sent to the rule as Jira Automation does, sometimes twice."""
    desk, reporter, times = _desk(life), life.somebody(), life.pick(1, 1, 2)
    with life.allowed():
        ticket = desk.raised(life.cast.ids[reporter])
        for _ in range(times):
            desk.send(ticket)


def a_ticket_is_changed(life: Stage) -> None:
    """Closed, opened again, or somebody else's by now."""
    _desk(life)
    ticket = life.one([str(each["id"]) for each in life.world.control("GET", "/tickets")])
    what: dict[str, Any] = life.pick(
        {"status": "done"}, {"status": "done"}, {"status": "open"}, {"reporter": ACCOUNTS["uma"]}
    )
    life.world.control("PATCH", f"/tickets/{ticket}", what)


def switch_the_ticket_rule(life: Stage) -> None:
    desk, on, caller = _desk(life), life.pick(True, True, False), life.operator()
    with life.allowed():
        ticket_rules.switch_rule(life.tools, caller, desk.rule_id, on=on)


def _desk(life: Stage) -> Desk:
    if life.desk is None:
        raise NothingToDo
    return life.desk


ACTS: Acts = {open_a_desk: 4, raise_a_ticket: 6, a_ticket_is_changed: 4, switch_the_ticket_rule: 1}
