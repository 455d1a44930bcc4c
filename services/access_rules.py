"""Access rules as operators keep them: made, changed, switched live, deleted. What they do is in access_rule_runs."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict, NotFound, NotReady
from models.access_rule import (
    AccessGiven,
    StoredAccessRule,
    access_rules_of,
    find_access_rule,
    find_given,
    given_by,
    held_access_rule,
)
from models.audit import Event
from models.organization import close_gate
from models.people import Membership
from rules.roster import Origin
from rules.rule import Mode
from services.access_rule_form import Checked, Typed, checked
from services.audit import record
from services.doors import require_organization
from services.runs import stop_runs_of
from services.toolbox import Toolbox

MOST_RULES = 100
NOT_LOOKED_AT = "Nobody has looked at the list of this version of the rule."
ONLY_LISTS = "The access rule only lists by now."
DELETED = "The access rule was deleted."


def save_access_rule(tools: Toolbox, caller: Caller, typed: Typed, rule_id: str | None = None) -> str:
    """Makes a rule, which lists only, or changes one. Returns its id.

    Another meaning is a new version, and takes a live rule back to listing until somebody has looked at it. Raises
    BadRule with every problem at its field, NotFound, Conflict when there are too many rules.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        close_gate(session, organization_id)
        found = checked(session, organization_id, typed, rule_id)
        if rule_id is None:
            stored = _new(session, organization_id, caller, found, now)
            record_access_rule(session, Event.ACCESS_RULE_CREATED, stored, caller, now, "Version 1")
            return stored.id
        stored = require_access_rule(session, organization_id, rule_id)
        if _change(session, stored, found, caller, now):
            record_access_rule(
                session, Event.ACCESS_RULE_CHANGED, stored, caller, now, f"Version {stored.version}"
            )
        return stored.id


def switch_mode(tools: Toolbox, caller: Caller, rule_id: str, mode: Mode) -> StoredAccessRule:
    """Live: it gives and takes from now on. Audit: it lists only, and whoever waits is left alone.

    Raises NotReady before an operator has looked at the list of this version.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        stored = require_access_rule(session, organization_id, rule_id)
        if mode is Mode.LIVE and stored.seen_version != stored.version:
            raise NotReady(NOT_LOOKED_AT, "Look at the list, then switch the rule live.", reason="no_preview")
        if stored.mode != mode:
            _switch(session, stored, mode, caller.account_id or "", now)
            record_access_rule(session, Event.ACCESS_RULE_SWITCHED, stored, caller, now, mode.value)
        session.flush()
        session.expunge(stored)
        return stored


def delete_access_rule(tools: Toolbox, caller: Caller, rule_id: str) -> str:
    """Forgets a rule; what it gave stays with the people. Returns its name.

    What another live rule gives as well is that rule's to take back from now on.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        stored = require_access_rule(session, organization_id, rule_id)
        _stop_runs(session, stored, caller.account_id or "", now, DELETED)
        _hand_on(session, stored)
        record_access_rule(
            session, Event.ACCESS_RULE_DELETED, stored, caller, now, f"Version {stored.version}"
        )
        session.delete(stored)
        return stored.name


