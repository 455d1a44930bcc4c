"""A moment that stands for a day is the same day wherever it is read: the day where the organization lives."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from services import calendars, keeping
from services.keep_links import keep_link
from tests.services.mails import mail_switched_on, mails
from tests.services.test_hooks import add
from tests.services.test_onboarding import NORA, done, previewed, profile
from tests.services.test_timed_access import begin, keep_time, timed
from tests.world import ACME, World

ELSEWHERE = pytest.mark.parametrize(
    ("zone", "hour", "ahead"),
    [("Asia/Tokyo", 20, 1), ("America/Los_Angeles", 3, -1)],
    ids=["tokyo", "los-angeles"],
)
"""An hour in UTC at which it is another day there, and how many days that one is ahead."""


def go_to(world: World, hour: int) -> None:
    """The app's clock shows the next such hour in UTC; whoever goes back with it can log in again."""
    now = world.clock()
    then = datetime.combine(now.date(), time(hour, 30), now.tzinfo)
    world.clock.offset += then - now if then > now else then + timedelta(days=1) - now


def words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def page(world: World, path: str) -> str:
    answer = world.call("GET", path)
    assert answer.ok, answer.text
    return answer.text


def strip(world: World, account_id: str) -> str:
    """What somebody who was warned reads in the product."""
    where = {"site": "acme", "product": "jira", "module": "rollcall-app", "account_id": account_id}
    return world.http.get(world.control("GET", "/page-url", **where)["url"]).text


@ELSEWHERE
@pytest.mark.slow
def test_the_end_of_a_grace_is_one_day_for_everybody(world: World, zone: str, hour: int, ahead: int) -> None:
    ana = world.store_key()
    calendars.set_calendar(world.tools, ana, zone, "")
    add(world, ana)
    (person,) = world.people(1)
    world.sync(ana)
    before = world.clock.offset
    with mail_switched_on(world):
        go_to(world, hour)
        step = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 14, "warn": [14]}
        run_id = world.run_rule(ana, world.rule(ana, step, who={"people": [person]}))
        world.deliver()
        world.clock.offset = before
        case = world.case(run_id, person)
        assert case.due_at is not None
        day = case.due_at.astimezone(ZoneInfo(zone)).date()
        assert day == case.due_at.date() + timedelta(days=ahead)
        told = [json.loads(call["body"])["data"]["sentence"] for call in world.hook_calls("demo")]
        read = {
            "run": page(world, f"/app/runs/{run_id}"),
            "live": page(world, f"/app/runs/{run_id}/progress"),
            "strip": strip(world, person),
            "hook": " ".join(told),
            "mail": mails(world)[0]["text"],
            "personal": world.http.get(keep_link(world.tools, ACME, case.id, person)).text,
        }
    assert [name for name, text in read.items() if words(day) not in text] == []
    assert [name for name, text in read.items() if words(case.due_at.date()) in text] == []


@ELSEWHERE
def test_a_first_day_is_the_day_that_was_chosen(
    sqlite_world: World, zone: str, hour: int, ahead: int
) -> None:
    world = sqlite_world
    ana = world.synced()
    calendars.set_calendar(world.tools, ana, zone, "")
    kept, before = profile(world), world.clock.offset
    go_to(world, hour)
    day = world.clock().astimezone(ZoneInfo(zone)).date() + timedelta(days=5)
    run_id = previewed(world, NORA, kept, starts_on=day.isoformat())
    assert done(world, run_id)[NORA][0] == "planned"
    world.clock.offset = before
    for path in (f"/app/runs/{run_id}", "/app/onboarding"):
        assert f"Begins on {words(day)}" in page(world, path), path


def test_a_last_day_is_the_same_at_the_edge_of_the_world(sqlite_world: World) -> None:
    """Its noon there is still the day before in UTC."""
    world = sqlite_world
    ana = world.synced()
    calendars.set_calendar(world.tools, ana, "Pacific/Kiritimati", "")
    add(world, ana)
    (person,) = world.people(1)
    with mail_switched_on(world):
        until = timed(world, begin(world, ana, person, 30)).until
        world.later(days=25)
        keep_time(world)
        warning = keeping.own_warning(world.tools, world.caller(person))
        world.deliver()
        world.later(days=7)
        keep_time(world)
        world.act()
        world.deliver()
        said = [json.loads(call["body"])["data"]["sentence"] for call in world.hook_calls("demo")]
        ended, told = mails(world)
    assert warning is not None
    assert warning.ends_on == until
    assert any(f"given ends on {words(until)}." in sentence for sentence in said)
    assert f"until {words(until)}" in told["text"]
    assert f"It was given until {words(until)}." in ended["text"]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_first_day_to_choose_is_today_there(sqlite_world: World, zone: str) -> None:
    """In one of the two it is always another day than in UTC."""
    world = sqlite_world
    ana = world.synced()
    calendars.set_calendar(world.tools, ana, zone, "")
    profile(world)
    shown = page(world, "/app/onboarding")
    today = world.clock().astimezone(ZoneInfo(zone)).date()
    assert f'name="starts_on" type="date" min="{today.isoformat()}"' in shown
