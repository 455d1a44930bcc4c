"""The list of people, page by page."""

from __future__ import annotations

from dataclasses import dataclass

from connect.caller import Caller
from models.people import Person
from models.people_search import count_people, find_ids, find_people, people_by_id
from models.sync import running_sync
from rules.filters import PeopleFilter
from services.doors import require_organization
from services.summary import summary
from services.toolbox import Toolbox

FEW = 100
"""So many are looked for at once when somebody looks for a name: it is looked for in everybody's."""


@dataclass(frozen=True, slots=True)
class PeopleList:
    """One page, with seats; `total` counts all pages."""

    people: list[Person]
    total: int
    page: int
    pages: int


def list_people(
    tools: Toolbox, caller: Caller, filter: PeopleFilter, *, page: int, per_page: int
) -> PeopleList:
    """A page that does not exist shows the last one."""
    organization_id = require_organization(tools, caller)
    first = _first(tools, organization_id, filter) if filter.text else []
    # A name that few have is not looked for a second time to count them.
    is_all = bool(filter.text) and len(first) < FEW
    total = len(first) if is_all else _how_many(tools, organization_id, filter)
    pages = max(-(-total // per_page), 1)
    page = min(page, pages)
    start = (page - 1) * per_page
    with tools.begin() as session:
        if is_all or start + per_page <= len(first):
            people = people_by_id(session, organization_id, first[start : start + per_page])
        else:
            people = find_people(
                session, organization_id, filter, tools.clock(), offset=start, limit=per_page
            )
        session.expunge_all()
    return PeopleList(people, total, page, pages)


def _first(tools: Toolbox, organization_id: str, filter: PeopleFilter) -> list[str]:
    with tools.begin() as session:
        return find_ids(session, organization_id, filter, tools.clock(), FEW)


def _how_many(tools: Toolbox, organization_id: str, filter: PeopleFilter) -> int:
    """Only syncs let people come and go: between them everybody is counted already."""
    if not filter.narrows:
        with tools.begin() as session:
            reading = running_sync(session, organization_id) is not None
        if not reading:
            return summary(tools, organization_id).totals.people
    with tools.begin() as session:
        return count_people(session, organization_id, filter, tools.clock())
