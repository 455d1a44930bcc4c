"""Rules as operators keep them: made, changed, switched on and off, copied, deleted. Every change is a new version."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict, NotReady
from models.audit import Event
from models.organization import Organization, close_gate
from models.people import Person
from models.rule import RuleVersion, StoredRule, find_rule_by_name, rules_of
from models.run import Run
from rules.case import CaseState, RunState
from rules.rule import Rule
from rules.rule_file import BadRule, Problem, parse_rule, rule_to_data
from rules.rule_names import unknown_names
from rules.rungs_beyond import rungs_beyond
from services.audit import record
from services.batches import batches
from services.calendars import next_run_at
from services.doors import require_organization
from services.ground import organization_facts
from services.names import names_of
from services.rule_book import SWITCHED_OFF
from services.rule_versions import newest, require_rule, require_unchanged, what_is_missing
from services.runs import stop_run
from services.schedules import problem_of
from services.toolbox import Toolbox

MOST_RULES = 100


def save_rule(
    tools: Toolbox,
    caller: Caller,
    data: Mapping[str, object],
    rule_id: str | None = None,
    seen: int | None = None,
) -> str:
    """Makes a rule, or a new version of one; unchanged data makes none. Returns the rule's id.

    Raises BadRule with every problem at its field; then nothing is saved. Raises NotFound, and Conflict when there
    are too many rules, or when somebody else has changed the version that was `seen`. A rule that is on stays on; a
    live one waits for a preview of its new version.
    """
    organization_id = require_organization(tools, caller)
    rule = parse_rule(data)
    now = tools.clock()
    with tools.begin() as session:
        close_gate(session, organization_id)
        problems = problems_here(session, organization_id, rule, rule_id)
        if problems:
            raise BadRule(problems)
        if rule_id is not None and seen is not None:
            _require_unchanged(session, require_rule(session, organization_id, rule_id), seen)
        return store_rule(session, organization_id, caller, rule, rule_id, now)


def _require_unchanged(session: Session, stored: StoredRule, seen: int) -> None:
    """Of two operators who edit at once, the second one reads what the first has changed, and does not undo it."""
    if stored.version == seen:
        return
    version, _rule = newest(session, stored)
    names = names_of(session, stored.organization_id, [version.created_by])
    raise Conflict(
        f"Not saved: {names.get(version.created_by, 'somebody else')} has changed this rule since you opened it.",
        "Open the rule again, read what it says now, and make your change there.",
    )


def store_rule(
    session: Session, organization_id: str, caller: Caller, rule: Rule, rule_id: str | None, now: datetime
) -> str:
    """Saves a rule without problems in the caller's transaction. Returns its id."""
    if rule_id is None:
        return _create(session, organization_id, caller, rule, now)
    _change(session, require_rule(session, organization_id, rule_id), caller, rule, now)
    return rule_id


def problems_here(
    session: Session, organization_id: str, rule: Rule, rule_id: str | None
) -> tuple[Problem, ...]:
    """What only this organization can say about a rule: its name, groups, products, people and calendar."""
    organization = organization_facts(session, organization_id)
    problems = [*unknown_names(rule, organization), *rungs_beyond(rule, organization)]
    problems += _unknown_people(session, organization_id, rule.who.people)
    same_name = find_rule_by_name(session, organization_id, rule.name)
    if same_name is not None and same_name.id != rule_id:
        problems.insert(0, Problem("name", "Another rule has this name. Choose a different one."))
    billing_day = session.get_one(Organization, organization_id).billing_day
    calendar = problem_of(rule.schedule, billing_day)
    if calendar is not None:
        problems.append(Problem(calendar.field, calendar.sentence))
    return tuple(problems)


def _unknown_people(session: Session, organization_id: str, account_ids: Sequence[str]) -> list[Problem]:
    known: set[str] = set()
    for batch in batches(account_ids):
        query = select(Person.account_id).where(
            Person.organization_id == organization_id, Person.account_id.in_(batch)
        )
        known.update(session.scalars(query))
    return [
        Problem("who.people", f"Your organization has no person with the account id “{account_id[:60]}”.")
        for account_id in account_ids
        if account_id not in known
    ]


def switch_on(tools: Toolbox, caller: Caller, rule_id: str, seen: int | None = None) -> None:
    """From now on the rule runs by the clock, and by *Run now*.

    Raises NotReady with what has to be done before, and Conflict when it is not the version any more that was `seen`.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        close_gate(session, organization_id)
        stored = require_rule(session, organization_id, rule_id)
        require_unchanged(stored, seen)
        version, rule = newest(session, stored)
        missing = what_is_missing(version, rule)
        if missing is not None:
            raise missing
        if stored.is_on:
            return
        calendar = problem_of(rule.schedule, session.get_one(Organization, organization_id).billing_day)
        if calendar is not None:
            # While the rule was off, the day that it goes by may have been cleared.
            raise NotReady(calendar.sentence, "Then switch the rule on.", reason="no_date")
        stored.is_on = True
        stored.next_run_at = next_run_at(session, organization_id, rule.schedule, now)
        record_rule(session, Event.RULE_SWITCHED_ON, stored, caller, now)


def switch_off(tools: Toolbox, caller: Caller, rule_id: str) -> None:
    """Nothing happens by this rule any more: whoever waits is left alone, in the same transaction."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        stored = require_rule(session, organization_id, rule_id)
        if stored.is_on:
            _switch_off(session, stored, caller, now)
            record_rule(session, Event.RULE_SWITCHED_OFF, stored, caller, now)


