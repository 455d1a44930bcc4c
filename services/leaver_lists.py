"""Several leavers at once, by a pasted list of people or a file. All of them, or nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Invalid
from models.leaver import LeaverOrigin, open_leavers_of
from models.people_search import accounts_by_address
from rules.addresses import read_list
from rules.people_file import BadFile, Header, Row, read_header, read_rows
from rules.people_rows import LEAVER_COLUMNS, Leaving, leaving_of
from services.doors import require_organization
from services.ground import day_in
from services.leavers import MOST_AT_ONCE, Farewell, begin_leaver, end_of_day
from services.toolbox import Toolbox

LONGEST_LIST = 100_000
_SHOWN = 5


def request_several(tools: Toolbox, caller: Caller, text: str, file: Iterable[bytes] | None) -> int:
    """By a list or by a file, as one of them is there; how many people. Raises Invalid("people") or ("file")."""
    if file is None:
        return request_listed(tools, caller, text)
    if text.strip():
        raise Invalid("file", "There are a list and a file.", "Empty the list, or choose no file.")
    return request_file(tools, caller, file)


def request_listed(tools: Toolbox, caller: Caller, text: str) -> int:
    """Everybody on the list becomes a leaver, or nobody: returns how many.

    Raises Invalid("people") when something is not understood, somebody is not in the directory, or these are too many.
    """
    organization_id = require_organization(tools, caller)
    if len(text) > LONGEST_LIST:
        raise Invalid("people", "This list is too long.", f"Up to {MOST_AT_ONCE} people at a time.")
    people, odd = read_list(text)
    if odd:
        raise Invalid(
            "people", f"Line {odd[0].line} has no e-mail address.", "Write one address on each line."
        )
    if not people:
        raise Invalid(
            "people",
            "Nobody is on this list.",
            "Paste the addresses of those who are leaving, or choose a file.",
        )
    if len(people) > MOST_AT_ONCE:
        raise Invalid(
            "people", f"These are more than {MOST_AT_ONCE} people.", f"Up to {MOST_AT_ONCE} at a time."
        )
    leaving = [Leaving(one.email, one.line) for one in people]
    with tools.begin() as session:
        accounts = accounts_by_address(session, organization_id, [one.email for one in leaving])
        strangers = [one.email for one in leaving if one.email.lower() not in accounts]
        if strangers:
            more = f", and {len(strangers) - _SHOWN} more" if len(strangers) > _SHOWN else ""
            raise Invalid(
                "people",
                f"Not in your directory: {', '.join(strangers[:_SHOWN])}{more}.",
                "Mend or leave out these addresses. Whose address is hidden is found by name above.",
            )
        _begin(session, tools, caller, organization_id, leaving, accounts)
    return len(leaving)


def request_file(tools: Toolbox, caller: Caller, lines: Iterable[bytes]) -> int:
    """The same by a file with the columns LEAVER_COLUMNS. Raises Invalid("file"), which names the lines to mend."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        rows, header = _read(lines)
        today = day_in(session, organization_id, tools.clock())
        checked = [(row.line, leaving_of(row, header, today)) for row in rows]
        leaving = [found for _line, found in checked if isinstance(found, Leaving)]
        accounts = accounts_by_address(session, organization_id, [one.email for one in leaving])
        wrong = [
            (line, f"{problem.column}: {problem.sentence}")
            for line, found in checked
            if not isinstance(found, Leaving)
            for problem in found
        ]
        wrong += _strangers(leaving, accounts) + _twice(leaving, accounts)
        wrong += _said_otherwise(session, organization_id, leaving, accounts)
        if wrong:
            raise Invalid(
                "file", _by_line(wrong), "Mend the file, or leave these rows out, and choose it again."
            )
        _begin(session, tools, caller, organization_id, leaving, accounts)
    return len(leaving)


def _read(lines: Iterable[bytes]) -> tuple[list[Row], Header]:
    try:
        found = read_rows(lines)
        first = next(found, None)
        if first is None:
            raise Invalid("file", "There is nothing in this file.", "Write one row for each person.")
        header, rows = read_header(first, LEAVER_COLUMNS), []
        for row in found:
            rows.append(row)
            if len(rows) > MOST_AT_ONCE:
                raise Invalid(
                    "file", f"These are more than {MOST_AT_ONCE} people.", f"Up to {MOST_AT_ONCE} at a time."
                )
    except BadFile as bad:
        raise Invalid("file", bad.sentence, bad.next_step) from bad
    if not rows:
        raise Invalid("file", "There is no row below the header.", "Write one row for each person.")
    return rows, header


def _strangers(leaving: Sequence[Leaving], accounts: dict[str, str]) -> list[tuple[int, str]]:
    return [
        (one.line, f"{one.email} is not in your directory.")
        for one in leaving
        if one.email.lower() not in accounts
    ]


def _twice(leaving: Sequence[Leaving], accounts: dict[str, str]) -> list[tuple[int, str]]:
    """Who stands in the file before: two rows may say different days."""
    seen: dict[str, int] = {}
    return [
        (one.line, f"{one.email} is on line {seen[account]:,} already.")
        for one in leaving
        if (account := accounts.get(one.email.lower())) is not None
        and seen.setdefault(account, one.line) != one.line
    ]


def _said_otherwise(
    session: Session, organization_id: str, leaving: Sequence[Leaving], accounts: dict[str, str]
) -> list[tuple[int, str]]:
    """Who is leaving already stays the leaver they are: what their row says besides would be lost in silence."""
    known = open_leavers_of(session, organization_id, list(accounts.values()))
    found = []
    for one in leaving:
        leaver = known.get(accounts.get(one.email.lower(), ""))
        if leaver is None:
            continue
        ends_at = end_of_day(session, organization_id, one.ends_on) if one.ends_on is not None else None
        other_day = ends_at is not None and ends_at != leaver.ends_at
        if other_day or (one.note and one.note != leaver.note):
            what = "another day" if other_day else "another note"
            found.append(
                (one.line, f"{one.email} is leaving already, with {what}: change it on their own page.")
            )
    return found


def _by_line(wrong: Sequence[tuple[int, str]]) -> str:
    wrong = sorted(wrong)
    said = " ".join(f"Line {line:,}: {sentence}" for line, sentence in wrong[:_SHOWN])
    return f"{said} And {len(wrong) - _SHOWN} more." if len(wrong) > _SHOWN else said


def _begin(
    session: Session,
    tools: Toolbox,
    caller: Caller,
    organization_id: str,
    leaving: Iterable[Leaving],
    accounts: dict[str, str],
) -> None:
    now, by = tools.clock(), caller.account_id or ""
    begun = {accounts[one.email.lower()]: one for one in leaving}
    for account_id, one in begun.items():
        ends_at = end_of_day(session, organization_id, one.ends_on) if one.ends_on is not None else None
        begin_leaver(
            session,
            organization_id,
            account_id,
            by=by,
            now=now,
            origin=LeaverOrigin.CSV,
            farewell=Farewell(ends_at=ends_at, note=one.note),
        )
