"""Rules as a file: what goes out comes in again, and no file does more harm than a sentence (S53)."""

from __future__ import annotations

import json
import time

import pytest
import yaml
from jsonschema import Draft202012Validator

from connect.errors import Conflict, NotFound
from models.rule import RuleVersion, StoredRule
from rules.rule_file import BadRule
from services import rule_exchange, rule_views, rules
from tests.architecture.sources import TOP
from tests.questions import asked_of
from tests.world import ACME, World

pytestmark = pytest.mark.slow

GOOD = """
rules:
- name: Idle
  steps:
  - when: {not_seen: 90}
    then: {deed: suspend}
"""


def refused(world: World, text: str) -> dict[str, str]:
    """Field → sentence, at once; and nothing was saved."""
    before = world.dump()
    began = time.monotonic()
    with pytest.raises(BadRule) as bad:
        rule_exchange.import_rules(world.tools, world.caller("ana"), text)
    assert time.monotonic() - began < 10
    assert world.dump() == before
    return {problem.field: problem.sentence for problem in bad.value.problems}


def test_what_goes_out_comes_in_again(world: World) -> None:
    ana, gina = world.synced(), world.synced("globex")
    groups = world.groups()
    step = {
        "when": {"not_seen": 90},
        "then": {
            "deed": "change_groups",
            "leave": [groups["jira-users"]["id"]],
            "join": [groups["contractors"]["id"]],
        },
        "grace": 5,
        "warn": [5, 1],
        "unreachable": "go_on",
    }
    who = {
        "groups": [groups["jira-users"]["id"]],
        "not_groups": [groups["site-admins"]["id"]],
        "domains": ["acme.example"],
    }
    first = rules.save_rule(world.tools, ana, world.rule_data(step, name="Groups", who=who))
    schedule = {"every": "month", "at": "07:30", "day": 31}
    second = rules.save_rule(world.tools, ana, world.rule_data(name="Zwölf — 12", schedule=schedule))
    text = rule_exchange.export_rules(world.tools, ana)
    data = yaml.safe_load(text)["rules"]
    assert [rule["name"] for rule in data] == ["Groups", "Zwölf — 12"]
    assert data[0]["steps"][0]["then"] == {
        "deed": "change_groups",
        "leave": ["jira-users"],
        "join": ["contractors"],
    }
    assert data[0]["who"]["not_groups"] == ["site-admins"]
    assert "Zwölf — 12" in text
    schema = json.loads((TOP / "docs" / "rule.schema.json").read_text())
    assert list(Draft202012Validator(schema).iter_errors(yaml.safe_load(text))) == []
    assert rule_exchange.import_rules(world.tools, ana, text) == [first, second]
    assert [one.version for one in world.rows(StoredRule)] == [1, 1], "nothing has changed"
    # In another organization the names lead to its own groups.
    ids = rule_exchange.import_rules(world.tools, gina, text.replace("acme.example", "globex.example"))
    page = rule_views.show_rule(world.tools, gina, ids[0])
    assert page.rule.who.groups == (world.groups("globex")["jira-users"]["id"],)
    assert not page.line.is_on
    one = rule_exchange.export_rules(world.tools, ana, second)
    assert [rule["name"] for rule in yaml.safe_load(one)["rules"]] == ["Zwölf — 12"]
    with pytest.raises(NotFound):
        rule_exchange.export_rules(world.tools, gina, second)
    assert rule_exchange.export_rules(world.tools, gina, ids[0]).startswith("rules:\n- name: Groups\n")


def test_a_known_name_gets_a_new_version_and_is_not_switched_on(world: World) -> None:
    ana = world.synced()
    rule_exchange.import_rules(world.tools, ana, GOOD)
    (rule_id,) = rule_exchange.import_rules(world.tools, ana, GOOD.replace("90", "60"))
    stored = world.stored(StoredRule, ACME, rule_id)
    assert (stored.version, stored.is_on) == (2, False)
    assert [entry.event for entry in world.audit("rule:created", "rule:changed")] == [
        "rule:created",
        "rule:changed",
    ]


