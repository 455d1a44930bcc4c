"""Rules as plain data: read with all problems at once, written, read again, and described by a published schema."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from rules.brake import Brake
from rules.deeds import Action, Deed
from rules.organization import OrganizationFacts, ProductFacts
from rules.person import GroupFacts
from rules.plain_data import is_plain
from rules.rule import How, Mode, OnKeep, Rule, Step, Unreachable, When, Who
from rules.rule_data import rule_to_data
from rules.rule_file import BadRule, Problem, parse_rule
from rules.rule_names import unknown_names
from rules.schedule import Every, Schedule
from rules.templates import TEMPLATES
from tests.architecture.sources import TOP
from tests.rules.rule_data import NONSENSE, broken_rules, rules

SCHEMA = json.loads((TOP / "docs" / "rule.schema.json").read_text())
VALIDATOR = Draft202012Validator({"$ref": "#/$defs/rule", "$defs": SCHEMA["$defs"]})
SHORTEST = {"name": "Idle", "steps": [{"when": {"not_seen": 90}, "then": {"deed": "suspend"}}]}


def problems(data: Any) -> list[tuple[str, str]]:
    try:
        parse_rule(data)
    except BadRule as bad:
        return [(problem.field, problem.sentence) for problem in bad.problems]
    return []


def changed(path: str, value: object) -> dict[str, Any]:
    """The shortest rule with one more field, or another one."""
    data: Any = copy.deepcopy(SHORTEST)
    part = data
    *parts, last = path.split(".")
    for each in parts:
        part = part[int(each)] if each.isdigit() else part.setdefault(each, {})
    part[int(last) if last.isdigit() else last] = value
    return data  # type: ignore[no-any-return]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@given(rules)
def test_what_is_read_and_written_reads_back_as_the_same(data: dict[str, Any]) -> None:
    found = problems(data)
    assert all("This can never happen" in sentence for _field, sentence in found)
    if found:
        return
    rule = parse_rule(data)
    written = rule_to_data(rule)
    assert parse_rule(written) == rule
    assert rule_to_data(parse_rule(written)) == written
    json.dumps(written)
    assert VALIDATOR.is_valid(written)


@given(rules | broken_rules())
def test_whatever_is_accepted_is_valid_by_the_schema(data: Any) -> None:
    found = problems(data)
    if not found:
        assert list(VALIDATOR.iter_errors(data)) == []
    for field, sentence in found:
        assert sentence.endswith((".", "?"))
        assert is_plain(field + sentence)


FIELDS = st.sampled_from(["name", "steps", "when", "then", "who", "brake", "schedule", "deed", "x"])
nonsense = st.recursive(
    st.sampled_from(NONSENSE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
)


@given(nonsense)
def test_nonsense_is_refused_not_stumbled_over(data: Any) -> None:
    assert problems(data)


@given(rules, st.data())
def test_what_is_written_is_as_short_as_can_be(data: dict[str, Any], draw: st.DataObject) -> None:
    if problems(data):
        return
    rule = parse_rule(data)
    written = rule_to_data(rule)
    for key in list(written):
        shorter = {name: value for name, value in written.items() if name != key}
        assert problems(shorter) or parse_rule(shorter) != rule


def test_the_shortest_rule_has_every_default() -> None:
    assert parse_rule(SHORTEST) == Rule("Idle", Who(), (Step(When(not_seen=90), Action(Deed.SUSPEND)),))
    assert rule_to_data(parse_rule(SHORTEST)) == SHORTEST


def test_a_rule_that_says_everything() -> None:
    data = {
        "name": " Externals ",
        "mode": "live",
        "who": {
            "products": ["confluence"],
            "groups": ["g1", "g1 ", "g2"],
            "not_groups": ["g3"],
            "domains": ["@Acme.com"],
            "account": "external",
            "source": "invited",
            "people": ["uma"],
        },
        "steps": [
            {
                "when": {"not_seen": 30, "never": 14, "how": "any", "products": ["confluence"]},
                "then": {"deed": "remove_access", "products": ["confluence"]},
                "grace": 7,
                "warn": [1, 7, 3],
                "unreachable": "go_on",
                "by_mail": False,
                "answer": "review",
                "kept_for": 180,
            },
            {
                "when": {"past_end": 0},
                "then": {"deed": "suspend"},
                "grace": 0,
                "warn": [],
                "pause": 30,
                "comes_back": True,
            },
        ],
        "brake": {"number": "none", "share": 0},
        "fresh_hours": 24,
        "schedule": {"every": "week", "at": "16:30", "weekday": "friday"},
    }
    assert parse_rule(data) == Rule(
        name="Externals",
        mode=Mode.LIVE,
        who=Who(("confluence",), ("g1", "g2"), ("g3",), ("acme.com",), "external", "invited", ("uma",)),
        steps=(
            Step(
                When(not_seen=30, never=14, how=How.ANY, products=("confluence",)),
                Action(Deed.REMOVE_ACCESS, products=("confluence",)),
                grace=7,
                warn=(7, 3, 1),
                unreachable=Unreachable.GO_ON,
                by_mail=False,
                answer=OnKeep.REVIEW,
                kept_for=180,
            ),
            Step(When(past_end=0), Action(Deed.SUSPEND), grace=0, warn=(), pause=30, comes_back=True),
        ),
        brake=Brake(None, 0),
        fresh_hours=24,
        schedule=Schedule(Every.WEEK, hour=16, minute=30, weekday=4),
    )


def test_all_problems_are_said_at_once_each_at_its_field() -> None:
    found = problems(
        {
            "nmae": "Idle",
            "mode": "liv",
            "who": {"groups": [], "domains": ["acme"]},
            "steps": [
                {"when": {"not_seen": -3}, "then": {"deed": "supend"}, "graze": 3, "warn": [20, 0]},
                {"when": {}, "then": {"deed": "remove_access"}},
            ],
            "brake": {"share": 101},
            "schedule": {"every": "day", "at": 960, "cron": "0 6 * * *"},
        }
    )
    assert [field for field, _sentence in found] == [
        "nmae", "name", "mode", "who.groups", "who.domains.0", "steps.0.graze", "steps.0.then.deed",
        "steps.0.when.not_seen", "steps.0.warn.0", "steps.0.warn.1", "steps.1.then.products", "steps.1.when",
        "brake.share", "schedule.cron", "schedule.at",
    ]  # fmt: skip
    said = dict(found)
    assert said["steps.0.graze"] == "Rollcall does not know “graze”. Did you mean “grace”?"
    assert said["steps.0.when.not_seen"] == "Days cannot be negative: write a whole number from 1 to 3,650."
    assert said["mode"].startswith("“liv” is no choice here. Did you mean “live”?")


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("name", "", "name"),
        ("name", "x" * 101, "name"),
        ("name", "a\0b", "name"),
        ("name", "two\nlines", "name"),
        ("name", 7, "name"),
        ("steps", [], "steps"),
        ("steps", SHORTEST["steps"] * 7, "steps"),
        ("steps", "suspend", "steps"),
        ("steps.0", None, "steps.0"),
        ("steps.0.when", None, "steps.0.when"),
        ("steps.0.when.not_seen", 0, "steps.0.when.not_seen"),
        ("steps.0.when.not_seen", 3651, "steps.0.when.not_seen"),
        ("steps.0.when.not_seen", True, "steps.0.when.not_seen"),
        ("steps.0.when.not_seen", "90", "steps.0.when.not_seen"),
        ("steps.0.when.past_end", -1, "steps.0.when.past_end"),
        ("steps.0.when", {"how": "all"}, "steps.0.when"),
        ("steps.0.when", {"suspended": 3, "products": ["jira"]}, "steps.0.when.products"),
        ("steps.0.then", {}, "steps.0.then.deed"),
        ("steps.0.then.deed", "restore", "steps.0.then.deed"),
        ("steps.0.then.products", ["jira"], "steps.0.then.products"),
        ("steps.0.then.leave", ["g"], "steps.0.then.leave"),
        ("steps.0.then", {"deed": "change_groups"}, "steps.0.then"),
        ("steps.0.then", {"deed": "change_groups", "leave": ["g"], "join": ["g"]}, "steps.0.then.join"),
        ("steps.0.grace", 366, "steps.0.grace"),
        ("steps.0.grace", -1, "steps.0.grace"),
        ("steps.0.warn", [], "steps.0.warn"),
        ("steps.0.warn", [15], "steps.0.warn.0"),
        ("steps.0.warn", [3, 3], "steps.0.warn.1"),
        ("steps.0.warn", [1, 2, 3, 4, 5, 6], "steps.0.warn"),
        ("steps.0.pause", 0, "steps.0.pause"),
        ("steps.0.comes_back", True, "steps.0.comes_back"),
        ("steps.0.comes_back", "yes", "steps.0.comes_back"),
        ("steps.0.by_mail", "yes", "steps.0.by_mail"),
        ("steps.0.answer", "kept", "steps.0.answer"),
        ("steps.0.answer", None, "steps.0.answer"),
        ("steps.0.kept_for", 0, "steps.0.kept_for"),
        ("steps.0.kept_for", 3651, "steps.0.kept_for"),
        ("who.groups", ["g", ""], "who.groups.1"),
        ("who.groups", ["x" * 256], "who.groups.0"),
        ("who.people", ["p"] * 501, "who.people"),
        ("who.domains", ["uma@acme.com"], "who.domains.0"),
        ("brake.number", None, "brake.number"),
        ("brake.number", -1, "brake.number"),
        ("brake.share", "no limit", "brake.share"),
        ("fresh_hours", 0, "fresh_hours"),
        ("fresh_hours", 721, "fresh_hours"),
        ("schedule.at", "06:00", "schedule.every"),
        ("schedule", {"every": "day", "at": "6:00"}, "schedule.at"),
        ("schedule", {"every": "month", "day": 32}, "schedule.day"),
        ("schedule", {"every": "cron"}, "schedule.cron"),
        ("schedule", {"every": "cron", "cron": "0 6 * *"}, "schedule.cron"),
        ("schedule", {"every": "week", "weekday": "funday"}, "schedule.weekday"),
    ],
)
def test_each_limit_has_a_sentence_at_its_field(path: str, value: object, field: str) -> None:
    assert [each for each, _sentence in problems(changed(path, value))] == [field]


def test_a_suspension_alone_can_be_for_a_while() -> None:
    data = changed("steps.0.then", {"deed": "tell"})
    data["steps"][0]["pause"] = 3
    assert [field for field, _ in problems(data)] == ["steps.0.pause"]


@pytest.mark.parametrize(
    ("grace", "warn"), [(0, ()), (1, (1,)), (3, (3,)), (4, (4, 3)), (14, (14, 3)), (60, (60, 3))]
)
def test_without_a_word_people_are_warned_at_the_beginning_and_three_days_before(
    grace: int, warn: tuple[int, ...]
) -> None:
    assert parse_rule(changed("steps.0.grace", grace)).steps[0].warn == warn


def test_s47_no_limit_and_nobody_are_two_things() -> None:
    assert parse_rule(SHORTEST).brake == Brake(100, 10)
    assert parse_rule(changed("brake", {"number": 0, "share": "none"})).brake == Brake(0, None)
    assert parse_rule(changed("brake", {})).brake == Brake(100, 10)


def ladder(*steps: tuple[dict[str, int], str], who: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "name": "Ladder",
        **({"who": who} if who else {}),
        "steps": [{"when": when, "then": {"deed": deed}} for when, deed in steps],
    }


IDLE, STILL_SUSPENDED = {"not_seen": 90}, {"suspended": 90}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (ladder((IDLE, "suspend"), ({"not_seen": 180}, "suspend")), "steps.1.then.deed"),
        (ladder((IDLE, "deactivate"), ({"not_seen": 180}, "suspend")), "steps.1.then.deed"),
        (ladder((IDLE, "remove"), ({"not_seen": 180}, "delete")), "steps.1.then.deed"),
        (ladder((IDLE, "delete"), ({"not_seen": 180}, "deactivate")), "steps.1.then.deed"),
        (ladder((STILL_SUSPENDED, "suspend")), "steps.0.then.deed"),
        (ladder(({"deactivated": 9}, "suspend")), "steps.0.then.deed"),
        (ladder((IDLE, "delete"), who={"account": "external"}), "steps.0.then.deed"),
        (ladder((IDLE, "suspend"), who={"source": "synced"}), "steps.0.then.deed"),
    ],
)
def test_a_step_that_can_never_come(data: dict[str, Any], field: str) -> None:
    [(found, sentence)] = problems(data)
    assert found == field
    assert sentence.startswith("This can never happen: ")


@pytest.mark.parametrize(
    "data",
    [
        ladder((IDLE, "tell"), ({"not_seen": 75}, "tell"), ({"not_seen": 90}, "suspend")),
        ladder((IDLE, "suspend"), (STILL_SUSPENDED, "deactivate"), ({"deactivated": 90}, "delete")),
        ladder((STILL_SUSPENDED, "deactivate")),
        ladder(({"suspended": 90, "not_seen": 90}, "suspend")),
        # Others suspend people too.
        ladder(({"not_seen": 180}, "suspend"), ({"not_seen": 90}, "deactivate")),
        ladder((IDLE, "delete"), ({"deactivated": 5}, "remove")),
        ladder((IDLE, "suspend"), who={"account": "external"}),
        ladder((IDLE, "tell"), who={"source": "synced"}),
    ],
)
def test_what_is_only_strange_is_no_problem(data: dict[str, Any]) -> None:
    assert problems(data) == []


def test_every_template_is_a_rule_that_waits_for_an_operator() -> None:
    for template in TEMPLATES:
        rule = parse_rule(template.data)
        assert rule.mode is Mode.REVIEW
        assert not rule.needs_second_operator
        assert parse_rule(rule_to_data(rule)) == rule
        assert VALIDATOR.is_valid(template.data)
        assert template.sentence.endswith(".")
    assert len({template.key for template in TEMPLATES}) == len(TEMPLATES) == 5


def test_names_that_the_organization_does_not_have() -> None:
    organization = OrganizationFacts(
        products={"ari": ProductFacts("ari", "confluence")}, groups={"g1": GroupFacts("g1", "staff")}
    )
    data = changed("steps.0.then", {"deed": "change_groups", "leave": ["g1", "g2"], "join": ["g3"]})
    data["who"] = {"products": ["confluence", "ari", "jira"], "groups": ["g1"], "not_groups": ["g4"]}
    found = unknown_names(parse_rule(data), organization)
    fields = ["who.products", "who.not_groups", "steps.0.then.leave", "steps.0.then.join"]
    assert [problem.field for problem in found] == fields
    assert isinstance(found[0], Problem)
    assert found[0].sentence == "Your organization has no product “jira”."
