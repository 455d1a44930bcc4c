"""A plan reads whom its rule is about, however many cases there ever were."""

from __future__ import annotations

from services import rule_runs
from tests.questions import asked_of, reading_all_cases
from tests.world import World


def test_no_plan_reads_all_cases_there_ever_were(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.store_key()
    told, other = world.people(2)
    world.sync(ana)
    steps = [
        {"when": {"not_seen": 60}, "then": {"deed": "tell"}},
        {"when": {"not_seen": 600}, "then": {"deed": "suspend"}},
    ]
    rule_id = world.rule(ana, *steps, who={"people": [told, other]})
    world.run_rule(ana, rule_id)
    with asked_of(world.tools.engine) as asked:
        rule_runs.preview_rule(world.tools, ana, rule_id)
    assert any("kept_at" in statement for statement, _parameters in asked)
    assert reading_all_cases(world.tools.engine, asked) == set()
