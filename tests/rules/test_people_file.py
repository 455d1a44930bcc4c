"""Files of people: bytes become rows, rows become what they ask for, and slips are told with line and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.deeds import Deed
from rules.organization import OrganizationFacts, ProductFacts
from rules.people_file import COLUMNS, MOST_FIELDS, TEMPLATE, BadFile, Row, read_header, read_rows
from rules.people_rows import Known, Offer, entry_of
from rules.person import GroupFacts
from rules.profile import FOR_GOOD, Term
from rules.roster import Access, Entry

TODAY = date(2027, 4, 30)
JIRA = "ari:cloud:jira-software::site/1"
GROUPS = {
    one.id: one
    for one in (
        GroupFacts("g1", "Designers"),
        GroupFacts("g2", "Berlin"),
        GroupFacts("g3", "Twice"),
        GroupFacts("g4", "twice"),
        GroupFacts("g5", "Synced", synced=True),
        GroupFacts("g6", "Closed", modifiable=False),
        GroupFacts("g7", "Old", gone=True),
        GroupFacts("g8", "Sales"),
        GroupFacts("g9", "Marketing"),
    )
}
KNOWN = Known(
    {
        "colleague": Offer("Colleague", Access(((JIRA, "atlassian/user"),))),
        "helper": Offer("Helper", Access(groups=("g8",)), Term(10)),
        "season": Offer("Season", Access(groups=("g9",)), Term(until=date(2027, 5, 5))),
        "broken": Offer(
            "Broken", Access(groups=("g7",)), FOR_GOOD, "One of its groups does not exist any more."
        ),
    },
    OrganizationFacts({JIRA: ProductFacts(JIRA, "jira-software")}, GROUPS),
    TODAY,
)


def rows_of(content: str | bytes) -> list[Row]:
    data = content.encode() if isinstance(content, str) else content
    return list(read_rows(io.BytesIO(data)))


def read(content: str | bytes) -> list[Entry | list[str]]:
    """What each row asks for, or its problems as "column: sentence"."""
    rows = rows_of(content)
    if not rows:
        return []
    header, *rows = rows
    places = read_header(header)
    return [
        found if isinstance(found, Entry) else [f"{one.column}: {one.sentence}" for one in found]
        for found in (entry_of(row, places, KNOWN) for row in rows)
    ]


def one(**fields: str) -> Entry | list[str]:
    """A file with one row."""
    fields = {"e-mail": "a@b.cc"} | {name.replace("_", " "): text for name, text in fields.items()}
    return read(written([tuple(fields), tuple(fields.values())]))[0]


def written(rows: Iterable[Iterable[str]], delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_our_own_template_comes_back_as_it_was(delimiter: str, bom: bytes) -> None:
    rows = rows_of(bom + written(TEMPLATE, delimiter).encode())
    assert [row.cells for row in rows] == list(TEMPLATE)
    assert dict(read_header(rows[0]).places) == {column: place for place, column in enumerate(COLUMNS)}


@given(
    st.lists(
        st.lists(
            st.text(alphabet=st.characters(exclude_characters="\0\r", exclude_categories=["Cs"])),
            min_size=2,
            max_size=4,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_whatever_a_spreadsheet_writes_is_read(rows: list[list[str]]) -> None:
    text = written([["e-mail", "note"], *rows])
    found = [list(row.cells) for row in rows_of(text)][1:]
    assert found == [row for row in rows if any(cell.strip() for cell in row)]


@given(st.binary(max_size=300) | st.text(alphabet="e-mail,;\t\n\r\"'a@b.c|=", max_size=200).map(str.encode))
def test_no_bytes_are_too_odd(data: bytes) -> None:
    for content in (b"e-mail,name,profile,action,start,groups to add\n" + data, data):
        with suppress(BadFile):
            read(content)


def test_lines_are_those_of_the_file() -> None:
    text = 'E-Mail,Note\r\n\r\na@b.cc,"two\r\nlines"\r\n,,\r\nc@d.ee,"x"\r\n'
    assert [row.line for row in rows_of(text)] == [1, 3, 6]


@pytest.mark.parametrize(
    ("fields", "entry"),
    [
        (
            {"profile": "COLLEAGUE"},
            Entry(Deed.INVITE, "a@b.cc", access=Access(((JIRA, "atlassian/user"),)), line=2),
        ),
        (
            {
                "profile": "colleague|Helper",
                "groups_to_add": "designers ; g2",
                "name": "Ann  B",
                "note": "'=1",
            },
            Entry(
                Deed.INVITE,
                "a@b.cc",
                name="Ann B",
                access=Access(((JIRA, "atlassian/user"),), ("g8", "g1", "g2")),
                ends_on=date(2027, 5, 9),
                note="=1",
                line=2,
            ),
        ),
        (
            {"profile": "helper", "start": "1.5.2027", "action": "Invite"},
            Entry(
                Deed.INVITE,
                "a@b.cc",
                access=Access(groups=("g8",)),
                starts_on=date(2027, 5, 1),
                ends_on=date(2027, 5, 10),
                line=2,
            ),
        ),
        (
            {"profile": "helper", "end": "2027-12-31", "start": "2020-01-01", "action": "update"},
            Entry(
                Deed.GIVE_ACCESS,
                "a@b.cc",
                access=Access(groups=("g8",)),
                ends_on=date(2027, 12, 31),
                prolongs=True,
                line=2,
            ),
        ),
        (
            {"groups_to_add": "sales", "groups_to_remove": "marketing", "action": "update"},
            Entry(Deed.CHANGE_GROUPS, "a@b.cc", access=Access(groups=("g8",)), leave=("g9",), line=2),
        ),
        ({"action": "suspend"}, Entry(Deed.SUSPEND, "a@b.cc", line=2)),
        (
            {"action": "REMOVE", "start": "2027-05-01"},
            Entry(Deed.REMOVE, "a@b.cc", starts_on=date(2027, 5, 1), line=2),
        ),
    ],
)
def test_what_a_row_asks_for(fields: dict[str, str], entry: Entry) -> None:
    assert one(**fields) == entry


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"e-mail": "", "profile": "helper"}, "e-mail: An e-mail address is missing."),
        ({"e-mail": "Ann <a@b.cc>", "profile": "helper"}, "e-mail: “Ann <a@b.cc>” is no e-mail address."),
        ({"profile": "nobody"}, "profile: There is no profile “nobody”."),
        ({"profile": "broken"}, "profile: The profile “Broken” has to be mended: One of its groups"),
        ({}, "profile: Nothing is given here"),
        ({"groups_to_add": "nowhere"}, "groups to add: There is no group “nowhere”."),
        ({"groups_to_add": "old"}, "groups to add: There is no group “old”."),
        ({"groups_to_add": "TWICE"}, "groups to add: Several groups are called “TWICE”"),
        ({"groups_to_add": "synced"}, "groups to add: The group “Synced” belongs to your identity provider"),
        ({"groups_to_add": "closed"}, "groups to add: Atlassian lets nobody change"),
        ({"groups_to_remove": "sales"}, "groups to remove: Does not go with the action “invite”"),
        (
            {"groups_to_remove": "sales", "groups_to_add": "sales", "action": "update"},
            "groups to remove: They cannot",
        ),
        ({"profile": "helper", "end": "9999-12-31"}, "end: “9999-12-31” is too far away."),
        ({"profile": "helper", "start": "31.12.9999"}, "start: “31.12.9999” is too far away."),
        ({"action": "dance"}, "action: There is no action “dance”."),
        ({"action": "suspend", "profile": "helper"}, "profile: Does not go with the action “suspend”"),
        ({"action": "suspend", "end": "2027-05-01"}, "end: Does not go with the action “suspend”"),
        ({"profile": "helper", "start": "05/01/2027"}, "start: “05/01/2027” is no date"),
        ({"profile": "helper", "start": "2027-02-30"}, "start: “2027-02-30” is no date"),
        ({"profile": "helper", "end": "2027-04-29"}, "end: The end is over already."),
        ({"profile": "season", "start": "2027-05-06"}, "profile: The profile ends before the start."),
        (
            {"profile": "helper", "start": "2027-06-02", "end": "2027-06-01"},
            "end: The end lies before the start.",
        ),
        (
            {"groups_to_remove": "sales", "action": "update", "end": "2027-06-01"},
            "end: Only what is given can end",
        ),
        ({"profile": "helper", "note": "x" * 501}, "note: At most 500 characters"),
        ({"profile": "helper", "name": "x" * 256}, "name: At most 255 characters"),
    ],
)
def test_a_slip_is_told_with_its_column(fields: dict[str, str], problem: str) -> None:
    found = one(**fields)
    assert isinstance(found, list)
    assert len(found) == 1
    assert found[0].startswith(problem)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    found = one(**{"e-mail": "x", "profile": "nobody", "action": "dance", "start": "soon"})
    assert isinstance(found, list)
    assert [problem.partition(":")[0] for problem in found] == ["action", "e-mail", "profile", "start"]


def test_a_stray_separator_is_told() -> None:
    (found,) = read("e-mail,profile\na@b.cc,helper,more\n")
    assert found == [
        "e-mail: This row has more fields than there are columns: look for a separator inside of a text."
    ]


def test_too_many_rows_are_told_before_they_are_read() -> None:
    lines = (b"e-mail\n" if number == 0 else b"a@b.cc\n" for number in range(60_000))
    with pytest.raises(BadFile, match="More than 50,000 rows"):
        list(read_rows(lines))


def test_s53_a_row_of_separators_takes_no_memory() -> None:
    """A spreadsheet leaves empty fields behind; twenty megabytes of them would be ten times that in the database."""
    rows = list(read_rows([b"e-mail" + b"," * 16_383 + b"\n", b"a@b.cc" + b"," * 1_000_000 + b"\n"]))
    assert [len(row.cells) for row in rows] == [MOST_FIELDS, MOST_FIELDS]
    with pytest.raises(BadFile, match="Line 2: there are more than 200 fields"):
        list(read_rows([b"e-mail\n", b"a@b.cc" + b"," * 1_000_000 + b"x\n"]))
