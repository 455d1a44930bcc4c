"""Ticket rules: making one, changing it, switching it, another secret, taking it away."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict, NotFound
from models.audit import Event
from models.ticket import TicketRule, find_ticket_rule, ticket_rules_of
from services import ticket_secrets
from services.audit import record
from services.doors import require_organization
from services.ticket_wishes import TicketWish, fill_in
from services.toolbox import Toolbox

MOST_RULES = 50


def look_at_rule(tools: Toolbox, caller: Caller, rule_id: str) -> TicketRule:
    """One rule. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        rule = require_ticket_rule(session, organization_id, rule_id)
        session.expunge(rule)
        return rule


def add_rule(tools: Toolbox, caller: Caller, wish: TicketWish) -> tuple[TicketRule, str]:
    """A new rule, and its secret: shown now and never again. It is on.

    Raises Invalid with the field that is wrong, Conflict when there are enough rules.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    who = caller.account_id or ""
    rule = TicketRule(organization_id=organization_id, id=str(uuid.uuid4()), is_on=True)
    rule.created_by, rule.created_at, rule.changed_by, rule.changed_at = who, now, who, now
    with tools.begin() as session:
        if len(ticket_rules_of(session, organization_id)) >= MOST_RULES:
            raise Conflict(f"Your organization has {MOST_RULES} ticket rules already.", "Remove one of them.")
        fill_in(session, rule, wish)
        secret = ticket_secrets.new_secret(tools, rule)
        session.add(rule)
        _record(session, Event.TICKET_RULE_ADDED, rule, caller, now, f"For project {rule.project}")
        session.flush()
        session.expunge(rule)
    return rule, secret


def change_rule(tools: Toolbox, caller: Caller, rule_id: str, wish: TicketWish) -> TicketRule:
    """Replaces what the rule says; what is under way gives what it began with, if its ticket still counts by then.

    Raises NotFound and Invalid.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        rule = require_ticket_rule(session, organization_id, rule_id)
        with session.no_autoflush:
            fill_in(session, rule, wish)
        rule.changed_by, rule.changed_at = caller.account_id or "", now
        _record(session, Event.TICKET_RULE_CHANGED, rule, caller, now, "")
        session.flush()
        session.expunge(rule)
        return rule


def switch_rule(tools: Toolbox, caller: Caller, rule_id: str, *, on: bool) -> TicketRule:
    """While it is off its address takes nothing; what waits, unread or for an operator, is skipped. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        rule = require_ticket_rule(session, organization_id, rule_id)
        if rule.is_on != on:
            rule.is_on = on
            words = "Switched on" if on else "Switched off"
            _record(session, Event.TICKET_RULE_CHANGED, rule, caller, now, words)
        session.flush()
        session.expunge(rule)
        return rule


def new_secret(tools: Toolbox, caller: Caller, rule_id: str) -> tuple[TicketRule, str]:
    """Another secret, shown now and never again; the one before it opens nothing from this moment on."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        rule = require_ticket_rule(session, organization_id, rule_id)
        secret = ticket_secrets.new_secret(tools, rule)
        _record(session, Event.TICKET_RULE_CHANGED, rule, caller, now, "Another secret")
        session.flush()
        session.expunge(rule)
    return rule, secret


def delete_rule(tools: Toolbox, caller: Caller, rule_id: str) -> TicketRule:
    """Its address is gone, its secret wiped; what it gave stays given. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        rule = require_ticket_rule(session, organization_id, rule_id)
        rule.deleted_at, rule.is_on, rule.secret_sealed = now, False, None
        _record(session, Event.TICKET_RULE_REMOVED, rule, caller, now, "")
        session.flush()
        session.expunge(rule)
        return rule


def require_ticket_rule(session: Session, organization_id: str, rule_id: str) -> TicketRule:
    """Raises NotFound, for another organization's rule too (S20)."""
    rule = find_ticket_rule(session, organization_id, rule_id)
    if rule is None:
        raise NotFound("This ticket rule does not exist, or not any more.", "Reload the list.")
    return rule


def _record(
    session: Session, event: Event, rule: TicketRule, caller: Caller, now: datetime, result: str
) -> None:
    record(
        session,
        event,
        at=now,
        actor=caller.account_id or "",
        organization_id=rule.organization_id,
        client_key=caller.tenant,
        result=result,
        details={"ticket_rule": rule.id, "name": rule.name},
    )
