"""What a sync reads before the people: the products, who gets into each by which group, who administers it, the groups.

Products are asked about side by side. One after the other, an organization of fifty sites would wait for a hundred
answers before its first person is read. What was read when Atlassian says wait is written down, and not read again:
else an organization whose outline takes more calls than are let through at a time would never come to its people.

Among the workspaces are products that a directory does not know, or of which nobody is an administrator in its sense:
what Atlassian will not be asked about one of them stays as it is known. Of all of them, it is an odd answer.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import product
from typing import Any

from sqlalchemy import select, update

from connect.errors import AtlassianError, Gone, Unavailable, Unexpected
from connect.gateway.organization import OrganizationGateway, Place, WorkspaceRecord
from models.sync import Sync, SyncState
from rules.person import GroupFacts
from services.doors import opened
from services.toolbox import Toolbox

logger = logging.getLogger("rollcall.sync")

PRODUCT_ADMIN = "atlassian/admin"
SIDE_BY_SIDE = 4
"""How many connections ask about products: more would be refused sooner than they are faster."""


@dataclass(frozen=True, slots=True)
class Outline:
    """An organization without its people. `seconds_waited` is what the connections waited that were opened for it.

    `grants` are (group id, resource id), `admins` (resource id, account id); of the products in `grants_untold` and
    `admins_untold` no directory took the question.
    """

    directory_ids: Sequence[str]
    workspaces: Sequence[WorkspaceRecord]
    grants: Sequence[tuple[str, str]]
    admins: Sequence[tuple[str, str]]
    grants_untold: frozenset[str]
    admins_untold: frozenset[str]
    groups: Sequence[GroupFacts]
    people: int
    seconds_waited: float


class _About(StrEnum):
    GROUPS = "groups"
    GRANTS = "grants"
    ADMINS = "admins"


@dataclass(slots=True)
class _Part:
    """One list of the outline, what was found of it so far, and where its reading is."""

    about: _About
    directory_id: str
    resource_id: str = ""
    found: list[Any] = field(default_factory=list)
    place: Place = field(default_factory=Place)
    refusal: AtlassianError | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return self.about, self.directory_id, self.resource_id

    def read(self, gateway: OrganizationGateway, organization_id: str) -> None:
        if self.place.is_read:
            return
        try:
            self.found += self._rows(gateway, organization_id)
        except (Gone, Unexpected) as problem:
            if not self._may_be_refused(problem):
                raise
            logger.warning("nobody can be asked for the %s of %s", self.about, self.resource_id)
            self.refusal = problem

    def _may_be_refused(self, problem: AtlassianError) -> bool:
        """Whether it is the question that Atlassian does not take, and not the middle of its answer."""
        is_refusal = isinstance(problem, Gone) or (isinstance(problem, Unexpected) and problem.status == 400)
        return is_refusal and self.about is not _About.GROUPS and self.place.cursor is None

    def _rows(self, gateway: OrganizationGateway, organization_id: str) -> Iterator[Any]:
        where = (organization_id, self.directory_id)
        match self.about:
            case _About.GROUPS:
                return map(asdict, gateway.groups(*where, self.place))
            case _About.GRANTS:
                return gateway.groups_granting(*where, self.resource_id, self.place)
            case _About.ADMINS:
                return gateway.holders_of_role(*where, self.resource_id, PRODUCT_ADMIN, self.place)


def read_outline(tools: Toolbox, gateway: OrganizationGateway, organization_id: str, sync_id: str) -> Outline:
    """Asks Atlassian. Raises AtlassianError, Unavailable for an organization without a directory."""
    directory_ids = [directory.id for directory in gateway.directories(organization_id)]
    workspaces = gateway.workspaces(organization_id)
    if not directory_ids:
        raise Unavailable(reason="no_directory")
    of_groups = [_Part(_About.GROUPS, each) for each in directory_ids]
    of_products = [
        _Part(about, directory_id, workspace.resource_id)
        for workspace, directory_id in product(workspaces, directory_ids)
        for about in (_About.GRANTS, _About.ADMINS)
    ]
    parts = of_groups + of_products
    _remember(tools, sync_id, parts)
    try:
        seconds_waited = _read(tools, gateway, organization_id, of_groups, of_products)
        _require_an_answer(of_products)
        people = sum(gateway.people_count(organization_id, each) for each in directory_ids)
    except AtlassianError:
        _write_down(tools, sync_id, parts)
        raise
    return Outline(
        directory_ids,
        workspaces,
        grants=[(one, resource_id) for resource_id, one in _found(parts, _About.GRANTS)],
        admins=_found(parts, _About.ADMINS),
        grants_untold=_untold(parts, _About.GRANTS),
        admins_untold=_untold(parts, _About.ADMINS),
        groups=[GroupFacts(**one) for _, one in _found(parts, _About.GROUPS)],
        people=people,
        seconds_waited=seconds_waited,
    )


def has_place(words: Sequence[Sequence[Any]] | None) -> bool:
    """Whether the outline that was written down is in the middle of a list."""
    return any(cursor is not None for *_, cursor, _is_read in words or ())


def _read(
    tools: Toolbox,
    gateway: OrganizationGateway,
    organization_id: str,
    of_groups: Sequence[_Part],
    of_products: Sequence[_Part],
) -> float:
    """Reads what is left of these lists. Returns how long the connections waited that were opened for it."""
    left = [part for part in of_products if not part.place.is_read]
    shares = [share for start in range(SIDE_BY_SIDE) if (share := left[start::SIDE_BY_SIDE])]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as others:
        asked = [others.submit(_read_share, tools, organization_id, share) for share in shares]
        for part in of_groups:
            part.read(gateway, organization_id)
        return sum(future.result() for future in asked)


def _require_an_answer(of_products: Sequence[_Part]) -> None:
    refusals = [part.refusal for part in of_products if part.refusal is not None]
    if refusals and len(refusals) == len(of_products):
        raise refusals[0]


def _read_share(tools: Toolbox, organization_id: str, parts: Sequence[_Part]) -> float:
    with opened(tools, organization_id) as gateway:
        for part in parts:
            part.read(gateway, organization_id)
        return gateway.seconds_waited


def _found(parts: Iterable[_Part], about: _About) -> list[tuple[str, Any]]:
    """(resource id, what was found of it)."""
    return [(part.resource_id, one) for part in parts if part.about is about for one in part.found]


def _untold(parts: Iterable[_Part], about: _About) -> frozenset[str]:
    asked = [part for part in parts if part.about is about]
    return frozenset(part.resource_id for part in asked) - {
        part.resource_id for part in asked if part.refusal is None
    }


def _remember(tools: Toolbox, sync_id: str, parts: Sequence[_Part]) -> None:
    with tools.begin() as session:
        words = session.scalar(select(Sync.outline).where(Sync.id == sync_id)) or []
    known = {(about, directory_id, resource_id): rest for about, directory_id, resource_id, *rest in words}
    for part in parts:
        if part.key in known:
            part.found, cursor, is_read = known[part.key]
            part.place = Place(cursor, is_read)


def _write_down(tools: Toolbox, sync_id: str, parts: Sequence[_Part]) -> None:
    words = [[*part.key, part.found, part.place.cursor, part.place.is_read] for part in parts]
    with tools.begin() as session:
        session.execute(
            update(Sync)
            .where(Sync.id == sync_id, Sync.state == SyncState.RUNNING.value, Sync.directory_ids == "")
            .values(outline=words)
        )
