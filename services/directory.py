"""Storing what a sync reads: people, their seats and groups; only what changed is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.db import Base
from models.people import Group, Membership, Person, Seat, Signal
from rules.activity import Activity, KnownSeat, activity_per_product, combined
from rules.guards import is_machine
from rules.person import PersonFacts

LONGEST_NAME, LONGEST_SEARCH_TEXT = 800, 1600
"""In bytes: PostgreSQL indexes nothing above 2,704, and nobody's name may keep the directory from being read."""

_Held = dict[str, dict[str, KnownSeat]]
"""Account id → resource id → the seat."""


def store_people(
    session: Session,
    organization_id: str,
    directory_id: str,
    sync_id: str,
    people: Sequence[PersonFacts],
    now: datetime,
) -> None:
    """Inserts or renews one page of people. Storing the same page again changes nothing.

    No sign of life that was told once is lost because a later reading has an older date, or none (S45).
    """
    if not people:
        return
    account_ids = [facts.account_id for facts in people]
    known = _known_in(session, organization_id, account_ids)
    held = _held_in(session, organization_id, account_ids)
    signals = signals_of(session, organization_id, account_ids)
    rows: list[dict[str, Any]] = []
    seats: dict[str, dict[str, KnownSeat]] = {}
    memberships: set[tuple[str, str]] = set()
    groups: dict[str, str] = {}
    for facts in people:
        before = known.get(facts.account_id)
        met_in_several = (
            before is not None
            and before.sync_id == sync_id
            and (before.met_in_several or before.directory_id != directory_id)
        )
        several = met_in_several or (before is not None and before.in_several_directories)
        status = facts.status[:32]
        since = (before.status_since or now) if before is not None and before.status == status else now
        found_at = now if before is not None else None
        mine = held.get(facts.account_id, {})
        activities = activity_per_product(facts, signals.get(facts.account_id, {}), mine, found_at)
        rows.append(
            person_row(organization_id, directory_id, facts, combined(one for _, one in activities))
            | {
                "in_several_directories": several,
                "met_in_several": met_in_several,
                "status_since": since,
                "sync_id": sync_id,
                "synced_at": now,
                "left_at": None,
            }
        )
        seats[facts.account_id] = {
            access.resource_id: KnownSeat(
                access.key,
                one.kind.value,
                one.at if one.product else None,
                mine[access.resource_id].since if access.resource_id in mine else found_at,
            )
            for access, one in activities
        }
        memberships |= {(facts.account_id, group.id) for group in facts.groups}
        groups |= {group.id: group.name for group in facts.groups}
    upsert(session, Person, rows)
    _store_seats(session, organization_id, held, seats)
    _store_memberships(session, organization_id, account_ids, memberships)
    _store_groups(session, organization_id, groups)


def mark_leavers(session: Session, organization_id: str, sync_id: str, now: datetime) -> None:
    """Marks everybody whom the complete sync did not see as gone, and frees their seats and groups."""
    gone = and_(Person.organization_id == organization_id, Person.sync_id != sync_id)
    free_places(session, organization_id, select(Person.account_id).where(gone))
    session.execute(update(Person).where(gone, Person.left_at.is_(None)).values(left_at=now, seat_count=0))


def believe_directories(session: Session, organization_id: str, sync_id: str) -> None:
    """Whom the complete sync met in one directory alone is in no other any more."""
    session.execute(
        update(Person)
        .where(
            Person.organization_id == organization_id,
            Person.sync_id == sync_id,
            Person.in_several_directories,
            ~Person.met_in_several,
        )
        .values(in_several_directories=False)
    )


def free_places(session: Session, organization_id: str, left: Select[str] | Sequence[str]) -> None:
    """Who left holds no seat and is in no group."""
    for model in (Seat, Membership):
        session.execute(
            delete(model).where(model.organization_id == organization_id, model.account_id.in_(left))
        )


# Asked for every deed: not built anew each time.
_SIGNALS = select(Signal.account_id, Signal.family, Signal.seen_at).where(
    Signal.organization_id == bindparam("organization_id"),
    Signal.account_id.in_(bindparam("account_ids", expanding=True)),
)


def signals_of(
    session: Session, organization_id: str, account_ids: Iterable[str]
) -> dict[str, dict[str, datetime]]:
    """Account id → family of products → the newest sign of life that a webhook brought."""
    about = {"organization_id": organization_id, "account_ids": list(account_ids)}
    found: dict[str, dict[str, datetime]] = {}
    for account_id, family, seen_at in session.execute(_SIGNALS, about):
        found.setdefault(account_id, {})[family] = seen_at
    return found


