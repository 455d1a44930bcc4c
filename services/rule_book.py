"""What the rule book says this moment about a run that a rule began."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.rule import find_rule, find_version
from models.run import Run
from rules.rule import Rule
from rules.rule_file import parse_rule

DELETED = "The rule was deleted."
SWITCHED_OFF = "The rule was switched off."


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The version that the run names, who wrote it, what the rule has become since, and what stands against the run."""

    rule: Rule | None = None
    author: str = ""
    newer: Rule | None = None
    objection: str | None = None


def open_at(session: Session, run: Run) -> RuleBook:
    """Empty for runs of anything else. An undo is no deed of the rule: it may be off, or gone, by then."""
    if run.rule_id is None or run.rule_version is None or run.undoes is not None:
        return RuleBook()
    version = find_version(session, run.organization_id, run.rule_id, run.rule_version)
    assert version is not None
    rule = parse_rule(version.definition)
    stored = find_rule(session, run.organization_id, run.rule_id)
    if stored is None:
        return RuleBook(rule, version.created_by, objection=DELETED)
    if not stored.is_on:
        return RuleBook(rule, version.created_by, objection=SWITCHED_OFF)
    if stored.version == run.rule_version:
        return RuleBook(rule, version.created_by)
    newer = find_version(session, run.organization_id, run.rule_id, stored.version)
    assert newer is not None
    return RuleBook(rule, version.created_by, parse_rule(newer.definition))
