"""What a ticket asked for is given only while the ticket, its reporter and its rule still stand for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from models.tenant import Tenant
from models.ticket import TicketRule
from services import retrying, reviews, ticket_log, ticket_rules
from tests.services.tickets import GROUP, Desk, open_desk
from tests.world import ACCOUNTS, ACME, ACME_KEY, World

UMA, JON = ACCOUNTS["uma"], ACCOUNTS["jon"]
DESIGNERS = "jira-admins"


def waiting(world: World, **wish: Any) -> tuple[Desk, dict[str, Any]]:
    """Uma's ticket waits for an operator. It counts because she is in a group."""
    desk = open_desk(world, token=True, with_approval=True)
    world.control("POST", f"/people/{UMA}/groups", {"group": DESIGNERS, "member": True})
    world.sync(desk.ana)
    desk.change(domains="", groups=(world.groups()[DESIGNERS]["id"],), **wish)
    ticket = desk.sent(UMA)
    assert desk.call(ticket).state == "waiting"
    return desk, ticket


def approved(desk: Desk) -> None:
    found, _counts = reviews.queue(desk.world.tools, desk.ana)
    reviews.approve(desk.world.tools, desk.ana, [each.case.id for each in found])
    desk.work()


def not_given(desk: Desk, ticket: dict[str, Any]) -> str:
    """Why not; nothing was done, and the ticket says so."""
    assert desk.world.effects_by(UMA).get(f"join_group:{GROUP}", 0) == 0
    call = desk.call(ticket)
    assert (call.state, call.case_state) == ("skipped", "spared")
    [comment] = desk.comments(ticket)
    assert comment.startswith("The access that this ticket asks for was not given.")
    return call.reason


@pytest.mark.parametrize("deed", ["off", "deleted"])
def test_a_rule_that_is_off_or_deleted_gives_nothing_more(sqlite_world: World, deed: str) -> None:
    world = sqlite_world
    desk, ticket = waiting(world)
    if deed == "off":
        ticket_rules.switch_rule(world.tools, desk.ana, desk.rule_id, on=False)
    else:
        ticket_rules.delete_rule(world.tools, desk.ana, desk.rule_id)
    reads = len(world.requests("/rest/api/3/issue/"))
    approved(desk)
    said = {"off": "The ticket rule was switched off.", "deleted": "The ticket rule was deleted."}[deed]
    assert not_given(desk, ticket) == said
    asked = [one["path"].rpartition("/")[2] for one in world.requests("/rest/api/3/issue/")[reads:]]
    assert asked.count("comment") == len(asked), "it is commented, and not read for that"


def declined(desk: Desk, ticket: dict[str, Any]) -> None:
    desk.world.control("PATCH", f"/tickets/{ticket['key']}", {"status": "done"})


def of_another_type(desk: Desk, ticket: dict[str, Any]) -> None:
    desk.world.control("PATCH", f"/tickets/{ticket['key']}", {"type": "103"})


def handed_on(desk: Desk, ticket: dict[str, Any]) -> None:
    desk.world.control("PATCH", f"/tickets/{ticket['key']}", {"reporter": JON})


def left_the_group(desk: Desk, _ticket: dict[str, Any]) -> None:
    desk.world.control("POST", f"/people/{UMA}/groups", {"group": DESIGNERS, "member": False})
    desk.world.sync(desk.ana)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (declined, "The ticket is closed already."),
        (of_another_type, "The ticket has the request type “Something is broken”, which this rule does not"),
        (handed_on, "The ticket has another reporter by now."),
        (left_the_group, f"The reporter does not qualify: they are not in {DESIGNERS}."),
    ],
)
def test_what_a_ticket_does_not_ask_for_any_more_is_not_given(
    sqlite_world: World, change: Callable[[Desk, dict[str, Any]], None], reason: str
) -> None:
    desk, ticket = waiting(sqlite_world)
    change(desk, ticket)
    approved(desk)
    assert not_given(desk, ticket).startswith(reason)


def test_who_got_it_by_another_way_meanwhile_reads_that_it_is_there(sqlite_world: World) -> None:
    world = sqlite_world
    desk, ticket = waiting(world)
    world.control("POST", f"/people/{UMA}/groups", {"group": GROUP, "member": True})
    approved(desk)
    assert world.effects_by(UMA).get(f"join_group:{GROUP}", 0) == 0
    call = desk.call(ticket)
    assert (call.state, call.case_state, call.reason) == ("skipped", "spared", "Has this access already.")
    [comment] = desk.comments(ticket)
    assert comment.startswith("The access that this ticket asks for is there already.\n")


def test_whom_the_ticket_does_not_name_any_more_is_not_invited(sqlite_world: World) -> None:
    world = sqlite_world
    desk = open_desk(
        world, token=True, with_approval=True, person="field", person_field="E-mail of the new colleague",
        request_types="102",
    )  # fmt: skip
    slip = desk.sent(UMA, type="102", person="nora@exmaple.example")
    same = desk.sent(UMA, type="102", person="max@newcomers.example")
    for ticket, person in ((slip, "nora@example.example"), (same, "Max@newcomers.example")):
        world.control("PATCH", f"/tickets/{ticket['key']}", {"person": person})
    approved(desk)
    assert (desk.call(slip).state, desk.call(slip).reason) == (
        "skipped",
        "The ticket names somebody else by now.",
    )
    assert desk.call(same).state == "applied"
    assert len(world.requests("/users/invite$")) == 1


