"""Digests: on their mornings, once, to each operator who wants them, with what there is to say."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models.delivery import Delivery
from models.organization import Operator, Organization
from models.people import Person
from rules.deeds import Deed
from rules.topics import DeliveryState, DigestEvery
from services import calendars, digest_links, digests, operators
from services.digests import last_morning
from services.mail_sending import NO_OPERATOR
from tests.services.mails import mail_switched_on, mails, send_due
from tests.world import ACCOUNTS, ACME, World

ZAGREB = ZoneInfo("Europe/Zagreb")


@pytest.mark.parametrize(
    ("every", "now", "morning"),
    [
        ("day", "2027-05-12T05:30", "2027-05-12T05:00"),
        ("day", "2027-05-12T05:00", "2027-05-12T05:00"),
        ("day", "2027-05-12T04:59", "2027-05-11T05:00"),
        ("day", "2027-01-12T06:30", "2027-01-12T06:00"),
        # The clocks go forward on 28 March 2027.
        ("day", "2027-03-28T04:00", "2027-03-27T06:00"),
        ("day", "2027-03-28T05:00", "2027-03-28T05:00"),
        ("week", "2027-05-12T12:00", "2027-05-10T05:00"),
        ("week", "2027-05-10T04:59", "2027-05-03T05:00"),
        ("week", "2027-05-10T05:00", "2027-05-10T05:00"),
    ],
)
def test_mornings(every: str, now: str, morning: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    expected = datetime.fromisoformat(morning).replace(tzinfo=UTC)
    assert last_morning(DigestEvery(every), ZAGREB, moment) == expected


def deliveries(world: World) -> list[Delivery]:
    return [row for row in world.rows(Delivery) if row.topic == "operators:digest"]


def next_morning(world: World) -> None:
    """Half past seven of the organization's next day."""
    now = world.clock()
    tomorrow = (now + timedelta(days=1)).replace(hour=7, minute=30, second=0)
    world.later(seconds=(tomorrow - now).total_seconds())


