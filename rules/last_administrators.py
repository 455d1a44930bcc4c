"""No product is left without anybody who administers it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rules.access_path import USER_ROLE
from rules.changes import Change, ChangeKind
from rules.deeds import Action, Deed
from rules.organization import OrganizationFacts
from rules.person import PersonFacts
from rules.verdict import Verdict, Why, not_possible


def products_touched(action: Action, organization: OrganizationFacts) -> frozenset[str]:
    """The products (resource ids) to which a deed may end somebody's access."""
    if not action.takes:
        return frozenset()
    if action.deed is Deed.REMOVE_ACCESS:
        return organization.resources_of(action.products)
    if action.deed is Deed.CHANGE_GROUPS:
        return frozenset(each for group_id in action.leave for each in organization.grants.get(group_id, ()))
    return frozenset(organization.admins)


def last_administrator(facts: PersonFacts, action: Action, organization: OrganizationFacts) -> Verdict | None:
    """The refusal of a deed that takes a product's last administrator away from it."""
    return _refusal(facts, sorted(products_touched(action, organization)), organization)


def last_administrator_of(name: str) -> Verdict:
    """The refusal to leave a product without anybody who administers it."""
    return not_possible(f"Is the last administrator of {name}: name another one first.", Why.LAST_ADMIN)


def last_administrator_after(
    facts: PersonFacts, changes: Sequence[Change], organization: OrganizationFacts
) -> Verdict | None:
    """The same for changes that are known one by one."""
    return _refusal(facts, sorted(_touched_by(changes, organization)), organization)


def given_up_by(action: Action, changes: Iterable[Change], organization: OrganizationFacts) -> frozenset[str]:
    """The products (resource ids) that somebody may administer no longer once these changes of a deed have landed.

    Which group makes an administrator nobody tells: each that leads to the product is taken for the one. Of whoever is
    suspended or gone, that alone says enough.
    """
    landed = tuple(changes)
    if landed and action.deed is Deed.REMOVE_ACCESS:
        return organization.resources_of(action.products)
    return _touched_by(landed, organization)


def _refusal(
    facts: PersonFacts, resource_ids: Iterable[str], organization: OrganizationFacts
) -> Verdict | None:
    for resource_id in resource_ids:
        if organization.admins.get(resource_id) == frozenset({facts.account_id}):
            return last_administrator_of(organization.product_words(resource_id))
    return None


def _touched_by(changes: Iterable[Change], organization: OrganizationFacts) -> frozenset[str]:
    touched: set[str] = set()
    for change in changes:
        if change.kind is ChangeKind.LEAVE_GROUP:
            touched |= organization.grants.get(change.about, frozenset())
        elif change.kind is ChangeKind.REVOKE_ROLE and change.role != USER_ROLE:
            touched.add(change.about)
    return frozenset(touched)
