"""A worker with nothing to do looks every second what is due, and writes nothing: on SQLite, writers wait."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from jobs.kinds import KINDS
from services import give_backs, orders, rereading, runs, timed_access
from tests.world import World

BY_DBOS = {"act_on_cases": orders.lease_due_cases, "read_again": rereading.lease_due}
"""These ask DBOS, too, how many wait in the queue: without it, what our own database is asked."""


def test_who_looks_and_finds_nothing_writes_nothing(sqlite_world: World) -> None:
    world = sqlite_world
    world.synced()
    world.settled()
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement.split(maxsplit=1)[0])

    event.listen(world.tools.engine, "before_cursor_execute", note)
    try:
        for kind in KINDS:
            assert list(BY_DBOS.get(kind.workflow, kind.due)(world.tools)) == []
        runs.finish_runs(world.tools)
        give_backs.give_back_within_caps(world.tools)
        assert list(timed_access.due_ends(world.tools)) == []
    finally:
        event.remove(world.tools.engine, "before_cursor_execute", note)
    assert len(asked) >= len(KINDS)
    assert set(asked) == {"SELECT"}
