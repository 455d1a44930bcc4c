"""Rungs that nobody comes to because of what a rung before them has taken: the seat or the group that they go by.

Only with an organization at hand can that be said: which products there are, and which groups open them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rules.deeds import Deed
from rules.organization import OrganizationFacts
from rules.plain_data import Problem
from rules.rule import Rule, Step, When, Who
from rules.rule_shape import CONDITIONS

_BY_SEATS = frozenset({"not_seen", "never"})


@dataclass(frozen=True, slots=True)
class _Below:
    """Of whoever stands on these rungs: the products and groups that they are without, and those they have joined."""

    products: frozenset[str]
    left: frozenset[str]
    joined: frozenset[str]


def rungs_beyond(rule: Rule, organization: OrganizationFacts) -> list[Problem]:
    """One problem for each step that nobody comes to because of a step before it."""
    found = []
    for index, step in enumerate(rule.steps):
        for number in range(1, index + 1):
            below = _below(rule.steps[:number], organization)
            sentence = _out_of_scope(rule.who, below, organization) or _seatless(
                step.when, below, organization
            )
            if sentence:
                words = f"This can never happen: after step {number} {sentence}"
                found.append(Problem(f"steps.{index}.then.deed", words))
                break
    return found


def _below(steps: Iterable[Step], organization: OrganizationFacts) -> _Below:
    products: set[str] = set()
    left: set[str] = set()
    joined: set[str] = set()
    for action in (step.action for step in steps):
        if action.deed is Deed.REMOVE_ACCESS:
            products |= organization.resources_of(action.products)
        elif action.deed is Deed.CHANGE_GROUPS:
            left.update(action.leave)
            joined.update(action.join)
    left |= {group_id for group_id, opens in organization.grants.items() if opens & products}
    return _Below(frozenset(products), frozenset(left), frozenset(joined))


def _out_of_scope(who: Who, below: _Below, organization: OrganizationFacts) -> str:
    wanted = organization.resources_of(who.products)
    if wanted and wanted <= below.products:
        return "nobody has a seat any more in the products that the rule is about."
    if who.groups and below.left.issuperset(who.groups):
        return "nobody is in the groups any more that the rule is about."
    if not below.joined.isdisjoint(who.not_groups):
        return "everybody is in a group that the rule leaves out."
    return ""


def _seatless(when: When, below: _Below, organization: OrganizationFacts) -> str:
    asked = {name for name in CONDITIONS if getattr(when, name) is not None}
    looked_at = organization.resources_of(when.products or organization.products)
    if below.products and asked <= _BY_SEATS and looked_at <= below.products:
        return (
            "they have no seat left that tells when they were last here."
            " Suspend them there, and count the days of the suspension here."
        )
    return ""
