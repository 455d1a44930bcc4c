"""What an access rule would do to everybody is worked out while others write, and seen when it is whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress

import pytest
from sqlalchemy import insert, select

from connect.caller import Caller
from models.access_rule import AccessRuleNews, StoredAccessRule
from models.people import Membership, Person
from models.run import Run
from rules.rule import Mode
from services import access_rule_lists, access_rule_news, access_rule_runs, access_rules, retention, roster
from services.access_rule_form import Typed
from services.toolbox import Toolbox
from tests.services.test_access_rules import SOURCE, TARGET, emptied, group, groups_of, member, rule
from tests.services.workers import Crash, Killed, before_it_is_written, with_something_between
from tests.world import ACME, GLOBEX, World

CASES = "INSERT INTO run_case"


@pytest.fixture
def place(sqlite_world: World) -> World:
    return emptied(sqlite_world)


def with_members(world: World, count: int = 3) -> tuple[Caller, list[str]]:
    """Somebody to give something to."""
    ana = world.store_key()
    people = world.people(count)
    for account_id in people:
        member(world, account_id, SOURCE)
    world.sync(ana)
    return ana, people


def evaluate(tools: Toolbox) -> None:
    for due in access_rule_runs.due_access_rules(tools):
        access_rule_runs.evaluate(tools, *due)


def write(world: World) -> None:
    """By somebody who finds it locked and is not told to wait."""
    with closing(sqlite3.connect(str(world.tools.engine.url.database), timeout=0)) as other, other:
        other.execute("UPDATE organization SET name = name WHERE id = ?", (GLOBEX,))


def test_others_write_until_the_list_is_whole(place: World) -> None:
    ana, _people = with_members(place)
    rule_id = rule(place, ana, live=False)
    written: list[bool] = []

    def meanwhile() -> None:
        write(place)
        with place.tools.begin() as session:
            stored = session.get_one(StoredAccessRule, (ACME, rule_id))
            written.append(access_rule_lists.newest_list(session, stored) is None)

    with before_it_is_written(place.tools, CASES, meanwhile):
        run_id = access_rule_lists.preview_access_rule(place.tools, ana, rule_id)
    assert written == [True]
    assert len(place.cases(run_id)) == 3
    with before_it_is_written(place.tools, CASES, lambda: write(place)):
        evaluate(place.tools)
    assert len(place.rows(Run)) == 1, "the list before is gone"


def test_others_write_until_a_run_is_whole(place: World) -> None:
    ana, people = with_members(place)
    rule(place, ana)
    seen: list[set[str]] = []

    def meanwhile() -> None:
        write(place)
        seen.append({run.state for run in place.rows(Run)})

    with before_it_is_written(place.tools, CASES, meanwhile):
        evaluate(place.tools)
    assert seen == [{"preview"}]
    place.act()
    assert all(TARGET in groups_of(place, account_id) for account_id in people)


def test_a_worker_that_dies_begins_one_run_all_the_same(world: World) -> None:
    place = emptied(world)
    ana, people = with_members(place)
    rule(place, ana)
    for moment in range(1, 100):
        death = Crash(moment)
        with suppress(Killed):
            evaluate(with_something_between(place.tools, death))
        place.act()
        if not death.moment:
            break
    assert moment > 8
    assert [run.state for run in place.rows(Run) if run.state != "preview"] == ["finished"]
    assert [place.effects_by(account_id) for account_id in people] == [{f"join_group:{TARGET}": 1}] * 3
    # What was cut off is nobody's list, and goes with time.
    place.later(days=31)
    retention.purge(place.tools)
    assert {run.state for run in place.rows(Run)} == {"finished"}


@pytest.mark.parametrize("change", ["audit", "another meaning", "deleted"])
def test_what_is_changed_while_everybody_is_looked_at_counts(place: World, change: str) -> None:
    ana, people = with_members(place)
    rule_id = rule(place, ana)
    another = Typed(
        name="Another", sources=[group(place, SOURCE)], groups=[group(place, "service-desk-agents")]
    )
    changes: dict[str, Callable[[], object]] = {
        "audit": lambda: access_rules.switch_mode(place.tools, ana, rule_id, Mode.AUDIT),
        "another meaning": lambda: access_rules.save_access_rule(place.tools, ana, another, rule_id),
        "deleted": lambda: access_rules.delete_access_rule(place.tools, ana, rule_id),
    }
    with before_it_is_written(place.tools, CASES, changes[change]):
        evaluate(place.tools)
    place.act()
    due = access_rule_runs.due_access_rules(place.tools)
    assert [rule_id for _organization_id, rule_id, _number in due] == (
        [] if change == "deleted" else [rule_id]
    )
    assert {run.state for run in place.rows(Run)} == {"preview"}
    assert not any(TARGET in groups_of(place, account_id) for account_id in people)


def test_who_is_told_of_while_everybody_is_looked_at_is_looked_at_after_it(place: World) -> None:
    ana, people = with_members(place)
    rule_id = rule(place, ana)
    with place.tools.begin() as session:
        access_rule_news.tell(session, ACME, people[0])
        access_rule_news.tell(session, ACME, people[1])

    def told_again() -> None:
        with place.tools.begin() as session:
            access_rule_news.tell(session, ACME, people[1])
            access_rule_news.tell(session, ACME, people[2])

    with before_it_is_written(place.tools, CASES, told_again):
        evaluate(place.tools)
    waiting = place.rows(AccessRuleNews)
    assert {(row.rule_id, row.account_id, row.second) for row in waiting} == {
        (rule_id, people[1], False),
        (rule_id, people[2], False),
    }


@pytest.mark.slow
def test_too_many_for_one_run_is_said(place: World) -> None:
    ana, people = with_members(place, 1)
    rule_id = rule(place, ana)
    with place.tools.begin() as session:
        one = session.execute(
            select(*Person.__table__.c).where(Person.organization_id == ACME, Person.account_id == people[0])
        ).one()
        many = [f"more-{number}" for number in range(roster.MOST_ENTRIES + 1)]
        session.execute(insert(Person), [one._asdict() | {"account_id": each} for each in many])
        inside = {"organization_id": ACME, "group_id": group(place, SOURCE)}
        session.execute(insert(Membership), [inside | {"account_id": each} for each in many])
    evaluate(place.tools)
    stored = place.stored(StoredAccessRule, ACME, rule_id)
    assert stored.last_result == access_rule_runs.TOO_MANY
    assert access_rule_runs.due_access_rules(place.tools) == []
