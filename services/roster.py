"""Rosters: entries become cases of a run, each with its verdict; nobody is asked about twice for the same thing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Invalid
from models.audit import Event
from models.organization import zone_of
from models.people_search import accounts_by_address
from models.run import Run
from rules.case import CaseState, RunState
from rules.changes import Snapshot
from rules.deeds import Deed
from rules.idle import Candidate
from rules.judging import judge
from rules.person import PersonFacts
from rules.prolonging import with_what_they_have
from rules.roster import (
    Entry,
    Origin,
    action_of,
    action_to_words,
    nobody,
    seats_taken,
    short_of_seats,
    unknown_account,
)
from rules.verdict import Ground, Verdict, Why
from services.batches import BATCH
from services.candidates import people_as_candidates
from services.doors import require_organization
from services.given_until import GivenUntil, given_until
from services.ground import ground_of
from services.previews import add_cases, case_row, new_run, require_fresh_sync
from services.run_notices import tell_started
from services.runs import finish_run, hold_back, make_due, record_run
from services.seat_counts import seat_counts
from services.toolbox import Toolbox

MOST_ENTRIES = 50_000


@dataclass(frozen=True, slots=True)
class Added:
    """The deeds of those who were chosen, or else of all; how many were chosen, and which seats they take."""

    deeds: frozenset[Deed]
    chosen: int
    seats: int

    @property
    def deed(self) -> str | None:
        return next(iter(self.deeds)).value if len(self.deeds) == 1 else None


@dataclass(frozen=True, slots=True)
class Draft:
    """A run with its cases that nobody sees yet: it has no origin's id."""

    run_id: str
    added: Added


_STRANGER = Verdict(
    CaseState.NOT_POSSIBLE,
    "Nobody in your directory shows this address: invite them, or find them by name under People.",
    Why.STATUS,
)
_TWICE = Verdict(CaseState.NOT_POSSIBLE, "Is here twice: the entry above counts.", Why.DONE)


def preview_roster(
    tools: Toolbox, caller: Caller, entries: Iterable[Entry], origin: Origin, origin_id: str = ""
) -> str:
    """Works out a verdict for every entry and keeps them as a run to be confirmed (services.runs.confirm).

    Returns the run's id. Raises NotReady (no fresh complete sync) and Invalid (nobody, or too many).
    """
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        run = open_preview(session, tools, caller, organization_id, origin, origin_id)
        if not fill(session, tools, run, entries):
            raise Invalid("people", "Nobody is in this list.", "Name one person at least.")
        return run.id


def open_preview(
    session: Session,
    tools: Toolbox,
    caller: Caller,
    organization_id: str,
    origin: Origin,
    origin_id: str = "",
) -> Run:
    """A preview with nobody in it yet, in the caller's transaction. Raises NotReady (no fresh complete sync)."""
    now = tools.clock()
    require_fresh_sync(session, organization_id, now)
    run = new_run(session, organization_id, caller, None, now)
    run.origin, run.origin_id = origin.value, origin_id
    return run


def fill(session: Session, tools: Toolbox, run: Run, entries: Iterable[Entry]) -> bool:
    """Adds the entries to a preview; False when there was none. Raises Invalid (too many)."""
    now = tools.clock()
    ground = ground_of(tools, session, run.organization_id, run.requested_by, now)
    added = _add_entries(lambda: nullcontext(session), run, entries, ground, now)
    run.deed, run.seats = added.deed, added.seats
    return bool(added.deeds)


def begin_roster(
    session: Session,
    tools: Toolbox,
    organization_id: str,
    entries: Iterable[Entry],
    origin: Origin,
    origin_id: str,
    *,
    by: str,
    now: datetime,
    review: bool = False,
    brake: Callable[[int], str | None] = lambda _chosen: None,
) -> Run:
    """A run that begins at once, for sources that nobody sits in front of. Nobody chosen: it is over at once.

    With `review` everybody chosen waits for an operator. `by` is an account id, or models.audit.APP. `brake` says why
    so many chosen people are too many: then nobody is touched before an operator has released it (S47).
    """
    run = _new_run(organization_id, origin, by, now)
    session.add(run)
    ground = ground_of(tools, session, organization_id, by, now)
    state = CaseState.REVIEW if review else CaseState.PLANNED
    added = _add_entries(lambda: nullcontext(session), run, entries, ground, now, begin_as=state)
    _begin(session, run, added, origin_id, now, brake)
    return run


