"""The list of leavers, page by page."""

from __future__ import annotations

from dataclasses import dataclass

from connect.caller import Caller
from models.leaver import Leaver, count_belongings
from models.leaver_list import Standing, count_leavers, leavers_of
from models.people import Person, people_by_id
from rules.handover import AGAIN, BelongingState
from services.doors import require_organization
from services.names import names_of
from services.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class LeaverRow:
    """One line of the list. `troubles` of what they own could not be handed over."""

    leaver: Leaver
    person: Person | None
    begun_by: str
    total: int
    moved: int
    troubles: int


@dataclass(frozen=True, slots=True)
class LeaverList:
    """One page, newest first, and how many there are of each standing."""

    rows: list[LeaverRow]
    counts: dict[Standing, int]
    page: int
    pages: int


def list_leavers(
    tools: Toolbox, caller: Caller, standing: Standing, *, page: int, per_page: int
) -> LeaverList:
    """A page that does not exist shows the last one."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        totals = count_leavers(session, organization_id)
        pages = max(-(-totals[standing] // per_page), 1)
        page = min(page, pages)
        found = leavers_of(session, organization_id, standing, offset=(page - 1) * per_page, limit=per_page)
        counts = count_belongings(session, organization_id, [each.id for each in found])
        names = names_of(session, organization_id, [each.created_by for each in found])
        people = people_by_id(session, organization_id, [each.account_id for each in found])
        session.expunge_all()
    rows = [
        _row(each, people.get(each.account_id), names.get(each.created_by, ""), counts.get(each.id, {}))
        for each in found
    ]
    return LeaverList(rows, totals, page, pages)


def _row(leaver: Leaver, person: Person | None, begun_by: str, states: dict[str, int]) -> LeaverRow:
    return LeaverRow(
        leaver,
        person,
        begun_by,
        sum(states.values()),
        states.get(BelongingState.MOVED.value, 0),
        sum(states.get(state.value, 0) for state in AGAIN),
    )
