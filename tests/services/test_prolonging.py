"""Prolonging by a list: shown with both days, done once, taken back exactly, and no group of anybody touched."""

from __future__ import annotations

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from connect.caller import Caller
from models.answer import Answer, Decision
from models.audit import Event
from models.timed_access import TimedAccess
from rules.deeds import Deed
from rules.prolonging import NOT_THERE
from rules.roster import Access, Entry, Origin
from rules.verdict import Why
from sandbox.world import ORGANIZATIONS
from services import (
    answer_queue,
    inviting,
    orders,
    own_timed,
    people_file,
    profiles,
    roster,
    run_people,
    run_progress,
    runs,
    timed_deciding,
    undoing,
)
from services.own_case import Stage
from services.run_people import Wanted
from services.timed_beginnings import moment_of
from tests.questions import asked_of
from tests.services.test_timed_access import (
    GIVEN,
    OTHER,
    begin,
    by_roster,
    day,
    inside,
    keep_time,
    link,
    timed,
)
from tests.services.workers import (
    Crash,
    Killed,
    act_on,
    before_it_is_written,
    fault,
    once,
    with_something_between,
)
from tests.world import ACME, World


def address(world: World, account_id: str) -> str:
    return str(next(one["email"] for one in world.directory() if one["account_id"] == account_id))


def checked(world: World, caller: Caller, *rows: tuple[str, date | None], group: str = GIVEN) -> str:
    """The preview of a file that gives `group` to these people until a day."""
    lines = ["e-mail,groups to add,end\n"]
    lines += [f"{address(world, who)},{group},{until.isoformat() if until else ''}\n" for who, until in rows]
    return people_file.preview_file(world.tools, caller, [line.encode() for line in lines])


def prolonged(world: World, caller: Caller, account_id: str, until: date) -> str:
    """The same for one person, confirmed and done."""
    run_id = checked(world, caller, (account_id, until))
    done(world, caller, run_id)
    return run_id


def done(world: World, caller: Caller, run_id: str) -> None:
    """A preview, confirmed and done: what was done before has settled by then."""
    runs.confirm(world.tools, caller, run_id)
    world.settled()
    world.act()


def said(world: World, run_id: str, account_id: str) -> tuple[str, str, str]:
    case = world.case(run_id, account_id)
    return case.deed, case.state, case.reason


def words(day: date) -> str:
    return f"{day:%-d %B %Y}"


def test_a_list_with_new_days_prolongs_and_its_undo_sets_the_former_ones_again(world: World) -> None:
    ana = world.synced()
    first, second, third = world.people(3)
    cases = {who: begin(world, ana, who, days) for who, days in ((first, 20), (second, 30), (third, 60))}
    effects = {who: world.effects_by(who) for who in cases}
    new = day(world, 40)
    run_id = checked(world, ana, (first, new), (second, new), (third, new))
    moved = f"From {words(day(world, 20))} to {words(new)}."
    assert said(world, run_id, first) == ("prolong", "planned", moved)
    assert said(world, run_id, second)[:2] == ("prolong", "planned")
    left = world.case(run_id, third)
    assert (left.deed, left.state, left.why) == ("give_access", "not_possible", Why.LAST_DAY)
    assert f"until {words(day(world, 60))}. The list says {words(new)}, which is sooner" in left.reason
    # The preview changes nothing; it is counted and narrowed like any other.
    assert timed(world, cases[first]).until == day(world, 20)
    page = run_people.people_of_run(world.tools, ana, run_id, Wanted(deed=Deed.PROLONG), page=1, per_page=50)
    assert (page.total, page.deeds, page.whys) == (2, {Deed.PROLONG: 2}, {Why.LAST_DAY: 1})
    assert page.access[world.case(run_id, first).id] == f"keeps {GIVEN}"
    done(world, ana, run_id)
    world.act()
    assert said(world, run_id, first) == ("prolong", "acted", moved)
    assert [timed(world, cases[who]).until for who in (first, second, third)] == [new, new, day(world, 60)]
    assert {who: world.effects_by(who) for who in cases} == effects
    assert timed(world, cases[first]).prolonged_by == ana.account_id
    # Looked at again for the first warning of the new day, and not before.
    assert timed(world, cases[first]).next_at == moment_of(new - timedelta(days=7), ZoneInfo("UTC"), time(6))
    [trace] = [
        one for one in world.audit(Event.TIMED_PROLONGED) if one.subject == first and one.run_id == run_id
    ]
    assert (trace.actor, trace.result) == (ana.account_id, moved)
    view = run_progress.show_run(world.tools, ana, run_id)
    assert (view.deed, view.by_deed, view.can_undo) == (Deed.PROLONG, {Deed.PROLONG: 2}, True)

    undo = world.undo(ana, run_id)
    back = f"From {words(new)} to {words(day(world, 20))}."
    assert said(world, undo, first) == ("set_back", "acted", back)
    former = timed(world, cases[first])
    assert (former.until, former.prolonged_until, former.prolonged_by, former.prolonged_at) == (
        (day(world, 20), None, None, None)
    )
    assert timed(world, cases[second]).until == day(world, 30)
    assert {who: world.effects_by(who) for who in cases} == effects
    assert (world.case(run_id, first).state, world.case(run_id, second).state) == ("undone", "undone")
    # Their day comes as it would have come.
    world.later(days=21)
    keep_time(world)
    world.act()
    assert (inside(world, first), inside(world, second)) == (False, True)


