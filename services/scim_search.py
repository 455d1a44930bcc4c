"""Searching over SCIM: one kind at its own address, all kinds at the root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scim2_models import Resource
from sqlalchemy.orm import Session

from services import scim_groups, scim_users
from services.scim_connections import Provisioner
from services.scim_lists import Shelf, page, search_request, search_request_in
from services.scim_resources import GroupResource, PersonResource
from services.scim_wire import Answer, answered
from services.toolbox import Toolbox

_SHELVES: dict[str, Callable[[Toolbox, Session, Provisioner], Shelf]] = {
    "Users": scim_users.shelf,
    "Groups": scim_groups.shelf,
}
_RESOURCES: dict[str, type[Resource[Any]]] = {"Users": PersonResource, "Groups": GroupResource}


def list_some(tools: Toolbox, who: Provisioner, kind: str, query: Mapping[str, str]) -> Answer:
    """Users or Groups, by GET."""

    def deed() -> Answer:
        request = search_request(query, _RESOURCES[kind])
        with tools.begin() as session:
            return page(session, request, [_SHELVES[kind](tools, session, who)])

    return answered(deed)


def search(tools: Toolbox, who: Provisioner, kinds: tuple[str, ...], raw: bytes) -> Answer:
    """Users, Groups or both, by POST (RFC 7644, 3.4.3)."""

    def deed() -> Answer:
        request = search_request_in(raw, *(_RESOURCES[kind] for kind in kinds))
        with tools.begin() as session:
            return page(session, request, [_SHELVES[kind](tools, session, who) for kind in kinds])

    return answered(deed)
