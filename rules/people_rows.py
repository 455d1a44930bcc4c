"""What one row of a file of people asks for, checked field by field against what there is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from rules.addresses import LONGEST_NAME, is_address
from rules.deeds import Deed
from rules.far_days import is_far
from rules.organization import OrganizationFacts
from rules.people_file import (
    ACTION,
    E_MAIL,
    END,
    JOIN,
    LEAVE,
    NAME,
    NOTE,
    PROFILE,
    START,
    Header,
    Problem,
    Row,
    names_in,
    too_many_fields,
)
from rules.person import GroupFacts
from rules.profile import FOR_GOOD, Term
from rules.roster import Access, Entry

LONGEST_NOTE = 500
MOST_NAMES = 50
"""Profiles, or groups, in one field."""
UPDATE = "update"
ACTIONS: dict[str, Deed] = {
    "invite": Deed.INVITE,
    UPDATE: Deed.CHANGE_GROUPS,
    "suspend": Deed.SUSPEND,
    "restore": Deed.RESTORE,
    "deactivate": Deed.DEACTIVATE,
    "remove": Deed.REMOVE,
}
LEAVER_COLUMNS = (E_MAIL, NAME, END, NOTE)
"""What a list of leavers may say of somebody."""
_GIVE = (Deed.INVITE, Deed.CHANGE_GROUPS)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Offer:
    """A profile that a row may name; `trouble` says why nobody can be given it now."""

    name: str
    access: Access
    term: Term = FOR_GOOD
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What rows are checked against: `profiles` by name in small letters, the organization, and the day there."""

    profiles: Mapping[str, Offer]
    organization: OrganizationFacts
    today: date
    groups: dict[str, list[GroupFacts]] = field(default_factory=dict)
    """Name in small letters, or id → the groups that are called so."""

    def __post_init__(self) -> None:
        for group in self.organization.groups.values():
            if not group.gone:
                self.groups.setdefault(" ".join(group.name.split()).casefold(), []).append(group)
                self.groups[group.id.casefold()] = [group]


@dataclass(frozen=True, slots=True)
class Leaving:
    """Somebody on a list of leavers; `ends_on` is their last day, where the list says it."""

    email: str
    line: int
    ends_on: date | None = None
    note: str = ""


def entry_of(row: Row, header: Header, known: Known) -> Entry | list[Problem]:
    """What this row asks for, or everything that is wrong with it."""
    fields = header.fields(row)
    checks = _Checks(fields, known)
    checks.width(row, header)
    deed = checks.deed()
    email = checks.email()
    access, terms = checks.profiles()
    join, leave = checks.groups(JOIN), checks.groups(LEAVE)
    starts_on = checks.day(START)
    ends = checks.day(END)
    checks.length(NAME, LONGEST_NAME)
    checks.length(NOTE, LONGEST_NOTE)
    access |= Access(groups=join)
    checks.fits(deed, access, leave)
    begins = max(starts_on or known.today, known.today)
    if ends is not None and ends < begins:
        checks.no(END, "The end is over already." if ends < known.today else "The end lies before the start.")
    if deed in (*_GIVE, Deed.GIVE_ACCESS) and access and ends is None:
        ends = min((end for each in terms if (end := each.ends_on(begins)) is not None), default=None)
        if ends is not None and ends < begins:
            checks.no(PROFILE, "The profile ends before the start.")
    if checks.problems:
        return checks.problems
    if deed is Deed.CHANGE_GROUPS and not leave:
        deed = Deed.GIVE_ACCESS
    return Entry(
        deed,
        email=email,
        name=" ".join(fields.get(NAME, "").split()),
        access=access,
        leave=leave,
        starts_on=begins if begins > known.today else None,
        ends_on=ends,
        prolongs=bool(fields.get(END)),
        note=fields.get(NOTE, ""),
        line=row.line,
    )


def leaving_of(row: Row, header: Header, today: date) -> Leaving | list[Problem]:
    """Who is leaving by this row of a list of leavers, or everything that is wrong with it."""
    fields = header.fields(row)
    checks = _Checks(fields, Known({}, OrganizationFacts({}, {}), today))
    checks.width(row, header)
    email = checks.email()
    ends_on = checks.day(END)
    checks.length(NOTE, LONGEST_NOTE)
    if ends_on is not None and ends_on < today:
        checks.no(END, "This day is over: leave it empty, then access ends after the handover.")
    return checks.problems or Leaving(email, row.line, ends_on, fields.get(NOTE, ""))


