"""Warnings: told once per date, spared when they come back or answer, never taken for warned (S49, S55, S56)."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from connect.caller import Caller
from connect.errors import Conflict
from models.notice import Notice
from models.tenant import Tenant
from rules.deeds import Deed
from rules.rule_file import BadRule
from services import (
    answer_queue,
    calendars,
    keeping,
    retrying,
    reviews,
    rule_runs,
    rules,
    run_progress,
    runs,
    undoing,
)
from services.answers import KEPT
from services.keeping import NOTHING_TO_KEEP
from services.mail_reach import NO_SERVER
from services.warning import NOT_IN_A_PRODUCT
from tests.services.workers import (
    Crash,
    Killed,
    act_on,
    before_it_is_written,
    die,
    once,
    with_something_between,
)
from tests.world import ACME, ACME_KEY, LEASE_OVER, World

pytestmark = pytest.mark.slow


def warned_step(grace: int = 14, warn: list[int] | None = None, **more: Any) -> dict[str, Any]:
    """Whoever was not seen for 90 days is suspended when the grace is over."""
    return {
        "when": {"not_seen": 90},
        "then": {"deed": "suspend"},
        "grace": grace,
        "warn": [grace, 3] if warn is None else warn,
        **more,
    }


def warned(
    world: World, people: list[str], step: dict[str, Any] | None = None, ana: Caller | None = None
) -> tuple[Caller, str, str]:
    """A rule about these people ran: (operator, rule, run)."""
    ana = ana or world.store_key()
    world.sync(ana)
    rule_id = world.rule(ana, step or warned_step(), who={"people": people})
    return ana, rule_id, world.run_rule(ana, rule_id)


def notices(world: World, account_id: str) -> list[Notice]:
    found = [one for one in world.rows(Notice) if one.account_id == account_id]
    return sorted(found, key=lambda one: (one.created_at, one.ordinal))


def test_warned_at_each_of_its_days_and_acted_on_when_the_grace_is_over(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    began = world.clock()
    ana, _rule_id, run_id = warned(world, [person], warned_step(14, [14, 7, 1]), ana)
    case = world.case(run_id, person)
    assert case.state == "warned"
    assert timedelta() <= case.due_at - timedelta(days=14) - began < timedelta(minutes=1)
    given: dict[int, int] = {}
    for day in range(14):
        for _ in range(3):
            world.tick()
        given[day] = len(notices(world, person))
        assert world.calls(person) == 0
        world.later(days=1)
    assert [day for day in given if given[day] > given.get(day - 1, 0)] == [0, 7, 13]
    world.tick()
    assert (world.states(run_id), world.effects(person)["suspend"]) == ({person: "acted"}, 1)
    found = notices(world, person)
    assert [(one.kind, one.ordinal, one.deed) for one in found] == [
        ("warning", number, "suspend") for number in range(3)
    ]
    assert {one.ends_at for one in found} == {case.due_at}
    assert len(world.audit("case:warned")) == 3


def test_a_worker_that_was_away_gives_one_warning_for_all_that_it_missed(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    _, _, run_id = warned(world, [person], warned_step(10, [10, 5, 4, 3]), ana)
    world.later(days=8)
    world.tick()
    world.tick()
    assert len(notices(world, person)) == 2
    world.later(days=2)
    world.tick()
    assert world.states(run_id) == {person: "acted"}
    assert len(notices(world, person)) == 2


def test_without_grace_nobody_is_warned(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    _, _, run_id = warned(world, [person], warned_step(0, []), ana)
    assert world.states(run_id) == {person: "acted"}
    assert notices(world, person) == []


@pytest.mark.parametrize("how", ["read", "webhook"])
def test_s49_whoever_comes_back_during_the_grace_is_spared(world: World, how: str) -> None:
    ana = world.store_key()
    back, other = world.people(2)
    _, _, run_id = warned(world, [back, other], ana=ana)
    world.later(days=13, hours=23)
    world.tick()
    assert set(world.states(run_id).values()) == {"warned"}
    if how == "read":
        world.change(back, last_active={"jira-software": world.clock().isoformat()})
    else:
        world.signal(back)
    world.later(hours=2)
    world.tick()
    assert world.states(run_id) == {back: "spared", other: "acted"}
    assert world.case(run_id, back).reason == "Was here today, in Jira."
    assert world.calls(back) == 0


def test_s49_a_second_before_the_call(sqlite_world: World) -> None:
    """The grace is over, and the person comes back just before they are read."""
    world = sqlite_world
    ana = world.store_key()
    (person,) = world.people(1)
    _, _, run_id = warned(world, [person], ana=ana)
    world.later(days=14)
    back = once("before", "person", lambda: world.signal(person))
    world.act(with_something_between(world.tools, back))
    assert (world.states(run_id), world.calls(person)) == ({person: "spared"}, 0)


def test_whoever_changes_otherwise_during_the_grace_is_spared(world: World) -> None:
    ana = world.store_key()
    promoted, suspended, left, synced = people = world.people(4)
    _, _, run_id = warned(world, people, ana=ana)
    world.change(promoted, platform_roles=["atlassian/org-admin"])
    world.change(suspended, membership_status="suspended")
    world.control("DELETE", f"/people/{left}")
    world.change(synced, management_source="synced")
    world.later(days=14)
    world.tick()
    assert set(world.states(run_id).values()) == {"spared"}
    assert all(world.calls(person) == 0 for person in people)


def test_s55_keeping_is_theirs_alone(world: World) -> None:
    mine, other = world.people(2)
    ana, gina = world.store_key(), world.synced("globex")
    _, _, run_id = warned(world, [mine, other], ana=ana)
    # Nobody else can say it: an operator, a stranger, the same account id behind another organization's door.
    for somebody_else in (ana, world.caller("uma"), Caller(gina.tenant, mine, gina.via)):
        with pytest.raises(Conflict):
            keeping.keep_my_access(world.tools, somebody_else)
    assert set(world.states(run_id).values()) == {"warned"}
    assert keeping.own_warning(world.tools, Caller(gina.tenant, mine, gina.via)) is None
    me = world.caller(mine)
    own = keeping.own_warning(world.tools, me)
    assert own is not None
    due_at = world.case(run_id, mine).due_at
    assert (own.deed, own.ends_on, own.can_keep) == (Deed.SUSPEND, due_at.date(), True)
    assert set(world.states(run_id).values()) == {"warned"}, "looking changes nothing"
    assert [one.read_at is not None for one in (*notices(world, mine), *notices(world, other))] == [
        True,
        False,
    ]
    for _ in range(2):
        assert keeping.keep_my_access(world.tools, me)
    assert world.states(run_id) == {mine: "spared", other: "warned"}
    assert world.case(run_id, mine).reason == KEPT
    assert [entry.actor for entry in world.audit("case:kept")] == [mine]
    assert keeping.own_warning(world.tools, me) is None
    world.later(days=14)
    world.tick()
    assert world.states(run_id) == {mine: "spared", other: "acted"}
    with pytest.raises(Conflict):
        keeping.keep_my_access(world.tools, world.caller(other))
    assert world.states(run_id)[other] == "acted", "too late: what is done is undone by an operator"


def test_s55_nobody_is_told_that_they_keep_what_they_lose(world: World) -> None:
    """Too late; or an operator has to decide, however often they say it."""
    ana = world.store_key()
    (person,) = world.people(1)
    _, _, run_id = warned(world, [person], warned_step(5, [5], answer="review"), ana)
    for _ in range(2):
        assert not keeping.keep_my_access(world.tools, world.caller(person))
    answer_queue.refuse(world.tools, ana, [world.case(run_id, person).id])
    world.later(days=6)
    world.act()
    assert world.states(run_id) == {person: "acted"}
    with pytest.raises(Conflict) as late:
        keeping.keep_my_access(world.tools, world.caller(person))
    assert late.value.sentence == NOTHING_TO_KEEP


def test_s55_an_answer_counts_until_somebody_stayed_away_as_long_again(world: World) -> None:
    """The rule's next runs leave them alone, its preview says why; when the answer is old, they are asked anew."""
    ana, gina = world.store_key(), world.synced("globex")
    (person,) = world.people(1)
    step = warned_step(5, [5]) | {"when": {"not_seen": 60, "never": 20}}
    _, rule_id, run_id = warned(world, [person], step, ana)
    other = rules.save_rule(world.tools, ana, world.rule_data(step, name="Another", who={"people": [person]}))
    with pytest.raises(BadRule):  # nobody of another organization can even be named
        rules.save_rule(world.tools, gina, world.rule_data(step, who={"people": [person]}))
    keeping.keep_my_access(world.tools, world.caller(person))
    kept_at = world.case(run_id, person).kept_at
    assert kept_at is not None
    for days in (1, 19.99):
        world.clock.offset += kept_at + timedelta(days=days) - world.clock()
        world.sync(ana)
        preview = rule_runs.preview_rule(world.tools, ana, rule_id)
        run_id = world.run_rule(ana, rule_id)
        for one in (preview, run_id):
            case = world.case(one, person)
            assert (case.state, case.why) == ("spared", "kept"), days
            assert case.reason == f"Answered on {kept_at:%-d %B %Y} that they still need their access."
            assert case.resume_at is None
        assert run_progress.show_run(world.tools, ana, run_id).state == "finished"
    # They answered one rule, not the others.
    assert world.states(rule_runs.preview_rule(world.tools, ana, other)) == {person: "planned"}
    assert len(notices(world, person)) == 1
    world.clock.offset += kept_at + timedelta(days=20) - world.clock()
    world.sync(ana)
    assert world.states(world.run_rule(ana, rule_id)) == {person: "warned"}
    assert len(notices(world, person)) == 2
    assert world.calls(person) == 0


