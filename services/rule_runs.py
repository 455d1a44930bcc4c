"""Runs of rules: previews, *Run now*, and by the clock. Each is one transaction: checks, plan, cases, audit."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict, NotReady
from models.audit import APP, Event
from models.credential import admin_keys_of
from models.organization import close_gate
from models.rule import RuleVersion, StoredRule, find_rule, find_version
from models.run import Run, count_cases, find_run
from models.sync import Sync, SyncState
from rules.case import OPEN, CaseState, RunState
from rules.deeds import Deed
from rules.gone_groups import left_out_no_more, protected_no_more
from rules.rule import Mode, Rule
from rules.topics import Topic
from services.asking import is_asked_about
from services.calendars import next_run_at
from services.doors import require_organization
from services.ground import day_in, ground_of, organization_facts
from services.leasing import turn
from services.previews import require_fresh_sync
from services.rule_plans import Tally, write_plan
from services.rule_versions import newest, require_rule, require_unchanged, what_is_missing
from services.run_notices import tell_not_begun, tell_started
from services.runs import finish_run, hold_back, make_due, record_run, require_run
from services.toolbox import Toolbox

PATIENCE = timedelta(hours=2)
"""A rule that is due while the directory is being read waits for it, but not longer than this."""


@dataclass(frozen=True, slots=True)
class _Occasion:
    """Why a run begins: `due_at` is set by the clock, `requested_by` is who asked, or models.audit.APP.

    `seen` is the version that whoever asked has read, if they say so.
    """

    run_id: str
    requested_by: str
    due_at: datetime | None = None
    seen: int | None = None


def preview_rule(tools: Toolbox, caller: Caller, rule_id: str) -> str:
    """Everybody with a verdict, as a live run would have it now; nothing happens. Returns the run's id.

    Raises NotFound, and NotReady without a fresh complete sync.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        stored = require_rule(session, organization_id, rule_id)
        version, rule = newest(session, stored)
        require_fresh_sync(session, organization_id, now, timedelta(hours=rule.fresh_hours))
        run = _new_run(stored, version, rule, _Occasion(str(uuid.uuid4()), caller.account_id or ""), now)
        run.state = RunState.PREVIEW.value
        session.add(run)
        ground = ground_of(tools, session, organization_id, version.created_by, now)
        tally = write_plan(session, run, rule, ground, now, lambda _deed: CaseState.PLANNED)
        run.reason = rule.brake.objection(tally.touched, tally.scope) or ""
        run.ask_at = now if is_asked_about(tally.deeds) else None
        record_run(session, Event.RUN_PREVIEWED, run, caller.account_id or "", now)
        return run.id