def test_the_undo_of_many_asks_no_more_than_that_of_one(sqlite_world: World) -> None:
    """Tens of thousands were asked about one by one, while somebody waited for the page."""
    world = sqlite_world
    ana = world.synced()
    people = world.people(4)
    for who in people:
        begin(world, ana, who, 20)
    new = day(world, 40)
    lists = [checked(world, ana, *((who, new) for who in some)) for some in (people[:1], people[1:])]
    for run_id in lists:
        done(world, ana, run_id)
    counts = []
    for run_id in lists:
        with asked_of(world.tools.engine) as asked:
            undo = undoing.preview_undo(world.tools, ana, run_id)
        counts.append(len(asked))
        assert set(world.states(undo).values()) == {"planned"}
    assert counts[0] == counts[1]


def test_the_same_list_again_has_nothing_to_do(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    begin(world, ana, person, 20)
    prolonged(world, ana, person, day(world, 40))
    again = world.case(checked(world, ana, (person, day(world, 40))), person)
    there = f"Has this access already, until {words(day(world, 40))}."
    assert (again.state, again.why, again.reason) == ("not_possible", Why.DONE, there)


def test_a_profile_that_ends_after_some_days_prolongs_nobody_by_itself(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    group = world.groups()[GIVEN]["id"]
    profiles.save_profile(
        world.tools, ana, None, profiles.Typed(name="Contractor", groups=[group], days="90")
    )
    file = ["e-mail,profile\n", f"{address(world, person)},Contractor\n"]
    run_id = people_file.preview_file(world.tools, ana, [line.encode() for line in file])
    done(world, ana, run_id)
    world.later(days=10)
    world.sync(ana)
    again = people_file.preview_file(world.tools, ana, [line.encode() for line in file])
    case = world.case(again, person)
    assert (case.deed, case.state, case.why) == ("give_access", "not_possible", Why.DONE)


def test_an_invitation_with_a_later_last_day_prolongs_who_is_here_and_without_one_nobody(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 20)
    typed = profiles.Typed(name="Contractor", groups=[world.groups()[GIVEN]["id"]], days="90")
    profile = profiles.save_profile(world.tools, ana, None, typed)

    def invited(last_day: str) -> str:
        who = inviting.Typed(people=address(world, person), profiles=[profile.id], ends_on=last_day)
        return inviting.preview_invitations(world.tools, ana, who)

    deed, state, reason = said(world, invited(""), person)
    assert (deed, state) == ("give_access", "not_possible")
    assert reason.startswith(f"Has this access already, until {words(day(world, 20))}. Prolong it")
    run_id = invited(day(world, 40).isoformat())
    moved = f"From {words(day(world, 20))} to {words(day(world, 40))}."
    assert said(world, run_id, person) == ("prolong", "planned", moved)
    done(world, ana, run_id)
    assert (world.case(run_id, person).state, timed(world, case_id).until) == ("acted", day(world, 40))
    assert [each.invited for each in profiles.list_profiles(world.tools, ana)] == [0]
    world.undo(ana, run_id)
    assert timed(world, case_id).until == day(world, 20)


@pytest.mark.parametrize(
    "meanwhile", ["moved", "moved to that day", "dropped", "ended", "left the group", "gone"]
)
def test_what_has_changed_since_the_preview_is_looked_at_again(sqlite_world: World, meanwhile: str) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 20)
    new, other = day(world, 40), day(world, 25)
    run_id = checked(world, ana, (person, new))
    match meanwhile:
        case "moved":
            timed_deciding.prolong(world.tools, ana, case_id, other.isoformat())
        case "moved to that day":
            timed_deciding.prolong(world.tools, ana, case_id, new.isoformat())
        case "dropped":
            timed_deciding.drop_end(world.tools, ana, case_id)
        case "ended":
            timed_deciding.end_now(world.tools, ana, case_id)
            world.act()
            world.settled()
            world.control("POST", f"/people/{person}/groups", {"group": GIVEN, "member": True})
        case "left the group":
            world.control("POST", f"/people/{person}/groups", {"group": GIVEN, "member": False})
        case _:
            world.change(person, membership_status="no_membership")
    before = timed(world, case_id)
    done(world, ana, run_id)
    _deed, state, reason = said(world, run_id, person)
    assert (state, reason) == (
        "spared",
        {
            "moved": f"Somebody has moved their last day since: it is {words(other)} now. Check the list again.",
            "moved to that day": f"Has this access already, until {words(new)}.",
            "dropped": "Their end was taken away: they keep this access. Check the list again.",
            "ended": "Their access is over. Check the list again.",
            "left the group": NOT_THERE,
            "gone": "Has no access to this organization's products.",
        }[meanwhile],
    )
    after = timed(world, case_id)
    assert (after.until, after.state, after.prolonged_at) == (before.until, before.state, before.prolonged_at)
    assert not world.case(run_id, person).changed


def test_of_two_lists_one_prolongs(world: World) -> None:
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 20)
    one, other = (checked(world, ana, (person, day(world, days))) for days in (40, 50))
    runs.confirm(world.tools, ana, one)
    done(world, ana, other)
    world.settled()
    world.act()
    states = {run_id: world.case(run_id, person).state for run_id in (one, other)}
    assert sorted(states.values()) == ["acted", "spared"]
    assert timed(world, case_id).until == (day(world, 40) if states[one] == "acted" else day(world, 50))
    assert len(world.audit(Event.TIMED_PROLONGED)) == 1


