"""What is asked about cases of late is about few of those that there ever were, and a batch at a time."""

from __future__ import annotations

from datetime import timedelta

from models.organization import Organization
from services import digest_values, loops, undoing
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


def test_a_run_is_taken_back_a_batch_of_its_people_at_a_time(sqlite_world: World) -> None:
    """All cases of twenty thousand people at once are two hundred megabytes."""
    world = sqlite_world
    ana, run_id, people = ended(world, 2)
    with asked_of(world.tools.engine) as asked:
        undo = undoing.preview_undo(world.tools, ana, run_id)
    assert world.states(undo) == dict.fromkeys(people, "planned")
    whole = [each for each, _parameters in asked if each.startswith("SELECT") and "run_case.changes" in each]
    assert whole
    assert all("run_case.account_id IN" in each for each in whole)
