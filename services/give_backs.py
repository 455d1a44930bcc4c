"""Access given back to whoever asks for it: by an operator's word, or by itself while seats are left under the cap."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from connect.errors import Conflict
from models.answer import GRANTED, Answer, Decision
from models.audit import APP
from models.organization import Organization, close_gate, seats_of
from models.run import Case, Run, find_run, running_run_ids
from rules.case import OPEN, CaseState
from rules.topics import AnswerKind
from services.answers import locked, settle
from services.apart import apart
from services.ground import ground_of
from services.seats import seats_taken
from services.toolbox import Toolbox
from services.undoing import give_back

ASKED = "They asked for their access back."
LOOK_AGAIN = timedelta(minutes=10)
MOST_AT_ONCE = 50


def begin(tools: Toolbox, session: Session, run: Run, case: Case, *, by: str, now: datetime) -> Run:
    """Starts to take back what one case did. Raises Conflict when no way leads back."""
    ground = ground_of(tools, session, case.organization_id, by, now)
    late = timedelta(seconds=tools.settings.settle_seconds)
    return give_back(session, run, case, ground, by=by, now=now, settle=late, reason=ASKED)


def give_back_within_caps(tools: Toolbox) -> list[str]:
    """The worker's look at who asks, where the organization has set a cap. Returns the runs' ids.

    Whoever cannot be helped by itself stays in the review queue, and is looked at again after a while: seats may come
    free.
    """
    now = tools.clock()
    with tools.begin() as session:
        due = (
            _asking(now)
            .with_only_columns(Answer.organization_id)
            .join(Organization, Organization.id == Answer.organization_id)
            .where(Organization.give_back_cap.is_not(None), Organization.doorless_since.is_(None))
            .distinct()
        )
        organization_ids = session.scalars(due).all()
    begun = apart(lambda each: _give_back(tools, each, now), organization_ids, "giving access back")
    return [run_id for each in begun for run_id in each]


def _give_back(tools: Toolbox, organization_id: str, now: datetime) -> list[str]:
    begun: list[str] = []
    with tools.begin() as session:
        close_gate(session, organization_id)
        organization = session.get_one(Organization, organization_id)
        asking = _asking(now).where(Case.organization_id == organization_id).order_by(Answer.given_at)
        first = session.scalars(asking.with_only_columns(Case.id).limit(MOST_AT_ONCE)).all()
        mine = (Case.organization_id == organization_id, Case.id.in_(first))
        # Whoever decides about them this moment comes before: what waits is asked only then.
        locked(session, *mine)
        # In this order: whoever gets theirs this moment counts twice rather than not at all.
        coming = _coming_back(session, organization_id)
        taken = seats_taken(session, organization_id, seats_of(session, organization_id))
        for answer, case in session.execute(asking.where(*mine)).all():
            answer.decided_at = now
            session.flush()
            run = find_run(session, organization_id, case.run_id)
            if run is None or not _fits(organization, case, taken, coming + len(begun)):
                continue
            try:
                undo = begin(tools, session, run, case, by=APP, now=now)
            except Conflict:
                continue
            begun.append(undo.id)
            settle(session, answer, case, Decision.AUTOMATIC, by=APP, now=now)
    return begun


def _asking(now: datetime) -> Select[Answer, Case]:
    """Who asks for their access back and was not looked at lately; not who has it by another way.

    Whom it could not be given back once, an operator helps.
    """
    return (
        select(Answer, Case)
        .join(Case, (Case.organization_id == Answer.organization_id) & (Case.id == Answer.case_id))
        .where(
            Answer.decision == Decision.WAITS.value,
            Answer.kind == AnswerKind.ASK_BACK.value,
            Answer.decided_by == "",
            Answer.decided_at.is_(None) | (Answer.decided_at <= now - LOOK_AGAIN),
            Case.state == CaseState.ACTED.value,
        )
    )


def _fits(organization: Organization, case: Case, taken: Mapping[str, int], coming: int) -> bool:
    """Whether fewer seats than the cap are in use in every product that comes back with this case."""
    held = (case.earlier or {}).get("products")
    cap = organization.give_back_cap
    if held is None or cap is None:
        return False
    return all(one in taken and taken[one] + coming < cap for one in held)


def _coming_back(session: Session, organization_id: str) -> int:
    """How many are about to get back what they asked for."""
    # Without the runs' ids, a database would rather read all cases there ever were.
    undoing = session.scalars(running_run_ids(organization_id).where(Run.undoes.is_not(None))).all()
    given = [
        Answer.organization_id == organization_id,
        Answer.kind == AnswerKind.ASK_BACK.value,
        Answer.decision.in_(GRANTED),
    ]
    on_the_way = select(func.count(Case.id)).where(
        Case.organization_id == organization_id,
        Case.run_id.in_(undoing),
        Case.undoes.in_(select(Answer.case_id).where(*given)),
        Case.state.in_([state.value for state in OPEN]),
    )
    return (session.scalar(on_the_way) or 0) if undoing else 0