def test_a_name_that_two_groups_have_stays_an_id(sqlite_world: World) -> None:
    world = sqlite_world
    with world.sandbox.cloud.store.write() as connection:
        connection.execute("UPDATE team SET name = 'twins' WHERE name IN ('contractors', 'confluence-users')")
    ana = world.synced()
    twins = world.api(
        "POST", "/v2/orgs/{org}/directories/{directory}/groups/search", {"groupNames": ["twins"]}
    )["data"]
    group_id = twins[0]["id"]
    rule_id = rules.save_rule(world.tools, ana, world.rule_data(who={"groups": [group_id]}))
    text = rule_exchange.export_rules(world.tools, ana)
    assert yaml.safe_load(text)["rules"][0]["who"]["groups"] == [group_id]
    assert rule_exchange.import_rules(world.tools, ana, text) == [rule_id]
    assert refused(world, text.replace(group_id, "twins")) == {
        "rules.0.who.groups": "Your organization has no group “twins”."
    }


def test_a_named_person_must_be_in_the_directory(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()
    world.synced("globex")
    here, elsewhere = world.caller("priya").account_id, world.caller("gina", "globex").account_id
    rule = {**world.rule_data(name="Named"), "who": {"people": [here, elsewhere]}}
    text = yaml.safe_dump({"rules": [rule]})
    assert refused(world, text) == {
        "rules.0.who.people": f"Your organization has no person with the account id “{elsewhere}”."
    }
    assert rule_exchange.import_rules(world.tools, ana, text.replace(f"- {elsewhere}", ""))


def test_one_bad_rule_keeps_all_of_them_out(world: World) -> None:
    ana = world.synced()
    rules.save_rule(world.tools, ana, world.rule_data(name="Kept"))
    text = (
        GOOD
        + """
- name: Kept
  fresh_hours: 24
  steps: [{when: {not_seen: 90}, then: {deed: suspend}}]
- name: Bad
  schedule: {every: cron, cron: never}
  steps: [{when: {not_seen: -3}, then: {deed: suspend}}]
- name: Idle
  who: {groups: [no-such-group]}
  steps: [{when: {not_seen: 90}, then: {deed: suspend}}]
"""
    )
    assert refused(world, text).keys() == {
        "rules.2.steps.0.when.not_seen", "rules.2.schedule.cron", "rules.3.who.groups", "rules.3.name",
    }  # fmt: skip
    assert [one.version for one in world.rows(RuleVersion)] == [1]


def test_too_many_rules_in_a_file(sqlite_world: World) -> None:
    world = sqlite_world
    ana = world.synced()

    def file(count: int) -> str:
        rule = world.rule_data(mode="audit")
        return json.dumps({"rules": [rule | {"name": f"Rule {number}"} for number in range(count)]})

    assert refused(world, file(rules.MOST_RULES + 1)) == {"rules": f"At most {rules.MOST_RULES} rules."}
    rules.save_rule(world.tools, ana, world.rule_data(name="One is there"))
    before = world.dump()
    with pytest.raises(Conflict):
        rule_exchange.import_rules(world.tools, ana, file(rules.MOST_RULES))
    assert world.dump() == before
    rule_exchange.import_rules(world.tools, ana, file(rules.MOST_RULES - 1))


def bomb(levels: int, line: str) -> str:
    """Each line stands for two of the one before."""
    lines = ["a0: &a0 {name: x}"]
    lines += [line.format(now=f"a{level}", before=f"a{level - 1}") for level in range(1, levels)]
    return "\n".join([*lines, f"rules: [*a{levels - 1}]"])


HOSTILE: dict[str, str] = {
    "aliases": bomb(60, "{now}: &{now} [*{before}, *{before}]"),
    "merges": bomb(60, "{now}: &{now} {{<<: [*{before}, *{before}]}}"),
    "itself": "rules: &a [*a]",
    "a tag that runs": "rules: !!python/object/apply:os.system ['exit 1']",
    "a tag of a module": "rules: !!python/name:os.system",
    "an unknown tag": "rules: !bang x",
    "a bad integer": "rules: !!int x",
    "a bad float": "rules: !!float x",
    "a bad truth": "rules: !!bool x",
    "a bad moment": "rules: !!timestamp x",
    "the 35th of May": "rules: 2027-05-35",
    "many digits": "rules: " + "9" * 10_000,
    "depth": "rules: " + "[" * 50_000,
    "braces": "rules: " + "{a: " * 20_000,
    "nothing": "",
    "no mapping": "- a",
    "no list": "rules: {a: b}",
    "an empty list": "rules: []",
    "text": "rules: [a, b]",
    "two documents": "rules: []\n---\nrules: []",
    "a name twice": GOOD + "  name: Another\n",
    "control characters": "rules: [\x00]",
    "halves of a character": "rules: \ud800",
    "an odd key": "? [a, b]\n: c",
    "size": "# " + "x" * 300_000,
    "tabs": "rules:\n\t- a",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_s53_no_file_does_more_harm_than_a_sentence(sqlite_world: World, text: str) -> None:
    sqlite_world.synced()
    found = refused(sqlite_world, text)
    assert all(sentence.endswith(".") for sentence in found.values())
    assert found.keys() == {""}


def test_s53_nobody_waits_while_a_file_is_read(sqlite_world: World) -> None:
    """A quarter of a megabyte takes seconds: on SQLite, nothing of another organization would be written meanwhile."""
    sqlite_world.synced()
    with asked_of(sqlite_world.tools.engine) as asked:
        refused(sqlite_world, "rules: [")
    assert [statement for statement, _ in asked if not statement.startswith(("SELECT", "PRAGMA"))] == []


def test_s53_what_is_wrong_is_said_with_its_line(sqlite_world: World) -> None:
    sqlite_world.synced()
    assert refused(sqlite_world, "rules:\n- name: [") == {"": "This is no valid YAML. Look at line 2."}
    assert refused(sqlite_world, "a: &x 1\nb: *x") == {
        "": "Write out what the “*” stands for: references are not read. Look at line 2."
    }
    assert refused(sqlite_world, GOOD + "  mode: live\n  mode: audit\n") == {
        "": "“mode” stands there twice. Look at line 8."
    }


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("name: 7", "name"),
        ('name: "a\\nb"', "name"),
        (f"who: {{groups: [0x1{'0' * 4000}]}}", "who.groups.0"),
        ("who: {groups: [{a: b}, null]}", "who.groups.0"),
        ("who: everybody", "who"),
        ("steps: all", "steps"),
        ("steps: [[], 3]", "steps.0"),
        ("brake: {number: -1}", "brake.number"),
        ("schedule: {every: day, at: 16:00}", "schedule.at"),
        ("surprise: 1", "surprise"),
    ],
    ids=lambda word: word[:20],
)
def test_odd_values_are_said_at_their_field(sqlite_world: World, line: str, field: str) -> None:
    sqlite_world.synced()
    lines = {"name": "name: Idle", "steps": "steps: [{when: {not_seen: 90}, then: {deed: suspend}}]"}
    lines[line.partition(":")[0]] = line
    text = "rules:\n- " + "\n  ".join(lines.values())
    assert f"rules.0.{field}" in refused(sqlite_world, text)


def test_a_group_that_is_gone_has_left_its_name_to_another(sqlite_world: World) -> None:
    """Its rule says so, goes into a file by its id, and no file is refused because of it."""
    world = sqlite_world
    ana = world.synced()
    old = world.groups()["contractors"]["id"]
    rule_id = rules.save_rule(world.tools, ana, world.rule_data(who={"not_groups": [old]}))
    with world.sandbox.cloud.store.write() as connection:
        connection.execute("UPDATE team SET id = 'new-id' WHERE id = ?", (old,))
        connection.execute("UPDATE member SET team = 'new-id' WHERE team = ?", (old,))
    world.sync(ana)
    assert "the group “contractors” (gone)" in rule_views.show_rule(world.tools, ana, rule_id).line.sentence
    text = rule_exchange.export_rules(world.tools, ana)
    assert yaml.safe_load(text)["rules"][0]["who"]["not_groups"] == [old]
    assert refused(world, text) == {
        "rules.0.who.not_groups": "The group “contractors” is gone: choose another one."
    }
    rule_exchange.import_rules(world.tools, ana, text.replace(old, "contractors"))
    assert rule_views.show_rule(world.tools, ana, rule_id).rule.who.not_groups == ("new-id",)
