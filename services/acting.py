"""Acting on one person: read them now, ask the guards, write down what is about to happen, call, write down the result.

A worker may die between any two lines. Whoever comes next finds the case in ACTING and looks at the person, not at
what the program believed (S49, S50).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, bindparam, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from connect.errors import (
    AccessForbidden,
    Gone,
    Invalid,
    NotReady,
    RateLimited,
    SiteMoved,
    Unauthorized,
    Unavailable,
    Unexpected,
)
from connect.gateway.organization import OrganizationGateway
from models.rule import StoredRule
from models.run import Case, Run
from rules.access_rule import no_longer_due
from rules.case import Act, CaseState, Record, RunState, Spare, Wait, decide, not_shown
from rules.changes import Change, ChangeKind, Snapshot, still_to_do
from rules.deeds import Deed
from rules.idle import Candidate
from rules.judging import judge
from rules.plan import judge_by_rule
from rules.roster import as_found
from rules.rule import Mode, Rule
from rules.undo import judge_undo
from rules.verdict import Verdict, Why
from services import outcomes, ticket_second_look, warning
from services.administrators_left import somebody_is_left
from services.asking import refusal_of, remember
from services.candidate_now import candidate_read_now
from services.deeds import make, read_now
from services.footing import Footing
from services.left_out import half_told, left_out
from services.newcomers import remember_newcomer
from services.orders import AT_WORK, Order, take
from services.prolonging import move_ends
from services.toolbox import Toolbox

UNANSWERED = "An earlier attempt ended without an answer: what it did, if anything, was changed back since. "
"""Said of somebody who is left alone then: whatever it did for a time has a trace."""


def act_on_case(footing: Footing, case_id: str, attempt: int) -> None:
    """Leads one case as far as it goes now: to an end, or to a moment at which to look again. May be repeated."""
    tools = footing.tools
    footing.renew()
    order = take(footing, case_id, attempt)
    if order is None:
        return
    if order.is_stopped:
        outcomes.give_way(tools, order)
        return
    try:
        with footing.gateway() as gateway:
            _lead(tools, gateway, order)
    except RateLimited as pause:
        outcomes.postpone_organization(tools, order, pause.until)
    except Unavailable as trouble:
        outcomes.trouble(tools, order, trouble)
    except (Unauthorized, NotReady, SiteMoved) as problem:
        outcomes.turn_down(tools, order, CaseState.FAILED, problem)
    except AccessForbidden as problem:
        # With a better key, whoever tries again gets it done.
        state = CaseState.FAILED if problem.of_the_credential else CaseState.REFUSED
        outcomes.turn_down(tools, order, state, problem)
    except (Unexpected, Invalid, Gone) as problem:
        outcomes.turn_down(tools, order, CaseState.REFUSED, problem)


def _lead(tools: Toolbox, gateway: OrganizationGateway, order: Order) -> None:
    seen = read_now(gateway, order)
    if order.action.ends:
        move_ends(tools, order, seen)
        return
    _require_whole_answer(tools, order, seen)
    order = _as_found(order, seen)
    if _shows_late(tools, order, seen):
        assert order.settles_at is not None
        outcomes.postpone(tools, order, order.settles_at)
        return
    verdict = _verdict(tools, order, seen)
    decision = decide(
        begun=order.begun,
        planned=verdict.changes if verdict is not None else (),
        acting_since=order.acting_since,
        seen=seen,
        objection=order.objection or (verdict.objection if verdict is not None else None),
        now=tools.clock(),
        settle=timedelta(seconds=tools.settings.settle_seconds),
    )
    order = _with_landed(order, seen)
    if verdict is not None:
        order = replace(order, because=verdict.because, remark=verdict.reason if order.undoes else "")
    match decision:
        case Record():
            if order.action.deed is Deed.INVITE:
                remember_newcomer(tools, gateway, order)
            outcomes.finish_by_facts(tools, order, CaseState.ACTED, "Found done after an interruption.")
        case Spare(reason):
            before = "Stopped half-way: " if order.landed else UNANSWERED if order.acting_since else ""
            outcomes.finish_by_facts(
                tools,
                order,
                CaseState.SPARED,
                f"{before}{reason}",
                is_there=_is_there(order, verdict, reason),
            )
        case Wait(until):
            outcomes.postpone(tools, order, until)
        case Act(changes):
            assert seen is not None
            if not _is_called_off(tools, order) and not warning.warn(tools, order, seen):
                _do(tools, gateway, order, seen, changes)


def _require_whole_answer(tools: Toolbox, order: Order, seen: Snapshot | None) -> None:
    """Raises Unavailable when Atlassian left out of its answer something that the deed depends on."""
    if seen is None or not seen.facts.untold:
        return
    left = {change.about for change in order.begun or () if change.kind is ChangeKind.LEAVE_GROUP}
    with tools.begin() as session:
        missing = left_out(session, order.organization_id, seen.facts, left)
    # Guards and idleness are asked before a deed that takes; what was begun may have ended products, too.
    needed = {"groups", "productAccess"} if order.action.takes and not order.begun else {"groups"}
    if missing & needed:
        raise half_told()


def _as_found(order: Order, seen: Snapshot | None) -> Order:
    """Who was to be invited may be here by now, or after an interruption: from then on they have an account."""
    if seen is None or not seen.facts.account_id or order.action.deed is not Deed.INVITE:
        return order
    action = as_found(order.action, seen.facts) if order.begun is None else order.action
    place = order.directory_id or seen.directory_id
    return replace(order, action=action, account_id=seen.facts.account_id, directory_id=place)


def _verdict(tools: Toolbox, order: Order, seen: Snapshot | None) -> Verdict | None:
    """What the rules say about this deed on this person now. None: nobody to judge."""
    if order.undoes is not None:
        return judge_undo(
            order.action,
            order.back,
            order.undone,
            seen,
            order.ground,
            in_several_directories=order.remembered.in_several_directories,
            begun=order.begun or (),
        )
    if seen is None:
        return None
    verdict = judge(
        order.action,
        seen,
        order.ground,
        in_several_directories=order.remembered.in_several_directories,
        refusal=order.remembered.refusal,
    )
    if order.access_rule is not None and verdict.objection is None:
        late = no_longer_due(order.access_rule, order.other_rules, order.action, seen.group_ids)
        return _spared(verdict, late) if late else verdict
    if order.rule is None or verdict.objection is not None:
        return verdict
    now = tools.clock()
    with tools.begin() as session:
        person = candidate_read_now(
            session, order.organization_id, seen, order.remembered, order.rule_id, now
        )
    by_rule = judge_by_rule(order.rule, person, order.ground, now)
    if by_rule.objection is not None:
        return by_rule
    if order.rule.steps[by_rule.step].action != order.action:
        return _spared(by_rule, "Another step of the rule is due for them now.")
    if order.newer_rule is not None and not _still_chosen(order, order.newer_rule, person, now):
        return _spared(by_rule, "The rule was changed and does not choose them for this any more.")
    return by_rule


def _is_there(order: Order, verdict: Verdict | None, reason: str) -> bool:
    """Whether somebody is spared because all that was to be done to them is so already."""
    return (
        verdict is not None
        and verdict.why is Why.DONE
        and verdict.objection == reason
        and order.undoes is None
    )


def _still_chosen(order: Order, rule: Rule, person: Candidate, now: datetime) -> bool:
    """Whether the rule, as it reads by now, would do the same to them."""
    if rule.mode is Mode.AUDIT or (rule.mode is Mode.REVIEW and not order.is_approved):
        return False
    verdict = judge_by_rule(rule, person, order.ground, now)
    return verdict.objection is None and rule.steps[verdict.step].action == order.action


def _spared(verdict: Verdict, reason: str) -> Verdict:
    return replace(verdict, state=CaseState.SPARED, reason=reason)


def _shows_late(tools: Toolbox, order: Order, seen: Snapshot | None) -> bool:
    """Whether Atlassian may still show the person as they were before the deed that this case takes back."""
    if seen is None or order.settles_at is None or tools.clock() >= order.settles_at:
        return False
    return order.begun is None and bool(still_to_do(order.undone, seen))


def _with_landed(order: Order, seen: Snapshot | None) -> Order:
    if not order.begun or order.acting_since is None:
        return order
    missing = frozenset(not_shown(order.begun, seen))
    return replace(order, landed=order.landed | (frozenset(order.begun) - missing))


def _is_called_off(tools: Toolbox, order: Order) -> bool:
    """Whether this attempt is over because the ticket does not ask for it any more, or cannot be read just now."""
    if order.raised is None:
        return False
    try:
        objection = ticket_second_look.objection_now(
            tools, order.organization_id, order.raised, order.account_id, order.email
        )
    except RateLimited as pause:
        # A site that wants a rest says nothing about the rest of the organization.
        outcomes.postpone(tools, order, pause.until)
        return True
    if objection is None:
        return False
    outcomes.finish_by_facts(tools, order, CaseState.SPARED, objection)
    return True


def _do(
    tools: Toolbox, gateway: OrganizationGateway, order: Order, seen: Snapshot, changes: tuple[Change, ...]
) -> None:
    if not changes:
        reason = "Nothing that Rollcall can see is left to change."
        outcomes.finish_by_facts(tools, order, CaseState.SPARED, reason)
        return
    refused = refusal_of(gateway, order.action.deed, order.account_id)
    if refused:
        with tools.begin() as session:
            remember(session, order.organization_id, order.account_id, refused, tools.clock())
        outcomes.finish_by_facts(tools, order, CaseState.REFUSED, refused, rejected=True)
        return
    if not _begin(tools, order, seen, changes):
        outcomes.give_way(tools, order)
        return
    order = replace(order, begun=_known(order, changes))
    for change in changes:
        if change in order.landed:
            continue
        made = make(gateway, order, change)
        order = replace(
            order, landed=order.landed | made.landed, account_id=made.account_id or order.account_id
        )
        if change.kind is ChangeKind.INVITE:
            remember_newcomer(tools, gateway, order)
        if made.problem:
            outcomes.finish(tools, order, CaseState.REFUSED, outcomes.not_given(made.problem))
            return
        if len(changes) > 1 and not outcomes.note_landed(tools, order):
            return
    outcomes.finish(tools, order, CaseState.ACTED, order.remark)


def _begin(tools: Toolbox, order: Order, seen: Snapshot, changes: tuple[Change, ...]) -> bool:
    """Writes ACTING, the changes and what the person was before.

    False when the run was stopped, the rule switched off, somebody else was faster, a later attempt has begun, another
    run has changed the person since, or the other administrators of a product are being taken away from it this moment.
    """
    now = tools.clock()
    values: dict[str, Any] = {
        "of_organization": order.organization_id,
        "of_run": order.run_id,
        "of_rule": order.rule_id if order.rule is not None else None,
        "case_id": order.case_id,
        "state_before": order.state.value,
        "this_attempt": order.attempt,
        "taken_at": order.taken_at,
        "acting_before": order.acting_since,
        "begins_at": now,
        "ends_by": now + AT_WORK,
        "written": [[*change.to_words(), change in order.landed] for change in _known(order, changes)],
    }
    # As long as nothing has landed, what is seen now is what they were before: others may have changed them since.
    anew = not order.landed
    if anew:
        values |= {"before": _earlier(seen), "done": order.action.deed.value}
    with suppress(IntegrityError), tools.begin() as session:
        if not somebody_is_left(session, order):
            return False
        begun = session.execute(_BEGIN if anew else _BEGIN_AGAIN, values)
        return bool(begun.rowcount)  # type: ignore[attr-defined]
    return False


_RUNNING = select(Run.id).where(
    Run.organization_id == bindparam("of_organization"),
    Run.id == bindparam("of_run"),
    Run.state == RunState.RUNNING.value,
)
_SWITCHED_ON = select(StoredRule.id).where(
    StoredRule.organization_id == bindparam("of_organization"),
    StoredRule.id == bindparam("of_rule"),
    StoredRule.is_on.is_(True),
    StoredRule.deleted_at.is_(None),
)
_other = aliased(Case)
_CHANGED_MEANWHILE = select(_other.id).where(
    _other.organization_id == Case.organization_id,
    _other.account_id == Case.account_id,
    _other.id != Case.id,
    # As it was when this began, if it ends this moment.
    (_other.state == CaseState.ACTING.value)
    | (_other.changed.is_(True) & (_other.finished_at >= bindparam("taken_at"))),
)
# Said for every deed: not built anew each time.
_BEGIN_AGAIN = (
    update(Case)
    .where(
        Case.organization_id == bindparam("of_organization"),
        Case.id == bindparam("case_id"),
        Case.state == bindparam("state_before"),
        # Whoever was overtaken has read the person too long ago.
        Case.attempt == bindparam("this_attempt"),
        Case.acting_since.is_not_distinct_from(bindparam("acting_before")),
        Case.kept_at.is_(None),
        ~_CHANGED_MEANWHILE.exists(),
        _RUNNING.exists(),
        or_(bindparam("of_rule", type_=String).is_(None), _SWITCHED_ON.exists()),
    )
    .values(
        state=CaseState.ACTING.value,
        acting_since=bindparam("begins_at"),
        resume_at=bindparam("ends_by"),
        changes=bindparam("written"),
    )
    .execution_options(synchronize_session=False)
)
_BEGIN = _BEGIN_AGAIN.values(earlier=bindparam("before"), deed=bindparam("done"))


def _known(order: Order, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """What an earlier attempt wrote down, and behind it what has become necessary since."""
    return tuple(dict.fromkeys((*(order.begun or ()), *changes)))


def _earlier(seen: Snapshot) -> dict[str, Any]:
    facts = seen.facts
    earlier: dict[str, Any] = {
        "account_status": facts.account_status,
        "membership_status": facts.membership_status,
        "status": facts.status,
        "products": sorted(access.resource_id for access in facts.products),
        "groups": sorted(group.id for group in facts.groups),
    }
    if seen.roles is not None:
        earlier["roles"] = sorted([role.resource_id, role.role, role.direct] for role in seen.roles)
    return earlier
