"""Profiles, invitations and files of people: what is told before, what happens, and what became of each row."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

import pytest

from connect.caller import Caller
from connect.errors import Conflict, Invalid, NotFound
from models.access_rule import StoredAccessRule
from models.bad_row import BadRow
from rules.templates import TEMPLATES
from sandbox.world import ORGANIZATIONS
from services import (
    invitations,
    inviting,
    people_file,
    profiles,
    roster_report,
    rules,
    run_progress,
    runs,
    undoing,
)
from services.inviting import Typed
from tests.services.mails import mail_switched_on, mails, send_due
from tests.world import World

USER = "atlassian/user"
A_RULE = {"name_key": "guests", "sources": [], "roles": [], "groups": [], "created_by": "x"} | dict.fromkeys(
    ("created_at", "changed_at"), datetime(2026, 1, 1, tzinfo=UTC)
)
JIRA = ORGANIZATIONS["acme"].resource("jira-software")
THEIRS = ORGANIZATIONS["globex"].resource("jira-software")
DESK = ORGANIZATIONS["acme"].resource("jira-servicedesk")
NORA, BOB = "nora@newcomers.example", "bob@newcomers.example"


def profile(world: World, name: str = "Colleague", caller: Caller | None = None, **more: object) -> str:
    typed = {"roles": [f"{USER} {JIRA}"], **more}
    ana = caller or world.caller("ana")
    return profiles.save_profile(world.tools, ana, None, profiles.Typed(name=name, **typed)).id  # type: ignore[arg-type]


def previewed(world: World, people: str, profile_id: str, **more: str) -> str:
    return inviting.preview_invitations(
        world.tools, world.caller("ana"), Typed(people=people, profiles=[profile_id], **more)
    )


def done(world: World, run_id: str) -> dict[str, tuple[str, str]]:
    """Confirms and acts; address → how it stands and why."""
    runs.confirm(world.tools, world.caller("ana"), run_id)
    world.act()
    return stand(world, run_id)


def stand(world: World, run_id: str) -> dict[str, tuple[str, str]]:
    return {case.email or case.name: (case.state, case.reason) for case in world.cases(run_id).values()}


def uploaded(world: World, text: str) -> str:
    return people_file.preview_file(world.tools, world.caller("ana"), text.encode().splitlines(keepends=True))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM team WHERE id = ?", "does not exist any more"),
        ("UPDATE team SET synced = 1 WHERE id = ?", "belongs to your identity provider"),
    ],
)
def test_a_group_that_is_synced_or_gone_is_told_at_once_and_later(
    sqlite_world: World, change: str, said: str
) -> None:
    world = sqlite_world
    ana = world.synced()
    groups = world.groups()
    synced = next(each["id"] for each in groups.values() if each["externalSynced"])
    with pytest.raises(Invalid, match="invalid"):
        profile(world, groups=[synced])
    kept = profile(world, groups=[groups["contractors"]["id"]])
    with world.tools.begin() as session:
        assert profiles.access_of(session, ORGANIZATIONS["acme"].id, kept).groups == (
            groups["contractors"]["id"],
        )
    with world.sandbox.cloud.store.write() as connection:
        connection.execute(change, (groups["contractors"]["id"],))
    world.sync(ana)
    (view,) = profiles.list_profiles(world.tools, ana)
    assert [(one.field, said in one.sentence) for one in view.troubles] == [("groups", True)]
    with pytest.raises(Invalid) as refused:
        previewed(world, NORA, kept)
    assert refused.value.field == "profiles"


def test_a_profile_ends_for_everybody_with_its_last_day(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    today = world.clock().date()
    last = today + timedelta(days=3)
    with pytest.raises(Invalid) as over:
        profile(world, until=(today - timedelta(days=1)).isoformat())
    assert over.value.field == "until"
    with pytest.raises(Invalid) as too_long:
        profile(world, days="0000000019999999")
    assert too_long.value.field == "days"
    kept = profile(world, days="30", until=last.isoformat())
    run_id = previewed(world, NORA, kept, starts_on=(today + timedelta(days=1)).isoformat())
    assert [case.ends_on for case in world.cases(run_id).values()] == [last]
    file = uploaded(world, f"e-mail;profile\n{NORA};colleague\n")
    assert [case.ends_on for case in world.cases(file).values()] == [last]
    with pytest.raises(Invalid) as late:
        previewed(world, NORA, kept, starts_on=(last + timedelta(days=1)).isoformat())
    assert late.value.field == "starts_on"
    world.later(days=4)
    (view,) = profiles.list_profiles(world.tools, ana)
    assert [one.field for one in view.troubles] == ["until"]
    with pytest.raises(Invalid) as refused:
        previewed(world, NORA, kept)
    assert refused.value.field == "profiles"


def test_a_pasted_list_is_invited_once_and_open_until_accepted(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    kept = profile(world, days="10")
    run_id = previewed(world, f"Nora <{NORA}>, {BOB}", kept)
    assert {state for state, _ in done(world, run_id).values()} == {"acted"}
    assert [len(mails(world, each)) for each in (NORA, BOB)] == [1, 1], "also without a message of ours"
    cases = {case.email: case for case in world.cases(run_id).values()}
    today = world.clock().date()
    assert cases[NORA].ends_on == today + timedelta(days=9)
    assert profiles.list_profiles(world.tools, ana)[0].invited == 2
    found = invitations.open_invitations(world.tools, ana)
    ours = {one.email: one.run_id for one in found.unanswered if one.run_id}
    assert ours == {NORA: run_id, BOB: run_id}
    assert (found.invited, found.came) == (2, 0)
    # The same list again: nothing to do, and nobody can confirm it.
    again = previewed(world, f"{BOB}\n{NORA}", kept)
    assert set(stand(world, again).values()) == {("not_possible", "Has this access already.")}
    with pytest.raises(Conflict):
        runs.confirm(world.tools, ana, again)
    # One accepts, the other one's invitation is taken back.
    world.control("POST", f"/people/{cases[NORA].account_id}/accept", site="acme")
    world.settled()
    world.sync(ana)
    found = invitations.open_invitations(world.tools, ana)
    assert (found.invited, found.came) == (2, 1)
    assert NORA not in {one.email for one in found.unanswered}
    undo = undoing.preview_undo(world.tools, ana, run_id, cases[BOB].account_id)
    runs.confirm(world.tools, ana, undo)
    world.act()
    assert world.holding(cases[BOB].account_id) is None


def test_a_profile_stays_while_something_gives_it(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    kept = profile(world)
    with world.tools.begin() as session:
        session.add(
            StoredAccessRule(
                organization_id=ORGANIZATIONS["acme"].id, id="r", name="Guests", profile_id=kept, **A_RULE
            )
        )
    with pytest.raises(Conflict) as refused:
        profiles.remove_profile(world.tools, ana, kept)
    assert refused.value.sentence == "“Colleague” is still given by the access rule “Guests”."
    assert profiles.look_at_profile(world.tools, ana, kept).uses == ("the access rule “Guests”",)


def test_what_begins_later_waits_and_can_be_called_off(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    day = (world.clock() + timedelta(days=5)).date().isoformat()
    run_id = previewed(world, f"{NORA}, {BOB}", profile(world), starts_on=day)
    assert {state for state, _ in done(world, run_id).values()} == {"planned"}
    assert world.requests("/users/invite$") == []
    waiting = {case.email: case for case in invitations.open_invitations(world.tools, ana).waiting}
    assert set(waiting) == {NORA, BOB}
    with pytest.raises(NotFound):
        invitations.call_off(world.tools, world.synced("globex"), waiting[NORA].id)
    invitations.call_off(world.tools, ana, waiting[NORA].id)
    with pytest.raises(Conflict):
        invitations.call_off(world.tools, ana, waiting[NORA].id)
    assert [entry.subject for entry in world.audit("case:called_off")] == [waiting[NORA].account_id]
    assert stand(world, run_id)[NORA][0] == "cancelled"
    runs.stop(world.tools, ana, run_id)
    world.later(days=6)
    world.act()
    assert stand(world, run_id)[BOB][0] == "cancelled"
    assert world.requests("/users/invite$") == []


def test_however_many_begin_later_each_of_them_can_be_called_off(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    day = (world.clock() + timedelta(days=5)).date().isoformat()
    people = "\n".join(f"n{number:03}@newcomers.example" for number in range(101))
    guests = profile(world, roles=[f"atlassian/guest {ORGANIZATIONS['acme'].resource('confluence')}"])
    run_id = previewed(world, people, guests, starts_on=day)
    runs.confirm(world.tools, ana, run_id)
    pages = [invitations.open_invitations(world.tools, ana, 1, page) for page in (1, 2, 3)]
    assert [(len(page.waiting), page.waiting_total) for page in pages] == [(100, 101), (1, 101), (1, 101)]
    [last] = pages[1].waiting
    assert invitations.call_off(world.tools, ana, last.id).email == "n100@newcomers.example"
    assert invitations.open_invitations(world.tools, ana, 1, 2).waiting_total == 100


def test_nobody_says_how_many_seconds_are_left_for_whom_begins_on_a_later_day(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    profile(world)
    day = (world.clock() + timedelta(days=5)).date().isoformat()
    run_id = uploaded(world, f"e-mail,profile,start\n{NORA},Colleague,\n{BOB},Colleague,{day}\n")
    assert {state for state, _ in done(world, run_id).values()} == {"acted", "planned"}
    view = run_progress.show_run(world.tools, ana, run_id)
    assert (view.to_do, view.waiting, view.later, view.seconds_left) == (1, 1, 1, None)
    world.later(days=6)
    view = run_progress.show_run(world.tools, ana, run_id)
    assert (view.waiting, view.later, view.seconds_left is None) == (0, 0, False)


def test_seats_known_to_be_short_are_told_before_anything_is_sent(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    world.control("PUT", "/seats", {"site": "acme", "product": "jira", "capacity": 1})
    world.sync(ana)
    run_id = previewed(world, NORA, profile(world))
    state, reason = stand(world, run_id)[NORA]
    assert state == "not_possible"
    assert reason.startswith(
        f"No seat for them in Jira on {world.sandbox.acme.removeprefix('http://')}: no seat is"
    )
    assert world.requests("/users/invite$") == []


def test_402_409_and_206_are_told_per_person(sqlite_world: World) -> None:
    world = sqlite_world
    world.synced()
    kept = profile(world)
    both = profile(world, "Both", roles=[f"{USER} {JIRA}", f"{USER} {DESK}"])
    world.control("PUT", "/subscriptions", {"site": "acme", "paid": False})
    state, unpaid = done(world, previewed(world, NORA, kept))[NORA]
    assert state == "refused"
    assert "subscription" in unpaid
    world.control("PUT", "/subscriptions", {"site": "acme", "paid": True})
    world.control("PUT", "/seats", {"site": "acme", "product": "jira", "capacity": 0})
    state, full = done(world, previewed(world, NORA, kept))[NORA]
    assert state == "refused"
    assert "seat" in full
    run_id = previewed(world, NORA, both)
    state, partly = done(world, run_id)[NORA]
    assert state == "refused"
    assert partly != full
    (case,) = world.cases(run_id).values()
    held = world.holding(case.account_id)
    assert held is not None
    assert held["direct"] == [("jira-servicedesk", USER)]


def test_who_cannot_be_invited_gets_a_reason(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    (person,) = world.people(1, groups=[])
    world.api("POST", f"/v2/orgs/{{org}}/directories/{{directory}}/users/{person}/suspend")
    world.settled()
    world.sync(ana)
    email = next(one["email"] for one in world.directory() if one["account_id"] == person)
    assert stand(world, previewed(world, email, profile(world)))[email] == (
        "not_possible",
        "Is suspended: restore them first.",
    )


def test_a_file_is_done_row_by_row_and_reported_with_the_rows_to_mend(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    profile(world)
    (leaver,) = world.changeable(1)
    known = {one["account_id"]: one["email"] for one in world.directory()}
    text = (
        f"E-Mail;Action;Profile;Groups to add;Note\n{NORA};;colleague;contractors;=1+1\nbob;invite;nobody;;\n"
        f"{known[leaver]};suspend;;;\nstranger@newcomers.example;suspend;;;\n{NORA};;colleague;;\n"
    )
    run_id = uploaded(world, text)
    assert people_file.bad_rows(world.tools, ana, run_id, 1).total == 1
    done(world, run_id)
    rows = list(
        csv.DictReader(
            "".join(roster_report.report_csv(world.tools, ana, run_id)).removeprefix("\ufeff").splitlines()
        )
    )
    assert [(row["line"], row["action"], row["result"]) for row in rows] == [
        ("2", "invite", "acted"),
        ("3", "", "not_read"),
        ("4", "suspend", "acted"),
        ("5", "suspend", "not_possible"),
        ("6", "invite", "not_possible"),
    ]
    assert rows[0]["note"] == "'=1+1"
    assert rows[1]["reason"] == "e-mail: “bob” is no e-mail address. profile: There is no profile “nobody”."
    assert "shows this address: invite them" in rows[3]["reason"]
    assert "twice" in rows[4]["reason"]
    world.settled()
    world.sync(ana)
    again = world.states(uploaded(world, text))
    assert set(again.values()) == {"not_possible"}


def test_s18_a_file_and_its_profiles_are_the_organizations_own(sqlite_world: World) -> None:
    world = sqlite_world
    ana, gina = world.synced(), world.synced("globex")
    kept = profile(world)
    run_id = uploaded(world, "e-mail,profile\nbob,colleague\n")
    assert profiles.list_profiles(world.tools, gina) == []
    with pytest.raises(NotFound):
        profiles.look_at_profile(world.tools, gina, kept)
    with pytest.raises(NotFound):
        profiles.remove_profile(world.tools, gina, kept)
    with pytest.raises(NotFound):
        profiles.save_profile(
            world.tools, gina, kept, profiles.Typed(name="Ours", roles=[f"{USER} {THEIRS}"])
        )
    with pytest.raises(Invalid):
        inviting.preview_invitations(world.tools, gina, Typed(people=NORA, profiles=[kept]))
    with pytest.raises(Invalid):
        profile(world, caller=gina)
    with pytest.raises(NotFound):
        people_file.bad_rows(world.tools, gina, run_id, 1)
    for take in (people_file.mend_csv, roster_report.report_csv):
        with pytest.raises(NotFound):
            take(world.tools, gina, run_id)
    assert [entry.event for entry in world.audit("export:taken")] == []
    assert len(list(people_file.mend_csv(world.tools, ana, run_id))) == 2


def test_a_file_that_breaks_off_leaves_nothing_behind(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    profile(world)
    before = world.dump()["run"]
    text = b"e-mail,profile\nbob,x\n" + b"a@b.example,colleague\n" * 3000 + b"\xff\n"
    with pytest.raises(Invalid) as refused:
        people_file.preview_file(world.tools, ana, text.splitlines(keepends=True))
    assert refused.value.sentence == "Line 3,003: this is not written in UTF-8."
    assert world.dump()["run"] == before
    assert world.rows(BadRow) == []


def test_the_ready_made_rule_reminds_and_takes_the_invitation_back(sqlite_world: World) -> None:
    world = sqlite_world
    template = next(each for each in TEMPLATES if each.key == "unanswered-invitations")
    with mail_switched_on(world):
        ana = world.synced()
        run_id = previewed(world, NORA, profile(world))
        done(world, run_id)
        (guest,) = world.cases(run_id)
        world.change(guest, added_at=world.days_ago(8))
        world.settled()
        world.sync(ana)
        data = {**template.data, "mode": "live", "who": {"people": [guest]}}
        rule_id = rules.save_rule(world.tools, ana, data | {"brake": {"number": "none", "share": "none"}})
        world.approve_rule(ana, rule_id)
        reminded = world.case(world.run_rule(ana, rule_id), guest)
        assert (reminded.deed, reminded.state, reminded.reason) == ("tell", "acted", "")
        send_due(world)
        reminder, _invitation = mails(world, NORA)
        assert "You were invited 8 days ago and have not come yet." in reminder["text"]
        world.change(guest, added_at=world.days_ago(31))
        world.sync(ana)
        run_id = world.run_rule(ana, rule_id)
        world.later(hours=1)
        world.act()
        taken_back = world.case(run_id, guest)
        assert (taken_back.deed, taken_back.state, taken_back.reason) == ("remove", "acted", "")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_20_000_rows_are_checked_and_previewed(world: World) -> None:
    ana = world.synced()
    profile(world)
    lines = ["e-mail,name,profile,note\n"]
    lines += [
        f"somebody-{number}@newcomers.example,Some Body {number},colleague,x\n" for number in range(19_900)
    ]
    lines += [f"nobody-{number},Bad Row,colleague,x\n" for number in range(100)]
    run_id = people_file.preview_file(world.tools, ana, (line.encode() for line in lines))
    states = world.states(run_id)
    assert len(states) == 19_900
    assert people_file.bad_rows(world.tools, ana, run_id, 2).total == 100
    assert sum(1 for _ in roster_report.report_csv(world.tools, ana, run_id)) == 20_001