@pytest.mark.slow
def test_a_digest_tells_what_was_done_and_what_comes(world: World) -> None:
    ana = world.synced()
    operators.name_operator(world.tools, ana, ACCOUNTS["jon"])
    first, second, third = world.people(3)
    world.sync(ana)
    digests.change_settings(world.tools, ana, language="en", digest="day")
    world.begin_run(ana, [first, second], Deed.SUSPEND)
    world.act()
    rule = world.rule(ana, {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "warn": [3], "grace": 3})
    with mail_switched_on(world):
        world.run_rule(ana, rule)
        digests.send_digests(world.tools)
        assert deliveries(world) == [], "its morning has not come"
        next_morning(world)
        for _ in range(2):
            digests.send_digests(world.tools)
        assert sorted(row.target for row in deliveries(world)) == sorted([ACCOUNTS["ana"], ACCOUNTS["jon"]])
        assert all(not {"name", "email"} & set(row.facts) for row in deliveries(world))
        send_due(world)
        (mail,) = [one for one in mails(world, "ana@acme.example") if "Rollcall in" in one["subject"]]
        assert "Suspended: 2 people" in mail["text"]
        coming = world.stored(Organization, ACME)
        assert coming.digest_sent_at is not None
        name = next(one["name"] for one in world.directory() if one["account_id"] == third)
        assert name.split()[0] in mail["text"]
        assert "(Idle)" in mail["text"]
        assert mail["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        link = mail["headers"]["List-Unsubscribe"].strip("<>")
        assert link in mail["html"]

        digest_links.stop_digest(world.tools, link.rpartition("/")[2])
        assert world.stored(Operator, ACME, ACCOUNTS["ana"]).digest_stopped_at is not None
        next_morning(world)
        digests.send_digests(world.tools)
        later = [row for row in deliveries(world) if row.state == DeliveryState.WAITING]
        assert [row.target for row in later] == [ACCOUNTS["jon"]]


@pytest.mark.parametrize("gone", [{"left_at": datetime(2027, 1, 1, tzinfo=UTC)}, {"status": "suspended"}])
@pytest.mark.parametrize("when", ["before the morning", "before the mail's turn"])
def test_an_operator_who_is_gone_gets_no_digest(
    sqlite_world: World, gone: dict[str, object], when: str
) -> None:
    world, jon = sqlite_world, ACCOUNTS["jon"]
    ana = world.synced()
    operators.name_operator(world.tools, ana, jon)
    digests.change_settings(world.tools, ana, language="en", digest="day")
    idle = world.people(1)
    world.sync(ana)
    world.begin_run(ana, idle, Deed.SUSPEND)
    world.act()

    def go() -> None:
        with world.tools.begin() as session:
            person = session.get_one(Person, (ACME, jon))
            for column, value in gone.items():
                setattr(person, column, value)

    with mail_switched_on(world):
        next_morning(world)
        if when == "before the morning":
            go()
        digests.send_digests(world.tools)
        go()
        send_due(world)
        assert mails(world, world.stored(Person, ACME, jon).email) == []
    found = {row.target: (row.state, row.reason) for row in deliveries(world)}
    assert found.pop(ACCOUNTS["ana"])[0] == DeliveryState.SENT
    late = {jon: (DeliveryState.NOT_SENT, NO_OPERATOR)}
    assert found == ({} if when == "before the morning" else late)


@pytest.mark.slow
def test_when_there_is_nothing_to_say_nothing_is_sent(world: World) -> None:
    ana = world.synced()
    digests.change_settings(world.tools, ana, language="en", digest="day")
    with mail_switched_on(world):
        next_morning(world)
        world.sync(ana)
        digests.send_digests(world.tools)
    assert deliveries(world) == []


@pytest.mark.parametrize("change", ["how often", "time zone"])
def test_nothing_falls_out_between_two_summaries(sqlite_world: World, change: str) -> None:
    """Once weekly ones become daily ones, or the morning comes again, further west."""
    world = sqlite_world
    ana = world.synced()
    first, second = world.people(2)
    world.sync(ana)
    digests.change_settings(
        world.tools, ana, language="en", digest="week" if change == "how often" else "day"
    )
    with mail_switched_on(world):
        world.begin_run(ana, [first], Deed.SUSPEND)
        world.act()
        next_morning(world)
        digests.send_digests(world.tools)
        world.begin_run(ana, [second], Deed.SUSPEND)
        world.act()
        if change == "how often":
            digests.change_settings(world.tools, ana, language="en", digest="day")
        else:
            calendars.set_calendar(world.tools, ana, "America/Los_Angeles", "")
        for _ in range(4):
            world.later(hours=8)
            digests.send_digests(world.tools)
            send_due(world)
        said = " ".join(mail["text"] for mail in mails(world, "ana@acme.example"))
        assert sum(int(people) for people in re.findall(r"Suspended: (\d+) p", said)) == 2


def test_who_was_not_told_after_all_is_not_counted(sqlite_world: World) -> None:
    """Their only mail was refused."""
    world = sqlite_world
    ana = world.store_key()
    refused, told = world.people(2, groups=["confluence-users"])
    world.sync(ana)
    address = world.stored(Person, ACME, refused).email
    digests.change_settings(world.tools, ana, language="en", digest="day")
    tells = world.rule(
        ana, {"when": {"not_seen": 60}, "then": {"deed": "tell"}}, who={"people": [refused, told]}
    )
    with mail_switched_on(world):
        world.control("POST", "/mail-faults", {"kind": "refuse", "recipient": address})
        run_id = world.run_rule(ana, tells)
        send_due(world)
        assert set(world.states(run_id).values()) == {"acted"}
        next_morning(world)
        digests.send_digests(world.tools)
        send_due(world)
        (mail,) = mails(world, "ana@acme.example")
    assert "Told that they are idle: 1 person (Idle)" in mail["text"]
