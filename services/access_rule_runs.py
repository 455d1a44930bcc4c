"""Evaluating access rules: after each complete sync, and when somebody changed one. Audit lists, live gives and takes.

Each evaluation is one transaction and has a number: of two workers with the same number the second finds it done.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connect.errors import NotReady
from models.access_rule import StoredAccessRule, find_access_rule, find_given
from models.audit import APP, Event
from models.credential import admin_keys_of
from models.organization import Organization
from models.profile import find_profile
from models.run import Run
from models.sync import Sync, SyncState, latest_sync
from rules.access_rule import AccessPlan
from rules.case import RunState
from rules.roster import Origin
from rules.rule import Mode
from services.access_rule_lists import NOTHING, in_short, plan_of, write_list
from services.access_rules import to_audit
from services.audit import record
from services.previews import require_fresh_sync
from services.roster import begin_roster
from services.toolbox import Toolbox

PROFILE_CHANGED = (
    "The profile gives something else by now: look at the list, then switch the rule live again."
)
WAITS = "Waits for its brake: look at the run, then release it or stop it."
FAULT = "Something went wrong inside Rollcall. It is tried again after the next sync."
GONE_AGAIN = "What the rule gave was gone again: another system takes it out."


def due_access_rules(tools: Toolbox, limit: int = 20) -> list[tuple[str, str, int]]:
    """(organization id, rule id, number of the evaluation) of the rules that a complete sync, or a change, made due.

    While a directory is being read nobody is judged by half of it.
    """
    newest = (
        select(Sync.id)
        .where(
            Sync.organization_id == StoredAccessRule.organization_id, Sync.state == SyncState.COMPLETE.value
        )
        .order_by(Sync.started_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    reading = select(Sync.id).where(
        Sync.organization_id == StoredAccessRule.organization_id, Sync.state == SyncState.RUNNING.value
    )
    at_work = select(Run.id).where(
        Run.organization_id == StoredAccessRule.organization_id,
        Run.origin == Origin.ACCESS_RULE.value,
        Run.origin_id == StoredAccessRule.id,
        Run.state.in_([RunState.RUNNING.value, RunState.BRAKED.value]),
    )
    query = (
        select(StoredAccessRule.organization_id, StoredAccessRule.id, StoredAccessRule.evaluations)
        .join(Organization, Organization.id == StoredAccessRule.organization_id)
        .where(
            Organization.doorless_since.is_(None),
            newest.is_not(None),
            StoredAccessRule.sync_id.is_distinct_from(newest)
            | (StoredAccessRule.again.is_(True) & ~at_work.exists()),
            ~reading.exists(),
        )
        .order_by(StoredAccessRule.evaluated_at)
        .limit(limit)
    )
    with tools.begin() as session:
        return [(one, rule_id, number + 1) for one, rule_id, number in session.execute(query)]


def evaluate(tools: Toolbox, organization_id: str, rule_id: str, number: int) -> None:
    """The evaluation of this number, once. May be repeated."""
    now = tools.clock()
    with tools.begin() as session:
        stored = _take(session, organization_id, rule_id, number)
        sync = latest_sync(session, organization_id, SyncState.COMPLETE)
        if stored is None or sync is None:
            return
        first = stored.sync_id != sync.id
        stored.sync_id, stored.evaluated_at, stored.again = sync.id, now, False
        obstacle = _obstacle(session, stored, now)
        if obstacle:
            stored.last_result = obstacle
            return
        plan = plan_of(tools, session, stored, sync)
        if not stored.is_live:
            write_list(tools, session, stored, plan, by=APP, now=now)
            return
        _note(session, stored, plan, now)
        stored.again = plan.later and first
        _act(tools, session, stored, plan, now)


def fail_evaluation(tools: Toolbox, organization_id: str, rule_id: str, number: int) -> None:
    """It met a fault of our own, which is in the log: the rule goes on after the next sync."""
    with tools.begin() as session:
        stored = _take(session, organization_id, rule_id, number)
        sync = latest_sync(session, organization_id, SyncState.COMPLETE)
        if stored is not None:
            stored.sync_id = sync.id if sync is not None else None
            stored.again, stored.last_result = False, FAULT


def _take(session: Session, organization_id: str, rule_id: str, number: int) -> StoredAccessRule | None:
    taken = session.execute(
        update(StoredAccessRule)
        .where(
            StoredAccessRule.organization_id == organization_id,
            StoredAccessRule.id == rule_id,
            StoredAccessRule.evaluations == number - 1,
        )
        .values(evaluations=number)
    )
    return find_access_rule(session, organization_id, rule_id) if taken.rowcount else None  # type: ignore[attr-defined]


def _obstacle(session: Session, stored: StoredAccessRule, now: datetime) -> str:
    """Why nothing is planned this time; empty when nothing stands against it."""
    if _profile_changed(session, stored, now):
        return PROFILE_CHANGED
    try:
        require_fresh_sync(session, stored.organization_id, now)
    except NotReady as stale:
        return f"{stale.sentence} {stale.next_step}"
    if stored.is_live and not admin_keys_of(session, stored.organization_id):
        return "There is no Admin API key. Save one under Configure Token."
    braked = select(Run.id).where(
        Run.organization_id == stored.organization_id,
        Run.origin == Origin.ACCESS_RULE.value,
        Run.origin_id == stored.id,
        Run.state == RunState.BRAKED.value,
    )
    return WAITS if stored.is_live and session.scalar(braked.limit(1)) is not None else ""


def _note(session: Session, stored: StoredAccessRule, plan: AccessPlan, now: datetime) -> None:
    """What the sync found out about what the rule had given."""
    for account_id, part in (*plan.lost, *plan.loops):
        found = find_given(session, stored.organization_id, stored.id, account_id, part)
        if found is not None:
            found.missing += 1
    for account_id, part in plan.loops:
        found = find_given(session, stored.organization_id, stored.id, account_id, part)
        if found is not None:
            found.stopped_at, found.reason = now, GONE_AGAIN
            record(
                session,
                Event.ACCESS_RULE_LOOP,
                at=now,
                actor=APP,
                organization_id=stored.organization_id,
                subject=account_id,
                run_id=stored.last_run_id,
                result=GONE_AGAIN,
                details={"access_rule": stored.id, "name": stored.name},
            )
    for account_id, part, why in plan.over:
        found = find_given(session, stored.organization_id, stored.id, account_id, part)
        if found is not None:
            found.over_at, found.reason = now, why


def _act(tools: Toolbox, session: Session, stored: StoredAccessRule, plan: AccessPlan, now: datetime) -> None:
    entries = plan.entries
    if not entries:
        stored.last_result = NOTHING
        return
    run = begin_roster(
        session,
        tools,
        stored.organization_id,
        entries,
        Origin.ACCESS_RULE,
        stored.id,
        by=APP,
        now=now,
        brake=lambda chosen: stored.brake.objection(chosen, plan.scope),
    )
    run.rule_version, run.mode, run.scope = stored.version, Mode.LIVE.value, plan.scope
    stored.last_run_id = run.id
    stored.last_result = WAITS if run.state == RunState.BRAKED else in_short(plan)


def _profile_changed(session: Session, stored: StoredAccessRule, now: datetime) -> bool:
    """A live rule does not give more, or less, than somebody looked at because its profile was changed."""
    profile = find_profile(session, stored.organization_id, stored.profile_id or "")
    if profile is None or profile.access == stored.gives:
        return False
    sync_id, was_live = stored.sync_id, stored.is_live
    stored.roles = [list(role) for role in profile.access.roles]
    stored.groups = list(profile.access.groups)
    to_audit(session, stored, APP, now)
    stored.sync_id = None if was_live else sync_id
    return was_live
