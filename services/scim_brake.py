"""The brake of a connection: from how many people within a day it may take something by itself (S47)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models.audit import APP
from models.people import Person
from models.run import Case, Run
from models.scim import ScimConnection, ScimUser
from rules.brake import Brake
from rules.case import OPEN, RunState
from rules.deeds import Deed
from rules.roster import Origin
from rules.scim import Step

A_DAY = timedelta(days=1)
_OPEN = [state.value for state in OPEN]
_TAKES = [deed.value for deed in Deed if Step(deed).takes]


def objection_of(
    session: Session, found: ScimConnection, account_ids: Collection[str], now: datetime
) -> Callable[[int], str | None]:
    """What the brake says to so many more people, who are among `account_ids`."""
    brake = Brake(found.brake_number, found.brake_share)
    taken, scope = _taken_today(session, found, account_ids, now), _scope(session, found)

    def objection(chosen: int) -> str | None:
        said = brake.objection(chosen + taken, scope, "this connection") if chosen else None
        if said is None or not taken:
            return said
        return f"{said} Counted with them: {taken:,} from whom it has taken something within a day."

    return objection


def no_objection(_chosen: int) -> None:
    """For what locks nobody out."""


def is_braked(session: Session, found: ScimConnection) -> bool:
    query = select(Run.id).where(*_runs(found), Run.state == RunState.BRAKED.value)
    return session.scalar(query.limit(1)) is not None


def _taken_today(session: Session, found: ScimConnection, account_ids: Collection[str], now: datetime) -> int:
    """From how many others something was taken within a day, without those whom an operator let through."""
    query = (
        select(func.count(func.distinct(Case.account_id)))
        .join(Run, (Run.organization_id == Case.organization_id) & (Run.id == Case.run_id))
        .where(
            *_runs(found),
            Run.created_at > now - A_DAY,
            Run.confirmed_by == APP,
            Case.deed.in_(_TAKES),
            Case.account_id.not_in(account_ids),
            (Case.changed.is_(True)) | Case.state.in_(_OPEN),
        )
    )
    return session.scalar(query) or 0


def _scope(session: Session, found: ScimConnection) -> int:
    """Of how many people in the directory this connection speaks."""
    query = (
        select(func.count(func.distinct(ScimUser.account_id)))
        .join(
            Person,
            (Person.organization_id == ScimUser.organization_id) & (Person.account_id == ScimUser.account_id),
        )
        .where(ScimUser.organization_id == found.organization_id, ScimUser.connection_id == found.id)
    )
    return session.scalar(query) or 0


def _runs(found: ScimConnection) -> tuple[ColumnElement[bool], ...]:
    return (
        Run.organization_id == found.organization_id,
        Run.origin == Origin.SCIM.value,
        Run.origin_id == found.id,
    )
