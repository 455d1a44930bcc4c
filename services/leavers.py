"""Beginning and deciding about leavers: rows are written, the worker does the rest (services.leaver_work)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict, Invalid, NotFound
from models.absence import last_days_of
from models.audit import Event
from models.credential import CredentialKind, credential_of
from models.leaver import (
    Belonging,
    Leaver,
    LeaverOrigin,
    Look,
    LookState,
    find_leaver,
    open_leaver_of,
)
from models.organization import zone_of
from models.people import find_person, people_by_id
from models.tenant import Product, doors_of
from rules.deeds import Deed
from rules.farewell import CHOOSING, LeaverState
from rules.handover import Kind
from services.audit import record
from services.doors import require_organization
from services.toolbox import Toolbox

MOST_AT_ONCE = 200
"""People who become leavers by one click."""
PERSON = "person"
"""The look at the person themselves: what stands in the way."""
OF_JIRA = (Kind.PROJECT, Kind.COMPONENT, Kind.FILTER, Kind.DASHBOARD, Kind.ISSUE)


@dataclass(frozen=True, slots=True)
class Farewell:
    """How somebody goes. `ends_at` None: after the last day that was written down, else right after the handover."""

    deed: Deed = Deed.SUSPEND
    ends_at: datetime | None = None
    why: str = ""
    note: str = ""
    revoke_tokens: bool = True


def begin_leaver(
    session: Session,
    organization_id: str,
    account_id: str,
    *,
    by: str,
    now: datetime,
    origin: LeaverOrigin = LeaverOrigin.BY_HAND,
    farewell: Farewell | None = None,
) -> Leaver:
    """Somebody is leaving: the worker begins to look for what they own, then an operator decides.

    For every source: a page, a file, an identity provider, a last day. Whoever is a leaver already stays the one they
    are. Raises NotFound for somebody whom the directory does not know.
    """
    person = find_person(session, organization_id, account_id)
    if person is None:
        raise NotFound("Nobody like that is in your directory.", "Sync now, or choose somebody else.")
    already = open_leaver_of(session, organization_id, account_id)
    if already is not None:
        return already
    wanted = farewell or Farewell()
    ends_at = wanted.ends_at or _end_of_last_day(session, organization_id, account_id, now)
    leaver = Leaver(
        organization_id=organization_id,
        id=str(uuid.uuid4()),
        account_id=account_id,
        name=person.name,
        origin=origin.value,
        deed=wanted.deed.value,
        ends_at=ends_at,
        why=wanted.why[:200],
        note=wanted.note[:500],
        revoke_tokens=wanted.revoke_tokens,
        created_by=by,
        created_at=now,
        resume_at=now,
    )
    try:
        with session.begin_nested():
            session.add(leaver)
    except IntegrityError:
        faster = open_leaver_of(session, organization_id, account_id)
        assert faster is not None
        return faster
    _plan_looks(session, leaver)
    record_leaver(session, Event.LEAVER_BEGUN, leaver, by, now, details={"origin": origin.value})
    return leaver


def _end_of_last_day(
    session: Session, organization_id: str, account_id: str, now: datetime
) -> datetime | None:
    """When the last day that somebody wrote down is over where the organization lives; None without one to come."""
    last_day = last_days_of(session, organization_id, [account_id]).get(account_id)
    if last_day is None:
        return None
    over = end_of_day(session, organization_id, last_day.ends_on)
    return over if over > now else None


def end_of_day(session: Session, organization_id: str, day: date) -> datetime:
    """When a day is over where the organization lives."""
    zone = zone_of(session, organization_id)
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


def request_leavers(tools: Toolbox, caller: Caller, account_ids: Sequence[str]) -> list[str]:
    """*They are leaving…* for one person or several; the ids of the leavers, in the same order."""
    organization_id = require_organization(tools, caller)
    wanted = list(dict.fromkeys(each for each in account_ids if each))
    if not wanted:
        raise Invalid("people", "Nobody is selected.", "Select the people who are leaving.")
    if len(wanted) > MOST_AT_ONCE:
        raise Invalid(
            "people",
            f"These are more than {MOST_AT_ONCE} people.",
            f"Select up to {MOST_AT_ONCE} at a time.",
        )
    now, by = tools.clock(), caller.account_id or ""
    with tools.begin() as session:
        known = people_by_id(session, organization_id, wanted)
        return [
            begin_leaver(session, organization_id, each, by=by, now=now).id
            for each in wanted
            if each in known or len(wanted) == 1
        ]


def look_again(tools: Toolbox, caller: Caller, leaver_id: str) -> None:
    """Forgets what was found and looks anew; nothing of it has been moved yet."""
    with changing(tools, caller, leaver_id, CHOOSING) as (session, leaver, now):
        look_anew(session, leaver, now)


def look_anew(session: Session, leaver: Leaver, now: datetime) -> None:
    """The same inside a transaction that does more."""
    keys = (Belonging.organization_id == leaver.organization_id, Belonging.leaver_id == leaver.id)
    session.execute(delete(Belonging).where(*keys))
    session.execute(
        delete(Look).where(Look.organization_id == leaver.organization_id, Look.leaver_id == leaver.id)
    )
    _plan_looks(session, leaver)
    work_on(leaver, LeaverState.LOOKING, now)


def require_leaver(session: Session, organization_id: str, leaver_id: str) -> Leaver:
    """A leaver of this organization. Raises NotFound."""
    leaver = find_leaver(session, organization_id, leaver_id)
    if leaver is None:
        raise NotFound("This leaver does not exist.", "Look at the list of leavers.")
    return leaver


def record_leaver(
    session: Session,
    event: Event,
    leaver: Leaver,
    actor: str,
    now: datetime,
    result: str = "",
    details: dict[str, str] | None = None,
) -> None:
    """Writes what happened to a leaver into the audit, where the evidence finds it by the leaver's id."""
    record(
        session,
        event,
        at=now,
        actor=actor,
        organization_id=leaver.organization_id,
        subject=leaver.account_id,
        run_id=leaver.run_id,
        result=result,
        details={"leaver": leaver.id, **(details or {})},
    )


