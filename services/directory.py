"""Storing what a sync reads: people, their seats and groups; only what changed is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Insert, Select, and_, bindparam, delete, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.db import Base
from models.people import Group, Membership, Person, Seat, Signal, people_by_id
from rules.activity import Activity, ActivityKind, KnownSeat, activity_per_product, combined
from rules.changes import is_away
from rules.guards import is_machine
from rules.person import PersonFacts
from services.batches import batches
from services.returning import forget_the_time_before, was_gone

LONGEST_NAME, LONGEST_SEARCH_TEXT = 800, 1600
"""In bytes: PostgreSQL indexes nothing above 2,704, and nobody's name may keep the directory from being read."""

_OUT_OF_USE = ("suspended", "deactivated", "for_deletion")

_Seats = dict[str, dict[str, tuple[KnownSeat, str]]]
_Memberships = dict[str, dict[str, str]]
"""Account id → resource id or group id → the seat, and which sync showed it last of somebody in several directories."""


def store_people(
    session: Session,
    organization_id: str,
    directory_id: str,
    sync_id: str,
    people: Sequence[PersonFacts],
    now: datetime,
) -> None:
    """Inserts or renews one page of people. Storing the same page again changes nothing.

    No sign of life that was told once is lost because a later reading has an older date, or none (S45). What somebody
    has in several directories adds up; what none of them shows any more goes when the sync is complete.
    """
    if not people:
        return
    account_ids = [facts.account_id for facts in people]
    known = _known_in(session, organization_id, account_ids)
    held = _seats_in(session, organization_id, account_ids)
    joined = _groups_in(session, organization_id, account_ids)
    signals = signals_of(session, organization_id, account_ids)
    rows: list[dict[str, Any]] = []
    seats: _Seats = {}
    memberships: _Memberships = {}
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
        given_back_at = before.given_back_at if before is not None else None
        if before is not None and status == "active" and _was_away(before, several=several):
            given_back_at = now
        held_before, joined_before = held.get(facts.account_id, {}), joined.get(facts.account_id, {})
        shown_by = sync_id if several else ""
        mine = _shown_now(facts, signals.get(facts.account_id, {}), held_before, found_at, shown_by)
        groups_now = dict.fromkeys((group.id for group in facts.groups), shown_by)
        if several:
            # Until now they were in one directory for this sync, and what they have is what that one showed.
            anew = "" if before is None or before.in_several_directories else sync_id
            mine = {key: (seat, anew or by) for key, (seat, by) in held_before.items()} | mine
            groups_now = {key: anew or by for key, by in joined_before.items()} | groups_now
        seats[facts.account_id], memberships[facts.account_id] = mine, groups_now
        activity = combined(seat.activity(facts.added_at) for seat, _ in mine.values())
        rows.append(
            person_row(organization_id, directory_id, facts, activity)
            | {
                "seat_count": len(mine),
                "in_several_directories": several,
                "met_in_several": met_in_several,
                "status_since": since,
                "given_back_at": given_back_at,
                "sync_id": sync_id,
                "synced_at": now,
                "left_at": None,
            }
        )
        groups |= {group.id: group.name for group in facts.groups}
    upsert(session, Person, rows)
    here = [known[facts.account_id] for facts in people if facts.account_id in known and not is_away(facts)]
    forget_the_time_before(session, organization_id, here, now)
    _store_seats(session, organization_id, held, seats)
    _store_memberships(session, organization_id, joined, memberships)
    _store_groups(session, organization_id, groups)


def _was_away(before: Any, *, several: bool) -> bool:
    """Whether they could not come: they had left, or were out of use.

    Each of several directories says its own: suspended in one and active in another is not back each time.
    """
    return before.left_at is not None or (not several and (before.status in _OUT_OF_USE or was_gone(before)))


