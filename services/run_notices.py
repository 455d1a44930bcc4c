"""What becomes of a run is told to the hooks that asked for it, in the transaction in which it happens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from models.access_rule import find_access_rule
from models.audit import APP
from models.rule import StoredRule
from models.run import Run, count_left_alone
from models.scim import ScimConnection
from rules.case import CaseState
from rules.roster import Origin
from rules.topics import Topic
from services.notice_words import BY_CLOCK
from services.notices import announce


def tell_started(session: Session, run: Run, chosen: int, now: datetime) -> None:
    """A run goes to work on so many people. An undo is told when it is over."""
    if run.undoes is None:
        _tell(session, run, Topic.RUN_STARTED, run.id, now, {"chosen": chosen})


def tell_finished(session: Session, run: Run, counts: Mapping[CaseState, int], now: datetime) -> None:
    """A run, or an undo, is over. After *try again* it is told once more, if that changed a number."""
    never_chosen = count_left_alone(session, run.organization_id, [run.id]).get(run.id, 0)
    facts = {
        "acted": counts.get(CaseState.ACTED, 0),
        "listed": counts.get(CaseState.LISTED, 0),
        "failed": counts.get(CaseState.FAILED, 0) + counts.get(CaseState.REFUSED, 0),
        "spared": counts.get(CaseState.SPARED, 0) - never_chosen,
    }
    occasion = ":".join([run.id, *(str(number) for number in facts.values())])
    topic = Topic.RUN_UNDONE if run.undoes is not None else Topic.RUN_FINISHED
    _tell(session, run, topic, occasion, now, facts)


def tell_not_begun(session: Session, run: Run, topic: Topic, now: datetime) -> None:
    """A run was braked or refused: `run.reason` says why."""
    _tell(session, run, topic, run.id, now, {"reason": run.reason[:300]})


def _tell(
    session: Session,
    run: Run,
    topic: Topic,
    occasion: str,
    now: datetime,
    facts: dict[str, int] | dict[str, str],
) -> None:
    rule = session.get(StoredRule, (run.organization_id, run.rule_id)) if run.rule_id else None
    name = rule.name if rule is not None else _access_rule_name(session, run)
    origin = run.origin or (BY_CLOCK if run.requested_by == APP else "")
    named = {"rule": name, "deed": run.deed or "", "origin": origin}
    if run.origin == Origin.SCIM:
        named["provider"] = _provider_name(session, run)
    if run.rule_id is not None:
        named["rule_id"] = run.rule_id
    announce(session, run.organization_id, topic, occasion, now, facts={**named, **facts}, run_id=run.id)


def _provider_name(session: Session, run: Run) -> str:
    found = session.get(ScimConnection, (run.organization_id, run.origin_id))
    return found.name if found is not None else ""


def _access_rule_name(session: Session, run: Run) -> str:
    if run.origin != Origin.ACCESS_RULE:
        return ""
    stored = find_access_rule(session, run.organization_id, run.origin_id)
    return stored.name if stored is not None else ""
