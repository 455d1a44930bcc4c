"""Inviting by hand: a pasted list and profiles become a preview; nothing is sent before somebody confirms it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Invalid, NotFound
from models.profile import Profile
from rules.addresses import Named, NotUnderstood, read_list
from rules.deeds import Deed
from rules.far_days import is_far
from rules.roster import Access, Entry, Origin
from services.doors import require_organization
from services.ground import day_in, organization_facts
from services.profiles import require_profile, troubles_of_profile
from services.roster import preview_roster
from services.toolbox import Toolbox

MOST_INVITED = 1000
MOST_PROFILES = 10
LONGEST_LIST = 200_000
LONGEST_MESSAGE = 1000
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody filled in. `people` is a list of any shape, `profiles` are ids, the days as 2027-05-01."""

    people: str = ""
    profiles: Sequence[str] = ()
    starts_on: str = ""
    ends_on: str = ""
    message: str = ""


def preview_invitations(tools: Toolbox, caller: Caller, typed: Typed) -> str:
    """Keeps a preview of these invitations; its run's id.

    Who is here already gets what the invitation would have brought; what they have of it until a day lasts until the
    last day that is typed. Without one the access ends as the profile that ends first says. Raises Invalid with the
    field that is wrong, NotReady without a fresh complete sync.
    """
    organization_id = require_organization(tools, caller)
    people = _people(typed.people)
    message = _message(typed.message)
    with tools.begin() as session:
        today = day_in(session, organization_id, tools.clock())
        profiles = _profiles(session, organization_id, typed.profiles, today)
        starts_on = _day("starts_on", typed.starts_on, today)
        last_day = typed_end = _day("ends_on", typed.ends_on, starts_on or today)
        access = Access()
        for profile in profiles:
            access |= profile.access
        if last_day is None:
            last_day = _ends_first(profiles, starts_on or today)
        origin_id = profiles[0].id if len(profiles) == 1 else ""
    entries = [
        Entry(
            Deed.INVITE,
            email=one.email,
            name=one.name,
            access=access,
            starts_on=starts_on if starts_on is not None and starts_on > today else None,
            ends_on=last_day,
            prolongs=typed_end is not None,
            message=message,
        )
        for one in people
    ]
    return preview_roster(tools, caller, entries, Origin.INVITE, origin_id)


def _people(text: str) -> list[Named]:
    if len(text) > LONGEST_LIST:
        raise Invalid("people", "This list is too long to paste.", "Use a file for so many.")
    people, odd = read_list(text)
    if odd:
        raise Invalid("people", _not_understood(odd), "Mend this, or take it out.")
    if not people:
        raise Invalid("people", "Nobody is in this list.", "Write one e-mail address at least.")
    if len(people) > MOST_INVITED:
        raise Invalid(
            "people",
            f"{len(people):,} people are in this list; at most {MOST_INVITED:,} can be pasted.",
            "Use a file for so many.",
        )
    return people


def _not_understood(odd: Sequence[NotUnderstood]) -> str:
    said = ", ".join(f"line {one.line} “{one.text}”" for one in odd[:_SHOWN])
    more = f" and {len(odd) - _SHOWN} more" if len(odd) > _SHOWN else ""
    return f"There is no e-mail address in {said}{more}."


def _profiles(session: Session, organization_id: str, ids: Sequence[str], today: date) -> list[Profile]:
    chosen = list(dict.fromkeys(ids))
    if not chosen:
        raise Invalid("profiles", "What do they get?", "Tick one profile at least.")
    if len(chosen) > MOST_PROFILES:
        raise Invalid("profiles", f"At most {MOST_PROFILES} profiles.", "Untick some.")
    try:
        found = [require_profile(session, organization_id, profile_id) for profile_id in chosen]
    except NotFound as gone:
        raise Invalid("profiles", "One of these profiles does not exist any more.", "Choose again.") from gone
    organization = organization_facts(session, organization_id)
    for profile in found:
        for trouble in troubles_of_profile(profile, organization, today):
            raise Invalid("profiles", f"“{profile.name}”: {trouble.sentence}", "Mend the profile first.")
    return found


def _ends_first(profiles: Sequence[Profile], starts_on: date) -> date | None:
    ends = [(end, each) for each in profiles if (end := each.term.ends_on(starts_on)) is not None]
    if not ends:
        return None
    last_day, profile = min(ends, key=lambda one: one[0])
    if last_day < starts_on:
        raise Invalid(
            "starts_on", f"“{profile.name}” ends before, {profile.term.words}.", "Choose an earlier day."
        )
    return last_day


def _day(field: str, word: str, earliest: date) -> date | None:
    word = word.strip()
    if not word:
        return None
    try:
        day = date.fromisoformat(word)
    except ValueError as problem:
        raise Invalid(field, "This is no date.", "Write it as 2027-05-01, or leave it empty.") from problem
    if day < earliest:
        said = (
            "The first day lies in the past."
            if field == "starts_on"
            else "They would leave before they come."
        )
        raise Invalid(field, said, "Choose a later day, or leave it empty.")
    if is_far(day, earliest):
        raise Invalid(field, "This day is too far away.", "Choose an earlier day, or leave it empty.")
    return day


def _message(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_MESSAGE:
        raise Invalid("message", f"At most {LONGEST_MESSAGE:,} characters fit here.", "Shorten it.")
    return text