def _shown_now(
    facts: PersonFacts,
    signals: Mapping[str, datetime],
    before: Mapping[str, tuple[KnownSeat, str]],
    found_at: datetime | None,
    shown_by: str,
) -> dict[str, tuple[KnownSeat, str]]:
    """The seats that this reading shows, with what was known of each."""
    known = {resource_id: seat for resource_id, (seat, _) in before.items()}
    found = {}
    for access, one in activity_per_product(facts, signals, known, found_at):
        since = known[access.resource_id].since if access.resource_id in known else found_at
        seen_at = one.at if one.kind is ActivityKind.SEEN else None
        found[access.resource_id] = (KnownSeat(access.key, one.kind.value, seen_at, since), shown_by)
    return found


def mark_leavers(session: Session, organization_id: str, sync_id: str, now: datetime) -> None:
    """Marks everybody whom the complete sync did not see as gone, and frees their seats and groups."""
    gone = and_(Person.organization_id == organization_id, Person.sync_id != sync_id)
    free_places(session, organization_id, select(Person.account_id).where(gone))
    session.execute(update(Person).where(gone, Person.left_at.is_(None)).values(left_at=now, seat_count=0))


def believe_directories(session: Session, organization_id: str, sync_id: str) -> None:
    """What the complete sync did not show of those in several directories is gone; whom it met in one alone is in no
    other any more.
    """
    several = and_(
        Person.organization_id == organization_id, Person.sync_id == sync_id, Person.in_several_directories
    )
    of_several = session.scalars(select(Person.account_id).where(several)).all()
    for some in batches(of_several):
        for model in (Seat, Membership):
            session.execute(
                delete(model).where(
                    model.organization_id == organization_id,
                    model.account_id.in_(some),
                    model.shown_by != sync_id,
                )
            )
        for person in people_by_id(session, organization_id, some).values():
            count_again(session, person)
    session.flush()
    session.execute(
        update(Person).where(several, ~Person.met_in_several).values(in_several_directories=False)
    )


def count_again(session: Session, person: Person) -> None:
    """Somebody's row says what their seats say."""
    columns = (Seat.product_key, Seat.activity, Seat.seen_at, Seat.since)
    mine = (Seat.organization_id == person.organization_id, Seat.account_id == person.account_id)
    seats = [
        KnownSeat(*row).activity(person.added_at) for row in session.execute(select(*columns).where(*mine))
    ]
    activity = combined(seats)
    seen = activity.kind is ActivityKind.SEEN
    person.seat_count, person.activity = len(seats), activity.kind.value
    person.seen_at, person.seen_in = (activity.at, activity.product) if seen else (None, "")


def free_places(session: Session, organization_id: str, left: Select[str] | Sequence[str]) -> None:
    """Who left holds no seat and is in no group."""
    for model in (Seat, Membership):
        session.execute(
            delete(model).where(model.organization_id == organization_id, model.account_id.in_(left))
        )


# Asked for every deed: not built anew each time.
_SIGNALS = select(Signal.account_id, Signal.place, Signal.seen_at).where(
    Signal.organization_id == bindparam("organization_id"),
    Signal.account_id.in_(bindparam("account_ids", expanding=True)),
)


def signals_of(
    session: Session, organization_id: str, account_ids: Iterable[str]
) -> dict[str, dict[str, datetime]]:
    """Account id → product, or family of products → the newest sign of life that a webhook brought."""
    about = {"organization_id": organization_id, "account_ids": list(account_ids)}
    found: dict[str, dict[str, datetime]] = {}
    for account_id, place, seen_at in session.execute(_SIGNALS, about):
        found.setdefault(account_id, {})[place] = seen_at
    return found


def person_row(
    organization_id: str, directory_id: str, facts: PersonFacts, activity: Activity
) -> dict[str, Any]:
    """The columns of a person that come from Atlassian."""
    email = (facts.email or "").strip()
    # A name of blanks alone is none that anybody could read or press.
    name = facts.name.strip() or facts.nickname.strip() or email or facts.account_id
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
        "seen_at": activity.at if activity.kind is ActivityKind.SEEN else None,
        "seen_in": activity.product,
        "seat_count": len(facts.products),
    }


def _fitting(text: str, characters: int, size: int) -> str:
    return text[:characters].encode()[:size].decode(errors="ignore")


