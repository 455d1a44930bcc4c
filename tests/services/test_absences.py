"""Suspensions that are meant to end, and last days: shown, kept until they are over, ended by whoever ends them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from connect.caller import Caller
from connect.errors import Conflict, Invalid, NotFound
from models.absence import Absence, LastDay
from models.audit import APP
from models.people import Person
from models.run import Run
from rules.deeds import Deed
from rules.topics import Topic
from services import (
    absences,
    calendars,
    identity_providers,
    leaver_decisions,
    leaver_stops,
    leavers,
    people,
    previews,
    retrying,
    rule_runs,
    rules,
    run_progress,
    runs,
    syncing,
)
from services.matter import Matter
from services.matters import ABOUT_STATES, matters
from services.previews import Purpose
from tests.scim.provider import IdentityProvider, connected
from tests.scim.test_changes import settings
from tests.scim.test_changes import work as follow_up
from tests.services.leavers import JON, UMA, leaver, planned, ready, work
from tests.world import ACCOUNTS, ACME, World

pytestmark = pytest.mark.slow
GONE = "they are no longer in the organization."


def suspended(world: World, ana: Caller, person: str, purpose: Purpose) -> str:
    """By hand, with what an operator wrote beside it; the run's id."""
    run_id = previews.preview(
        world.tools, ana, Deed.SUSPEND, account_ids=[person], filter=None, purpose=purpose
    )
    runs.confirm(world.tools, ana, run_id)
    world.act()
    assert world.states(run_id) == {person: "acted"}
    world.settled()
    return run_id


def leave(world: World, days: int, *, comes_back: bool = True) -> Purpose:
    ends_on = world.clock().date() + timedelta(days=days)
    return Purpose("Parental leave", "Ask HR", ends_on, comes_back)


def absence(world: World, ana: Caller, person: str) -> Absence | None:
    """As the person's page shows it."""
    return people.person_page(world.tools, ana, person).absence


