"""Access rules as thinking alone: given once, taken back if it was given here and nobody else gives it, no loops."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.access_rule import (
    LOOP_AFTER,
    AccessPlan,
    AccessRule,
    Given,
    Member,
    access_of,
    circle,
    no_longer_due,
    parts_of,
    plan_access,
)
from rules.changes import Change, ChangeKind
from rules.deeds import Action, Deed
from rules.roster import Access
from rules.timed import next_look, warning_mark, warnings_due

GROUPS = ["a", "b", "c", "d"]
PRODUCTS = ["jira", "confluence"]
JOIN_B = Change(ChangeKind.JOIN_GROUP, "b")

some_groups = st.lists(st.sampled_from(GROUPS), max_size=3, unique=True)
rules = st.builds(
    lambda sources, targets, products, keep: AccessRule(
        tuple(sources),
        Access(
            tuple((one, "atlassian/user") for one in products), tuple(g for g in targets if g not in sources)
        ),
        keep,
    ),
    st.lists(st.sampled_from(GROUPS), min_size=1, max_size=2, unique=True),
    some_groups,
    st.lists(st.sampled_from(PRODUCTS), max_size=1),
    st.booleans(),
)
members = st.builds(
    Member,
    account_id=st.sampled_from(["ana", "jon", "uma"]),
    groups=some_groups.map(frozenset),
    products=st.lists(st.sampled_from(PRODUCTS), max_size=2).map(frozenset),
    can_get=st.sampled_from([True, True, False]),
    can_lose=st.sampled_from([True, True, False]),
)
people = st.lists(members, max_size=3, unique_by=lambda one: one.account_id)


@dataclass
class Directory:
    """People, and what rules gave them, changed as the plans say."""

    people: list[Member]
    given: dict[int, dict[str, dict[Change, Given]]] = field(default_factory=dict)

    def plan(self, index: int, rules: list[AccessRule]) -> AccessPlan:
        others = [rule for at, rule in enumerate(rules) if at != index]
        return plan_access(rules[index], self.people, self.given.get(index, {}), others)

    def carry_out(self, index: int, plan: AccessPlan) -> None:
        mine = self.given.setdefault(index, {})
        for account_id, part, _why in plan.over:
            del mine[account_id][part]
        for account_id, parts in plan.give.items():
            for part in parts:
                before = mine.setdefault(account_id, {}).get(part, Given())
                mine[account_id][part] = replace(before, missing=before.missing + (part in before_lost(plan)))
                self._change(account_id, part, add=True)
        for account_id, part in plan.loops:
            mine[account_id][part] = replace(mine[account_id][part], stopped=True)
        for account_id, parts in plan.take.items():
            for part in parts:
                del mine[account_id][part]
                self._change(account_id, part, add=False)

    def _change(self, account_id: str, part: Change, *, add: bool) -> None:
        for at, person in enumerate(self.people):
            if person.account_id == account_id:
                name = "groups" if part.kind is ChangeKind.JOIN_GROUP else "products"
                held = getattr(person, name)
                changed = held | {part.about} if add else held - {part.about}
                self.people[at] = replace(person, **{name: changed})  # type: ignore[arg-type]


def before_lost(plan: AccessPlan) -> set[Change]:
    return {part for _account_id, part in plan.lost}


@given(people, rules)
def test_planning_again_finds_nothing_new(everybody: list[Member], rule: AccessRule) -> None:
    directory = Directory(everybody)
    for _ in range(3):
        plan = directory.plan(0, [rule])
        directory.carry_out(0, plan)
    again = directory.plan(0, [rule])
    assert (again.give, again.take, again.lost, again.loops, again.over) == ({}, {}, [], [], [])


@given(people, rules, rules, st.lists(some_groups.map(frozenset), max_size=4))
def test_nothing_is_taken_that_the_rule_did_not_give(
    everybody: list[Member], first: AccessRule, second: AccessRule, moves: list[frozenset[str]]
) -> None:
    """People move between groups; two rules plan in turn, with an eye on each other."""
    directory = Directory(everybody)
    both = [first, second]
    for moved in [frozenset(), *moves]:
        for at, person in enumerate(directory.people):
            directory.people[at] = replace(person, groups=person.groups ^ moved)
        for index in (0, 1):
            plan = directory.plan(index, both)
            mine = directory.given.get(index, {})
            for account_id, parts in plan.take.items():
                person = next(one for one in directory.people if one.account_id == account_id)
                for part in parts:
                    assert part in mine[account_id]
                    assert person.can_lose
                    other = both[1 - index]
                    assert not (other.holds_for(person.groups) and part in other.parts)
            for account_id, parts in plan.give.items():
                person = next(one for one in directory.people if one.account_id == account_id)
                assert both[index].holds_for(person.groups)
                assert not any(person.has(part) for part in parts)
            directory.carry_out(index, plan)


def test_two_rules_give_the_same_until_neither_holds() -> None:
    first, second = AccessRule(("a",), Access(groups=("b",))), AccessRule(("c",), Access(groups=("b",)))
    given_by_first = {"uma": {JOIN_B: Given()}}
    both = Member("uma", frozenset({"b", "c"}))
    assert plan_access(first, [both], given_by_first, [second]).take == {}
    neither = Member("uma", frozenset({"b"}))
    assert plan_access(first, [neither], given_by_first, [second]).take == {"uma": (JOIN_B,)}


def test_what_is_found_gone_is_given_again_once_then_left_alone() -> None:
    rule = AccessRule(("a",), Access(groups=("b",)))
    gone = Member("uma", frozenset({"a"}))
    first = plan_access(rule, [gone], {"uma": {JOIN_B: Given()}})
    assert (first.give, first.lost, first.loops) == ({"uma": (JOIN_B,)}, [("uma", JOIN_B)], [])
    again = plan_access(rule, [gone], {"uma": {JOIN_B: Given(missing=LOOP_AFTER - 1)}})
    assert (again.give, again.lost, again.loops) == ({}, [], [("uma", JOIN_B)])
    stopped = plan_access(rule, [gone], {"uma": {JOIN_B: Given(missing=LOOP_AFTER, stopped=True)}})
    assert (stopped.give, stopped.lost, stopped.loops) == ({}, [], [])
    # Given while the directory was read: it may not show yet.
    late = plan_access(rule, [gone], {"uma": {JOIN_B: Given(shows=False)}})
    assert (late.give, late.lost) == ({}, [])


def test_a_reason_for_everybody_and_one_thing_after_the_other() -> None:
    rule = AccessRule(("a",), Access(groups=("c",)))
    plan = plan_access(
        rule,
        [
            Member("uma", frozenset({"a", "b"})),
            Member("jon", frozenset({"a"})),
            Member("ana", frozenset({"b"})),
        ],
        {"uma": {JOIN_B: Given()}, "ana": {JOIN_B: Given()}},
        names={"a": "designers"},
    )
    assert plan.scope == 3
    assert plan.later
    said = {entry.account_id: (entry.deed, entry.because) for entry in plan.entries}
    assert said == {
        "uma": (Deed.TAKE_BACK, "The rule does not give this any more."),
        "jon": (Deed.GIVE_ACCESS, "Is in designers."),
        "ana": (Deed.TAKE_BACK, "No longer in designers."),
    }


def test_what_was_planned_is_looked_at_again_before_it_is_done() -> None:
    rule, other = AccessRule(("a",), Access(groups=("b",))), AccessRule(("c",), Access(groups=("b",)))
    give, take = Action(Deed.GIVE_ACCESS, join=("b",)), Action(Deed.TAKE_BACK, join=("b",))
    assert no_longer_due(rule, [other], give, frozenset({"a"})) is None
    assert no_longer_due(rule, [other], give, frozenset({"d"})) is not None
    assert no_longer_due(replace(rule, gives=Access(groups=("d",))), [], give, frozenset({"a"})) is not None
    assert no_longer_due(rule, [other], take, frozenset({"b"})) is None
    assert no_longer_due(rule, [other], take, frozenset({"a", "b"})) is not None
    assert no_longer_due(rule, [other], take, frozenset({"c", "b"})) is not None


def test_circles() -> None:
    edges = {"b": {"c"}, "c": {"d"}, "x": {"x"}}
    assert circle(edges, ["a"], ["b"]) is None
    assert circle(edges | {"d": {"a"}}, ["a"], ["e", "b"]) == "b"
    assert circle(edges, ["a"], ["a"]) == "a"
    assert circle(edges, ["a"], ["x"]) is None


@given(rules)
def test_access_survives_being_taken_apart(rule: AccessRule) -> None:
    assert access_of(parts_of(rule.gives)) == rule.gives


BEGAN = date(2027, 1, 1)


@given(st.integers(0, 40), st.integers(-3, 50))
def test_warnings_come_once_the_nearest_first(length: int, passed: int) -> None:
    until, today = BEGAN + timedelta(days=length), BEGAN + timedelta(days=passed)
    due = warnings_due(BEGAN, until, frozenset(), today)
    come = [days for days in (1, 7) if length > days and until - timedelta(days=days) <= today <= until]
    assert due == come
    warned = frozenset(warning_mark(until, days) for days in due)
    assert warnings_due(BEGAN, until, warned, today) == []
    days, day = next_look(BEGAN, until, warned)
    assert day > today or today > until or (days, day) == (0, until + timedelta(days=1))
    # Prolonged, they are told again.
    assert next_look(BEGAN, until + timedelta(days=30), warned)[0] == 7
