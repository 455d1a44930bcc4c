"""`flask rules plan FILE`: the preview of a file in a terminal is the one that the web shows; nothing is stored."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

from models.people import Person
from rules.guards import SENTENCES, Guard
from services import protecting, rule_exchange, rule_runs, rules, run_progress
from tests.databases import TOP
from tests.world import ACCOUNTS, ACME, GLOBEX, World, credential_key

pytestmark = pytest.mark.slow

LINE = re.compile(r"  ([+!x.]) (.{32})  (.{34})  (.+)")
MARKS = {"planned": "+", "guarded": "!", "not_possible": "x", "spared": "."}
CONTROL = "Mal\x1b]0;yours\x07lory\x9b31m\u202e\n+ Somebody"
"""Would set the window's title, ring, colour, turn round, and add a line of its own."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rules.yaml"


def plan(world: World, file: Path, organization: str | None = ACME) -> Result:
    named = [] if organization is None else ["--organization", organization]
    return world.app.test_cli_runner().invoke(args=["rules", "plan", str(file), *named], color=True)


def write(file: Path, *data: dict[str, Any]) -> str:
    text = yaml.safe_dump({"rules": list(data)}, sort_keys=False, allow_unicode=True)
    file.write_text(text, encoding="utf-8")
    return text


def lines_of(output: str) -> Iterator[tuple[str, str, str, str]]:
    """(mark, name, what, reason) of each person."""
    for line in output.splitlines():
        found = LINE.fullmatch(line)
        if found:
            mark, name, what, reason = (word.rstrip() for word in found.groups())
            yield mark, name, what, reason


def refused(result: Result) -> str:
    """The sentences of a command that ended with an error, and with nothing but sentences."""
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.output.startswith("Error: ")
    assert "Traceback" not in result.output
    return result.output


def test_the_lines_are_those_of_the_web(world: World, file: Path) -> None:
    ana = world.synced()
    somebody = next(one["account_id"] for one in world.directory() if one["kind"] == "employee")
    protecting.protect(world.tools, ana, kind="person", value=somebody, reason="Ask Ana", until="")
    text = write(
        file,
        world.rule_data(
            {"when": {"not_seen": 30}, "then": {"deed": "tell"}},
            {"when": {"not_seen": 60}, "then": {"deed": "suspend"}, "grace": 0},
            name="Ladder",
            brake={"number": 3, "share": "none"},
        ),
        world.rule_data(
            {"when": {"not_seen": 60, "never": 30}, "then": {"deed": "deactivate"}, "grace": 0},
            name="Leavers",
            who={"not_groups": ["contractors"]},
        ),
    )
    before = world.dump()
    done = plan(world, file)
    assert done.exit_code == 0, done.output
    assert world.dump() == before
    assert world.control("GET", "/effects") == {}
    assert "\x1b" not in done.output
    shown = sorted(lines_of(done.output))
    expected, totals = [], []
    for rule_id in rule_exchange.import_rules(world.tools, ana, text):
        preview = rule_runs.preview_rule(world.tools, ana, rule_id)
        for case in world.cases(preview).values():
            reason = case.because if case.state == "planned" else case.reason
            if case.account_id == ACCOUNTS["ana"]:
                # In the web it is her own rule; a file has no author, but the key is still hers.
                assert case.reason == SENTENCES[Guard.YOURSELF]
                reason = SENTENCES[Guard.KEY_HOLDER]
            expected.append((MARKS[case.state], case.name[:32].rstrip(), reason))
        view = run_progress.show_run(world.tools, ana, preview)
        guarded, impossible = (view.counts.get(state, 0) for state in ("guarded", "not_possible"))  # type: ignore[call-overload]
        totals.append(
            f"  {view.chosen} of {view.scope} chosen, {guarded} guarded, {impossible} not possible."
        )
        totals.append(f"  Seats that would become free: {view.seats}.")
        if view.reason:
            totals.append(f"  Live, its brake would stop it: {view.reason}")
    assert [(mark, name, reason) for mark, name, _what, reason in shown] == sorted(expected)
    assert {mark for mark, _name, _reason in expected} >= {"+", "!", "x"}
    assert [line for line in done.output.splitlines() if line in totals] == totals
    assert len(totals) == 5, "the first one has a brake"
    assert {what for mark, _name, what, _reason in shown if mark != "+"} == {"left alone"}


