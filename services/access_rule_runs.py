"""Evaluating access rules: after each complete sync, and when somebody changed one. Audit lists, live gives and takes.

In between a live rule looks at single people who were read again (services/access_rule_news.py), and at nobody else.
Each evaluation has a number, which is taken in the transaction that decides: of two workers with the same one the
second finds it done. What is about everybody is worked out before that, a batch at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connect.errors import NotReady
from models.access_rule import AccessRuleNews, StoredAccessRule, find_access_rule, find_given
from models.audit import APP, Event
from models.credential import admin_keys_of
from models.organization import Organization
from models.profile import find_profile
from models.run import Case, Run
from models.sync import Sync, SyncState, latest_sync, running_sync
from rules.access_rule import AccessPlan
from rules.case import CHOSEN, RunState
from rules.roster import Origin
from rules.rule import Mode
from services import access_rule_news
from services.access_given import why_gone_again
from services.access_rule_lists import NOTHING, forget_lists, in_short, plan_of, write_list
from services.access_rules import to_audit
from services.audit import record
from services.leasing import turn
from services.previews import require_fresh_sync
from services.roster import MOST_ENTRIES, Draft, begin_draft, begin_roster, draft_roster
from services.toolbox import Toolbox

PROFILE_CHANGED = (
    "The profile gives something else by now: look at the list, then switch the rule live again."
)
TOO_MANY = (
    f"More than {MOST_ENTRIES:,} people would get or lose something. Make rules about smaller groups instead."
)
WAITS = "Waits for its brake: look at the run, then release it or stop it."
FAULT = "Something went wrong inside Rollcall. It is tried again after the next sync."
GATHER = timedelta(seconds=5)
"""Between two looks at single people: a hundred newcomers are a few runs, and not a hundred."""


def due_access_rules(tools: Toolbox, limit: int = 20) -> list[tuple[str, str, int]]:
    """(organization id, rule id, number of the evaluation) of the rules that a sync, a change or news made due.

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
    news = select(AccessRuleNews.account_id).where(
        AccessRuleNews.organization_id == StoredAccessRule.organization_id,
        AccessRuleNews.rule_id == StoredAccessRule.id,
    )
    gathered = news.exists() & (StoredAccessRule.evaluated_at <= tools.clock() - GATHER)
    query = (
        select(StoredAccessRule.organization_id, StoredAccessRule.id, StoredAccessRule.evaluations)
        .join(Organization, Organization.id == StoredAccessRule.organization_id)
        .where(
            Organization.doorless_since.is_(None),
            newest.is_not(None),
            StoredAccessRule.sync_id.is_distinct_from(newest)
            | ((StoredAccessRule.again.is_(True) | gathered) & ~at_work.exists()),
            ~reading.exists(),
        )
        .order_by(
            turn(StoredAccessRule.organization_id, StoredAccessRule.evaluated_at, StoredAccessRule.id),
            StoredAccessRule.evaluated_at,
        )
        .limit(limit)
    )
    with tools.begin() as session:
        return [(one, rule_id, number + 1) for one, rule_id, number in session.execute(query)]


def evaluate(tools: Toolbox, organization_id: str, rule_id: str, number: int) -> None:
    """The evaluation of this number, once. May be repeated."""
    now = tools.clock()
    whole = _look_at_everybody(tools, organization_id, rule_id, number, now)
    replaced: Sequence[str] = ()
    with tools.begin() as session:
        sync = latest_sync(session, organization_id, SyncState.COMPLETE)
        if sync is None or (whole is not None and not whole.counts(session, sync)):
            return
        stored = _take(session, organization_id, rule_id, number)
        if stored is None:
            return
        obstacle = _obstacle(session, stored, now)
        if not obstacle and whole is not None and whole.is_too_large:
            obstacle = TOO_MANY
        if obstacle:
            _stopped_by(session, stored, sync, obstacle, now)
        elif whole is not None and not stored.is_live and whole.draft is not None:
            _looked_at_all(session, stored, sync, whole, now)
            replaced = write_list(session, stored, whole.plan, whole.draft, by=APP, now=now)
        elif whole is not None:
            _looked_at_all(session, stored, sync, whole, now)
            _note(session, stored, whole.plan, now)
            _act(tools, session, stored, whole.plan, now, draft=whole.draft)
        elif not _is_about_everybody(stored, sync):
            _look_at_news(tools, session, stored, sync, now)
    forget_lists(tools, organization_id, replaced)


