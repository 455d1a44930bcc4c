"""Whom a rule has told without a deed behind it, and who answered it that they still need their access."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, and_, func, select
from sqlalchemy.orm import Session

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


def told(session: Session, organization_id: str, rule_id: str | None) -> dict[str, tuple[datetime, int]]:
    """Whom this rule has warned without a deed behind it: when last, and by which of its rungs."""
    if rule_id is None:
        return {}
    query = (
        select(Case.account_id, Case.step, func.max(Case.finished_at))
        .where(is_case_of_rule(organization_id, rule_id), WAS_TOLD)
        .group_by(Case.account_id, Case.step)
    )
    found: dict[str, tuple[datetime, int]] = {}
    for person, step, at in session.execute(query):
        assert at is not None
        found[person] = max(found.get(person, (at, step)), (at, step))
    return found


def kept(session: Session, organization_id: str, rule_id: str | None) -> dict[str, datetime]:
    """Who answered this rule that they still need their access, and when last."""
    if rule_id is None:
        return {}
    query = (
        select(Case.account_id, func.max(Case.kept_at))
        .where(is_case_of_rule(organization_id, rule_id), Case.kept_at.is_not(None))
        .group_by(Case.account_id)
    )
    return {person: at for person, at in session.execute(query) if at is not None}


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
