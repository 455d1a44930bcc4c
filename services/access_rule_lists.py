"""What an access rule would do, as a list that operators look at: nothing happens by it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict
from models.access_rule import AccessGiven, StoredAccessRule, access_rules_of, given_by
from models.audit import APP, Event
from models.people import Person
from models.run import Run
from models.sync import Sync, SyncState, latest_sync
from rules.access_rule import AccessPlan, Given, plan_access
from rules.case import RunState
from rules.changes import Change
from rules.roster import Origin
from rules.rule import Mode
from services.access_members import concerned, members_of
from services.access_rules import hold_access_rule, require_access_rule
from services.doors import require_organization
from services.ground import organization_facts
from services.previews import forget_preview, require_fresh_sync
from services.roster import Draft, draft_roster, list_draft
from services.runs import record_run
from services.toolbox import Toolbox

NOTHING = "Nothing to do."


def preview_access_rule(tools: Toolbox, caller: Caller, rule_id: str) -> str:
    """What the rule would do now, as a list; nothing happens. Returns the run's id.

    Raises NotFound, NotReady, Invalid (too many) and Conflict when somebody changed it meanwhile.
    """
    organization_id = require_organization(tools, caller)
    now, by = tools.clock(), caller.account_id or ""
    with tools.begin() as session:
        stored = require_access_rule(session, organization_id, rule_id)
        require_fresh_sync(session, organization_id, now)
        sync = latest_sync(session, organization_id, SyncState.COMPLETE)
        assert sync is not None
        version, plan = stored.version, plan_of(tools, session, stored, sync)
    draft = draft_roster(tools, organization_id, plan.entries, Origin.ACCESS_RULE, by=by, now=now)
    with tools.begin() as session:
        stored = hold_access_rule(session, organization_id, rule_id)
        if stored.version != version:
            raise Conflict
        replaced = write_list(session, stored, plan, draft, by=by, now=now)
    forget_lists(tools, organization_id, replaced)
    return draft.run_id


def mark_seen(tools: Toolbox, caller: Caller, rule_id: str) -> None:
    """An operator looks at the list of this version: it may be switched live from now on."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        stored = hold_access_rule(session, organization_id, rule_id)
        listed = newest_list(session, stored)
        if listed is None or listed.rule_version != stored.version or stored.seen_version == stored.version:
            return
        stored.seen_version, stored.seen_by = stored.version, caller.account_id
        listed.seen_by = caller.account_id


def newest_list(session: Session, stored: StoredAccessRule) -> Run | None:
    """The newest list of what the rule would do."""
    query = select(Run).where(*_lists(stored)).order_by(Run.created_at.desc()).limit(1)
    return session.scalar(query)


def plan_of(
    tools: Toolbox,
    session: Session,
    stored: StoredAccessRule,
    sync: Sync,
    only: Collection[str] | None = None,
) -> AccessPlan:
    """What the rule would do now, to everybody or `only` to these; its scope is everybody all the same."""
    organization_id = stored.organization_id
    # What was given while somebody was read, or shortly before, may not show in it.
    settle = timedelta(seconds=tools.settings.settle_seconds)
    alone = _read_alone(session, stored, sync)
    given: dict[str, dict[Change, Given]] = {}
    for each in given_by(session, organization_id, stored.id):
        read_since = alone.get(each.account_id, sync.started_at) - settle
        given.setdefault(each.account_id, {})[each.part] = each.as_read_since(read_since)
    facts = organization_facts(session, organization_id)
    plan = plan_access(
        stored.rule,
        members_of(session, stored, given, only),
        given,
        [
            each.rule
            for each in access_rules_of(session, organization_id)
            if each.is_live and each.id != stored.id
        ],
        {group_id: facts.group_name(group_id) for group_id in stored.sources},
    )
    if only is not None:
        plan.scope = len(concerned(session, stored, given))
    return plan


def _read_alone(session: Session, stored: StoredAccessRule, sync: Sync) -> dict[str, datetime]:
    """Who of those with something from the rule was read by themselves after the sync, and when."""
    query = (
        select(Person.account_id, Person.synced_at)
        .join(
            AccessGiven,
            (AccessGiven.organization_id == Person.organization_id)
            & (AccessGiven.account_id == Person.account_id),
        )
        .where(
            AccessGiven.organization_id == stored.organization_id,
            AccessGiven.rule_id == stored.id,
            AccessGiven.over_at.is_(None),
            Person.synced_at > sync.finished_at,
        )
    )
    return dict(session.execute(query).all())


def write_list(
    session: Session, stored: StoredAccessRule, plan: AccessPlan, draft: Draft, *, by: str, now: datetime
) -> Sequence[str]:
    """The draft takes the place of the list before it: it says how things stand now.

    Returns the ids of those that are no list any more, to be forgotten.
    """
    replaced = session.scalars(
        update(Run)
        .where(*_lists(stored))
        .values(origin_id="")
        .returning(Run.id)
        .execution_options(synchronize_session=False)
    ).all()
    run = list_draft(session, stored.organization_id, draft, stored.id)
    run.rule_version, run.mode, run.scope = stored.version, Mode.AUDIT.value, plan.scope
    run.reason = stored.brake.objection(len(plan.entries), plan.scope) or ""
    if by != APP:
        record_run(session, Event.RUN_PREVIEWED, run, by, now)
    if not stored.is_live:
        stored.last_result = in_short(plan) if plan.entries else NOTHING
    return replaced


def forget_lists(tools: Toolbox, organization_id: str, run_ids: Iterable[str]) -> None:
    """What nobody sees any more, or never did. Cut off, the daily clean-up finds it."""
    for run_id in run_ids:
        forget_preview(tools, organization_id, run_id)


def _lists(stored: StoredAccessRule) -> tuple[ColumnElement[bool], ...]:
    return (
        Run.organization_id == stored.organization_id,
        Run.origin == Origin.ACCESS_RULE.value,
        Run.origin_id == stored.id,
        Run.state == RunState.PREVIEW.value,
        Run.undoes.is_(None),
    )


def in_short(plan: AccessPlan) -> str:
    return f"{_people(len(plan.give))} to get it, {_people(len(plan.take))} to lose it."


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
