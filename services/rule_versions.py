"""Versions of rules: the newest one, and what has to be done before it may run by itself."""

from __future__ import annotations

from sqlalchemy.orm import Session

from connect.errors import Conflict, NotFound, NotReady
from models.rule import RuleVersion, StoredRule, find_rule, find_version
from models.run import Case, Run
from rules.rule import Mode, Rule, Step
from rules.rule_file import parse_rule


def newest(session: Session, stored: StoredRule) -> tuple[RuleVersion, Rule]:
    """The newest version of a rule, and the rule it defines."""
    version = find_version(session, stored.organization_id, stored.id, stored.version)
    assert version is not None
    return version, parse_rule(version.definition)


def require_rule(session: Session, organization_id: str, rule_id: str) -> StoredRule:
    """A rule of this organization. Raises NotFound."""
    stored = find_rule(session, organization_id, rule_id)
    if stored is None:
        raise NotFound("This rule does not exist, or not any more.", "Look at the list of rules.")
    return stored


def require_unchanged(stored: StoredRule, seen: int | None) -> None:
    """What an operator decides is about the version that they have `seen`; None: about any. Raises Conflict."""
    if seen is not None and stored.version != seen:
        raise Conflict(
            f"This is version {stored.version} by now: the rule was changed since you opened it.",
            "Reload the page, and read the rule as it is first.",
        )


def step_of(session: Session, case: Case, run: Run | None) -> Step | None:
    """The rung on which a case stands, as the version of the rule reads that its run names; None without a rule."""
    if run is None or run.rule_id is None or run.undoes is not None:
        return None
    version = find_version(session, run.organization_id, run.rule_id, run.rule_version or 0)
    if version is None:
        return None
    steps = parse_rule(version.definition).steps
    return steps[case.step] if case.step < len(steps) else None


def what_is_missing(version: RuleVersion, rule: Rule) -> NotReady | None:
    """What an operator has to do before this version may run by itself."""
    if rule.needs_second_operator and version.confirmed_by is None:
        return NotReady(
            "This rule deletes accounts, and nobody else has confirmed it.",
            "Ask a second operator to open the rule and confirm it.",
            reason="not_confirmed",
        )
    if rule.mode is Mode.LIVE and version.seen_by is None:
        return NotReady(
            "Nobody has looked at a preview of this version of the rule.",
            "Make a preview and look at it.",
            reason="no_preview",
        )
    return None
