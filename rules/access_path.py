"""How somebody comes to a product (a role of their own, groups), and what would have to be taken to end it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rules.changes import Change, ChangeKind, Snapshot
from rules.organization import OrganizationFacts

USER_ROLE = "atlassian/user"
"""What a direct role is taken for until Atlassian has been asked: the deed asks, and takes what is really held."""
_OPENS_NOTHING = "atlassian/ai-access"
"""Listed among somebody's roles on a product, this one opens nothing by itself, and Atlassian lets nobody take it."""


@dataclass(frozen=True, slots=True)
class Path:
    """`changes` end the access; `obstacle` says why they cannot, `groups` which groups stand in the way.

    With an obstacle nothing is changed at all: access that stays by another way would not have been ended.
    """

    changes: tuple[Change, ...] = ()
    obstacle: str = ""
    groups: tuple[str, ...] = ()
    provider: bool = False


def path_out(seen: Snapshot, resource_ids: Iterable[str], organization: OrganizationFacts) -> Path:
    """What ends the access to these products and to no other. Only groups that grant a product are left."""
    ending = frozenset(resource_ids)
    held = [access.resource_id for access in seen.facts.products if access.resource_id in ending]
    leave = [
        group.id for group in seen.facts.groups if organization.grants.get(group.id, frozenset()) & ending
    ]
    synced = [group_id for group_id in leave if _of_provider(group_id, organization)]
    if synced:
        obstacle = f"{of_provider(synced, organization)}: remove them there."
        others = _also_ended(synced, ending, organization)
        if others:
            # Whoever works through the provider's list must not lock out somebody who works elsewhere.
            obstacle += f" That would also end {others}."
        return Path(obstacle=obstacle, groups=tuple(synced), provider=True)
    for group_id in leave:
        others = _also_ended([group_id], ending, organization)
        if others:
            name = organization.group_name(group_id)
            return Path(obstacle=f"Leaving {name} would also end {others}.", groups=(group_id,))
    unexplained = _by_unknown_groups(seen, ending, leave, organization)
    if unexplained:
        return Path(obstacle=f"Comes to {unexplained} by a group that Rollcall cannot see.")
    revoke = _direct_roles(seen, held, ending, frozenset(leave), organization)
    return Path((*revoke, *(Change(ChangeKind.LEAVE_GROUP, group_id) for group_id in leave)))


def _direct_roles(
    seen: Snapshot,
    held: list[str],
    ending: frozenset[str],
    leave: frozenset[str],
    organization: OrganizationFacts,
) -> list[Change]:
    if seen.roles is not None:
        return [
            Change(ChangeKind.REVOKE_ROLE, role.resource_id, role.role)
            for role in seen.roles
            if role.direct and role.resource_id in ending and role.role != _OPENS_NOTHING
        ]
    # What no group explains must be a role of their own.
    granted = {resource_id for group_id in leave for resource_id in organization.grants[group_id]}
    return [Change(ChangeKind.REVOKE_ROLE, each, USER_ROLE) for each in held if each not in granted]


def _by_unknown_groups(
    seen: Snapshot, ending: frozenset[str], leave: list[str], organization: OrganizationFacts
) -> str:
    granted = {resource_id for group_id in leave for resource_id in organization.grants[group_id]}
    hidden = {
        role.resource_id
        for role in seen.roles or ()
        if role.by_group and role.resource_id in ending - granted and role.role != _OPENS_NOTHING
    }
    return " and ".join(sorted({organization.product_words(each) for each in hidden}))


def _of_provider(group_id: str, organization: OrganizationFacts) -> bool:
    group = organization.groups.get(group_id)
    return group is not None and (group.synced or not group.modifiable)


def groups_of_provider(group_ids: Iterable[str], organization: OrganizationFacts) -> tuple[str, ...]:
    """Those of the groups whose members only the identity provider may change."""
    return tuple(group_id for group_id in group_ids if _of_provider(group_id, organization))


def of_provider(group_ids: Iterable[str], organization: OrganizationFacts) -> str:
    """That these groups are the identity provider's, as the beginning of a sentence."""
    *names, last = (organization.group_name(group_id) for group_id in group_ids)
    if not names:
        return f"{last} belongs to your identity provider"
    return f"{', '.join(names)} and {last} belong to your identity provider"


def _also_ended(group_ids: Iterable[str], ending: frozenset[str], organization: OrganizationFacts) -> str:
    """What else would end for somebody who leaves these groups; empty: nothing."""
    more = {each for group_id in group_ids for each in organization.grants[group_id]} - ending
    return " and ".join(sorted({organization.product_words(each) for each in more}))
