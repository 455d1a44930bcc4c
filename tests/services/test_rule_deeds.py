"""Each deed of a rule against the pretend Atlassian, and its undo: exactly what was taken, given back (S48-S51)."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any

import pytest

from connect.caller import Caller
from connect.errors import Conflict
from models.absence import Absence
from models.organization import Organization
from models.people import Membership, Person
from models.run import Case
from rules.case import CaseState
from rules.deeds import Deed
from rules.roster import Entry, Origin
from services import (
    orders,
    previews,
    protecting,
    provider_lists,
    retrying,
    reviews,
    roster,
    rule_runs,
    rules,
    run_progress,
    runs,
    undoing,
)
from tests.services.workers import Crash, Killed, act_on, die, once, with_something_between
from tests.world import ACCOUNTS, ACME, LEASE_OVER, World

pytestmark = pytest.mark.slow

JIRA, CONFLUENCE = "jira-software", "confluence"
THREE_WAYS: dict[str, Any] = {"groups": ["jira-users", "jira-admins", "contractors"], "direct": [JIRA]}
"""To Jira by two groups and a role of their own; to Confluence by a third group."""
EACH_ONCE = {f"leave_group:{group}": 1 for group in ("jira-users", "jira-admins")} | {
    f"revoke_role:{JIRA}": 1
}
GIVEN_BACK = {f"join_group:{group}": 1 for group in ("jira-users", "jira-admins")} | {
    f"assign_role:{JIRA}": 1
}


def step(deed: str, **more: Any) -> dict[str, Any]:
    """Whoever was not seen for 90 days, without a warning; words of `then` go with the deed."""
    then = {key: more.pop(key) for key in ("products", "leave", "join") if key in more}
    return {"when": {"not_seen": 90}, "then": {"deed": deed, **then}, "grace": 0, **more}


LOSE_JIRA = step("remove_access", products=[JIRA])


def ran(world: World, ana: Caller, people: list[str], *steps: dict[str, Any], name: str = "Idle") -> str:
    """A rule about these people ran, after a sync; the run's id."""
    world.sync(ana)
    return world.run_rule(ana, world.rule(ana, *steps, name=name, who={"people": people}))


def verdict(world: World, ana: Caller, account_id: str, *steps: dict[str, Any]) -> tuple[str, str]:
    """(state, reason) of one person in a preview."""
    world.sync(ana)
    data = world.rule_data(*steps, name=f"Preview {len(world.rows(Case))}", who={"people": [account_id]})
    rule_id = rules.save_rule(world.tools, ana, data)
    case = world.case(rule_runs.preview_rule(world.tools, ana, rule_id), account_id)
    return case.state, case.reason or case.because


@pytest.mark.parametrize(
    ("ways", "effects"),
    [
        ({"groups": [], "direct": [JIRA]}, {f"revoke_role:{JIRA}": 1}),
        ({"groups": ["jira-users"]}, {"leave_group:jira-users": 1}),
        ({"groups": ["jira-users", "jira-admins", "contractors"]}, {
            "leave_group:jira-users": 1, "leave_group:jira-admins": 1,
        }),
        (THREE_WAYS, EACH_ONCE),
    ],
    ids=["role", "group", "groups", "both"],
)  # fmt: skip
def test_access_is_removed_by_every_way_it_came_and_given_back_exactly(
    world: World, ways: dict[str, Any], effects: dict[str, int]
) -> None:
    ana = world.store_key()
    (person,) = world.people(1, **ways)
    before = world.holding(person)
    assert before is not None
    run_id = ran(world, ana, [person], LOSE_JIRA)
    case = world.case(run_id, person)
    assert case.state == "acted"
    assert case.because.startswith("Last seen 100 days ago, in ")
    after = world.holding(person)
    assert after is not None
    assert "jira" not in after["products"]
    assert after["status"] == before["status"], "people stay assignable and mentionable"
    assert set(before["groups"]) - set(after["groups"]) == {
        effect.partition(":")[2] for effect in effects if effect.startswith("leave")
    }
    assert world.effects_by(person) == effects
    assert case.earlier["groups"] == sorted(world.groups()[name]["id"] for name in before["groups"])
    undo = world.undo(ana, run_id)
    assert (world.states(undo), world.states(run_id)) == ({person: "acted"}, {person: "undone"})
    assert world.holding(person) == before
    assert all(times == 1 for times in world.effects_by(person).values())


def test_what_is_remembered_is_what_a_sync_would_read(world: World) -> None:
    """Groups, seats and the last sign of life, right after the deed."""
    ana = world.store_key()
    (person,) = world.people(1, **THREE_WAYS)
    world.change(person, last_active={CONFLUENCE: world.days_ago(300)})
    ran(world, ana, [person], LOSE_JIRA)

    def remembered() -> tuple[Any, ...]:
        row = world.stored(Person, ACME, person)
        groups = {one.group_id for one in world.rows(Membership) if one.account_id == person}
        return row.seat_count, row.activity, row.seen_at, row.seen_in, groups

    at_once = remembered()
    world.settled()
    world.sync(ana)
    assert remembered() == at_once
    assert at_once[:2] == (1, "seen")