def test_s55_their_last_answer_counts(world: World) -> None:
    """Asked anew they answer anew, and another twenty days are theirs."""
    ana = world.store_key()
    (person,) = world.people(1)
    step = warned_step(5, [5]) | {"when": {"not_seen": 20}}
    _, rule_id, _run_id = warned(world, [person], step, ana)
    for _ in range(2):
        keeping.keep_my_access(world.tools, world.caller(person))
        assert world.states(world.run_rule(ana, rule_id)) == {person: "spared"}
        world.later(days=20)
        world.sync(ana)
        run_id = world.run_rule(ana, rule_id)
        assert world.states(run_id) == {person: "warned"}
    keeping.keep_my_access(world.tools, world.caller(person))
    world.later(days=19)
    world.sync(ana)
    assert world.states(world.run_rule(ana, rule_id)) == {person: "spared"}
    assert world.calls(person) == 0


@pytest.mark.parametrize("days", [5, 14], ids=["during", "after"])
def test_whoever_is_tried_again_is_warned_anew(world: World, days: int) -> None:
    """The key expired; meanwhile their link said that it was over."""
    ana = world.store_key()
    (person,) = world.people(1)
    _, _, run_id = warned(world, [person], warned_step(14, [14, 9]), ana)
    world.control("POST", f"/keys/{ACME_KEY}/expire")
    world.later(days=days)
    world.act()
    assert world.states(run_id) == {person: "failed"}
    world.later(days=20)
    world.control("POST", f"/keys/{ACME_KEY}/expire?expired=false")
    world.store_key()
    retrying.retry_failed(world.tools, ana, run_id)
    world.act()
    case = world.case(run_id, person)
    assert (case.state, world.calls(person)) == ("warned", 0)
    assert timedelta(days=13, hours=23) < case.due_at - world.clock() <= timedelta(days=14)
    assert [one.ends_at == case.due_at for one in notices(world, person)] == [False, True]
    own = keeping.own_warning(world.tools, world.caller(person))
    assert own is not None
    assert (own.ends_on, own.can_keep) == (case.due_at.date(), True)
    assert keeping.keep_my_access(world.tools, world.caller(person))
    assert world.states(run_id) == {person: "spared"}


