"""Access with an end: warned, prolonged by an answer, ended once, and nothing but what the case gave."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import delete

from connect.caller import Caller
from connect.errors import Conflict, Invalid, NotFound
from models.answer import Answer
from models.delivery import Delivery
from models.notice import Notice
from models.people import Person
from models.run import Case, Run
from models.timed_access import TimedAccess
from rules.deeds import Deed
from rules.roster import Access, Entry, Origin
from rules.topics import AnswerKind, Topic
from services import (
    answer_queue,
    keeping,
    own_timed,
    retrying,
    reviews,
    roster,
    runs,
    timed_access,
    timed_deciding,
    timed_views,
    undoing,
)
from services.answers import answer
from services.keep_links import keep_link
from services.mail_sending import NOT_NEEDED
from services.matter import Matter
from services.matters import ABOUT_STATES, matters
from services.own_case import Stage
from services.timed_gone import WITH_THEM
from tests.services.mails import mail_switched_on, mails
from tests.services.workers import Killed, die, with_something_between
from tests.world import ACME, ACME_KEY, World

GIVEN, OTHER = "contractors", "service-desk-agents"


def begin(world: World, caller: Caller, account_id: str, days: int = 30, **entry: object) -> str:
    """Somebody gets into GIVEN for so many days; the case's id."""
    group = world.groups()[GIVEN]["id"]
    words = {"account_id": account_id, "access": Access(groups=(group,)), "ends_on": day(world, days)} | entry
    with world.tools.begin() as session:
        run = roster.begin_roster(
            session,
            world.tools,
            ACME,
            [Entry(Deed.GIVE_ACCESS, **words)],  # type: ignore[arg-type]
            Origin.INVITE,
            "",
            by=caller.account_id or "",
            now=world.clock(),
        )
        run_id = run.id
    world.act()
    [case] = world.cases(run_id).values()
    assert case.state == "acted", case.reason
    return case.id


def by_roster(world: World, caller: Caller, entry: Entry) -> str:
    """A run of a file about somebody, done; its id."""
    run_id = roster.preview_roster(world.tools, caller, [entry], Origin.CSV)
    runs.confirm(world.tools, caller, run_id)
    world.act()
    return run_id


def day(world: World, days: int) -> date:
    return world.clock().date() + timedelta(days=days)


def keep_time(world: World, tools: object = None) -> None:
    """The worker's look."""
    for organization_id, case_id in timed_access.due_ends(world.tools):
        timed_access.look(tools or world.tools, organization_id, case_id)  # type: ignore[arg-type]


def timed(world: World, case_id: str) -> TimedAccess:
    found: TimedAccess = world.stored(TimedAccess, ACME, case_id)
    return found


def inside(world: World, account_id: str, group: str = GIVEN) -> bool:
    held = world.holding(account_id)
    assert held is not None
    return group in held["groups"]


def link(world: World, case_id: str, account_id: str) -> str:
    return urlsplit(keep_link(world.tools, ACME, case_id, account_id)).path.rpartition("/")[2]


def ended_by_half(world: World, caller: Caller) -> tuple[str, str]:
    """Whoever had two groups for three days, of which only one could be taken back: their account and the case."""
    [person] = world.people(1)
    groups = tuple(world.groups()[name]["id"] for name in (GIVEN, OTHER))
    case_id = begin(world, caller, person, 3, access=Access(groups=groups))
    world.later(days=4)
    world.fault("/memberships/", "403-scopes", method="DELETE", skip=1, times=1)
    keep_time(world)
    world.act()
    assert timed(world, case_id).state == "not_ended"
    world.settled()
    world.sync(caller)
    return person, case_id


def asked_when_it_had_ended(world: World, caller: Caller) -> tuple[str, str, str]:
    """Whoever had access for three days and asks for it again: their account, the case and their link."""
    [person] = world.people(1)
    case_id = begin(world, caller, person, 3)
    world.later(days=4)
    keep_time(world)
    world.act()
    token = link(world, case_id, person)
    own_timed.ask_for_longer(world.tools, token, "The audit takes longer.")
    world.settled()
    return person, case_id, token


