"""What became of a file of people, row by row: those that had to be mended stand where they stood."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge

from sqlalchemy import select

from connect.caller import Caller
from models.bad_row import BadRow
from models.run import Case
from services.batches import BATCH
from services.doors import require_organization
from services.exports import csv_lines, record_export
from services.people_file import each_bad_row
from services.runs import require_run
from services.toolbox import Toolbox

HEADER = ("line", "e-mail", "name", "action", "result", "reason", "note", "finished", "account id")
NOT_READ = "not_read"
"""The result of a row that had to be mended."""
_Line = tuple[object, ...]


def report_csv(tools: Toolbox, caller: Caller, run_id: str) -> Iterator[str]:
    """One result for each row of the file, in its order. Raises NotFound for another organization's run."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        require_run(session, organization_id, run_id)
        record_export(session, tools, caller, organization_id, "report", run_id)
    lines = merge(
        _cases(tools, organization_id, run_id),
        map(_bad, each_bad_row(tools, organization_id, run_id)),
        key=lambda line: line[0],  # type: ignore[arg-type,return-value]
    )
    return csv_lines(HEADER, lines)


def _cases(tools: Toolbox, organization_id: str, run_id: str) -> Iterator[_Line]:
    after = -1
    while True:
        with tools.begin() as session:
            query = select(
                Case.line, Case.email, Case.name, Case.deed, Case.state, Case.reason, Case.note,
                Case.finished_at, Case.account_id,
            ).where(
                Case.organization_id == organization_id, Case.run_id == run_id, Case.line > after
            )  # fmt: skip
            page = session.execute(query.order_by(Case.line).limit(BATCH)).all()
        yield from (tuple(row) for row in page)
        if len(page) < BATCH:
            return
        after = page[-1].line


def _bad(row: BadRow) -> _Line:
    said = " ".join(f"{column}: {sentence}" for column, sentence in row.problems)
    return (row.line, row.email, "", "", NOT_READ, said, "", None, "")
