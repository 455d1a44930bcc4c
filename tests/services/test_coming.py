"""What comes by itself in the next seven days: each kind of it, on its day, and nothing that comes later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import ORMExecuteState

from connect.caller import Caller
from models.run import Case, Run
from rules.deeds import Deed
from rules.roster import Access, Entry, Origin
from services import leaver_decisions, roster, runs
from services.coming import AWAY, LEAVERS, RUN, TIMED, Coming, what_comes, whom_it_meets
from services.ground import day_in
from services.leavers import end_of_day, request_leavers
from services.previews import Purpose
from tests.services.leavers import UMA, planned, ready, work
from tests.services.mails import mail_switched_on
from tests.services.test_absences import suspended
from tests.services.test_timed_access import GIVEN
from tests.world import ACME, GLOBEX, World


def in_days(world: World, days: int) -> date:
    with world.tools.begin() as session:
        return day_in(session, ACME, world.clock()) + timedelta(days=days)


def coming(world: World, organization_id: str = ACME) -> list[Coming]:
    with world.tools.begin() as session:
        return what_comes(session, organization_id, world.clock())


def warned(world: World, ana: Caller, days: int) -> str:
    """A rule has warned somebody, so many days before it suspends them."""
    [person] = world.people(1)
    world.sync(ana)
    rung = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "warn": [days], "grace": days}
    rule = world.rule(ana, rung, who={"people": [person]})
    with mail_switched_on(world):
        world.run_rule(ana, rule)
    return person


def away(world: World, ana: Caller, days: int) -> str:
    [person] = world.changeable(1)
    suspended(world, ana, person, Purpose("Parental leave", "", in_days(world, days - 1), True))
    return person


def by_a_file(world: World, ana: Caller, **words: object) -> str:
    [person] = world.people(1)
    access = Access(groups=(world.groups()[GIVEN]["id"],))
    entry = Entry(Deed.GIVE_ACCESS, account_id=person, access=access, **words)  # type: ignore[arg-type]
    runs.confirm(world.tools, ana, roster.preview_roster(world.tools, ana, [entry], Origin.CSV))
    world.act()
    return person


def with_an_end(world: World, ana: Caller, days: int) -> str:
    return by_a_file(world, ana, ends_on=in_days(world, days - 1))


def with_a_first_day(world: World, ana: Caller, days: int) -> str:
    return by_a_file(world, ana, starts_on=in_days(world, days))


def leaving(world: World, ana: Caller, days: int) -> str:
    with world.tools.begin() as session:
        ends_at = end_of_day(session, ACME, in_days(world, days - 1))
    leaver_decisions.confirm(world.tools, ana, planned(world, ana, ends_at=ends_at))
    work(world)
    return UMA


KINDS = pytest.mark.parametrize(
    ("kind", "deed", "place"),
    [
        (warned, Deed.SUSPEND, RUN),
        (with_a_first_day, Deed.GIVE_ACCESS, RUN),
        (with_an_end, Deed.TAKE_BACK, TIMED),
        (away, Deed.RESTORE, AWAY),
        (leaving, Deed.SUSPEND, LEAVERS),
    ],
    ids=["warned", "first day", "with an end", "away", "leaving"],
)
Kind = Callable[[World, Caller, int], str]


@KINDS
def test_what_comes_is_told_on_its_day(world: World, kind: Kind, deed: Deed, place: str) -> None:
    ana = ready(world)
    world.synced("globex")
    person = kind(world, ana, 3)
    [one] = coming(world)
    assert (one.day, one.deed, one.people, one.place) == (in_days(world, 3), deed, 1, place)
    assert bool(one.run_id) is (place == RUN)
    assert one.rule == ("Idle" if kind is warned else "")
    with world.tools.begin() as session:
        [met] = whom_it_meets(session, ACME, world.clock(), 10)
    name = next(each["name"] for each in world.directory() if each["account_id"] == person)
    assert (met.day, met.deed, met.name, met.rule) == (one.day, deed, name, one.rule)
    assert coming(world, GLOBEX) == []


@KINDS
def test_what_comes_later_is_not_told_yet(sqlite_world: World, kind: Kind, deed: Deed, place: str) -> None:
    world = sqlite_world
    kind(world, ready(world), 9)
    assert coming(world) == []
    world.later(days=2)
    assert [(one.deed, one.place) for one in coming(world)] == [(deed, place)]


def test_of_the_seventh_day_all_is_told_from_its_first_hour_on(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    with_a_first_day(world, ana, 8)
    with_an_end(world, ana, 8)
    now = world.clock()
    world.later(seconds=(now.replace(hour=0, minute=10) + timedelta(days=1) - now).total_seconds())
    assert {one.deed for one in coming(world)} == {Deed.GIVE_ACCESS, Deed.TAKE_BACK}


def test_whom_a_rule_has_warned_the_database_counts_day_by_day(world: World) -> None:
    """Each has a moment of their own: thousands of rows would be read for every Overview."""
    ana = ready(world)
    found = world.people(6)
    world.sync(ana)
    rung = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "warn": [3], "grace": 3}
    rule = world.rule(ana, rung, who={"people": found})
    with mail_switched_on(world):
        run_id = world.run_rule(ana, rule)
    midnight = datetime.combine(in_days(world, 3), time.min, world.clock().tzinfo)
    with world.tools.begin() as session:
        for number, case in enumerate(session.scalars(select(Case).where(Case.run_id == run_id))):
            case.due_at = midnight + timedelta(hours=12 * number)
    rows: list[int] = []
    with world.tools.begin() as session:

        def count(asked: ORMExecuteState) -> Any:
            answer = asked.invoke_statement().freeze()
            rows.append(len(answer().all()))
            return answer()

        event.listen(session, "do_orm_execute", count)
        told = what_comes(session, ACME, world.clock())
    assert [(one.day, one.people) for one in told] == [(in_days(world, 3), 2), (in_days(world, 4), 2)]
    assert max(rows) == 2


def test_whoever_will_not_be_restored_does_not_come(sqlite_world: World) -> None:
    """Their absence ends, and they are leaving."""
    world = sqlite_world
    ana = ready(world)
    person = away(world, ana, 3)
    request_leavers(world.tools, ana, [person])
    assert coming(world) == []


def test_a_stopped_run_comes_no_more(sqlite_world: World) -> None:
    world = sqlite_world
    ana = ready(world)
    warned(world, ana, 3)
    [run_id] = [one.id for one in world.rows(Run) if one.state == "running"]
    runs.stop(world.tools, ana, run_id)
    assert coming(world) == []
