"""Tickets bring access: once, to whom the rule means, for a reason that stands in the log (issue 5, S20, S50)."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import Settings
from connect.errors import Conflict, Invalid, NotFound
from jobs import tickets
from jobs.workbench import lay_out
from models.people import Group
from models.run import Run
from models.tenant import Tenant
from models.ticket import TicketCall, TicketRule
from models.timed_access import TimedAccess
from rules.access_path import USER_ROLE
from rules.roster import Origin
from sandbox.world import ORGANIZATIONS
from services import (
    leasing,
    profiles,
    reviews,
    runs,
    ticket_calls,
    ticket_leases,
    ticket_log,
    ticket_rules,
    ticket_trial,
)
from services.key_rotation import rotate_keys
from services.ticket_comments import reference_of
from services.ticket_secrets import HEADER, open_door
from services.ticket_wishes import TicketWish
from services.vault import Vault
from tests.services.tickets import GROUP, TOOLS_TYPE, Desk, open_desk
from tests.services.workers import fault, once, with_something_between
from tests.world import ACCOUNTS, GLOBEX, World, credential_key

UMA = ACCOUNTS["uma"]


def groups_of(world: World, account_id: str = UMA) -> list[str]:
    held = world.holding(account_id)
    assert held is not None
    return list(held["groups"])


def outcome(desk: Desk, ticket: dict[str, Any] | None = None) -> tuple[str, str]:
    call = desk.call(ticket)
    return call.state, call.reason


def test_a_ticket_gives_access_once_and_says_so_once(world: World) -> None:
    desk = open_desk(world, token=True, days="30")
    ticket = desk.sent(UMA)
    assert GROUP in groups_of(world)
    assert outcome(desk) == ("applied", "")
    call = desk.call()
    assert (call.issue_key, call.account_id, call.request_type) == (ticket["key"], UMA, TOOLS_TYPE)
    (run,) = [one for one in world.rows(Run) if one.origin == Origin.TICKET]
    assert (run.origin_id, run.id) == (desk.rule_id, call.run_id)
    [comment] = desk.comments(ticket)
    assert comment.startswith("The access that this ticket asks for is given. It ends on ")
    assert comment.endswith(reference_of(call))
    assert (call.comment_state, call.resume_at) == ("sent", None)

    # A replay, a retry of Jira Automation, another body with the same ticket: nothing.
    before = world.dump()
    for body in (
        {"issue": {"id": str(ticket["id"]), "key": ticket["key"]}},
        {"issue": {"id": ticket["id"], "key": "OTHER-1", "reporter": {"accountId": ACCOUNTS["jon"]}}},
        {"id": str(ticket["id"]), "key": ticket["key"], "fields": {}, "self": "x"},
    ):
        assert desk.post(body).status_code == 202
    desk.work()
    after = world.dump()
    assert {name for name in after if after[name] != before[name]} == {"ticket_rule"}
    assert len(desk.comments(ticket)) == 1


def test_the_same_ticket_at_the_same_moment_is_one_ticket(world: World) -> None:
    desk = open_desk(world)
    ticket = desk.raised(UMA)
    together = threading.Barrier(6)
    statuses: list[int] = []

    def send() -> None:
        together.wait()
        answer = desk.world.http.post(
            desk.address, json={"issue": {"id": str(ticket["id"])}}, headers={HEADER: desk.secret}, timeout=30
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [202] * 6
    # Two workers that both hold the same attempt, or a later one: one run.
    due = ticket_leases.lease_due(world.tools)
    workers = [
        threading.Thread(target=ticket_calls.work, args=(world.tools, *due[0][:2], attempt))
        for attempt in (1, 1, 2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    world.later(minutes=6)
    desk.work()
    assert outcome(desk) == ("applied", "")
    assert len([one for one in world.rows(Run) if one.origin == Origin.TICKET]) == 1
    assert world.effects_by(UMA) == {f"join_group:{GROUP}": 1}


def test_a_ticket_that_is_not_meant_is_skipped_with_a_reason(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world, token=True)
    for change, reason, comments in (
        ({"reporter": "qm:customer"}, "The reporter is not in your directory", 1),
        # What is not this rule's may be another's: on the ticket one would deny what the other gives.
        ({"project": "OTHER"}, "The ticket is in project OTHER, not in HELP.", 0),
        (
            {"type": "103"},
            "The ticket has the request type “Something is broken”, which this rule does not take.",
            0,
        ),
    ):
        ticket = desk.sent(**{"reporter": UMA} | change)
        state, why = outcome(desk, ticket)
        assert (state, why[: len(reason)]) == ("skipped", reason)
        said = desk.comments(ticket)
        assert len(said) == comments
        # Which domains and groups count is nobody's business outside.
        assert not any("acme.example" in comment for comment in said)
    assert GROUP not in groups_of(sqlite_world)


def test_whose_ticket_counts_is_decided_by_our_own_directory(sqlite_world: World) -> None:
    world = sqlite_world
    admins = world.groups()["site-admins"]["id"]
    desk = open_desk(world, domains="elsewhere.example", groups=(admins,))
    refused = desk.sent(UMA)
    assert outcome(desk, refused) == (
        "skipped",
        "The reporter does not qualify: their address is not at elsewhere.example, and they are not in site-admins.",
    )
    # The body may say what it wants: the reporter is whom Jira names.
    ticket = desk.raised(UMA)
    desk.post(
        {"issue": {"id": ticket["id"], "reporter": ACCOUNTS["ana"], "fields": {"reporter": ACCOUNTS["ana"]}}}
    )
    desk.work()
    assert outcome(desk, ticket)[0] == "skipped"
    assert outcome(desk, desk.sent(ACCOUNTS["ana"]))[0] == "applied"
    world.change(UMA, membership_status="suspended")
    world.sync(desk.ana)
    desk.change(domains="acme.example")
    assert outcome(desk, desk.sent(UMA)) == ("skipped", "The reporter is not active in your organization.")


def test_a_closed_ticket_and_one_that_is_gone(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world)
    closed = desk.raised(UMA)
    sqlite_world.control("PATCH", f"/tickets/{closed['key']}", {"status": "done"})
    gone = desk.raised(UMA)
    sqlite_world.control("DELETE", f"/tickets/{gone['key']}")
    for ticket in (closed, gone):
        desk.send(ticket)
    desk.work()
    assert outcome(desk, closed) == ("skipped", "The ticket is closed already.")
    state, reason = outcome(desk, gone)
    assert (state, reason.partition(":")[0]) == ("failed", "Jira does not show this ticket to Rollcall")


def test_who_has_it_already_is_told_so(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world, token=True)
    desk.sent(UMA)
    sqlite_world.settled()
    sqlite_world.sync(desk.ana)
    again = desk.sent(UMA)
    assert outcome(desk, again)[0] == "skipped"
    assert desk.comments(again)[0].startswith("The access that this ticket asks for is there already.\n")


def test_who_has_it_for_a_time_already_is_told_until_when(sqlite_world: World) -> None:
    world = sqlite_world
    desk = open_desk(world, token=True, days="30")
    desk.sent(UMA)
    world.settled()
    world.sync(desk.ana)
    desk.change(days="")
    again = desk.sent(UMA)
    [timed] = world.rows(TimedAccess)
    day = f"{timed.ends_on.day} {timed.ends_on:%B %Y}"
    assert desk.comments(again)[0].startswith(
        f"The access that this ticket asks for is there already. It ends on {day}."
    )
    assert outcome(desk, again)[1].startswith("Has this access already, until ")


def test_who_has_it_by_a_group_for_a_time_is_not_told_that_it_was_not_given(sqlite_world: World) -> None:
    world = sqlite_world
    world.arrange(UMA)
    desk = open_desk(world, token=True, days="30", gives=(world.groups()["confluence-users"]["id"],))
    desk.sent(UMA)
    world.settled()
    world.sync(desk.ana)
    roles = [f"{USER_ROLE} {ORGANIZATIONS['acme'].resource('confluence')}"]
    typed = profiles.Typed(name="Confluence", roles=roles)
    profile_id = profiles.save_profile(world.tools, desk.ana, None, typed).id
    desk.change(gives_kind="profile", profile_id=profile_id, gives=(), days="")
    again = desk.sent(UMA)
    assert "by a group that they are in until" in outcome(desk, again)[1]
    assert desk.comments(again)[0].startswith(
        "The access that this ticket asks for is there already. It does not stay as long"
    )


def test_who_has_it_by_then_is_told_that_it_is_there(sqlite_world: World) -> None:
    """Raised twice by somebody who did not want to wait, and both were approved."""
    desk = open_desk(sqlite_world, token=True, with_approval=True, days="30")
    first, second = desk.sent(UMA), desk.sent(UMA)
    waiting, _counts = reviews.queue(sqlite_world.tools, desk.ana)
    reviews.approve(sqlite_world.tools, desk.ana, [one.case.id for one in waiting])
    desk.work()
    sqlite_world.settled()
    desk.work()
    said = sorted(desk.comments(one)[0].partition("\n")[0] for one in (first, second))
    [timed] = sqlite_world.rows(TimedAccess)
    until = f"It ends on {timed.ends_on.day} {timed.ends_on:%B %Y}."
    assert said == [
        f"The access that this ticket asks for is given. {until}",
        f"The access that this ticket asks for is there already. {until}",
    ]


def test_with_approval_it_waits_in_the_queue_and_somebody_new_is_invited(world: World) -> None:
    desk = open_desk(
        world, token=True, with_approval=True, person="field", person_field="E-mail of the new colleague",
        request_types="102",
    )  # fmt: skip
    ticket = desk.sent(UMA, type="102", person="Nora.Newman@newcomers.example")
    assert outcome(desk) == ("waiting", "")
    assert desk.comments(ticket) == []
    [waiting], _counts = reviews.queue(world.tools, desk.ana)
    assert waiting.case.because == f"Ticket {ticket['key']}: New colleague"
    world.later(days=3)
    desk.work()
    assert outcome(desk)[0] == "waiting"
    reviews.approve(world.tools, desk.ana, [waiting.case.id])
    desk.work()
    assert outcome(desk) == ("applied", "")
    assert len(world.requests("/users/invite$")) == 1
    assert len(desk.comments(ticket)) == 1


def test_a_field_without_an_address_brings_nothing(sqlite_world: World) -> None:
    desk = open_desk(
        sqlite_world, with_approval=True, person="field", person_field="customfield_10071", request_types=""
    )
    assert outcome(desk, desk.sent(UMA))[1].startswith("The field “customfield_10071” is empty")
    odd = outcome(desk, desk.sent(UMA, person="<script>@"))
    assert odd == ("skipped", "There is no e-mail address in the field “customfield_10071”.")


def test_a_run_that_was_stopped_while_it_waited_is_skipped(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world, token=True, with_approval=True)
    ticket = desk.sent(UMA)
    runs.stop(sqlite_world.tools, desk.ana, desk.call().run_id or "")
    desk.work()
    assert outcome(desk)[0] == "skipped"
    assert desk.comments(ticket)[0].startswith("The access that this ticket asks for was not given.")


def test_what_an_operator_refuses_is_skipped_and_said(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world, token=True, with_approval=True)
    ticket = desk.sent(UMA)
    [waiting], _counts = reviews.queue(sqlite_world.tools, desk.ana)
    assert waiting.gives == f"joins {GROUP}"
    assert reviews.leave(sqlite_world.tools, desk.ana, [waiting.case.id]) == 1
    desk.work()
    assert outcome(desk) == ("skipped", "An operator refused it.")
    assert desk.comments(ticket)[0].startswith("The access that this ticket asks for was not given.")
    [entry] = sqlite_world.audit("case:spared")
    assert (entry.actor, entry.result) == (ACCOUNTS["ana"], "An operator refused it.")
    assert GROUP not in groups_of(sqlite_world)


def test_what_waits_unread_is_skipped_when_the_rule_is_switched_off_or_deleted(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world)
    first, second = desk.raised(UMA), desk.raised(UMA)
    desk.send(first)
    ticket_rules.switch_rule(sqlite_world.tools, desk.ana, desk.rule_id, on=False)
    desk.work()
    assert outcome(desk, first)[0] == "skipped"
    assert desk.send(second).status_code == 401
    ticket_rules.switch_rule(sqlite_world.tools, desk.ana, desk.rule_id, on=True)
    desk.send(second)
    ticket_rules.delete_rule(sqlite_world.tools, desk.ana, desk.rule_id)
    desk.work()
    assert outcome(desk, second)[0] == "skipped"
    assert desk.send(desk.raised(UMA)).status_code == 401
    assert (
        sqlite_world.stored(
            TicketRule, desk.ana and desk.call(second).organization_id, desk.rule_id
        ).secret_sealed
        is None
    )
    assert GROUP not in groups_of(sqlite_world)


@pytest.mark.parametrize("kind", ["503", "reset", "429"])
def test_trouble_in_jira_is_waited_out(sqlite_world: World, kind: str) -> None:
    desk = open_desk(sqlite_world, token=True)
    sqlite_world.fault("/rest/api/3/issue/", kind)
    ticket = desk.sent(UMA)
    call = desk.call()
    assert (call.state, call.troubles) == ("received", 1)
    assert call.reason
    # Later the comment cannot be made, either; whether it was is looked up before it is said again.
    sqlite_world.fault("/comment$", "reset", method="POST", after=True)
    sqlite_world.later(minutes=2)
    desk.work()
    assert (desk.call().state, desk.call().comment_state) == ("applied", "due")
    assert len(desk.comments(ticket)) == 1
    sqlite_world.later(minutes=2)
    desk.work()
    assert desk.call().comment_state == "sent"
    assert len(desk.comments(ticket)) == 1


def test_a_ticket_that_met_a_fault_of_our_own_is_looked_at_again_as_another_attempt(
    sqlite_world: World,
) -> None:
    """DBOS does a workflow of the same name once, however often it is asked."""
    desk = open_desk(sqlite_world)
    ticket = desk.raised(UMA)
    desk.send(ticket)
    ((organization_id, call_id, attempt),) = ticket_leases.lease_due(sqlite_world.tools)
    lay_out(with_something_between(sqlite_world.tools, once("before", "transaction", fault)))
    tickets.look(organization_id, call_id, attempt)
    assert outcome(desk) == ("received", "Something went wrong inside Rollcall.")
    sqlite_world.later(seconds=leasing.PAUSES[0].total_seconds() + 1)
    ((_organization_id, _call_id, next_attempt),) = ticket_leases.lease_due(sqlite_world.tools)
    assert tickets.workflow_id(call_id, attempt) != tickets.workflow_id(call_id, next_attempt)
    sqlite_world.later(seconds=leasing.LEASE.total_seconds() + 1)
    desk.work()
    assert outcome(desk) == ("applied", "")


def test_an_endless_trouble_ends_as_failed_and_is_looked_at_again(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world)
    sqlite_world.fault("/rest/api/3/issue/", "503", times=None)
    ticket = desk.sent(UMA)
    for _ in leasing.PAUSES:
        sqlite_world.later(hours=10.1)
        desk.work()
    assert outcome(desk)[0] == "failed"
    assert desk.call().resume_at is None
    sqlite_world.clear_faults()
    sqlite_world.sync(desk.ana)
    ticket_log.look_again(sqlite_world.tools, desk.ana, desk.rule_id, desk.call().id)
    desk.work()
    assert outcome(desk, ticket) == ("applied", "")
    with pytest.raises(Conflict):
        ticket_log.look_again(sqlite_world.tools, desk.ana, desk.rule_id, desk.call().id)


def test_s46_a_directory_that_was_not_read_lately_decides_nothing(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world)
    sqlite_world.later(days=4)
    desk.sent(UMA)
    call = desk.call()
    assert (call.state, call.reason[:37]) == ("received", "The last complete sync is too old to ")
    sqlite_world.sync(desk.ana)
    sqlite_world.later(minutes=1)
    desk.work()
    assert outcome(desk) == ("applied", "")


def test_without_a_token_the_log_says_why_nothing_is_said_on_the_ticket(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world, comments=True)
    ticket = desk.sent(UMA)
    call = desk.call()
    assert (call.state, call.comment_state) == ("applied", "not_sent")
    assert "There is no API token" in call.comment_reason
    assert desk.comments(ticket) == []
    line = ticket_log.list_ticket_rules(sqlite_world.tools, desk.ana)[0]
    assert "It cannot comment on tickets." in line.problems[0]


class Killed(BaseException):
    """The power went out."""


@pytest.mark.parametrize("step", range(1, 9))
def test_s50_killed_between_any_two_steps_everything_happens_once(sqlite_world: World, step: int) -> None:
    """The clock is asked before each step that is written down: there the worker dies."""
    world = sqlite_world
    desk = open_desk(world, token=True)
    ticket = desk.raised(UMA)
    desk.send(ticket)
    counted = {"left": step}

    def dying_clock():  # type: ignore[no-untyped-def]
        counted["left"] -= 1
        if counted["left"] == 0:
            raise Killed
        return world.clock()

    dying = replace(world.tools, clock=dying_clock)
    try:
        for _ in range(4):
            for organization_id, call_id, attempt in ticket_leases.lease_due(world.tools):
                ticket_calls.work(dying, organization_id, call_id, attempt)
            world.act()
    except Killed:
        pass
    world.later(minutes=6)
    desk.work()
    world.later(minutes=6)
    desk.work()
    assert outcome(desk) == ("applied", "")
    assert len([one for one in world.rows(Run) if one.origin == Origin.TICKET]) == 1
    assert world.effects_by(UMA) == {f"join_group:{GROUP}": 1}
    assert len(desk.comments(ticket)) == 1


def test_s50_a_comment_whose_writer_died_behind_the_call_is_found_again(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world, token=True)
    ticket = desk.raised(UMA)
    desk.send(ticket)
    sqlite_world.fault("/comment$", "timeout", method="POST", after=True, seconds=0.2)
    desk.work()
    assert len(desk.comments(ticket)) == 1
    sqlite_world.later(minutes=1)
    desk.work()
    assert desk.call().comment_state == "sent"
    assert len(desk.comments(ticket)) == 1


def test_a_profile_that_is_over_is_given_to_nobody(sqlite_world: World) -> None:
    world = sqlite_world
    desk = open_desk(world)
    last = world.clock().date() + timedelta(days=1)
    typed = profiles.Typed(name="Season", groups=[world.groups()[GROUP]["id"]], until=last.isoformat())
    season = profiles.save_profile(world.tools, desk.ana, None, typed).id
    desk.change(gives_kind="profile", profile_id=season, gives=(), days="30")
    assert (
        ticket_trial.try_ticket(world.tools, desk.ana, desk.rule_id, desk.raised(UMA)["key"]).ends_on == last
    )
    world.later(days=2)
    world.sync(desk.ana)
    desk.sent(UMA)
    state, reason = outcome(desk)
    assert state == "failed"
    assert "Its last day was" in reason
    assert world.effects_by(UMA) == {}


def test_trying_a_ticket_changes_nothing(sqlite_world: World) -> None:
    world = sqlite_world
    desk = open_desk(world, with_approval=True, days="1")
    mine = desk.raised(UMA)
    odd = desk.raised(UMA, type="103")
    before = world.dump()
    trial = ticket_trial.try_ticket(world.tools, desk.ana, desk.rule_id, mine["key"].lower())
    assert (trial.would, trial.waits, trial.gives) == (True, True, f"joins {GROUP}")
    assert trial.ends_on == world.clock().date()
    other = ticket_trial.try_ticket(world.tools, desk.ana, desk.rule_id, odd["key"])
    assert (other.would, other.reason[:28]) == (False, "The ticket has the request t")
    for nonsense in ("", "HELP", "../../x", "HELP-99999"):
        with pytest.raises(Invalid):
            ticket_trial.try_ticket(world.tools, desk.ana, desk.rule_id, nonsense)
    assert world.dump() == before


SLIPS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"name": " "}, "name"),
    ({"project": "no key!"}, "project"),
    ({"domains": "not a domain"}, "domains"),
    ({"domains": ""}, "domains"),
    ({"groups": ("stranger",)}, "groups"),
    ({"gives": ()}, "gives"),
    ({"gives": ("stranger",)}, "gives"),
    ({"gives_kind": "profile", "profile_id": "stranger"}, "profile_id"),
    ({"days": "0"}, "days"),
    ({"days": "soon"}, "days"),
    ({"days": "0000019999999"}, "days"),
    ({"person": "field"}, "person_field"),
    ({"person": "field", "person_field": "E-mail"}, "with_approval"),
    ({"request_types": ",".join(map(str, range(99)))}, "request_types"),
    ({"client_key": "stranger"}, "client_key"),
)


def test_a_slip_is_said_at_its_field_and_nothing_is_kept(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world)
    before = sqlite_world.dump()
    for changed, field in SLIPS:
        wish = replace(desk.wish, **changed)
        with pytest.raises(Invalid) as problem:
            ticket_rules.add_rule(sqlite_world.tools, desk.ana, wish)
        assert problem.value.field == field
        with pytest.raises(Invalid):
            ticket_rules.change_rule(sqlite_world.tools, desk.ana, desk.rule_id, wish)
    synced = next(group.group_id for group in sqlite_world.rows(Group) if group.synced)
    with pytest.raises(Invalid) as problem:
        ticket_rules.add_rule(sqlite_world.tools, desk.ana, replace(desk.wish, gives=(synced,)))
    assert "identity provider" in problem.value.sentence
    assert sqlite_world.dump() == before


def test_s20_globex_cannot_reach_acme_s_rule(sqlite_world: World) -> None:
    world = sqlite_world
    desk = open_desk(world)
    desk.sent(UMA)
    gina = world.synced("globex")
    theirs, their_secret = ticket_rules.add_rule(
        world.tools,
        gina,
        TicketWish(
            name="Theirs",
            client_key=gina.tenant,
            project="HELP",
            domains="globex.example",
            gives_kind="groups",
            gives=(world.groups("globex")[GROUP]["id"],),
        ),
    )
    with pytest.raises(Invalid):
        ticket_rules.add_rule(world.tools, gina, replace(desk.wish, client_key=desk.ana.tenant))
    before = world.dump()
    for deed in (
        lambda: ticket_rules.look_at_rule(world.tools, gina, desk.rule_id),
        lambda: ticket_rules.change_rule(world.tools, gina, desk.rule_id, desk.wish),
        lambda: ticket_rules.switch_rule(world.tools, gina, desk.rule_id, on=False),
        lambda: ticket_rules.new_secret(world.tools, gina, desk.rule_id),
        lambda: ticket_rules.delete_rule(world.tools, gina, desk.rule_id),
        lambda: ticket_log.show_ticket_rule(world.tools, gina, desk.rule_id),
        lambda: ticket_log.look_again(world.tools, gina, desk.rule_id, desk.call().id),
        lambda: ticket_log.look_again(world.tools, gina, theirs.id, desk.call().id),
        lambda: ticket_trial.try_ticket(world.tools, gina, desk.rule_id, "HELP-1"),
    ):
        with pytest.raises(NotFound):
            deed()
    assert desk.post({"issue": {"id": "1"}}, headers={HEADER: their_secret}).status_code == 401
    assert world.dump() == before
    # A ticket of acme's Jira, sent to globex's rule, is looked for in globex's Jira.
    ticket = desk.raised(UMA)
    world.http.post(
        f"{world.url}/tickets/{theirs.id}",
        json={"issue": {"id": str(ticket["id"])}},
        headers={HEADER: their_secret},
    )
    desk.work()
    assert outcome(desk, ticket)[0] == "failed"


def test_s19_a_jira_that_leads_to_another_organization_by_now_serves_no_rule_of_this_one(
    sqlite_world: World,
) -> None:
    """Its key opens another organization meanwhile: the rule's address is closed, and what waits is not read there."""
    world = sqlite_world
    world.synced("globex")
    desk = open_desk(world)
    waiting = desk.raised(UMA)
    assert desk.send(waiting).status_code == 202
    with world.tools.begin() as session:
        session.get_one(Tenant, desk.ana.tenant).organization_id = GLOBEX
    assert desk.send(desk.raised(UMA)).status_code == 401
    desk.work()
    state, reason = outcome(desk, waiting)
    assert (state, "no longer installed in the Jira of this rule" in reason) == ("received", True)
    assert GROUP not in groups_of(world)


