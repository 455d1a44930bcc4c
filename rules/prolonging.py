"""Prolonging by a list: what a row with a last day means for somebody who has some of it until another day already.

A list only prolongs. It may be older than what an operator said since, or than the day that somebody was told: what
ends later than the list says is left so, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from rules.case import CaseState
from rules.changes import Change, ChangeKind, Snapshot, of_access
from rules.deeds import Action, Deed, EndMoved
from rules.judging import judge
from rules.organization import OrganizationFacts
from rules.roster import Entry
from rules.timed import Given, ends_sooner
from rules.verdict import Ground, Verdict, Why, not_possible

PLACE = "under Onboarding, Access with an end"
NOT_THERE = "Does not have all of this access any more. Sync, then check the list again."
_GIVE = (Deed.GIVE_ACCESS, Deed.CHANGE_GROUPS)


def with_what_they_have(
    entry: Entry,
    action: Action,
    verdict: Verdict,
    given: Sequence[Given],
    seen: Snapshot,
    organization: OrganizationFacts,
) -> tuple[Action, Verdict]:
    """The action and the verdict on an entry, once it is known what they were `given` for a time."""
    if action.deed not in _GIVE:
        return action, verdict
    parts = frozenset(of_access(action))
    mine = [each for each in given if not parts.isdisjoint(each.changes)]
    # What is there by something else than what would be prolonged.
    rest = parts.difference(*(each.changes for each in mine))
    others = [each for each in given if each not in mine]
    if not mine:
        ended = _by_what_ends(entry, rest, others, seen, organization) if verdict.why is Why.DONE else None
        return action, ended or verdict
    is_there = verdict.why is Why.DONE or (entry.prolongs and _only_roles_of(verdict, mine))
    until = ends_sooner(parts, mine, entry.ends_on)
    if not is_there:
        return action, _in_part(verdict, until) if entry.prolongs else verdict
    if not entry.prolongs or entry.ends_on is None:
        if until is None or action.deed is not Deed.GIVE_ACCESS:
            return action, verdict
        reason = (
            f"Has this access already, until {_day(until)}. Prolong it {PLACE}, or by a list with a last day."
        )
        return action, replace(verdict, reason=reason)
    why_not = _by_what_ends(entry, rest, others, seen, organization)
    why_not = why_not or _obstacle(entry, action, mine, entry.ends_on)
    if why_not is not None:
        return action, why_not
    ends = tuple(
        EndMoved(each.of, each.until, entry.ends_on)
        for each in sorted(mine, key=lambda each: (each.until, each.of))
        if each.until < entry.ends_on
    )
    return replace(action, deed=Deed.PROLONG, ends=ends), Verdict(CaseState.PLANNED, moved_words(ends))


def moved_words(ends: Sequence[EndMoved]) -> str:
    """From 1 May 2027 to 1 August 2027."""
    before = " and ".join(_day(day) for day in sorted({end.before for end in ends}))
    until = " and ".join(_day(day) for day in sorted({end.until for end in ends}))
    return f"From {before} to {until}."


def set_back_words(ends: Sequence[EndMoved], today: date) -> str:
    """The same for an undo, with what follows when the former day is over."""
    over = any(end.until < today for end in ends)
    return moved_words(ends) + (" That day is over: their access ends at once." if over else "")


def not_there_any_more(
    action: Action, seen: Snapshot, ground: Ground, *, in_several_directories: bool
) -> str | None:
    """Why somebody who is seen now is not prolonged; None when they have all that it is about."""
    deed = Deed.CHANGE_GROUPS if action.leave else Deed.GIVE_ACCESS
    verdict = judge(replace(action, deed=deed), seen, ground, in_several_directories=in_several_directories)
    if verdict.why is Why.DONE:
        return None
    return verdict.objection or NOT_THERE


def _by_what_ends(
    entry: Entry,
    parts: frozenset[Change],
    given: Sequence[Given],
    seen: Snapshot,
    organization: OrganizationFacts,
) -> Verdict | None:
    """Of who has all of it: why some of it, there by groups alone that they are in until a sooner day, would end."""
    until = {
        change.about: each.until
        for each in given
        if each.is_open and (entry.ends_on is None or each.until < entry.ends_on)
        for change in each.changes
        if change.kind is ChangeKind.JOIN_GROUP
    }
    over: list[date] = []
    for part in parts:
        ways = [each for each in seen.group_ids if part.about in organization.grants.get(each, ())]
        if ways and until.keys() >= set(ways):
            over.append(max(until[each] for each in ways))
    if not over:
        return None
    return _left(
        f"Has this access already, by a group that they are in until {_day(min(over))}: prolong that {PLACE}."
    )


def _only_roles_of(verdict: Verdict, given: Sequence[Given]) -> bool:
    """Whether nothing is missing but roles that we gave: no preview can see those, only the deed asks for them."""
    ours = {change for each in given if each.is_open for change in each.changes}
    return (
        verdict.state is CaseState.PLANNED
        and bool(verdict.changes)
        and all(change.kind is ChangeKind.ASSIGN_ROLE and change in ours for change in verdict.changes)
    )


def _in_part(verdict: Verdict, until: date | None) -> Verdict:
    if until is None or verdict.state is not CaseState.PLANNED:
        return verdict
    reason = (
        f"What they have of it until {_day(until)} ends then. Check the list again once the rest is given: "
        "then that is prolonged, too."
    )
    return replace(verdict, reason=reason)


def _obstacle(entry: Entry, action: Action, mine: Sequence[Given], wanted: date) -> Verdict | None:
    """Why nothing is prolonged."""
    if any(not each.is_open for each in mine):
        return _left(f"Its last day is over, and its end has not come through. Look {PLACE}.")
    sooner = [each for each in mine if each.until < wanted]
    if not sooner:
        last = max(each.until for each in mine)
        there = f"Has this access already, until {_day(last)}"
        if last == wanted:
            return not_possible(f"{there}.", Why.DONE)
        return _left(
            f"{there}. The list says {_day(wanted)}, which is sooner: their last day is left as it is. "
            f"To end it sooner, say so {PLACE}."
        )
    first = min(each.until for each in sooner)
    if entry.starts_on is not None and first + timedelta(days=1) < entry.starts_on:
        return _left(
            f"Has this access until {_day(first)}, and the list begins later, on {_day(entry.starts_on)}. "
            "Check the list again once it has ended."
        )
    parts = frozenset(of_access(action))
    if any(not _without_invitation(each) <= parts for each in sooner):
        return _left(
            f"Has this access until {_day(first)}, given together with more than the list names. "
            f"Prolong it {PLACE}."
        )
    return None


def _without_invitation(given: Given) -> frozenset[Change]:
    return frozenset(change for change in given.changes if change.kind is not ChangeKind.INVITE)


def _left(reason: str) -> Verdict:
    return not_possible(reason, Why.LAST_DAY)


def _day(day: date) -> str:
    return f"{day:%-d %B %Y}"
