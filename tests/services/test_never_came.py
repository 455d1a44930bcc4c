"""Who never came counts from the day of the seat, and a date that was told once is not lost (S45)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from connect.caller import Caller
from models.people import Person, Seat
from models.rule import StoredRule
from rules.deeds import Deed
from rules.roster import Access, Entry, Origin
from services import roster, rule_runs, rules, runs
from services.panels import look
from services.participants import Issue, Participants
from tests.services.test_rereading import read_again
from tests.world import ACME, World

JIRA, CONFLUENCE = "jira-software", "confluence"
NEVER: dict[str, Any] = {"when": {"never": 14}, "then": {"deed": "suspend"}, "grace": 0}


def seat(world: World, account_id: str, key: str = JIRA) -> Seat:
    (found,) = (one for one in world.rows(Seat) if (one.account_id, one.product_key) == (account_id, key))
    return found


def reason(world: World, ana: Caller, account_id: str, step: dict[str, Any] = NEVER) -> str | None:
    """Why a rule would take them, as its preview says; None when it leaves them alone."""
    name = f"Rule {len(world.rows(StoredRule))}"
    data = world.rule_data(step, name=name, who={"people": [account_id]})
    preview = rule_runs.preview_rule(world.tools, ana, rules.save_rule(world.tools, ana, data))
    case = world.cases(preview).get(account_id)
    return case.because if case is not None else None


def give(world: World, ana: Caller, account_id: str, group: str) -> None:
    """By an operator's own list."""
    access = Access(groups=(world.groups()[group]["id"],))
    entry = Entry(Deed.GIVE_ACCESS, account_id=account_id, access=access)
    run_id = roster.preview_roster(world.tools, ana, [entry], Origin.CSV)
    runs.confirm(world.tools, ana, run_id)
    world.act()
    assert world.states(run_id) == {account_id: "acted"}
    world.settled()


def days_later(world: World, ana: Caller, days: float) -> None:
    world.later(days=days)
    world.sync(ana)


def test_who_was_given_a_seat_today_did_not_stay_away_for_501_days(world: World) -> None:
    ana = world.store_key()
    person = world.people(1, groups=[], idle=None)[0]
    world.sync(ana)
    give(world, ana, person, "jira-users")
    given_at = seat(world, person).since
    assert given_at is not None
    days_later(world, ana, 2)
    assert (seat(world, person).activity, seat(world, person).since) == ("never", given_at)
    run_id = world.run_rule(ana, world.rule(ana, NEVER, who={"people": [person]}))
    assert world.states(run_id) == {}
    assert world.effects(person)["suspend"] == 0
    days_later(world, ana, 13)
    assert reason(world, ana, person) == "Never came; added 15 days ago."


def test_a_seat_that_a_sync_finds_new_is_there_since_then(world: World) -> None:
    ana = world.store_key()
    old, newly = world.people(2, idle=None)
    world.arrange(newly, idle=None)
    world.sync(ana)
    days_later(world, ana, 1)
    world.arrange(newly, groups=["jira-users"], idle=None)
    days_later(world, ana, 1)
    assert seat(world, old).since is None, "the first reading had it"
    assert seat(world, newly).since == world.stored(Person, ACME, newly).synced_at
    assert reason(world, ana, old) == "Never came; added 502 days ago."
    assert reason(world, ana, newly) is None
    days_later(world, ana, 20)
    assert reason(world, ana, newly) == "Never came; added 20 days ago."


def test_so_does_one_that_a_webhook_told_of(world: World) -> None:
    ana = world.store_key()
    person = world.people(1, groups=[], idle=None)[0]
    world.sync(ana)
    world.arrange(person, groups=["jira-users"], idle=None)
    assert world.webhook("user_updated", person) == [204]
    world.settled()
    read_again(world)
    assert seat(world, person).since is not None
    assert reason(world, ana, person) is None


