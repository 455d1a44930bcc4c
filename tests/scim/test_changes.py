"""From the provider's word to what somebody really has at the pretend Atlassian, with the worker played by hand."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import delete, update

from models.audit import APP, Event
from models.leaver import Leaver
from models.people import Person
from models.profile import Profile
from models.run import Run
from models.scim import ScimConnection, ScimGroup, ScimUser
from rules.case import RunState
from rules.scim import ACTIVE_AGAIN
from sandbox.world import ORGANIZATIONS
from services import (
    identity_providers,
    leaver_decisions,
    leaver_stops,
    leavers,
    matters,
    profiles,
    retention,
    rule_runs,
    runs,
    scim_changes,
    scim_overview,
)
from tests.scim.provider import GROUP, IdentityProvider, connected
from tests.services.leavers import plan
from tests.services.leavers import work as lead
from tests.world import ACCOUNTS, ACME, World


def settings(idp: IdentityProvider, **changed: str) -> None:
    words = {"name": "Entra", "when_inactive": "suspend", "when_deleted": "suspend"}
    words |= {"brake_number": "", "brake_share": ""}
    identity_providers.change_settings(idp.world.tools, idp.operator, idp.connection_id, **words | changed)


def profile(world: World, name: str, *groups: str, products: tuple[str, ...] = ()) -> str:
    """A profile by rows."""
    known = world.groups()
    now = world.clock()
    with world.tools.begin() as session:
        session.add(
            Profile(
                organization_id=ACME,
                id=f"profile-{name}",
                name=name,
                name_key=name,
                roles=[[ORGANIZATIONS["acme"].resource(product), "atlassian/user"] for product in products],
                groups=[known[group]["id"] for group in groups],
                created_by="ana",
                created_at=now,
                changed_at=now,
            )
        )
    return f"profile-{name}"


def mapped(idp: IdentityProvider, name: str, profile_id: str, *members: str) -> str:
    group_id = idp.group(name, *members)
    identity_providers.map_group(idp.world.tools, idp.operator, idp.connection_id, group_id, profile_id)
    return group_id


def work(world: World, rounds: int = 6, most: int = scim_changes.MOST) -> None:
    """The worker, until nothing is due any more."""
    for _ in range(rounds):
        world.later(seconds=scim_changes.GATHER.total_seconds() + 1)
        due = scim_changes.due_connections(world.tools)
        for one in due:
            scim_changes.follow_up(world.tools, *one, most)
        if not due:
            break
        world.act()


def account_of(world: World, email: str) -> str | None:
    found = [each["account_id"] for each in world.directory() if each["email"] == email]
    return found[0] if found else None


def test_a_newcomer_is_invited_with_their_profile_moves_leaves_and_comes_back(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    engineers = mapped(live, "Engineers", profile(world, "engineers", "jira-users"))
    designers = mapped(live, "Designers", profile(world, "designers", "confluence-users"))
    user = live.add("nora@acme.example", displayName="Nora New")
    work(world)
    assert account_of(world, "nora@acme.example") is None, "no group of theirs gives anything"
    assert (live.stored(user).state, live.stored(user).dirty_at) == ("settled", None)

    live.patch(f"/Groups/{engineers}", {"op": "add", "path": "members", "value": [{"value": user}]})
    work(world)
    account = account_of(world, "nora@acme.example")
    assert account is not None
    stored = live.stored(user)
    assert (stored.state, stored.account_id, stored.invited) == ("settled", account, False)
    holding = world.holding(account)
    assert holding is not None
    assert holding["groups"] == ["jira-users"]

    # Moves to another team: first gets what is new, then loses what only this connection gave.
    live.patch(f"/Groups/{designers}", {"op": "add", "path": "members", "value": [{"value": user}]})
    live.patch(f"/Groups/{engineers}", {"op": "remove", "path": f'members[value eq "{user}"]'})
    work(world)
    holding = world.holding(account)
    assert holding is not None
    assert holding["groups"] == ["confluence-users"]
    assert live.stored(user).state == "settled"

    # Nothing new: nothing happens.
    before = len(world.rows(Run))
    effects = world.control("GET", "/effects")
    live.patch(f"/Users/{user}", {"op": "replace", "path": "title", "value": "Lead"})
    work(world)
    assert len(world.rows(Run)) == before
    assert world.control("GET", "/effects") == effects

    live.patch(f"/Users/{user}", {"op": "Replace", "path": "active", "value": "False"})
    work(world)
    holding = world.holding(account)
    assert holding is not None
    assert holding["status"][0] == "suspended"
    assert (live.stored(user).state, live.stored(user).taken) == ("settled", "suspend")

    live.patch(f"/Users/{user}", {"op": "Replace", "path": "active", "value": "True"})
    work(world)
    holding = world.holding(account)
    assert holding is not None
    assert holding["status"][0] == "active"
    assert holding["groups"] == ["confluence-users"]

    live.send("DELETE", f"/Users/{user}", status=204)
    work(world)
    holding = world.holding(account)
    assert holding is not None
    assert holding["status"][0] == "suspended"
    assert {run.origin for run in world.rows(Run)} == {"scim"}
    assert all(run.state == RunState.FINISHED for run in world.rows(Run))


def somebody(world: World, *groups: str, **arranged: object) -> tuple[str, str]:
    """A managed person of the directory with exactly these groups: account id and address."""
    (account,) = world.people(1, groups=list(groups), **arranged)
    email = next(each["email"] for each in world.directory() if each["account_id"] == account)
    world.sync(world.caller("ana"))
    return account, email


def groups_of(world: World, account: str) -> list[str]:
    holding = world.holding(account)
    assert holding is not None
    found: list[str] = holding["groups"]
    return found


def status_of(world: World, account: str) -> tuple[str, str]:
    holding = world.holding(account)
    assert holding is not None
    found: tuple[str, str] = holding["status"]
    return found


def test_who_is_here_already_keeps_what_others_gave(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users")
    both = profile(world, "both", "jira-users", "confluence-users")
    user = live.add(email.upper())
    group = mapped(live, "Both", both, user)
    work(world)
    assert groups_of(world, account) == ["confluence-users", "jira-users"]
    assert world.effects_by(account) == {"join_group:confluence-users": 1}
    live.send("DELETE", f"/Groups/{group}", status=204)
    work(world)
    assert groups_of(world, account) == ["jira-users"], "only what this connection gave"


def test_a_profile_that_changes_is_followed(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world)
    jira = profile(world, "jira", "jira-users")
    mapped(live, "Jira", jira, live.add(email))
    work(world)
    known = world.groups()
    for name in ("confluence-users", "jira-users"):
        typed = profiles.Typed("jira", groups=[known[name]["id"]])
        profiles.save_profile(world.tools, live.operator, jira, typed)
        work(world)
        assert groups_of(world, account) == [name]
    profiles.save_profile(world.tools, live.operator, jira, replace(typed, name="Jira, for all"))
    assert scim_changes.due_connections(world.tools) == [], "another name gives nothing else"


def test_a_guard_is_stronger_than_the_provider(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    email = next(each["email"] for each in world.directory() if each["account_id"] == ACCOUNTS["ana"])
    user = live.add(email)
    live.patch(f"/Users/{user}", {"op": "replace", "value": {"active": False}})
    work(world)
    stored = live.stored(user)
    assert stored.state == "failed"
    assert stored.reason
    assert status_of(world, ACCOUNTS["ana"])[0] == "active"
    runs = len(world.rows(Run))
    work(world)
    assert len(world.rows(Run)) == runs, "what came to nothing is not tried again by itself"
    assert scim_overview.try_again(world.tools, live.operator, live.connection_id) == 1
    work(world)
    assert len(world.rows(Run)) == runs + 1


def test_the_brake_holds_whom_too_many_would_lose(live: IdentityProvider) -> None:
    world = live.world
    settings(live, brake_number="2")
    emails = {each["account_id"]: each["email"] for each in world.directory()}
    accounts = world.people(4)
    world.sync(world.caller("ana"))
    users = [live.add(emails[account]) for account in accounts]
    for user in users[:2]:
        live.send("DELETE", f"/Users/{user}", status=204)
    work(world)
    assert [status_of(world, account)[0] for account in accounts] == ["suspended"] * 2 + ["active"] * 2
    for user in users[2:]:
        live.send("DELETE", f"/Users/{user}", status=204)
        work(world, rounds=2)
    (held,) = [run for run in world.rows(Run) if run.state == RunState.BRAKED]
    assert held.reason == (
        "3 people would be touched; the brake allows 2. Counted with them: 2 from whom it has taken something within"
        " a day."
    )
    page = world.call("GET", f"/app/runs/{held.id}").text
    assert "The connection itself keeps its brake." in page
    page = world.call("GET", f"/app/identity-providers/{live.connection_id}").text
    assert "2 held by the brake" in page
    assert f"identity-providers/{live.connection_id}/people?state=braked" in page
    assert [live.stored(user).state for user in users[2:]] == ["braked", "braked"]
    assert status_of(world, accounts[2])[0] == status_of(world, accounts[3])[0] == "active"
    told = [matter.sentence for matter in matters.matters(world.tools, ACME)]
    assert any("was stopped by its brake. 3 people would be touched" in sentence for sentence in told)

    # An operator has looked, and lets it go on; whoever waited behind comes next.
    rule_runs.release_brake(world.tools, live.operator, held.id)
    world.later(minutes=2)
    work(world)
    assert [status_of(world, account)[0] for account in accounts[:3]] == ["suspended"] * 3
    waiting = [run for run in world.rows(Run) if run.state == RunState.BRAKED]
    assert len(waiting) == 1, "who was let through does not count, who was taken by itself does"


def test_who_goes_twice_within_a_day_is_one_person_for_the_brake(live: IdentityProvider) -> None:
    world = live.world
    settings(live, brake_number="2")
    emails = {each["account_id"]: each["email"] for each in world.directory()}
    accounts = world.people(2)
    world.sync(world.caller("ana"))
    users = [live.add(emails[account]) for account in accounts]
    for active in (False, True, False):
        for user in users:
            live.patch(f"/Users/{user}", {"op": "replace", "path": "active", "value": active})
        work(world)
    assert [status_of(world, account)[0] for account in accounts] == ["suspended"] * 2


def test_in_audit_mode_nobody_is_touched(live: IdentityProvider) -> None:
    world = live.world
    identity_providers.switch_mode(world.tools, live.operator, live.connection_id, live=False)
    account, email = somebody(world, "jira-users")
    user = live.add(email, active=False)
    new = live.add("nora@acme.example")
    mapped(live, "Wiki", profile(world, "wiki", "confluence-users"), new)
    work(world)
    assert [live.stored(each).reason for each in (user, new)] == ["Would suspend them.", "Would invite them."]
    assert world.rows(Run) == []
    looked = scim_overview.preview(world.tools, live.operator, live.connection_id)
    assert (looked.total, looked.takes, looked.undecided) == (2, 1, 0)
    identity_providers.note_preview(world.tools, live.operator, live.connection_id)
    identity_providers.switch_mode(world.tools, live.operator, live.connection_id, live=True)
    work(world)
    assert status_of(world, account)[0] == "suspended"
    assert account_of(world, "nora@acme.example")


@pytest.mark.parametrize(
    ("deed", "after", "back"),
    [
        ("deactivate", ("active", "inactive"), ("active", "active")),
        ("remove_access", ("active", "active"), ("active", "active")),
        ("list", ("active", "active"), ("active", "active")),
    ],
)
def test_inactive_may_mean_something_else(
    live: IdentityProvider, deed: str, after: tuple[str, str], back: tuple[str, str]
) -> None:
    world = live.world
    settings(live, when_inactive=deed)
    account, email = somebody(world, "jira-users", "confluence-users")
    user = live.add(email, active=False)
    mapped(live, "Jira", profile(world, "jira", "jira-users"), user)
    work(world)
    assert status_of(world, account) == after
    assert groups_of(world, account) == (
        [] if deed == "remove_access" else ["confluence-users", "jira-users"]
    )
    live.patch(f"/Users/{user}", {"op": "replace", "value": {"active": True}})
    work(world)
    assert status_of(world, account) == back
    # What the groups' profiles say comes back; what others had given does not.
    assert groups_of(world, account) == (
        ["jira-users"] if deed == "remove_access" else ["confluence-users", "jira-users"]
    )
    assert live.stored(user).state == "settled"


def test_whoever_goes_becomes_a_leaver_once(live: IdentityProvider) -> None:
    """The connection ends their access; what they own is for an operator to hand over."""
    world = live.world
    account, email = somebody(world)
    settings(live, begins_leavers="yes")
    user = live.add(email)
    for active in (False, False):
        live.patch(f"/Users/{user}", {"op": "replace", "value": {"active": active}})
        work(world)
    (leaver,) = world.rows(Leaver)
    assert (leaver.account_id, leaver.origin, leaver.deed) == (account, "scim", "list")
    assert "says that they are not active" in leaver.why


@pytest.mark.parametrize("how", ["active again", "created again"])
def test_whoever_comes_back_is_no_leaver_any_more(live: IdentityProvider, how: str) -> None:
    """Nobody hands over what somebody owns who is here: by what the provider said before."""
    world = live.world
    account, email = somebody(world)
    settings(live, begins_leavers="yes")
    user = live.add(email)
    if how == "active again":
        live.patch(f"/Users/{user}", {"op": "replace", "value": {"active": False}})
        work(world)
        live.patch(f"/Users/{user}", {"op": "replace", "value": {"active": True}})
    else:
        live.send("DELETE", f"/Users/{user}", status=204)
        work(world)
        user = live.add(email)
    work(world)
    (leaver,) = world.rows(Leaver)
    assert (leaver.state, leaver.resume_at) == ("stopped", None)
    assert leaver.reason == "Their identity provider says again that they are active."
    assert world.audit("leaver:stopped")[-1].subject == account
    assert leaver.reason in world.call("GET", f"/app/leavers/{leaver.id}").text
    live.patch(f"/Users/{user}", {"op": "replace", "value": {"active": False}})
    work(world)
    assert sorted(one.state for one in world.rows(Leaver)) == ["looking", "stopped"]


def test_a_handover_that_an_operator_began_goes_on(live: IdentityProvider) -> None:
    world = live.world
    account, email = somebody(world)
    settings(live, begins_leavers="yes")
    user = live.add(email)
    leaver_id = leavers.request_leavers(world.tools, live.operator, [account])[0]
    live.patch(f"/Users/{user}", {"op": "replace", "value": {"active": False}})
    work(world)
    live.patch(f"/Users/{user}", {"op": "replace", "value": {"active": True}})
    work(world)
    (leaver,) = world.rows(Leaver)
    assert (leaver.id, leaver.state) == (leaver_id, "looking")


def test_a_handover_that_was_confirmed_waits_when_they_are_active_again(live: IdentityProvider) -> None:
    """What an operator has confirmed is not undone by a provider, but nobody who works is led out unasked."""
    world = live.world
    _account, email = somebody(world)
    settings(live, begins_leavers="yes")
    user = live.add(email)
    live.patch(f"/Users/{user}", {"op": "replace", "value": {"active": False}})
    work(world)
    (leaver,) = world.rows(Leaver)
    lead(world)
    leaver_decisions.choose(world.tools, live.operator, leaver.id, plan(choices={}, deed="list"))
    lead(world)
    leaver_decisions.confirm(world.tools, live.operator, leaver.id)
    live.patch(f"/Users/{user}", {"op": "replace", "value": {"active": True}})
    work(world)
    lead(world)
    held = world.stored(Leaver, ACME, leaver.id)
    assert (held.state, held.resume_at) == ("handing_over", None)
    assert held.reason == f"{ACTIVE_AGAIN} Stop, or try again to go on all the same."
    assert held.reason in world.call("GET", f"/app/leavers/{leaver.id}").text
    assert world.audit("leaver:held_up")[-1].subject == leaver.account_id
    leaver_stops.try_again(world.tools, live.operator, leaver.id)
    lead(world)
    assert world.stored(Leaver, ACME, leaver.id).state == "done"


def test_nobody_becomes_a_leaver_whom_the_brake_holds(live: IdentityProvider) -> None:
    world = live.world
    accounts = world.people(3)
    emails = {each["account_id"]: each["email"] for each in world.directory()}
    world.sync(world.caller("ana"))
    settings(live, begins_leavers="yes", brake_number="2")
    users = [live.add(emails[account]) for account in accounts]
    work(world)
    for user in users:
        live.patch(f"/Users/{user}", {"op": "replace", "value": {"active": False}})
    work(world)
    (held,) = [run for run in world.rows(Run) if run.state == RunState.BRAKED]
    assert world.rows(Leaver) == []
    live.patch(f"/Users/{users[0]}", {"op": "replace", "value": {"active": True}})
    rule_runs.release_brake(world.tools, live.operator, held.id)
    world.act()
    work(world)
    assert {one.account_id for one in world.rows(Leaver)} == set(accounts[1:])


def test_who_is_tried_again_while_the_worker_looks_waits_for_it(live: IdentityProvider) -> None:
    """The worker holds the connection before it touches anybody; so does whoever asks for another attempt."""
    world = live.world
    user = live.add("nora@acme.example")
    with world.tools.begin() as session:
        session.execute(update(ScimUser).values(state="failed"))
    with ThreadPoolExecutor(1) as operator:
        with world.tools.begin() as session:
            session.execute(update(ScimConnection).values(last_used_at=world.clock()))
            again = operator.submit(scim_overview.try_again, world.tools, live.operator, live.connection_id)
            time.sleep(0.5)
            session.execute(update(ScimUser).values(reason="Was looked at."))
        assert again.result() == 1
    assert live.stored(user).state == "waiting"


def test_two_workers_at_the_same_moment_make_one_run(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    _, email = somebody(world, "jira-users")
    live.add(email, active=False)
    world.later(seconds=11)
    (due,) = scim_changes.due_connections(world.tools)
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda _: scim_changes.follow_up(world.tools, *due), range(4)))
    assert len(world.rows(Run)) == 1


def test_without_a_fresh_sync_everybody_waits_and_is_told_why(world: World) -> None:
    world.store_key("ana", "acme")
    idp = connected(world)
    identity_providers.note_preview(world.tools, idp.operator, idp.connection_id)
    identity_providers.switch_mode(world.tools, idp.operator, idp.connection_id, live=True)
    user = idp.add("nora@acme.example")
    mapped(idp, "Jira", "", user)
    work(world, rounds=1)
    assert (idp.stored(user).state, world.rows(Run)) == ("waiting", [])
    assert "has not read your directory completely yet" in idp.stored(user).reason


def test_a_name_that_comes_back_is_the_same_person(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users")
    user = live.add(email)
    live.send("DELETE", f"/Users/{user}", status=204)
    work(world)
    assert status_of(world, account)[0] == "suspended"
    again = live.add(email)
    work(world)
    assert status_of(world, account)[0] == "active"
    assert live.stored(again).state == "settled"


@pytest.mark.parametrize("acted", [True, False])
def test_a_name_that_comes_back_takes_along_the_run_that_has_them_in_hand(
    live: IdentityProvider, *, acted: bool
) -> None:
    """Whether their turn had come or not: nobody stays suspended of whom the provider says that they are here."""
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users")
    user = live.add(email)
    work(world)
    live.send("DELETE", f"/Users/{user}", status=204)
    world.later(seconds=scim_changes.GATHER.total_seconds() + 1)
    for due in scim_changes.due_connections(world.tools):
        scim_changes.follow_up(world.tools, *due)
    if acted:
        world.act()
        assert status_of(world, account)[0] == "suspended"
    again = live.add(email)
    world.act()
    work(world)
    assert status_of(world, account)[0] == "active"
    assert world.effects(account)["suspend"] == int(acted)
    assert [live.stored(each).state for each in (user, again)] == ["settled", "settled"]


def test_two_connections_do_not_fight_over_a_person(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    other = connected(world, provider="okta")
    identity_providers.note_preview(world.tools, other.operator, other.connection_id)
    identity_providers.switch_mode(world.tools, other.operator, other.connection_id, live=True)
    account, email = somebody(world)
    jira = profile(world, "jira", "jira-users")
    here = mapped(live, "Jira", jira, live.add(email))
    work(world)
    mapped(other, "Jira", jira, other.add(email))
    work(world)
    live.send("DELETE", f"/Groups/{here}", status=204)
    work(world)
    assert groups_of(world, account) == ["jira-users"], "the other one still wants it"
    assert world.effects_by(account) == {"join_group:jira-users": 1}


def test_who_was_in_the_directory_once_is_invited_again(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users", membership_status="no_membership")
    user = live.add(email)
    mapped(live, "Wiki", profile(world, "wiki", "confluence-users"), user)
    work(world)
    assert live.stored(user).account_id == account
    assert account_of(world, email) == account, "and nobody else"
    assert len(world.requests("/users/invite$")) == 1
    assert groups_of(world, account) == ["confluence-users", "jira-users"]
    assert live.stored(user).state == "settled"


def test_an_operator_s_stop_is_respected(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users")
    user = live.add(email, active=False)
    world.later(seconds=11)
    for due in scim_changes.due_connections(world.tools):
        scim_changes.follow_up(world.tools, *due)
    (run,) = world.rows(Run)
    runs.stop(world.tools, live.operator, run.id)
    work(world)
    assert status_of(world, account)[0] == "active"
    assert (live.stored(user).state, len(world.rows(Run))) == ("failed", 1)


def test_nobody_waits_behind_those_for_whom_it_is_too_early(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    early = [live.add(f"early{number}@acme.example") for number in range(3)]
    mapped(live, "Jira", profile(world, "jira", "jira-users"), *early)
    with world.tools.begin() as session:
        session.execute(update(ScimUser).values(invited=True))
    account, email = somebody(world, "jira-users")
    live.add(email, active=False)
    work(world, rounds=9, most=2)
    assert [live.stored(each).state for each in early] == ["waiting"] * 3
    assert status_of(world, account)[0] == "suspended"
    assert scim_changes.due_connections(world.tools) == [], "and nobody looks every second"


def test_who_was_invited_and_has_not_come_keeps_no_preview_from_being_complete(
    live: IdentityProvider,
) -> None:
    world = live.world
    settings(live)
    early = live.add("early@acme.example")
    mapped(live, "Jira", profile(world, "jira", "jira-users"), early)
    with world.tools.begin() as session:
        session.execute(update(ScimUser).values(invited=True))
    work(world)
    identity_providers.switch_mode(world.tools, live.operator, live.connection_id, live=False)
    assert scim_overview.preview(world.tools, live.operator, live.connection_id).undecided == 1
    work(world)
    assert live.stored(early).reason == "Invited. Your directory does not show them yet."
    assert scim_overview.preview(world.tools, live.operator, live.connection_id).undecided == 0


def test_who_was_invited_and_has_not_come_is_invited_anew_by_another_attempt(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    user = live.add("nora@acme.example")
    mapped(live, "Wiki", profile(world, "wiki", "confluence-users"), user)
    world.later(seconds=scim_changes.GATHER.total_seconds() + 1)
    for due in scim_changes.due_connections(world.tools):
        scim_changes.follow_up(world.tools, *due)
    world.act()
    with world.tools.begin() as session:
        # Atlassian shows them only later.
        session.execute(delete(Person).where(Person.address == "nora@acme.example"))
    work(world)
    assert (live.stored(user).state, live.stored(user).invited) == ("waiting", True)
    assert scim_overview.try_again(world.tools, live.operator, live.connection_id) == 1
    assert not live.stored(user).invited
    work(world)
    assert live.stored(user).state == "settled"


def test_an_address_that_nobody_has_proven_names_nobody(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    account, email = somebody(world, "jira-users")
    with world.tools.begin() as session:
        session.execute(update(Person).where(Person.account_id == account).values(email_verified=False))
    user = live.add(email, active=False)
    work(world)
    assert status_of(world, account)[0] == "active"
    assert (live.stored(user).account_id, live.stored(user).state) == (None, "settled")


def test_a_group_that_is_deleted_and_pushed_anew_gives_what_it_gave(live: IdentityProvider) -> None:
    world = live.world
    settings(live)
    user = live.add("nora@acme.example", displayName="Nora New")
    group = mapped(live, "Engineers", profile(world, "engineers", "jira-users"), user)
    work(world)
    account = account_of(world, "nora@acme.example")
    assert account is not None
    runs_before = len(world.rows(Run))

    # At once, as some providers do it: nobody loses anything meanwhile.
    live.send("DELETE", f"/Groups/{group}", status=204)
    group = live.group("engineers", user)
    work(world)
    assert len(world.rows(Run)) == runs_before

    live.send("DELETE", f"/Groups/{group}", status=204)
    work(world)
    assert held_groups(world, account) == []
    world.later(days=80)
    world.sync(live.operator)
    retention.purge(world.tools)
    live.group("Engineers", user)
    work(world)
    assert held_groups(world, account) == ["jira-users"]
    mappings = [entry for entry in world.audit(Event.SCIM_MAPPED) if entry.actor == APP]
    assert [entry.result for entry in mappings] == [
        "Profile “engineers”, as before the provider deleted this group"
    ] * 2


@pytest.mark.parametrize(
    "why", ["another id", "no profile any more", "ends by itself", "long ago", "mapped anew"]
)
def test_a_group_by_an_old_name_gives_nothing_where_it_is_another_one(
    live: IdentityProvider, why: str
) -> None:
    world = live.world
    profile_id = profile(world, "engineers", "jira-users")
    body = {"schemas": [GROUP], "displayName": "Engineers", "externalId": "one"}
    group = str(live.json("POST", "/Groups", body, 201)["id"])
    identity_providers.map_group(world.tools, live.operator, live.connection_id, group, profile_id)
    live.send("DELETE", f"/Groups/{group}", status=204)
    with world.tools.begin() as session:
        stored = session.get_one(Profile, (ACME, profile_id))
        if why == "no profile any more":
            session.delete(stored)
        if why == "ends by itself":
            stored.days = 30
    if why == "long ago":
        world.later(days=91)
        retention.purge(world.tools)
    if why == "mapped anew":
        group = str(live.json("POST", "/Groups", body, 201)["id"])
        identity_providers.map_group(world.tools, live.operator, live.connection_id, group, "")
        live.send("DELETE", f"/Groups/{group}", status=204)
    external_id = "two" if why == "another id" else "one"
    again = live.json("POST", "/Groups", body | {"externalId": external_id}, 201)["id"]
    assert world.stored(ScimGroup, ACME, again).profile_id is None


def held_groups(world: World, account: str) -> list[str]:
    held = world.holding(account)
    assert held is not None
    return list(held["groups"])