def test_what_atlassian_turned_down_is_worked_out_anew_when_it_is_tried_again(sqlite_world: World) -> None:
    """A group opens the product no more by then: it was left all the same, as the first attempt had written down."""
    world = sqlite_world
    ana = world.store_key()
    (person,) = world.people(1, groups=["jira-users"], direct=[JIRA])
    world.fault("/roles/revoke$", "403-scopes")
    run_id = ran(world, ana, [person], LOSE_JIRA)
    assert world.states(run_id) == {person: "failed"}
    with world.sandbox.cloud.store.write() as connection:
        connection.execute(
            "DELETE FROM team_role WHERE team IN (SELECT id FROM team WHERE org = 'acme' AND name = 'jira-users')"
        )
    world.later(days=1)
    world.sync(ana)
    retrying.retry_failed(world.tools, ana, run_id)
    world.act()
    assert world.states(run_id) == {person: "acted"}
    assert world.effects_by(person) == {f"revoke_role:{JIRA}": 1}


def test_a_group_that_grants_more_is_a_verdict_and_never_a_surprise(world: World) -> None:
    ana = world.store_key()
    admin, person = world.people(2)
    world.arrange(admin, groups=["site-admins"])
    assert verdict(world, ana, admin, LOSE_JIRA) == (
        "not_possible",
        "Leaving site-admins would also end Confluence.",
    )
    both = step("remove_access", products=[JIRA, CONFLUENCE])
    assert verdict(world, ana, admin, both)[0] == "planned"
    # And just before the deed: the second group was not there when the preview was made.
    world.sync(ana)
    rule_id = world.rule(ana, LOSE_JIRA, who={"people": [person]})
    world.control("POST", f"/people/{person}/groups", {"group": "site-admins", "member": True})
    run_id = world.run_rule(ana, rule_id)
    assert world.case(run_id, person).state == "spared"
    assert "would also end" in world.case(run_id, person).reason
    assert world.effects_by(person) == {}


def test_people_of_the_identity_provider_are_listed_for_its_administrator(world: World) -> None:
    ana = world.store_key()
    staff, team, free, whole = world.people(4)
    world.arrange(staff, groups=["all-staff"])
    world.arrange(team, groups=["all-staff", "team-product", "jira-users"])
    world.change(staff, name="=cmd()")
    run_id = ran(world, ana, [staff, team, free], LOSE_JIRA)
    assert world.states(run_id) == {staff: "not_possible", team: "not_possible", free: "acted"}
    assert world.case(run_id, staff).reason == (
        "all-staff belongs to your identity provider: remove them there. That would also end Confluence."
    )
    groups = world.groups()
    assert provider_lists.provider_groups(world.tools, ana, run_id) == [
        (groups["all-staff"]["id"], "all-staff", 2),
        (groups["team-product"]["id"], "team-product", 1),
    ]
    rows = list(csv.reader(provider_lists.provider_csv(world.tools, ana, run_id)))
    assert [row[0] for row in rows[1:]] == ["all-staff", "all-staff", "team-product"]
    assert any("'=cmd()" in row for row in rows), "no cell is a formula (S53)"
    assert all("That would also end Confluence." in row[4] for row in rows[1:]), "said where it is done"
    assert world.audit("export:taken")[-1].run_id == run_id
    gina = world.synced("globex")
    for foreign in (provider_lists.provider_groups, provider_lists.provider_csv):
        with pytest.raises(Exception, match="not_found"):
            foreign(world.tools, gina, run_id)
    # Somebody whose whole account is the provider's: suspended there, not here.
    world.arrange(whole, groups=["jira-users"], management_source="synced")
    run_id = ran(world, ana, [whole], step("suspend"), name="Suspend")
    assert provider_lists.provider_groups(world.tools, ana, run_id) == [("", provider_lists.NO_GROUP, 1)]


def test_groups_are_changed_and_changed_back(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1, groups=["jira-users", "jira-admins"])
    groups = world.groups()
    before = world.holding(person)
    change = step(
        "change_groups", leave=[groups["jira-users"]["id"]], join=[groups["confluence-users"]["id"]]
    )
    run_id = ran(world, ana, [person], change)
    after = world.holding(person)
    assert after is not None
    assert after["groups"] == ["confluence-users", "jira-admins"]
    assert world.effects_by(person) == {"leave_group:jira-users": 1, "join_group:confluence-users": 1}
    world.undo(ana, run_id)
    assert world.holding(person) == before
    assert set(world.effects_by(person).values()) == {1}
    (synced,) = world.people(1, groups=["jira-users"])
    into_theirs = step("change_groups", join=[groups["all-staff"]["id"]])
    assert verdict(world, ana, synced, into_theirs) == (
        "not_possible",
        "all-staff belongs to your identity provider: change it there.",
    )


