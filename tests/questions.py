"""What the database is asked, and what it reads for that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

ALL_CASES = re.compile(r"SCAN (run_case|person)\b.*|SEARCH run_case USING .*\(organization_id=\?\)")
"""How SQLite says that it reads every case there ever was, or everybody: it grows with each run."""

WHOLE_AUDIT = re.compile(r"SCAN audit_entry\b.*|SEARCH audit_entry USING .*\(organization_id=\?\)")
"""The same of everything that was ever done."""
ALL_GIVEN = re.compile(r"SCAN access_given\b.*|SEARCH access_given USING (?!INDEX ix_access_given_stopped).*")
"""The same of everything that access rules ever gave."""

Question = tuple[str, Any]
"""A statement with its parameters."""


@contextmanager
def asked_of(engine: Engine) -> Iterator[list[Question]]:
    """What the database is asked in here."""
    asked: list[Question] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def reading_all_cases(
    engine: Engine, asked: list[Question], all_of_them: re.Pattern[str] = ALL_CASES
) -> set[str]:
    """Those of the questions for which SQLite reads all cases, or all of something else."""
    with engine.connect() as connection:
        return {
            f"{plan[3]}: {statement}"
            for statement, parameters in asked
            if statement.startswith(("SELECT", "UPDATE"))
            for plan in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            if all_of_them.match(plan[3])
        }
