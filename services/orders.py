"""Orders: one unfinished case with all that the worker must know of it, copied out of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.orm import Session, aliased

from models.organization import Organization
from models.people import Person
from models.run import Case, Run, find_case
from models.timed_access import TimedState, find_timed
from rules.access_rule import AccessRule
from rules.because import Because
from rules.case import UNFINISHED, CaseState, RunState
from rules.changes import Change, way_back
from rules.deeds import Action, Deed
from rules.roster import Origin, action_from_words
from rules.rule import Rule, Step
from rules.timed import too_late
from rules.undo import taken_back_by
from rules.verdict import Ground
from services import scim_book
from services.candidate_now import REMEMBERED, Remembered, remembered
from services.delays import look_again_at
from services.footing import Footing, RunFooting
from services.leasing import lease
from services.ticket_book import Raised
from services.toolbox import Toolbox

AT_WORK = timedelta(minutes=10)
"""How long an attempt may take before another one looks what became of it."""

MOVES_ENDS = (Deed.PROLONG.value, Deed.SET_BACK.value)
"""Deeds that leave a person at Atlassian as they are."""
UNFINISHED_STATES = [state.value for state in UNFINISHED]


@dataclass(frozen=True, slots=True)
class Order:
    """`email` is the address of who may have no account yet.

    `taken_at` is when this attempt began: whatever is found out is younger. `begun` are the changes an earlier attempt
    wrote down and may have made, `landed` those of them known to have happened.

    An undo has `back`, the changes to make, `undone`, those they take back, and `settles_at`, until when Atlassian may
    not show these yet. A case of a rule has `rule`, the version that its run names, and `step`; `newer_rule` is what
    the rule has become since, `because` why its time has come for them, as they were read for this attempt. A case of
    an access rule has that, as it is now, and the `other_rules` that give something at the same time. One that a ticket
    brought, and that has not begun, has `raised`. `objection` is what our own memory has against the deed, an identity
    provider's word included. `remark` is what the result says besides. `is_stopped`: its run was stopped while an
    attempt led it on, and nothing is to be found out any more.
    """

    organization_id: str
    case_id: str
    run_id: str
    account_id: str
    directory_id: str
    action: Action
    state: CaseState
    attempt: int
    taken_at: datetime
    acting_since: datetime | None
    begun: tuple[Change, ...] | None
    landed: frozenset[Change]
    ground: Ground
    remembered: Remembered
    objection: str | None
    undoes: str | None = None
    back: tuple[Change, ...] = ()
    undone: tuple[Change, ...] = ()
    settles_at: datetime | None = None
    rule_id: str | None = None
    rule: Rule | None = None
    newer_rule: Rule | None = None
    access_rule: AccessRule | None = None
    other_rules: tuple[AccessRule, ...] = ()
    raised: Raised | None = None
    step: Step | None = None
    because: Because | None = None
    remark: str = ""
    email: str = ""
    warnings: int = 0
    due_at: datetime | None = None
    is_approved: bool = False
    is_stopped: bool = False

    @property
    def asked_by(self) -> str:
        return self.ground.guarded.asked_by


def lease_due_cases(
    tools: Toolbox, limit: int = 50, each: int | None = None, but_not: Sequence[str] = ()
) -> list[tuple[str, str, int]]:
    """(organization id, case id, next attempt) of the cases whose time has come, each handed out to one asker.

    An organization gets at most `each`, and none when it is in `but_not` or while Atlassian asks it to wait.
    """
    paused = select(Organization.id).where(Organization.paused_until > tools.clock())
    open_to_work = (
        Case.state.in_(UNFINISHED_STATES),
        Case.organization_id.not_in(paused),
        Case.organization_id.not_in(but_not),
    )
    return lease(tools, Case, limit, *open_to_work, each=each)


# Asked for every deed: not built anew each time.
_TAKE = (
    update(Case)
    .where(
        Case.organization_id == bindparam("of_organization"),
        Case.id == bindparam("case_id"),
        Case.state.in_(UNFINISHED_STATES),
        Case.attempt <= bindparam("this_attempt"),
    )
    .values(attempt=bindparam("this_attempt"), resume_at=bindparam("ends_by"))
    .returning(Case)
    .execution_options(synchronize_session=False)
)
# The run's state, until when Atlassian asked us to leave the organization alone, and what we know of the person.
_AROUND: Any = (
    select(Run.state.label("run_state"), Organization.paused_until, *REMEMBERED)
    .join(Organization, Organization.id == Run.organization_id)
    .outerjoin(
        Person,
        (Person.organization_id == Run.organization_id) & (Person.account_id == bindparam("account_id")),
    )
    .where(Run.organization_id == bindparam("organization_id"), Run.id == bindparam("run_id"))
)


def take(footing: Footing, case_id: str, attempt: int) -> Order | None:
    """Begins an attempt. None when there is nothing to do now: the case has ended, or has to wait."""
    now = footing.tools.clock()
    settle = timedelta(seconds=footing.tools.settings.settle_seconds)
    taking = {
        "of_organization": footing.organization_id,
        "case_id": case_id,
        "this_attempt": attempt,
        "ends_by": now + AT_WORK,
    }
    with footing.tools.begin() as session:
        case = session.scalar(_TAKE, taking)
        if case is None:
            return None
        around = _around(session, case)
        # Even when the run was stopped: what came of a call is found out.
        is_known = case.state != CaseState.ACTING and case.acting_since is None
        is_stopped = around.run_state == RunState.STOPPED and is_known
        if around.run_state != RunState.RUNNING and is_known and not is_stopped:
            case.resume_at = None
            return None
        pause = around.paused_until
        later = pause if pause is not None and pause > now else look_again_at(session, case, now, settle)
        if later is not None and not is_stopped:
            case.resume_at = later
            return None
        under = footing.under(session, case.run_id, case.account_id)
        order = _order(session, case, under, remembered(around, now), now, settle)
        return replace(order, is_stopped=is_stopped)


def _order(
    session: Session,
    case: Case,
    footing: RunFooting,
    memory: Remembered,
    now: datetime,
    settle: timedelta,
) -> Order:
    rule, objection = footing.book.rule, footing.book.objection or footing.access.objection
    objection = objection or footing.ticket.objection
    objection = objection or scim_book.objection_to(session, case, footing.scim)
    step = rule.steps[case.step] if rule is not None and case.step < len(rule.steps) else None
    original = find_case(session, case.organization_id, case.undoes) if case.undoes else None
    undone = taken_back_by(Deed(case.deed), done_changes(original)) if original is not None else ()
    settles_at = (
        original.finished_at + settle if original is not None and original.finished_at is not None else None
    )
    has_begun = _has_begun(case)
    if not has_begun:
        objection = objection or too_late(case.ends_on, footing.ground.today)
    if case.kept_at is not None:
        objection = "They answered that they still need their access."
    if case.undoes is not None:
        by_its_end = footing.origin == Origin.TIMED
        objection = _undo_objection(session, case, original, undone if by_its_end else ())
        if by_its_end:
            objection = objection or _end_objection(session, case.organization_id, case.undoes)
    return Order(
        organization_id=case.organization_id,
        case_id=case.id,
        run_id=case.run_id,
        account_id=case.account_id,
        directory_id=case.directory_id,
        action=step.action if step is not None else action_from_words(Deed(case.deed), case.action),
        state=CaseState(case.state),
        attempt=case.attempt,
        taken_at=now,
        acting_since=case.acting_since,
        begun=_begun(case),
        landed=frozenset(done_changes(case)),
        ground=_ground_of(case, footing.ground),
        remembered=memory,
        objection=objection,
        undoes=case.undoes,
        back=way_back_of(original, undone) if original is not None else (),
        undone=undone,
        settles_at=settles_at,
        rule_id=footing.rule_id,
        rule=rule,
        newer_rule=footing.book.newer,
        access_rule=footing.access.rule,
        other_rules=footing.access.others,
        raised=None if has_begun else footing.ticket.raised,
        step=step,
        email=case.email or "",
        warnings=case.warnings,
        due_at=case.due_at,
        is_approved=case.approved_by is not None,
    )


def _ground_of(case: Case, ground: Ground) -> Ground:
    """Whoever approves their own case, or tries it again, has let it go, as if they had started the run (S48)."""
    if case.approved_by != case.account_id:
        return ground
    guarded = ground.guarded
    return replace(ground, guarded=replace(guarded, let_go_by=guarded.let_go_by | {case.account_id}))


def changes_of(case: Case) -> tuple[Change, ...] | None:
    """The changes that were written down before the first call; None when there was none."""
    return None if case.changes is None else tuple(Change.from_words(words) for words in case.changes)


def _begun(case: Case) -> tuple[Change, ...] | None:
    """What this attempt has to finish, or to look for. What Atlassian turned down is worked out anew."""
    return changes_of(case) if case.acting_since is not None else done_changes(case) or None


def done_changes(case: Case) -> tuple[Change, ...]:
    """Those of them that landed."""
    return tuple(Change.from_words(words) for words in case.changes or () if words[3])


def way_back_of(case: Case, done: Sequence[Change]) -> tuple[Change, ...]:
    """What leads back from these changes of a case to what the person was before."""
    was_deactivated = (case.earlier or {}).get("account_status") == "inactive"
    return way_back(done, was_deactivated=was_deactivated)


def _has_begun(case: Case) -> bool:
    """Whether something of it landed, or may have: that has to be led to its end."""
    return case.acting_since is not None or bool(done_changes(case))


def _around(session: Session, case: Case) -> Row[Any]:
    about = {
        "organization_id": case.organization_id,
        "run_id": case.run_id,
        "account_id": case.account_id,
    }
    return session.execute(_AROUND, about).one()


def _undo_objection(
    session: Session, case: Case, original: Case | None, about: Sequence[Change]
) -> str | None:
    """`about`: only later changes of these stand in the way; empty: any change does."""
    if original is None or not original.changed or original.state == CaseState.UNDONE:
        return "This was taken back already."
    if original.finished_at is None:
        return "The run that is to be taken back goes on with this person."
    if original.deed == Deed.PROLONG:
        # Nothing of theirs was changed at Atlassian: whether the last day is still that one, the deed asks itself.
        return None
    # A later deed and the undo of it leave nothing behind: the way back leads from the last run to the first.
    later = aliased(Case)
    is_undo_of_a_later_one = select(later.id).where(
        later.organization_id == Case.organization_id,
        later.id == Case.undoes,
        later.state == CaseState.UNDONE.value,
        later.finished_at > original.finished_at,
    )
    newer = session.scalars(
        select(Case).where(
            Case.organization_id == case.organization_id,
            Case.account_id == case.account_id,
            Case.id != original.id,
            Case.undoes.is_distinct_from(original.id),
            Case.changed.is_(True),
            Case.deed.not_in(MOVES_ENDS),
            Case.state != CaseState.UNDONE.value,
            Case.finished_at > original.finished_at,
            ~is_undo_of_a_later_one.exists(),
        )
    )
    things = {change.about for change in about}
    hit = any(not about or any(done.about in things for done in done_changes(each)) for each in newer)
    return "A later run changed this person." if hit else None


def _end_objection(session: Session, organization_id: str, case_id: str) -> str | None:
    """What an operator said about the access since its end began: an end that failed may be tried again much later."""
    timed = find_timed(session, organization_id, case_id)
    return _NOT_TO_END.get(timed.state) if timed is not None else None


_NOT_TO_END: dict[str, str] = {
    TimedState.OPEN: "It was prolonged meanwhile.",
    TimedState.DROPPED: "Its end was dropped meanwhile.",
}
