"""A leaver as their page shows them: with what they own, who gets it and how far it is."""

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
    Tally,
    belongings_of,
    looks_of,
    tallies_of,
)
from models.organization import Organization, seats_of
from models.people import Person, people_by_id
from models.run import Run, find_run
from models.tenant import doors_of
from rules.farewell import CHOOSING, WORKING, LeaverState
from rules.handover import AGAIN, ORDER, UNSEEN, WORDS, BelongingState, Kind
from rules.products import family_of, product_name
from services.doors import require_organization
from services.leaver_stops import CAN_HAND_BACK
from services.leavers import require_leaver
from services.names import names_of
from services.seats import carried_by
from services.toolbox import Toolbox

ROWS = 100
"""Belongings of one kind that a page shows; all of them are in the evidence."""


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
    def handed_back(self) -> int:
        return sum(each.counts.get(BelongingState.MOVED_BACK, 0) for each in self.kinds)

    @property
    def unlisted(self) -> int:
        return sum(each.unlisted for each in self.kinds)

    @property
    def is_choosing(self) -> bool:
        return self.state in CHOOSING


def show_leaver(tools: Toolbox, caller: Caller, leaver_id: str) -> LeaverPage:
    """One leaver. Raises NotFound for another organization's."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        leaver = require_leaver(session, organization_id, leaver_id)
        looks = looks_of(session, organization_id, leaver_id)
        tallies = tallies_of(session, organization_id, leaver_id)
        rows = [
            row
            for kind in (*ORDER, Kind.TOKEN)
            for row in belongings_of(session, organization_id, leaver_id, kind=kind, limit=ROWS)
        ]
        people = people_by_id(session, organization_id, [leaver.account_id, *leaver.successors])
        accounts = {leaver.created_by, leaver.confirmed_by, leaver.account_id, *leaver.successors}
        accounts |= {account for row in rows for account in (row.successor, *row.had_by)}
        names = names_of(session, organization_id, accounts)
        run = find_run(session, organization_id, leaver.run_id) if leaver.run_id else None
        organization = session.get_one(Organization, organization_id)
        unseen = _unseen(session, organization_id)
        zone = organization.time_zone
        session.expunge_all()
    return _page(leaver, looks, tallies, rows, people, names, run, unseen, zone)


def _page(
    leaver: Leaver,
    looks: list[Look],
    tallies: list[Tally],
    rows: list[Belonging],
    people: dict[str, Person],
    names: dict[str, str],
    run: Run | None,
    unseen: list[str],
    zone: str,
) -> LeaverPage:
    state = LeaverState(leaver.state)
    kinds = [_kind(leaver, kind, looks, tallies, rows) for kind in (*ORDER, Kind.TOKEN)]
    movable = [each for each in tallies if each.kind != Kind.TOKEN]
    done, total = _progress(state, looks, movable)
    again = any(BelongingState(each.state) in AGAIN for each in movable)
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
        chosen=sum(each.count for each in movable if each.state == BelongingState.CHOSEN),
        objections=sum(each.count for each in movable if each.objected),
        can_hand_back=state in CAN_HAND_BACK
        and any(each.state == BelongingState.MOVED for each in movable)
        and (run is None or run.state != "running"),
        can_try_again=leaver.is_held_up or (waits and again),
        can_go_on=leaver.is_held_up and waits and not leaver.obstacles,
    )


def _kind(
    leaver: Leaver, kind: Kind, looks: list[Look], tallies: list[Tally], rows: list[Belonging]
) -> KindView:
    mine = [each for each in tallies if each.kind == kind]
    listed = sum(each.count for each in mine)
    counts: Counter[BelongingState] = Counter()
    for each in mine:
        counts[BelongingState(each.state)] += each.count
    asked = [look for look in looks if look.kind == kind]
    return KindView(
        kind=kind,
        title=WORDS[kind].many,
        deed=WORDS[kind].deed,
        found=max(sum(look.found for look in asked), listed),
        listed=listed,
        unlisted=sum(look.unlisted for look in asked),
        rows=[row for row in rows if row.kind == kind],
        counts=dict(counts),
        objections=sum(each.count for each in mine if each.objected),
        choice=leaver.choices.get(kind.value, ""),
        unseen=[
            (urlsplit(look.site).netloc, look.reason) for look in asked if look.state == LookState.UNSEEN
        ],
        is_looked_at=any(look.state == LookState.SEEN for look in asked),
    )


def _progress(state: LeaverState, looks: list[Look], tallies: list[Tally]) -> tuple[int, int]:
    """How many of how many things of this step are done."""
    if state is LeaverState.LOOKING:
        return sum(1 for look in looks if look.state != LookState.WAITING), len(looks)
    if state is LeaverState.CHECKING:
        chosen = [each for each in tallies if each.state == BelongingState.CHOSEN]
        return sum(each.count for each in chosen if each.checked), sum(each.count for each in chosen)
    if state is LeaverState.HANDING_BACK:
        waiting = sum(each.count for each in tallies if each.returns)
        back = sum(each.count for each in tallies if each.state == BelongingState.MOVED_BACK)
        return back, waiting + back
    mine = [each for each in tallies if each.given]
    moved = sum(each.count for each in mine if each.state == BelongingState.MOVED)
    return moved, sum(each.count for each in mine)


def _unseen(session: Session, organization_id: str) -> list[str]:
    """What no API tells, for the products that there are; and products that Rollcall is not installed in."""
    seats = seats_of(session, organization_id)
    carried = set(carried_by(doors_of(session, organization_id), seats))
    found: list[str] = []
    families: set[str] = set()
    for seat in seats:
        family = family_of(seat.key)
        if family not in ("jira", "confluence"):
            continue
        families.add(family)
        if seat.resource_id not in carried:
            site = urlsplit(seat.host_url).netloc.lower() or "a site that Atlassian does not name"
            found.append(
                f"Everything in {product_name(family)} on {site}: install Rollcall there if it is not, save the "
                "Admin API Key and an API token under Configure Token, then look again."
            )
    for family in ("jira", "confluence", ""):
        if not family or family in families:
            found += UNSEEN[family]
    return list(dict.fromkeys(found))