def test_a_worker_may_die_at_any_moment_and_it_is_done_once(world: World) -> None:
    ana = world.synced()
    people = world.people(9)
    cases = {who: begin(world, ana, who, 20) for who in people}
    world.settled()
    moments = []
    for at, person in enumerate(people, start=1):
        run_id = checked(world, ana, (person, day(world, 40)))
        runs.confirm(world.tools, ana, run_id)
        crash = Crash(at)
        ((_, case_id, attempt),) = orders.lease_due_cases(world.tools)
        try:
            act_on(with_something_between(world.tools, crash), ACME, case_id, attempt)
        except Killed:
            moments.append(crash.moment)
        # The next worker takes the same attempt up again, or finds the case when its lease is over.
        if at % 2:
            act_on(world.tools, ACME, case_id, attempt)
        world.later(minutes=11)
        world.act()
        assert world.case(run_id, person).state == "acted", crash.moment
        assert len([one for one in world.audit(Event.TIMED_PROLONGED) if one.run_id == run_id]) == 1
        assert timed(world, cases[person]).until > day(world, 38), crash.moment
        assert world.effects(person) == world.effects(people[-1]), crash.moment
    assert len(moments) < len(people), "there is a person left for the undisturbed way"
    assert set(moments) >= {"before transaction", "after transaction", "before person", "after person"}


