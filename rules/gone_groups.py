"""Groups that kept people from a rule and are gone. One that is made anew has another id, and keeps nobody from it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from rules.organization import OrganizationFacts, ProtectedKind
from rules.rule import Rule


def left_out_no_more(rule: Rule, organization: OrganizationFacts) -> str | None:
    """The name of a gone group that the rule leaves out."""
    return _gone(rule.who.not_groups, organization)


def protected_no_more(organization: OrganizationFacts, today: date) -> str | None:
    """The name of a gone group whose people are on the organization's own list."""
    listed = (
        each.value
        for each in organization.protections
        if each.kind is ProtectedKind.GROUP and each.holds_on(today)
    )
    return _gone(listed, organization)


def _gone(group_ids: Iterable[str], organization: OrganizationFacts) -> str | None:
    for group_id in group_ids:
        if not organization.has_group(group_id):
            group = organization.groups.get(group_id)
            return group.name if group is not None else group_id
    return None