@contextmanager
def changing(
    tools: Toolbox, caller: Caller, leaver_id: str, states: Iterable[LeaverState]
) -> Iterator[tuple[Session, Leaver, datetime]]:
    """One leaver of the caller's organization, to be changed in one transaction, in one of these states only.

    Raises NotFound, and Conflict in another state.
    """
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        # The leaver's row is the gate: of two who decide at once, the second one sees what the first one did.
        session.execute(
            update(Leaver)
            .where(Leaver.organization_id == organization_id, Leaver.id == leaver_id)
            .values(id=leaver_id)
        )
        leaver = require_leaver(session, organization_id, leaver_id)
        if LeaverState(leaver.state) not in set(states):
            raise Conflict("This is not possible now.", "Reload the page and look again.")
        yield session, leaver, tools.clock()


def work_on(leaver: Leaver, state: LeaverState, now: datetime) -> None:
    """Lets the worker find it."""
    leaver.state, leaver.reason, leaver.resume_at, leaver.troubles = state.value, "", now, 0


def _plan_looks(session: Session, leaver: Leaver) -> None:
    """The questions that the worker will ask; those that nobody can answer say so at once."""
    wanted: list[tuple[str, str, str]] = [(PERSON, "", ""), (Kind.GROUP, "", ""), (Kind.TOKEN, "", "")]
    unseen: dict[str, str] = {}
    for door in doors_of(session, leaver.organization_id):
        kinds = (Kind.SPACE,) if door.product == Product.CONFLUENCE else OF_JIRA
        wanted += [(kind, door.client_key, door.display_url) for kind in kinds]
        if credential_of(session, door.client_key, CredentialKind.API_TOKEN) is None:
            unseen[door.client_key] = (
                "There is no API token for this site. Save one under Configure Token, in the product itself, "
                "then look again."
            )
    for place, (kind, client_key, site) in enumerate(wanted):
        reason = unseen.get(client_key, "")
        session.add(
            Look(
                organization_id=leaver.organization_id,
                leaver_id=leaver.id,
                client_key=client_key,
                kind=str(kind),
                place=place,
                site=site,
                state=(LookState.UNSEEN if reason else LookState.WAITING).value,
                reason=reason,
            )
        )
