"""Whom only the identity provider can change: per group, for its administrator to work through."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import ColumnElement, String, cast, func, select
from sqlalchemy.orm import Session

from connect.caller import Caller
from models.people import Group, Person
from models.run import Case
from rules.case import CaseState
from rules.verdict import Why
from services.doors import require_organization
from services.exports import csv_lines, record_export
from services.runs import require_run
from services.toolbox import Toolbox

NO_GROUP = "Whole account owned by the provider"
"""Somebody whose whole account the identity provider owns, whatever groups they are in."""


def provider_groups(tools: Toolbox, caller: Caller, run_id: str) -> list[tuple[str, str, int]]:
    """(group id, name, people) of a run's people whom the identity provider owns; the largest group first."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        require_run(session, organization_id, run_id)
        names = _names(session, organization_id)
        counts: dict[str, int] = {}
        for groups, people in _combinations(session, organization_id, run_id):
            for group_id in groups:
                counts[group_id] = counts.get(group_id, 0) + people
    found = [(group_id, names.get(group_id, NO_GROUP), count) for group_id, count in counts.items()]
    return sorted(found, key=lambda group: (-group[2], group[1]))


def provider_csv(tools: Toolbox, caller: Caller, run_id: str) -> Iterator[str]:
    """One line per group and person; audited before the first one."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        require_run(session, organization_id, run_id)
        record_export(session, tools, caller, organization_id, "identity provider list", run_id)
        names = _names(session, organization_id)
        emails = _emails(session, organization_id, run_id)
        rows = [
            (
                names.get(group_id, NO_GROUP),
                case.name,
                emails.get(case.account_id),
                case.account_id,
                case.reason,
            )
            for case, group_id in _owned(session, organization_id, run_id)
        ]
    rows.sort(key=lambda row: (row[0], row[1]))
    return csv_lines(("group", "name", "email", "account id", "because"), iter(rows))


def _combinations(session: Session, organization_id: str, run_id: str) -> Iterator[tuple[list[str], int]]:
    """Each combination of groups with the number of people in it: far fewer than people."""
    groups = cast(Case.groups, String)
    query = select(groups, func.count(Case.id)).where(*_owned_in(organization_id, run_id))
    for found, people in session.execute(query.group_by(groups)):
        yield (json.loads(found) if found else None) or [""], people


def _owned_in(organization_id: str, run_id: str) -> tuple[ColumnElement[bool], ...]:
    """With the state that goes with that reason, an index has them."""
    return (
        Case.organization_id == organization_id,
        Case.run_id == run_id,
        Case.state == CaseState.NOT_POSSIBLE.value,
        Case.why == Why.PROVIDER.value,
    )


def _owned(session: Session, organization_id: str, run_id: str) -> Iterator[tuple[Case, str]]:
    query = select(Case).where(*_owned_in(organization_id, run_id))
    for case in session.scalars(query.execution_options(yield_per=1000)):
        for group_id in case.groups or [""]:
            yield case, group_id


def _names(session: Session, organization_id: str) -> dict[str, str]:
    query = select(Group.group_id, Group.name).where(Group.organization_id == organization_id)
    return dict(session.execute(query).all())


def _emails(session: Session, organization_id: str, run_id: str) -> dict[str, str | None]:
    query = (
        select(Person.account_id, Person.email)
        .join(Case, (Case.organization_id == Person.organization_id) & (Case.account_id == Person.account_id))
        .where(*_owned_in(organization_id, run_id))
    )
    return dict(session.execute(query).all())
