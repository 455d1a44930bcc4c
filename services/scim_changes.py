"""What an identity provider said becomes work at Atlassian: one step for each person at a time, in runs.

Everything here is one transaction over our own rows. Whoever comes second finds nothing to claim, and whoever is in
a run's hands is left alone until that has ended: so a crash or a second worker changes nobody twice (S49, S50).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from connect.errors import NotReady
from models.audit import APP
from models.run import Case, Run
from models.scim import ScimConnection, ScimUser, find_connection
from rules.case import CaseState, RunState
from rules.deeds import CAPABILITIES, Deed
from rules.roster import Entry, Origin
from rules.scim import Known, Rest, ScimMode, ScimState, Step, next_step
from services.ground import organization_facts
from services.previews import require_fresh_sync
from services.roster import begin_roster
from services.scim_brake import is_braked, no_objection, objection_of
from services.scim_connections import GATHER
from services.scim_facts import endings_of, know, word_of
from services.scim_leavers import follow_leaver
from services.scim_outcomes import note_outcomes, step_to_words
from services.toolbox import Toolbox

LATER = timedelta(minutes=1)
MUCH_LATER = timedelta(minutes=10)
MOST = 500
"""People in one go: a transaction stays short."""
_IN_TURN = [CaseState.PLANNED.value, CaseState.ACTING.value]


def due_connections(tools: Toolbox, limit: int = 20) -> list[tuple[str, str, str]]:
    """(organization id, connection id, moment in ISO 8601) of the connections to look at."""
    query = (
        select(ScimConnection.organization_id, ScimConnection.id, ScimConnection.look_at)
        .where(ScimConnection.look_at <= tools.clock(), ScimConnection.deleted_at.is_(None))
        .order_by(ScimConnection.look_at)
        .limit(limit)
    )
    with tools.begin() as session:
        return [
            (organization_id, connection_id, look_at.isoformat())
            for organization_id, connection_id, look_at in session.execute(query)
            if look_at is not None
        ]


def follow_up(
    tools: Toolbox, organization_id: str, connection_id: str, due_at: str, most: int = MOST
) -> None:
    """Looks once at a connection's people. May be repeated: the same moment is taken up by one."""
    now = tools.clock()
    with tools.begin() as session:
        if not _claim(session, organization_id, connection_id, due_at, None):
            return
        found = find_connection(session, organization_id, connection_id)
        if found is None:
            return
        try:
            require_fresh_sync(session, organization_id, now)
        except NotReady as missing:
            _wait(session, found, missing, now)
            return
        note_outcomes(session, found, now)
        _plan(tools, session, found, now, most)
        note_outcomes(session, found, now)
        session.flush()
        found.look_at = _next_look(session, found, now)


def fail(tools: Toolbox, organization_id: str, connection_id: str, due_at: str) -> None:
    """A fault of our own, which is in the log: the connection is looked at again later."""
    with tools.begin() as session:
        _claim(session, organization_id, connection_id, due_at, tools.clock() + MUCH_LATER)


def _claim(
    session: Session, organization_id: str, connection_id: str, due_at: str, until: datetime | None
) -> bool:
    claimed = session.execute(
        update(ScimConnection)
        .where(
            ScimConnection.organization_id == organization_id,
            ScimConnection.id == connection_id,
            ScimConnection.look_at == datetime.fromisoformat(due_at),
            ScimConnection.deleted_at.is_(None),
        )
        .values(look_at=until)
    )
    return bool(claimed.rowcount)  # type: ignore[attr-defined]


def _wait(session: Session, found: ScimConnection, missing: NotReady, now: datetime) -> None:
    session.execute(
        update(ScimUser)
        .where(*_dirty(found, now))
        .values(reason=f"{missing.sentence} {missing.next_step}"[:500])
        .execution_options(synchronize_session=False)
    )
    found.look_at = now + MUCH_LATER


@dataclass(slots=True)
class _Plan:
    gives: list[tuple[ScimUser, Entry]] = field(default_factory=list)
    takes: list[tuple[ScimUser, Entry]] = field(default_factory=list)


def _plan(tools: Toolbox, session: Session, found: ScimConnection, now: datetime, most: int) -> None:
    """Takes up who is waiting. For whom it is too early, it is looked again later: nobody waits behind them."""
    # By nothing else: of a hundred thousand who wait since one moment, all would be read for five hundred.
    query = select(ScimUser).where(*_dirty(found, now)).order_by(ScimUser.dirty_at).limit(most)
    users = list(session.scalars(query))
    organization = organization_facts(session, found.organization_id)
    known = know(session, found.organization_id, users, organization)
    endings = endings_of(found, organization)
    busy = _busy(session, found.organization_id, users, now)
    plan = _Plan()
    for user in users:
        step = next_step(known[user.id], endings)
        if isinstance(step, Rest) or not known[user.id].is_gone:
            follow_leaver(session, found, user, known[user.id], now)
        if known[user.id].is_here and not known[user.id].is_gone:
            # Whoever is away later was sent away by others: that is not ours to take back.
            user.invited, user.taken = False, ""
        # Two names of one person have one turn after the other, too.
        who = user.account_id or user.email
        if who in busy:
            user.reason, user.dirty_at = "A run has them in hand.", now + LATER
        elif isinstance(step, Rest) and step.state is ScimState.WAITING:
            user.state, user.reason, user.dirty_at = step.state.value, step.reason, now + MUCH_LATER
        elif _put(found, plan, user, known[user.id], step):
            busy.add(who)
    _begin(tools, session, found, plan.gives, now, takes=False)
    _begin(tools, session, found, plan.takes, now, takes=True)
    for user, _ in plan.takes:
        # Whom the brake holds may be here by a mistake of the provider: they leave when it lets them go.
        if user.state != ScimState.BRAKED:
            follow_leaver(session, found, user, known[user.id], now)


