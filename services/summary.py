"""Numbers that take long to count in a large organization: counted once per sync or run, read by every page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, case, func, select
from sqlalchemy.orm import Session

from models.db import refresh_statistics
from models.organization import Summary, seats_of
from models.people import Group, Membership, Person, Seat
from models.run import Run
from models.sync import Sync, SyncState
from rules.activity import ActivityKind
from rules.products import product_name
from services.directory import upsert
from services.toolbox import Toolbox

IDLE_DAYS = 90
"""From this on somebody counts as idle on the Overview."""
LONGEST_AGE = timedelta(hours=1)
AGE_WHILE_READING = timedelta(seconds=30)
"""Before the first complete sync everything changes all the time."""
MOST_GROUPS = 200
MOST_DOMAINS = 100


@dataclass(frozen=True, slots=True)
class ProductActivity:
    """The seats of one product by when their holders were last seen there; suspended people hold none."""

    key: str
    name: str
    seats: int
    active: int
    idle30: int
    idle60: int
    idle90: int
    never: int
    unknown: int
    capacity: int | None


@dataclass(frozen=True, slots=True)
class Totals:
    """People of the directory as it was last read."""

    people: int
    active: int
    suspended: int
    deactivated: int
    idle: int
    never: int


@dataclass(frozen=True, slots=True)
class Facets:
    """What the filter can choose from: (key, name), (group id, name, people), (domain, people); largest first."""

    products: list[tuple[str, str]]
    groups: list[tuple[str, str, int]]
    domains: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Everything that is counted together."""

    totals: Totals
    by_product: list[ProductActivity]
    facets: Facets


_OF_ORGANIZATION: BindParameter[str] = bindparam("organization_id")
_COMPLETE = select(Sync.id).where(
    Sync.organization_id == _OF_ORGANIZATION, Sync.state == SyncState.COMPLETE.value
)
# Every page asks this several times: one question, not built anew each time. One row, whether or not one is kept.
_KEPT = select(
    select(Summary.counted_at).where(Summary.organization_id == _OF_ORGANIZATION).scalar_subquery(),
    select(Summary.numbers).where(Summary.organization_id == _OF_ORGANIZATION).scalar_subquery(),
    _COMPLETE.exists(),
    # One that was stopped half-way has changed people, too.
    select(func.max(Sync.finished_at)).where(Sync.organization_id == _OF_ORGANIZATION).scalar_subquery(),
    select(func.max(Run.finished_at)).where(Run.organization_id == _OF_ORGANIZATION).scalar_subquery(),
)


def summary(tools: Toolbox, organization_id: str) -> Numbers:
    """The numbers of an organization; counted anew when a sync or a run has changed something since."""
    now = tools.clock()
    with tools.look() as connection:
        counted_at, numbers, complete, synced_at, ran_at = connection.execute(
            _KEPT, {"organization_id": organization_id}
        ).one()
    oldest = now - (LONGEST_AGE if complete else AGE_WHILE_READING)
    changes = [synced_at, ran_at] if complete else []
    if counted_at is not None and counted_at >= max(moment for moment in (*changes, oldest) if moment):
        return _read(numbers)
    return _count_anew(tools, organization_id, now)


def _count_anew(tools: Toolbox, organization_id: str, now: datetime) -> Numbers:
    with tools.begin() as session:
        numbers = _counted(session, organization_id, now)
    with tools.begin() as session:
        row = {"organization_id": organization_id, "counted_at": now, "numbers": asdict(numbers)}
        upsert(session, Summary, [row])
    return numbers


def count_after_sync(tools: Toolbox, organization_id: str) -> None:
    """So that the first page after a sync neither waits for the numbers nor takes the wrong index."""
    with tools.begin() as session:
        refresh_statistics(session)
    summary(tools, organization_id)


def _counted(session: Session, organization_id: str, now: datetime) -> Numbers:
    by_product = _by_product(session, organization_id, now)
    return Numbers(
        totals=_totals(session, organization_id, now),
        by_product=by_product,
        facets=Facets(
            products=sorted(((each.key, each.name) for each in by_product), key=lambda product: product[1]),
            groups=_groups(session, organization_id),
            domains=_domains(session, organization_id),
        ),
    )