def person_row(
    organization_id: str, directory_id: str, facts: PersonFacts, activity: Activity
) -> dict[str, Any]:
    """The columns of a person that come from Atlassian."""
    email = (facts.email or "").strip()
    name = facts.name or facts.nickname or email or facts.account_id
    return {
        "organization_id": organization_id,
        "account_id": facts.account_id,
        "directory_id": directory_id,
        "name": _fitting(name, 255, LONGEST_NAME),
        "search_text": _fitting(f"{name} {facts.nickname} {email}".casefold(), 800, LONGEST_SEARCH_TEXT),
        "email": email[:320] or None,
        "address": email[:320].lower(),
        "email_domain": email.rpartition("@")[2].lower()[:255],
        "account_type": facts.account_type[:32],
        "account_status": facts.account_status[:32],
        "membership_status": facts.membership_status[:32],
        "status": facts.status[:32],
        "claim_status": facts.claim_status[:32],
        "management_source": facts.management_source[:32],
        "email_verified": facts.email_verified,
        "is_org_admin": facts.is_org_admin,
        "is_bot": is_machine(facts),
        "added_at": facts.added_at,
        "activity": activity.kind.value,
        "seen_at": activity.at if activity.product else None,
        "seen_in": activity.product,
        "seat_count": len(facts.products),
    }


def _fitting(text: str, characters: int, size: int) -> str:
    return text[:characters].encode()[:size].decode(errors="ignore")


def upsert(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Inserts rows, or renews those whose primary key exists."""
    if not rows:
        return
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(model)
    keys = [column.name for column in model.metadata.tables[model.__tablename__].primary_key]
    statement = statement.on_conflict_do_update(
        index_elements=keys,
        set_={name: statement.excluded[name] for name in rows[0] if name not in keys},
    )
    session.execute(statement, list(rows))


def _known_in(session: Session, organization_id: str, account_ids: Sequence[str]) -> dict[str, Any]:
    query = select(
        Person.account_id,
        Person.directory_id,
        Person.sync_id,
        Person.in_several_directories,
        Person.met_in_several,
        Person.status,
        Person.status_since,
    ).where(Person.organization_id == organization_id, Person.account_id.in_(account_ids))
    return {row.account_id: row for row in session.execute(query)}


def _held_in(session: Session, organization_id: str, account_ids: Sequence[str]) -> _Held:
    columns = (Seat.account_id, Seat.resource_id, Seat.product_key, Seat.activity, Seat.seen_at, Seat.since)
    query = select(*columns).where(Seat.organization_id == organization_id, Seat.account_id.in_(account_ids))
    found: _Held = {}
    for account_id, resource_id, key, kind, seen_at, since in session.execute(query):
        found.setdefault(account_id, {})[resource_id] = KnownSeat(key, kind, seen_at, since)
    return found


def _store_seats(session: Session, organization_id: str, held: _Held, wanted: _Held) -> None:
    of_page = and_(Seat.organization_id == organization_id, Seat.account_id.in_(wanted))
    gone = [
        (account_id, resource_id)
        for account_id, seats in held.items()
        for resource_id in seats
        if resource_id not in wanted[account_id]
    ]
    _delete(session, of_page, tuple_(Seat.account_id, Seat.resource_id), gone, Seat)
    upsert(
        session,
        Seat,
        [
            {
                "organization_id": organization_id,
                "account_id": account_id,
                "resource_id": resource_id,
                "product_key": seat.key,
                "activity": seat.kind,
                "seen_at": seat.seen_at,
                "since": seat.since,
            }
            for account_id, seats in wanted.items()
            for resource_id, seat in seats.items()
            if held.get(account_id, {}).get(resource_id) != seat
        ],
    )


def _store_memberships(
    session: Session, organization_id: str, account_ids: Sequence[str], wanted: set[tuple[str, str]]
) -> None:
    of_page = and_(Membership.organization_id == organization_id, Membership.account_id.in_(account_ids))
    columns = (Membership.account_id, Membership.group_id)
    stored = {
        (account_id, group_id) for account_id, group_id in session.execute(select(*columns).where(of_page))
    }
    _delete(session, of_page, tuple_(*columns), list(stored - wanted), Membership)
    rows = [
        {"organization_id": organization_id, "account_id": account_id, "group_id": group_id}
        for account_id, group_id in wanted - stored
    ]
    if rows:
        session.execute(insert(Membership), rows)


def _store_groups(session: Session, organization_id: str, groups: dict[str, str]) -> None:
    query = select(Group.group_id, Group.name).where(
        Group.organization_id == organization_id, Group.group_id.in_(groups)
    )
    stored: dict[str, str] = dict(session.execute(query).all())
    upsert(
        session,
        Group,
        [
            {"organization_id": organization_id, "group_id": group_id, "name": name[:255]}
            for group_id, name in groups.items()
            if stored.get(group_id) != name[:255]
        ],
    )


def _delete(
    session: Session,
    of_page: ColumnElement[bool],
    key: Any,
    keys: list[tuple[str, str]],
    model: type[Seat | Membership],
) -> None:
    if keys:
        session.execute(
            delete(model).where(of_page, key.in_(keys)).execution_options(synchronize_session=False)
        )
