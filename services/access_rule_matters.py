"""What of the access rules needs an operator: runs stopped by their brake, and people whom a rule gave up on."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from models.access_rule import AccessGiven, StoredAccessRule
from models.run import Run
from rules.case import RunState
from rules.roster import Origin
from rules.topics import Topic
from services.access_given import BY_OTHERS, GONE_AGAIN
from services.matter import Matter

LOOKED_AT = timedelta(days=30)
# Asked on every page: not built anew each time.
_BRAKED = (
    select(Run, StoredAccessRule.name)
    .join(
        StoredAccessRule,
        (StoredAccessRule.organization_id == Run.organization_id) & (StoredAccessRule.id == Run.origin_id),
    )
    .where(
        Run.organization_id == bindparam("organization_id"),
        Run.origin == Origin.ACCESS_RULE.value,
        Run.state == RunState.BRAKED.value,
    )
)
_LOOPS = (
    select(
        StoredAccessRule.id,
        StoredAccessRule.name,
        func.count(AccessGiven.account_id.distinct()),
        func.max(AccessGiven.stopped_at),
        func.count().filter(AccessGiven.reason == BY_OTHERS),
        func.count(),
    )
    .join(
        AccessGiven,
        (AccessGiven.organization_id == StoredAccessRule.organization_id)
        & (AccessGiven.rule_id == StoredAccessRule.id),
    )
    .where(
        StoredAccessRule.organization_id == bindparam("organization_id"),
        AccessGiven.over_at.is_(None),
        AccessGiven.reason.startswith(GONE_AGAIN),
        AccessGiven.stopped_at > bindparam("since"),
    )
    .group_by(StoredAccessRule.id, StoredAccessRule.name)
)


def about_access_rules(session: Session, organization_id: str, now: datetime) -> list[Matter]:
    """The gravest first."""
    return [*_braked(session, organization_id), *_loops(session, organization_id, now)]


def _braked(session: Session, organization_id: str) -> list[Matter]:
    return [
        Matter(
            Topic.RUN_BRAKED,
            f"braked-{run.id}",
            "warning",
            f"The access rule “{name}” was stopped by its brake. {run.reason}",
            "Look at it",
            f"/app/runs/{run.id}",
        )
        for run, name in session.execute(_BRAKED, {"organization_id": organization_id})
    ]


def _loops(session: Session, organization_id: str, now: datetime) -> list[Matter]:
    rows = session.execute(_LOOPS, {"organization_id": organization_id, "since": now - LOOKED_AT})
    return [
        Matter(
            Topic.LOOP_FOUND,
            f"access-loop-{rule_id}-{newest}",
            "warning",
            f"The access rule “{name}” leaves {_people(people)} alone: "
            f"{_taker(by_others, every)} takes out what it gives.",
            "Open the rule",
            f"/app/onboarding/access-rules/{rule_id}",
        )
        for rule_id, name, people, newest, by_others, every in rows
    ]


def _taker(by_others: int, every: int) -> str:
    ours = "another rule or run of Rollcall"
    if by_others == every:
        return "another system"
    return f"another system, or {ours}," if by_others else ours


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
