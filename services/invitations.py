"""Invitations that are open: not sent yet, or sent and not answered; and how many people came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict, NotFound
from models.audit import Event
from models.people import Person
from models.run import Case, Run, find_case, running_run_ids
from rules.activity import ActivityKind
from rules.case import CaseState
from rules.deeds import Deed
from services.audit import record
from services.doors import require_organization
from services.roster_words import access_in_words
from services.toolbox import Toolbox

PER_PAGE = 25
WAITING_PER_PAGE = 100
LOOKS_BACK = timedelta(days=30)
_WAITS = (CaseState.PLANNED.value, CaseState.REVIEW.value, CaseState.HELD.value)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Somebody who was invited and has not come; `run_id` is the run that did it, None when nobody did it here."""

    account_id: str
    name: str
    email: str | None
    invited_at: datetime | None
    run_id: str | None


@dataclass(frozen=True, slots=True)
class Invitations:
    """`waiting` are cases whose day has not come, or that the worker has before it; `access` what each gives.

    `waiting` is one page of `waiting_total`, `unanswered` one of `total`. `came` of the `invited` whom Rollcall invited
    lately have come.
    """

    waiting: list[Case]
    waiting_total: int
    access: dict[str, str]
    unanswered: list[Unanswered]
    total: int
    invited: int
    came: int


def open_invitations(tools: Toolbox, caller: Caller, page: int = 1, waiting_page: int = 1) -> Invitations:
    """What is on its way. A page that does not exist shows the last one."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        waiting, waiting_total = _waiting(session, organization_id, waiting_page)
        conditions = _not_come(organization_id)
        total = session.scalar(select(func.count(Person.account_id)).where(*conditions)) or 0
        last = max(-(-total // PER_PAGE), 1)
        query = select(Person).where(*conditions).order_by(Person.added_at.desc(), Person.account_id)
        people = session.scalars(query.offset((min(page, last) - 1) * PER_PAGE).limit(PER_PAGE)).all()
        invited, came = _lately(session, organization_id, now)
        found = Invitations(
            waiting,
            waiting_total,
            access_in_words(session, organization_id, waiting),
            _with_runs(session, organization_id, people),
            total,
            invited,
            came,
        )
        session.expunge_all()
        return found


def call_off(tools: Toolbox, caller: Caller, case_id: str) -> Case:
    """Cancels what was to begin for one person. Raises NotFound, and Conflict when it has begun."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        case = find_case(session, organization_id, case_id)
        if case is None:
            raise NotFound("This invitation does not exist, or not any more.", "Reload the page.")
        called_off = session.execute(
            update(Case)
            .where(
                Case.organization_id == organization_id,
                Case.id == case_id,
                Case.state.in_(_WAITS),
                Case.acting_since.is_(None),
                Case.run_id.in_(running_run_ids(organization_id)),
            )
            .values(
                state=CaseState.CANCELLED.value,
                reason="An operator called it off before it began.",
                finished_at=now,
                resume_at=None,
            )
        )
        if not called_off.rowcount:  # type: ignore[attr-defined]
            raise Conflict(
                "It is too late to call this off: it has begun, or is over.", "Open its run and undo it."
            )
        record(
            session,
            Event.CASE_CALLED_OFF,
            at=now,
            actor=caller.account_id or "",
            organization_id=organization_id,
            client_key=caller.tenant,
            subject=case.account_id,
            run_id=case.run_id,
            details={"deed": case.deed},
        )
        session.flush()
        session.refresh(case)
        session.expunge(case)
        return case


def _waiting(session: Session, organization_id: str, page: int) -> tuple[list[Case], int]:
    """One page of them, whose day comes first, and how many there are."""
    conditions = (
        Case.organization_id == organization_id,
        Case.state.in_(_WAITS),
        or_(Case.deed == Deed.INVITE.value, Case.starts_at.is_not(None)),
        Case.run_id.in_(running_run_ids(organization_id)),
    )
    total = session.scalar(select(func.count(Case.id)).where(*conditions)) or 0
    if not total:
        return [], 0
    last = -(-total // WAITING_PER_PAGE)
    query = select(Case).where(*conditions).order_by(Case.starts_at, Case.name, Case.id)
    found = session.scalars(query.offset((min(page, last) - 1) * WAITING_PER_PAGE).limit(WAITING_PER_PAGE))
    return list(found), total


def _not_come(organization_id: str) -> list[ColumnElement[bool]]:
    return [
        Person.organization_id == organization_id,
        Person.left_at.is_(None),
        Person.email_verified.is_(False),
        Person.activity == ActivityKind.NEVER.value,
        Person.membership_status.not_in(("no_membership", "suspended")),
        Person.account_status.not_in(("inactive", "closed")),
        Person.is_bot.is_(False),
    ]


def _with_runs(session: Session, organization_id: str, people: Sequence[Person]) -> list[Unanswered]:
    query = (
        select(Case.account_id, Case.run_id)
        .where(
            Case.organization_id == organization_id,
            Case.account_id.in_([person.account_id for person in people]),
            Case.deed == Deed.INVITE.value,
            Case.state == CaseState.ACTED.value,
            Case.changed.is_(True),
        )
        .order_by(Case.finished_at)
    )
    runs = dict(session.execute(query).all())
    return [
        Unanswered(one.account_id, one.name, one.email, one.added_at, runs.get(one.account_id))
        for one in people
    ]


def _lately(session: Session, organization_id: str, now: datetime) -> tuple[int, int]:
    """How many people Rollcall invited lately, and how many of them have come."""
    came = or_(Person.email_verified.is_(True), Person.activity == ActivityKind.SEEN.value)
    lately = select(Run.id).where(Run.organization_id == organization_id, Run.created_at > now - LOOKS_BACK)
    query = (
        select(func.count(Case.account_id.distinct()), Person.account_id.is_not(None) & came)
        .join(
            Person,
            (Person.organization_id == Case.organization_id) & (Person.account_id == Case.account_id),
        )
        .where(
            Case.organization_id == organization_id,
            Case.run_id.in_(lately),
            Case.deed == Deed.INVITE.value,
            Case.state == CaseState.ACTED.value,
        )
        .group_by(Person.account_id.is_not(None) & came)
    )
    counts = {bool(has_come): count for count, has_come in session.execute(query)}
    return sum(counts.values()), counts.get(True, 0)
