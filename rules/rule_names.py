"""What a rule names and the organization does not have: a group that is gone narrows a rule to nobody, or no longer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rules.organization import OrganizationFacts
from rules.plain_data import Problem
from rules.rule import Rule


def unknown_names(rule: Rule, organization: OrganizationFacts) -> tuple[Problem, ...]:
    """One problem for each product and group that the last sync did not find, at its field."""
    return tuple(
        Problem(path, _objection(thing, name, organization))
        for path, thing, name in _names(rule)
        if not _is_known(thing, name, organization)
    )


def _names(rule: Rule) -> Iterator[tuple[str, str, str]]:
    who = rule.who
    yield from _each("who.products", "product", who.products)
    yield from _each("who.groups", "group", who.groups)
    yield from _each("who.not_groups", "group", who.not_groups)
    for index, step in enumerate(rule.steps):
        yield from _each(f"steps.{index}.when.products", "product", step.when.products)
        yield from _each(f"steps.{index}.then.products", "product", step.action.products)
        yield from _each(f"steps.{index}.then.leave", "group", step.action.leave)
        yield from _each(f"steps.{index}.then.join", "group", step.action.join)


def _each(path: str, thing: str, names: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    yield from ((path, thing, name) for name in names)


def _is_known(thing: str, name: str, organization: OrganizationFacts) -> bool:
    if thing == "group":
        return organization.has_group(name)
    return bool(organization.resources_of([name]))


def _objection(thing: str, name: str, organization: OrganizationFacts) -> str:
    if thing == "group" and name in organization.groups:
        return f"The group “{organization.groups[name].name[:60]}” is gone: choose another one."
    return f"Your organization has no {thing} “{name[:60]}”."