def mark_seen(tools: Toolbox, caller: Caller, run_id: str) -> None:
    """An operator looks at a preview: its version of the rule may run live from now on."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        run = require_run(session, organization_id, run_id)
        if run.rule_id is None or run.rule_version is None or run.state != RunState.PREVIEW:
            return
        version = find_version(session, organization_id, run.rule_id, run.rule_version)
        if version is not None and version.seen_by is None:
            version.seen_by, version.seen_at = caller.account_id, tools.clock()
        run.seen_by = run.seen_by or caller.account_id


def run_now(tools: Toolbox, caller: Caller, rule_id: str, seen: int | None = None) -> str:
    """Starts a run at once. Returns its id; a run that may not begin says why.

    Raises NotFound, NotReady when the rule is off, and Conflict when it is not the version any more that was `seen`:
    what only lists there may act by now.
    """
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        stored = require_rule(session, organization_id, rule_id)
        if not stored.is_on:
            raise NotReady("The rule is switched off.", "Switch it on, then run it.", reason="rule_off")
    occasion = _Occasion(str(uuid.uuid4()), caller.account_id or "", seen=seen)
    _start(tools, organization_id, rule_id, occasion)
    return occasion.run_id


def due_rules(tools: Toolbox, limit: int = 20) -> list[tuple[str, str, str]]:
    """(organization id, rule id, moment in ISO 8601) of the rules whose time has come."""
    now = tools.clock()
    reading = select(Sync.id).where(
        Sync.organization_id == StoredRule.organization_id, Sync.state == SyncState.RUNNING.value
    )
    query = (
        select(StoredRule.organization_id, StoredRule.id, StoredRule.next_run_at)
        .where(
            StoredRule.next_run_at <= now,
            StoredRule.is_on.is_(True),
            StoredRule.deleted_at.is_(None),
            ~reading.exists() | (StoredRule.next_run_at <= now - PATIENCE),
        )
        .order_by(
            turn(StoredRule.organization_id, StoredRule.next_run_at, StoredRule.id), StoredRule.next_run_at
        )
        .limit(limit)
    )
    with tools.begin() as session:
        return [
            (organization_id, rule_id, due_at.isoformat())
            for organization_id, rule_id, due_at in session.execute(query)
            if due_at is not None
        ]


def start_due(tools: Toolbox, organization_id: str, rule_id: str, due_at: str) -> None:
    """Starts the run of one date, once: its id is made of the rule and the date. May be repeated."""
    _start(tools, organization_id, rule_id, _occasion(rule_id, due_at))


def fail_due(tools: Toolbox, organization_id: str, rule_id: str, due_at: str) -> None:
    """The run of this date met a fault of our own, which is in the log: the rule goes on with its next date."""
    now = tools.clock()
    occasion = _occasion(rule_id, due_at)
    with tools.begin() as session:
        stored = find_rule(session, organization_id, rule_id)
        if stored is None or find_run(session, organization_id, occasion.run_id) is not None:
            return
        if not stored.is_on or stored.next_run_at != occasion.due_at:
            return
        version, rule = newest(session, stored)
        stored.next_run_at = next_run_at(session, organization_id, rule.schedule, now)
        run = _new_run(stored, version, rule, occasion, now)
        session.add(run)
        _refuse(
            session, run, now, "Something went wrong inside Rollcall. It is tried again at the next date."
        )


def release_brake(tools: Toolbox, caller: Caller, run_id: str) -> None:
    """An operator has looked at the list and lets the run go on. Raises Conflict when it does not wait for that."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        run = require_run(session, organization_id, run_id)
        released = session.execute(
            update(Run)
            .where(
                Run.organization_id == organization_id,
                Run.id == run_id,
                Run.state == RunState.BRAKED.value,
            )
            .values(
                state=RunState.RUNNING.value,
                confirmed_by=caller.account_id,
                confirmed_at=now,
                finished_at=None,
            )
        )
        if not released.rowcount:  # type: ignore[attr-defined]
            raise Conflict("This run does not wait for its brake.", "Look at the list of runs.")
        make_due(session, organization_id, run_id, CaseState.PLANNED, now)
        record_run(session, Event.RUN_BRAKE_RELEASED, run, caller.account_id or "", now)
        tell_started(session, run, _count_open(session, run), now)


def _occasion(rule_id: str, due_at: str) -> _Occasion:
    run_id = str(uuid.uuid5(uuid.UUID(rule_id), due_at))
    return _Occasion(run_id, APP, datetime.fromisoformat(due_at))


def _start(tools: Toolbox, organization_id: str, rule_id: str, occasion: _Occasion) -> None:
    now = tools.clock()
    with tools.begin() as session:
        # Of two who start at once, whatever their rules, the second one sees the first one's cases (S50).
        close_gate(session, organization_id)
        # And whoever switches it off waits, or is seen.
        session.execute(
            update(StoredRule)
            .where(StoredRule.organization_id == organization_id, StoredRule.id == rule_id)
            .values(id=rule_id)
        )
        stored = find_rule(session, organization_id, rule_id)
        if stored is None or find_run(session, organization_id, occasion.run_id) is not None:
            return
        if not stored.is_on or (occasion.due_at is not None and stored.next_run_at != occasion.due_at):
            return
        require_unchanged(stored, occasion.seen)
        version, rule = newest(session, stored)
        if occasion.due_at is not None:
            stored.next_run_at = next_run_at(session, organization_id, rule.schedule, now)
        run = _new_run(stored, version, rule, occasion, now)
        session.add(run)
        refusal = _refusal(session, organization_id, version, rule, now)
        if refusal is not None:
            _refuse(session, run, now, f"{refusal.sentence} {refusal.next_step}")
            return
        _plan_and_go(tools, session, run, version, rule, now)