def test_a_ticket_that_is_gone_brings_nothing(sqlite_world: World) -> None:
    desk, ticket = waiting(sqlite_world)
    sqlite_world.control("DELETE", f"/tickets/{ticket['key']}")
    approved(desk)
    call = desk.call()
    assert (call.state, call.reason.partition(":")[0]) == (
        "skipped",
        "Jira does not show this ticket to Rollcall",
    )
    assert sqlite_world.effects_by(UMA).get(f"join_group:{GROUP}", 0) == 0


def test_what_failed_and_is_tried_again_is_judged_again(sqlite_world: World) -> None:
    world = sqlite_world
    desk = open_desk(world, token=True)
    ticket = desk.raised(UMA)
    desk.send(ticket)
    world.control("POST", f"/keys/{ACME_KEY}/expire")
    desk.work()
    assert desk.call().state == "failed"
    world.control("POST", f"/keys/{ACME_KEY}/expire?expired=false")
    world.store_key()
    declined(desk, ticket)
    retrying.retry_failed(world.tools, desk.ana, desk.call().run_id or "")
    desk.work()
    assert not_given(desk, ticket) == "The ticket is closed already."


@pytest.mark.parametrize("kind", ["503", "reset", "429"])
def test_trouble_in_jira_at_the_deed_is_waited_out(sqlite_world: World, kind: str) -> None:
    world = sqlite_world
    desk, ticket = waiting(world)
    world.fault("/rest/api/3/issue/", kind)
    approved(desk)
    assert desk.call(ticket).state == "giving"
    world.later(minutes=5)
    desk.work()
    assert desk.call(ticket).state == "applied"
    assert world.effects_by(UMA)[f"join_group:{GROUP}"] == 1


def looks_into_another_jira(desk: Desk) -> None:
    """globex's Jira has become a door of acme, and the rule looks into it."""
    with desk.world.tools.begin() as session:
        theirs = session.get_one(Tenant, desk.world.caller("gina", "globex").tenant)
        theirs.organization_id = ACME
        session.get_one(TicketRule, (ACME, desk.rule_id)).client_key = theirs.client_key


def test_a_ticket_of_a_jira_that_the_rule_has_left_brings_nothing_and_hears_it_there(
    sqlite_world: World,
) -> None:
    desk, ticket = waiting(sqlite_world)
    looks_into_another_jira(desk)
    approved(desk)
    assert not_given(desk, ticket) == "The ticket rule looks into another Jira by now."


def test_a_ticket_that_was_sent_before_the_rule_was_moved_is_not_looked_for_elsewhere(
    sqlite_world: World,
) -> None:
    desk = open_desk(sqlite_world, token=True)
    ticket = desk.raised(UMA)
    desk.send(ticket)
    looks_into_another_jira(desk)
    reads = len(sqlite_world.requests("/rest/api/3/issue/"))
    desk.work()
    call = desk.call(ticket)
    reason = "The rule looks into another Jira since this ticket was sent."
    assert (call.state, call.reason, call.run_id) == ("skipped", reason, None)
    assert len(sqlite_world.requests("/rest/api/3/issue/")) == reads


def test_the_same_number_in_another_jira_is_another_ticket(world: World) -> None:
    desk = open_desk(world)
    ticket = desk.sent(UMA)
    assert desk.call(ticket).state == "applied"
    looks_into_another_jira(desk)
    desk.send(ticket)
    desk.send(ticket)
    assert sorted(call.state for call in desk.calls(ticket)) == ["applied", "received"]


def test_what_a_jira_sends_that_the_rule_has_left_gives_nobody_anything_and_keeps_no_number(
    sqlite_world: World,
) -> None:
    """The same number is a stranger's ticket here, and the same key another one."""
    desk = open_desk(sqlite_world, token=True)
    ticket = desk.raised(UMA)
    other = desk.raised(JON)
    desk.post({"issue": {"id": str(ticket["id"]), "key": other["key"]}})
    desk.work()
    call = desk.call(ticket)
    reason = f"{other['key']} is another ticket in the Jira of the rule by now."
    assert (call.state, call.reason, call.run_id) == ("skipped", reason, None)
    assert sqlite_world.effects_by(UMA) == sqlite_world.effects_by(JON) == {}
    assert desk.comments(ticket) == desk.comments(other) == []
    desk.send(ticket)
    desk.work()
    assert desk.call(ticket).state == "applied"


def test_a_ticket_that_brought_nothing_counts_anew_when_it_was_moved(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world, project="TOOLS")
    ticket = desk.sent(UMA)
    assert desk.call(ticket).state == "skipped"
    desk.send(ticket)
    assert desk.call(ticket).state == "skipped"
    with sqlite_world.sandbox.cloud.store.write() as connection:
        connection.execute("UPDATE request SET key = 'TOOLS-7' WHERE id = ?", (ticket["id"],))
    desk.send(ticket | {"key": "TOOLS-7"})
    desk.work()
    assert desk.call(ticket).state == "applied"
    desk.send(ticket)
    assert desk.call(ticket).state == "applied", "it has begun a run: no key makes it another ticket"


def test_what_comes_out_at_a_second_look_is_said_as_well(sqlite_world: World) -> None:
    """Another reason for nothing is another comment; the same one is said once."""
    desk = open_desk(sqlite_world, token=True, domains="elsewhere.example")
    ticket = desk.sent(UMA)
    ticket_log.look_again(sqlite_world.tools, desk.ana, desk.rule_id, desk.call().id)
    desk.work()
    [first] = desk.comments(ticket)
    declined(desk, ticket)
    ticket_log.look_again(sqlite_world.tools, desk.ana, desk.rule_id, desk.call().id)
    desk.work()
    assert desk.call().comment_state == "sent"
    [_first, second] = desk.comments(ticket)
    assert first.startswith("Whoever raised it may not ask for this access.")
    assert second.startswith("The ticket is closed already.")