def test_an_absence_is_shown_and_ends_by_itself_the_day_after(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    purpose = leave(world, 30)
    suspended(world, ana, person, purpose)
    shown = absence(world, ana, person)
    assert shown is not None
    assert (shown.reason, shown.note, shown.ends_on, shown.comes_back) == (
        "Parental leave", "Ask HR", purpose.ends_on, True,
    )  # fmt: skip
    world.later(days=30)
    assert absences.bring_back(world.tools) == [], "the last day is still theirs"
    world.later(days=1)
    (run_id,) = absences.bring_back(world.tools)
    assert absences.bring_back(world.tools) == []
    world.act()
    assert world.states(run_id) == {person: "acted"}
    assert world.effects(person) == {"suspend": 1, "restore": 1}
    view = run_progress.show_run(world.tools, ana, run_id)
    assert (view.deed, view.reason, view.requested_by) == ("restore", "Their absence is over.", "rollcall")
    assert absence(world, ana, person) is None
    world.settled()
    assert world.sync(ana).state == "complete"
    assert world.audit("case:came_back") == [], "that was no loop"


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_rule_that_is_faster_than_the_round_takes_nobody_on_the_day_of_their_return(
    world: World, comes_back: bool
) -> None:
    """At midnight, or after a night without a worker, the rule may be due first: their account was deactivated."""
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    suspended(world, ana, person, leave(world, 30, comes_back=comes_back))
    rule = {"when": {"suspended": 20}, "then": {"deed": "deactivate"}, "grace": 0}
    rule_id = world.rule(ana, rule, who={"people": [person]})
    world.later(days=31)
    world.sync(ana)
    run_id = world.run_rule(ana, rule_id)
    if not comes_back:
        assert world.states(run_id) == {person: "acted"}
        return
    assert world.states(run_id) == {person: "guarded"}
    assert world.case(run_id, person).reason.endswith(": is to be restored.")
    (back,) = absences.bring_back(world.tools)
    world.act()
    assert set(world.states(back).values()) == {"acted"}
    held = world.holding(person)
    assert held is not None
    assert held["status"] == ("active", "active")


@pytest.mark.parametrize("decided", ["not yet", "tried again", "stopped"])
def test_no_rule_takes_whom_the_round_could_not_restore(world: World, decided: str) -> None:
    """Atlassian was away on the day of their return: the next morning a rule deactivated their account."""
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    suspended(world, ana, person, leave(world, 30, comes_back=True))
    rule = {"when": {"suspended": 20}, "then": {"deed": "deactivate"}, "grace": 0}
    rule_id = world.rule(ana, rule, who={"people": [person]})
    world.later(days=31)
    (back,) = absences.bring_back(world.tools)
    if decided == "stopped":
        runs.stop(world.tools, ana, back)
    world.fault(f"/users/{person}/restore$", "503", times=None)
    world.given_up()
    world.clear_faults()
    world.sync(ana)
    run_id = world.run_rule(ana, rule_id)
    if decided == "stopped":
        assert world.states(run_id) == {person: "acted"}, "an operator has said that they stay away"
        return
    assert (world.states(back), world.states(run_id)) == ({person: "failed"}, {person: "guarded"})
    assert world.case(run_id, person).reason.endswith(": is to be restored.")
    if decided == "not yet":
        # Whoever is still suspended weeks later is meant to be.
        world.later(days=31)
        world.sync(ana)
        assert world.states(world.run_rule(ana, rule_id)) == {person: "acted"}
        return
    retrying.retry_failed(world.tools, ana, back)
    world.settled()
    world.act()
    held = world.holding(person)
    assert held is not None
    assert held["status"] == ("active", "active")


def test_without_coming_back_they_stay_suspended(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    suspended(world, ana, person, leave(world, 5, comes_back=False))
    world.later(days=40)
    assert absences.bring_back(world.tools) == []
    assert absence(world, ana, person) is not None


def test_the_day_is_the_organizations(sqlite_world: World) -> None:
    """Where the sun rises first, the day after begins first."""
    world = sqlite_world
    ana = world.store_key()
    (person,) = world.people(1)
    world.clock.offset += world.clock().replace(hour=1, minute=0) + timedelta(days=1) - world.clock()
    world.sync(ana)
    calendars.set_calendar(world.tools, ana, "Pacific/Auckland", "")
    suspended(world, ana, person, leave(world, 2))
    world.later(days=2, hours=9)
    assert absences.bring_back(world.tools) == []
    world.later(hours=4)
    assert len(absences.bring_back(world.tools)) == 1


def test_a_ladder_leaves_alone_whoever_is_away(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    suspended(world, ana, person, leave(world, 50, comes_back=False))
    rule_id = world.rule(
        ana,
        {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 0},
        {"when": {"suspended": 30}, "then": {"deed": "deactivate"}, "grace": 0},
        who={"people": [person]},
    )
    world.later(days=45)
    world.sync(ana)
    away = world.run_rule(ana, rule_id)
    ends_on = world.rows(Absence)[0].ends_on
    assert world.states(away) == {person: "guarded"}
    assert world.case(away, person).reason == f"Away until {ends_on:%-d %B %Y}."
    world.later(days=10)
    world.sync(ana)
    assert world.states(world.run_rule(ana, rule_id)) == {person: "acted"}
    assert world.effects_by(person) == {"suspend": 1, "disable": 1}


@pytest.mark.parametrize("how", ["at Atlassian", "by undo", "by a run"])
def test_whoever_is_restored_by_hand_is_no_longer_away(world: World, how: str) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    run_id = suspended(world, ana, person, leave(world, 30))
    if how == "at Atlassian":
        world.change(person, membership_status="active")
        world.later(hours=1)
        world.sync(ana)
    elif how == "by undo":
        world.undo(ana, run_id)
    else:
        world.begin_run(ana, [person], Deed.RESTORE)
        world.act()
    assert absence(world, ana, person) is None
    found = [(entry.subject, entry.result) for entry in world.audit("person:absence_ended")]
    assert found == ([(person, "A sync found them active.")] if how == "at Atlassian" else [])
    world.later(days=40)
    assert absences.bring_back(world.tools) == []


def test_a_sync_that_read_them_just_before_ends_no_absence(sqlite_world: World) -> None:
    """It was asked for before the suspension showed: that somebody looks active there says nothing."""
    world = sqlite_world
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    world.later(hours=1)
    syncing.request_sync(world.tools, ana)
    world.fault(f"/users/{person}/suspend$", "delay-visibility", seconds=600)
    run_id = previews.preview(
        world.tools, ana, Deed.SUSPEND, account_ids=[person], filter=None, purpose=leave(world, 3)
    )
    runs.confirm(world.tools, ana, run_id)
    world.act()
    world.read_on()
    world.change(person, name="shows now")
    assert absence(world, ana, person) is not None
    world.later(days=4)
    assert len(absences.bring_back(world.tools)) == 1


def test_a_rule_may_suspend_for_some_days(world: World) -> None:
    ana = world.store_key()
    comes, stays = world.people(2)
    world.sync(ana)
    step = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 0, "pause": 10}
    first = world.rule(ana, step | {"comes_back": True}, name="Back", who={"people": [comes]})
    second = world.rule(ana, step, name="Stays", who={"people": [stays]})
    for rule_id in (first, second):
        world.run_rule(ana, rule_id)
    today = world.clock().date()
    assert {(one.account_id, one.ends_on, one.comes_back) for one in world.rows(Absence)} == {
        (comes, today + timedelta(days=10), True),
        (stays, today + timedelta(days=10), False),
    }
    world.later(days=11)
    (run_id,) = absences.bring_back(world.tools)
    world.act()
    assert world.states(run_id) == {comes: "acted"}


def test_whoever_cannot_be_restored_is_not_tried_for_ever(world: World) -> None:
    ana = world.store_key()
    gone, deactivated, back = world.people(3)
    world.sync(ana)
    for person in (gone, deactivated, back):
        suspended(world, ana, person, leave(world, 3))
    world.control("DELETE", f"/people/{gone}")
    world.change(deactivated, account_status="inactive")
    world.later(hours=1)
    world.sync(ana)
    world.change(back, membership_status="active")
    world.later(days=4)
    (run_id,) = absences.bring_back(world.tools)
    world.act()
    assert world.states(run_id) == {deactivated: "not_possible", back: "spared"}
    assert run_progress.show_run(world.tools, ana, run_id).state == "finished"
    (entry,) = world.audit("person:absence_ended")
    assert (entry.subject, entry.result) == (gone, f"Not restored: {GONE}")
    world.later(days=1)
    assert absences.bring_back(world.tools) == []


@pytest.mark.parametrize("is_shown", [False, True])
def test_whoever_left_is_not_restored_and_the_audit_says_why(world: World, is_shown: bool) -> None:
    """Managed accounts are shown in the directory when they are out of the organization."""
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    suspended(world, ana, person, leave(world, 30))
    if is_shown:
        world.change(person, membership_status="no_membership")
    else:
        world.control("DELETE", f"/people/{person}")
    world.later(hours=1)
    world.sync(ana)
    before = len(world.rows(Run))
    stays(world, ana, person, GONE)
    assert len(world.rows(Run)) == before, "no run of nobody"


def test_without_a_door_an_absence_waits_for_the_next_one(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    suspended(world, ana, person, leave(world, 3))
    world.control("POST", "/uninstall", {"site": "acme", "product": "jira"})
    world.later(days=5)
    assert absences.bring_back(world.tools) == []
    # The pretend Atlassian's clock stays where it is: what it signs would be long expired.
    days, world.clock.offset = world.clock.offset, timedelta()
    world.install("acme")
    world.store_key()
    world.clock.offset = days
    (run_id,) = absences.bring_back(world.tools)
    world.act()
    assert world.states(run_id) == {person: "acted"}
    assert world.effects(person) == {"suspend": 1, "restore": 1}


def stays(world: World, ana: Caller, person: str, why: str) -> None:
    """Their page says so before; when their absence is over nobody restores them, and the audit says why."""
    assert people.person_page(world.tools, ana, person).stays_away == why
    world.later(days=31)
    assert absences.bring_back(world.tools) == []
    world.act()
    assert world.effects(person)["restore"] == 0
    assert absence(world, ana, person) is None
    (entry,) = world.audit("person:absence_ended")
    assert (entry.actor, entry.subject) == ("rollcall", person)
    assert entry.result == f"Not restored: {why.replace('is', 'was', 1) if 'last day' in why else why}"
    assert absences.bring_back(world.tools) == []


def comes(world: World, ana: Caller, person: str) -> None:
    """Nothing speaks against it."""
    assert people.person_page(world.tools, ana, person).stays_away == ""
    world.later(days=31)
    (run_id,) = absences.bring_back(world.tools)
    world.act()
    assert world.states(run_id) == {person: "acted"}
    assert world.audit("person:absence_ended") == []


def led_out(world: World, ana: Caller, person: str, deed: Deed) -> str:
    leaver_id = planned(world, ana, person, (), deed=deed.value, choices={})
    leaver_decisions.confirm(world.tools, ana, leaver_id)
    work(world)
    world.act()
    world.later(seconds=3)
    work(world)
    assert leaver(world, leaver_id).state == "done"
    return leaver_id


def test_whoever_is_leaving_does_not_come_back(world: World) -> None:
    ana = ready(world)
    suspended(world, ana, UMA, leave(world, 30))
    leavers.request_leavers(world.tools, ana, [UMA])
    stays(world, ana, UMA, "they are leaving.")


def test_whoever_was_led_out_meanwhile_does_not_come_back(world: World) -> None:
    ana = ready(world)
    suspended(world, ana, UMA, leave(world, 30))
    led_out(world, ana, UMA, Deed.SUSPEND)
    stays(world, ana, UMA, "they have been led out since.")


@pytest.mark.parametrize("how", ["their access was to stay", "before", "stopped"])
def test_whoever_was_a_leaver_otherwise_comes_back(sqlite_world: World, how: str) -> None:
    world = sqlite_world
    ana = ready(world)
    if how == "before":
        run_id = leaver(world, led_out(world, ana, UMA, Deed.SUSPEND)).run_id
        world.act()
        world.undo(ana, run_id)
        world.settled()
    suspended(world, ana, UMA, leave(world, 30))
    if how == "their access was to stay":
        led_out(world, ana, UMA, Deed.LIST)
    if how == "stopped":
        leaver_id = planned(world, ana)
        leaver_decisions.confirm(world.tools, ana, leaver_id)
        leaver_stops.stop(world.tools, ana, leaver_id)
    comes(world, ana, UMA)


def let_go(world: World, how: str, person: str) -> IdentityProvider:
    """A live connection has told something about somebody who is away."""
    idp = connected(world, provider="entra")
    ending = "list" if how == "means nothing" else "suspend"
    settings(idp, when_inactive=ending, when_deleted=ending)
    identity_providers.note_preview(world.tools, idp.operator, idp.connection_id)
    identity_providers.switch_mode(world.tools, idp.operator, idp.connection_id, live=how != "only said")
    email = world.stored(Person, ACME, person).email
    user = idp.add(email)
    follow_up(world)
    if how in ("deleted", "created again"):
        idp.send("DELETE", f"/Users/{user}", status=204)
    else:
        idp.patch(f"/Users/{user}", {"op": "replace", "value": {"active": False}})
    follow_up(world)
    if how == "created again":
        idp.add(email)
    if how == "active again":
        idp.patch(f"/Users/{user}", {"op": "replace", "value": {"active": True}})
    follow_up(world)
    return idp


@pytest.mark.parametrize(
    ("how", "why"),
    [("inactive", "“Entra” says that they are not active."), ("deleted", "“Entra” has deleted them.")],
)
def test_whom_the_identity_provider_let_go_does_not_come_back(world: World, how: str, why: str) -> None:
    ana = world.synced()
    suspended(world, ana, UMA, leave(world, 30))
    let_go(world, how, UMA)
    stays(world, ana, UMA, why)


@pytest.mark.parametrize(
    "how", ["only said", "means nothing", "active again", "created again", "disconnected"]
)
def test_a_word_of_the_provider_that_takes_nothing_keeps_nobody_away(sqlite_world: World, how: str) -> None:
    world = sqlite_world
    ana = world.synced()
    suspended(world, ana, UMA, leave(world, 30))
    idp = let_go(world, how, UMA)
    if how == "disconnected":
        identity_providers.disconnect(world.tools, ana, idp.connection_id)
    comes(world, ana, UMA)


def test_whose_last_day_is_over_by_then_does_not_come_back(world: World) -> None:
    ana = world.synced()
    purpose = leave(world, 30)
    suspended(world, ana, UMA, purpose)
    assert purpose.ends_on is not None
    day = purpose.ends_on - timedelta(days=5)
    absences.set_last_day(world.tools, ana, UMA, ends_on=day.isoformat(), note="")
    stays(world, ana, UMA, f"their last day is {day:%-d %B %Y}.")


def test_whose_last_day_is_still_to_come_comes_back(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    suspended(world, ana, UMA, leave(world, 30))
    day = world.clock().date() + timedelta(days=31)
    absences.set_last_day(world.tools, ana, UMA, ends_on=day.isoformat(), note="")
    comes(world, ana, UMA)


@pytest.mark.parametrize("days_gone", [3, 40])
def test_a_last_day_before_they_came_back_is_none_of_theirs(world: World, days_gone: int) -> None:
    """Hired anew, and no rule about people past their last day takes them; whom a sync missed once keeps theirs."""
    ana = world.synced()
    step = {"when": {"past_end": 0}, "then": {"deed": "suspend"}, "grace": 0}
    rule_id = world.rule(ana, step, who={"people": [UMA, JON]})
    last = world.clock().date() + timedelta(days=1)
    ahead = last + timedelta(days=400)
    for person, day in ((UMA, last), (JON, ahead)):
        absences.set_last_day(world.tools, ana, person, ends_on=day.isoformat(), note="")
        world.control("DELETE", f"/people/{person}")
    world.later(days=2)
    world.sync(ana)
    assert page_of(world, ana, UMA).person.left_at is not None
    world.later(days=days_gone)
    world.sync(ana)
    for person in (UMA, JON):
        hired_anew(world, person)
    world.sync(ana)
    forgotten = days_gone == 40
    kept = page_of(world, ana, UMA).last_day
    assert (kept is None) is forgotten
    assert (UMA in world.states(world.run_rule(ana, rule_id))) is not forgotten
    [entry] = world.audit("person:last_day_cleared") if forgotten else [None]
    if entry is not None:
        assert (entry.actor, entry.subject) == (APP, UMA)
        assert f"{last:%-d %B %Y} was the last day of the time before" in entry.result
        assert [one.id for one in page_of(world, ana, UMA).audit if one.event == entry.event] == [entry.id]
    # A day to come is of the time now.
    still = page_of(world, ana, JON).last_day
    assert still is not None
    assert still.ends_on == ahead


def test_a_last_day_is_none_of_theirs_who_was_shown_as_gone_and_is_back(sqlite_world: World) -> None:
    """Managed accounts stay in the directory when somebody removes them from the organization."""
    world = sqlite_world
    ana = world.synced()
    step = {"when": {"past_end": 0}, "then": {"deed": "suspend"}, "grace": 0}
    rule_id = world.rule(ana, step, who={"people": [UMA]})
    last = world.clock().date() + timedelta(days=1)
    absences.set_last_day(world.tools, ana, UMA, ends_on=last.isoformat(), note="")
    world.change(UMA, membership_status="no_membership")
    world.sync(ana)
    world.later(days=40)
    world.sync(ana)
    kept = page_of(world, ana, UMA).last_day
    assert kept is not None
    assert kept.ends_on == last, "they are not here"
    world.change(UMA, membership_status="active")
    world.sync(ana)
    assert page_of(world, ana, UMA).last_day is None
    assert UMA not in world.states(world.run_rule(ana, rule_id))
    [entry] = world.audit("person:last_day_cleared")
    assert f"{last:%-d %B %Y} was the last day of the time before" in entry.result


def hired_anew(world: World, person: str) -> None:
    """Somebody who left is in the directory again, by the same account."""
    with world.sandbox.cloud.store.write() as connection:
        connection.execute(
            "INSERT INTO person SELECT (SELECT max(seq) + 1 FROM person), org, ?, name, nickname, email,"
            " email_hidden, domain, email_verified, account_status, membership, former_membership, former_until,"
            " claim, source, mfa, added_at, deactivated_at, job, department, location, time_zone, kind, ''"
            " FROM person WHERE account_id = ?",
            (person, ACCOUNTS["priya"]),
        )


def page_of(world: World, ana: Caller, person: str) -> people.PersonPage:
    return people.person_page(world.tools, ana, person)


def test_of_two_whose_absence_is_over_only_the_one_who_stays_is_left_out(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    for person in (UMA, JON):
        suspended(world, ana, person, leave(world, 30))
    leavers.request_leavers(world.tools, ana, [UMA])
    world.later(days=31)
    (run_id,) = absences.bring_back(world.tools)
    world.act()
    assert world.states(run_id) == {JON: "acted"}


def test_who_cannot_be_restored_after_their_absence_is_a_matter_until_they_are(world: World) -> None:
    """Wherever it fails: Rollcall was to bring them back, and nobody but their run would say so."""
    ana = world.synced()
    for person in (UMA, JON):
        suspended(world, ana, person, leave(world, 30))
    world.sync(ana)

    def said() -> list[Matter]:
        return [one for one in matters(world.tools, ACME) if one.topic is Topic.NOT_RESTORED]

    assert said() == []
    world.later(days=31)
    [run_id] = absences.bring_back(world.tools)
    world.fault(f"/users/{UMA}/restore$", "403-scopes", times=None)
    world.act()
    assert world.states(run_id)[JON] == "acted"
    assert world.states(run_id)[UMA] in ("refused", "failed")
    [matter] = said()
    assert matter.sentence.startswith("1 person is still suspended: their absence is over")
    assert (matter.severity, matter.action_path) == ("warning", f"/app/runs/{run_id}")
    assert matter.topic in ABOUT_STATES
    world.clear_faults()
    world.settled()
    world.sync(ana)
    assert [one.key for one in said()] == [matter.key]
    back = world.begin_run(ana, [UMA], Deed.RESTORE)
    world.act()
    assert world.states(back) == {UMA: "acted"}
    assert said() == []


def test_an_operator_says_that_they_do_not_come_back(world: World) -> None:
    ana, gina = world.synced(), world.synced("globex")
    suspended(world, ana, UMA, leave(world, 30))
    with pytest.raises(NotFound):
        absences.stay_away(world.tools, gina, UMA)
    absences.stay_away(world.tools, ana, UMA)
    shown = absence(world, ana, UMA)
    assert shown is not None
    assert not shown.comes_back
    (entry,) = world.audit("person:absence_kept")
    assert (entry.actor, entry.subject) == (ACCOUNTS["ana"], UMA)
    with pytest.raises(Conflict):
        absences.stay_away(world.tools, ana, UMA)
    world.later(days=31)
    assert absences.bring_back(world.tools) == []
    assert absence(world, ana, UMA) is not None, "they are away until somebody restores them"


def test_what_is_written_beside_a_suspension_before_it_is_confirmed(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    run_id = previews.preview(world.tools, ana, Deed.SUSPEND, account_ids=[person], filter=None)
    with pytest.raises(Invalid) as invalid:
        previews.describe(world.tools, ana, run_id, leave(world, -1))
    assert invalid.value.field == "ends_on"
    with pytest.raises(Invalid) as far:
        previews.describe(world.tools, ana, run_id, Purpose("Leave", "", date.max, comes_back=True))
    assert far.value.sentence == "The end is too far away."
    previews.describe(world.tools, ana, run_id, leave(world, 0))
    assert run_progress.show_run(world.tools, ana, run_id).purpose["reason"] == "Parental leave"
    previews.describe(world.tools, ana, run_id, Purpose())
    assert world.stored(Run, ACME, run_id).purpose is None
    runs.confirm(world.tools, ana, run_id)
    with pytest.raises(Conflict):
        previews.describe(world.tools, ana, run_id, leave(world, 1))
    world.act()
    assert world.rows(Absence) == []


def test_the_last_day_of_a_contract(world: World) -> None:
    """Theirs until it is over; then the rule takes them, whenever they were seen."""
    ana = world.store_key()
    person, other = world.people(2, idle=1)
    world.sync(ana)
    today = world.clock().date()
    absences.set_last_day(world.tools, ana, person, ends_on=today.isoformat(), note=" until May ")
    absences.set_last_day(world.tools, ana, other, ends_on=today.isoformat(), note="")
    absences.set_last_day(world.tools, ana, other, ends_on="", note="")
    shown = people.person_page(world.tools, ana, person).last_day
    assert shown is not None
    assert (shown.ends_on, shown.note, shown.set_by) == (today, "until May", ACCOUNTS["ana"])
    step = {"when": {"past_end": 0}, "then": {"deed": "suspend"}, "grace": 0}
    rule_id = world.rule(ana, step)
    assert world.states(world.run_rule(ana, rule_id)) == {}
    world.later(days=1)
    run_id = world.run_rule(ana, rule_id)
    assert world.states(run_id) == {person: "acted"}
    assert world.case(run_id, person).because == f"Their last day was {today:%-d %B %Y}."
    assert [entry.event for entry in world.audit("person:last_day_set", "person:last_day_cleared")] == [
        "person:last_day_set", "person:last_day_set", "person:last_day_cleared",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ends_on", "note", "field"),
    [("1 May", "", "ends_on"), ("0001-01-01", "", "ends_on"), ("2030-01-01", "n" * 501, "note")],
)
def test_what_is_no_last_day(sqlite_world: World, ends_on: str, note: str, field: str) -> None:
    world = sqlite_world
    ana = world.synced()
    with pytest.raises(Invalid) as invalid:
        absences.set_last_day(world.tools, ana, ACCOUNTS["uma"], ends_on=ends_on, note=note)
    assert invalid.value.field == field
    assert world.rows(LastDay) == []


def test_s19_last_days_and_absences_are_each_organizations_own(world: World) -> None:
    ana, gina = world.synced(), world.synced("globex")
    with pytest.raises(NotFound):
        absences.set_last_day(world.tools, gina, ACCOUNTS["uma"], ends_on="2030-01-01", note="")
    theirs = world.people(1, site="globex")[0]
    world.later(hours=1)
    world.sync(gina)
    suspended(world, gina, theirs, leave(world, 1))
    world.later(days=2)
    (run_id,) = absences.bring_back(world.tools)
    with pytest.raises(NotFound):
        run_progress.show_run(world.tools, ana, run_id)
    assert run_progress.show_run(world.tools, gina, run_id).total == 1
    assert isinstance(world.rows(Absence)[0].ends_on, date)


def test_a_preview_of_a_rule_is_described_by_nobody(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    rule_id = rules.save_rule(
        world.tools, ana, world.rule_data({"when": {"not_seen": 90}, "then": {"deed": "remove"}, "grace": 0})
    )
    preview = rule_runs.preview_rule(world.tools, ana, rule_id)
    with pytest.raises(Conflict):
        previews.describe(world.tools, ana, preview, leave(world, 1))