def test_of_several_seats_the_newest_counts_and_each_alone_when_a_rule_looks_at_each(world: World) -> None:
    ana = world.store_key()
    person = world.people(1, idle=None)[0]
    world.sync(ana)
    days_later(world, ana, 1)
    world.arrange(person, groups=["jira-users", "confluence-users"], idle=None)
    days_later(world, ana, 1)
    each = NEVER | {"when": {"never": 14, "how": "any"}}
    assert reason(world, ana, person) is None
    assert reason(world, ana, person, each) == "Never came to Jira; added 502 days ago."
    days_later(world, ana, 16)
    assert reason(world, ana, person) == "Never came; added 16 days ago."


def test_a_seat_that_came_while_they_were_warned_counts_at_the_deed(world: World) -> None:
    ana = world.store_key()
    known, unread = world.people(2, idle=None)
    world.sync(ana)
    step = NEVER | {"grace": 14}
    run_id = world.run_rule(ana, world.rule(ana, step, who={"people": [known, unread]}))
    assert set(world.states(run_id).values()) == {"warned"}
    world.arrange(known, groups=["confluence-users"], idle=None)
    days_later(world, ana, 13)
    world.arrange(unread, groups=["confluence-users"], idle=None)
    world.later(days=2)
    world.act()
    assert set(world.states(run_id).values()) == {"spared"}
    assert world.effects(known)["suspend"] == world.effects(unread)["suspend"] == 0


def test_a_date_that_atlassian_does_not_send_any_more_stays(world: World) -> None:
    ana = world.store_key()
    person = world.people(1, idle=1)[0]
    world.sync(ana)
    before = seat(world, person).seen_at
    for moment in (None, world.days_ago(300)):
        world.change(person, last_active=moment)
        days_later(world, ana, 1)
        assert (seat(world, person).activity, seat(world, person).seen_at) == ("seen", before)
        assert world.stored(Person, ACME, person).seen_at == before
        assert reason(world, ana, person) is None
    run_id = world.run_rule(ana, world.rule(ana, NEVER, who={"people": [person]}))
    assert world.states(run_id) == {}
    assert world.effects(person)["suspend"] == 0


def test_nor_is_it_lost_between_the_warning_and_the_deed(world: World) -> None:
    """The rule would take whoever never came, and whoever was not seen for 90 days: they were seen 80 days ago."""
    ana = world.store_key()
    person = world.people(1, idle=80)[0]
    world.sync(ana)
    both = {"when": {"not_seen": 75, "never": 14}, "then": {"deed": "suspend"}, "grace": 14}
    run_id = world.run_rule(ana, world.rule(ana, both, who={"people": [person]}))
    assert world.states(run_id) == {person: "warned"}
    newest = world.days_ago(1)
    world.change(person, last_active=newest)
    days_later(world, ana, 10)
    world.change(person, last_active=None)
    world.later(days=5)
    world.act()
    assert world.states(run_id) == {person: "spared"}
    assert world.effects(person)["suspend"] == 0


def there(world: World, account_id: str, since: datetime | None) -> None:
    """As if they had been added 500 days ago, had never come, and had their seats since then."""
    never: dict[str, Any] = {"activity": "never", "seen_at": None}
    with world.tools.begin() as session:
        added = {"added_at": world.clock() - timedelta(days=500)}
        session.query(Person).filter_by(account_id=account_id).update(never | added)
        session.query(Seat).filter_by(account_id=account_id).update(never | {"since": since})


def test_what_is_told_counts_from_the_seat_too(world: World) -> None:
    ana = world.synced()
    issue = Issue(10042, 10000)
    person = look(world.tools, ana, Participants(), issue).people[0].account_id
    pages = (f"/app/people/{person}", f"/app/people?text={world.stored(Person, ACME, person).name}")
    for since, days in ((None, 500), (world.clock() - timedelta(days=3), 3)):
        there(world, person, since)
        for path in pages:
            shown = re.sub(r"<[^>]+>|\s+", " ", world.call("GET", path).text)
            assert re.search(rf"Never came +added {days} days ago", shown), path
        said = [one.words for one in look(world.tools, ana, Participants(), issue).people]
        assert ("was added 500 days ago and has not been here yet." in said) is (days == 500)