def test_a_fault_in_the_middle_leaves_nothing_half_done(sqlite_world: World) -> None:
    """The days of two gifts are moved together with the outcome, or neither of them is."""
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    group = world.groups()[OTHER]["id"]
    former, later = [day(world, 20), day(world, 25)], [day(world, 40)] * 2
    first = begin(world, ana, person, 20)
    world.settled()
    second = begin(world, ana, person, 25, access=Access(groups=(group,)))
    world.settled()
    run_id = checked(world, ana, (person, day(world, 40)), group=f"{GIVEN}|{OTHER}")
    runs.confirm(world.tools, ana, run_id)
    [(_, case_id, attempt)] = orders.lease_due_cases(world.tools)
    with (
        pytest.raises(ZeroDivisionError),
        before_it_is_written(world.tools, "UPDATE run_case SET state", fault),
    ):
        act_on(world.tools, ACME, case_id, attempt)
    assert [timed(world, each).until for each in (first, second)] == former
    assert world.audit(Event.TIMED_PROLONGED) == []
    world.later(minutes=11)
    world.act()
    assert [timed(world, each).until for each in (first, second)] == later
    world.undo(ana, run_id)
    assert [timed(world, each).until for each in (first, second)] == former


def test_whoever_asked_for_longer_has_their_answer_and_asks_again_after_an_undo(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 6)
    keep_time(world)
    token = link(world, case_id, person)
    own_timed.ask_for_longer(world.tools, token, "The audit takes longer.")
    run_id = prolonged(world, ana, person, day(world, 40))
    [answer] = world.rows(Answer)
    assert (answer.decision, answer.decided_by) == (Decision.APPROVED, ana.account_id)
    assert answer_queue.asking(world.tools, ana) == []
    assert own_timed.own_page(world.tools, token).stage is Stage.PROLONGED
    world.undo(ana, run_id)
    [answer] = world.rows(Answer)
    assert (answer.decision, answer.decided_by, answer.decided_at) == (Decision.WAITS, "", None)
    assert [one.until for one in answer_queue.asking(world.tools, ana)] == [timed(world, case_id).ends_on]


@pytest.mark.parametrize("when", ["before the undo is shown", "before it is done"])
def test_what_somebody_has_moved_since_is_not_set_back(sqlite_world: World, when: str) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 20)
    run_id = prolonged(world, ana, person, day(world, 40))
    world.settled()
    later = day(world, 60)
    if when == "before the undo is shown":
        timed_deciding.prolong(world.tools, ana, case_id, later.isoformat())
    undo = undoing.preview_undo(world.tools, ana, run_id)
    moved = f"Somebody has moved their last day since: it is {words(later)} now."
    if when == "before the undo is shown":
        assert said(world, undo, person) == ("set_back", "not_possible", moved)
        return
    timed_deciding.prolong(world.tools, ana, case_id, later.isoformat())
    done(world, ana, undo)
    assert said(world, undo, person) == ("set_back", "spared", moved)
    assert (world.case(run_id, person).state, timed(world, case_id).until) == ("undo_skipped", later)


def test_prolonged_twice_is_taken_back_from_the_last_to_the_first(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 20)
    days = [day(world, 20), day(world, 40), day(world, 60)]
    one = prolonged(world, ana, person, days[1])
    first = timed(world, case_id)
    world.settled()
    other = prolonged(world, ana, person, days[2])
    world.undo(ana, other)
    again = timed(world, case_id)
    assert (again.until, again.prolonged_by, again.prolonged_at) == (
        days[1],
        first.prolonged_by,
        first.prolonged_at,
    )
    world.undo(ana, one)
    assert timed(world, case_id).until == days[0]


def test_an_undo_after_the_former_day_says_that_access_ends_and_ends_it(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 3)
    run_id = prolonged(world, ana, person, day(world, 40))
    world.later(days=5)
    keep_time(world)
    assert inside(world, person)
    world.settled()
    undo = undoing.preview_undo(world.tools, ana, run_id)
    assert world.case(undo, person).reason.endswith(" That day is over: their access ends at once.")
    done(world, ana, undo)
    keep_time(world)
    world.settled()
    world.act()
    assert (timed(world, case_id).state, inside(world, person)) == ("ended", False)


