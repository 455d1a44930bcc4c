"""The Overview: how many people, where they are active, and what needs an operator now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from models.credential import Credential, CredentialKind, CredentialState, admin_keys_of
from models.organization import Organization, seats_of
from models.people import Person, Seat, product_name
from models.sync import SyncState, latest_sync
from rules.activity import ActivityKind
from rules.filters import PeopleFilter
from services.doors import require_organization
from services.runs import FRESH
from services.syncing import SyncProgress, progress
from services.toolbox import Toolbox

IDLE_DAYS = 90
"""From this on somebody counts as idle on the Overview."""
WARN_BEFORE_EXPIRY = timedelta(days=30)


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
class Attention:
    """Something that needs somebody. `key` names the matter, so that a flag is shown once for it."""

    key: str
    severity: str
    sentence: str
    action_label: str
    action_path: str


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
class Overview:
    """Everything on the page."""

    organization_name: str
    totals: Totals
    by_product: list[ProductActivity]
    attention: list[Attention]
    sync: SyncProgress | None
    last_complete: datetime | None


def overview(tools: Toolbox, caller: Caller) -> Overview:
    """The organization at a glance. Raises NotReady without a door."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        last = latest_sync(session, organization_id, SyncState.COMPLETE)
        totals = _totals(session, organization_id, now)
        return Overview(
            organization_name=session.get_one(Organization, organization_id).name,
            totals=totals,
            by_product=_by_product(session, organization_id, now),
            attention=_attention(
                session,
                organization_id,
                caller.tenant,
                totals,
                last.started_at if last is not None else None,
                now,
            ),
            sync=progress(tools, organization_id),
            last_complete=last.finished_at if last is not None else None,
        )


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


def _attention(
    session: Session,
    organization_id: str,
    client_key: str,
    totals: Totals,
    last_sync: datetime | None,
    now: datetime,
) -> list[Attention]:
    found = [
        *_about_keys(session, organization_id, client_key, now),
        *_about_sync(session, organization_id, last_sync, now),
    ]
    if totals.idle:
        people = "1 person holds a seat" if totals.idle == 1 else f"{totals.idle:,} people hold seats"
        words = PeopleFilter(idle=IDLE_DAYS, status="active").to_words()
        found.append(
            Attention(
                f"idle-{totals.idle}",
                "info",
                f"{people} and have not been seen for {IDLE_DAYS} days.",
                "Look at them",
                "/app/people?" + "&".join(f"{word}={value}" for word, value in words.items()),
            )
        )
    return found


def _about_keys(session: Session, organization_id: str, client_key: str, now: datetime) -> list[Attention]:
    keys = admin_keys_of(session, organization_id)
    configure = ("Configure Token", "/app/configure")
    if not keys:
        return [
            Attention("no-key", "error", "There is no Admin API key: nothing is read or done.", *configure)
        ]
    best: Credential = keys[0]
    if best.state == CredentialState.REJECTED.value:
        return [
            Attention(
                "dead-key",
                "error",
                "Atlassian rejects the Admin API key: nothing is read or done.",
                *configure,
            )
        ]
    days = (best.expires_on - now.date()).days
    if best.expires_on <= (now + WARN_BEFORE_EXPIRY).date():
        when = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
        sentence = (
            f"The Admin API key expires {when}."
            if days >= 0
            else "The Admin API key is past its expiry date."
        )
        return [Attention(f"key-expires-{best.expires_on}", "warning", sentence, *configure)]
    token = session.get(Credential, (client_key, CredentialKind.API_TOKEN.value))
    if token is not None and token.state == CredentialState.REJECTED.value:
        return [Attention("dead-token", "warning", "Atlassian rejects the API token.", *configure)]
    return []


def _about_sync(
    session: Session, organization_id: str, last_sync: datetime | None, now: datetime
) -> list[Attention]:
    latest = latest_sync(session, organization_id)
    if latest is not None and latest.state == SyncState.RUNNING.value:
        return []
    sync_now = ("Sync now", "/app/overview")
    if latest is not None and latest.state == SyncState.FAILED.value:
        return [
            Attention(
                f"sync-failed-{latest.id}", "error", f"The last sync failed. {latest.problem}", *sync_now
            )
        ]
    if last_sync is None:
        return [
            Attention(
                "never-synced", "warning", "Your directory has not been read completely yet.", *sync_now
            )
        ]
    if last_sync < now - FRESH:
        return [Attention("old-sync", "warning", "The last complete sync is older than two days.", *sync_now)]
    return []


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