def _plan_and_go(
    tools: Toolbox, session: Session, run: Run, version: RuleVersion, rule: Rule, now: datetime
) -> None:
    record_run(session, Event.RUN_STARTED, run, run.requested_by, now)
    ground = ground_of(tools, session, run.organization_id, version.created_by, now)
    tally = write_plan(session, run, rule, ground, now, lambda deed: _begins_as(rule.mode, deed))
    objection = _brake(rule, tally)
    if objection is not None:
        hold_back(session, run, objection, now)
        return
    session.flush()
    chosen = _count_open(session, run)
    if chosen:
        tell_started(session, run, chosen, now)
    else:
        finish_run(session, run, now)


def _count_open(session: Session, run: Run) -> int:
    counts = count_cases(session, run.organization_id, run.id)
    return sum(counts.get(state, 0) for state in OPEN)


def _brake(rule: Rule, tally: Tally) -> str | None:
    # A list touches nobody, and in review an operator looks at each person.
    return rule.brake.objection(tally.touched, tally.scope) if rule.mode is Mode.LIVE else None


def _begins_as(mode: Mode, deed: Deed) -> CaseState:
    if mode is Mode.AUDIT or deed is Deed.LIST:
        return CaseState.LISTED
    return CaseState.REVIEW if mode is Mode.REVIEW else CaseState.PLANNED


def _refusal(
    session: Session, organization_id: str, version: RuleVersion, rule: Rule, now: datetime
) -> NotReady | None:
    missing = what_is_missing(version, rule)
    if missing is not None:
        return missing
    if not admin_keys_of(session, organization_id):
        return NotReady(
            "There is no Admin API key.", "Save one under Configure Token.", reason="no_admin_key"
        )
    try:
        require_fresh_sync(session, organization_id, now, timedelta(hours=rule.fresh_hours))
    except NotReady as stale:
        return stale
    return _without_a_group(session, organization_id, rule, now)


def _without_a_group(session: Session, organization_id: str, rule: Rule, now: datetime) -> NotReady | None:
    """Nobody is chosen all at once because the group that kept them from it was deleted, or made anew."""
    organization = organization_facts(session, organization_id)
    left_out = left_out_no_more(rule, organization)
    if left_out is not None:
        return NotReady(
            f"The rule leaves out the group “{left_out[:60]}”, which is gone: it would choose whoever was in it.",
            "Change the rule.",
            reason="group_gone",
        )
    protected = protected_no_more(organization, day_in(session, organization_id, now))
    if protected is not None:
        return NotReady(
            f"The protected group “{protected[:60]}” is gone: whoever was in it would not be protected.",
            "Take it from the list under Protected, and protect another one instead.",
            reason="group_gone",
        )
    return None


def _refuse(session: Session, run: Run, now: datetime, reason: str) -> None:
    run.state, run.reason, run.finished_at = RunState.REFUSED.value, reason[:500], now
    record_run(session, Event.RUN_REFUSED, run, APP, now, reason)
    tell_not_begun(session, run, Topic.RUN_REFUSED, now)


def _new_run(stored: StoredRule, version: RuleVersion, rule: Rule, occasion: _Occasion, now: datetime) -> Run:
    deeds = set(rule.deeds)
    return Run(
        organization_id=stored.organization_id,
        id=occasion.run_id,
        deed=rule.deeds[0].value if len(deeds) == 1 else None,
        state=RunState.RUNNING.value,
        rule_id=stored.id,
        rule_version=version.version,
        mode=rule.mode.value,
        requested_by=occasion.requested_by,
        created_at=now,
        confirmed_at=now,
    )
