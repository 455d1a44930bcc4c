"""The organization's calendar: in its time zone, right across the clocks' jumps and at the ends of months."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connect.errors import Invalid, NotReady
from models.organization import Organization
from models.rule import StoredRule
from rules.schedule import Every, Schedule
from services import calendars, rule_views, rules
from services.schedules import known_time_zones, next_dates
from services.syncing import request_sync
from tests.world import ACCOUNTS, ACME, GLOBEX, World

pytestmark = pytest.mark.slow


def walls(
    schedule: Schedule, zone: str, after: str, count: int = 3, billing_day: int | None = None
) -> list[str]:
    """The next dates as the clocks there show them, with their distance from UTC."""
    moments = next_dates(schedule, zone, billing_day, datetime.fromisoformat(after), count)
    assert moments == sorted(set(moments))
    assert all(moment > datetime.fromisoformat(after) for moment in moments)
    return [f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M%z}" for moment in moments]


@pytest.mark.parametrize(
    ("schedule", "zone", "after", "expected"),
    [
        # The same wall-clock time on both sides of a jump.
        (Schedule(Every.DAY, 6), "Europe/Berlin", "2027-03-27T00:00Z",
         ["2027-03-27 06:00+0100", "2027-03-28 06:00+0200", "2027-03-29 06:00+0200"]),
        (Schedule(Every.WEEK, 6, weekday=0), "America/New_York", "2027-10-30T00:00Z",
         ["2027-11-01 06:00-0400", "2027-11-08 06:00-0500", "2027-11-15 06:00-0500"]),
        # 02:30 is skipped in spring, and comes twice in autumn.
        (Schedule(Every.DAY, 2, 30), "Europe/Berlin", "2027-03-27T12:00Z",
         ["2027-03-28 03:00+0200", "2027-03-29 02:30+0200", "2027-03-30 02:30+0200"]),
        (Schedule(Every.DAY, 2, 30), "Europe/Berlin", "2027-10-30T12:00Z",
         ["2027-10-31 02:30+0200", "2027-11-01 02:30+0100", "2027-11-02 02:30+0100"]),
        (Schedule(Every.CRON, cron="30 2 * * *"), "Europe/Berlin", "2027-10-30T12:00Z",
         ["2027-10-31 02:30+0200", "2027-11-01 02:30+0100", "2027-11-02 02:30+0100"]),
        # Months without a 31st, a leap year's February.
        (Schedule(Every.MONTH, 6, day=31), "UTC", "2028-01-31T06:00Z",
         ["2028-02-29 06:00+0000", "2028-03-31 06:00+0000", "2028-04-30 06:00+0000"]),
        (Schedule(Every.CRON, cron="0 6 31 * *"), "UTC", "2027-01-31T06:00Z",
         ["2027-03-31 06:00+0000", "2027-05-31 06:00+0000", "2027-07-31 06:00+0000"]),
        # A day that an island left out.
        (Schedule(Every.DAY, 6), "Pacific/Apia", "2011-12-29T00:00Z",
         ["2011-12-29 06:00-1000", "2011-12-31 00:00+1400", "2011-12-31 06:00+1400"]),
    ],
)  # fmt: skip
def test_dates_across_jumps_and_ends_of_months(
    schedule: Schedule, zone: str, after: str, expected: list[str]
) -> None:
    assert walls(schedule, zone, after) == expected


def test_days_before_the_billing_date() -> None:
    before = Schedule(Every.BILLING, 6, days_before=3)
    assert walls(before, "Europe/Berlin", "2027-02-01T00:00Z", billing_day=31) == [
        "2027-02-25 06:00+0100",
        "2027-03-28 06:00+0200",
        "2027-04-27 06:00+0200",
    ]
    assert walls(before, "UTC", "2027-02-26T00:00Z", billing_day=1) == [
        "2027-02-26 06:00+0000",
        "2027-03-29 06:00+0000",
        "2027-04-28 06:00+0000",
    ]
    assert next_dates(before, "UTC", None, datetime(2027, 1, 1, tzinfo=UTC)) == []


def test_by_hand_there_are_no_dates() -> None:
    assert next_dates(Schedule(), "UTC", 1, datetime(2027, 1, 1, tzinfo=UTC)) == []


def test_every_time_zone_can_be_chosen_and_reckoned_in() -> None:
    zones = known_time_zones()
    assert {"UTC", "Europe/Zagreb", "Asia/Kathmandu"} <= set(zones)
    for zone in zones:
        assert len(walls(Schedule(Every.DAY, 2, 30), zone, "2027-03-01T00:00Z", 400)) == 400


@pytest.mark.parametrize("change", ["the rule", "the calendar"])
def test_a_rule_whose_date_has_come_keeps_it_while_it_waits_for_a_sync(
    sqlite_world: World, change: str
) -> None:
    """Once a month: whoever mends its name, or the time zone, just then does not take the month's run away."""
    world = sqlite_world
    ana = world.synced()
    schedule = {"every": "month", "at": "06:00", "day": 1}
    data = world.rule_data(mode="review", schedule=schedule)
    rule_id = rules.save_rule(world.tools, ana, data)
    rules.switch_on(world.tools, ana, rule_id)
    (due_at, *_later) = rule_views.show_rule(world.tools, ana, rule_id).dates
    world.later(seconds=(due_at - world.clock()).total_seconds() + 60)
    request_sync(world.tools, ana)
    world.tick()
    assert world.runs_of(rule_id) == []
    if change == "the rule":
        rules.save_rule(world.tools, ana, data | {"name": "Idle people"}, rule_id)
    else:
        calendars.set_calendar(world.tools, ana, "Europe/Berlin", "")
    world.sync(ana)
    world.tick()
    assert [run.state for run in world.runs_of(rule_id)] == ["running"]
    assert world.stored(StoredRule, ACME, rule_id).next_run_at > due_at + timedelta(days=20)


