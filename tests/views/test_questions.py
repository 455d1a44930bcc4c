"""How much a page asks of our own memory: each question costs as much as the next one."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import event

from tests.views.house import House
from views.access import TOOLS
from views.show import OPERATOR_TABS

MOST_QUESTIONS = 36


@pytest.mark.parametrize("tab", [name for name, _title in OPERATOR_TABS])
def test_a_page_asks_little(house: House, tab: str) -> None:
    path = f"/app/{tab}"
    house.get(path)
    questions: list[str] = []

    def asked(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        questions.append(statement)

    engine = house.deployment.app.extensions[TOOLS].engine
    event.listen(engine, "before_cursor_execute", asked)
    try:
        assert house.get(path).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", asked)
    assert len(questions) <= MOST_QUESTIONS, Counter(questions).most_common()
