"""Rosters: people come by invitation or get access, each once, and it can be taken back (journey 5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete

from connect.errors import Invalid, NotReady
from models.absence import LastDay
from models.people import Person, Seat
from models.timed_access import TimedAccess
from rules.deeds import Deed
from rules.roster import Access, Entry, Origin, unknown_account
from sandbox.world import ORGANIZATIONS
from services import absences, roster, run_progress, runs, undoing
from tests.world import ACME, World

NEW = "nora.newman@newcomers.example"
USER = "atlassian/user"
JIRA = ORGANIZATIONS["acme"].resource("jira-software")
CONFLUENCE = ORGANIZATIONS["acme"].resource("confluence")


def group(world: World, name: str) -> str:
    found: str = world.groups()[name]["id"]
    return found


def previewed(world: World, *entries: Entry) -> str:
    return roster.preview_roster(world.tools, world.caller("ana"), entries, Origin.INVITE)


def done(world: World, *entries: Entry) -> str:
    run_id = previewed(world, *entries)
    runs.confirm(world.tools, world.caller("ana"), run_id)
    world.act()
    return run_id


def newcomer(world: World, **more: object) -> Entry:
    access = Access(roles=((JIRA, USER),), groups=(group(world, "contractors"),))
    return Entry(Deed.INVITE, name="Nora Newman", **{"access": access, "email": NEW, **more})  # type: ignore[arg-type]


def reasons(world: World, run_id: str) -> list[tuple[str, str]]:
    return [
        (case.state, case.reason)
        for case in sorted(world.cases(run_id).values(), key=lambda one: one.line or 0)
    ]


def test_somebody_is_invited_once_and_the_invitation_is_taken_back(world: World) -> None:
    world.synced()
    run_id = done(world, newcomer(world))
    [case] = world.cases(run_id).values()
    assert (case.state, case.reason, case.deed, case.name) == ("acted", "", "invite", "Nora Newman")
    held = world.holding(case.account_id)
    assert held is not None
    assert (held["groups"], held["direct"]) == (["contractors"], [("jira-software", USER)])
    person = world.stored(Person, case.organization_id, case.account_id)
    assert (person.email, person.email_verified, person.seat_count) == (NEW, False, 2)
    assert len(world.requests("/users/invite$")) == 1
    assert reasons(world, previewed(world, newcomer(world))) == [("not_possible", "Has this access already.")]
    world.settled()
    undo = undoing.preview_undo(world.tools, world.caller("ana"), run_id)
    runs.confirm(world.tools, world.caller("ana"), undo)
    world.act()
    assert reasons(world, undo) == [("acted", "")]
    assert world.holding(case.account_id) is None


def test_who_was_invited_and_is_not_read_yet_keeps_nobody_else_from_being_taken_back(world: World) -> None:
    ana = world.synced()
    [one] = world.people(1, groups=["jira-users"])
    world.sync(ana)
    other = Entry(
        Deed.GIVE_ACCESS, account_id=one, access=Access(groups=(group(world, "contractors"),)), line=2
    )
    run_id = done(world, newcomer(world, line=1), other)
    [invited] = [case for case in world.cases(run_id).values() if case.deed == "invite"]
    assert invited.state == "acted"
    with world.tools.begin() as session:
        # Atlassian did not show them when they were looked for.
        session.execute(delete(Person).where(Person.account_id == invited.account_id))
    world.settled()
    undo = undoing.preview_undo(world.tools, ana, run_id)
    states = {case.account_id: (case.state, case.reason) for case in world.cases(undo).values()}
    assert states == {
        invited.account_id: (
            "not_possible", "Rollcall has not read them yet: sync now, then take it back once more.",
        ),
        one: ("planned", ""),
    }  # fmt: skip


def test_who_has_worked_since_the_invitation_is_not_removed_by_undo(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    run_id = done(world, newcomer(world))
    [case] = world.cases(run_id).values()
    world.control("POST", f"/people/{case.account_id}/accept", site="acme")
    world.settled()
    world.sync(ana)
    undo = undoing.preview_undo(world.tools, ana, run_id)
    [(state, reason)] = reasons(world, undo)
    assert state == "not_possible"
    assert reason.startswith("Has been active since the invitation")


def test_who_is_here_already_gets_what_is_missing(world: World) -> None:
    ana = world.synced()
    [one] = world.people(1, groups=["jira-users"])
    world.sync(ana)
    email = next(each["email"] for each in world.directory() if each["account_id"] == one)
    access = Access(roles=((JIRA, USER), (CONFLUENCE, USER)), groups=(group(world, "contractors"),))
    run_id = done(world, Entry(Deed.INVITE, email=email.upper(), access=access))
    [case] = world.cases(run_id).values()
    assert (case.state, case.deed, case.account_id) == ("acted", "give_access", one)
    # Jira came by a group already: no role of their own on top.
    assert world.effects_by(one) == {"assign_role:confluence": 1, "join_group:contractors": 1}
    assert world.requests("/users/invite$") == []
    assert {seat.product_key for seat in world.rows(Seat) if seat.account_id == one} == {
        "confluence",
        "jira-software",
    }
    world.settled()
    undo = undoing.preview_undo(world.tools, ana, run_id)
    runs.confirm(world.tools, ana, undo)
    world.act()
    assert reasons(world, undo) == [("acted", "")]
    held = world.holding(one)
    assert held is not None
    assert (held["groups"], held["direct"]) == (["jira-users"], [])


def test_an_invitation_that_was_lost_on_the_way_back_is_not_sent_twice(sqlite_world: World) -> None:
    """S50: the answer never came; the directory tells what became of the call."""
    world = sqlite_world
    world.synced()
    world.fault("users/invite$", "reset", after=True)
    run_id = done(world, newcomer(world))
    [case] = world.cases(run_id).values()
    assert case.state == "acting"
    for _ in range(3):
        world.settled()
        world.act()
    [case] = world.cases(run_id).values()
    assert (case.state, case.reason) == ("acted", "Found done after an interruption.")
    assert len(world.requests("/users/invite$")) == 1
    assert not case.account_id.startswith("invite:")
    assert world.stored(Person, case.organization_id, case.account_id).email == NEW


@pytest.mark.parametrize("kind", ["429", "403-scopes", "html", "503"])
def test_who_was_invited_and_cannot_be_looked_at_afterwards_was_invited(
    sqlite_world: World, kind: str
) -> None:
    """S50: the invitation was answered; what comes of a look at them says nothing about it."""
    world = sqlite_world
    ana = world.synced()
    world.fault("users/search$", kind, skip=1, seconds=120)
    ends_on = world.clock().date() + timedelta(days=30)
    run_id = done(world, newcomer(world, ends_on=ends_on))
    for _ in range(3):
        world.later(minutes=3)
        world.act()
    [case] = world.cases(run_id).values()
    assert (case.state, case.reason, case.changed) == ("acted", "", True)
    assert not case.account_id.startswith("invite:")
    assert [timed.ends_on for timed in world.rows(TimedAccess)] == [ends_on]
    assert len(world.requests("/users/invite$")) == 1
    world.sync(ana)
    undo = undoing.preview_undo(world.tools, ana, run_id)
    runs.confirm(world.tools, ana, undo)
    world.act()
    assert reasons(world, undo) == [("acted", "")]
    assert world.holding(case.account_id) is None


def test_what_atlassian_does_not_give_is_told_and_what_it_gave_is_taken_back(sqlite_world: World) -> None:
    """206: the group is there, Confluence is full."""
    world = sqlite_world
    ana = world.synced()
    world.control("PUT", "/seats", {"site": "acme", "product": "confluence", "capacity": 1})
    access = Access(roles=((CONFLUENCE, USER), (JIRA, USER)))
    run_id = done(world, newcomer(world, access=access))
    [(state, reason)] = reasons(world, run_id)
    assert state == "refused"
    assert "Product License Limit Exceeded. Free or buy a seat" in reason
    world.settled()
    undo = undoing.preview_undo(world.tools, ana, run_id)
    assert [state for state, _ in reasons(world, undo)] == ["planned"]


def test_no_subscription_and_no_seat_are_said_per_person(sqlite_world: World) -> None:
    world = sqlite_world
    world.synced()
    world.control("PUT", "/subscriptions", {"site": "acme", "paid": False})
    [(state, reason)] = reasons(world, done(world, newcomer(world)))
    assert (state, reason.startswith("Your organization has no paid subscription")) == ("refused", True)
    world.control("PUT", "/subscriptions", {"site": "acme", "paid": True})
    world.control("PUT", "/seats", {"site": "acme", "product": "jira-software", "capacity": 1})
    access = Access(roles=((JIRA, USER),))
    [(state, reason)] = reasons(world, done(world, newcomer(world, access=access)))
    assert (state, reason.startswith("No seat is free")) == ("refused", True)


def test_seats_that_are_known_to_be_short_are_said_before(sqlite_world: World) -> None:
    """One seat is free: the first in the list gets it, who needs none is not in the way."""
    world = sqlite_world
    ana = world.synced()
    active = {person.account_id for person in world.rows(Person) if person.status == "active"}
    used = sum(seat.resource_id == JIRA and seat.account_id in active for seat in world.rows(Seat))
    assert used < sum(seat.resource_id == JIRA for seat in world.rows(Seat)), "suspended people take no seat"
    world.control("PUT", "/seats", {"site": "acme", "product": "jira-software", "capacity": used + 1})
    world.sync(ana)
    jira, nothing = Access(roles=((JIRA, USER),)), Access(groups=(group(world, "contractors"),))
    run_id = previewed(
        world,
        *(
            Entry(Deed.INVITE, email=f"n{line}@newcomers.example", access=access, line=line)
            for line, access in enumerate((jira, jira, nothing), start=1)
        ),
    )
    jira_there = f"Jira on {world.sandbox.acme.removeprefix('http://')}"
    short = f"No seat for them in {jira_there}: only 1 free, and those above take them."
    short += " Free one, or buy one, then try again."
    assert reasons(world, run_id) == [("planned", ""), ("not_possible", short), ("planned", "")]
    assert run_progress.show_run(world.tools, ana, run_id).seats == 2


def test_nobody_comes_before_their_day(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    monday = (world.tools.clock() + timedelta(days=5)).date()
    run_id = done(world, newcomer(world, starts_on=monday))
    assert reasons(world, run_id) == [("planned", "")]
    world.later(days=6)
    world.act()
    assert reasons(world, run_id) == [("acted", "")]
    world.sync(ana)
    run_id = done(
        world, newcomer(world, email="later@newcomers.example", starts_on=monday + timedelta(days=9))
    )
    runs.stop(world.tools, ana, run_id)
    world.later(days=20)
    world.act()
    assert [state for state, _ in reasons(world, run_id)] == ["cancelled"]


def test_who_came_by_hand_before_their_day_gets_what_is_missing(world: World) -> None:
    ana = world.synced()
    day = world.clock().date() + timedelta(days=3)
    access = Access(groups=(group(world, "contractors"),))
    run_id = done(world, newcomer(world, access=access, starts_on=day))
    body = {
        "emails": [NEW],
        "permissionRules": [],
        "additionalGroups": [group(world, "jira-users")],
        "sendNotification": False,
    }
    world.api("POST", "/v2/orgs/{org}/users/invite", body)
    world.later(days=3, hours=12)
    world.act()
    assert [state for state, _reason in reasons(world, run_id)] == ["acted"]
    [case] = world.cases(run_id).values()
    held = world.holding(case.account_id)
    assert held is not None
    assert {"contractors", "jira-users"} <= set(held["groups"])
    world.sync(ana)
    world.undo(ana, run_id)
    held = world.holding(case.account_id)
    assert held is not None
    assert "contractors" not in held["groups"]


def test_strangers_twins_and_groups_of_the_provider_have_a_reason(sqlite_world: World) -> None:
    world = sqlite_world
    world.synced()
    synced = next(each["id"] for each in world.groups().values() if each["externalSynced"])
    run_id = previewed(
        world,
        Entry(Deed.SUSPEND, email="nobody@nowhere.example", line=1),
        newcomer(world, line=2),
        newcomer(world, line=3, email=NEW.upper()),
        newcomer(world, line=4, email="s@newcomers.example", access=Access(groups=(synced,))),
        newcomer(world, line=5, email="g@newcomers.example", access=Access(groups=("gone",))),
    )
    states = reasons(world, run_id)
    assert [state for state, _ in states] == ["not_possible", "planned", *["not_possible"] * 3]
    assert states[0][1].startswith(
        "Nobody in your directory shows this address: invite them, or find them by name"
    )
    assert states[2][1] == "Is here twice: the entry above counts."
    assert states[3][1].endswith("belongs to your identity provider: change it there.")
    assert states[4][1] == "A group does not exist any more: choose another one."


def test_of_two_accounts_with_one_address_the_one_that_is_here_is_meant(sqlite_world: World) -> None:
    world = sqlite_world
    gone, account = sorted(world.people(2))
    email = next(each["email"] for each in world.directory() if each["account_id"] == account)
    world.change(gone, membership_status="no_membership", email=email)
    world.synced()
    run_id = done(world, Entry(Deed.SUSPEND, email=email))
    assert {one: case.state for one, case in world.cases(run_id).items()} == {account: "acted"}


def test_who_is_invited_anew_and_shown_late_begins_anew(sqlite_world: World) -> None:
    """Neither the last day nor the idleness of the time before counts."""
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    email = next(each["email"] for each in world.directory() if each["account_id"] == person)
    last = world.clock().date() + timedelta(days=1)
    absences.set_last_day(world.tools, ana, person, ends_on=last.isoformat(), note="")
    world.change(person, membership_status="no_membership")
    world.sync(ana)
    world.later(days=40)
    world.sync(ana)
    world.fault("users/invite$", "delay-visibility", seconds=600)
    access = Access(roles=((CONFLUENCE, USER),))
    run_id = done(world, Entry(Deed.INVITE, email=email, access=access))
    assert world.states(run_id) == {person: "acted"}
    world.change(person, membership_status="active")
    world.later(days=1)
    world.sync(ana)
    known = world.stored(Person, ACME, person)
    assert known.status == "active"
    assert known.given_back_at is not None
    assert world.rows(LastDay) == []


def test_a_list_needs_somebody_and_a_fresh_sync(sqlite_world: World) -> None:
    sqlite_world.store_key("ana")
    entry = newcomer(sqlite_world)
    with pytest.raises(NotReady):
        previewed(sqlite_world, entry)
    sqlite_world.synced()
    with pytest.raises(Invalid):
        previewed(sqlite_world)


def test_the_stand_in_for_an_account_is_the_same_for_the_same_address() -> None:
    assert (
        unknown_account(" Nora@X.example")
        == unknown_account("nora@x.example ")
        != unknown_account("n@x.example")
    )