@dataclass(frozen=True, slots=True)
class _Whole:
    """What the rule would do to everybody, worked out while others write. No draft where there is nothing to begin."""

    sync_id: str
    plan: AccessPlan
    draft: Draft | None

    @property
    def is_too_large(self) -> bool:
        return len(self.plan.entries) > MOST_ENTRIES

    def counts(self, session: Session, newest: Sync) -> bool:
        """Whether everybody was read as they are known now, and not in part before the next sync."""
        return newest.id == self.sync_id and running_sync(session, newest.organization_id) is None


def _look_at_everybody(
    tools: Toolbox, organization_id: str, rule_id: str, number: int, now: datetime
) -> _Whole | None:
    """None: it is about single people, or something stands against it.

    The rule is not held meanwhile: whoever changes what it does takes the number.
    """
    with tools.begin() as session:
        stored = find_access_rule(session, organization_id, rule_id)
        sync = latest_sync(session, organization_id, SyncState.COMPLETE)
        if stored is None or sync is None or stored.evaluations != number - 1:
            return None
        if not _is_about_everybody(stored, sync) or _obstacle(session, stored, now):
            return None
        access_rule_news.look_at_all(session, stored)
    with tools.begin() as session:
        stored = find_access_rule(session, organization_id, rule_id)
        sync = latest_sync(session, organization_id, SyncState.COMPLETE)
        if stored is None or sync is None:
            return None
        sync_id, plan, is_live = sync.id, plan_of(tools, session, stored, sync), stored.is_live
    whole = _Whole(sync_id, plan, None)
    if whole.is_too_large or (is_live and not plan.entries):
        return whole
    draft = draft_roster(tools, organization_id, plan.entries, Origin.ACCESS_RULE, by=APP, now=now)
    return replace(whole, draft=draft)


def _is_about_everybody(stored: StoredAccessRule, sync: Sync) -> bool:
    return stored.sync_id != sync.id or stored.again or not stored.is_live


def _stopped_by(session: Session, stored: StoredAccessRule, sync: Sync, obstacle: str, now: datetime) -> None:
    access_rule_news.take(session, stored)
    stored.sync_id, stored.evaluated_at, stored.again = sync.id, now, False
    if obstacle == PROFILE_CHANGED:
        _follow_profile(session, stored, now)
    stored.last_result = obstacle


def _looked_at_all(
    session: Session, stored: StoredAccessRule, sync: Sync, whole: _Whole, now: datetime
) -> None:
    access_rule_news.looked_at_all(session, stored)
    first = stored.sync_id != sync.id
    stored.sync_id, stored.evaluated_at = sync.id, now
    stored.again = stored.is_live and first and bool(whole.plan.later)


def _look_at_news(
    tools: Toolbox, session: Session, stored: StoredAccessRule, sync: Sync, now: datetime
) -> None:
    news = access_rule_news.take(session, stored)
    stored.evaluated_at = now
    plan = plan_of(tools, session, stored, sync, news)
    _note(session, stored, plan, now)
    access_rule_news.again(session, stored, [one for one in plan.later if not news.get(one)])
    _act(tools, session, stored, plan, now, before=_changed_since(session, stored, sync, plan))


