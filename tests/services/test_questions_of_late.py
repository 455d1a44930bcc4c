"""Who came back, and what was done since yesterday, is found among the cases of the runs of late alone."""

from __future__ import annotations

from datetime import timedelta

from models.organization import Organization
from services import digest_values, loops
from tests.questions import asked_of, reading_all_cases
from tests.services.test_answers import ended
from tests.world import ACME, World


def test_who_came_back_is_found_without_reading_all_cases_there_ever_were(sqlite_world: World) -> None:
    world = sqlite_world
    _ana, run_id, (person,) = ended(world)
    assert world.states(run_id) == {person: "acted"}
    world.later(hours=1)
    now = world.tools.clock()
    with world.tools.begin() as session, asked_of(world.tools.engine) as asked:
        assert loops.find_loops(session, ACME, now, now) == 0
    assert any("finished_at" in statement for statement, _parameters in asked)
    assert reading_all_cases(world.tools.engine, asked) == set()


def test_what_was_done_is_told_without_reading_all_cases_there_ever_were(sqlite_world: World) -> None:
    world = sqlite_world
    _ana, run_id, (person,) = ended(world)
    assert world.states(run_id) == {person: "acted"}
    now = world.tools.clock()
    with world.tools.begin() as session, asked_of(world.tools.engine) as asked:
        organization = session.get_one(Organization, ACME)
        digest = digest_values.digest_of(session, organization, now - timedelta(days=1), now, [])
        assert [one.people for one in digest.done] == [1]
    assert reading_all_cases(world.tools.engine, asked) == set()
