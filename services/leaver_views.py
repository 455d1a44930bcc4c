"""Leavers as pages show them: the list, and one leaver with what they own, who gets it and how far it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from connect.caller import Caller
from models.leaver import (
    Belonging,
    Leaver,
    Look,
    LookState,
    belongings_of,
    count_belongings,
    count_leavers,
    leavers_of,
    looks_of,
)
from models.organization import Organization, seats_of
from models.people import Person, people_by_id
from models.run import Run, find_run
from models.tenant import doors_of
from rules.farewell import CHOOSING, WORKING, LeaverState
from rules.handover import AGAIN, ORDER, TO_MOVE, UNSEEN, WORDS, BelongingState, Kind
from rules.products import family_of, product_name
from services.doors import require_organization
from services.leaver_stops import CAN_HAND_BACK
from services.leavers import require_leaver
from services.names import names_of
from services.toolbox import Toolbox

ROWS = 100
"""Belongings of one kind that a page shows; all of them are in the evidence."""


@dataclass(frozen=True, slots=True)
class LeaverRow:
    """One line of the list."""

    leaver: Leaver
    begun_by: str
    total: int
    moved: int
    troubles: int


@dataclass(frozen=True, slots=True)
class KindView:
    """What they own of one kind. `listed` have a row, `unlisted` do not; `unseen` is site → why nobody could look."""

    kind: Kind
    title: str
    deed: str
    found: int
    listed: int
    unlisted: int
    rows: list[Belonging]
    counts: dict[BelongingState, int]
    objections: int
    choice: str
    unseen: list[tuple[str, str]]
    is_looked_at: bool

    @property
    def more(self) -> int:
        return self.listed - len(self.rows)


@dataclass(frozen=True, slots=True)
class LeaverPage:
    """Everything about one leaver."""

    leaver: Leaver
    state: LeaverState
    person: Person | None
    kinds: list[KindView]
    tokens: KindView
    successors: list[Person]
    names: dict[str, str]
    unseen: list[str]
    run: Run | None
    time_zone: str
    done: int
    total: int
    chosen: int
    objections: int
    can_hand_back: bool
    can_try_again: bool
    can_go_on: bool

    @property
    def is_live(self) -> bool:
        waits = self.leaver.resume_at is None
        return (self.state in WORKING or self.state is LeaverState.STOPPED) and not waits

    @property
    def unlisted(self) -> int:
        return sum(each.unlisted for each in self.kinds)

    @property
    def is_choosing(self) -> bool:
        return self.state in CHOOSING

    @property
    def is_held_up(self) -> bool:
        return self.state in WORKING and self.leaver.resume_at is None


def list_leavers(tools: Toolbox, caller: Caller, page: int, per_page: int) -> tuple[list[LeaverRow], int]:
    """One page of them, newest first, and how many there are."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        found = leavers_of(session, organization_id, offset=(page - 1) * per_page, limit=per_page)
        counts = count_belongings(session, organization_id, [each.id for each in found])
        names = names_of(session, organization_id, [each.created_by for each in found])
        total = count_leavers(session, organization_id)
        session.expunge_all()
    rows = []
    for each in found:
        states = counts.get(each.id, {})
        rows.append(
            LeaverRow(
                each,
                names.get(each.created_by, ""),
                sum(states.values()),
                states.get(BelongingState.MOVED.value, 0),
                sum(states.get(state.value, 0) for state in AGAIN),
            )
        )
    return rows, total