def confirm_rule(tools: Toolbox, caller: Caller, rule_id: str, seen: int) -> None:
    """A second operator agrees to a rule that deletes accounts, in the version that they have `seen`.

    Raises Conflict for its author, and when it has been changed since.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        stored = require_rule(session, organization_id, rule_id)
        version, rule = newest(session, stored)
        if not rule.needs_second_operator or version.confirmed_by is not None:
            raise Conflict("There is nothing to confirm.", "Look at the rule again.")
        require_unchanged(stored, seen)
        if version.created_by == caller.account_id:
            raise Conflict(
                "You wrote this version of the rule: somebody else has to confirm it.",
                "Ask a second operator.",
            )
        version.confirmed_by, version.confirmed_at = caller.account_id, now
        record_rule(session, Event.RULE_CONFIRMED, stored, caller, now)


def duplicate_rule(tools: Toolbox, caller: Caller, rule_id: str) -> str:
    """A copy that is off, under a name of its own. What the rule names and is gone, the copy names, too.

    Returns its id. Raises Conflict when there are too many rules.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        close_gate(session, organization_id)
        _version, rule = newest(session, require_rule(session, organization_id, rule_id))
        taken = {stored.name for stored in rules_of(session, organization_id)}
        names = (
            f"{rule.name[:85]} (copy{f' {number}' if number > 1 else ''})"
            for number in range(1, MOST_RULES + 2)
        )
        name = next(name for name in names if name not in taken)
        return _create(session, organization_id, caller, replace(rule, name=name), now)


def delete_rule(tools: Toolbox, caller: Caller, rule_id: str) -> None:
    """Switches the rule off for good; its runs stay, with the versions that they name."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        stored = require_rule(session, organization_id, rule_id)
        _switch_off(session, stored, caller, now)
        stored.deleted_at = now
        record_rule(session, Event.RULE_DELETED, stored, caller, now)


def switch_all_off(session: Session, organization_id: str, actor: str, now: datetime) -> None:
    """No rule of an organization runs before somebody has switched it on again. Its runs are stopped elsewhere."""
    for stored in rules_of(session, organization_id):
        if stored.is_on:
            stored.is_on, stored.next_run_at = False, None
            _record(session, Event.RULE_SWITCHED_OFF, stored, actor, None, now)


def record_rule(session: Session, event: Event, stored: StoredRule, caller: Caller, now: datetime) -> None:
    """Writes what happened to a rule into the audit."""
    _record(session, event, stored, caller.account_id or "", caller.tenant, now)


def _record(
    session: Session, event: Event, stored: StoredRule, actor: str, client_key: str | None, now: datetime
) -> None:
    record(
        session,
        event,
        at=now,
        actor=actor,
        organization_id=stored.organization_id,
        client_key=client_key,
        result=f"{stored.name}, version {stored.version}",
        details={"rule": stored.id, "version": str(stored.version)},
    )


def _create(session: Session, organization_id: str, caller: Caller, rule: Rule, now: datetime) -> str:
    if len(rules_of(session, organization_id)) >= MOST_RULES:
        raise Conflict(f"There are {MOST_RULES} rules already.", "Delete one that you do not need any more.")
    stored = StoredRule(
        organization_id=organization_id,
        id=str(uuid.uuid4()),
        name=rule.name,
        version=1,
        is_on=False,
        created_by=caller.account_id or "",
        created_at=now,
    )
    session.add(stored)
    session.flush()
    session.add(_version(stored, caller, rule, now))
    record_rule(session, Event.RULE_CREATED, stored, caller, now)
    return stored.id


def _change(session: Session, stored: StoredRule, caller: Caller, rule: Rule, now: datetime) -> None:
    _before, known = newest(session, stored)
    if known == rule:
        return
    stored.name, stored.version = rule.name, stored.version + 1
    session.add(_version(stored, caller, rule, now))
    # With the same dates, one that has come stays: its run may be waiting for a sync.
    if stored.is_on and known.schedule != rule.schedule:
        stored.next_run_at = next_run_at(session, stored.organization_id, rule.schedule, now)
    record_rule(session, Event.RULE_CHANGED, stored, caller, now)


def _version(stored: StoredRule, caller: Caller, rule: Rule, now: datetime) -> RuleVersion:
    definition: dict[str, Any] = rule_to_data(rule)
    return RuleVersion(
        organization_id=stored.organization_id,
        rule_id=stored.id,
        version=stored.version,
        definition=definition,
        created_by=caller.account_id or "",
        created_at=now,
    )


def _switch_off(session: Session, stored: StoredRule, caller: Caller, now: datetime) -> None:
    stored.is_on, stored.next_run_at = False, None
    runs = select(Run).where(
        Run.organization_id == stored.organization_id,
        Run.rule_id == stored.id,
        Run.undoes.is_(None),
        Run.state.in_([RunState.RUNNING.value, RunState.BRAKED.value]),
    )
    for run in session.scalars(runs).all():
        stop_run(session, run, caller.account_id or "", now, SWITCHED_OFF, CaseState.SPARED)