def test_s38_a_secret_moved_to_another_rule_opens_nothing(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world)
    other, _secret = ticket_rules.add_rule(sqlite_world.tools, desk.ana, replace(desk.wish, name="Other"))
    with sqlite_world.tools.begin() as session:
        rules = {rule.id: rule for rule in session.query(TicketRule)}
        rules[other.id].secret_sealed = rules[desk.rule_id].secret_sealed
    answer = desk.post({"issue": {"id": "1"}}, url=f"{sqlite_world.url}/tickets/{other.id}")
    assert answer.status_code == 401


def test_a_rotated_secret_opens_nothing_and_all_refusals_are_alike(sqlite_world: World) -> None:
    world = sqlite_world
    desk = open_desk(world)
    body = {"issue": {"id": str(desk.raised(UMA)["id"])}}
    old = desk.secret
    _rule, desk.secret = ticket_rules.new_secret(world.tools, desk.ana, desk.rule_id)
    world.control("DELETE", "/requests")
    before = world.dump()
    stranger = f"{world.url}/tickets/7b3f9f6e-0000-4000-8000-000000000009"
    answers = [
        desk.post(body, headers={HEADER: old}),
        desk.post(body, headers={}),
        desk.post(body, headers={HEADER: desk.secret[:-1] + "x"}),
        desk.post(body, headers={HEADER: "rct_short"}),
        desk.post(body, headers={"Authorization": f"Bearer {desk.secret}"}),
        desk.post(body, url=f"{desk.address}?{HEADER}={desk.secret}", headers={}),
        desk.post(body, url=stranger),
        desk.post(body, url=f"{world.url}/tickets/x%00"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert world.dump() == before
    assert world.requests("/rest/") == []
    assert desk.post(body).status_code == 202


def test_s18_a_rule_of_a_jira_that_is_uninstalled_takes_nothing(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world)
    first, second = desk.raised(UMA), desk.raised(UMA)
    desk.send(first)
    sqlite_world.control("POST", "/uninstall", {"site": "acme", "product": "jira"})
    assert desk.send(second).status_code == 401
    desk.work()
    call = desk.call(first)
    assert (call.state, call.reason.partition(".")[0]) == (
        "received",
        "Rollcall is no longer installed in the Jira of this rule",
    )


def test_the_secret_is_sealed_and_sealed_anew_with_another_key(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world)
    tools = sqlite_world.tools
    assert desk.secret not in repr(sqlite_world.dump())
    second = Settings.from_environment(
        {
            "BASE_URL": tools.settings.base_url,
            "DATABASE_URL": tools.settings.database_url,
            "SECRET_KEY": tools.settings.secret_key,
            "CREDENTIAL_KEYS": credential_key("k2"),
        }
    ).credential_keys
    both = replace(tools, vault=Vault([*second, *tools.settings.credential_keys]))
    rotate_keys(both)
    assert open_door(both, desk.rule_id, desk.secret) is not None
    assert open_door(replace(tools, vault=Vault(second)), desk.rule_id, desk.secret) is not None
    assert open_door(tools, desk.rule_id, desk.secret) is None


@pytest.mark.slow
def test_a_rule_is_asked_so_often_and_no_more(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world)
    client = sqlite_world.app.test_client()
    headers = {HEADER: desk.secret}
    statuses = [
        client.post(
            f"/tickets/{desk.rule_id}", headers=headers, data=b"x", base_url=sqlite_world.url
        ).status_code
        for _ in range(301)
    ]
    assert statuses == [415] * 300 + [429]
    _rule, secret = ticket_rules.add_rule(sqlite_world.tools, desk.ana, replace(desk.wish, name="Other"))
    other = client.post(
        f"/tickets/{_rule.id}", headers={HEADER: secret}, data=b"x", base_url=sqlite_world.url
    )
    assert other.status_code == 415


def test_what_is_no_ticket_is_refused_in_plain_words(sqlite_world: World) -> None:
    desk = open_desk(sqlite_world)
    assert desk.post(data=b"issue=1").status_code == 415
    assert (
        desk.post(data=b"{", headers={HEADER: desk.secret, "Content-Type": "application/json"}).status_code
        == 422
    )
    large = desk.post({"issue": {"id": "1"}, "more": "x" * 100_000})
    assert large.status_code == 413
    for body in ([], "x", 1, None, {}, {"issue": []}, {"issue": {"id": "../x"}}, {"issue": {"id": True}}):
        assert desk.post(body).status_code in (415, 422), body
    assert sqlite_world.rows(TicketCall) == []


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["issue", "id", "key", "x"]), inner)
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=JSON)
def test_s14_no_body_makes_it_fall_over(fuzzed: Desk, body: Any) -> None:
    assert fuzzed.post(body).status_code in (202, 415, 422)


@settings(
    max_examples=settings.default.max_examples // 2,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.binary(max_size=200))
def test_s14_no_bytes_make_it_fall_over(fuzzed: Desk, body: bytes) -> None:
    answer = fuzzed.post(data=body, headers={HEADER: fuzzed.secret, "Content-Type": "application/json"})
    assert answer.status_code in (202, 422)


@pytest.fixture
def fuzzed(sqlite_world: World) -> Desk:
    return open_desk(sqlite_world)
