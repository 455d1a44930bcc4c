"""Whom a rule has told without a deed behind it, and who answered it that they still need their access."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, and_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.run import Case, Run
from rules.case import CaseState
from rules.deeds import Deed
from rules.verdict import Why

WAS_TOLD = (
    (Case.deed == Deed.TELL.value)
    & (Case.state == CaseState.ACTED.value)
    & (Case.why != Why.UNREACHABLE.value)
)
"""Warned without a deed behind it, unless their only mail was refused: then they were not."""


def told(session: Session, organization_id: str, rule_id: str | None) -> dict[str, datetime]:
    """Whom this rule has warned without a deed behind it, and when last."""
    return _newest(session, organization_id, rule_id, Case.finished_at, WAS_TOLD)


def kept(session: Session, organization_id: str, rule_id: str | None) -> dict[str, datetime]:
    """Who answered this rule that they still need their access, and when last."""
    return _newest(session, organization_id, rule_id, Case.kept_at, Case.kept_at.is_not(None))


def _newest(
    session: Session,
    organization_id: str,
    rule_id: str | None,
    moment: InstrumentedAttribute[datetime | None],
    kind: ColumnElement[bool],
) -> dict[str, datetime]:
    """Account id → the newest such moment in the cases of a rule."""
    if rule_id is None:
        return {}
    its_runs = select(Run.id).where(Run.organization_id == organization_id, Run.rule_id == rule_id)
    # By run, and the newest of them found here: to group them, SQLite would read all cases there ever were.
    query = select(Case.account_id, moment).where(
        Case.organization_id == organization_id, Case.run_id.in_(its_runs), kind
    )
    found: dict[str, datetime] = {}
    for account_id, at in session.execute(query):
        if at is not None:
            found[account_id] = max(at, found.get(account_id, at))
    return found


def is_case_of_rule(
    organization_id: str | BindParameter[str], rule_id: str | BindParameter[str]
) -> ColumnElement[bool]:
    """A case of any run of a rule."""
    return and_(
        Case.organization_id == organization_id,
        Run.organization_id == Case.organization_id,
        Run.id == Case.run_id,
        Run.rule_id == rule_id,
    )
