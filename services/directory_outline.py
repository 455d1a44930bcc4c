"""What a sync reads before the people: the products, who gets into each by which group, who administers it, the groups.

Products are asked about side by side. One after the other, an organization of fifty sites would wait for a hundred
answers before its first person is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import product

from connect.errors import Unavailable
from connect.gateway.organization import OrganizationGateway, WorkspaceRecord
from rules.person import GroupFacts
from services.doors import opened
from services.toolbox import Toolbox

PRODUCT_ADMIN = "atlassian/admin"
SIDE_BY_SIDE = 4
"""How many connections ask about products: more would be refused sooner than they are faster."""


@dataclass(frozen=True, slots=True)
class Outline:
    """An organization without its people. `seconds_waited` is what the connections waited that were opened for it."""

    directory_ids: Sequence[str]
    workspaces: Sequence[WorkspaceRecord]
    grants: Sequence[tuple[str, str]]
    admins: Sequence[tuple[str, str]]
    groups: Sequence[GroupFacts]
    people: int
    seconds_waited: float


@dataclass(slots=True)
class _Found:
    """(group id, resource id) and (resource id, account id) of some products."""

    grants: list[tuple[str, str]] = field(default_factory=list)
    admins: list[tuple[str, str]] = field(default_factory=list)
    seconds_waited: float = 0.0


def read_outline(tools: Toolbox, gateway: OrganizationGateway, organization_id: str) -> Outline:
    """Asks Atlassian. Raises AtlassianError, Unavailable for an organization without a directory."""
    directory_ids = [directory.id for directory in gateway.directories(organization_id)]
    workspaces = gateway.workspaces(organization_id)
    if not directory_ids:
        raise Unavailable(reason="no_directory")
    pairs = list(product((workspace.resource_id for workspace in workspaces), directory_ids))
    shares = [share for start in range(SIDE_BY_SIDE) if (share := pairs[start::SIDE_BY_SIDE])]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as others:
        asked = [others.submit(_ask_about, tools, organization_id, share) for share in shares]
        groups = [group for each in directory_ids for group in gateway.groups(organization_id, each)]
        people = sum(gateway.people_count(organization_id, each) for each in directory_ids)
        found = [future.result() for future in asked]
    return Outline(
        directory_ids,
        workspaces,
        grants=[grant for each in found for grant in each.grants],
        admins=[admin for each in found for admin in each.admins],
        groups=groups,
        people=people,
        seconds_waited=sum(each.seconds_waited for each in found),
    )


def _ask_about(tools: Toolbox, organization_id: str, pairs: Sequence[tuple[str, str]]) -> _Found:
    """Which groups grant these products, and who administers them: (resource id, directory id), one after the other."""
    found = _Found()
    with opened(tools, organization_id) as gateway:
        for resource_id, directory_id in pairs:
            groups = gateway.groups_granting(organization_id, directory_id, resource_id)
            found.grants += [(group.id, resource_id) for group in groups]
            admins = gateway.holders_of_role(organization_id, directory_id, resource_id, PRODUCT_ADMIN)
            found.admins += [(resource_id, account_id) for account_id in admins]
        found.seconds_waited = gateway.seconds_waited
    return found
