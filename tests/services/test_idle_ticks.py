"""A worker looks every second what is due; with nothing to do, it writes nothing: on SQLite, writers wait."""

from __future__ import annotations

from jobs.kinds import KINDS
from models.organization import Organization
from services import give_backs, orders, rereading, runs, timed_access
from tests.questions import asked_of, reading_all_cases
from tests.services.test_answers import ended, link_of, say
from tests.world import ACME, World

BY_DBOS = {"act_on_cases": orders.lease_due_cases, "read_again": rereading.lease_due}
"""These ask DBOS, too, how many wait in the queue: without it, what our own database is asked."""


def who_was_helped_by_another_way(world: World) -> None:
    """They asked for their access back, and an operator took the whole run back: their answer is left as it was."""
    ana, run_id, (person,) = ended(world)
    with world.tools.begin() as session:
        session.get_one(Organization, ACME).give_back_cap = 1
    say(world, link_of(world, run_id, person), "ask_back")
    world.undo(ana, run_id)
    world.deliver()
    assert world.states(run_id) == {person: "undone"}


def test_who_looks_and_finds_nothing_writes_nothing(sqlite_world: World) -> None:
    world = sqlite_world
    who_was_helped_by_another_way(world)
    world.settled()
    world.synced()
    with asked_of(world.tools.engine) as asked:
        for kind in KINDS:
            assert list(BY_DBOS.get(kind.workflow, kind.due)(world.tools)) == []
        runs.finish_runs(world.tools)
        give_backs.give_back_within_caps(world.tools)
        assert list(timed_access.due_ends(world.tools)) == []
    assert len(asked) >= len(KINDS)
    assert {statement.split(maxsplit=1)[0] for statement, _parameters in asked} == {"SELECT"}


def test_who_looks_for_what_is_due_reads_no_other_case(sqlite_world: World) -> None:
    """While it looked for one, it read 300,000 and kept every writer waiting."""
    world = sqlite_world
    ana = world.synced()
    (person,) = world.changeable(1)
    run_id = world.begin_run(ana, [person])
    with asked_of(world.tools.engine) as asked:
        world.act()
        runs.finish_runs(world.tools)
    assert world.states(run_id) == {person: "acted"}
    assert any(statement.startswith("UPDATE run_case") for statement, _parameters in asked)
    assert reading_all_cases(world.tools.engine, asked) == set()