def show_leaver(tools: Toolbox, caller: Caller, leaver_id: str) -> LeaverPage:
    """One leaver. Raises NotFound for another organization's."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        leaver = require_leaver(session, organization_id, leaver_id)
        looks = looks_of(session, organization_id, leaver_id)
        rows = belongings_of(session, organization_id, leaver_id)
        people = people_by_id(session, organization_id, [leaver.account_id, *leaver.successors])
        accounts = {leaver.created_by, leaver.confirmed_by, leaver.account_id, *leaver.successors}
        accounts |= {account for row in rows for account in (row.successor, *row.had_by)}
        names = names_of(session, organization_id, accounts)
        run = find_run(session, organization_id, leaver.run_id) if leaver.run_id else None
        organization = session.get_one(Organization, organization_id)
        unseen = _unseen(session, organization_id)
        zone = organization.time_zone
        session.expunge_all()
    return _page(leaver, looks, rows, people, names, run, unseen, zone)


def _page(
    leaver: Leaver,
    looks: list[Look],
    rows: list[Belonging],
    people: dict[str, Person],
    names: dict[str, str],
    run: Run | None,
    unseen: list[str],
    zone: str,
) -> LeaverPage:
    state = LeaverState(leaver.state)
    kinds = [_kind(leaver, kind, looks, rows) for kind in (*ORDER, Kind.TOKEN)]
    movable = [row for row in rows if row.kind != Kind.TOKEN]
    done, total = _progress(state, looks, movable)
    again = sum(1 for row in movable if BelongingState(row.state) in AGAIN)
    held_up = state in WORKING and leaver.resume_at is None
    waits = state is LeaverState.ENDING and leaver.run_id is None
    return LeaverPage(
        leaver=leaver,
        state=state,
        person=people.get(leaver.account_id),
        kinds=[each for each in kinds if each.kind is not Kind.TOKEN],
        tokens=kinds[-1],
        successors=[people[each] for each in leaver.successors if each in people],
        names=names,
        unseen=unseen,
        run=run,
        time_zone=zone,
        done=done,
        total=total,
        chosen=sum(1 for row in movable if row.state == BelongingState.CHOSEN),
        objections=sum(1 for row in movable if row.objection),
        can_hand_back=state in CAN_HAND_BACK
        and any(row.state == BelongingState.MOVED for row in movable)
        and (run is None or run.state != "running"),
        can_try_again=held_up or (waits and bool(again)),
        can_go_on=held_up and waits and not leaver.obstacles,
    )


def _kind(leaver: Leaver, kind: Kind, looks: list[Look], rows: list[Belonging]) -> KindView:
    mine = [row for row in rows if row.kind == kind]
    asked = [look for look in looks if look.kind == kind]
    return KindView(
        kind=kind,
        title=WORDS[kind].many,
        deed=WORDS[kind].deed,
        found=max(sum(look.found for look in asked), len(mine)),
        listed=len(mine),
        unlisted=sum(look.unlisted for look in asked),
        rows=mine[:ROWS],
        counts=dict(Counter(BelongingState(row.state) for row in mine)),
        objections=sum(1 for row in mine if row.objection),
        choice=leaver.choices.get(kind.value, ""),
        unseen=[
            (urlsplit(look.site).netloc, look.reason) for look in asked if look.state == LookState.UNSEEN
        ],
        is_looked_at=any(look.state == LookState.SEEN for look in asked),
    )


def _progress(state: LeaverState, looks: list[Look], rows: list[Belonging]) -> tuple[int, int]:
    """How many of how many things of this step are done."""
    if state is LeaverState.LOOKING:
        return sum(1 for look in looks if look.state != LookState.WAITING), len(looks)
    if state is LeaverState.CHECKING:
        chosen = [row for row in rows if row.state == BelongingState.CHOSEN]
        return sum(1 for row in chosen if row.checked), len(chosen)
    if state is LeaverState.HANDING_BACK:
        waiting = sum(1 for row in rows if row.returns)
        back = sum(1 for row in rows if row.state == BelongingState.MOVED_BACK)
        return back, waiting + back
    mine = [row for row in rows if row.successor]
    return sum(1 for row in mine if BelongingState(row.state) not in TO_MOVE), len(mine)


def _unseen(session: Session, organization_id: str) -> list[str]:
    """What no API tells, for the products that there are; and products that Rollcall is not installed in."""
    doors = {
        (urlsplit(door.base_url).netloc.lower(), family_of(door.product))
        for door in doors_of(session, organization_id)
    }
    found: list[str] = []
    families: set[str] = set()
    for seat in seats_of(session, organization_id):
        family = family_of(seat.key)
        if family not in ("jira", "confluence"):
            continue
        families.add(family)
        host = urlsplit(seat.host_url).netloc.lower()
        if (host, family) not in doors:
            found.append(
                f"Everything in {product_name(family)} on {host}: install Rollcall there, and save an API token."
            )
    for family in ("jira", "confluence", ""):
        if not family or family in families:
            found += UNSEEN[family]
    return list(dict.fromkeys(found))