def test_a_rule_of_that_name_knows_whom_it_has_told(world: World, file: Path) -> None:
    """Otherwise the file would promise a second warning."""
    ana = world.store_key()
    (person,) = world.people(1)
    world.sync(ana)
    data = world.rule_data({"when": {"not_seen": 60}, "then": {"deed": "tell"}}, who={"people": [person]})
    write(file, data)
    assert [line[0] for line in lines_of(plan(world, file).output)] == ["+"]
    rule_id = rules.save_rule(world.tools, ana, data)
    world.approve_rule(ana, rule_id)
    world.run_rule(ana, rule_id)
    world.settled()
    ((mark, _name, _what, reason),) = lines_of(plan(world, file).output)
    assert mark == "."
    assert reason.startswith("Was warned already, on ")
    write(file, data | {"name": "Another"})
    assert [line[0] for line in lines_of(plan(world, file).output)] == ["+"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rules: [", "file: "),
        ("", "begins with “rules:”"),
        ("rules: []", "begins with “rules:”"),
        ("- rules", "begins with “rules:”"),
        ("rules: !!python/object/apply:os.system ['true']", "file: "),
        ("rules:\n- name: A\n  steps: [{when: {not_seen: soon}, then: {deed: suspend}}]", "when.not_seen: "),
        ("rules:\n- name: A\n  steps: [{when: {not_seen: 90}, then: {deed: destroy}}]", "then.deed: "),
        ("rules:\n- {}", "rules.0.name: Give the rule a name."),
        ("#" * 300_000, "larger than 256 KB"),
    ],
    ids=["yaml", "empty", "no rule", "list", "object", "days", "deed", "name", "size"],
)
def test_a_file_that_is_no_file_of_rules(sqlite_world: World, file: Path, text: str, sentence: str) -> None:
    sqlite_world.synced()
    file.write_text(text)
    before = sqlite_world.dump()
    assert sentence in refused(plan(sqlite_world, file))
    assert sqlite_world.dump() == before


def test_unknown_groups_and_two_problems_at_once(sqlite_world: World, file: Path) -> None:
    world = sqlite_world
    world.synced()
    write(
        file,
        world.rule_data(name="A", who={"groups": ["no such group"]}),
        world.rule_data(name="A"),
    )
    words = refused(plan(world, file))
    assert "rules.0.who.groups: " in words
    assert "rules.1.name: This name stands in the file twice." in words
    assert list(lines_of(words)) == []


def test_a_file_that_is_not_there(sqlite_world: World, file: Path) -> None:
    done = plan(sqlite_world, file)
    assert done.exit_code == 2
    assert "No such file" in done.output


def test_s46_without_a_fresh_complete_sync_nothing_is_promised(sqlite_world: World, file: Path) -> None:
    world = sqlite_world
    ana = world.store_key()
    write(file, world.rule_data(fresh_hours=2))
    assert "sync" in refused(plan(world, file))
    world.sync(ana)
    assert plan(world, file).exit_code == 0
    world.later(hours=3)
    assert "sync" in refused(plan(world, file))


def test_s19_which_organization(sqlite_world: World, file: Path) -> None:
    """One needs no name; of two, only the named one's people are shown."""
    world = sqlite_world
    write(file, world.rule_data({"when": {"not_seen": 60}, "then": {"deed": "suspend"}, "grace": 0}))
    for organization in (None, ACME):
        assert "Save an Admin API key under Configure Token." in refused(plan(world, file, organization))
    world.synced()
    assert plan(world, file, None).output == plan(world, file, ACME).output
    world.synced("globex")
    for organization in (None, "another"):
        words = refused(plan(world, file, organization))
        assert "--organization" in words
        assert ACME in words
        assert GLOBEX in words
    names: dict[str, set[str]] = {ACME: set(), GLOBEX: set()}
    for person in world.rows(Person):
        names[person.organization_id].add(person.name[:32].rstrip())
    for organization, known in names.items():
        shown = {name for _mark, name, _what, _reason in lines_of(plan(world, file, organization).output)}
        assert shown
        assert shown <= known


def test_no_word_of_anybody_reaches_the_terminal_as_a_command(world: World, file: Path) -> None:
    """Names, an operator's reasons and the file's own words are shown, their control characters are not."""
    ana = world.store_key()
    named, protected = world.people(2)
    world.change(named, name=CONTROL)
    world.sync(ana)
    with world.tools.begin() as session:
        # Whatever a form lets pass: what is stored may be older than the form.
        session.get_one(Person, (ACME, named)).name = CONTROL
    entry = protecting.protect(world.tools, ana, kind="person", value=protected, reason="Board", until="")
    with world.tools.begin() as session:
        session.get_one(type(entry), (ACME, entry.id)).reason = CONTROL
    write(file, world.rule_data(who={"people": [named, protected]}))
    done = plan(world, file)
    assert done.exit_code == 0, done.output
    assert all(letter.isprintable() for line in done.output.split("\n") for letter in line)
    shown = {mark: (name, reason) for mark, name, _what, reason in lines_of(done.output)}
    assert shown.keys() == {"+", "!"}
    assert "lory" in shown["+"][0]
    assert "lory" in shown["!"][1]
    assert not re.search(r"^\+ Somebody", done.output, flags=re.MULTILINE)


def test_as_an_administrator_types_it(sqlite_world: World, file: Path) -> None:
    """A program of its own: the exit status is what a pipeline looks at."""
    world = sqlite_world
    world.synced()
    settings = world.tools.settings
    environment = {
        "BASE_URL": settings.base_url,
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key,
        "CREDENTIAL_KEYS": credential_key("k1"),
        "PATH": os.environ["PATH"],
    }

    def typed() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flask", "--app", "app", "rules", "plan", str(file)]
        return subprocess.run(
            command, cwd=TOP, env=environment, capture_output=True, text=True, check=False, encoding="utf-8"
        )

    write(file, world.rule_data({"when": {"not_seen": 60}, "then": {"deed": "suspend"}, "grace": 0}))
    done = typed()
    assert done.returncode == 0, done.stderr
    assert list(lines_of(done.stdout)) == list(lines_of(plan(world, file).output)) != []
    file.write_text("rules: [")
    done = typed()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
