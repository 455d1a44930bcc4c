"""What of the rules needs an operator: braked and refused runs, cases in review, people who came back."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from models.rule import StoredRule
from models.run import Case, Run
from rules.case import WAITING, RunState
from rules.topics import Topic
from services.answer_queue import newest_asking_at
from services.loops import LOOKED_AT, count_loops
from services.matter import Matter
from services.reviews import count_waiting

REMEMBERED = timedelta(days=7)
"""A refused run is a matter until the next run of its rule, while the rule is on, and not longer than this.

A braked one is as long as it holds its people: no run after it has them.
"""
# Asked on every page: not built anew each time.
_RUNS = (
    select(Run, StoredRule.name, StoredRule.is_on)
    .outerjoin(
        StoredRule,
        (StoredRule.organization_id == Run.organization_id) & (StoredRule.id == Run.rule_id),
    )
    .where(
        Run.organization_id == bindparam("organization_id"),
        Run.rule_id.is_not(None),
        Run.undoes.is_(None),
        Run.state != RunState.PREVIEW.value,
        (Run.created_at > bindparam("since")) | (Run.state == RunState.BRAKED.value),
    )
    .order_by(Run.created_at.desc())
)


def about_rules(session: Session, organization_id: str, now: datetime) -> list[Matter]:
    """The gravest first."""
    return [
        *_unfinished(session, organization_id, now),
        *_came_back(session, organization_id, now),
        *_waiting(session, organization_id),
    ]


def _unfinished(session: Session, organization_id: str, now: datetime) -> list[Matter]:
    newest: dict[str, str] = {}
    found = []
    rows = session.execute(_RUNS, {"organization_id": organization_id, "since": now - REMEMBERED})
    for run, rule_name, is_on in rows:
        rule_id, name = run.rule_id or "", rule_name or "A rule"
        is_newest = newest.setdefault(rule_id, run.id) == run.id
        if run.state == RunState.BRAKED:
            sentence = f"“{name}” was stopped by its brake. {run.reason}"
            found.append(
                Matter(
                    Topic.RUN_BRAKED,
                    f"braked-{run.id}",
                    "warning",
                    sentence,
                    "Look at it",
                    f"/app/runs/{run.id}",
                )
            )
        elif is_newest and is_on and run.state == RunState.REFUSED:
            sentence = f"“{name}” did not run. {run.reason}"
            found.append(
                Matter(
                    Topic.RUN_REFUSED,
                    f"refused-{run.id}",
                    "warning",
                    sentence,
                    "Open the rule",
                    f"/app/rules/{rule_id}",
                )
            )
    return found


def _waiting(session: Session, organization_id: str) -> list[Matter]:
    waiting = sum(count_waiting(session, organization_id).values())
    if not waiting:
        return []
    newest = session.scalar(
        select(Run.id)
        .join(Case, (Case.organization_id == Run.organization_id) & (Case.run_id == Run.id))
        .where(
            Run.organization_id == organization_id,
            Run.state == RunState.RUNNING.value,
            Case.state.in_([state.value for state in WAITING]),
        )
        .order_by(Run.created_at.desc())
        .limit(1)
    )
    asked_at = newest_asking_at(session, organization_id)
    people = "1 person waits" if waiting == 1 else f"{waiting:,} people wait"
    return [
        Matter(
            Topic.REVIEW_WAITING,
            # Another run, or another answer, also about a run of long ago, makes it a new matter.
            f"review-{newest or ''}-{asked_at.isoformat() if asked_at is not None else ''}",
            "info",
            f"{people} for your decision.",
            "Review them",
            "/app/review",
            waiting,
        )
    ]


def _came_back(session: Session, organization_id: str, now: datetime) -> list[Matter]:
    back = count_loops(session, organization_id, now)
    if not back:
        return []
    people = "1 person has" if back == 1 else f"{back:,} people have"
    newest, found_at = session.execute(
        select(Case.run_id, Case.came_back_at)
        .where(Case.organization_id == organization_id, Case.came_back_at > now - LOOKED_AT)
        .order_by(Case.came_back_at.desc())
        .limit(1)
    ).one()
    return [
        Matter(
            Topic.LOOP_FOUND,
            # Whoever joins them makes it a new matter; that somebody is not looked at any more does not.
            f"loop-{found_at}",
            "warning",
            f"{people} back what a run took away: another system, such as your identity provider, gives it again.",
            "Look at the run",
            f"/app/runs/{newest}",
        )
    ]
