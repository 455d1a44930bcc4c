"""The rest of a rule's scope on the page of its preview: counted, listed, searched; for operators alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from models.people import Person
from models.run import Case
from services.rule_runs import mark_seen, preview_rule, run_now
from services.rules import delete_rule, save_rule, switch_on
from tests.views.house import JON, UMA, House, address_of, words_of

LISTS = {
    "name": "Lists for the test",
    "mode": "audit",
    "steps": [{"when": {"not_seen": 90}, "then": {"deed": "list"}}],
    "brake": {"number": "none", "share": "none"},
}


@pytest.fixture
def rule_id(house: House) -> Iterator[str]:
    rule_id = save_rule(house.deployment.tools, house.deployment.ana, LISTS)
    yield rule_id
    delete_rule(house.deployment.tools, house.deployment.ana, rule_id)


@pytest.fixture
def preview(house: House, rule_id: str) -> str:
    return preview_rule(house.deployment.tools, house.deployment.ana, rule_id)


def rows_of(answer: TestResponse) -> list[str]:
    body = answer.text.split('id="run-rows">')[1].split("</tbody>")[0]
    return [unescape(row) for row in re.findall(r"<tr\b.*?</tr>", body, flags=re.DOTALL)]


def everybody(house: House, run_id: str) -> tuple[set[str], set[str]]:
    """(names of those in the run and of nobody else, names of all others)."""
    with house.deployment.tools.begin() as session:
        in_run = select(Case.account_id).where(Case.run_id == run_id)
        here = select(Person.name).where(Person.left_at.is_(None))
        others = set(session.scalars(here.where(Person.account_id.not_in(in_run))))
        return set(session.scalars(here.where(Person.account_id.in_(in_run)))) - others, others


def test_the_chip_leads_to_them_and_each_has_a_reason(house: House, preview: str) -> None:
    chosen, others = everybody(house, preview)
    first = house.get(f"/app/runs/{preview}")
    assert f'href="/app/runs/{preview}?show=rest"' in first.text
    page = house.get(f"/app/runs/{preview}?show=rest")
    assert page.status_code == 200
    assert address_of(page) == f"runs/{preview}?show=rest"
    count = re.search(r"Not idle (\d+)", words_of(page))
    assert count is not None
    total = int(count[1])
    assert f"{total} left alone: not idle, or nobody can say" in words_of(page)
    found: list[str] = []
    for number in range(1, -(-total // 50) + 1):
        found += rows_of(house.get(f"/app/runs/{preview}?show=rest&page={number}"))
    assert len(found) == total
    assert all(any(name in row for name in others) for row in found)
    assert not any(f">{name}<" in row for row in found for name in chosen)
    reasons = (
        "Was here ",
        "Never came; added ",
        "Nobody can say when they were last here.",
        "Has no seat in any product.",
    )
    assert all(any(reason in row for reason in reasons) for row in found)


def test_a_name_is_found_among_them(house: House, preview: str) -> None:
    row = rows_of(house.get(f"/app/runs/{preview}?show=rest"))[0]
    name = next(name for name in everybody(house, preview)[1] if name in row)
    page = house.get(f"/app/runs/{preview}?show=rest&text={name[:6]}")
    found = rows_of(page)
    assert found
    assert all(name[:6].lower() in row.lower() for row in found)
    assert '<input type="hidden" name="show" value="rest">' in page.text
    nobody = house.get(f"/app/runs/{preview}?show=rest&text=zzzzzz")
    assert rows_of(nobody) == []
    assert "No name in this run has these letters." in words_of(nobody)


@pytest.mark.parametrize("who", [JON, UMA, None])
def test_only_operators_see_them(house: House, preview: str, who: str | None) -> None:
    answer = house.get(f"/app/runs/{preview}?show=rest", who)
    assert answer.status_code == 403
    assert not any(name in words_of(answer) for name in everybody(house, preview)[1] if len(name) > 8)
    assert house.get("/app/runs/nothing?show=rest").status_code == 404


def test_a_live_run_has_no_such_list(house: House, rule_id: str) -> None:
    """`show=rest` is odd words there: everybody of the run is shown."""
    tools, ana = house.deployment.tools, house.deployment.ana
    mark_seen(tools, ana, preview_rule(tools, ana, rule_id))
    switch_on(tools, ana, rule_id)
    run_id = run_now(tools, ana, rule_id)
    page, odd = (house.get(f"/app/runs/{run_id}{words}") for words in ("", "?show=rest"))
    assert rows_of(odd) == rows_of(page) != []
    assert "Not idle" not in words_of(odd)