def upsert(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Inserts rows, or renews those whose primary key exists. All rows have the same columns."""
    if not rows:
        return
    # They may refer to what is in the session alone as yet.
    session.flush()
    session.execute(_upserting(session.get_bind().dialect.name, model, tuple(rows[0])), list(rows))


@cache
def _upserting(dialect: str, model: type[Base], names: tuple[str, ...]) -> Insert:
    """Into the table, not the model: of one that knows the model, SQLAlchemy looks at every value of every row."""
    table = model.metadata.tables[model.__tablename__]
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    keys = [column.name for column in table.primary_key]
    found: Insert = statement.on_conflict_do_update(
        index_elements=keys,
        set_={name: statement.excluded[name] for name in names if name not in keys},
    )
    return found


def _known_in(session: Session, organization_id: str, account_ids: Sequence[str]) -> dict[str, Any]:
    query = select(
        Person.account_id,
        Person.directory_id,
        Person.sync_id,
        Person.in_several_directories,
        Person.met_in_several,
        Person.status,
        Person.status_since,
        Person.given_back_at,
        Person.left_at,
    ).where(Person.organization_id == organization_id, Person.account_id.in_(account_ids))
    return {row.account_id: row for row in session.execute(query)}


def _seats_in(session: Session, organization_id: str, account_ids: Sequence[str]) -> _Seats:
    columns = (Seat.account_id, Seat.resource_id, Seat.product_key, Seat.activity, Seat.seen_at, Seat.since)
    query = select(*columns, Seat.shown_by).where(
        Seat.organization_id == organization_id, Seat.account_id.in_(account_ids)
    )
    found: _Seats = {}
    for account_id, resource_id, key, kind, seen_at, since, shown_by in session.execute(query):
        found.setdefault(account_id, {})[resource_id] = (KnownSeat(key, kind, seen_at, since), shown_by)
    return found


def _groups_in(session: Session, organization_id: str, account_ids: Sequence[str]) -> _Memberships:
    query = select(Membership.account_id, Membership.group_id, Membership.shown_by).where(
        Membership.organization_id == organization_id, Membership.account_id.in_(account_ids)
    )
    found: _Memberships = {}
    for account_id, group_id, shown_by in session.execute(query):
        found.setdefault(account_id, {})[group_id] = shown_by
    return found


def _store_seats(session: Session, organization_id: str, held: _Seats, wanted: _Seats) -> None:
    of_page = and_(Seat.organization_id == organization_id, Seat.account_id.in_(wanted))
    _delete(session, of_page, tuple_(Seat.account_id, Seat.resource_id), _gone(held, wanted), Seat)
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
                "shown_by": shown_by,
            }
            for account_id, seats in wanted.items()
            for resource_id, (seat, shown_by) in seats.items()
            if held.get(account_id, {}).get(resource_id) != (seat, shown_by)
        ],
    )


def _store_memberships(
    session: Session, organization_id: str, joined: _Memberships, wanted: _Memberships
) -> None:
    of_page = and_(Membership.organization_id == organization_id, Membership.account_id.in_(wanted))
    key = tuple_(Membership.account_id, Membership.group_id)
    _delete(session, of_page, key, _gone(joined, wanted), Membership)
    upsert(
        session,
        Membership,
        [
            {
                "organization_id": organization_id,
                "account_id": account_id,
                "group_id": group_id,
                "shown_by": shown_by,
            }
            for account_id, groups in wanted.items()
            for group_id, shown_by in groups.items()
            if joined.get(account_id, {}).get(group_id) != shown_by
        ],
    )


def _gone(
    before: Mapping[str, Mapping[str, object]], now: Mapping[str, Mapping[str, object]]
) -> list[tuple[str, str]]:
    return [
        (account_id, key)
        for account_id, those in before.items()
        for key in those
        if key not in now[account_id]
    ]


def _store_groups(session: Session, organization_id: str, groups: dict[str, str]) -> None:
    """Beside a person Atlassian need not tell a group's name (specs: MultiDirectoryUserGroup): the known one stays."""
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
            if group_id not in stored or (name and stored[group_id] != name[:255])
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
