"""Person, where they have seats, which groups they are in: the directory as the last sync saw it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    bindparam,
    false,
    select,
    true,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship
from sqlalchemy.orm.attributes import set_committed_value

from models.db import Base, UtcDateTime
from rules.person import ORG_ADMIN, PersonFacts


def _of_the_present(left_at: Mapped[datetime | None], name: str, *columns: str | ColumnElement[Any]) -> Index:
    # Partial: nobody lists those who left, and PostgreSQL sorts by an index only behind equal values, not behind NULL.
    # `left_at` at the end: without it SQLite fetches every row to see what the index is about.
    present = left_at.is_(None)
    return Index(
        f"ix_person_by_{name}",
        "organization_id",
        *columns,
        "left_at",
        sqlite_where=present,
        postgresql_where=present,
    )


class Person(Base):
    """Somebody in the organization's directory.

    `seen_at` is the newest sign of life in any product; None with `activity` never or unknown. `left_at` is set
    when a complete sync no longer found them: people are marked, not deleted, so that the history keeps a name.
    """

    __tablename__ = "person"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    directory_id: Mapped[str] = mapped_column(String(100))
    in_several_directories: Mapped[bool] = mapped_column(default=False)
    """Only a complete sync takes it away again: one that breaks off has not looked everywhere."""
    met_in_several: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The sync of `sync_id` met them in more than one directory."""
    name: Mapped[str] = mapped_column(String(255))
    search_text: Mapped[str] = mapped_column(String(800))
    """Name, nickname and address in lower case, for the search box."""
    email: Mapped[str | None] = mapped_column(String(320))
    address: Mapped[str] = mapped_column(String(320), default="", server_default="")
    """The e-mail address in small letters, to be found by; empty when hidden."""
    email_domain: Mapped[str] = mapped_column(String(255), default="")
    account_type: Mapped[str] = mapped_column(String(32), default="")
    account_status: Mapped[str] = mapped_column(String(32), default="")
    membership_status: Mapped[str] = mapped_column(String(32), default="")
    status: Mapped[str] = mapped_column(String(32), default="")
    claim_status: Mapped[str] = mapped_column(String(32), default="")
    management_source: Mapped[str] = mapped_column(String(32), default="")
    email_verified: Mapped[bool | None]
    status_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when at least the directory shows `status`: the first reading or deed that found it changed."""
    refusal: Mapped[str] = mapped_column(String(300), default="", server_default="")
    """Why Atlassian would not let this account be changed, as it answered at `asked_at`; empty: it would."""
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    given_back_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When they last got back what had been taken from them, by us or by somebody else."""
    is_org_admin: Mapped[bool] = mapped_column(default=False)
    is_bot: Mapped[bool] = mapped_column(default=False)
    added_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    activity: Mapped[str] = mapped_column(String(16))
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seen_in: Mapped[str] = mapped_column(String(100), default="")
    """Product key of the newest sign of life."""
    seat_count: Mapped[int] = mapped_column(default=0)
    sync_id: Mapped[str] = mapped_column(String(36))
    synced_at: Mapped[datetime] = mapped_column(UtcDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    seats: Mapped[list[Seat]] = relationship(order_by="Seat.product_key", viewonly=True, lazy="raise")

    __table_args__ = (
        # What the list sorts by, and behind it what filters then need not fetch the row for. Empty values come first,
        # as in the list: PostgreSQL sorts by no index that has them elsewhere.
        _of_the_present(left_at, "name", "name", "account_id", "search_text"),
        _of_the_present(left_at, "seen", seen_at.nulls_first(), "account_id", "status"),
        _of_the_present(left_at, "status", "status", "account_id", "seen_at"),
        _of_the_present(left_at, "email", email.nulls_first(), "account_id"),
        _of_the_present(left_at, "address", "address", "account_id"),
        _of_the_present(left_at, "added", added_at.nulls_first(), "account_id"),
        _of_the_present(left_at, "domain", "email_domain", "management_source"),
        _of_the_present(left_at, "claim", "claim_status", "management_source"),
        Index("ix_person_by_sync", "organization_id", "sync_id"),
    )


IS_AWAY = (Person.membership_status == "no_membership") | (Person.status == "not_invited")
"""The directory shows them, and they are not in the organization any more (rules.changes.is_away)."""


class Seat(Base):
    """One person's place in one product, with the last activity there. `activity` is seen, never or unknown.

    `since` is since when at least the place is there: the first reading or deed that found it new. None when the first
    reading of the person had it already.
    """

    __tablename__ = "seat"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    resource_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    product_key: Mapped[str] = mapped_column(String(100))
    activity: Mapped[str] = mapped_column(String(16))
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    shown_by: Mapped[str] = mapped_column(String(36), default="", server_default="")
    """The sync that showed it last, for somebody in several directories; of everybody else nothing is written."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "account_id"],
            ["person.organization_id", "person.account_id"],
            ondelete="CASCADE",
        ),
        Index("ix_seat_by_product", "organization_id", "product_key", "activity", "seen_at", "account_id"),
    )


class Group(Base):
    """A group of the directory, named by Atlassian's id."""

    __tablename__ = "directory_group"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    group_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    synced: Mapped[bool] = mapped_column(default=False, server_default=false())
    """An identity provider owns its members."""
    modifiable: Mapped[bool] = mapped_column(default=True, server_default=true())
    gone: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The last reading of all groups did not show it; its name stays for the history."""


class Membership(Base):
    """A person is in a group. `shown_by` is as with a seat."""

    __tablename__ = "membership"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    group_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    shown_by: Mapped[str] = mapped_column(String(36), default="", server_default="")

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "account_id"],
            ["person.organization_id", "person.account_id"],
            ondelete="CASCADE",
        ),
        Index("ix_membership_by_group", "organization_id", "group_id", "account_id"),
    )


class Grant(Base):
    """A group gives access to a product (resource id is an ARI)."""

    __tablename__ = "group_grant"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    group_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    resource_id: Mapped[str] = mapped_column(String(255), primary_key=True)


class ProductAdmin(Base):
    """Somebody who administers a product (resource id is an ARI)."""

    __tablename__ = "product_admin"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    resource_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(128), primary_key=True)


class Signal(Base):
    """A sign of life that a webhook brought, per person and product: fresher activity, never older.

    `place` is the resource id of the product; where nobody knew on which site it was, the family of products.
    """

    __tablename__ = "signal"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    place: Mapped[str] = mapped_column(String(255), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


def find_person(session: Session, organization_id: str, account_id: str) -> Person | None:
    return session.get(Person, (organization_id, account_id))


def facts_of(person: Person) -> PersonFacts:
    """The remembered person as the rules see people. Products and groups are left out: no guard asks for them."""
    return PersonFacts(
        account_id=person.account_id,
        name=person.name,
        email=person.email,
        account_type=person.account_type,
        account_status=person.account_status,
        membership_status=person.membership_status,
        status=person.status,
        claim_status=person.claim_status,
        management_source=person.management_source,
        platform_roles=frozenset({ORG_ADMIN}) if person.is_org_admin else frozenset(),
        added_at=person.added_at,
    )


# Asked by every list and for every deed: not built anew each time.
_ACCOUNTS: BindParameter[str] = bindparam("account_ids", expanding=True)
_PEOPLE = select(Person).where(
    Person.organization_id == bindparam("organization_id"), Person.account_id.in_(_ACCOUNTS)
)
_SEATS = select(Seat).where(
    Seat.organization_id == bindparam("organization_id"), Seat.account_id.in_(_ACCOUNTS)
)


def people_by_id(session: Session, organization_id: str, account_ids: Sequence[str]) -> dict[str, Person]:
    """Those of them whom the directory knows, without their seats."""
    found = session.scalars(_PEOPLE, {"organization_id": organization_id, "account_ids": list(account_ids)})
    return {person.account_id: person for person in found}


def seats_by_person(
    session: Session, organization_id: str, account_ids: Sequence[str]
) -> dict[str, list[Seat]]:
    """The seats of some people, by account id; each person's by product."""
    # Not SQLAlchemy's own loading: it compares pairs of columns, and SQLite uses no index for pairs.
    seats = session.scalars(_SEATS, {"organization_id": organization_id, "account_ids": list(account_ids)})
    found: dict[str, list[Seat]] = {}
    # Sorted here: asked to sort, SQLite reads every seat of the organization in that order.
    for seat in sorted(seats, key=lambda seat: (seat.product_key, seat.resource_id)):
        found.setdefault(seat.account_id, []).append(seat)
    return found


def people_with_seats(
    session: Session, organization_id: str, account_ids: Sequence[str]
) -> dict[str, Person]:
    """Those of them whom the directory knows; their seats come along."""
    found = people_by_id(session, organization_id, account_ids)
    seats = seats_by_person(session, organization_id, account_ids)
    for account_id, person in found.items():
        set_committed_value(person, "seats", seats.get(account_id, []))
    return found


def groups_of(session: Session, organization_id: str, account_id: str) -> list[Group]:
    """The groups a person is in, by name."""
    query = (
        select(Group)
        .join(
            Membership,
            (Membership.organization_id == Group.organization_id) & (Membership.group_id == Group.group_id),
        )
        .where(Membership.organization_id == organization_id, Membership.account_id == account_id)
    )
    return list(session.scalars(query.order_by(Group.name, Group.group_id)))


def granting_groups_of(session: Session, organization_id: str, account_id: str) -> dict[str, list[str]]:
    """Resource id → the names of the groups by which this person has access to it."""
    query = (
        select(Grant.resource_id, Group.name)
        .join(
            Membership,
            (Membership.organization_id == Grant.organization_id) & (Membership.group_id == Grant.group_id),
        )
        .join(Group, (Group.organization_id == Grant.organization_id) & (Group.group_id == Grant.group_id))
        .where(Membership.organization_id == organization_id, Membership.account_id == account_id)
        .order_by(Group.name, Grant.resource_id)
    )
    found: dict[str, list[str]] = {}
    for resource_id, name in session.execute(query):
        found.setdefault(resource_id, []).append(name)
    return found
