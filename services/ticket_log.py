"""Ticket rules as people see them: the list, one rule with its log, and looking at a ticket again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Conflict, NotFound
from models.audit import Event
from models.people import Group
from models.profile import profiles_of
from models.run import Case
from models.tenant import Tenant
from models.ticket import TicketCall, TicketRule, calls_of, count_calls, find_call, ticket_rules_of
from rules.tickets import CallState, CommentState
from services.audit import record
from services.doors import require_organization
from services.names import names_of
from services.ticket_choices import host_of
from services.ticket_comments import NO_TOKEN, TOKEN_NEXT_STEP, can_comment
from services.ticket_reception import may_be_received_again, receive_again
from services.ticket_rules import require_ticket_rule
from services.ticket_wishes import jira_doors
from services.toolbox import Toolbox

PER_PAGE = 25


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule. `who` and `gives` are words; `problems` are sentences about what is missing for it to work."""

    rule: TicketRule
    site: str
    who: str
    gives: str
    counts: dict[str, int]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallLine:
    """One ticket. `reporter` and `person` are names, "" while nobody knows them; `address` is the ticket's page."""

    call: TicketCall
    reporter: str
    person: str
    address: str
    may_look_again: bool


@dataclass(frozen=True, slots=True)
class RulePage:
    """A rule with one page of its log; `total` counts what the filter lets through."""

    line: RuleLine
    calls: list[CallLine]
    total: int
    made_by: str

    @property
    def look_again_in(self) -> int | None:
        """After how many seconds the page may be another one; None: not by itself."""
        calls = [each.call for each in self.calls]
        if any(
            (call.state == CallState.RECEIVED and not call.troubles)
            or call.state == CallState.GIVING
            or (call.comment_state == CommentState.DUE and not call.troubles)
            for call in calls
        ):
            return 2
        return 10 if any(call.state == CallState.WAITING for call in calls) else None


def list_ticket_rules(tools: Toolbox, caller: Caller) -> list[RuleLine]:
    """By name."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        rules = ticket_rules_of(session, organization_id)
        lines = _lines(session, organization_id, rules)
        session.expunge_all()
        return lines


def show_ticket_rule(
    tools: Toolbox, caller: Caller, rule_id: str, *, state: CallState | None = None, page: int = 1
) -> RulePage:
    """Raises NotFound for another organization's rule."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        rule = require_ticket_rule(session, organization_id, rule_id)
        calls, total = calls_of(
            session,
            organization_id,
            rule_id,
            [state.value] if state is not None else [],
            offset=(page - 1) * PER_PAGE,
            limit=PER_PAGE,
        )
        (line,) = _lines(session, organization_id, [rule])
        made_by = names_of(session, organization_id, [rule.created_by]).get(rule.created_by, "")
        lines = _calls(session, organization_id, calls)
        session.expunge_all()
        return RulePage(line, lines, total, made_by)


def look_again(tools: Toolbox, caller: Caller, rule_id: str, call_id: str) -> TicketCall:
    """A ticket that brought nothing is read and judged anew: the rule, or the world, may be another by now.

    Raises NotFound, and Conflict when the ticket has begun a run: that is where it goes on.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        rule = require_ticket_rule(session, organization_id, rule_id)
        call = find_call(session, organization_id, call_id, alone=True)
        if call is None or call.rule_id != rule.id:
            raise NotFound("This ticket is not in the log of this rule.", "Reload the log.")
        if not may_be_received_again(call):
            raise Conflict("This ticket is under way, or has begun a run.", "Look at its run.")
        if not rule.is_on:
            raise Conflict("The rule is switched off.", "Switch it on first.")
        receive_again(call, now)
        record(
            session,
            Event.TICKET_RETRIED,
            at=now,
            actor=caller.account_id or "",
            organization_id=organization_id,
            client_key=caller.tenant,
            details={"ticket_rule": rule.id, "ticket": call.issue_id},
        )
        session.flush()
        session.expunge(call)
        return call


def _lines(session: Session, organization_id: str, rules: Sequence[TicketRule]) -> list[RuleLine]:
    counts = count_calls(session, organization_id)
    doors = {door.client_key: door for door in jira_doors(session, organization_id)}
    wanted = {group_id for rule in rules for group_id in (*rule.groups, *rule.gives)}
    query = select(Group.group_id, Group.name).where(
        Group.organization_id == organization_id, Group.group_id.in_(wanted)
    )
    groups: dict[str, str] = dict(session.execute(query).all())
    profiles = {profile.id: profile.name for profile in profiles_of(session, organization_id)}
    return [
        RuleLine(
            rule=rule,
            site=host_of(doors[rule.client_key].display_url) if rule.client_key in doors else "",
            who=_who(rule, groups),
            gives=_gives(rule, groups, profiles),
            counts=counts.get(rule.id, {}),
            problems=tuple(_problems(session, rule, doors, groups, profiles)),
        )
        for rule in rules
    ]


def _who(rule: TicketRule, groups: dict[str, str]) -> str:
    parts = []
    if rule.domains:
        parts.append("an address at " + " or ".join(rule.domains))
    if rule.groups:
        parts.append(
            "a place in " + " or ".join(groups.get(one, "a group that is gone") for one in rule.groups)
        )
    return ", or ".join(parts)


def _gives(rule: TicketRule, groups: dict[str, str], profiles: dict[str, str]) -> str:
    if rule.profile_id is not None:
        return f"the profile “{profiles.get(rule.profile_id, 'that is gone')}”"
    return ", ".join(groups.get(one, "a group that is gone") for one in rule.gives)


def _problems(
    session: Session,
    rule: TicketRule,
    doors: dict[str, Tenant],
    groups: dict[str, str],
    profiles: dict[str, str],
) -> list[str]:
    found = []
    if rule.client_key not in doors:
        found.append("Rollcall is no longer installed in the Jira of this rule. Choose another one.")
    if rule.profile_id is not None and rule.profile_id not in profiles:
        found.append("The profile that it gives was deleted. Choose another one.")
    if any(group_id not in groups for group_id in rule.gives):
        found.append("A group that it gives is gone. Choose another one.")
    if rule.comments and rule.client_key in doors and not can_comment(session, rule.client_key):
        found.append(f"It cannot comment on tickets. {NO_TOKEN} {TOKEN_NEXT_STEP}")
    return found


def _calls(session: Session, organization_id: str, calls: Sequence[TicketCall]) -> list[CallLine]:
    names = names_of(session, organization_id, [call.account_id for call in calls])
    query = select(Case.id, Case.name).where(
        Case.organization_id == organization_id, Case.id.in_([call.case_id for call in calls if call.case_id])
    )
    people: dict[str, str] = dict(session.execute(query).all())
    sites = {
        client_key: _display_url(session, client_key) for client_key in {call.client_key for call in calls}
    }
    return [
        CallLine(
            call,
            names.get(call.account_id, ""),
            people.get(call.case_id or "", ""),
            f"{sites[call.client_key]}/browse/{call.issue_key}"
            if sites[call.client_key] and call.issue_key
            else "",
            may_be_received_again(call),
        )
        for call in calls
    ]


def _display_url(session: Session, client_key: str) -> str:
    door = session.get(Tenant, client_key)
    return (door.display_url or door.base_url).rstrip("/") if door is not None else ""