def test_what_gave_the_access_can_still_be_taken_back(sqlite_world: World) -> None:
    """A prolongation is no later change of the person."""
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    entry = Entry(
        Deed.GIVE_ACCESS,
        account_id=person,
        access=Access(groups=(world.groups()[GIVEN]["id"],)),
        ends_on=day(world, 20),
    )
    gave = by_roster(world, ana, entry)
    case_id = world.case(gave, person).id
    world.settled()
    run_id = prolonged(world, ana, person, day(world, 40))
    undo = world.undo(ana, gave)
    assert world.case(undo, person).state == "acted"
    assert (timed(world, case_id).state, inside(world, person)) == ("ended", False)
    world.settled()
    left = undoing.preview_undo(world.tools, ana, run_id)
    assert said(world, left, person) == ("set_back", "not_possible", "Their access is over.")


def test_a_later_change_of_something_else_keeps_nobody_from_the_former_day(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 20)
    run_id = prolonged(world, ana, person, day(world, 40))
    world.settled()
    access = Access(groups=(world.groups()[OTHER]["id"],))
    by_roster(world, ana, Entry(Deed.GIVE_ACCESS, account_id=person, access=access))
    undo = world.undo(ana, run_id)
    assert world.case(undo, person).state == "acted"
    assert (timed(world, case_id).until, inside(world, person, OTHER)) == (day(world, 20), True)


def test_a_role_that_no_preview_sees_is_prolonged_too_and_looked_for_at_the_deed(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person, other] = world.people(2)
    role = (ORGANIZATIONS["acme"].resource("confluence"), "atlassian/guest")
    cases = [begin(world, ana, who, 20, access=Access(roles=(role,))) for who in (person, other)]
    world.settled()
    entries = [
        Entry(
            Deed.INVITE,
            email=address(world, who),
            access=Access(roles=(role,)),
            ends_on=day(world, 40),
            prolongs=True,
        )
        for who in (person, other)
    ]
    run_id = roster.preview_roster(world.tools, ana, entries, Origin.CSV)
    assert said(world, run_id, person)[:2] == said(world, run_id, other)[:2] == ("prolong", "planned")
    world.api("POST", f"/v1/orgs/{ACME}/users/{other}/roles/revoke", {"role": role[1], "resource": role[0]})
    done(world, ana, run_id)
    assert (world.case(run_id, person).state, timed(world, cases[0]).until) == ("acted", day(world, 40))
    assert said(world, run_id, other)[1:] == ("spared", NOT_THERE)
    assert timed(world, cases[1]).prolonged_at is None


def test_a_prolongation_hides_no_loop(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    world.arrange(person, groups=["jira-users", OTHER])
    world.sync(ana)
    begin(world, ana, person, 20)
    world.settled()
    took = by_roster(
        world, ana, Entry(Deed.CHANGE_GROUPS, account_id=person, leave=(world.groups()[OTHER]["id"],))
    )
    world.settled()
    prolonged(world, ana, person, day(world, 40))
    world.settled()
    world.control("POST", f"/people/{person}/groups", {"group": OTHER, "member": True})
    world.sync(ana)
    assert world.case(took, person).came_back_at is not None


def test_whoever_lacks_a_part_gets_that_and_is_prolonged_by_the_same_file_again(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 20)
    both, new = f"{GIVEN}|{OTHER}", day(world, 40)
    run_id = checked(world, ana, (person, new), group=both)
    deed, state, reason = said(world, run_id, person)
    assert (deed, state) == ("give_access", "planned")
    assert reason.startswith(f"What they have of it until {words(day(world, 20))} ends then.")
    done(world, ana, run_id)
    assert inside(world, person, OTHER)
    world.settled()
    again = checked(world, ana, (person, new), group=both)
    assert said(world, again, person)[:2] == ("prolong", "planned")
    done(world, ana, again)
    assert {one.until for one in world.rows(TimedAccess)} == {new}
    assert timed(world, case_id).until == new


def test_a_stopped_run_prolongs_nobody(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 20)
    was = timed(world, case_id).until
    run_id = checked(world, ana, (person, day(world, 40)))
    runs.confirm(world.tools, ana, run_id)
    stop = once("after", "person", lambda: runs.stop(world.tools, ana, run_id))
    world.settled()
    world.act(with_something_between(world.tools, stop))
    assert world.case(run_id, person).state == "cancelled"
    assert (timed(world, case_id).until, timed(world, case_id).prolonged_at) == (was, None)
