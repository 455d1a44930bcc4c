"""A file of people: every row is checked; the good ones become a preview, the others are kept to be mended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Invalid
from models.bad_row import BadRow, bad_rows_of, count_bad_rows, header_of
from models.profile import profiles_of
from models.run import Run
from rules.people_file import PROBLEM, TEMPLATE, BadFile, Header, Problem, Row, read_header, read_rows
from rules.people_rows import Known, Offer, entry_of
from rules.roster import Entry, Origin
from services.batches import BATCH
from services.doors import require_organization
from services.exports import csv_lines, record_export
from services.ground import day_in, organization_facts
from services.profiles import troubles_of_profile
from services.roster import fill, open_preview
from services.runs import require_run
from services.toolbox import Toolbox

PER_PAGE = 50
_LONGEST_CELL = 1000
"""Characters of a bad row's field that are kept."""


@dataclass(frozen=True, slots=True)
class BadRows:
    """One page of the rows that have to be mended; `total` counts all pages."""

    rows: list[BadRow]
    total: int
    page: int
    pages: int


def template_csv() -> Iterator[str]:
    """The file to begin with."""
    header, *rows = TEMPLATE
    return csv_lines(header, rows)


def preview_file(tools: Toolbox, caller: Caller, lines: Iterable[bytes]) -> str:
    """Checks a file row by row as it comes and keeps a preview of the good rows; its run's id.

    Raises Invalid("file") when it cannot be read as a whole: then nothing is kept. NotReady without a fresh sync.
    """
    organization_id = require_organization(tools, caller)
    try:
        with tools.begin() as session:
            rows = read_rows(lines)
            first = next(rows, None)
            if first is None:
                raise Invalid(
                    "file", "There is no file, or nothing in it.", "Choose one; the template is a beginning."
                )
            header = read_header(first)
            run = open_preview(session, tools, caller, organization_id, Origin.CSV)
            sorter = _Sorter(session, run, first, header, _known(tools, session, organization_id))
            fill(session, tools, run, sorter.entries(rows))
            sorter.keep()
            if not sorter.count:
                raise Invalid("file", "There is no row below the header.", "Write one row for each person.")
            return run.id
    except BadFile as bad:
        raise Invalid("file", bad.sentence, bad.next_step) from bad


def bad_rows(tools: Toolbox, caller: Caller, run_id: str, page: int) -> BadRows:
    """A page that does not exist shows the last one. Raises NotFound for another organization's run."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        require_run(session, organization_id, run_id)
        total = count_bad_rows(session, organization_id, run_id)
        pages = max(-(-total // PER_PAGE), 1)
        page = min(max(page, 1), pages)
        found = bad_rows_of(session, organization_id, run_id, offset=(page - 1) * PER_PAGE, limit=PER_PAGE)
        session.expunge_all()
        return BadRows(found, total, page, pages)


def mend_csv(tools: Toolbox, caller: Caller, run_id: str) -> Iterator[str]:
    """The bad rows as they stood in the file, with what is wrong behind them. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        require_run(session, organization_id, run_id)
        header = header_of(session, organization_id, run_id)
        record_export(session, tools, caller, organization_id, "rows to mend", run_id)
    kept = [place for place, cell in enumerate(header) if cell.strip().casefold() != PROBLEM]
    return csv_lines(
        [*(header[place] for place in kept), PROBLEM], _to_mend(tools, organization_id, run_id, kept)
    )


def _to_mend(
    tools: Toolbox, organization_id: str, run_id: str, kept: list[int]
) -> Iterator[tuple[object, ...]]:
    for row in each_bad_row(tools, organization_id, run_id):
        cells = [row.cells[place] if place < len(row.cells) else "" for place in kept]
        yield (*cells, " ".join(f"{column}: {sentence}" for column, sentence in row.problems))


def each_bad_row(tools: Toolbox, organization_id: str, run_id: str) -> Iterator[BadRow]:
    """All of them by line, a batch at a time."""
    after = -1
    while True:
        with tools.begin() as session:
            found = bad_rows_of(session, organization_id, run_id, after=after, limit=BATCH)
            session.expunge_all()
        yield from found
        if len(found) < BATCH:
            return
        after = found[-1].line


def _known(tools: Toolbox, session: Session, organization_id: str) -> Known:
    organization = organization_facts(session, organization_id)
    today = day_in(session, organization_id, tools.clock())
    offers = {}
    for profile in profiles_of(session, organization_id):
        trouble = next(iter(troubles_of_profile(profile, organization, today)), None)
        offers[profile.name_key] = Offer(
            profile.name, profile.access, profile.term, trouble.sentence if trouble is not None else ""
        )
    return Known(offers, organization, today)


class _Sorter:
    """Hands on what good rows ask for, and keeps the bad ones a batch at a time: memory does not grow with the file."""

    def __init__(self, session: Session, run: Run, first: Row, header: Header, known: Known) -> None:
        self._session, self._run, self._first, self._header, self._known = session, run, first, header, known
        self._bad: list[dict[str, Any]] = []
        self._header_is_kept = False
        self.count = 0

    def entries(self, rows: Iterable[Row]) -> Iterator[Entry]:
        for row in rows:
            self.count += 1
            found = entry_of(row, self._header, self._known)
            if isinstance(found, Entry):
                yield found
                continue
            self._bad.append(self._row(row, found))
            if len(self._bad) >= BATCH:
                self.keep()

    def keep(self) -> None:
        """Writes the bad rows that have come together, and the header before the first of them."""
        if not self._bad:
            return
        if not self._header_is_kept:
            self._bad.append(self._row(self._first, []))
            self._header_is_kept = True
        self._session.flush()
        self._session.connection().execute(insert(BadRow), self._bad)
        self._bad = []

    def _row(self, row: Row, problems: list[Problem]) -> dict[str, Any]:
        place = self._header.places["e-mail"]
        email = row.cells[place].strip() if place < len(row.cells) else ""
        return {
            "organization_id": self._run.organization_id,
            "run_id": self._run.id,
            "line": row.line,
            "is_header": row is self._first,
            "email": email[:320],
            "cells": [cell[:_LONGEST_CELL] for cell in row.cells],
            "problems": [[problem.column, problem.sentence] for problem in problems],
        }