def draft_roster(
    tools: Toolbox, organization_id: str, entries: Sequence[Entry], origin: Origin, *, by: str, now: datetime
) -> Draft:
    """The cases of a run that nobody sees yet, written a batch at a time: others write in between.

    It is whole when this returns; one that was cut off is forgotten with the previews. Raises Invalid (too many).
    """
    _require_not_too_many(len(entries))
    with tools.begin() as session:
        run = _new_run(organization_id, origin, by, now)
        session.add(run)
        ground = ground_of(tools, session, organization_id, by, now)
        session.flush()
        session.expunge(run)
    return Draft(run.id, _add_entries(tools.begin, run, entries, ground, now))


def list_draft(session: Session, organization_id: str, draft: Draft, origin_id: str) -> Run:
    """The draft becomes a preview that is seen."""
    run = session.get_one(Run, (organization_id, draft.run_id))
    run.origin_id, run.deed, run.seats = origin_id, draft.added.deed, draft.added.seats
    return run


def begin_draft(
    session: Session,
    organization_id: str,
    draft: Draft,
    origin_id: str,
    *,
    now: datetime,
    brake: Callable[[int], str | None],
) -> Run:
    """The draft becomes a run that begins at once (see begin_roster)."""
    run = session.get_one(Run, (organization_id, draft.run_id))
    _begin(session, run, draft.added, origin_id, now, brake)
    if run.state == RunState.RUNNING:
        make_due(session, organization_id, run.id, CaseState.PLANNED, now)
    return run


def _new_run(organization_id: str, origin: Origin, by: str, now: datetime) -> Run:
    return Run(
        organization_id=organization_id,
        id=str(uuid.uuid4()),
        state=RunState.PREVIEW.value,
        origin=origin.value,
        requested_by=by,
        created_at=now,
    )


def _begin(
    session: Session,
    run: Run,
    added: Added,
    origin_id: str,
    now: datetime,
    brake: Callable[[int], str | None],
) -> None:
    run.state, run.origin_id = RunState.RUNNING.value, origin_id
    run.confirmed_by, run.confirmed_at = run.requested_by, now
    run.deed, run.seats = added.deed, added.seats
    record_run(session, Event.RUN_STARTED, run, run.requested_by, now)
    objection = brake(added.chosen)
    if objection is not None:
        hold_back(session, run, objection, now)
    elif added.chosen:
        tell_started(session, run, added.chosen, now)
    else:
        session.flush()
        finish_run(session, run, now)


def _require_not_too_many(count: int) -> None:
    if count > MOST_ENTRIES:
        raise Invalid(
            "people",
            f"More than {MOST_ENTRIES:,} people are in this list.",
            "Split it, and do one part after the other.",
        )


def _add_entries(
    portion: Callable[[], AbstractContextManager[Session]],
    run: Run,
    entries: Iterable[Entry],
    ground: Ground,
    now: datetime,
    *,
    begin_as: CaseState | None = None,
) -> Added:
    """Adds a case for each entry, batch by batch, each in a `portion`."""
    with portion() as session:
        seats = _Seats(session, run.organization_id)
        zone = zone_of(session, run.organization_id)
    met: set[str] = set()
    deeds: dict[bool, set[Deed]] = {True: set(), False: set()}
    iterator, count, chosen = iter(entries), 0, 0
    while batch := list(islice(iterator, BATCH)):
        count += len(batch)
        _require_not_too_many(count)
        rows = []
        with portion() as session:
            found = list(_with_people(session, run.organization_id, batch, ground))
            account_ids = {person.seen.facts.account_id for _entry, person in found if person is not None}
            given = given_until(session, run.organization_id, account_ids)
            for entry, person in found:
                deed, row = _row(run, entry, person, ground, seats, met, given)
                planned = row["state"] == CaseState.PLANNED.value
                deeds[planned].add(deed)
                # Their access goes on: a start that has not come would let it end before.
                starts_on = None if deed is Deed.PROLONG else entry.starts_on
                row |= {"starts_at": _start_of(starts_on, zone, now), "resume_at": None}
                if planned and begin_as is not None:
                    row["state"] = begin_as.value
                    row["resume_at"] = (row["starts_at"] or now) if begin_as is CaseState.PLANNED else None
                chosen += planned
                rows.append(row)
            add_cases(session, rows)
    return Added(frozenset(deeds[True] or deeds[False]), chosen, seats.given)


