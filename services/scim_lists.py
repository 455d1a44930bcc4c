"""Lists over SCIM: filter, page, count, of one kind of resource or of all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from scim2_models import (
    Context,
    InvalidFilterException,
    ListResponse,
    Resource,
    ScimFilter,
    SearchRequest,
)
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from services.scim_filters import Compare, Field, OfType, condition_of
from services.scim_wire import MOST_RESULTS, Answer, read_body

_PARAMETERS = {
    name.casefold(): name for name in ("filter", "startIndex", "count", "attributes", "excludedAttributes")
}
_FURTHEST = 10**9
LONGEST_FILTER = 2_000
"""Characters. Each comparison may look at everybody, and providers make one or two (S54)."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """All of one kind that a connection may see: the rows, their order, what to filter by, how to show them."""

    resource: type[Resource[Any]]
    rows: Select[Any]
    order: Sequence[Any]
    fields: Mapping[Field, Compare]
    typed: Mapping[str, OfType]
    show: Callable[[list[Any], SearchRequest[Any]], list[dict[str, Any]]]


def search_request(query: Mapping[str, str], *resources: type[Resource[Any]]) -> SearchRequest[Any]:
    """What a GET asks for. Raises ValidationError. An order is not offered, so none is read."""
    asked = {
        name: value for key, value in query.items() if (name := _PARAMETERS.get(key.casefold())) and value
    }
    return _request(asked, resources, Context.RESOURCE_QUERY_REQUEST)


def search_request_in(raw: bytes, *resources: type[Resource[Any]]) -> SearchRequest[Any]:
    """The same, asked for by POST (RFC 7644, 3.4.3): addresses of people stay out of access logs."""
    return _request(read_body(raw), resources, Context.SEARCH_REQUEST)


def _request(
    asked: Mapping[str, Any], resources: Sequence[type[Resource[Any]]], context: Context
) -> SearchRequest[Any]:
    together: Any = reduce(or_, resources)
    request: Any = SearchRequest[together]
    found: SearchRequest[Any] = request.model_validate(asked, scim_ctx=context)
    return found


def page(session: Session, request: SearchRequest[Any], shelves: Sequence[Shelf]) -> Answer:
    """One page of what the filter finds, shelf after shelf. Raises InvalidFilterException."""
    start = min(request.start_index or 1, _FURTHEST)
    room = min(MOST_RESULTS if request.count is None else request.count, MOST_RESULTS)
    total, skip = 0, start - 1
    resources: list[dict[str, Any]] = []
    for shelf in shelves:
        rows = _filtered(request, shelf)
        found = list(session.scalars(rows.order_by(*shelf.order).offset(skip).limit(room))) if room else []
        if len(found) < room and (found or not skip):
            # Nobody comes behind them: who looks somebody up reads everybody once at most, and not twice.
            here = skip + len(found)
        else:
            here = session.scalar(select(func.count()).select_from(rows.subquery())) or 0
        resources += shelf.show(found, request) if found else []
        room -= len(found)
        total, skip = total + here, max(skip - here, 0)
    envelope = {
        "schemas": [str(ListResponse.__schema__)],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }
    return Answer(200, envelope)


def _filtered(request: SearchRequest[Any], shelf: Shelf) -> Select[Any]:
    if request.filter is None:
        return shelf.rows
    if len(str(request.filter)) > LONGEST_FILTER:
        raise InvalidFilterException(detail=f"A filter has at most {LONGEST_FILTER} characters.")
    bound: Any = ScimFilter[shelf.resource]  # type: ignore[name-defined]
    return shelf.rows.where(condition_of(bound(str(request.filter)), shelf.fields, shelf.typed))