def fail_evaluation(tools: Toolbox, organization_id: str, rule_id: str, number: int) -> None:
    """It met a fault of our own, which is in the log: the rule goes on after the next sync."""
    with tools.begin() as session:
        stored = _take(session, organization_id, rule_id, number)
        sync = latest_sync(session, organization_id, SyncState.COMPLETE)
        if stored is not None:
            stored.sync_id = sync.id if sync is not None else None
            stored.again, stored.last_result = False, FAULT
            access_rule_news.take(session, stored)


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
    if _profile_differs(session, stored):
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
    """What a reading found out about what the rule had given."""
    for account_id, part in (*plan.lost, *plan.loops):
        found = find_given(session, stored.organization_id, stored.id, account_id, part)
        if found is not None:
            found.missing += 1
    for account_id, part in plan.loops:
        found = find_given(session, stored.organization_id, stored.id, account_id, part)
        if found is not None:
            found.stopped_at, found.reason = now, why_gone_again(session, found)
            record(
                session,
                Event.ACCESS_RULE_LOOP,
                at=now,
                actor=APP,
                organization_id=stored.organization_id,
                subject=account_id,
                run_id=stored.last_run_id,
                result=found.reason,
                details={"access_rule": stored.id, "name": stored.name},
            )
    for account_id, part, why in plan.over:
        found = find_given(session, stored.organization_id, stored.id, account_id, part)
        if found is not None:
            found.over_at, found.reason = now, why


def _changed_since(session: Session, stored: StoredAccessRule, sync: Sync, plan: AccessPlan) -> int:
    """How many others the rule has changed since the sync, without those whom an operator let go.

    One by one, people would pass a brake that stops them together (S47).
    """
    query = (
        select(Case.account_id)
        .join(Run, (Run.organization_id == Case.organization_id) & (Run.id == Case.run_id))
        .where(
            Run.organization_id == stored.organization_id,
            Run.origin == Origin.ACCESS_RULE.value,
            Run.origin_id == stored.id,
            Run.undoes.is_(None),
            Run.state != RunState.PREVIEW.value,
            Run.created_at >= sync.finished_at,
            Run.reason == "",
            Case.state.in_([state.value for state in CHOSEN]),
        )
    )
    return len({*session.scalars(query)} - {entry.account_id for entry in plan.entries})


def _objection(stored: StoredAccessRule, plan: AccessPlan, chosen: int, before: int) -> str | None:
    objection = stored.brake.objection(chosen + before, plan.scope)
    if objection is None or not before:
        return objection
    return f"{objection} Counted with them: {before:,} whom the rule has changed since the last sync."


def _act(
    tools: Toolbox,
    session: Session,
    stored: StoredAccessRule,
    plan: AccessPlan,
    now: datetime,
    *,
    draft: Draft | None = None,
    before: int = 0,
) -> None:
    if not plan.entries:
        stored.last_result = NOTHING
        return

    def brake(chosen: int) -> str | None:
        return _objection(stored, plan, chosen, before)

    organization_id, origin = stored.organization_id, Origin.ACCESS_RULE
    if draft is not None:
        run = begin_draft(session, organization_id, draft, stored.id, now=now, brake=brake)
    else:
        run = begin_roster(
            session, tools, organization_id, plan.entries, origin, stored.id, by=APP, now=now, brake=brake
        )
    run.rule_version, run.mode, run.scope = stored.version, Mode.LIVE.value, plan.scope
    stored.last_run_id = run.id
    stored.last_result = WAITS if run.state == RunState.BRAKED else in_short(plan)


def _profile_differs(session: Session, stored: StoredAccessRule) -> bool:
    profile = find_profile(session, stored.organization_id, stored.profile_id or "")
    return profile is not None and profile.access != stored.gives


def _follow_profile(session: Session, stored: StoredAccessRule, now: datetime) -> None:
    """A live rule does not give more, or less, than somebody looked at because its profile was changed."""
    profile = find_profile(session, stored.organization_id, stored.profile_id or "")
    assert profile is not None
    sync_id, was_live = stored.sync_id, stored.is_live
    stored.roles = [list(role) for role in profile.access.roles]
    stored.groups = list(profile.access.groups)
    to_audit(session, stored, APP, now)
    stored.sync_id = None if was_live else sync_id