def _put(found: ScimConnection, plan: _Plan, user: ScimUser, known: Known, step: Step | Rest) -> bool:
    """Whether it becomes part of a run."""
    if isinstance(step, Rest):
        user.state, user.reason, user.dirty_at = step.state.value, step.reason, None
        return False
    words = step_to_words(step)
    if user.tried == words and user.state == ScimState.FAILED:
        user.dirty_at = None
        return False
    if found.mode != ScimMode.LIVE:
        user.state, user.dirty_at, user.tried = ScimState.LISTED.value, None, words
        user.reason = f"Would {CAPABILITIES[step.deed].words}."
        return False
    entry = Entry(
        step.deed,
        # Whoever was here once has an account, and is invited by address all the same.
        email=user.email if known.person is None or step.deed is Deed.INVITE else "",
        account_id=known.person.account_id if known.person is not None else "",
        name=user.display_name,
        access=step.access,
        products=step.products,
        because=word_of(found, user),
    )
    (plan.takes if step.takes else plan.gives).append((user, entry))
    return True


def _begin(
    tools: Toolbox,
    session: Session,
    found: ScimConnection,
    chosen: Sequence[tuple[ScimUser, Entry]],
    now: datetime,
    *,
    takes: bool,
) -> None:
    """One run for all of them; while the brake holds one, nobody else loses anything."""
    if not chosen:
        return
    if takes and is_braked(session, found):
        for user, _ in chosen:
            user.state = ScimState.BRAKED.value
            user.reason = "The brake holds a run of this connection: release it, or stop it, first."
            user.dirty_at = now + LATER
        return
    account_ids = {entry.account_id for _, entry in chosen}
    objection = objection_of(session, found, account_ids, now) if takes else no_objection
    run = begin_roster(
        session,
        tools,
        found.organization_id,
        [entry for _, entry in chosen],
        Origin.SCIM,
        found.id,
        by=APP,
        now=now,
        brake=objection,
    )
    session.flush()
    cases = session.scalars(
        select(Case).where(Case.organization_id == run.organization_id, Case.run_id == run.id)
    ).all()
    by_account = {case.account_id: case for case in cases}
    by_email = {case.email: case for case in reversed(cases) if case.email}
    for user, entry in chosen:
        case = by_account[entry.account_id] if entry.account_id else by_email[entry.email]
        user.case_id, user.dirty_at, user.tried = case.id, None, None
        user.state, user.reason = ScimState.WORKING.value, ""
        if run.state == RunState.BRAKED:
            user.state, user.reason = ScimState.BRAKED.value, run.reason


def _dirty(found: ScimConnection, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        ScimUser.organization_id == found.organization_id,
        ScimUser.connection_id == found.id,
        ScimUser.dirty_at <= now,
        ScimUser.case_id.is_(None),
    )


def _busy(session: Session, organization_id: str, users: Sequence[ScimUser], now: datetime) -> set[str]:
    """Whose turn it is in another run: one after the other.

    A preview, a grace, a brake, or an operator who has not decided yet keeps no provider waiting: each deed looks at
    the person again.
    """
    accounts = {user.account_id for user in users if user.account_id}
    query = (
        select(Case.account_id)
        .join(Run, (Run.organization_id == Case.organization_id) & (Run.id == Case.run_id))
        .where(
            Case.organization_id == organization_id,
            Case.state.in_(_IN_TURN),
            Case.account_id.in_(accounts),
            or_(Case.starts_at.is_(None), Case.starts_at <= now),
            Run.state == RunState.RUNNING.value,
        )
    )
    return set(session.scalars(query)) if accounts else set()


def _next_look(session: Session, found: ScimConnection, now: datetime) -> datetime | None:
    """When there is something to see again; None: as soon as the provider says something."""
    here = (ScimUser.organization_id == found.organization_id, ScimUser.connection_id == found.id)
    waiting = session.scalar(select(func.min(ScimUser.dirty_at)).where(*here, ScimUser.case_id.is_(None)))
    query = (
        select(Run.state)
        .join(Case, (Case.organization_id == Run.organization_id) & (Case.run_id == Run.id))
        .join(ScimUser, (ScimUser.organization_id == Case.organization_id) & (ScimUser.case_id == Case.id))
        .where(*here, ScimUser.case_id.is_not(None))
        .distinct()
    )
    states = set(session.scalars(query))
    looks = [max(waiting, now)] if waiting is not None else []
    if states:
        looks.append(now + (GATHER if RunState.RUNNING.value in states else LATER))
    return min(looks, default=None)