def give_again(tools: Toolbox, caller: Caller, rule_id: str, account_id: str) -> None:
    """An operator has found out who took it: the rule may give to this person again, from its next look on."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        stored = require_access_rule(session, organization_id, rule_id)
        stopped = [
            each
            for each in given_by(session, organization_id, rule_id)
            if each.account_id == account_id and each.stopped_at is not None
        ]
        if not stopped:
            raise Conflict("The rule does not leave this person alone any more.", "Reload the page.")
        for each in stopped:
            session.delete(each)
        _evaluate_anew(stored)
        record_access_rule(session, Event.ACCESS_RULE_LOOP_OVER, stored, caller, now, "", subject=account_id)


def require_access_rule(session: Session, organization_id: str, rule_id: str) -> StoredAccessRule:
    """A rule of this organization. Raises NotFound."""
    return _there(find_access_rule(session, organization_id, rule_id))


def hold_access_rule(session: Session, organization_id: str, rule_id: str) -> StoredAccessRule:
    """The same, kept from the worker until the transaction ends: an evaluation writes another list. Raises NotFound."""
    return _there(held_access_rule(session, organization_id, rule_id))


def _there(stored: StoredAccessRule | None) -> StoredAccessRule:
    if stored is None:
        raise NotFound(
            "This access rule does not exist, or not any more.", "Look at the list of access rules."
        )
    return stored


def to_audit(session: Session, stored: StoredAccessRule, by: str, now: datetime) -> None:
    """A new version has begun: nobody has looked at what it would do."""
    stored.version += 1
    stored.seen_version = stored.seen_by = None
    stored.changed_at = now
    if stored.is_live:
        _switch(session, stored, Mode.AUDIT, by, now)
    _evaluate_anew(stored)


def only_list_from_now_on(session: Session, organization_id: str, by: str, now: datetime) -> None:
    """No access rule of an organization gives or takes before somebody has switched it live again."""
    for stored in access_rules_of(session, organization_id):
        if stored.is_live:
            _switch(session, stored, Mode.AUDIT, by, now)
            _record(session, Event.ACCESS_RULE_SWITCHED, stored, by, None, now, Mode.AUDIT.value)


def record_access_rule(
    session: Session,
    event: Event,
    stored: StoredAccessRule,
    caller: Caller,
    now: datetime,
    result: str,
    subject: str | None = None,
) -> None:
    """Writes what an operator did with a rule into the audit."""
    _record(session, event, stored, caller.account_id or "", caller.tenant, now, result, subject)


def _record(
    session: Session,
    event: Event,
    stored: StoredAccessRule,
    actor: str,
    client_key: str | None,
    now: datetime,
    result: str,
    subject: str | None = None,
) -> None:
    record(
        session,
        event,
        at=now,
        actor=actor,
        organization_id=stored.organization_id,
        client_key=client_key,
        subject=subject,
        result=result,
        details={"access_rule": stored.id, "name": stored.name},
    )


def _new(
    session: Session, organization_id: str, caller: Caller, found: Checked, now: datetime
) -> StoredAccessRule:
    if len(access_rules_of(session, organization_id)) >= MOST_RULES:
        raise Conflict(
            f"Your organization has {MOST_RULES} access rules already, and no more fit.",
            "Delete one that nobody needs.",
        )
    stored = StoredAccessRule(
        organization_id=organization_id,
        id=str(uuid.uuid4()),
        mode=Mode.AUDIT.value,
        version=1,
        created_by=caller.account_id or "",
        created_at=now,
        changed_at=now,
        **found.columns,
    )
    session.add(stored)
    session.flush()
    return stored


def _change(
    session: Session, stored: StoredAccessRule, found: Checked, caller: Caller, now: datetime
) -> bool:
    columns = found.columns
    changed = {name for name, value in columns.items() if getattr(stored, name) != value}
    for name in changed:
        setattr(stored, name, columns[name])
    if changed - {"name", "name_key"}:
        to_audit(session, stored, caller.account_id or "", now)
    return bool(changed)


def _switch(session: Session, stored: StoredAccessRule, mode: Mode, by: str, now: datetime) -> None:
    stored.mode, stored.changed_at = mode.value, now
    _evaluate_anew(stored)
    if mode is Mode.AUDIT:
        _stop_runs(session, stored, by, now, ONLY_LISTS)


def _evaluate_anew(stored: StoredAccessRule) -> None:
    """By what it is now: an evaluation that is under way finds its number taken, and does nothing."""
    stored.sync_id = None
    stored.evaluations = StoredAccessRule.evaluations + 1


def _stop_runs(session: Session, stored: StoredAccessRule, by: str, now: datetime, reason: str) -> None:
    stop_runs_of(session, stored.organization_id, Origin.ACCESS_RULE, stored.id, by, now, reason)


def _hand_on(session: Session, stored: StoredAccessRule) -> None:
    """Without this, what two rules gave would stay for ever once one of them is gone."""
    others = [
        each
        for each in access_rules_of(session, stored.organization_id)
        if each.id != stored.id and each.is_live
    ]
    records = [
        each
        for each in given_by(session, stored.organization_id, stored.id)
        if each.stopped_at is None and any(each.part in other.rule.parts for other in others)
    ]
    groups_of = _groups_of(session, stored.organization_id, {each.account_id for each in records})
    for each in records:
        heir = next((other for other in others if _gives(other, each, groups_of)), None)
        if heir is None:
            continue
        if find_given(session, stored.organization_id, heir.id, each.account_id, each.part) is None:
            session.execute(
                update(AccessGiven)
                .where(
                    AccessGiven.organization_id == stored.organization_id,
                    AccessGiven.rule_id == stored.id,
                    AccessGiven.account_id == each.account_id,
                    AccessGiven.kind == each.kind,
                    AccessGiven.about == each.about,
                    AccessGiven.role == each.role,
                )
                .values(rule_id=heir.id)
                .execution_options(synchronize_session=False)
            )
            session.expunge(each)


def _gives(other: StoredAccessRule, record: AccessGiven, groups_of: Callable[[str], frozenset[str]]) -> bool:
    return record.part in other.rule.parts and other.rule.holds_for(groups_of(record.account_id))


def _groups_of(
    session: Session, organization_id: str, account_ids: set[str]
) -> Callable[[str], frozenset[str]]:
    found: dict[str, set[str]] = {}
    for account_id in account_ids:
        query = select(Membership.group_id).where(
            Membership.organization_id == organization_id, Membership.account_id == account_id
        )
        found[account_id] = set(session.scalars(query))
    return lambda account_id: frozenset(found.get(account_id, ()))
