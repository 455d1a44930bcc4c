"""CSV exports: no cell is a formula, nothing is held in memory, each is in the audit (S53)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from types import GeneratorType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import insert

from connect.errors import NotFound
from models.audit import Event
from models.people import Person
from rules.filters import PeopleFilter
from services.audit import record
from services.exports import BOM, PAGE, audit_csv, csv_lines, people_csv, run_csv, safe_cell
from tests.world import ACCOUNTS, ACME, World


def read(lines: Iterable[str]) -> list[dict[str, str]]:
    """What a spreadsheet makes of it."""
    text = "".join(lines)
    assert text.startswith(BOM)
    return list(csv.DictReader(io.StringIO(text.removeprefix(BOM), newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_s53_a_formula_gets_an_apostrophe(start: str) -> None:
    assert safe_cell(f"{start}HYPERLINK(1)") == f"'{start}HYPERLINK(1)"


@given(st.text())
def test_s53_no_cell_begins_like_a_formula(text: str) -> None:
    cell = safe_cell(text)
    assert cell[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    assert cell.replace("'", "") == text.replace("'", "")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@given(st.lists(st.text(alphabet=";,\t\r\n\"'=+-@x ", max_size=12), min_size=1, max_size=3))
@example(["1", "x;=cmd|'/C calc'!A0;"])
@example(["x;=cmd|'/C calc'!A0;"])
@example(["1", 'x;"=HYPERLINK(1)";'])
@example(["1", "Thanks\n=1+1"])
def test_s53_nor_where_another_mark_divides_cells(separator: str, cells: list[str]) -> None:
    """As spreadsheets do in German and many other languages, and those that take all three for a mark."""
    text = "".join(csv_lines(["a"], [tuple(cells)])).removeprefix(BOM)
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
        assert [cell for cell in row if cell.startswith(("=", "+", "-", "@"))] == []


def test_a_cell_with_another_mark_in_it_is_quoted() -> None:
    header, line = csv_lines(["a", "=b"], [("x; y", "x\ty")])
    assert (header, line) == (BOM + '"a","\'=b"\r\n', '"x; y","x\ty"\r\n')


def test_cells() -> None:
    assert safe_cell(None) == ""
    assert safe_cell(7) == "7"
    assert safe_cell(datetime(2026, 5, 3, 10, 0, tzinfo=UTC)) == "2026-05-03T10:00:00+00:00"


def test_s53_people(world: World) -> None:
    ana = world.synced()
    one, other = world.changeable(2)
    world.change(
        one, name='=HYPERLINK("http://evil.example","me")', email="+cmd@acme.example", email_hidden=0
    )
    world.change(other, name='Quotes ", commas,\nand lines')
    world.later(hours=1)
    world.sync(ana)
    rows = {row["account id"]: row for row in read(people_csv(world.tools, ana, PeopleFilter()))}
    assert rows.keys() == {person.account_id for person in world.rows(Person)}
    assert rows[one]["name"] == '\'=HYPERLINK("http://evil.example","me")'
    assert rows[one]["email"] == "'+cmd@acme.example"
    assert rows[other]["name"] == 'Quotes ", commas,\nand lines'
    stored = world.stored(Person, ACME, other)
    assert rows[other]["last seen"] == (stored.seen_at.isoformat() if stored.seen_at else "")
    narrowed = read(people_csv(world.tools, ana, PeopleFilter(text="quotes")))
    assert [row["account id"] for row in narrowed] == [other]
    assert [(entry.actor, entry.result) for entry in world.audit("export:taken")] == [
        (ACCOUNTS["ana"], f"{len(rows)} people"),
        (ACCOUNTS["ana"], "1 people"),
    ]


def test_it_is_streamed_page_by_page(world: World) -> None:
    ana = world.synced()
    pattern = world.stored(Person, ACME, ACCOUNTS["uma"])
    columns = {
        column.key: getattr(pattern, column.key) for column in Person.metadata.tables["person"].columns
    }
    crowd = [
        columns | {"account_id": f"crowd-{number:05}", "name": "Crowd", "search_text": "crowd"}
        for number in range(2 * PAGE)
    ]
    with world.tools.begin() as session:
        session.execute(insert(Person), crowd)
    lines = people_csv(world.tools, ana, PeopleFilter())
    assert isinstance(lines, GeneratorType)
    assert next(lines).startswith(BOM + '"account id",')
    assert len(world.audit("export:taken")) == 1, "audited before the first row is given"
    rows = [line.split(",")[0] for line in lines]
    assert len(rows) == len(set(rows)) == 2 * PAGE + len(world.directory())
    exactly = read(people_csv(world.tools, ana, PeopleFilter(text="crowd")))
    assert len(exactly) == 2 * PAGE, "the last page is full"


def test_a_run(world: World) -> None:
    ana, gina = world.synced(), world.synced("globex")
    people = world.changeable(3)
    run_id = world.begin_run(ana, [*people, ACCOUNTS["ana"]])
    world.act()
    rows = {row["account id"]: row for row in read(run_csv(world.tools, ana, run_id))}
    assert {account_id: row["result"] for account_id, row in rows.items()} == world.states(run_id)
    assert rows[ACCOUNTS["ana"]]["reason"].startswith("This is you")
    assert rows[people[0]]["finished"]
    with pytest.raises(NotFound):
        run_csv(world.tools, gina, run_id)
    (entry,) = world.audit("export:taken")
    assert (entry.run_id, entry.result) == (run_id, "run")


def test_the_audit(sqlite_world: World) -> None:
    world = sqlite_world
    ana, gina = world.synced(), world.synced("globex")
    people = world.changeable(2)
    world.begin_run(ana, people)
    world.act()
    rows = read(audit_csv(world.tools, ana))
    assert rows[0]["event"] == "export:taken", "newest first, itself included"
    assert {"tenant:installed", "credential:stored", "sync:completed", "run:confirmed", "case:acted"} <= {
        row["event"] for row in rows
    }
    acted = read(audit_csv(world.tools, ana, event="case:acted", subject=people[0]))
    assert [(row["by"], row["person account"], row["person"] != "") for row in acted] == [
        ("Rollcall", people[0], True)
    ]
    assert json.loads(acted[0]["details"])["deed"] == "suspend"
    (stored,) = read(audit_csv(world.tools, ana, event="credential:stored"))
    assert (json.loads(stored["details"]), stored["installation"]) == ({"kind": "admin_key"}, ana.tenant)
    theirs = read(audit_csv(world.tools, gina))
    assert not any(row["by account"] == ACCOUNTS["ana"] for row in theirs)
    assert not any(row["event"].startswith("case:") for row in theirs)
    with world.tools.begin() as session:
        for number in range(PAGE):
            record(
                session,
                Event.RUN_STOPPED,
                at=world.clock(),
                actor="x",
                organization_id=ACME,
                result=str(number),
            )
    many = read(audit_csv(world.tools, ana, event="run:stopped"))
    assert [row["result"] for row in many] == [str(number) for number in reversed(range(PAGE))]
    assert len(read(audit_csv(world.tools, ana))) > PAGE + len(acted)
    assert read(audit_csv(world.tools, ana, until=world.rows(Person)[0].synced_at.replace(year=2020))) == []