def _with_people(
    session: Session, organization_id: str, entries: Sequence[Entry], ground: Ground
) -> Iterator[tuple[Entry, Candidate | None]]:
    accounts = accounts_by_address(
        session, organization_id, [entry.email for entry in entries if not entry.account_id]
    )
    ids = [entry.account_id or accounts.get(entry.email.strip().lower(), "") for entry in entries]
    people = people_as_candidates(
        session,
        organization_id,
        sorted({account_id for account_id in ids if account_id}),
        ground.organization,
    )
    for entry, account_id in zip(entries, ids, strict=True):
        yield entry, people.get(account_id)


def _row(
    run: Run,
    entry: Entry,
    person: Candidate | None,
    ground: Ground,
    seats: _Seats,
    met: set[str],
    given: GivenUntil,
) -> tuple[Deed, dict[str, object]]:
    seen = person.seen if person is not None else Snapshot(nobody(entry.email.strip()))
    facts = seen.facts
    action = action_of(entry, facts if person is not None else None)
    account_id = facts.account_id or entry.account_id or unknown_account(entry.email)
    if account_id in met:
        # One person has one case in a run: this one stands for the line only.
        account_id, verdict = unknown_account(f"{account_id} {len(met)} {entry.line}"), _TWICE
    elif person is None and action.deed is not Deed.INVITE:
        verdict = _STRANGER
    else:
        verdict = judge(
            action,
            seen,
            ground,
            in_several_directories=person is not None and person.in_several_directories,
            refusal=person.refusal if person is not None else "",
        )
    mine = given.get(account_id, ())
    action, verdict = with_what_they_have(entry, action, verdict, mine, seen, ground.organization)
    if verdict.state is CaseState.PLANNED:
        verdict = seats.checked(verdict, seats_taken(action, facts, ground.organization), ground)
    met.add(account_id)
    row = case_row(
        run,
        account_id,
        person.directory_id if person is not None else "",
        _name(entry, facts),
        action.deed,
        verdict,
    )
    return action.deed, row | {
        "email": entry.email.strip()[:320] or None,
        "action": action_to_words(action) or None,
        "line": entry.line,
        "ends_on": entry.ends_on,
        "because": entry.because[:300],
        "note": entry.note[:500],
    }


def _name(entry: Entry, facts: PersonFacts) -> str:
    known = facts.name if facts.account_id else ""
    return (known or entry.name or entry.email or entry.account_id)[:255]


def _start_of(day: date | None, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The morning of that day where the organization lives; None when it has come."""
    if day is None:
        return None
    start = datetime.combine(day, time(6), zone).astimezone(now.tzinfo)
    return start if start > now else None


class _Seats:
    """The seats that are still free while a roster gives them away, in the order of its entries."""

    def __init__(self, session: Session, organization_id: str) -> None:
        counts = seat_counts(session, organization_id)
        self._free = {each.resource_id: each.free for each in counts if each.free is not None}
        self._found: Mapping[str, int] = dict(self._free)
        self.given = 0

    def checked(self, verdict: Verdict, products: frozenset[str], ground: Ground) -> Verdict:
        """The verdict, unless no seat is left for them."""
        short = short_of_seats([products], self._free)[0]
        if short is None:
            for each in products & self._free.keys():
                self._free[each] -= 1
            self.given += len(products)
            return verdict
        free = max(self._found[short], 0)
        name = ground.organization.product_words(short)
        there = "no seat is free" if not free else f"only {free} free, and those above take them"
        reason = f"No seat for them in {name}: {there}. Free one, or buy one, then try again."
        return replace(verdict, state=CaseState.NOT_POSSIBLE, reason=reason, why=Why.SEATS, changes=())
