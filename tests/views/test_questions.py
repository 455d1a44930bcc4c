"""How much a page asks of our own memory: each question costs as much as the next one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from connect.caller import Caller, Via
from models.organization import Organization
from models.rule import StoredRule
from models.run import Run
from rules.case import RunState
from services import rules
from tests.questions import ALL_GIVEN, Question, asked_of, reading_all_cases
from tests.views.house import ANA, House, words_of
from views.show import OPERATOR_TABS

MOST_QUESTIONS = 40


@pytest.fixture
def many_runs(house: House) -> Iterator[int]:
    """More than a page has, of several states. The house is shared: they are gone afterwards."""
    tools, number = house.deployment.tools, 60
    now = tools.clock()
    with tools.begin() as session:
        organization_id = session.scalars(select(Organization.id)).one()
        for each in range(number):
            state = RunState.RUNNING if each % 2 else RunState.FINISHED
            made = {"deed": "suspend", "state": state.value, "requested_by": ANA}
            at = now - timedelta(hours=each)
            session.add(Run(organization_id=organization_id, id=f"many-{each}", created_at=at, **made))
    yield number
    with tools.begin() as session:
        session.execute(delete(Run).where(Run.id.startswith("many-")))


@pytest.fixture
def many_rules(house: House) -> Iterator[int]:
    """Each with a run behind it. The house is shared: they are gone afterwards."""
    tools, number = house.deployment.tools, 30
    ana, now = Caller(house.key, ANA, Via.CONTEXT), tools.clock()
    steps = [{"when": {"not_seen": 90}, "then": {"deed": "suspend"}}]
    rule_ids = [
        rules.save_rule(tools, ana, {"name": f"Many {each}", "steps": steps}) for each in range(number)
    ]
    with tools.begin() as session:
        organization_id = session.scalars(select(Organization.id)).one()
        for rule_id in rule_ids:
            made = {"rule_id": rule_id, "rule_version": 1, "requested_by": ANA, "created_at": now}
            state = RunState.FINISHED.value
            session.add(Run(organization_id=organization_id, id=f"of-{rule_id[3:]}", state=state, **made))
    yield number
    with tools.begin() as session:
        session.execute(delete(Run).where(Run.rule_id.in_(rule_ids)))
        session.execute(delete(StoredRule).where(StoredRule.id.in_(rule_ids)))


@pytest.mark.parametrize("tab", [name for name, _title in OPERATOR_TABS])
def test_a_page_asks_little(house: House, tab: str) -> None:
    asks_little(house, f"/app/{tab}")


def test_a_page_of_many_runs_asks_as_little(house: House, many_runs: int) -> None:
    asks_little(house, "/app/runs")
    # Others may have left a run of their own.
    there = re.search(r"51–(\d+) of \1 runs", words_of(house.get("/app/runs?page=2")))
    assert there is not None
    assert int(there[1]) >= many_runs


def test_a_page_of_many_rules_asks_as_little(house: House, many_rules: int) -> None:
    # Of rules that ran, their runs are counted, too: all at once.
    asks_little(house, "/app/rules", MOST_QUESTIONS + 5)
    assert house.get("/app/rules").text.count("Many ") >= many_rules


@pytest.mark.parametrize("tab", [name for name, _title in OPERATOR_TABS])
def test_no_page_reads_all_cases_there_ever_were_or_all_that_rules_have_given(house: House, tab: str) -> None:
    asked = questions_of(house, f"/app/{tab}")
    assert reading_all_cases(house.deployment.tools.engine, asked) == set()
    assert reading_all_cases(house.deployment.tools.engine, asked, ALL_GIVEN) == set()


def test_a_name_is_looked_for_once(house: House) -> None:
    asked = questions_of(house, "/app/people?text=ana")
    assert sum("search_text LIKE" in statement for statement, _parameters in asked) == 1


def asks_little(house: House, path: str, most: int = MOST_QUESTIONS) -> None:
    house.get(path)
    questions = [statement for statement, _parameters in questions_of(house, path)]
    assert len(questions) <= most, Counter(questions).most_common()


def questions_of(house: House, path: str) -> list[Question]:
    """What the database is asked for a page."""
    with asked_of(house.deployment.tools.engine) as asked:
        assert house.get(path).status_code == 200
    return asked