def test_a_new_calendar_gives_the_rules_that_are_on_new_dates(world: World) -> None:
    ana, gina = world.synced(), world.synced("globex")
    daily = world.rule(ana, name="Daily", schedule={"every": "day", "at": "06:00"})
    off = rules.save_rule(world.tools, ana, world.rule_data(name="Off", schedule={"every": "day"}))
    other = world.rule(gina, schedule={"every": "day", "at": "06:00"})
    theirs = world.stored(StoredRule, GLOBEX, other).next_run_at
    calendars.set_calendar(world.tools, ana, "Asia/Kathmandu", " 31 ")
    assert calendars.calendar_of(world.tools, ana) == ("Asia/Kathmandu", 31)
    assert calendars.calendar_of(world.tools, gina) == ("UTC", None)
    moment = world.stored(StoredRule, ACME, daily).next_run_at.astimezone(ZoneInfo("Asia/Kathmandu"))
    assert (moment.hour, moment.minute) == (6, 0)
    assert timedelta() < moment - world.clock() <= timedelta(days=1)
    assert world.stored(StoredRule, ACME, off).next_run_at is None
    assert world.stored(StoredRule, GLOBEX, other).next_run_at == theirs
    page = rule_views.show_rule(world.tools, ana, daily)
    assert (page.time_zone, page.dates[0]) == ("Asia/Kathmandu", moment)
    assert len(page.dates) == 5
    (entry,) = world.audit("organization:settings_changed")
    assert (entry.actor, entry.result) == (ACCOUNTS["ana"], "time zone Asia/Kathmandu, billing day 31")
    calendars.set_calendar(world.tools, ana, "Asia/Kathmandu", "31")
    assert len(world.audit("organization:settings_changed")) == 1
    # Now a rule may go by the billing date.
    rule_id = rules.save_rule(world.tools, ana, world.rule_data(name="Bill", schedule={"every": "billing"}))
    assert len(rule_views.show_rule(world.tools, ana, rule_id).dates) == 5


@pytest.mark.parametrize(
    ("time_zone", "day", "field"),
    [
        ("Mars/Olympus", "", "time_zone"),
        ("", "", "time_zone"),
        ("../etc/passwd", "", "time_zone"),
        ("Etc/GMT+3", "", "time_zone"),
        ("UTC", "0", "billing_day"),
        ("UTC", "32", "billing_day"),
        ("UTC", "1.5", "billing_day"),
        ("UTC", "²", "billing_day"),
        ("UTC", "9" * 5000, "billing_day"),
        ("UTC", "00019999", "billing_day"),
    ],
    ids=lambda word: word[:10],
)
def test_what_is_no_calendar(sqlite_world: World, time_zone: str, day: str, field: str) -> None:
    world = sqlite_world
    ana = world.synced()
    with pytest.raises(Invalid) as invalid:
        calendars.set_calendar(world.tools, ana, time_zone, day)
    assert invalid.value.field == field
    assert world.stored(Organization, ACME).time_zone == "UTC"


def test_the_billing_day_stays_while_a_rule_that_is_on_needs_it(world: World) -> None:
    ana, gina = world.synced(), world.synced("globex")
    for caller in (ana, gina):
        calendars.set_calendar(world.tools, caller, "Europe/Zagreb", "15")
    bill = world.rule(ana, name="Bill", schedule={"every": "billing"})
    rules.save_rule(world.tools, ana, world.rule_data(name="Off", schedule={"every": "billing"}))
    due = world.stored(StoredRule, ACME, bill).next_run_at
    assert due is not None
    before = world.dump()
    for zone in ("Europe/Zagreb", "UTC"):
        with pytest.raises(Invalid) as invalid:
            calendars.set_calendar(world.tools, ana, zone, " ")
        assert invalid.value.field == "billing_day"
        assert "“Bill”" in invalid.value.sentence
        assert "switch that rule off" in invalid.value.next_step
    assert world.dump() == before, "not even the time zone"
    # Another day is no trouble; globex has no rule that needs one; a rule that is off does not hold it.
    calendars.set_calendar(world.tools, ana, "Europe/Zagreb", "16")
    assert world.stored(StoredRule, ACME, bill).next_run_at != due
    calendars.set_calendar(world.tools, gina, "Europe/Zagreb", "")
    rules.switch_off(world.tools, ana, bill)
    calendars.set_calendar(world.tools, ana, "UTC", "")
    assert calendars.calendar_of(world.tools, ana) == ("UTC", None)
    assert calendars.calendar_of(world.tools, gina) == ("Europe/Zagreb", None)
    # And without a day it cannot be switched on again: it would never run.
    with pytest.raises(NotReady) as refused:
        rules.switch_on(world.tools, ana, bill)
    assert "on which day of the month Atlassian bills" in refused.value.sentence
    stored = world.stored(StoredRule, ACME, bill)
    assert (stored.is_on, stored.next_run_at) == (False, None)
    calendars.set_calendar(world.tools, ana, "UTC", "15")
    rules.switch_on(world.tools, ana, bill)
    assert world.stored(StoredRule, ACME, bill).next_run_at is not None