def test_whom_atlassian_has_turned_down_at_the_deed_is_warned_anew(world: World) -> None:
    """The key may read and not write: for weeks they believe that it is over, and a new key took it at once."""
    ana = world.store_key()
    (person,) = world.people(1)
    _, _, run_id = warned(world, [person], warned_step(14, [14]), ana)
    world.fault(f"/users/{person}/suspend$", "403-scopes")
    world.later(days=14)
    world.act()
    assert world.states(run_id) == {person: "failed"}
    world.later(days=20)
    world.store_key()
    retrying.retry_failed(world.tools, ana, run_id)
    world.act()
    case = world.case(run_id, person)
    assert (case.state, world.effects_by(person)) == ("warned", {})
    assert timedelta(days=13, hours=23) < case.due_at - world.clock() <= timedelta(days=14)


def test_whom_the_next_run_has_warned_is_not_tried_again_by_the_one_before(world: World) -> None:
    """Two warnings would name two days, and only the earlier one would be true."""
    ana = world.store_key()
    (person,) = world.people(1)
    _, rule_id, failed = warned(world, [person], ana=ana)
    world.control("POST", f"/keys/{ACME_KEY}/expire")
    world.later(days=14)
    world.act()
    world.control("POST", f"/keys/{ACME_KEY}/expire?expired=false")
    world.store_key()
    following = world.run_rule(ana, rule_id)
    with pytest.raises(Conflict) as refused:
        retrying.retry_failed(world.tools, ana, failed)
    assert refused.value.sentence == "Another run has them in hand by now."
    assert [world.states(run_id)[person] for run_id in (failed, following)] == ["failed", "warned"]
    assert notices(world, person)[-1].ends_at == world.case(following, person).due_at
    runs.stop(world.tools, ana, following)
    retrying.retry_failed(world.tools, ana, failed)
    world.act()
    assert world.states(failed) == {person: "warned"}


