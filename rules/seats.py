"""How many paid seats a deed would free."""

from __future__ import annotations

from collections.abc import Iterable

from rules.deeds import Action, Deed
from rules.organization import OrganizationFacts
from rules.person import PersonFacts

_EVERY_SEAT = frozenset({Deed.SUSPEND, Deed.DEACTIVATE, Deed.REMOVE, Deed.DELETE})


def seats_freed(action: Action, facts: PersonFacts, organization: OrganizationFacts) -> int:
    """How many seats nobody would pay for any more: whoever is suspended or deactivated takes none already.

    A group that they leave is taken for the only way to a product, unless another one of theirs grants it.
    """
    if not facts.is_in_use:
        return 0
    held = {access.resource_id for access in facts.products}
    if action.deed in _EVERY_SEAT:
        return len(held)
    if action.deed is Deed.REMOVE_ACCESS:
        return len(held & organization.resources_of(action.products))
    if action.deed is Deed.CHANGE_GROUPS:
        groups = {group.id for group in facts.groups}
        stays = (groups | set(action.join)) - set(action.leave)
        return len(
            held & (_granted(groups & set(action.leave), organization) - _granted(stays, organization))
        )
    return 0


def _granted(group_ids: Iterable[str], organization: OrganizationFacts) -> set[str]:
    return {each for group_id in group_ids for each in organization.grants.get(group_id, frozenset())}
