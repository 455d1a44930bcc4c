"""The end of a leaver: API tokens revoked, then access ended by a run of its own, or what has to be done first said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connect.errors import AccessForbidden, AppError, Gone, NotReady
from models.audit import APP, Event
from models.leaver import Belonging, Leaver, Look, LookState, find_leaver
from models.run import Case, find_run
from rules.case import OPEN, CaseState
from rules.deeds import Deed
from rules.farewell import Guide, LeaverState, action_of_ending, is_over_already
from rules.handover import LANDED, STOPPED, BelongingState, End, Kind
from rules.roster import Entry, Origin
from rules.verdict import Why
from services.doors import opened
from services.ground import ground_of
from services.leaver_looks import add_belongings, tokens_of
from services.leaver_moves import begin_call, write_end
from services.leaver_obstacles import guides_to_words, obstacles_now, read_leaver
from services.leavers import record_leaver
from services.roster import begin_roster
from services.toolbox import Toolbox

LOOK_AT_RUN = timedelta(seconds=2)
TOKENS_AT_A_TIME = 10
TAKEN_BACK = "Their access had ended, and an operator took that back."
HELD_UP = "Something has to be done by hand first."


def end_on(tools: Toolbox, leaver: Leaver) -> bool:
    """One step towards the end. True when the next one may follow at once."""
    if leaver.run_id is not None:
        _watch(tools, leaver)
        return False
    guides = obstacles_now(tools, leaver, leaver.confirmed_by or leaver.created_by)
    if guides:
        with tools.begin() as session:
            hold_up(session, leaver, HELD_UP, tools.clock(), guides)
        return False
    if leaver.revoke_tokens and _revoke(tools, leaver):
        return True
    _begin_run(tools, leaver)
    return False


def hold_up(
    session: Session, leaver: Leaver, reason: str, now: datetime, guides: Sequence[Guide] = ()
) -> None:
    """It does not go on by itself: an operator reads why, and tries again."""
    held = session.execute(
        update(Leaver)
        .where(
            Leaver.organization_id == leaver.organization_id,
            Leaver.id == leaver.id,
            Leaver.state == leaver.state,
        )
        .values(reason=reason[:500], obstacles=guides_to_words(guides), resume_at=None)
    )
    if held.rowcount:  # type: ignore[attr-defined]
        words = ", ".join(guide.obstacle.value for guide in guides)
        record_leaver(session, Event.LEAVER_HELD_UP, leaver, APP, now, words or reason)


def _revoke(tools: Toolbox, leaver: Leaver) -> bool:
    """Revokes some of the tokens that there are now. True while there are more."""
    try:
        there = tokens_of(tools, leaver)
    except (NotReady, AccessForbidden) as problem:
        # Only the organization that manages the account can; or the key may not: access ends nevertheless where that
        # was said beforehand.
        if problem.reason == "not_managed" or _was_said(tools, leaver, problem):
            return False
        raise
    with tools.begin() as session:
        add_belongings(session, leaver.organization_id, leaver.id, "", there)
        _choose_tokens(session, leaver)
        rows = _tokens(session, leaver, BelongingState.CHOSEN, BelongingState.MOVING)
    ids = {token.reference for token in there}
    for row in rows[:TOKENS_AT_A_TIME]:
        if not _revoke_one(tools, leaver, row, still_there=row.reference in ids):
            return True
    return len(rows) > TOKENS_AT_A_TIME


def _was_said(tools: Toolbox, leaver: Leaver, problem: AppError) -> bool:
    """Whether whoever confirmed had read, where the tokens were looked for, that the key may not see them."""
    if not isinstance(problem, AccessForbidden):
        return False
    with tools.begin() as session:
        look = session.get(Look, (leaver.organization_id, leaver.id, "", Kind.TOKEN.value))
        return look is not None and look.state == LookState.UNSEEN


def settle_tokens(tools: Toolbox, leaver: Leaver) -> None:
    """What became of the tokens whose revoking was on its way when somebody pressed *Stop*, or *Hand back*."""
    with tools.begin() as session:
        rows = _tokens(session, leaver, BelongingState.MOVING)
    if not rows:
        return
    ids = {token.reference for token in tokens_of(tools, leaver)}
    for row in rows:
        end = End(BelongingState.LEFT, STOPPED) if row.reference in ids else End(BelongingState.MOVED, LANDED)
        with tools.begin() as session:
            write_end(session, leaver, row, end, None, tools.clock())


def _revoke_one(tools: Toolbox, leaver: Leaver, row: Belonging, *, still_there: bool) -> bool:
    """False when the leaver was stopped meanwhile: nobody could take that call back."""
    begun = row.state == BelongingState.MOVING.value
    end = End(BelongingState.MOVED if begun else BelongingState.LEFT, "It was gone already.")
    if still_there:
        if not begin_call(tools, leaver, row, LeaverState.ENDING, BelongingState.MOVING):
            return False
        end = End(BelongingState.MOVED)
        with opened(tools, leaver.organization_id) as gateway:
            try:
                gateway.revoke_token(leaver.account_id, row.reference)
            except Gone:
                end = End(BelongingState.MOVED, "It was gone already.")
    with tools.begin() as session:
        write_end(session, leaver, row, end, None, tools.clock())
    return True


def _choose_tokens(session: Session, leaver: Leaver) -> None:
    """Also those that were made since somebody looked."""
    session.execute(
        update(Belonging)
        .where(
            Belonging.organization_id == leaver.organization_id,
            Belonging.leaver_id == leaver.id,
            Belonging.kind == Kind.TOKEN.value,
            Belonging.state == BelongingState.FOUND.value,
        )
        .values(state=BelongingState.CHOSEN.value)
    )


def _tokens(session: Session, leaver: Leaver, *states: BelongingState) -> list[Belonging]:
    query = select(Belonging).where(
        Belonging.organization_id == leaver.organization_id,
        Belonging.leaver_id == leaver.id,
        Belonging.kind == Kind.TOKEN.value,
        Belonging.state.in_([state.value for state in states]),
    )
    found = list(session.scalars(query.order_by(Belonging.reference)))
    for row in found:
        session.expunge(row)
    return found


def _begin_run(tools: Toolbox, leaver: Leaver) -> None:
    """The run, written down with the leaver in one transaction: there is one, whoever dies when."""
    seen = read_leaver(tools, leaver)
    now = tools.clock()
    with tools.begin() as session:
        row = still(session, leaver)
        if row is None or row.run_id is not None:
            return
        by = row.confirmed_by or row.created_by
        ground = ground_of(tools, session, row.organization_id, by, now)
        ending = action_of_ending(Deed(row.deed), ground.organization)
        if ending.deed is Deed.LIST or is_over_already(ending, seen, ground):
            words = "" if ending.deed is Deed.LIST else "Their access had ended already."
            _done(session, row, now, words)
            return
        entry = Entry(
            ending.deed,
            account_id=row.account_id,
            name=row.name,
            products=ending.products,
            message=row.message if row.message_by == "atlassian" else "",
            because=f"Is leaving: {row.why}" if row.why else "Is leaving.",
            note=row.note,
        )
        run = begin_roster(
            session,
            tools,
            row.organization_id,
            [entry],
            Origin.LEAVER,
            row.id,
            by=by,
            now=now,
        )
        row.run_id, row.resume_at = run.id, now + LOOK_AT_RUN


def _watch(tools: Toolbox, leaver: Leaver) -> None:
    """What became of the run."""
    now = tools.clock()
    with tools.begin() as session:
        row = still(session, leaver)
        if row is None or row.run_id is None:
            return
        run = find_run(session, row.organization_id, row.run_id)
        case = session.scalars(
            select(Case).where(
                Case.organization_id == row.organization_id,
                Case.run_id == row.run_id,
                Case.account_id == row.account_id,
            )
        ).first()
        state = CaseState(case.state) if case is not None else CaseState.FAILED
        if run is not None and state in OPEN:
            # Also of a run that was stopped: the worker still finds out what came of the last call.
            row.resume_at = now + LOOK_AT_RUN
        elif case is not None and (state is CaseState.ACTED or case.why == Why.DONE):
            _done(session, row, now, "" if state is CaseState.ACTED else case.reason)
        else:
            # Whoever was quicker than this look took back what the run had done: nothing of it is a reason.
            undone = TAKEN_BACK if state is CaseState.UNDONE else ""
            hold_up(session, row, undone or (case.reason if case is not None else "The run is gone."), now)


def _done(session: Session, leaver: Leaver, now: datetime, words: str) -> None:
    leaver.state, leaver.finished_at, leaver.resume_at = LeaverState.DONE.value, now, None
    leaver.reason, leaver.obstacles = words[:500], []
    record_leaver(session, Event.LEAVER_DONE, leaver, APP, now, words)


def still(session: Session, leaver: Leaver) -> Leaver | None:
    """The row, locked, if it is still in the state in which this step began."""
    locked = session.execute(
        update(Leaver)
        .where(
            Leaver.organization_id == leaver.organization_id,
            Leaver.id == leaver.id,
            Leaver.state == leaver.state,
        )
        .values(id=leaver.id)
    )
    if not locked.rowcount:  # type: ignore[attr-defined]
        return None
    return find_leaver(session, leaver.organization_id, leaver.id)