def test_no_seat_is_left_for_whoever_shall_join(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1, groups=["jira-users"])
    join = step("change_groups", join=[world.groups()["confluence-users"]["id"]])
    world.control("PUT", "/seats", {"site": "acme", "product": CONFLUENCE, "capacity": 1})
    run_id = ran(world, ana, [person], join)
    assert world.case(run_id, person).state == "refused"
    assert "No seat is free" in world.case(run_id, person).reason
    assert not world.case(run_id, person).changed


@pytest.mark.parametrize(
    ("deed", "status", "effects"),
    [
        ("suspend", ("suspended", "active"), {"suspend": 1, "restore": 1}),
        ("deactivate", ("active", "inactive"), {"disable": 1, "enable": 1}),
        ("delete", ("active", "closed"), {"delete": 1, "cancel_delete": 1}),
    ],
)
def test_deeds_on_the_whole_person_and_back(
    world: World, deed: str, status: tuple[str, str], effects: dict[str, int]
) -> None:
    ana = world.store_key()
    (person,) = world.people(1, **THREE_WAYS)
    before = world.holding(person)
    world.sync(ana)
    rule_id = rules.save_rule(world.tools, ana, world.rule_data(step(deed), who={"people": [person]}))
    if deed == "delete":
        rules.confirm_rule(world.tools, world.caller("priya"), rule_id, 1)
    world.approve_rule(ana, rule_id)
    run_id = world.run_rule(ana, rule_id)
    after = world.holding(person)
    assert after is not None
    assert after["status"] == status
    assert world.states(run_id) == {person: "acted"}
    at_once = world.stored(Person, ACME, person)
    world.settled()
    world.sync(ana)
    read = world.stored(Person, ACME, person)
    assert (at_once.status, at_once.account_status) == (read.status, read.account_status)
    world.undo(ana, run_id)
    assert world.holding(person) == before
    assert world.effects_by(person) == effects
    assert world.states(run_id) == {person: "undone"}


def deleted_when_it_was_deactivated(world: World) -> tuple[Caller, str, str, Any]:
    """(operator, run, person, what they had before)."""
    ana = world.store_key()
    (person,) = world.people(1, **THREE_WAYS)
    world.change(person, account_status="inactive")
    before = world.holding(person)
    world.sync(ana)
    ladder = [step("deactivate"), {"when": {"deactivated": 30}, "then": {"deed": "delete"}, "grace": 0}]
    data = world.rule_data(*ladder, who={"people": [person]})
    rule_id = rules.save_rule(world.tools, ana, data)
    rules.confirm_rule(world.tools, world.caller("priya"), rule_id, 1)
    world.approve_rule(ana, rule_id)
    world.later(days=31)
    world.sync(ana)
    run_id = world.run_rule(ana, rule_id)
    assert world.states(run_id) == {person: "acted"}
    world.settled()
    return ana, run_id, person, before


@pytest.mark.parametrize("dies", ["", "before deactivate", "after keep_account", "after deactivate"])
def test_s51_who_was_deactivated_before_the_deletion_is_so_again_after_its_undo(
    world: World, dies: str
) -> None:
    """Cancelling a deletion makes the account active: somebody who left could log in again, and would cost a seat."""
    ana, run_id, person, before = deleted_when_it_was_deactivated(world)
    undo = undoing.preview_undo(world.tools, ana, run_id)
    runs.confirm(world.tools, ana, undo)
    if dies:
        case = world.case(undo, person)
        with pytest.raises(Killed):
            act_on(
                with_something_between(world.tools, die(*dies.split(" "))), ACME, case.id, case.attempt + 1
            )
        world.clock.offset += LEASE_OVER
    world.act()
    world.settled()
    world.act()
    assert world.states(undo) == {person: "acted"}
    assert world.holding(person) == before
    assert world.effects_by(person) == {"delete": 1, "cancel_delete": 1, "disable": 1}
    world.settled()
    world.sync(ana)
    assert world.states(run_id) == {person: "undone"}
    assert world.stored(Person, ACME, person).status == "deactivated"


def test_s51_whose_account_could_not_be_deactivated_again_is_tried_again(world: World) -> None:
    """The deletion was cancelled, then Atlassian did not answer: it stayed active, as if taken back."""
    ana, run_id, person, before = deleted_when_it_was_deactivated(world)
    world.fault("/lifecycle/disable$", "503", times=None)
    undo = world.undo(ana, run_id)
    world.given_up()
    assert world.states(undo) == {person: "failed"}
    assert world.effects_by(person) == {"delete": 1, "cancel_delete": 1}
    world.clear_faults()
    retrying.retry_failed(world.tools, ana, undo)
    world.settled()
    world.act()
    assert (world.states(undo), world.states(run_id)) == ({person: "acted"}, {person: "undone"})
    assert world.holding(person) == before
    assert world.effects_by(person) == {"delete": 1, "cancel_delete": 1, "disable": 1}