def test_s56_whom_an_operator_approved_is_tried_again_at_once(world: World) -> None:
    """They could not be warned, and the operator knew it."""
    ana = world.store_key()
    (person,) = world.people(1, groups=["confluence-users"])
    _, _, run_id = warned(world, [person], ana=ana)
    reviews.approve(world.tools, ana, [world.case(run_id, person).id])
    world.control("POST", f"/keys/{ACME_KEY}/expire")
    world.act()
    assert world.states(run_id) == {person: "failed"}
    world.control("POST", f"/keys/{ACME_KEY}/expire?expired=false")
    world.store_key()
    retrying.retry_failed(world.tools, ana, run_id)
    world.act()
    assert world.states(run_id) == {person: "acted"}


def test_s56_a_rung_that_only_tells_names_whom_it_cannot_reach(world: World) -> None:
    """Before anybody is told: the preview and the run say it in the same words."""
    ana = world.store_key()
    (unreachable,) = world.people(1, groups=["confluence-users"])
    reachable = world.people(2)[1]
    world.arrange(unreachable, groups=["confluence-users"])
    world.sync(ana)
    step = {"when": {"not_seen": 60}, "then": {"deed": "tell"}}
    rule_id = world.rule(ana, step, who={"people": [reachable, unreachable]})
    preview = rule_runs.preview_rule(world.tools, ana, rule_id)
    assert world.states(preview) == {reachable: "planned", unreachable: "not_possible"}
    run_id = world.run_rule(ana, rule_id)
    assert world.states(run_id) == {reachable: "acted", unreachable: "not_possible"}
    assert {world.case(one, unreachable).why for one in (preview, run_id)} == {"unreachable"}
    assert run_progress.show_run(world.tools, ana, run_id).chosen == 1
    assert notices(world, unreachable) == []


