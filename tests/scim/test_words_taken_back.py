"""What a provider takes back, or a connection that is no more, is not acted on, however long a run has waited."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models.run import Case, Run
from rules.case import CaseState, RunState
from services import identity_providers, retrying, rule_runs, scim_changes
from tests.scim.provider import IdentityProvider, connected
from tests.scim.test_changes import (
    account_of,
    groups_of,
    mapped,
    profile,
    settings,
    somebody,
    status_of,
    work,
)
from tests.world import World

SAID_ACTIVE: dict[str, object] = {"op": "replace", "path": "active", "value": True}
SAID_INACTIVE: dict[str, object] = {"op": "replace", "path": "active", "value": False}


def planned(world: World) -> Run:
    """The worker makes a run of what was said, and nobody's turn has come."""
    world.later(seconds=scim_changes.GATHER.total_seconds() + 1)
    for one in scim_changes.due_connections(world.tools):
        scim_changes.follow_up(world.tools, *one)
    (run,) = (run for run in world.rows(Run) if run.state in (RunState.RUNNING, RunState.BRAKED))
    assert isinstance(run, Run)
    return run


def case_of(world: World, run: Run) -> Case:
    (case,) = world.cases(run.id).values()
    return case


def held_by_the_brake(idp: IdentityProvider) -> tuple[list[str], list[str], Run]:
    """Three people whom the provider calls inactive by a mistake: accounts, ids, the run that the brake holds."""
    world = idp.world
    settings(idp, brake_number="2")
    accounts = world.people(3)
    emails = {each["account_id"]: each["email"] for each in world.directory()}
    world.sync(world.caller("ana"))
    users = [idp.add(emails[account]) for account in accounts]
    work(world)
    for user in users:
        idp.patch(f"/Users/{user}", SAID_INACTIVE)
    run = planned(world)
    assert run.state == RunState.BRAKED
    return accounts, users, run


def released(world: World, idp: IdentityProvider, run: Run) -> None:
    world.later(hours=1)
    rule_runs.release_brake(world.tools, idp.operator, run.id)
    world.act()
    work(world)


def test_who_is_active_again_is_spared_when_the_brake_is_released(live: IdentityProvider) -> None:
    world = live.world
    accounts, users, run = held_by_the_brake(live)
    for user in users[:2]:
        live.patch(f"/Users/{user}", SAID_ACTIVE)
    work(world)
    released(world, live, run)
    assert [status_of(world, account)[0] for account in accounts] == ["active", "active", "suspended"]
    cases = world.cases(run.id)
    assert [cases[account].state for account in accounts] == ["spared", "spared", "acted"]
    assert cases[accounts[0]].reason == "Their identity provider says again that they are active."
    assert [live.stored(user).state for user in users] == ["settled"] * 3


def test_who_is_said_to_go_a_second_time_goes_though_they_were_spared(live: IdentityProvider) -> None:
    """What was spared is no step that came to nothing: it may be asked for again."""
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users")
    user = live.add(email, active=False)
    first = planned(world)
    live.patch(f"/Users/{user}", SAID_ACTIVE)
    world.act()
    assert case_of(world, first).state == CaseState.SPARED
    live.patch(f"/Users/{user}", SAID_INACTIVE)
    work(world)
    assert status_of(world, account)[0] == "suspended"
    assert live.stored(user).state == "settled"


def disconnects(idp: IdentityProvider) -> None:
    identity_providers.disconnect(idp.world.tools, idp.operator, idp.connection_id)


def only_audits(idp: IdentityProvider) -> None:
    identity_providers.switch_mode(idp.world.tools, idp.operator, idp.connection_id, live=False)


@pytest.mark.parametrize(
    ("end", "words"), [(disconnects, "was disconnected"), (only_audits, "only audits by now")]
)
def test_a_connection_that_ends_stops_its_runs(
    live: IdentityProvider, end: Callable[[IdentityProvider], None], words: str
) -> None:
    world = live.world
    accounts, _, run = held_by_the_brake(live)
    end(live)
    stopped = world.stored(Run, run.organization_id, run.id)
    assert (stopped.state, stopped.stopped_by) == ("stopped", live.operator.account_id)
    assert {case.state for case in world.cases(run.id).values()} == {"cancelled"}
    assert all(words in case.reason for case in world.cases(run.id).values())
    assert words in world.audit("run:stopped")[-1].result
    world.later(hours=1)
    work(world)
    assert [status_of(world, account)[0] for account in accounts] == ["active"] * 3


def test_who_was_stopped_is_in_the_preview_again_and_goes_when_it_is_live(live: IdentityProvider) -> None:
    world = live.world
    accounts, users, _ = held_by_the_brake(live)
    only_audits(live)
    work(world)
    assert [live.stored(user).reason for user in users] == ["Would suspend them."] * 3
    settings(live)
    identity_providers.note_preview(world.tools, live.operator, live.connection_id)
    identity_providers.switch_mode(world.tools, live.operator, live.connection_id, live=True)
    work(world)
    assert [status_of(world, account)[0] for account in accounts] == ["suspended"] * 3


def failed(live: IdentityProvider, user: str) -> Run:
    """A run for somebody whom Atlassian could not even show, until the worker gave up."""
    world = live.world
    run = planned(world)
    world.fault("/users/search$", "503", times=None)
    world.given_up()
    world.clear_faults()
    work(world)
    assert (case_of(world, run).state, live.stored(user).state) == ("failed", "failed")
    return run


def is_active_again(idp: IdentityProvider) -> None:
    (user,) = (each["id"] for each in idp.json("GET", "/Users")["Resources"])
    idp.patch(f"/Users/{user}", SAID_ACTIVE)


def goes_live_no_more(idp: IdentityProvider) -> None:
    only_audits(idp)
    work(idp.world)