class _Checks:
    """Collects what is wrong with one row."""

    def __init__(self, fields: Mapping[str, str], known: Known) -> None:
        self._fields, self._known = fields, known
        self.problems: list[Problem] = []

    def no(self, column: str, sentence: str) -> None:
        self.problems.append(Problem(column, sentence))

    def width(self, row: Row, header: Header) -> None:
        if too_many_fields(row, header):
            self.no(
                E_MAIL,
                "This row has more fields than there are columns: look for a separator inside of a text.",
            )

    def deed(self) -> Deed:
        word = self._fields.get(ACTION, "").casefold() or "invite"
        if word not in ACTIONS:
            self.no(ACTION, f"There is no action “{_short(word)}”. There are: {', '.join(ACTIONS)}.")
        return ACTIONS.get(word, Deed.INVITE)

    def email(self) -> str:
        text = self._fields.get(E_MAIL, "")
        if not text:
            self.no(E_MAIL, "An e-mail address is missing.")
        elif not is_address(text):
            self.no(E_MAIL, f"“{_short(text)}” is no e-mail address.")
        return text

    def profiles(self) -> tuple[Access, list[Term]]:
        """What the profiles give together, and for how long each."""
        access, terms = Access(), []
        for name in self._names(PROFILE):
            offer = self._known.profiles.get(name.casefold())
            if offer is None:
                self.no(PROFILE, f"There is no profile “{_short(name)}”.")
                continue
            if offer.trouble:
                self.no(PROFILE, f"The profile “{offer.name}” has to be mended: {offer.trouble}")
            else:
                terms.append(offer.term)
            access |= offer.access
        return access, terms

    def groups(self, column: str) -> tuple[str, ...]:
        found = []
        for name in self._names(column):
            groups = self._known.groups.get(name.casefold(), [])
            if not groups:
                self.no(column, f"There is no group “{_short(name)}”.")
            elif len(groups) > 1:
                self.no(column, f"Several groups are called “{_short(name)}”: write the group's id.")
            elif groups[0].synced:
                self.no(
                    column,
                    f"The group “{groups[0].name}” belongs to your identity provider: change it there.",
                )
            elif not groups[0].modifiable:
                self.no(column, f"Atlassian lets nobody change who is in the group “{groups[0].name}”.")
            else:
                found.append(groups[0].id)
        return tuple(dict.fromkeys(found))

    def day(self, column: str) -> date | None:
        text = self._fields.get(column, "")
        if not text:
            return None
        day = _read_day(text)
        if day is None:
            self.no(column, f"“{_short(text)}” is no date: write it as 2027-05-01.")
        elif is_far(day, self._known.today):
            self.no(column, f"“{_short(text)}” is too far away.")
            return None
        return day

    def length(self, column: str, most: int) -> None:
        if len(self._fields.get(column, "")) > most:
            self.no(column, f"At most {most} characters fit here.")

    def fits(self, deed: Deed, access: Access, leave: Sequence[str]) -> None:
        """Whether what is filled in goes with the action."""
        said = {problem.column for problem in self.problems}
        if ACTION in said:
            return
        word = next(word for word, each in ACTIONS.items() if each is deed)
        if deed not in _GIVE:
            for column in (PROFILE, JOIN, LEAVE, END):
                if self._fields.get(column):
                    self.no(column, f"Does not go with the action “{word}”: leave it empty.")
            return
        if deed is Deed.INVITE and self._fields.get(LEAVE):
            self.no(LEAVE, "Does not go with the action “invite”: write “update” there, or leave this empty.")
        both = set(access.groups) & set(leave)
        if both:
            self.no(
                LEAVE,
                f"They cannot join and leave {self._known.organization.group_name(min(both))} at once.",
            )
        if not access and not leave and not said & {PROFILE, JOIN, LEAVE}:
            self.no(PROFILE, "Nothing is given here: name a profile or groups.")
        if not access and self._fields.get(END) and not said & {PROFILE, JOIN}:
            self.no(END, "Only what is given can end: nothing is given here.")

    def _names(self, column: str) -> list[str]:
        names = names_in(self._fields.get(column, ""))
        if len(names) > MOST_NAMES:
            self.no(column, f"At most {MOST_NAMES} names fit here.")
        return names[:MOST_NAMES]


def _read_day(text: str) -> date | None:
    """2027-05-01 or 1.5.2027; 05/01/2027 means different days to different people."""
    if iso := _ISO.fullmatch(text):
        year, month, day = iso.groups()
    elif dotted := _DOTTED.fullmatch(text):
        day, month, year = dotted.groups()
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"
