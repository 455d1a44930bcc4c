"""Leaver: somebody who goes, with what they own (Belonging) and where it was looked for (Look)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    false,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.db import Base, UtcDateTime
from rules.deeds import Deed
from rules.farewell import OVER, WORKING, LeaverState
from rules.handover import ORDER, BelongingState, Kind

_OVER = sorted(state.value for state in OVER)
READ_TOO = "+read"
"""In `Belonging.before` of a space: its successor could not read it by name, so the handover lets them read it too."""


class LeaverOrigin(StrEnum):
    """How somebody became a leaver."""

    BY_HAND = "hand"
    CSV = "csv"
    SCIM = "scim"
    LAST_DAY = "last_day"


class LookState(StrEnum):
    """WAITING until the worker has seen all of it; UNSEEN says why nobody could look."""

    WAITING = "waiting"
    SEEN = "seen"
    UNSEEN = "unseen"


class Leaver(Base):
    """`state` is of rules.farewell. `deed` is how access ends, at `ends_at` or, when that is None, after the handover.

    `successors` are the people who were named, `choices` is kind → account id. `obstacles` are what has to be done by
    hand first, as rules.farewell.Guide in words; `reason` says what holds the work up. `message` goes to the leaver:
    by Atlassian where `message_by` is "atlassian", by a mail of ours where it is "own". `run_id` is the run that ends
    their access.
    """

    __tablename__ = "leaver"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(128))
    name: Mapped[str] = mapped_column(String(255))
    state: Mapped[str] = mapped_column(String(16), default=LeaverState.LOOKING.value)
    reason: Mapped[str] = mapped_column(String(500), default="")
    origin: Mapped[str] = mapped_column(String(16), default=LeaverOrigin.BY_HAND.value)
    why: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(String(500), default="")
    deed: Mapped[str] = mapped_column(String(16))
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoke_tokens: Mapped[bool] = mapped_column(default=True, server_default=true())
    message_by: Mapped[str] = mapped_column(String(16), default="")
    message: Mapped[str] = mapped_column(String(1000), default="")
    successors: Mapped[list[str]] = mapped_column(JSON, default=list)
    choices: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    obstacles: Mapped[list[Any]] = mapped_column(JSON, default=list)
    created_by: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    looked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_by: Mapped[str | None] = mapped_column(String(128))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    run_id: Mapped[str | None] = mapped_column(String(36))
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempt: Mapped[int] = mapped_column(default=0)
    troubles: Mapped[int] = mapped_column(default=0)
    resume_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_leaver_by_time", "organization_id", "created_at"),
        Index("ix_leaver_by_person", "organization_id", "account_id"),
        Index("ix_leaver_due", "resume_at"),
        # Two who begin the same leaver at once begin one.
        Index(
            "uq_leaver_open",
            "organization_id",
            "account_id",
            unique=True,
            sqlite_where=state.not_in(_OVER),
            postgresql_where=state.not_in(_OVER),
        ),
    )

    @property
    def is_held_up(self) -> bool:
        """The worker has put it down: somebody has to decide, or to do something by hand."""
        return LeaverState(self.state) in WORKING and self.resume_at is None


class Look(Base):
    """One question about a leaver: a kind of belonging on one site (`client_key` of its door; "" is the organization).

    `cursor` is where the reading goes on, `found` how many there are, of which `listed` have a row.
    """

    __tablename__ = "leaver_look"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    leaver_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    client_key: Mapped[str] = mapped_column(String(255), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    place: Mapped[int] = mapped_column(default=0)
    """In which order it is the turn of each."""
    site: Mapped[str] = mapped_column(String(500), default="")
    state: Mapped[str] = mapped_column(String(16), default=LookState.WAITING.value)
    cursor: Mapped[str] = mapped_column(String(2000), default="")
    found: Mapped[int] = mapped_column(default=0)
    listed: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(500), default="")

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "leaver_id"], ["leaver.organization_id", "leaver.id"], ondelete="CASCADE"
        ),
    )

    @property
    def unlisted(self) -> int:
        """How many there are of which nothing else is known: nobody can hand them over."""
        return max(self.found - self.listed, 0)


class Belonging(Base):
    """One thing. `before` and `after` say who had it, as account ids; `objection` is what the dry run has against it.

    Beside them READ_TOO may stand in `before`.

    `returns` while it is to be handed back.
    """

    __tablename__ = "belonging"

    organization_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    leaver_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    client_key: Mapped[str] = mapped_column(String(255), primary_key=True)
    reference: Mapped[str] = mapped_column(String(100), primary_key=True)
    place: Mapped[int] = mapped_column(default=0)
    """The place of its kind in the order of the handover."""
    key: Mapped[str] = mapped_column(String(255), default="")
    name: Mapped[str] = mapped_column(String(500))
    detail: Mapped[str] = mapped_column(String(300), default="")
    project: Mapped[str] = mapped_column(String(100), default="")
    state: Mapped[str] = mapped_column(String(16), default=BelongingState.FOUND.value)
    successor: Mapped[str] = mapped_column(String(128), default="")
    objection: Mapped[str] = mapped_column(String(500), default="")
    checked: Mapped[bool] = mapped_column(default=False, server_default=false())
    returns: Mapped[bool] = mapped_column(default=False, server_default=false())
    reason: Mapped[str] = mapped_column(String(500), default="")
    before: Mapped[list[str] | None] = mapped_column(JSON)
    after: Mapped[list[str] | None] = mapped_column(JSON)
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "leaver_id"], ["leaver.organization_id", "leaver.id"], ondelete="CASCADE"
        ),
        Index("ix_belonging_by_state", "organization_id", "leaver_id", "state", "place"),
    )

    @property
    def had_by(self) -> list[str]:
        """The account ids of whoever had it before."""
        return [each for each in self.before or () if each != READ_TOO]

    @property
    def gives_read(self) -> bool:
        """Whether the handover lets the successor read it too, so that handing it back ends that."""
        return READ_TOO in (self.before or ())


PLACES = {kind: place for place, kind in enumerate((*ORDER, Kind.TOKEN))}


def find_leaver(session: Session, organization_id: str, leaver_id: str) -> Leaver | None:
    return session.get(Leaver, (organization_id, leaver_id))


def open_leaver_of(session: Session, organization_id: str, account_id: str) -> Leaver | None:
    """The leaver that this person is now."""
    query = select(Leaver).where(
        Leaver.organization_id == organization_id,
        Leaver.account_id == account_id,
        Leaver.state.not_in(_OVER),
    )
    return session.scalars(query).first()


def open_leavers_of(session: Session, organization_id: str, account_ids: Sequence[str]) -> dict[str, Leaver]:
    """Account id → the leaver that this person is now, of those who are leaving."""
    query = select(Leaver).where(*_leaving(organization_id, account_ids))
    return {leaver.account_id: leaver for leaver in session.scalars(query)}


def leaving_among(session: Session, organization_id: str, account_ids: Sequence[str]) -> set[str]:
    """Those of them who are leaving."""
    query = select(Leaver.account_id).where(*_leaving(organization_id, account_ids))
    return set(session.scalars(query))


def _leaving(organization_id: str, account_ids: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        Leaver.organization_id == organization_id,
        Leaver.account_id.in_(account_ids),
        Leaver.state.not_in(_OVER),
    )


def led_out_at(session: Session, organization_id: str, account_ids: Sequence[str]) -> dict[str, datetime]:
    """When each of them was last led to the end by which their access ends."""
    query = (
        select(Leaver.account_id, func.max(Leaver.finished_at))
        .where(
            Leaver.organization_id == organization_id,
            Leaver.account_id.in_(account_ids),
            Leaver.state == LeaverState.DONE.value,
            Leaver.deed != Deed.LIST.value,
        )
        .group_by(Leaver.account_id)
    )
    return {account_id: at for account_id, at in session.execute(query) if at is not None}


def led_out_of_products(session: Session, organization_id: str, account_ids: Sequence[str]) -> set[str]:
    """Those of them who were led out by the end of their access to products: they are in the organization still."""
    query = select(Leaver.account_id).where(
        Leaver.organization_id == organization_id,
        Leaver.account_id.in_(account_ids),
        Leaver.state == LeaverState.DONE.value,
        Leaver.deed == Deed.REMOVE_ACCESS.value,
    )
    return set(session.scalars(query))


def looks_of(session: Session, organization_id: str, leaver_id: str) -> list[Look]:
    query = select(Look).where(Look.organization_id == organization_id, Look.leaver_id == leaver_id)
    return list(session.scalars(query.order_by(Look.place, Look.client_key)))


def belongings_of(
    session: Session,
    organization_id: str,
    leaver_id: str,
    *states: BelongingState,
    kind: Kind | None = None,
    limit: int | None = None,
) -> list[Belonging]:
    """In the order of the handover; of some states, of one kind."""
    query = select(Belonging).where(
        Belonging.organization_id == organization_id, Belonging.leaver_id == leaver_id
    )
    if states:
        query = query.where(Belonging.state.in_([state.value for state in states]))
    if kind is not None:
        query = query.where(Belonging.kind == kind.value)
    return list(
        session.scalars(
            query.order_by(
                Belonging.place, Belonging.key, Belonging.name, Belonging.client_key, Belonging.reference
            ).limit(limit)
        )
    )


@dataclass(frozen=True, slots=True)
class Tally:
    """How many belongings are alike in all that a page counts. `given`: a successor was chosen."""

    kind: str
    state: str
    objected: bool
    checked: bool
    returns: bool
    given: bool
    count: int


def tallies_of(session: Session, organization_id: str, leaver_id: str) -> list[Tally]:
    """All of somebody's belongings, counted: there may be tens of thousands."""
    nothing: ColumnElement[str] = literal_column("''")
    alike = (
        Belonging.kind,
        Belonging.state,
        Belonging.objection != nothing,
        Belonging.checked,
        Belonging.returns,
        Belonging.successor != nothing,
    )
    query = (
        select(*alike, func.count())
        .where(Belonging.organization_id == organization_id, Belonging.leaver_id == leaver_id)
        .group_by(*alike)
    )
    return [Tally(*row) for row in session.execute(query)]


def count_belongings(
    session: Session, organization_id: str, leaver_ids: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Leaver id → state → how many; API tokens are not among them."""
    query = (
        select(Belonging.leaver_id, Belonging.state, func.count())
        .where(
            Belonging.organization_id == organization_id,
            Belonging.leaver_id.in_(leaver_ids),
            Belonging.kind != Kind.TOKEN.value,
        )
        .group_by(Belonging.leaver_id, Belonging.state)
    )
    found: dict[str, dict[str, int]] = {}
    for leaver_id, state, count in session.execute(query):
        found.setdefault(leaver_id, {})[state] = count
    return found
