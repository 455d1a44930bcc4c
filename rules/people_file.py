"""A file of people: its columns, and what each row of it means. Nothing here knows where the bytes come from."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from rules.cells import as_typed

E_MAIL, NAME, PROFILE, JOIN, LEAVE, ACTION, START, END, NOTE = COLUMNS = (
    "e-mail",
    "name",
    "profile",
    "groups to add",
    "groups to remove",
    "action",
    "start",
    "end",
    "note",
)
PROBLEM = "problem"
"""What we wrote beside a row that was to be mended; read over when the file comes back."""
_ALSO = {
    "email": E_MAIL, "mail": E_MAIL, "emailaddress": E_MAIL, "address": E_MAIL,
    "fullname": NAME, "displayname": NAME,
    "profiles": PROFILE,
    "groups": JOIN, "addgroups": JOIN, "groupstojoin": JOIN, "join": JOIN,
    "removegroups": LEAVE, "groupstoleave": LEAVE, "leave": LEAVE,
    "actions": ACTION, "what": ACTION,
    "startdate": START, "starts": START, "startson": START, "from": START,
    "enddate": END, "ends": END, "endson": END, "until": END, "lastday": END,
    "notes": NOTE, "comment": NOTE,
}  # fmt: skip
TEMPLATE: tuple[tuple[str, ...], ...] = (
    COLUMNS,
    ("nora@example.com", "Nora Newman", "Colleague", "designers|berlin", "", "invite", "2027-05-03", "", "In May"),
    ("max@example.com", "", "", "sales", "marketing", "update", "", "", "Changed teams"),
)  # fmt: skip
"""The file to begin with: the columns and two example rows."""
MOST_ROWS = 50_000
MOST_FIELDS = 200
"""Of one row. Spreadsheets leave thousands of empty ones behind the last column; millions would fill the memory."""
_BOM = b"\xef\xbb\xbf"
_SEPARATORS = (",", ";", "\t")


class BadFile(Exception):
    """The file as a whole cannot be read; `line` is where, None: everywhere."""

    def __init__(self, sentence: str, next_step: str, line: int | None = None) -> None:
        self.sentence = f"Line {line:,}: {sentence}" if line is not None else sentence
        self.next_step = next_step
        super().__init__(self.sentence)


@dataclass(frozen=True, slots=True)
class Row:
    """The fields of one row as they stand in the file, and the line on which it begins."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of a row."""

    column: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Header:
    """Which field of a row is which column: column → its place."""

    places: Mapping[str, int]
    width: int

    def fields(self, row: Row) -> dict[str, str]:
        """The row's fields by column, without blanks around them; what is missing is empty."""
        return {
            column: as_typed(row.cells[place].strip()) if place < len(row.cells) else ""
            for column, place in self.places.items()
        }


def read_rows(lines: Iterable[bytes]) -> Iterator[Row]:
    """The rows of a file, one after the other, the header first; empty ones are left out.

    UTF-8 with or without a byte order mark; commas, semicolons or tabs, as in the first line. Raises BadFile.
    """
    texts = _texts(lines)
    first = next(texts, "")
    reader = csv.reader(_again(first, texts), delimiter=_separator_of(first), strict=True)
    count = before = 0
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as problem:
            raise _odd(problem, before + 1) from problem
        if cells is None:
            return
        line, before = before + 1, reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if any(cell.strip() for cell in islice(cells, MOST_FIELDS, None)):
            raise BadFile(
                f"there are more than {MOST_FIELDS} fields.",
                "Leave out what is behind the last column.",
                line,
            )
        count += 1
        if count > MOST_ROWS + 1:
            raise BadFile(
                f"More than {MOST_ROWS:,} rows are in this file.",
                "Split it, and do one part after the other.",
            )
        yield Row(line, tuple(cells[:MOST_FIELDS]))


def read_header(row: Row, columns: Sequence[str] = COLUMNS) -> Header:
    """Which of `columns` is where; capitals, blanks and the order do not matter. Raises BadFile."""
    places: dict[str, int] = {}
    unknown = []
    for place, cell in enumerate(row.cells):
        word = re.sub(r"[\W_]+", "", cell).casefold()
        if not word:
            continue
        column = _BY_WORD.get(word)
        if column is None or column not in (*columns, PROBLEM):
            unknown.append(cell.strip()[:50])
        elif column in places:
            raise BadFile(f"The column “{column}” is there twice.", "Leave one of them out.", row.line)
        else:
            places[column] = place
    if unknown:
        raise BadFile(
            f"There is no column {', '.join(f'“{word}”' for word in unknown[:5])}.",
            f"The columns are: {', '.join(columns)}.",
            row.line,
        )
    if E_MAIL not in places:
        raise BadFile("A column “e-mail” is missing.", "Begin with the template.", row.line)
    return Header({column: place for column, place in places.items() if column != PROBLEM}, len(row.cells))


def names_in(text: str) -> list[str]:
    """Several names in one field, with | or ; or line breaks between them."""
    found = (" ".join(part.split()) for part in re.split(r"[|;\r\n]", text))
    return list(dict.fromkeys(part for part in found if part))


def _texts(lines: Iterable[bytes]) -> Iterator[str]:
    for number, raw in enumerate(lines, 1):
        if number == 1 and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise BadFile(_NOT_UTF8, _AS_UTF8)
        try:
            text = (raw.removeprefix(_BOM) if number == 1 else raw).decode("utf-8")
        except UnicodeDecodeError as problem:
            raise BadFile(_NOT_UTF8, _AS_UTF8, number) from problem
        if "\0" in text:
            raise BadFile(
                "there is something that is no text.", "Save the table as CSV (UTF-8) again.", number
            )
        yield text


_NOT_UTF8 = "this is not written in UTF-8."
_AS_UTF8 = "Save it as “CSV UTF-8”; in a spreadsheet that is a kind of file under Save as."


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
        yield from rest


def _separator_of(line: str) -> str:
    """What divides the first line most often; names of columns have none of them inside."""
    return max(_SEPARATORS, key=line.count)


def _odd(problem: csv.Error, line: int) -> BadFile:
    words = str(problem)
    if "field larger" in words:
        return BadFile("one field goes on and on.", "Look for a quotation mark that is not closed.", line)
    if "new-line" in words:
        return BadFile("its lines end in a way of very old computers.", "Save it as “CSV UTF-8”.", line)
    return BadFile(
        "a quotation mark is not closed, or too many.", 'Write one inside of a text twice: "".', line
    )


_BY_WORD = {re.sub(r"[\W_]+", "", column): column for column in (*COLUMNS, PROBLEM)} | _ALSO


def too_many_fields(row: Row, header: Header) -> bool:
    """Whether something stands behind the last column."""
    return any(cell.strip() for cell in row.cells[header.width :])
