"""Whoever starts a rule's run, releases its brake or approves its cases is not locked out by it (S48)."""

from __future__ import annotations

import pytest

from connect.caller import Caller
from connect.errors import NotFound
from rules.guards import SENTENCES, Guard
from services import operators, retrying, reviews, rule_runs, run_progress
from tests.world import World

pytestmark = pytest.mark.slow

NOBODY = {"number": 0, "share": "none"}


def idle_operator(world: World) -> tuple[Caller, Caller, str]:
    """(author of rules, an operator whom the directory shows as idle, somebody else who is)."""
    ana = world.store_key()
    me, other = world.people(2)
    world.sync(ana)
    operators.name_operator(world.tools, ana, me)
    return ana, world.caller(me), other


def rule_about(world: World, ana: Caller, me: Caller, other: str, **data: object) -> str:
    return world.rule(ana, who={"people": [me.account_id, other]}, **data)  # type: ignore[arg-type]


def assert_spared(world: World, run_id: str, me: Caller, other: str) -> None:
    assert world.states(run_id) == {me.account_id: "spared", other: "acted"}
    assert world.case(run_id, str(me.account_id)).reason == SENTENCES[Guard.YOURSELF]
    assert world.calls(str(me.account_id)) == 0
    assert world.effects(other)["suspend"] == 1


def test_s48_run_now(world: World) -> None:
    ana, me, other = idle_operator(world)
    rule_id = rule_about(world, ana, me, other)
    run_id = rule_runs.run_now(world.tools, me, rule_id)
    assert set(world.states(run_id).values()) == {"planned"}
    world.act()
    assert_spared(world, run_id, me, other)
    assert run_progress.show_run(world.tools, ana, run_id).state == "finished"


def test_s48_a_brake_released(world: World) -> None:
    """The author started it; the one who lets it go is spared as well, and globex lets nothing go."""
    ana, me, other = idle_operator(world)
    gina = world.synced("globex")
    run_id = world.run_rule(ana, rule_about(world, ana, me, other, brake=NOBODY))
    assert run_progress.show_run(world.tools, ana, run_id).state == "braked"
    with pytest.raises(NotFound):
        rule_runs.release_brake(world.tools, gina, run_id)
    rule_runs.release_brake(world.tools, me, run_id)
    world.act()
    assert_spared(world, run_id, me, other)


def test_s48_started_by_one_released_by_another(world: World) -> None:
    """Both keep their access."""
    ana, me, other = idle_operator(world)
    second = world.people(3)[2]
    world.sync(ana)
    operators.name_operator(world.tools, ana, second)
    rule_id = world.rule(ana, who={"people": [str(me.account_id), second, other]}, brake=NOBODY)
    run_id = world.run_rule(me, rule_id)
    rule_runs.release_brake(world.tools, world.caller(second), run_id)
    world.act()
    assert world.states(run_id) == {me.account_id: "spared", second: "spared", other: "acted"}
    assert world.calls(second) == world.calls(str(me.account_id)) == 0


def test_s48_with_a_grace(world: World) -> None:
    """Whatever was warned in between: they keep their access when it is over."""
    ana, me, other = idle_operator(world)
    step = {"when": {"not_seen": 90}, "then": {"deed": "suspend"}, "grace": 5, "warn": [5]}
    rule_id = world.rule(ana, step, who={"people": [str(me.account_id), other]})
    run_id = world.run_rule(me, rule_id)
    world.later(days=5)
    world.tick()
    assert_spared(world, run_id, me, other)


def test_s48_whoever_approves_everybody_in_the_queue(world: World) -> None:
    """Themselves among them."""
    ana, me, other = idle_operator(world)
    run_id = world.run_rule(ana, rule_about(world, ana, me, other, mode="review"))
    cases = [case.id for case in world.cases(run_id).values()]
    assert reviews.approve(world.tools, me, cases) == 2
    world.act()
    assert_spared(world, run_id, me, other)


def test_s48_whoever_tries_again_what_failed(world: World) -> None:
    """Themselves among them."""
    ana, me, other = idle_operator(world)
    run_id = world.run_rule(ana, rule_about(world, ana, me, other, mode="review"))
    reviews.approve(world.tools, ana, [case.id for case in world.cases(run_id).values()])
    world.fault("/users/search$", "503", times=None)
    world.given_up()
    world.clear_faults()
    assert set(world.states(run_id).values()) == {"failed"}
    retrying.retry_failed(world.tools, me, run_id)
    world.act()
    assert_spared(world, run_id, me, other)


def test_an_operator_who_let_nothing_go_is_treated_like_anybody(world: World) -> None:
    ana, me, other = idle_operator(world)
    run_id = world.run_rule(ana, rule_about(world, ana, me, other))
    assert world.states(run_id) == {me.account_id: "acted", other: "acted"}
