"""Rules as a file: YAML out and in, with the names of groups instead of their ids where a name is one group's alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import yaml
from sqlalchemy.orm import Session

from connect.caller import Caller
from models.organization import close_gate
from models.rule import rules_of
from rules.organization import OrganizationFacts
from rules.rule import Rule
from rules.rule_file import BadRule, Problem, parse_rule, rule_to_data
from services.doors import require_organization
from services.ground import organization_facts
from services.rule_versions import newest, require_rule
from services.rules import MOST_RULES, problems_here, store_rule
from services.toolbox import Toolbox
from services.yaml_files import BadYaml, read_yaml

MOST_BYTES = 256 * 1024

_NO_LETTER = "\N{REPLACEMENT CHARACTER}"
"""What stands in a text where its bytes were none of UTF-8: a name with that in it would be nobody's."""

_GROUP_FIELDS = (("who", "groups"), ("who", "not_groups"))
_STEP_GROUP_FIELDS = (("then", "leave"), ("then", "join"))


def export_rules(tools: Toolbox, caller: Caller, rule_id: str | None = None) -> str:
    """One rule, or all of them, as YAML."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        stored = (
            rules_of(session, organization_id)
            if rule_id is None
            else [require_rule(session, organization_id, rule_id)]
        )
        organization = organization_facts(session, organization_id)
        rules = [named(rule_to_data(newest(session, one)[1]), organization) for one in stored]
    return yaml.safe_dump({"rules": rules}, sort_keys=False, allow_unicode=True, width=100)


def import_rules(tools: Toolbox, caller: Caller, text: str) -> list[str]:
    """Saves every rule of a file: a known name gets a new version, another one becomes a new rule that is off.

    Returns their ids. Raises BadRule with the problems of all rules ("rules.0.who.groups"): then nothing is saved.
    """
    organization_id = require_organization(tools, caller)
    # A long file takes seconds to read: nobody's transaction waits for that.
    read = read_file(text)
    with tools.begin() as session:
        close_gate(session, organization_id)
        found = with_group_ids(read, organization_facts(session, organization_id))
        known = {stored.name: stored.id for stored in rules_of(session, organization_id)}
        rules, problems = checked_rules(session, organization_id, found, known)
        if problems:
            raise BadRule(tuple(problems))
        now = tools.clock()
        return [
            store_rule(session, organization_id, caller, rule, known.get(rule.name), now) for rule in rules
        ]


def checked_rules(
    session: Session, organization_id: str, found: list[dict[str, Any]], known: dict[str, str]
) -> tuple[list[Rule], list[Problem]]:
    """The rules of a file and all their problems; `known` is name → id of the rules that are there."""
    rules: list[Rule] = []
    problems: list[Problem] = []
    for index, data in enumerate(found):
        try:
            rule = parse_rule(data)
            here = list(problems_here(session, organization_id, rule, known.get(rule.name)))
            if rule.name in {each.name for each in rules}:
                here.append(Problem("name", "This name stands in the file twice."))
            rules.append(rule)
        except BadRule as bad:
            here = list(bad.problems)
        problems += [Problem(f"rules.{index}.{one.field}".rstrip("."), one.sentence) for one in here]
    return rules, problems


def read_file(text: str) -> list[dict[str, Any]]:
    """The rules of a file as data. Raises BadRule when it is no file of rules."""
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise BadRule((Problem("", "The file is larger than 256 KB. Import it in parts."),))
    if _NO_LETTER in text:
        line = text[: text.index(_NO_LETTER)].count("\n") + 1
        sentence = f"This is not written in UTF-8: look at line {line}. Save the file as UTF-8."
        raise BadRule((Problem("", sentence),))
    try:
        content = read_yaml(text)
    except BadYaml as problem:
        raise BadRule((Problem("", str(problem)),)) from problem
    rules = content.get("rules") if isinstance(content, Mapping) else None
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, dict) for rule in rules):
        raise BadRule((Problem("", "A file of rules begins with “rules:” and has at least one of them."),))
    if len(rules) > MOST_RULES:
        raise BadRule((Problem("rules", f"At most {MOST_RULES} rules."),))
    return rules


def with_group_ids(rules: list[dict[str, Any]], organization: OrganizationFacts) -> list[dict[str, Any]]:
    """The same rules, with ids for the names of groups."""
    return [_with_groups(rule, _id_finder(organization)) for rule in rules]


def named(data: dict[str, Any], organization: OrganizationFacts) -> dict[str, Any]:
    """The data with group names for ids, where no other group has the name."""
    ids = _ids_by_name(organization)

    def name_of(group_id: object) -> object:
        group = organization.groups.get(str(group_id))
        return group.name if group is not None and ids.get(group.name) == [group_id] else group_id

    return _with_groups(data, name_of)


def _id_finder(organization: OrganizationFacts) -> Callable[[object], object]:
    ids = _ids_by_name(organization)

    def id_of(word: object) -> object:
        if not isinstance(word, str) or word in organization.groups:
            return word
        found = ids.get(word, [])
        return found[0] if len(found) == 1 else word

    return id_of


def _ids_by_name(organization: OrganizationFacts) -> dict[str, list[str]]:
    """Of the groups that are there: one that is gone may have left its name to another."""
    found: dict[str, list[str]] = {}
    for group in organization.groups.values():
        if not group.gone:
            found.setdefault(group.name, []).append(group.id)
    return found


def _with_groups(data: dict[str, Any], change: Callable[[object], object]) -> dict[str, Any]:
    """A copy in which each group is what `change` makes of it; odd shapes are left for the parser to refuse."""
    changed = dict(data)
    for part, field in _GROUP_FIELDS:
        changed = _with_field(changed, part, field, change)
    steps = changed.get("steps")
    if isinstance(steps, list):
        changed["steps"] = [_with_step(step, change) for step in steps]
    return changed


def _with_step(step: object, change: Callable[[object], object]) -> object:
    if not isinstance(step, dict):
        return step
    for part, field in _STEP_GROUP_FIELDS:
        step = _with_field(step, part, field, change)
    return step


def _with_field(
    data: dict[str, Any], part: str, field: str, change: Callable[[object], object]
) -> dict[str, Any]:
    inner = data.get(part)
    if not isinstance(inner, dict) or not isinstance(inner.get(field), list):
        return data
    return data | {part: inner | {field: [change(value) for value in inner[field]]}}
