"""When a rule runs: wall-clock times across DST, short months, and no run twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.schedule import Every, Schedule
from services.schedules import known_time_zones, next_dates, problem_of

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
ZONES = ["UTC", BERLIN, NEW_YORK, LORD_HOWE]


def local(
    schedule: Schedule, zone: str, after: str, count: int = 3, billing_day: int | None = None
) -> list[str]:
    """The next dates as the clocks there show them, with their offset."""
    begin = datetime.fromisoformat(after).replace(tzinfo=ZoneInfo(zone))
    dates = next_dates(schedule, zone, billing_day, begin, count)
    assert all(each.utcoffset() == timedelta(0) for each in dates)
    return [f"{each.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M%z}" for each in dates]


def daily(hour: int, minute: int = 0) -> Schedule:
    return Schedule(Every.DAY, hour=hour, minute=minute)


def cron(expression: str) -> Schedule:
    return Schedule(Every.CRON, cron=expression)


@pytest.mark.parametrize(
    ("zone", "at", "after", "expected"),
    [
        # Spring: the clocks go from 02:00 to 03:00.
        (BERLIN, (2, 30), "2026-03-28T00:00", ["03-28 02:30+0100", "03-29 03:00+0200", "03-30 02:30+0200"]),
        (BERLIN, (6, 0), "2026-03-28T00:00", ["03-28 06:00+0100", "03-29 06:00+0200", "03-30 06:00+0200"]),
        # Autumn: 02:30 comes twice, the run once.
        (BERLIN, (2, 30), "2026-10-24T00:00", ["10-24 02:30+0200", "10-25 02:30+0200", "10-26 02:30+0100"]),
        (BERLIN, (3, 0), "2026-10-24T00:00", ["10-24 03:00+0200", "10-25 03:00+0100", "10-26 03:00+0100"]),
        (NEW_YORK, (2, 0), "2026-03-07T00:00", ["03-07 02:00-0500", "03-08 03:00-0400", "03-09 02:00-0400"]),
        (NEW_YORK, (1, 30), "2026-10-31T00:00", ["10-31 01:30-0400", "11-01 01:30-0400", "11-02 01:30-0500"]),
        # Half an hour: 02:00 to 02:30, and back.
        (LORD_HOWE, (2, 15), "2026-10-03T00:00", ["10-03 02:15+1030", "10-04 02:30+1100", "10-05 02:15+1100"]),
        (LORD_HOWE, (1, 45), "2026-04-04T00:00", ["04-04 01:45+1100", "04-05 01:45+1100", "04-06 01:45+1030"]),
        # A whole day that never was.
        ("Pacific/Apia", (6, 0), "2011-12-29T00:00", ["12-29 06:00-1000", "12-31 00:00+1400", "12-31 06:00+1400"]),
        ("UTC", (2, 30), "2026-03-28T00:00", ["03-28 02:30+0000", "03-29 02:30+0000", "03-30 02:30+0000"]),
    ],
)  # fmt: skip
def test_a_daily_rule_across_dst(zone: str, at: tuple[int, int], after: str, expected: list[str]) -> None:
    for schedule in (daily(*at), cron(f"{at[1]} {at[0]} * * *")):
        assert [each.partition("-")[2] for each in local(schedule, zone, after)] == expected


def test_in_the_hour_that_comes_twice_nothing_runs_again() -> None:
    second_time = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)  # 02:15 in Berlin, for the second time
    assert next_dates(daily(2, 30), BERLIN, None, second_time, 1) == [
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
    ]


def test_an_hourly_cron_across_dst() -> None:
    assert local(cron("0 * * * *"), BERLIN, "2026-03-29T00:30") == [
        "2026-03-29 01:00+0100",
        "2026-03-29 03:00+0200",
        "2026-03-29 04:00+0200",
    ]
    assert local(cron("0 * * * *"), BERLIN, "2026-10-25T01:30") == [
        "2026-10-25 02:00+0200",
        "2026-10-25 03:00+0100",
        "2026-10-25 04:00+0100",
    ]


@pytest.mark.parametrize(
    ("schedule", "billing_day", "expected"),
    [
        (Schedule(Every.WEEK, weekday=0), None, ["2027-01-18", "2027-01-25", "2027-02-01", "2027-02-08"]),
        (Schedule(Every.WEEK, weekday=6), None, ["2027-01-17", "2027-01-24", "2027-01-31", "2027-02-07"]),
        (Schedule(Every.MONTH, day=1), None, ["2027-02-01", "2027-03-01", "2027-04-01", "2027-05-01"]),
        (Schedule(Every.MONTH, day=31), None, ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]),
        (Schedule(Every.MONTH, day=30), None, ["2027-01-30", "2027-02-28", "2027-03-30", "2027-04-30"]),
        (
            Schedule(Every.BILLING, days_before=3),
            20,
            ["2027-01-17", "2027-02-17", "2027-03-17", "2027-04-17"],
        ),
        (Schedule(Every.BILLING, days_before=3), 1, ["2027-01-29", "2027-02-26", "2027-03-29", "2027-04-28"]),
        (
            Schedule(Every.BILLING, days_before=0),
            31,
            ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"],
        ),
        (
            Schedule(Every.BILLING, days_before=28),
            15,
            ["2027-01-18", "2027-02-15", "2027-03-18", "2027-04-17"],
        ),
        (
            Schedule(Every.CRON, cron="0 6 31 * *"),
            None,
            ["2027-01-31", "2027-03-31", "2027-05-31", "2027-07-31"],
        ),
        (
            Schedule(Every.CRON, cron="0 6 L * *"),
            None,
            ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"],
        ),
        (
            Schedule(Every.CRON, cron="0 6 29 2 *"),
            None,
            ["2028-02-29", "2032-02-29", "2036-02-29", "2040-02-29"],
        ),
        (
            Schedule(Every.CRON, cron="0 6 * * 5"),
            None,
            ["2027-01-22", "2027-01-29", "2027-02-05", "2027-02-12"],
        ),
    ],
)
def test_weeks_months_and_billing_dates(
    schedule: Schedule, billing_day: int | None, expected: list[str]
) -> None:
    found = local(schedule, BERLIN, "2027-01-15T12:00", 4, billing_day)
    assert [each[:10] for each in found] == expected
    assert {each[11:16] for each in found} == {"06:00"}


def test_a_leap_year() -> None:
    assert local(Schedule(Every.MONTH, day=31), BERLIN, "2028-02-01T00:00", 1) == ["2028-02-29 06:00+0100"]


def test_a_date_that_is_now_is_over() -> None:
    six = datetime(2027, 1, 15, 6, tzinfo=UTC)
    assert next_dates(daily(6), "UTC", None, six, 1) == [six + timedelta(days=1)]
    assert next_dates(daily(6), "UTC", None, six - timedelta(microseconds=1), 1) == [six]


def test_a_manual_rule_never_runs_by_itself() -> None:
    assert next_dates(Schedule(), "UTC", 1, datetime(2027, 1, 1, tzinfo=UTC)) == []


def test_a_time_zone_that_nobody_knows() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        next_dates(daily(6), "Europe/Nowhere", None, datetime(2027, 1, 1, tzinfo=UTC))


schedules = st.builds(
    Schedule,
    every=st.sampled_from([Every.DAY, Every.WEEK, Every.MONTH, Every.BILLING, Every.CRON]),
    hour=st.integers(0, 23) | st.integers(0, 3),
    minute=st.integers(0, 59),
    weekday=st.integers(0, 6),
    day=st.integers(1, 31),
    days_before=st.integers(0, 28),
    cron=st.builds("{} {} * * *".format, st.integers(0, 59), st.integers(0, 23)),
)
changes = st.sampled_from(
    [
        "2026-03-28",
        "2026-10-24",
        "2026-03-07",
        "2026-10-31",
        "2026-10-03",
        "2026-04-04",
        "2027-01-30",
        "2028-02-27",
    ]
)
moments = st.builds(
    lambda day, hours: datetime.combine(date.fromisoformat(day), time(), UTC) + timedelta(hours=hours),
    changes,
    st.integers(-72, 72),
)
billing_days = st.integers(1, 31)


@given(schedules, st.sampled_from(ZONES), billing_days, moments)
def test_dates_only_go_forward_and_are_what_was_asked_for(
    schedule: Schedule, zone: str, billing_day: int, after: datetime
) -> None:
    dates = next_dates(schedule, zone, billing_day, after, 6)
    assert len(dates) == 6
    assert all(earlier < later for earlier, later in pairwise([after, *dates]))
    for each in dates:
        there = each.astimezone(ZoneInfo(zone))
        asked = wall_time(schedule)
        if there.time() == asked:
            assert there.fold == 0, "of a time that comes twice, the first"
        else:
            a_moment_before = (each - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
            gap = there.replace(tzinfo=None) - a_moment_before.replace(tzinfo=None)
            assert gap > timedelta(minutes=5), "only a gap moves a run, and to its end"
            assert a_moment_before.time() < asked < there.time()


def wall_time(schedule: Schedule) -> time:
    if schedule.every is Every.CRON:
        minute, hour = schedule.cron.split()[:2]
        return time(int(hour), int(minute))
    return time(schedule.hour, schedule.minute)


@given(schedules, st.sampled_from(ZONES), billing_days, moments)
def test_counting_one_by_one_skips_nothing_and_repeats_nothing(
    schedule: Schedule, zone: str, billing_day: int, after: datetime
) -> None:
    one_by_one, latest = [], after
    for _ in range(5):
        [latest] = next_dates(schedule, zone, billing_day, latest, 1)
        one_by_one.append(latest)
    assert one_by_one == next_dates(schedule, zone, billing_day, after, 5)


@given(st.integers(0, 23), st.integers(0, 59), st.sampled_from(ZONES), moments)
def test_a_daily_rule_runs_once_on_every_day(hour: int, minute: int, zone: str, after: datetime) -> None:
    dates = next_dates(daily(hour, minute), zone, None, after, 6)
    days = [each.astimezone(ZoneInfo(zone)).date() for each in dates]
    assert days == [days[0] + timedelta(days=number) for number in range(6)]


def test_a_cron_expression_is_read_the_same_wherever_the_server_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import time as clock

    expected = local(cron("30 2 * * *"), BERLIN, "2026-03-28T00:00")
    try:
        monkeypatch.setenv("TZ", NEW_YORK)
        clock.tzset()
        assert local(cron("30 2 * * *"), BERLIN, "2026-03-28T00:00") == expected
    finally:
        monkeypatch.undo()
        clock.tzset()


@pytest.mark.parametrize(
    ("schedule", "billing_day", "field", "words"),
    [
        (Schedule(Every.BILLING), None, "schedule.every", "bills"),
        (cron(""), None, "schedule.cron", "five parts"),
        (cron("0 6 * *"), None, "schedule.cron", "five parts"),
        (cron("0 6 * * * *"), None, "schedule.cron", "five parts"),
        (cron("@daily"), None, "schedule.cron", "five parts"),
        (cron("0 25 * * *"), None, "schedule.cron", "no moment"),
        (cron("0 6 * * someday"), None, "schedule.cron", "no moment"),
        (cron("0 6 30 2 *"), None, "schedule.cron", "no moment"),
        (cron("a b c d e"), None, "schedule.cron", "no moment"),
        (cron("0 6 */0 * *"), None, "schedule.cron", "no moment"),
        (cron("0 6 9-3-1 * *"), None, "schedule.cron", "no moment"),
        (cron("* * * * *"), None, "schedule.cron", "once an hour"),
        (cron("*/30 * * * *"), None, "schedule.cron", "once an hour"),
        (cron("0,59 6 * * *"), None, "schedule.cron", "once an hour"),
        (cron("0 R * * *"), None, "schedule.cron", "Random"),
        (cron("H H * * *"), None, "schedule.cron", "Random"),
        (cron("0 R(1-5) * * *"), None, "schedule.cron", "Random"),
    ],
)
def test_a_schedule_that_will_not_do(
    schedule: Schedule, billing_day: int | None, field: str, words: str
) -> None:
    problem = problem_of(schedule, billing_day)
    assert problem is not None
    assert problem.field == field
    assert words in problem.sentence
    assert next_dates(schedule, "UTC", billing_day, datetime(2027, 1, 1, tzinfo=UTC)) == []


@pytest.mark.parametrize(
    "expression",
    [
        "0 * * * *",
        "0 6 * * 1",
        "30 6 1 */3 *",
        "0 6 * MAR,THU *",
        "0 6 * mar thu",
        "0 6 * * 1#2",
        "0 6 L * *",
    ],
)
def test_cron_expressions(expression: str) -> None:
    problem = problem_of(cron(expression), None)
    # THU is no month.
    assert (problem is None) is ("MAR,THU" not in expression)


@given(st.text(alphabet="0123456789*/,-LWRH#? aemnorstuwd", max_size=25) | st.text(max_size=12))
def test_cron_nonsense_gets_a_sentence(text: str) -> None:
    problem = problem_of(cron(text), None)
    if problem is None:
        assert next_dates(cron(text), BERLIN, None, datetime(2027, 1, 1, tzinfo=UTC), 2)
    else:
        assert problem.sentence.endswith(".")


def test_time_zones_to_choose_from() -> None:
    zones = known_time_zones()
    assert zones[0] == "UTC"
    assert zones[1:] == sorted(zones[1:])
    assert {BERLIN, NEW_YORK, LORD_HOWE, "Asia/Kolkata"} <= set(zones)
    assert not any(zone.startswith(("Etc/", "posix/", "US/", "SystemV/")) for zone in zones)
    zones.clear()
    assert known_time_zones()
