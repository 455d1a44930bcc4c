"""CSV exports, row by row: no export is held in memory, and no cell is a formula (S53)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import NotFound
from models.answer import Answer, answers_to
from models.audit import AuditEntry, Event, entries_of
from models.delivery import unsent_mails
from models.people import Person
from models.people_search import count_people, select_people
from models.run import Case, find_run
from rules.cells import no_formula
from rules.filters import PeopleFilter
from rules.products import product_name
from services.audit import record
from services.doors import require_organization
from services.names import names_of
from services.toolbox import Toolbox

PAGE = 1000
BOM = "\ufeff"
"""Spreadsheets take a file without it for something else than UTF-8."""


def safe_cell(value: object) -> str:
    """The cell as text; what a spreadsheet would take for a formula gets an apostrophe in front."""
    text = "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
    return no_formula(text)


def people_csv(tools: Toolbox, caller: Caller, filter: PeopleFilter) -> Iterator[str]:
    """The people of the filter, by account id. The export is audited before its first row."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        people = count_people(session, organization_id, filter, now)
        record_export(session, tools, caller, organization_id, f"{people} people")
    header = (
        "account id", "name", "email", "status", "managed", "source", "activity", "last seen", "last seen in",
        "added", "seats",
    )  # fmt: skip
    return csv_lines(header, _people_rows(tools, organization_id, filter, now))


def run_csv(tools: Toolbox, caller: Caller, run_id: str) -> Iterator[str]:
    """One result per person of a run. Raises NotFound for another organization's run."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        if find_run(session, organization_id, run_id) is None:
            raise NotFound("This run does not exist.", "Look at the list of runs.")
        record_export(session, tools, caller, organization_id, "run", run_id)
    header = (
        "account id", "name", "deed", "result", "because", "reason", "note", "ends", "finished", "answer",
        "their words", "mail not sent",
    )  # fmt: skip
    return csv_lines(header, _case_rows(tools, organization_id, run_id))


def audit_csv(
    tools: Toolbox,
    caller: Caller,
    *,
    event: str = "",
    actor: str = "",
    subject: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[str]:
    """The audit of the filter, newest first, with names where the directory knows them."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        record_export(session, tools, caller, organization_id, "audit")

    def rows() -> Iterator[tuple[object, ...]]:
        before: int | None = None
        while True:
            with tools.begin() as session:
                page = entries_of(
                    session, organization_id, caller.tenant, event=event, actor=actor, subject=subject,
                    since=since, until=until, before_id=before, limit=PAGE,
                )  # fmt: skip
                names = names_of(
                    session, organization_id, (who for one in page for who in (one.actor, one.subject))
                )
                found = [_audit_row(entry, names) for entry in page]
                before = page[-1].id if page else None
            yield from found
            if len(found) < PAGE:
                return

    return csv_lines(
        (
            "time", "event", "by", "by account", "person", "person account", "run", "result", "details",
            "installation",
        ),
        rows(),
    )  # fmt: skip


def _people_rows(
    tools: Toolbox, organization_id: str, filter: PeopleFilter, now: datetime
) -> Iterator[tuple[object, ...]]:
    after = ""
    while True:
        with tools.begin() as session:
            query = select_people(organization_id, filter, now).where(Person.account_id > after)
            page = list(session.scalars(query.order_by(Person.account_id).limit(PAGE)))
            rows = [_person_row(person) for person in page]
        yield from rows
        if len(page) < PAGE:
            return
        after = str(rows[-1][0])


def _person_row(person: Person) -> tuple[object, ...]:
    return (
        person.account_id,
        person.name,
        person.email,
        "left" if person.left_at else person.status,
        person.claim_status,
        person.management_source,
        person.activity,
        person.seen_at,
        product_name(person.seen_in) if person.seen_in else "",
        person.added_at,
        person.seat_count,
    )


def _case_rows(tools: Toolbox, organization_id: str, run_id: str) -> Iterator[tuple[object, ...]]:
    after = ""
    while True:
        with tools.begin() as session:
            query = select(Case).where(
                Case.organization_id == organization_id, Case.run_id == run_id, Case.account_id > after
            )
            page = list(session.scalars(query.order_by(Case.account_id).limit(PAGE)))
            answers = answers_to(session, organization_id, [case.id for case in page])
            unsent = unsent_mails(session, organization_id, [case.id for case in page])
            rows = [
                (
                    case.account_id, case.name, case.deed, case.state, case.because, case.reason, case.note,
                    case.due_at, case.finished_at, *_said(answers.get(case.id, ())), unsent.get(case.id, ""),
                )
                for case in page
            ]  # fmt: skip
        yield from rows
        if len(page) < PAGE:
            return
        after = rows[-1][0]


def _said(answers: Iterable[Answer]) -> tuple[str, str]:
    """What somebody answered, one kind after the other, and in which words."""
    found = list(answers)
    return ", ".join(one.kind for one in found), "\n".join(one.words for one in found if one.words)


def _audit_row(entry: AuditEntry, names: dict[str, str]) -> tuple[object, ...]:
    subject = entry.subject or ""
    details = json.dumps(entry.details, ensure_ascii=False) if entry.details else ""
    return (
        entry.at, entry.event, names.get(entry.actor, ""), entry.actor, names.get(subject, ""), subject,
        entry.run_id, entry.result, details, entry.client_key,
    )  # fmt: skip


def csv_lines(header: Iterable[str], rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    """The lines of a file, one at a time, each cell made safe."""
    line = _Line()
    # What is quoted holds together also where another mark than the comma divides cells.
    writer = csv.writer(line, quoting=csv.QUOTE_ALL)
    writer.writerow([safe_cell(cell) for cell in header])
    yield BOM + line.text
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
        yield line.text


class _Line:
    """Takes what csv writes, a line at a time."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def record_export(
    session: Session,
    tools: Toolbox,
    caller: Caller,
    organization_id: str,
    what: str,
    run_id: str | None = None,
) -> None:
    """Who took what along, before the first line leaves."""
    record(
        session,
        Event.EXPORT_TAKEN,
        at=tools.clock(),
        actor=caller.account_id or "",
        organization_id=organization_id,
        client_key=caller.tenant,
        run_id=run_id,
        result=what,
    )