def _read(numbers: dict[str, Any]) -> Numbers:
    facets = numbers["facets"]
    return Numbers(
        totals=Totals(**numbers["totals"]),
        by_product=[ProductActivity(**each) for each in numbers["by_product"]],
        facets=Facets(
            products=[(key, name) for key, name in facets["products"]],
            groups=[(group_id, name, people) for group_id, name, people in facets["groups"]],
            domains=[(domain, people) for domain, people in facets["domains"]],
        ),
    )


def _groups(session: Session, organization_id: str) -> list[tuple[str, str, int]]:
    size = func.count(Membership.account_id)
    sizes = (
        select(Membership.group_id, size.label("people"))
        .where(Membership.organization_id == organization_id)
        .group_by(Membership.group_id)
        .subquery()
    )
    query = (
        select(Group.group_id, Group.name, sizes.c.people)
        .join(sizes, sizes.c.group_id == Group.group_id)
        .where(Group.organization_id == organization_id)
        .order_by(sizes.c.people.desc(), Group.name)
        .limit(MOST_GROUPS)
    )
    return [(group_id, name, people) for group_id, name, people in session.execute(query)]


def _domains(session: Session, organization_id: str) -> list[tuple[str, int]]:
    people = func.count(Person.account_id)
    query = (
        select(Person.email_domain, people)
        .where(Person.organization_id == organization_id, Person.left_at.is_(None), Person.email_domain != "")
        .group_by(Person.email_domain)
        .order_by(people.desc(), Person.email_domain)
        .limit(MOST_DOMAINS)
    )
    return [(domain, count) for domain, count in session.execute(query)]


def _totals(session: Session, organization_id: str, now: datetime) -> Totals:
    present = [Person.organization_id == organization_id, Person.left_at.is_(None)]
    holds_seat = (Person.status == "active") & (Person.seat_count > 0)
    counts = session.execute(
        select(
            func.count(Person.account_id),
            _count(Person.status == "active"),
            _count(Person.status == "suspended"),
            _count(Person.status.in_(["deactivated", "for_deletion"])),
            _count(holds_seat & (Person.seen_at <= now - timedelta(days=IDLE_DAYS))),
            _count(holds_seat & (Person.activity == ActivityKind.NEVER.value)),
        ).where(*present)
    ).one()
    return Totals(*(int(count or 0) for count in counts))


def _by_product(session: Session, organization_id: str, now: datetime) -> list[ProductActivity]:
    def idle(days: int, until: int | None = None) -> ColumnElement[int]:
        condition = Seat.seen_at <= now - timedelta(days=days)
        return _count(
            condition if until is None else condition & (Seat.seen_at > now - timedelta(days=until))
        )

    query = (
        select(
            Seat.product_key,
            func.count(Seat.account_id),
            _count(Seat.seen_at > now - timedelta(days=30)),
            idle(30, 60),
            idle(60, 90),
            idle(90),
            _count(Seat.activity == ActivityKind.NEVER.value),
            _count(Seat.activity == ActivityKind.UNKNOWN.value),
        )
        .join(
            Person, (Person.organization_id == Seat.organization_id) & (Person.account_id == Seat.account_id)
        )
        .where(Seat.organization_id == organization_id, Person.left_at.is_(None), Person.status == "active")
        .group_by(Seat.product_key)
    )
    capacity: dict[str, int] = {}
    for seats in seats_of(session, organization_id):
        if seats.capacity is not None:
            capacity[seats.key] = capacity.get(seats.key, 0) + seats.capacity
    found = [_product(key, counts, capacity.get(key)) for key, *counts in session.execute(query)]
    return sorted(found, key=lambda product: (-product.seats, product.name))


def _product(key: str, counts: Sequence[int | None], capacity: int | None) -> ProductActivity:
    seats, active, idle30, idle60, idle90, never, unknown = (int(count or 0) for count in counts)
    return ProductActivity(
        key=key,
        name=product_name(key),
        seats=seats,
        active=active,
        idle30=idle30,
        idle60=idle60,
        idle90=idle90,
        never=never,
        unknown=unknown,
        capacity=capacity,
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