def test_only_managed_accounts_are_deactivated_and_the_reason_is_atlassians(world: World) -> None:
    ana = world.store_key()
    google = next(one["account_id"] for one in world.directory() if one["kind"] == "google-synced")
    world.arrange(google, groups=["jira-users"])
    (external,) = world.people(1, claim_status="unmanaged")
    run_id = ran(world, ana, [google, external], step("deactivate"))
    assert world.case(run_id, external).state == "not_possible"
    assert world.case(run_id, external).reason.startswith("External: only the organization that manages")
    case = world.case(run_id, google)
    assert (case.state, case.changes) == ("refused", None)
    assert case.reason == "Was once synced from Google Workspace: change the account there."
    assert world.requests(f"/users/{google}/manage/lifecycle") == [], "asked, and not even tried"
    # The next preview says it beforehand; other deeds are still possible.
    assert verdict(world, ana, google, step("deactivate")) == ("not_possible", case.reason)
    assert verdict(world, ana, google, step("suspend"))[0] == "planned"


def test_removed_people_do_not_come_back(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    run_id = ran(world, ana, [person], step("remove"))
    assert world.holding(person) is None
    assert world.states(run_id) == {person: "acted"}
    assert world.stored(Person, ACME, person).left_at is not None
    undo = undoing.preview_undo(world.tools, ana, run_id)
    assert world.states(undo) == {person: "not_possible"}
    with pytest.raises(Conflict):
        runs.confirm(world.tools, ana, undo)


def test_listing_and_telling_change_nothing(world: World) -> None:
    ana = world.store_key()
    listed, told = world.people(2)
    first = ran(world, ana, [listed], step("list"), name="List")
    assert world.states(first) == {listed: "listed"}
    assert run_progress.show_run(world.tools, ana, first).state == "finished"
    rule_id = world.rule(ana, step("tell"), name="Tell", who={"people": [told]})
    assert world.states(world.run_rule(ana, rule_id)) == {told: "acted"}
    again = world.run_rule(ana, rule_id)
    assert world.states(again) == {told: "spared"}
    assert world.case(again, told).reason.startswith("Was warned already, on ")
    assert world.effects_by(listed) == world.effects_by(told) == {}
    for run_id in (first, again):
        with pytest.raises(Conflict):
            undoing.preview_undo(world.tools, ana, run_id)


def test_s48_nobody_takes_the_last_administrator(world: World) -> None:
    ana = world.store_key()
    (other,) = world.people(1, groups=["jira-admins", "confluence-admins"])
    for name in ("ana", "priya"):
        world.control("POST", f"/people/{ACCOUNTS[name]}/groups", {"group": "site-admins", "member": False})
    jon = ACCOUNTS["jon"]
    world.change(jon, last_active=world.days_ago(100))
    both = [jon, other]
    run_id = ran(world, ana, both, step("suspend"))
    assert sorted(world.states(run_id).values()) == ["acted", "not_possible"]
    (left,) = [one for one in both if world.states(run_id)[one] == "not_possible"]
    assert world.case(run_id, left).why == "last_admin"
    assert world.case(run_id, left).reason.startswith("Is the last administrator of ")
    # The preview was made when there were two; just before the deed there is one.
    assert verdict(world, ana, left, LOSE_JIRA)[0] == "not_possible"


def administrators(world: World, ana: Caller) -> list[str]:
    """The only two administrators of Jira and Confluence, both idle."""
    jon = ACCOUNTS["jon"]
    (other,) = world.people(1, groups=["jira-admins", "confluence-admins"])
    for name in ("ana", "priya"):
        world.control("POST", f"/people/{ACCOUNTS[name]}/groups", {"group": "site-admins", "member": False})
    world.change(jon, last_active=world.days_ago(100))
    world.sync(ana)
    return [jon, other]


def out_of_jira_admins(world: World) -> dict[str, Any]:
    return step("change_groups", leave=[world.groups()["jira-admins"]["id"]])


def administer_jira(world: World, people: list[str]) -> list[str]:
    """Those of them who do, as Atlassian has it."""
    return [one for one in people if "jira-admins" in (world.holding(one) or {"groups": ()})["groups"]]


def test_s48_the_last_administrator_is_left_by_the_next_rule(world: World) -> None:
    """What one rule took counts for the next one, before any sync."""
    ana = world.store_key()
    both = administrators(world, ana)
    last = both[1]
    for number, person in enumerate(both):
        rule_id = world.rule(ana, out_of_jira_admins(world), name=f"Rule {number}", who={"people": [person]})
        run_id = world.run_rule(ana, rule_id)
        world.settled()
    assert administer_jira(world, both) == [last]
    assert world.case(run_id, last).why == "last_admin"


def test_s48_the_last_administrator_is_left_though_a_sync_still_saw_the_other_one(
    sqlite_world: World,
) -> None:
    """Atlassian shows for a while what was before a deed."""
    world = sqlite_world
    ana = world.store_key()
    both = administrators(world, ana)
    last = both[1]
    world.fault("/memberships/", "delay-visibility", seconds=600, method="DELETE")
    for number, person in enumerate(both):
        rule_id = world.rule(ana, out_of_jira_admins(world), name=f"Rule {number}", who={"people": [person]})
        run_id = world.run_rule(ana, rule_id)
        world.later(seconds=1)
        world.sync(ana)
        world.settled()
        world.act()
    assert world.effects_by(last) == {}
    assert world.case(run_id, last).why == "last_admin"


def test_s48_the_last_administrator_is_left_by_a_list(world: World) -> None:
    ana = world.store_key()
    both = administrators(world, ana)
    leave = (world.groups()["jira-admins"]["id"],)
    entries = [Entry(Deed.CHANGE_GROUPS, account_id=person, leave=leave) for person in both]
    run_id = roster.preview_roster(world.tools, ana, entries, Origin.CSV)
    runs.confirm(world.tools, ana, run_id)
    world.act()
    assert sorted(world.states(run_id).values()) == ["acted", "spared"]
    assert len(administer_jira(world, both)) == 1


@pytest.mark.parametrize("deed", ["leave_group", "suspend"])
def test_s48_two_workers_do_not_take_the_last_administrators_at_the_same_moment(
    world: World, deed: str
) -> None:
    """While one is being taken nobody takes the other; afterwards there is one left, and stays."""
    ana = world.store_key()
    both = administrators(world, ana)
    runs_by_person = {
        person: rule_runs.run_now(
            world.tools,
            ana,
            world.rule(
                ana,
                step("suspend") if deed == "suspend" else out_of_jira_admins(world),
                name=person,
                who={"people": [person]},
            ),
        )
        for person in both
    }
    first, last = (world.case(runs_by_person[person], person) for person in both)

    def the_other_one_begins() -> None:
        act_on(world.tools, ACME, last.id, 1)

    between = with_something_between(world.tools, once("before", deed, the_other_one_begins))
    act_on(between, ACME, first.id, 1)
    assert [world.case(run_id, person).state for person, run_id in runs_by_person.items()] == [
        "acted",
        "planned",
    ]
    world.settled()
    world.act()
    assert world.effects_by(last.account_id) == {}
    assert world.case(last.run_id, last.account_id).reason.startswith("Is the last administrator of ")


def test_s48_guards_hold_for_every_rule(world: World) -> None:
    priya = world.store_key()
    priya = world.caller("priya")
    owner = next(one["account_id"] for one in world.directory() if one["kind"] == "other-site-owner")
    guarded = {
        ACCOUNTS["priya"]: "This is you",
        ACCOUNTS["ana"]: "Gave Rollcall a credential",
        owner: "Owns another site",
    }
    admin, person = world.people(2)
    world.change(admin, platform_roles=["atlassian/org-admin"])
    guarded[admin] = "Administers the organization"
    for account_id in guarded:
        world.change(account_id, last_active=world.days_ago(100))
    run_id = ran(world, priya, [*guarded, person], step("suspend"))
    assert world.states(run_id) == dict.fromkeys(guarded, "guarded") | {person: "acted"}
    for account_id, words in guarded.items():
        assert words in world.case(run_id, account_id).reason
        assert world.calls(account_id) == 0


def test_s48_whoever_becomes_an_administrator_meanwhile_is_spared(world: World) -> None:
    ana = world.store_key()
    admin, protected = world.people(2)
    world.sync(ana)
    rule_id = world.rule(ana, who={"people": [admin, protected]})
    run_id = rule_runs.run_now(world.tools, ana, rule_id)
    world.change(admin, platform_roles=["atlassian/org-admin"])
    protecting.protect(world.tools, ana, kind="person", value=protected, reason="On leave", until="")
    world.act()
    assert set(world.states(run_id).values()) == {"spared"}
    assert world.case(run_id, protected).reason == "Protected: On leave"


def test_protected_people_groups_and_domains(world: World) -> None:
    ana = world.store_key()
    by_person, by_group, by_domain, hidden, expired, free = people = world.people(6)
    world.arrange(by_group, groups=["jira-users", "contractors"])
    world.change(by_domain, email="dee@partner.example")
    world.change(hidden, email_hidden=1)
    world.sync(ana)
    today = world.clock().date()
    for kind, value, until in (
        ("person", by_person, ""),
        ("group", world.groups()["contractors"]["id"], today.isoformat()),
        ("domain", "@Partner.example", ""),
        ("person", expired, today.isoformat()),
    ):
        protecting.protect(world.tools, ana, kind=kind, value=value, reason="Ask Ana", until=until)
    rule_id = world.rule(ana, who={"people": people})
    preview = rule_runs.preview_rule(world.tools, ana, rule_id)
    assert world.states(preview) == dict.fromkeys(people, "guarded") | {free: "planned"}
    assert world.case(preview, by_person).reason == "Protected: Ask Ana"
    assert world.case(preview, expired).reason == f"Protected until {today:%-d %B %Y}: Ask Ana"
    world.later(days=1)
    assert world.states(world.run_rule(ana, rule_id)) == {
        by_person: "guarded",
        by_group: "acted",
        by_domain: "guarded",
        hidden: "guarded",
        expired: "acted",
        free: "acted",
    }, "a hidden address may belong to the protected domain; what is over protects nobody"


def test_s50_killed_at_every_moment_of_several_changes_with_a_notice_and_of_their_undo(world: World) -> None:
    """One run; the worker dies at another moment of each person. Each change happens once, nobody is lost."""
    ana = world.store_key()
    people = world.people(46, **THREE_WAYS)
    before = world.holding(people[0])
    world.sync(ana)
    warned = LOSE_JIRA | {"grace": 1, "warn": [1]}
    run_id = rule_runs.run_now(world.tools, ana, world.rule(ana, warned, who={"people": people}))
    crashes = {account_id: Crash(at) for at, account_id in enumerate(people, start=1)}

    def work(run: str) -> None:
        """Each case by a worker of its own that may die; whoever comes later goes on."""
        for account_id, case in world.cases(run).items():
            if crashes[account_id].moment:
                continue
            tools = with_something_between(world.tools, crashes[account_id])
            try:
                act_on(tools, ACME, case.id, case.attempt + 1)
            except Killed:
                # Some cases are taken up again at once, with the same attempt, the others when their lease is over.
                if len(account_id) % 2:
                    act_on(world.tools, ACME, case.id, world.case(run, account_id).attempt)
        world.clock.offset += LEASE_OVER
        world.act()
        world.settled()
        world.act()

    work(run_id)
    assert set(world.states(run_id).values()) == {"warned"}
    assert {case.warnings for case in world.cases(run_id).values()} == {1}, "no notice twice"
    world.later(days=1)
    work(run_id)
    assert set(world.states(run_id).values()) == {"acted"}
    for account_id in people:
        assert world.effects_by(account_id) == EACH_ONCE, crashes[account_id].moment
    assert {
        (len(case.changes), all(row[3] for row in case.changes)) for case in world.cases(run_id).values()
    } == {(3, True)}
    unhurt = [account_id for account_id in people if not crashes[account_id].moment]
    assert unhurt, "there is a person left for the undisturbed way"
    moments = {crash.moment for crash in crashes.values()}
    assert moments >= {
        f"{when} {what}"
        for when in ("before", "after")
        for what in ("transaction", "person", "roles_of", "revoke_role", "leave_group")
    }
    crashes = {account_id: Crash(at) for at, account_id in enumerate(people, start=1)}
    undo = undoing.preview_undo(world.tools, ana, run_id)
    runs.confirm(world.tools, ana, undo)
    work(undo)
    assert [account_id for account_id in people if not crashes[account_id].moment]
    assert {crash.moment for crash in crashes.values()} >= {"after assign_role", "after join_group"}
    assert set(world.states(undo).values()) == {"acted"}
    assert set(world.states(run_id).values()) == {"undone"}
    for account_id in people:
        assert world.effects_by(account_id) == EACH_ONCE | GIVEN_BACK, crashes[account_id].moment
        assert world.holding(account_id) == before
    assert len(world.audit("case:acted")) == 2 * len(people)


@pytest.mark.parametrize(
    ("kind", "landed"), [("429", False), ("503", False), ("503", True), ("reset", False), ("reset", True)]
)
def test_trouble_in_the_middle_of_several_changes(sqlite_world: World, kind: str, landed: bool) -> None:
    """What has landed is remembered; the rest follows. And the same for the undo."""
    world = sqlite_world
    ana = world.store_key()
    (person,) = world.people(1, **THREE_WAYS)
    before = world.holding(person)
    world.sync(ana)
    rule_id = world.rule(ana, LOSE_JIRA, who={"people": [person]})
    world.fault(r"/memberships/", kind, skip=1, after=landed, seconds=30)
    run_id = world.run_rule(ana, rule_id)
    case = world.case(run_id, person)
    assert case.state == ("planned" if kind == "429" else "acting")
    assert [row[3] for row in case.changes] == [True, True, False]
    assert (world.stored(Organization, ACME).paused_until is not None) == (kind == "429")
    world.later(seconds=31)
    world.act()
    assert world.states(run_id) == {person: "acted"}
    assert world.effects_by(person) == EACH_ONCE
    world.clear_faults()
    world.fault(r"/memberships$", kind, skip=1, after=landed, seconds=30)
    undo = world.undo(ana, run_id)
    assert [row[3] for row in world.case(undo, person).changes] == [True, False, False]
    world.later(seconds=31)
    world.act()
    assert world.states(run_id) == {person: "undone"}
    assert world.effects_by(person) == EACH_ONCE | GIVEN_BACK
    assert world.holding(person) == before


def test_stopped_or_refused_midway_keeps_what_landed_and_undo_gives_exactly_that_back(world: World) -> None:
    ana = world.store_key()
    stopped, refused = world.people(2, **THREE_WAYS)
    before = world.holding(stopped)
    world.sync(ana)
    rule_id = world.rule(ana, LOSE_JIRA, who={"people": [stopped]})
    world.fault(r"/memberships/", "429", skip=1, seconds=30)
    first = world.run_rule(ana, rule_id)
    runs.stop(world.tools, ana, first)
    assert world.states(first) == {stopped: "cancelled"}
    assert [row[3] for row in world.case(first, stopped).changes] == [True, True, False]
    world.later(seconds=31)
    world.sync(ana)
    second_rule = world.rule(ana, LOSE_JIRA, name="Second", who={"people": [refused]})
    group_id = world.groups()["jira-users"]["id"]

    def the_group_is_the_providers_now() -> None:
        with world.sandbox.cloud.store.write() as connection:
            connection.execute("UPDATE team SET synced = 1 WHERE id = ?", (group_id,))

    second = rule_runs.run_now(world.tools, ana, second_rule)
    world.act(
        with_something_between(world.tools, once("before", "revoke_role", the_group_is_the_providers_now))
    )
    case = world.case(second, refused)
    assert case.state == "refused"
    assert {row[0] for row in case.changes if row[3]} == {"revoke_role", "leave_group"} or [
        row[3] for row in case.changes
    ] == [True, False, False]
    landed = world.effects_by(refused)
    with world.sandbox.cloud.store.write() as connection:
        connection.execute("UPDATE team SET synced = 0 WHERE id = ?", (group_id,))
    for run_id, person in ((first, stopped), (second, refused)):
        assert run_progress.show_run(world.tools, ana, run_id).can_undo
        world.undo(ana, run_id)
        assert world.states(run_id) == {person: "undone"}
        assert world.holding(person) == before
    assert set(world.effects_by(refused)) == set(landed) | {
        effect.replace("revoke", "assign").replace("leave", "join") for effect in landed
    }


def test_s51_an_undo_that_ended_halfway_can_be_done_again_for_the_rest(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1, **THREE_WAYS)
    before = world.holding(person)
    run_id = ran(world, ana, [person], LOSE_JIRA)
    world.settled()
    world.fault(r"/memberships$", "429", skip=1, seconds=30)
    undo = world.undo(ana, run_id)
    assert [row[3] for row in world.case(undo, person).changes] == [True, False, False]
    runs.stop(world.tools, ana, undo)
    assert world.states(run_id) == {person: "acted"}
    world.later(seconds=31)
    assert world.states(world.undo(ana, run_id)) == {person: "acted"}
    assert world.states(run_id) == {person: "undone"}
    assert world.holding(person) == before
    assert world.effects_by(person) == EACH_ONCE | GIVEN_BACK


def test_a_way_that_came_up_between_two_attempts_is_taken_and_given_back_too(world: World) -> None:
    """Killed after the first change; meanwhile somebody gave them another group that grants the product."""
    ana = world.store_key()
    (person,) = world.people(1, groups=["jira-users"], direct=[JIRA])
    world.sync(ana)
    rule_id = world.rule(ana, LOSE_JIRA, who={"people": [person]})
    rule_runs.run_now(world.tools, ana, rule_id)
    (run,) = world.runs_of(rule_id)
    dying = die("after", "revoke_role")
    with pytest.raises(Killed):
        world.act(with_something_between(world.tools, dying))
    world.control("POST", f"/people/{person}/groups", {"group": "jira-admins", "member": True})
    before_the_rest = world.holding(person)
    world.clock.offset += LEASE_OVER
    world.act()
    assert world.states(run.id) == {person: "acted"}
    after = world.holding(person)
    assert after is not None
    assert after["products"] == []
    assert len(world.case(run.id, person).changes) == 3
    world.undo(ana, run.id)
    assert before_the_rest is not None
    assert world.holding(person) == before_the_rest | {"direct": [(JIRA, "atlassian/user")]}


def test_s51_undo_skips_whoever_was_changed_since_and_tells_of_no_loop(world: World) -> None:
    ana = world.store_key()
    changed, same = world.people(2, **THREE_WAYS)
    run_id = ran(world, ana, [changed, same], LOSE_JIRA)
    world.control("POST", f"/people/{changed}/groups", {"group": "jira-users", "member": True})
    by_hand = world.holding(changed)
    world.undo(ana, run_id)
    assert world.states(run_id) == {changed: "undo_skipped", same: "undone"}
    assert world.case(run_id, changed).reason == "Somebody changed this person since."
    assert world.holding(changed) == by_hand


def test_s51_a_group_that_is_gone_keeps_nobody_from_the_rest(world: World) -> None:
    """It stood in the way of all that came after it, and of every further try: they were locked out by half."""
    ana = world.store_key()
    person, alone = world.people(2, **THREE_WAYS)
    world.arrange(alone, groups=["jira-admins"])
    before = world.holding(person)
    run_id = ran(world, ana, [person, alone], LOSE_JIRA)
    with world.sandbox.cloud.store.write() as connection:
        connection.execute("DELETE FROM team WHERE org = 'acme' AND name = 'jira-admins'")
    first = world.undo(ana, run_id)
    assert world.case(first, person).reason.endswith("Sync now, then look again."), "nobody knew of it yet"
    world.later(hours=1)
    world.sync(ana)
    undo = undoing.preview_undo(world.tools, ana, run_id)
    rest = "The group jira-admins is gone: the rest comes back."
    assert (world.case(undo, person).state, world.case(undo, person).reason) == ("planned", rest)
    assert (world.case(undo, alone).state, world.case(undo, alone).reason) == (
        "not_possible",
        "The group jira-admins is gone.",
    )
    runs.confirm(world.tools, ana, undo)
    world.act()
    assert (world.case(undo, person).state, world.case(undo, person).reason) == ("acted", rest)
    after = world.holding(person)
    assert before is not None
    assert after == {**before, "groups": ["contractors", "jira-users"]}


def test_one_person_of_a_run_can_be_taken_back(world: World) -> None:
    ana = world.store_key()
    one, other = world.people(2)
    run_id = ran(world, ana, [one, other], step("suspend"))
    world.undo(ana, run_id, one)
    assert world.states(run_id) == {one: "undone", other: "acted"}


def test_one_person_is_taken_back_while_the_run_still_waits_for_another(world: World) -> None:
    """An operator who has not decided, or a grace, keeps a run going for weeks."""
    ana = world.store_key()
    one, other = world.people(2)
    world.sync(ana)
    rule_id = world.rule(ana, step("suspend"), mode="review", who={"people": [one, other]})
    run_id = world.run_rule(ana, rule_id)
    reviews.approve(world.tools, ana, [world.case(run_id, one).id])
    world.act()
    assert world.states(run_id) == {one: "acted", other: "review"}
    world.undo(ana, run_id, one)
    assert world.states(run_id) == {one: "undone", other: "review"}
    assert world.effects(one) == {"suspend": 1, "restore": 1}


def test_s51_two_runs_are_taken_back_one_after_the_other(world: World) -> None:
    """The last one first: it leaves nothing behind that would stand in the way of the one before."""
    ana = world.store_key()
    (person,) = world.people(1, **THREE_WAYS)
    before = world.holding(person)
    first = ran(world, ana, [person], LOSE_JIRA, name="First")
    world.settled()
    second = ran(world, ana, [person], step("suspend"), name="Second")
    world.undo(ana, second)
    assert world.states(second) == {person: "undone"}
    world.undo(ana, first)
    assert (world.states(first), world.case(first, person).reason) == ({person: "undone"}, "")
    assert world.holding(person) == before


def test_access_that_ended_by_other_hands_is_not_claimed(sqlite_world: World) -> None:
    """Between two readings of the same person somebody else takes the role away: nothing was done here."""
    world = sqlite_world
    ana = world.store_key()
    (person,) = world.people(1, groups=[], direct=[JIRA])
    world.sync(ana)
    rule_id = world.rule(ana, LOSE_JIRA, who={"people": [person]})
    run_id = rule_runs.run_now(world.tools, ana, rule_id)
    taking = once("before", "roles_of", lambda: world.arrange(person, groups=[]))
    world.act(with_something_between(world.tools, taking))
    case = world.case(run_id, person)
    assert (case.state, case.changed) == ("spared", False)


def test_a_restored_suspension_of_a_rule_is_undone_once(world: World) -> None:
    """And a suspension without an end leaves no absence behind."""
    ana = world.store_key()
    (person,) = world.people(1)
    run_id = ran(world, ana, [person], step("suspend"))
    world.undo(ana, run_id)
    with pytest.raises(Conflict):
        undoing.preview_undo(world.tools, ana, run_id)
    assert world.rows(Absence) == []
    assert world.effects(person) == {"suspend": 1, "restore": 1}


def test_too_much_trouble_fails_and_a_retry_finishes_only_the_rest(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1, **THREE_WAYS)
    world.sync(ana)
    rule_id = world.rule(ana, LOSE_JIRA, who={"people": [person]})
    world.fault(r"/memberships/", "503", times=None)
    run_id = world.run_rule(ana, rule_id)
    world.given_up()
    assert world.states(run_id) == {person: "failed"}
    assert world.case(run_id, person).changed
    world.clear_faults()
    retrying.retry_failed(world.tools, ana, run_id)
    world.act()
    assert world.states(run_id) == {person: CaseState.ACTED}
    assert world.effects_by(person) == EACH_ONCE


def test_two_rules_never_have_the_same_person_in_hand(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    ladder = world.rule(ana, step("suspend", grace=3, warn=[3]), who={"people": [person]})
    other = world.rule(ana, LOSE_JIRA, name="Other", who={"people": [person]})
    assert world.states(world.run_rule(ana, ladder)) == {person: "warned"}
    second = world.run_rule(ana, other)
    assert world.states(second) == {person: "spared"}
    assert world.case(second, person).reason == "Another run has this person in hand."
    assert orders.lease_due_cases(world.tools) == []
    by_hand = previews.preview(world.tools, ana, previews.BY_HAND[0], account_ids=[person], filter=None)
    runs.confirm(world.tools, ana, by_hand)
    world.act()
    world.later(days=3)
    world.act()
    assert world.effects(person)["suspend"] == 1
    assert timedelta(days=3) <= world.clock() - world.case(by_hand, person).finished_at
