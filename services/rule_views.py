"""Rules as people see them: the list, and one rule with its dates, versions and runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from connect.caller import Caller
from connect.errors import NotReady
from models.rule import RuleVersion, StoredRule, rules_of
from models.run import Run
from rules.case import RunState
from rules.organization import OrganizationFacts
from rules.rule import Mode, Rule
from rules.rule_file import parse_rule, rule_to_data
from rules.sentence import sentence_of
from services.calendars import dates_of
from services.doors import require_organization
from services.ground import organization_facts
from services.names import names_of
from services.rule_plans import plan_before
from services.rule_versions import newest, require_rule, what_is_missing
from services.run_progress import RunView, view_of, views_of
from services.runs import require_run
from services.toolbox import Toolbox

MOST_RUNS = 20


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule in the list. `missing` is what has to be done before it may run by itself."""

    id: str
    name: str
    mode: Mode
    is_on: bool
    version: int
    sentence: str
    next_run_at: datetime | None
    last_run: RunView | None
    missing: NotReady | None


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version, newest first. `created_by`, `confirmed_by` and `seen_by` are names.

    `needs_second_operator` is about this version: another one of the rule may delete accounts, or not.
    """

    version: int
    created_by: str
    created_at: datetime
    confirmed_by: str
    seen_by: str
    needs_second_operator: bool


@dataclass(frozen=True, slots=True)
class RuleInShort:
    """What the preview of a rule says of it."""

    id: str
    name: str
    rule: Rule
    is_on: bool
    version: int
    missing: NotReady | None


@dataclass(frozen=True, slots=True)
class RulePage:
    """One rule. `dates` are its next five, whether it is on or not; `may_confirm`: the caller is a second operator."""

    line: RuleLine
    rule: Rule
    data: dict[str, Any]
    time_zone: str
    dates: list[datetime]
    versions: list[VersionLine]
    runs: list[RunView]
    preview: RunView | None
    may_confirm: bool


def list_rules(tools: Toolbox, caller: Caller) -> list[RuleLine]:
    """The rules of the organization, by name."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        organization = organization_facts(session, organization_id)
        stored = rules_of(session, organization_id)
        versions = _newest_versions(session, organization_id)
        last = _last_runs(session, organization_id)
        runs = {run.rule_id: run for run in views_of(session, organization_id, last, now)}
        return [_line(each, versions[each.id], organization, runs.get(each.id)) for each in stored]


def rule_in_short(tools: Toolbox, caller: Caller, rule_id: str) -> RuleInShort:
    """A rule without its runs: counting those takes long. Raises NotFound for another organization's rule."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        stored = require_rule(session, organization_id, rule_id)
        version, rule = newest(session, stored)
        missing = what_is_missing(version, rule)
        return RuleInShort(stored.id, stored.name, rule, stored.is_on, stored.version, missing)


def is_first_look(tools: Toolbox, caller: Caller, run_id: str) -> bool:
    """Whether there is no earlier plan of its rule that this run could be compared with. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        return plan_before(session, require_run(session, organization_id, run_id)) is None


def show_rule(tools: Toolbox, caller: Caller, rule_id: str) -> RulePage:
    """Everything the page of one rule says. Raises NotFound for another organization's rule."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        stored = require_rule(session, organization_id, rule_id)
        version, rule = newest(session, stored)
        runs = _runs(session, stored, now)
        dates, time_zone = dates_of(session, organization_id, rule.schedule, now)
        return RulePage(
            line=_line(
                stored,
                version,
                organization_facts(session, organization_id),
                _last_run(session, stored, now),
            ),
            rule=rule,
            data=rule_to_data(rule),
            time_zone=time_zone,
            dates=dates,
            versions=_versions(session, stored),
            runs=[run for run in runs if run.state is not RunState.PREVIEW],
            preview=next((run for run in runs if run.state is RunState.PREVIEW), None),
            may_confirm=rule.needs_second_operator
            and version.confirmed_by is None
            and version.created_by != caller.account_id,
        )


def _line(
    stored: StoredRule, version: RuleVersion, organization: OrganizationFacts, last_run: RunView | None
) -> RuleLine:
    rule = parse_rule(version.definition)
    return RuleLine(
        id=stored.id,
        name=stored.name,
        mode=rule.mode,
        is_on=stored.is_on,
        version=stored.version,
        sentence=sentence_of(rule, organization),
        next_run_at=stored.next_run_at,
        last_run=last_run,
        missing=what_is_missing(version, rule),
    )


def _newest_versions(session: Session, organization_id: str) -> dict[str, RuleVersion]:
    """Rule id → the newest version, of all rules at once."""
    query = (
        select(RuleVersion)
        .join(
            StoredRule,
            (StoredRule.organization_id == RuleVersion.organization_id)
            & (StoredRule.id == RuleVersion.rule_id)
            & (StoredRule.version == RuleVersion.version),
        )
        .where(StoredRule.organization_id == organization_id, StoredRule.deleted_at.is_(None))
    )
    return {version.rule_id: version for version in session.scalars(query)}


def _last_runs(session: Session, organization_id: str) -> Sequence[Run]:
    """The newest run of each rule, of all rules at once."""
    of_rule = aliased(Run)
    newest_run = (
        select(of_rule.id)
        .where(
            of_rule.organization_id == StoredRule.organization_id,
            of_rule.rule_id == StoredRule.id,
            of_rule.undoes.is_(None),
            of_rule.state != RunState.PREVIEW.value,
        )
        .order_by(of_rule.created_at.desc(), of_rule.id)
        .limit(1)
        .correlate(StoredRule)
        .scalar_subquery()
    )
    query = (
        select(Run)
        .join(StoredRule, (Run.organization_id == StoredRule.organization_id) & (Run.id == newest_run))
        .where(StoredRule.organization_id == organization_id, StoredRule.deleted_at.is_(None))
    )
    return session.scalars(query).all()


def _last_run(session: Session, stored: StoredRule, now: datetime) -> RunView | None:
    last = session.scalar(_of_rule(stored).where(Run.state != RunState.PREVIEW.value).limit(1))
    return view_of(session, last, now) if last is not None else None


def _runs(session: Session, stored: StoredRule, now: datetime) -> list[RunView]:
    found = session.scalars(_of_rule(stored).limit(MOST_RUNS)).all()
    return views_of(session, stored.organization_id, found, now)


def _of_rule(stored: StoredRule) -> Any:
    return (
        select(Run)
        .where(Run.organization_id == stored.organization_id, Run.rule_id == stored.id, Run.undoes.is_(None))
        .order_by(Run.created_at.desc(), Run.id)
    )


def _versions(session: Session, stored: StoredRule) -> list[VersionLine]:
    query = select(RuleVersion).where(
        RuleVersion.organization_id == stored.organization_id, RuleVersion.rule_id == stored.id
    )
    found = list(session.scalars(query.order_by(RuleVersion.version.desc()).limit(MOST_RUNS)))
    people = [who for one in found for who in (one.created_by, one.confirmed_by, one.seen_by)]
    names = names_of(session, stored.organization_id, people)
    return [
        VersionLine(
            one.version,
            names.get(one.created_by, "Somebody who is not in the directory"),
            one.created_at,
            names.get(one.confirmed_by or "", "Somebody who is not in the directory")
            if one.confirmed_by
            else "",
            names.get(one.seen_by or "", "Somebody who is not in the directory") if one.seen_by else "",
            parse_rule(one.definition).needs_second_operator,
        )
        for one in found
    ]
