"""A name is looked for once in everybody's, or twice where many have it: the pages are the same."""

from __future__ import annotations

import pytest

from models.people_search import find_people
from rules.filters import PeopleFilter
from services.directory import store_people
from services.people_list import FEW, list_people
from tests.rules.people import person
from tests.world import ACME, World


@pytest.mark.parametrize("people", [0, 1, FEW - 1, FEW, FEW + 1, 2 * FEW + 20])
def test_every_page_of_a_name(sqlite_world: World, people: int) -> None:
    operator = sqlite_world.synced()
    tools, now = sqlite_world.tools, sqlite_world.clock()
    called_zed = [person(f"zed-{number}", name=f"Zed {number % 7}") for number in range(people)]
    others = [person(f"uma-{number}", name="Uma") for number in range(FEW + 1)]
    wanted = PeopleFilter(text="ZED", sort="name", descending=True)
    with tools.begin() as session:
        store_people(session, ACME, "directory", "sync", [*called_zed, *others], now)
        everybody = [each.account_id for each in find_people(session, ACME, wanted, now, limit=people + 1)]
    assert len(everybody) == people
    last = max(-(-people // 50), 1)
    for page in range(1, last + 2):
        found = list_people(tools, operator, wanted, page=page, per_page=50)
        shown = min(page, last)
        assert (found.total, found.page, found.pages) == (people, shown, last)
        assert [each.account_id for each in found.people] == everybody[(shown - 1) * 50 : shown * 50]