def test_warned_twice_prolonged_by_an_answer_then_ended_once(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    world.arrange(person, groups=["jira-users"])
    world.sync(ana)
    with mail_switched_on(world):
        case_id = begin(world, ana, person, 30)
        keep_time(world)
        assert (timed(world, case_id).state, timed(world, case_id).warned) == ("open", [])
        world.later(days=24)
        keep_time(world)
        keep_time(world)
        world.deliver()
        [mail] = mails(world)
        until = day(world, 6)
        assert f"until {until.day} {until:%B %Y}" in mail["text"]
        token = link(world, case_id, person)
        assert token in mail["text"]
        assert timed(world, case_id).warned == [f"{until.isoformat()}:7"]
        warning = keeping.own_warning(world.tools, world.caller(person))
        assert warning is not None
        assert (warning.is_timed, warning.can_keep) == (True, True)
        # Looking changes nothing; asking twice is asking once.
        assert own_timed.own_page(world.tools, token).stage is Stage.ENDS
        assert world.rows(Answer) == []
        own_timed.ask_for_longer(world.tools, token, "The audit takes longer.")
        own_timed.ask_for_longer(world.tools, token, "Again.")
        assert [one.words for one in world.rows(Answer)] == ["The audit takes longer."]
        assert own_timed.own_page(world.tools, token).stage is Stage.ENDS_ASKED
        with world.tools.begin() as session:
            assert sum(reviews.count_waiting(session, ACME).values()) == 1
        [asking] = answer_queue.asking(world.tools, ana)
        assert (asking.asks_longer, asking.until) == (True, until)
        with pytest.raises(Invalid):
            answer_queue.grant(world.tools, ana, [case_id])
        longer = day(world, 40)
        answer_queue.grant(world.tools, ana, [case_id], longer.isoformat())
        assert own_timed.own_page(world.tools, token).stage is Stage.PROLONGED
        assert keeping.own_warning(world.tools, world.caller(person)) is None
        # The new last day comes: told once more, then over.
        world.later(days=39)
        keep_time(world)
        world.deliver()
        assert len(mails(world)) == 2
        assert own_timed.own_page(world.tools, token).stage is Stage.ENDS
        assert inside(world, person)
        world.later(days=2)
        keep_time(world)
        keep_time(world)
        world.act()
        assert timed(world, case_id).state == "ended"
        assert not inside(world, person)
        assert inside(world, person, "jira-users"), "nothing but what the case gave"
        ends = [run for run in world.rows(Run) if run.origin == "timed"]
        assert [(run.origin_id, run.state) for run in ends] == [(case_id, "finished")]
        assert ends[0].reason == f"The access ended on {longer.day} {longer:%B %Y}."
        world.deliver()
        assert len(mails(world)) == 3
        assert "Your access to some products has ended" in mails(world)[0]["text"]
        # Whoever still needs it may ask for it back.
        assert own_timed.own_page(world.tools, token).stage is Stage.WAS_TIMED
        own_timed.ask_for_longer(world.tools, token, "")
        answer_queue.grant(world.tools, ana, [case_id], day(world, 10).isoformat())
        world.settled()
        world.act()
        assert inside(world, person)
        assert own_timed.own_page(world.tools, token).stage is Stage.GRANTED
        world.deliver()
        assert len(mails(world)) == 4
        assert mails(world)[0]["subject"] == "You have your access to Confluence back"
        assert sorted(one.state for one in world.rows(TimedAccess)) == ["ended", "open"]


def test_a_rule_s_warning_is_not_hidden_by_one_of_access_with_an_end(sqlite_world: World) -> None:
    """They come to Jira every day; the rule is about Confluence."""
    world = sqlite_world
    ana = world.store_key()
    [person] = world.people(1, groups=["jira-users", "confluence-users"])
    world.sync(ana)
    then = {"deed": "remove_access", "products": ["confluence"]}
    when = {"not_seen": 90, "products": ["confluence"]}
    rule_id = world.rule(ana, {"when": when, "then": then, "grace": 14}, who={"people": [person]})
    case_id = begin(world, ana, person, 8)
    world.settled()
    run_id = world.run_rule(ana, rule_id)
    assert world.states(run_id) == {person: "warned"}
    world.later(days=2)
    keep_time(world)
    assert [mark[-2:] for mark in timed(world, case_id).warned] == [":7"]
    warning = keeping.own_warning(world.tools, world.caller(person))
    assert warning is not None
    assert (warning.is_timed, warning.can_keep) == (False, True)
    assert keeping.keep_my_access(world.tools, world.caller(person))
    warning = keeping.own_warning(world.tools, world.caller(person))
    assert warning is not None
    assert warning.is_timed


def test_whoever_is_refused_more_time_reads_that_and_not_that_it_is_being_decided(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 8)
    world.later(days=2)
    keep_time(world)
    own_timed.ask_for_longer_inside(world.tools, world.caller(person), case_id)
    warning = keeping.own_warning(world.tools, world.caller(person))
    assert warning is not None
    assert (warning.is_timed, warning.can_keep, warning.refused) == (True, False, False)
    answer_queue.refuse(world.tools, ana, [case_id])
    warning = keeping.own_warning(world.tools, world.caller(person))
    assert warning is not None
    assert (warning.is_timed, warning.can_keep, warning.refused) == (True, False, True)


def test_an_operator_who_refused_may_still_give_more_time(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 30)
    token = link(world, case_id, person)
    own_timed.ask_for_longer(world.tools, token, "")
    answer_queue.refuse(world.tools, ana, [case_id])
    assert own_timed.own_page(world.tools, token).stage is Stage.ENDS_REFUSED
    world.later(hours=1)
    timed_deciding.prolong(world.tools, ana, case_id, day(world, 40).isoformat())
    assert own_timed.own_page(world.tools, token).stage is Stage.PROLONGED
    world.later(days=39)
    keep_time(world)
    own_timed.ask_for_longer(world.tools, token, "Once more.")
    assert own_timed.own_page(world.tools, token).stage is Stage.ENDS_ASKED


def test_a_mail_that_waited_names_no_day_that_no_longer_counts(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    with mail_switched_on(world):
        case_id = begin(world, ana, person, 30)
        world.later(days=24)
        keep_time(world)
        timed_deciding.prolong(world.tools, ana, case_id, day(world, 40).isoformat())
        world.deliver()
        assert mails(world) == []
        [waited] = world.rows(Delivery)
        assert (waited.state, waited.reason) == ("not_sent", NOT_NEEDED)
        world.later(days=34)
        keep_time(world)
        world.deliver()
        [mail] = mails(world)
        assert "in 6 days" in mail["text"]


def test_two_workers_and_a_dying_one_end_it_once(world: World) -> None:
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 3)
    world.later(days=4)
    due = timed_access.due_ends(world.tools)
    dying = with_something_between(world.tools, die("before", "transaction"))
    with pytest.raises(Killed):
        timed_access.look(dying, *due[0])
    ended = [timed_access.look(world.tools, *due[0]) for _ in range(2)]
    assert [bool(run_id) for run_id in ended] == [True, False]
    world.act()
    assert timed(world, case_id).state == "ended"
    assert world.effects_by(person)[f"leave_group:{GIVEN}"] == 1
    assert len(world.audit("timed:ended")) == 1


def test_whoever_was_changed_since_is_left_alone_and_shown(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    both = Access(groups=tuple(world.groups()[name]["id"] for name in (GIVEN, OTHER)))
    case_id = begin(world, ana, person, 3, access=both)
    world.control("POST", f"/people/{person}/groups", {"group": OTHER, "member": False})
    world.later(days=4)
    world.sync(ana)
    keep_time(world)
    world.act()
    found = timed(world, case_id)
    assert (found.state, found.reason) == ("not_ended", "Somebody changed this person since.")
    assert inside(world, person)
    # An operator prolongs it, or drops its end.
    timed_deciding.prolong(world.tools, ana, case_id, day(world, 5).isoformat())
    assert timed(world, case_id).state == "open"
    timed_deciding.drop_end(world.tools, ana, case_id)
    world.later(days=10)
    keep_time(world)
    assert timed(world, case_id).state == "dropped"
    with pytest.raises(Conflict):
        timed_deciding.end_now(world.tools, ana, case_id)


@pytest.mark.parametrize("synced", [True, False])
@pytest.mark.parametrize("who_went", ["person", "access"])
def test_what_went_before_its_day_has_ended(sqlite_world: World, who_went: str, synced: bool) -> None:
    """Nobody has to look at it: neither whoever left the organization has it, nor whom somebody took it from."""
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 3)
    world.settled()
    if who_went == "person":
        world.control("DELETE", f"/people/{person}")
    else:
        world.control("POST", f"/people/{person}/groups", {"group": GIVEN, "member": False})
    world.later(days=4)
    if synced:
        world.sync(ana)
    keep_time(world)
    world.act()
    found = timed(world, case_id)
    assert (found.state, found.reason) == ("ended", "It was gone already.")
    assert [entry.result for entry in world.audit("timed:ended")] == ["It was gone already."]
    assert timed_views.endings(world.tools, ana).counts["trouble"] == 0


def test_another_run_since_stands_in_the_way_only_where_it_changed_the_same(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 3)
    world.settled()
    begin(world, ana, person, 300, access=Access(groups=(world.groups()[OTHER]["id"],)))
    world.later(days=4)
    keep_time(world)
    world.act()
    assert timed(world, case_id).state == "ended"
    assert not inside(world, person)
    assert inside(world, person, OTHER)


def test_an_operator_ends_it_now_or_takes_the_run_back_before(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    first, second = world.people(2)
    now, later = begin(world, ana, first), begin(world, ana, second)
    world.settled()
    timed_deciding.end_now(world.tools, ana, now)
    world.act()
    assert timed(world, now).state == "ended"
    shown = own_timed.own_page(world.tools, link(world, now, first))
    assert (shown.stage, shown.ends_on) == (Stage.WAS_TIMED, day(world, 0)), "not until a day to come"
    world.undo(ana, timed(world, later).run_id)
    found = timed(world, later)
    assert (found.state, found.reason) == ("ended", "An operator took it back before.")
    world.later(days=40)
    keep_time(world)
    assert len([run for run in world.rows(Run) if run.origin == "timed"]) == 1


@pytest.mark.parametrize("accepted", [False, True])
def test_an_invitation_is_removed_unless_somebody_came(sqlite_world: World, accepted: bool) -> None:
    world = sqlite_world
    ana = world.synced()
    group = world.groups()["jira-users"]["id"]
    entry = Entry(
        Deed.INVITE,
        email="nora@newcomers.example",
        name="Nora",
        access=Access(groups=(group,)),
        ends_on=day(world, 3),
    )
    run_id = roster.preview_roster(world.tools, ana, [entry], Origin.INVITE)
    runs.confirm(world.tools, ana, run_id)
    world.act()
    [case] = world.cases(run_id).values()
    assert timed(world, case.id).account_id == case.account_id
    if accepted:
        world.control("POST", f"/people/{case.account_id}/accept", site="acme")
        world.change(case.account_id, last_active=world.days_ago(0.1))
    world.later(days=4)
    world.sync(ana)
    keep_time(world)
    world.act()
    found = timed(world, case.id)
    assert (found.state, found.reason) == ("ended", "")
    held = world.holding(case.account_id)
    if accepted:
        assert held is not None
        assert held["status"] == ("active", "active")
        assert held["groups"] == []
    else:
        assert held is None or held["status"][0] == "no_membership"


def test_whoever_was_removed_since_is_invited_again_when_it_is_to_last_longer(sqlite_world: World) -> None:
    """A managed account stays in the directory, without any access."""
    world = sqlite_world
    ana = world.synced()
    entry = Entry(
        Deed.INVITE,
        email="nora@newcomers.example",
        access=Access(groups=(world.groups()["jira-users"]["id"],)),
        ends_on=day(world, 3),
    )
    run_id = roster.preview_roster(world.tools, ana, [entry], Origin.INVITE)
    runs.confirm(world.tools, ana, run_id)
    world.act()
    [case] = world.cases(run_id).values()
    world.change(case.account_id, last_active=world.days_ago(0.1))
    world.later(days=4)
    world.sync(ana)
    keep_time(world)
    world.act()
    assert timed(world, case.id).state == "ended"
    world.change(case.account_id, membership_status="no_membership")
    world.settled()
    world.sync(ana)
    timed_deciding.prolong(world.tools, ana, case.id, day(world, 9).isoformat())
    world.act()
    held = world.holding(case.account_id)
    assert held is not None
    assert (held["status"][0], held["groups"]) == ("active", ["jira-users"])


def test_what_cannot_be_given_again_is_not_granted(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    person, case_id, token = asked_when_it_had_ended(world, ana)
    world.change(person, membership_status="suspended")
    world.sync(ana)
    with pytest.raises(Conflict) as refused:
        answer_queue.grant(world.tools, ana, [case_id], day(world, 10).isoformat())
    assert refused.value.sentence.endswith("cannot be given again: Is suspended: restore them first.")
    assert own_timed.own_page(world.tools, token).stage is Stage.ASKED
    assert len(world.rows(Run)) == 2
    world.change(person, membership_status="active")
    world.sync(ana)
    answer_queue.grant(world.tools, ana, [case_id], day(world, 10).isoformat())
    world.act()
    assert inside(world, person)


def test_nobody_is_told_to_lose_what_another_group_of_theirs_opens_too(sqlite_world: World) -> None:
    world = sqlite_world
    world.synced()
    with_it, without = world.people(2)
    world.arrange(with_it, groups=["jira-users", "confluence-users"])
    ana = world.caller("ana")
    world.sync(ana)
    with mail_switched_on(world):
        cases = [begin(world, ana, person, 3) for person in (with_it, without)]
        # They are told at six in the morning.
        world.later(days=2, hours=6)
        keep_time(world)
        world.deliver()
        told = {mail["to"]: mail["subject"].partition(" ends on ")[0] for mail in mails(world)}
    addresses = {one["account_id"]: one["email"] for one in world.directory()}
    assert told[addresses[with_it]] == f"Your access to {GIVEN}"
    assert told[addresses[without]] == "Your access to Confluence"
    pages = [
        own_timed.own_page(world.tools, link(world, *one))
        for one in zip(cases, (with_it, without), strict=True)
    ]
    assert [page.products for page in pages] == [(GIVEN,), ("Confluence",)]


@pytest.mark.parametrize("removed", ["by a run", "by somebody else"])
def test_who_was_gone_and_is_here_anew_has_no_end_of_the_time_before(world: World, removed: str) -> None:
    ana = world.synced()
    [person] = world.people(1)
    world.sync(ana)
    email = next(one["email"] for one in world.directory() if one["account_id"] == person)
    case_id = begin(world, ana, person, 20)
    world.settled()
    if removed == "by a run":
        began = by_roster(world, ana, Entry(Deed.REMOVE, account_id=person))
        assert world.states(began) == {person: "acted"}
        assert timed(world, case_id).state == "ended", "at once"
    else:
        world.change(person, membership_status="no_membership")
    world.settled()
    world.sync(ana)
    world.later(days=8)
    world.sync(ana)
    for_good = Access(groups=(world.groups()[GIVEN]["id"],))
    invited = by_roster(world, ana, Entry(Deed.INVITE, email=email, access=for_good))
    assert [case.state for case in world.cases(invited).values()] == ["acted"]
    world.settled()
    world.sync(ana)
    assert (timed(world, case_id).state, timed(world, case_id).reason) == ("ended", WITH_THEM)
    [ended] = world.audit("timed:ended")
    assert (ended.subject, ended.result) == (person, WITH_THEM)
    world.later(days=20)
    keep_time(world)
    world.act()
    assert inside(world, person)
    assert world.rows(Notice) == []


@pytest.mark.parametrize("known", ["before", "at the deed"])
def test_who_has_it_by_another_way_has_what_they_asked_for(sqlite_world: World, known: str) -> None:
    world = sqlite_world
    ana = world.synced()
    person, case_id, token = asked_when_it_had_ended(world, ana)
    world.control("POST", f"/people/{person}/groups", {"group": GIVEN, "member": True})
    if known == "before":
        world.sync(ana)
    answer_queue.grant(world.tools, ana, [case_id], day(world, 10).isoformat())
    world.act()
    assert inside(world, person)
    assert own_timed.own_page(world.tools, token).stage is Stage.GRANTED
    assert answer_queue.asking(world.tools, ana) == []


def test_of_two_days_said_at_once_for_what_is_given_again_the_second_is_refused(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    ana = world.synced()
    _person, case_id, _token = asked_when_it_had_ended(world, ana)
    timed_deciding.prolong(world.tools, ana, case_id, day(world, 10).isoformat())
    with pytest.raises(Conflict) as refused:
        timed_deciding.prolong(world.tools, ana, case_id, day(world, 20).isoformat())
    assert refused.value.sentence.endswith("is being given again at this moment.")
    world.act()
    assert [one.until for one in world.rows(TimedAccess) if one.state == "open"] == [day(world, 10)]


def test_what_ended_in_two_attempts_is_named_and_given_again_as_a_whole(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    person, case_id = ended_by_half(world, ana)
    timed_deciding.end_now(world.tools, ana, case_id)
    world.act()
    assert timed(world, case_id).state == "ended"
    token = link(world, case_id, person)
    assert own_timed.own_page(world.tools, token).products == ("Confluence", "Jira Service Management")
    own_timed.ask_for_longer(world.tools, token, "The audit takes longer.")
    world.settled()
    answer_queue.grant(world.tools, ana, [case_id], day(world, 10).isoformat())
    world.act()
    held = world.holding(person)
    assert held is not None
    assert {GIVEN, OTHER} <= {*held["groups"]}


@pytest.mark.parametrize("said", ["longer", "for good"])
def test_what_a_failed_end_took_is_given_back_when_the_access_is_to_last(
    sqlite_world: World, said: str
) -> None:
    world = sqlite_world
    ana = world.synced()
    person, case_id = ended_by_half(world, ana)
    if said == "longer":
        timed_deciding.prolong(world.tools, ana, case_id, day(world, 10).isoformat())
    else:
        timed_deciding.drop_end(world.tools, ana, case_id)
    world.act()
    held = world.holding(person)
    assert held is not None
    assert {GIVEN, OTHER} <= {*held["groups"]}
    world.later(days=12)
    world.sync(ana)
    keep_time(world)
    for _ in (GIVEN, OTHER):
        world.act()
        world.settled()
    held = world.holding(person)
    assert held is not None
    assert ({GIVEN, OTHER} & {*held["groups"]}) == (set() if said == "longer" else {GIVEN, OTHER})


@pytest.mark.parametrize("then", ["granted once more", "tried again from its run"])
def test_what_was_given_again_in_part_waits_for_an_operator_who_reads_why(
    sqlite_world: World, then: str
) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    groups = tuple(world.groups()[name]["id"] for name in (GIVEN, OTHER))
    case_id = begin(world, ana, person, 3, access=Access(groups=groups))
    world.later(days=4)
    keep_time(world)
    world.act()
    token = link(world, case_id, person)
    own_timed.ask_for_longer(world.tools, token, "The audit takes longer.")
    world.settled()
    answer_queue.grant(world.tools, ana, [case_id], day(world, 10).isoformat())
    fault = "403-scopes" if then == "granted once more" else "503"
    world.fault("/memberships$", fault, method="POST", skip=1, times=None)
    world.act()
    world.given_up()
    world.clear_faults()
    [again] = [one for one in world.rows(Case) if one.because == timed_deciding.AGAIN]
    assert (again.state, again.changed) == ("failed", True)
    assert own_timed.own_page(world.tools, token).stage is Stage.ASKED
    [waits] = answer_queue.asking(world.tools, ana)
    assert waits.tried == again.reason
    world.settled()
    if then == "granted once more":
        answer_queue.grant(world.tools, ana, [case_id], day(world, 10).isoformat())
    else:
        retrying.retry_failed(world.tools, ana, again.run_id)
    world.act()
    held = world.holding(person)
    assert held is not None
    assert {GIVEN, OTHER} <= {*held["groups"]}
    assert own_timed.own_page(world.tools, token).stage is Stage.GRANTED
    assert answer_queue.asking(world.tools, ana) == []


def test_who_was_removed_and_is_here_with_it_when_they_are_invited_again_waits_for_nobody(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    email = next(one["email"] for one in world.directory() if one["account_id"] == person)
    case_id = begin(world, ana, person, 3, email=email)
    world.later(days=4)
    keep_time(world)
    world.act()
    token = link(world, case_id, person)
    own_timed.ask_for_longer(world.tools, token, "The audit takes longer.")
    world.settled()
    world.change(person, membership_status="no_membership")
    world.sync(ana)
    world.change(person, membership_status="active")
    world.control("POST", f"/people/{person}/groups", {"group": GIVEN, "member": True})
    answer_queue.grant(world.tools, ana, [case_id], day(world, 10).isoformat())
    world.act()
    [again] = [one for one in world.rows(Case) if one.because == timed_deciding.AGAIN]
    assert (again.deed, again.state, again.reason) == ("invite", "spared", "Has this access already.")
    assert own_timed.own_page(world.tools, token).stage is Stage.GRANTED
    assert answer_queue.asking(world.tools, ana) == []


@pytest.mark.parametrize(("wanted", "said"), [(None, True), (60, True), (30, False), (10, False)], ids=str)
def test_who_has_it_for_a_time_and_is_to_have_it_longer_has_it_until_then(
    sqlite_world: World, wanted: int | None, said: bool
) -> None:
    world = sqlite_world
    ana = world.synced()
    [account] = world.people(1)
    world.sync(ana)
    begin(world, ana, account, days=30)
    access = Access(groups=(world.groups()[GIVEN]["id"],))
    until = day(world, wanted) if wanted is not None else None
    entry = Entry(Deed.GIVE_ACCESS, account_id=account, access=access, ends_on=until)
    [case] = world.cases(roster.preview_roster(world.tools, ana, [entry], Origin.INVITE)).values()
    there = f"Has this access already, until {day(world, 30):%-d %B %Y}."
    longer = f"{there} Prolong it under Onboarding, Access with an end, or by a list with a last day."
    assert (case.state, case.reason) == ("not_possible", longer if said else "Has this access already.")


def test_what_was_given_again_is_prolonged_where_it_stands_now(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 3)
    world.later(days=4)
    keep_time(world)
    world.act()
    world.settled()
    timed_deciding.prolong(world.tools, ana, case_id, day(world, 5).isoformat())
    world.act()
    world.settled()
    world.sync(ana)
    with pytest.raises(Conflict) as refused:
        timed_deciding.prolong(world.tools, ana, case_id, day(world, 20).isoformat())
    assert refused.value.sentence.endswith(
        f" has this access again already, until {day(world, 5):%-d %B %Y}."
    )
    [now] = [one for one in timed_views.endings(world.tools, ana).rows if one.timed.account_id == person]
    timed_deciding.prolong(world.tools, ana, now.case.id, day(world, 20).isoformat())
    world.later(days=6)
    keep_time(world)
    world.act()
    assert inside(world, person)


@pytest.mark.parametrize("then", ["granted once more", "tried again from its run"])
def test_what_was_not_given_again_waits_for_an_operator_who_reads_why(sqlite_world: World, then: str) -> None:
    world = sqlite_world
    ana = world.synced()
    person, case_id, token = asked_when_it_had_ended(world, ana)
    answer_queue.grant(world.tools, ana, [case_id], day(world, 10).isoformat())
    assert own_timed.own_page(world.tools, token).stage is Stage.GRANTED
    world.control("POST", f"/keys/{ACME_KEY}/expire")
    world.later(minutes=1)
    world.act()
    assert own_timed.own_page(world.tools, token).stage is Stage.ASKED
    [waits] = answer_queue.asking(world.tools, ana)
    assert waits.tried.startswith("Atlassian rejects the Admin API key")
    world.control("POST", f"/keys/{ACME_KEY}/expire?expired=false")
    world.store_key()
    if then == "granted once more":
        answer_queue.grant(world.tools, ana, [case_id], day(world, 10).isoformat())
    else:
        [again] = [run for run in world.rows(Run) if run.origin == "timed" and run.undoes is None]
        retrying.retry_failed(world.tools, ana, again.id)
    world.act()
    assert inside(world, person)
    assert own_timed.own_page(world.tools, token).stage is Stage.GRANTED
    assert answer_queue.asking(world.tools, ana) == []


def test_whose_invitation_was_withdrawn_before_anybody_read_them_has_no_access_left(
    sqlite_world: World,
) -> None:
    """Atlassian did not show them when they were looked for, and no sync has found them since."""
    world = sqlite_world
    ana = world.synced()
    access = Access(groups=(world.groups()["jira-users"]["id"],))
    entry = Entry(Deed.INVITE, email="nora@newcomers.example", access=access, ends_on=day(world, 3))
    run_id = roster.preview_roster(world.tools, ana, [entry], Origin.INVITE)
    runs.confirm(world.tools, ana, run_id)
    world.act()
    [case] = world.cases(run_id).values()
    world.control("DELETE", f"/people/{case.account_id}")
    with world.tools.begin() as session:
        session.execute(delete(Person).where(Person.account_id == case.account_id))
    world.later(days=3)
    world.sync(ana)
    world.later(days=1)
    keep_time(world)
    found = timed(world, case.id)
    assert (found.state, found.reason) == ("ended", "It was gone already.")


def test_who_had_left_before_they_were_invited_and_was_not_read_since_is_not_taken_for_gone(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    ana = world.synced()
    person = next(one for one in world.directory() if one["kind"] == "external")
    leaves = Entry(Deed.REMOVE, account_id=person["account_id"])
    runs.confirm(world.tools, ana, roster.preview_roster(world.tools, ana, [leaves], Origin.CSV))
    world.act()
    assert world.stored(Person, ACME, person["account_id"]).left_at is not None
    world.later(days=1)
    access = Access(groups=(world.groups()["jira-users"]["id"],))
    world.fault("/users/search$", "503", times=1, skip=1)
    entry = Entry(Deed.INVITE, email=person["email"], access=access, ends_on=day(world, 0))
    run_id = roster.preview_roster(world.tools, ana, [entry], Origin.INVITE)
    runs.confirm(world.tools, ana, run_id)
    world.act()
    [case] = world.cases(run_id).values()
    assert (case.account_id, case.state) == (person["account_id"], "acted")
    undo = undoing.preview_undo(world.tools, ana, run_id)
    assert world.case(undo, case.account_id).reason.startswith("Rollcall has not read them yet")
    world.later(days=1)
    keep_time(world)
    found = timed(world, case.id)
    assert (found.state, found.reason.partition(":")[0]) == ("not_ended", "Rollcall has not read them yet")
    world.sync(ana)
    timed_deciding.end_now(world.tools, ana, case.id)
    world.act()
    assert timed(world, case.id).state == "ended"
    assert world.holding(case.account_id) is None


def test_short_access_is_told_late_and_a_stopped_end_is_shown(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 3)
    world.later(days=2, hours=12)
    keep_time(world)
    assert [one.kind for one in world.rows(Notice)] == ["ends"]
    world.later(days=2)
    keep_time(world)
    runs.stop(world.tools, ana, timed(world, case_id).end_run_id or "")
    keep_time(world)
    found = timed(world, case_id)
    assert (found.state, found.reason) == ("not_ended", "The run that would have taken it back was stopped.")


def ended_in_vain(world: World, caller: Caller, case_id: str) -> str:
    """The last day is over, and the run that takes it back fails; its id."""
    world.later(days=4)
    keep_time(world)
    world.control("POST", f"/keys/{ACME_KEY}/expire")
    world.act()
    world.control("POST", f"/keys/{ACME_KEY}/expire?expired=false")
    # The key is rejected until somebody saves it again.
    world.store_key()
    found = timed(world, case_id)
    assert (found.state, world.case(found.end_run_id or "", found.account_id).state) == (
        "not_ended",
        "failed",
    )
    return found.end_run_id or ""


@pytest.mark.parametrize("deed", ["prolonged", "dropped"])
def test_s51_a_failed_end_that_is_tried_again_takes_nothing_that_was_granted_meanwhile(
    sqlite_world: World, deed: str
) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 3)
    run_id = ended_in_vain(world, ana, case_id)
    if deed == "prolonged":
        timed_deciding.prolong(world.tools, ana, case_id, day(world, 20).isoformat())
    else:
        timed_deciding.drop_end(world.tools, ana, case_id)
    retrying.retry_failed(world.tools, ana, run_id)
    world.act()
    said = {"prolonged": "It was prolonged meanwhile.", "dropped": "Its end was dropped meanwhile."}[deed]
    assert (world.case(run_id, person).state, world.case(run_id, person).reason) == ("spared", said)
    assert inside(world, person)
    assert timed(world, case_id).state == {"prolonged": "open", "dropped": "dropped"}[deed]
    assert world.audit("timed:ended") == []
    world.later(days=21)
    keep_time(world)
    world.act()
    assert inside(world, person) is (deed == "dropped")


def test_while_a_failed_end_is_tried_again_nobody_prolongs_it(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = begin(world, ana, person, 3)
    run_id = ended_in_vain(world, ana, case_id)
    retrying.retry_failed(world.tools, ana, run_id)
    found = timed(world, case_id)
    assert (found.state, found.reason) == ("ending", "")
    assert world.audit("timed:ending")[-1].actor == ana.account_id
    for deed in (timed_deciding.end_now, timed_deciding.drop_end):
        with pytest.raises(Conflict):
            deed(world.tools, ana, case_id)
    with pytest.raises(Conflict):
        timed_deciding.prolong(world.tools, ana, case_id, day(world, 20).isoformat())
    # Stopped before its turn, it waits for an operator again.
    runs.stop(world.tools, ana, run_id)
    keep_time(world)
    assert timed(world, case_id).state == "not_ended"
    timed_deciding.prolong(world.tools, ana, case_id, day(world, 20).isoformat())
    assert inside(world, person)


def test_what_could_not_be_ended_is_a_matter_until_an_operator_has_dealt_with_it(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    first, second = world.people(2)
    case_ids = [begin(world, ana, first, 3), begin(world, ana, second, 10)]

    def said() -> list[Matter]:
        return [one for one in matters(world.tools, ACME) if one.topic is Topic.ACCESS_STAYS]

    assert said() == []
    ended_in_vain(world, ana, case_ids[0])
    [one] = said()
    assert one.sentence == "1 person still has access whose last day is over: it could not be ended."
    assert (one.severity, one.action_path) == ("warning", "/app/onboarding/ending?show=trouble")
    assert [each.case.id for each in timed_views.endings(world.tools, ana, "trouble").rows] == [case_ids[0]]
    assert one.topic in ABOUT_STATES
    world.later(days=7)
    world.sync(ana)
    keep_time(world)
    runs.stop(world.tools, ana, timed(world, case_ids[1]).end_run_id or "")
    keep_time(world)
    [both] = said()
    assert both.sentence.startswith("2 people still have access")
    # Somebody joined them: told anew.
    assert both.key != one.key
    timed_deciding.prolong(world.tools, ana, case_ids[1], day(world, 3).isoformat())
    assert len(said()) == 1
    world.later(days=4)
    world.sync(ana)
    keep_time(world)
    runs.stop(world.tools, ana, timed(world, case_ids[1]).end_run_id or "")
    keep_time(world)
    [again] = said()
    assert again.sentence == both.sentence
    # The day that it was prolonged to is over, and it stays once more.
    assert again.key not in (one.key, both.key)
    for case_id in case_ids:
        timed_deciding.drop_end(world.tools, ana, case_id)
    assert said() == []


def in_review(world: World, caller: Caller, people: list[str], days: int) -> dict[str, str]:
    """They wait for an operator to let them into GIVEN for so many days: account id → case id."""
    access = Access(groups=(world.groups()[GIVEN]["id"],))
    entries = [
        Entry(Deed.GIVE_ACCESS, account_id=person, access=access, ends_on=day(world, days))
        for person in people
    ]
    with world.tools.begin() as session:
        run = roster.begin_roster(
            session,
            world.tools,
            ACME,
            entries,
            Origin.CSV,
            "",
            by=caller.account_id or "",
            now=world.clock(),
            review=True,
        )
        run_id = run.id
    return {person: world.case(run_id, person).id for person in people}


def test_whoever_is_approved_after_their_last_day_is_not(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    late, in_time = world.people(2)
    cases = in_review(world, ana, [late], 2) | in_review(world, ana, [in_time], 9)
    last = day(world, 2)
    said = f"Its last day, {last.day} {last:%B %Y}, is over: ask anew."
    world.later(days=3)
    with pytest.raises(Conflict) as refused:
        reviews.approve(world.tools, ana, [cases[late]])
    assert refused.value.sentence == said
    # Of several those go on whose day is still to come; beside the others stands why they do not.
    assert reviews.approve(world.tools, ana, list(cases.values())) == 1
    [waiting], _counts = reviews.queue(world.tools, ana)
    assert (waiting.case.id, waiting.case.reason) == (cases[late], said)
    assert [entry.subject for entry in world.audit("case:approved")] == [in_time]
    world.act()
    assert (inside(world, late), inside(world, in_time)) == (False, True)
    assert reviews.leave(world.tools, ana, [cases[late]]) == 1


def test_what_failed_is_not_given_after_its_last_day(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    [person] = world.people(1)
    case_id = in_review(world, ana, [person], 2)[person]
    last = day(world, 2)
    reviews.approve(world.tools, ana, [case_id])
    world.control("POST", f"/keys/{ACME_KEY}/expire")
    world.act()
    world.control("POST", f"/keys/{ACME_KEY}/expire?expired=false")
    world.store_key()
    world.later(days=3)
    [run] = world.rows(Run)
    retrying.retry_failed(world.tools, ana, run.id)
    world.act()
    case = world.case(run.id, person)
    assert (case.state, case.reason) == (
        "spared",
        f"Its last day, {last.day} {last:%B %Y}, is over: ask anew.",
    )
    assert world.effects_by(person) == {}
    assert world.rows(TimedAccess) == []


def test_s19_s55_nobody_answers_or_decides_for_others(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    gina = world.store_key("gina", "globex")
    person, other = world.people(2)
    case_id = begin(world, ana, person, 3)
    for deed in (timed_deciding.end_now, timed_deciding.drop_end):
        with pytest.raises(NotFound):
            deed(world.tools, gina, case_id)
    with pytest.raises(NotFound):
        timed_deciding.prolong(world.tools, gina, case_id, day(world, 5).isoformat())
    with pytest.raises(Conflict):
        own_timed.ask_for_longer_inside(world.tools, world.caller(other), case_id)
    with pytest.raises(Conflict):
        own_timed.ask_for_longer_inside(world.tools, world.caller("gwen", "globex"), case_id)
    with pytest.raises(NotFound):
        own_timed.ask_for_longer(world.tools, link(world, case_id, person) + "x", "")
    # A link about this case says nothing about keeping or asking back: nothing was taken.
    for kind in (AnswerKind.ASK_BACK, AnswerKind.KEEP):
        with pytest.raises(Conflict):
            answer(world.tools, link(world, case_id, person), kind)
    assert world.rows(Answer) == []