def test_who_stays_away_longer_is_told_by_the_next_rung_that_only_tells(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    tell = [{"when": {"not_seen": days}, "then": {"deed": "tell"}} for days in (90, 110)]
    world.sync(ana)
    rule_id = world.rule(ana, *tell, who={"people": [person]})
    told = []
    for days in (0, 5, 10, 5):
        world.later(days=days)
        told.append(world.states(world.run_rule(ana, rule_id))[person])
    assert told == ["acted", "spared", "acted", "spared"]
    assert len(notices(world, person)) == 2


def test_a_rung_that_only_tells_is_known_by_its_time_though_its_number_is_another_by_now(
    world: World,
) -> None:
    """Told by the second rung; the first one goes, and another one comes behind it: that one tells them as well."""
    ana = world.store_key()
    (person,) = world.people(1)
    who = {"people": [person]}

    def tell(*days: int) -> list[dict[str, Any]]:
        return [{"when": {"not_seen": each}, "then": {"deed": "tell"}} for each in days]

    world.sync(ana)
    rule_id = world.rule(ana, *tell(30, 90), who=who)
    assert world.states(world.run_rule(ana, rule_id)) == {person: "acted"}
    rules.save_rule(world.tools, ana, world.rule_data(*tell(90, 110), who=who), rule_id)
    world.approve_rule(ana, rule_id)
    told = []
    for days in (0, 15, 5):
        world.later(days=days)
        told.append(world.states(world.run_rule(ana, rule_id))[person])
    assert told == ["spared", "acted", "spared"]
    assert len(notices(world, person)) == 2


def test_s55_kept_while_the_worker_is_at_it(sqlite_world: World) -> None:
    """Between reading and calling, by the first worker; and by a second one, when the first died before its call."""
    world = sqlite_world
    ana = world.store_key()
    between, interrupted = world.people(2)
    _, _, run_id = warned(world, [between, interrupted], ana=ana)
    world.later(days=14)
    case = world.case(run_id, between)
    keeps = once("after", "person", lambda: keeping.keep_my_access(world.tools, world.caller(between)))
    act_on(with_something_between(world.tools, keeps), ACME, case.id, 9)
    case = world.case(run_id, interrupted)
    with pytest.raises(Killed):
        act_on(with_something_between(world.tools, die("before", "suspend")), ACME, case.id, 9)
    world.clock.offset += LEASE_OVER
    keeps = once("after", "person", lambda: keeping.keep_my_access(world.tools, world.caller(interrupted)))
    world.act(with_something_between(world.tools, keeps))
    world.settled()
    world.act()
    assert set(world.states(run_id).values()) == {"spared"}
    assert world.calls(between) == world.calls(interrupted) == 0


def test_nobody_is_warned_in_a_run_that_is_stopped_this_moment(world: World) -> None:
    """Whoever was, would read for ever that their access ends on a day that is long past."""
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    run_id = rule_runs.run_now(world.tools, ana, world.rule(ana, warned_step(), who={"people": [person]}))

    def stop_when_it_is_written() -> None:
        stop = partial(runs.stop, world.tools, ana, run_id)
        to_the_end.enter_context(before_it_is_written(world.tools, "UPDATE run_case SET", stop))

    with ExitStack() as to_the_end:
        world.act(with_something_between(world.tools, once("after", "person", stop_when_it_is_written)))
    assert (world.states(run_id), notices(world, person)) == ({person: "cancelled"}, [])
    assert keeping.own_warning(world.tools, world.caller(person)) is None


def test_s55_whoever_was_not_warned_keeps_nothing(world: World) -> None:
    """A restoring that a dead worker left behind is no deed to answer; it goes on."""
    ana = world.store_key()
    (person,) = world.people(1)
    _, _, run_id = warned(world, [person], warned_step(0, []), ana)
    world.settled()
    undo = undoing.preview_undo(world.tools, ana, run_id)
    runs.confirm(world.tools, ana, undo)
    with pytest.raises(Killed):
        world.act(with_something_between(world.tools, die("before", "restore")))
    with pytest.raises(Conflict):
        keeping.keep_my_access(world.tools, world.caller(person))
    world.clock.offset += LEASE_OVER
    world.act()
    assert world.states(undo) == {person: "acted"}
    assert world.effects(person) == {"suspend": 1, "restore": 1}


def test_whoever_comes_to_read_their_warning_is_here_and_left_alone(world: World) -> None:
    ana = world.store_key()
    here, away = world.people(2)
    _, _, run_id = warned(world, [here, away], ana=ana)
    world.later(days=5)
    assert keeping.own_warning(world.tools, world.caller(here)) is not None
    world.later(days=10)
    world.tick()
    assert world.states(run_id) == {here: "spared", away: "acted"}
    assert world.calls(here) == 0


def test_s56_whoever_cannot_be_reached_waits_for_an_operator(world: World) -> None:
    """Rollcall is in Jira alone: whoever has no seat there cannot read a notice."""
    ana = world.store_key()
    (reachable,) = world.people(1)
    unreachable = world.people(3, groups=["confluence-users"])[1:]
    world.arrange(reachable, groups=["jira-users"])
    approved, held = unreachable
    _, _, run_id = warned(world, [reachable, *unreachable], ana=ana)
    assert world.states(run_id) == {reachable: "warned", approved: "could_not_warn", held: "could_not_warn"}
    assert world.case(run_id, held).reason == f"{NOT_IN_A_PRODUCT} {NO_SERVER}"
    world.later(days=20)
    world.tick()
    assert world.states(run_id) == {reachable: "acted", approved: "could_not_warn", held: "could_not_warn"}
    assert notices(world, approved) == []
    queue, counts = reviews.queue(world.tools, ana)
    assert {one.case.account_id for one in queue} == set(unreachable)
    assert counts == {"could_not_warn": 2}
    cases = {one.case.account_id: one.case.id for one in queue}
    reviews.hold(world.tools, ana, [cases[held]])
    reviews.approve(world.tools, ana, [cases[approved]])
    world.act()
    assert world.states(run_id) == {reachable: "acted", approved: "acted", held: "held"}
    # Held or not: whoever approves knows that no warning reached them.
    reviews.approve(world.tools, ana, [cases[held]])
    world.act()
    assert world.states(run_id)[held] == "acted"


def test_s56_rollcall_on_one_site_reaches_nobody_of_another_one(world: World) -> None:
    """Two sites of one organization: in Confluence, Rollcall is on the other one alone."""
    ana = world.store_key()
    world.install("acme", "confluence")
    tenant = world.store_key("ana", product="confluence").tenant
    reachable, elsewhere = world.people(2, groups=["confluence-users"])
    world.arrange(reachable, groups=["confluence-users", "jira-users"])
    with world.tools.begin() as session:
        session.get_one(Tenant, tenant).base_url = "https://acme-second.atlassian.net/wiki"
    _, _, run_id = warned(world, [reachable, elsewhere], ana=ana)
    assert world.states(run_id) == {reachable: "warned", elsewhere: "could_not_warn"}
    assert notices(world, elsewhere) == []


def test_s56_a_rule_may_say_go_on(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1, groups=["confluence-users"])
    _, _, run_id = warned(world, [person], warned_step(unreachable="go_on"), ana)
    assert world.states(run_id) == {person: "planned"}
    assert world.case(run_id, person).reason == f"{NOT_IN_A_PRODUCT} {NO_SERVER}"
    (entry,) = world.audit("case:could_not_warn")
    assert "The rule says: go on." in entry.result
    world.later(days=13)
    world.tick()
    assert world.calls(person) == 0, "the grace is theirs all the same"
    world.later(days=1)
    world.tick()
    assert world.states(run_id) == {person: "acted"}
    assert notices(world, person) == []
    assert len(world.audit("case:could_not_warn")) == 1


def test_s56_whoever_is_suspended_reads_no_notice(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1, membership_status="suspended")
    world.sync(ana)
    world.later(days=29)
    world.sync(ana)
    step = {"when": {"suspended": 20}, "then": {"deed": "deactivate"}, "grace": 5}
    run_id = world.run_rule(ana, world.rule(ana, step, who={"people": [person]}))
    assert world.states(run_id) == {person: "could_not_warn"}


@pytest.mark.parametrize("what", ["off", "deleted", "stopped", "audit", "review", "others", "later"])
def test_a_rule_that_would_not_do_it_any_more_does_not(world: World, what: str) -> None:
    """During the grace it is switched off, its run stopped, or it is changed so that it would leave them alone."""
    ana = world.store_key()
    (person,) = world.people(1)
    _, rule_id, run_id = warned(world, [person], ana=ana)
    data = world.rule_data(warned_step(), who={"people": [person]})
    match what:
        case "off":
            rules.switch_off(world.tools, ana, rule_id)
        case "deleted":
            rules.delete_rule(world.tools, ana, rule_id)
        case "stopped":
            runs.stop(world.tools, ana, run_id)
        case "others":
            another = next(one["account_id"] for one in world.directory() if one["account_id"] != person)
            rules.save_rule(world.tools, ana, data | {"who": {"people": [another]}}, rule_id)
        case "later":
            step = warned_step() | {"when": {"not_seen": 300}}
            rules.save_rule(world.tools, ana, data | {"steps": [step]}, rule_id)
        case mode:
            rules.save_rule(world.tools, ana, data | {"mode": mode}, rule_id)
    world.later(days=14)
    world.tick()
    assert world.states(run_id) == {person: "cancelled" if what == "stopped" else "spared"}
    assert world.calls(person) == 0
    if what not in {"off", "deleted", "stopped"}:
        assert (
            world.case(run_id, person).reason
            == "The rule was changed and does not choose them for this any more."
        )
    assert run_progress.show_run(world.tools, ana, run_id).state in {"stopped", "finished"}


def test_a_rule_that_still_chooses_them_goes_on_after_a_change(world: World) -> None:
    ana = world.store_key()
    (person,) = world.people(1)
    _, rule_id, run_id = warned(world, [person], ana=ana)
    step = warned_step(30) | {"when": {"not_seen": 95}}
    rules.save_rule(world.tools, ana, world.rule_data(step, who={"people": [person]}), rule_id)
    world.later(days=14)
    world.tick()
    assert world.states(run_id) == {person: "acted"}, "at the end of the grace that they were told"


@pytest.mark.parametrize(
    ("start", "zone"),
    [
        (datetime(2027, 3, 25, 6, 30, tzinfo=UTC), "Europe/Berlin"),
        (datetime(2027, 10, 28, 0, 30, tzinfo=UTC), "Europe/Berlin"),
        (datetime(2027, 1, 29, 22, 0, tzinfo=UTC), "America/New_York"),
        (datetime(2028, 2, 26, 12, 0, tzinfo=UTC), "Pacific/Auckland"),
    ],
    ids=["spring", "autumn", "january", "leap-day"],
)
def test_grace_is_counted_in_days_whatever_the_clocks_and_the_calendar_do(
    sqlite_world: World, start: datetime, zone: str
) -> None:
    world = sqlite_world
    (person,) = world.people(1)
    world.clock.offset += start - world.clock()
    ana = world.store_key()
    calendars.set_calendar(world.tools, ana, zone, "")
    _, _, run_id = warned(world, [person], warned_step(6, [6, 4, 1]), ana)
    moments = []
    for hour in range(6 * 24 + 1):
        world.clock.offset += start + timedelta(hours=hour, minutes=1) - world.clock()
        world.tick()
        if len(notices(world, person)) > len(moments):
            moments.append(hour)
        assert world.calls(person) == int(hour == 6 * 24)
    assert moments == [0, 2 * 24, 5 * 24]
    assert world.states(run_id) == {person: "acted"}


def test_no_warning_twice_and_none_lost_wherever_the_worker_dies(world: World) -> None:
    ana = world.store_key()
    people = world.people(46)
    world.sync(ana)
    rule_id = world.rule(ana, warned_step(4, [4, 2]), who={"people": people})
    run_id = rule_runs.run_now(world.tools, ana, rule_id)
    crashes = {account_id: Crash(at) for at, account_id in enumerate(people, start=1)}
    for day in range(5):
        for account_id, case in world.cases(run_id).items():
            if crashes[account_id].moment or case.resume_at is None or case.resume_at > world.clock():
                continue
            try:
                tools = with_something_between(world.tools, crashes[account_id])
                act_on(tools, ACME, case.id, case.attempt + 1)
            except Killed:
                # A step that is repeated is repeated with the same attempt.
                act_on(world.tools, ACME, case.id, world.case(run_id, account_id).attempt)
        world.clock.offset += LEASE_OVER
        world.act()
        world.settled()
        world.act()
        assert {len(notices(world, account_id)) for account_id in people} == {1 if day < 2 else 2}, day
        world.later(days=1)
    assert set(world.states(run_id).values()) == {"acted"}
    assert {world.effects(account_id)["suspend"] for account_id in people} == {1}
    assert [account_id for account_id in people if not crashes[account_id].moment]


def test_a_ladder_warns_suspends_and_deactivates_one_after_the_other(world: World) -> None:
    """Three rungs of one rule, by the clock, over half a year; nobody is taken two rungs at once."""
    ana = world.store_key()
    (person,) = world.people(1, idle=59.5)
    world.sync(ana)
    world.rule(
        ana,
        {"when": {"not_seen": 60}, "then": {"deed": "tell"}},
        {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 7, "warn": [7]},
        {"when": {"suspended": 30}, "then": {"deed": "deactivate"}, "grace": 0},
        who={"people": [person]},
        schedule={"every": "day", "at": "06:00"},
    )
    happened: dict[str, int] = {}
    for day in range(1, 75):
        world.later(days=1)
        if day % 20 == 0:
            world.sync(ana)
        world.tick()
        world.later(hours=1)
        world.tick()
        world.later(hours=-1)
        for thing in ("told", "warning"):
            if any(one.kind == thing for one in notices(world, person)):
                happened.setdefault(thing, day)
        for deed in world.effects_by(person):
            happened.setdefault(deed, day)
    assert list(happened) == ["told", "warning", "suspend", "disable"]
    assert happened["told"] <= 2
    assert 30 <= happened["warning"] <= 32
    assert 7 <= happened["suspend"] - happened["warning"] <= 8
    assert 30 <= happened["disable"] - happened["suspend"] <= 31
    assert len(notices(world, person)) == 2
    assert world.effects_by(person) == {"suspend": 1, "disable": 1}