@pytest.mark.parametrize(
    ("meanwhile", "words"),
    [
        (is_active_again, "says again that they are active"),
        (goes_live_no_more, "only audits by now"),
        (disconnects, "was disconnected"),
    ],
)
def test_who_is_tried_again_is_judged_by_what_is_said_now(
    live: IdentityProvider, meanwhile: Callable[[IdentityProvider], None], words: str
) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users")
    run = failed(live, live.add(email, active=False))
    meanwhile(live)
    retrying.retry_failed(world.tools, live.operator, run.id)
    world.act()
    assert case_of(world, run).state == CaseState.SPARED
    assert words in case_of(world, run).reason
    assert world.effects(account)["suspend"] == 0


def test_who_is_tried_again_goes_if_that_is_still_said(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users")
    run = failed(live, live.add(email, active=False))
    retrying.retry_failed(world.tools, live.operator, run.id)
    world.act()
    work(world)
    assert status_of(world, account)[0] == "suspended"
    (user,) = (each["id"] for each in live.json("GET", "/Users")["Resources"])
    assert (live.stored(user).state, live.stored(user).taken) == ("settled", "suspend")
    live.patch(f"/Users/{user}", SAID_ACTIVE)
    work(world)
    assert status_of(world, account)[0] == "active", "what came of it is theirs"


def test_who_was_invited_by_another_attempt_is_known_from_then_on(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    user = live.add("nora@acme.example")
    group = mapped(live, "Wiki", profile(world, "wiki", "confluence-users"), user)
    run = failed(live, user)
    retrying.retry_failed(world.tools, live.operator, run.id)
    world.act()
    work(world)
    account = account_of(world, "nora@acme.example")
    assert account is not None
    assert (live.stored(user).state, live.stored(user).account_id) == ("settled", account)
    live.send("DELETE", f"/Groups/{group}", status=204)
    work(world)
    assert groups_of(world, account) == []


def test_who_waited_while_atlassian_asked_for_a_pause_is_judged_by_what_is_said_then(
    live: IdentityProvider,
) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users")
    user = live.add(email, active=False)
    run = planned(world)
    world.fault(r"/suspend$", "429", seconds=300)
    world.act()
    assert case_of(world, run).state == CaseState.PLANNED
    live.patch(f"/Users/{user}", SAID_ACTIVE)
    world.later(seconds=301)
    world.act()
    assert case_of(world, run).state == CaseState.SPARED
    assert status_of(world, account)[0] == "active"


def test_nobody_is_let_in_who_left_the_group_or_is_not_active_by_now(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users")
    here, new, off = live.add(email), live.add("nora@acme.example"), live.add("otto@acme.example")
    group = mapped(live, "Wiki", profile(world, "wiki", "confluence-users"), here, new, off)
    run = planned(world)
    for user in (here, new):
        live.patch(f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{user}"]'})
    live.patch(f"/Users/{off}", SAID_INACTIVE)
    world.act()
    work(world)
    assert sorted(case.reason for case in world.cases(run.id).values()) == [
        "Their groups at the identity provider do not give this any more.",
        "Their groups at the identity provider do not give this any more.",
        "Their identity provider says by now that they are not active, or has deleted them.",
    ]
    assert groups_of(world, account) == ["jira-users"]
    assert account_of(world, "nora@acme.example") is account_of(world, "otto@acme.example") is None
    assert [live.stored(user).state for user in (here, new, off)] == ["settled"] * 3


def test_access_that_is_given_again_is_not_taken(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    other = connected(world, provider="okta")
    wiki = profile(world, "wiki", "confluence-users")
    accounts = world.people(2, groups=["jira-users"])
    emails = {each["account_id"]: each["email"] for each in world.directory()}
    world.sync(world.caller("ana"))
    users = [live.add(emails[account]) for account in accounts]
    group = mapped(live, "Wiki", wiki, *users)
    work(world)
    taken = [{"op": "remove", "path": f'members[value eq "{user}"]'} for user in users]
    live.patch(f"/Groups/{group}", *taken)
    run = planned(world)
    live.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": users[0]}]})
    mapped(other, "Wiki", wiki, other.add(emails[accounts[1]]))
    work(world)
    reasons = {case.reason for case in world.cases(run.id).values()}
    assert reasons == {"A group of theirs at an identity provider gives this again."}
    assert [groups_of(world, account) for account in accounts] == [["confluence-users", "jira-users"]] * 2
    assert [live.stored(user).state for user in users] == ["settled"] * 2


def test_an_undo_asks_no_connection(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users")
    live.add(email, active=False)
    run = planned(world)
    world.act()
    assert status_of(world, account)[0] == "suspended"
    disconnects(live)
    world.settled()
    world.undo(live.operator, run.id)
    world.act()
    assert status_of(world, account)[0] == "active"


@pytest.mark.parametrize("waits", ["in a preview", "for the end of a grace"])
def test_nobody_who_only_waits_elsewhere_keeps_the_provider_waiting(
    live: IdentityProvider, waits: str
) -> None:
    world = live.world
    settings(live)
    (account,) = world.people(1)
    email = next(each["email"] for each in world.directory() if each["account_id"] == account)
    world.sync(world.caller("ana"))
    user = live.add(email)
    work(world)
    step = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 14, "warn": [14]}
    rule_id = world.rule(world.caller("ana"), step, who={"people": [account]})
    if waits != "in a preview":
        assert world.states(world.run_rule(world.caller("ana"), rule_id)) == {account: "warned"}
    live.patch(f"/Users/{user}", SAID_INACTIVE)
    work(world)
    assert status_of(world, account)[0] == "suspended"
    world.settled()
    world.later(days=15)
    world.act()
    assert world.effects(account) == {"suspend": 1, "restore": 0}
