"""Steps of a rule that can never come for anybody. Only what is certain counts as a problem."""

from __future__ import annotations

from rules.deeds import CAPABILITIES, Action, Deed
from rules.plain_data import Problem
from rules.rule import Rule, When
from rules.rule_shape import CONDITIONS

_ALIVE = frozenset({Deed.REMOVE_ACCESS, Deed.CHANGE_GROUPS, Deed.SUSPEND})
"""What is done only to accounts that are not deactivated."""
_BARRED: dict[Deed, frozenset[Deed]] = {
    Deed.DEACTIVATE: _ALIVE,
    Deed.DELETE: _ALIVE | {Deed.DEACTIVATE},
    Deed.REMOVE: frozenset(Deed),
}
"""Deed → the deeds that cannot follow it."""
_BARRED_WORDS = {
    Deed.DEACTIVATE: "nothing is left to do for a deactivated account.",
    Deed.DELETE: "the account is being deleted by then.",
    Deed.REMOVE: "whoever was removed is not in the organization's directory any more.",
}
_IN_GROUPS = frozenset({Deed.REMOVE_ACCESS, Deed.CHANGE_GROUPS})


def dead_rungs(rule: Rule) -> list[Problem]:
    """One problem for each step that can never come."""
    found = []
    for index, step in enumerate(rule.steps):
        sentence = (
            _wrong_people(rule, step.action) or _wrong_time(step.when, step.action) or _too_late(rule, index)
        )
        if sentence:
            found.append(Problem(f"steps.{index}.then.deed", f"This can never happen: {sentence}"))
    return found


def _wrong_people(rule: Rule, action: Action) -> str:
    if rule.who.account == "external" and CAPABILITIES[action.deed].managed_only:
        return "only the organization that manages an account may do it, and the rule is about external ones."
    if rule.who.source == "synced" and action.takes and action.deed not in _IN_GROUPS:
        return "whoever is synced belongs to your identity provider and is changed there."
    return ""


def _wrong_time(when: When, action: Action) -> str:
    if action.deed is Deed.SUSPEND and _only(when, "suspended"):
        return "whoever is suspended cannot be suspended once more."
    if action.deed in _ALIVE | {Deed.DEACTIVATE} and _only(when, "deactivated"):
        return "nothing is left to do for a deactivated account."
    return ""


def _only(when: When, name: str) -> bool:
    return [each for each in CONDITIONS if getattr(when, each) is not None] == [name]


def _too_late(rule: Rule, index: int) -> str:
    action = rule.steps[index].action
    for number, earlier in enumerate((step.action for step in rule.steps[:index]), start=1):
        if earlier == action and action.takes:
            return f"step {number} has done the same before."
        if action.deed in _BARRED.get(earlier.deed, ()):
            return f"after step {number} {_BARRED_WORDS[earlier.deed]}"
    return ""
