"""*Try it*: what a rule would make of a ticket. The same as in earnest, and then everything is thrown away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Invalid, NotReady
from models.audit import APP
from models.run import Case
from models.ticket import TicketCall, TicketRule
from rules.case import CaseState
from rules.roster import Entry, Origin
from rules.tickets import Ticket
from services.roster import begin_roster
from services.roster_words import access_in_words
from services.ticket_judging import judge_ticket, read_ticket
from services.ticket_rules import look_at_rule
from services.toolbox import Toolbox

_KEY = re.compile(r"[A-Z][A-Z0-9_]{0,62}-[0-9]{1,19}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Trial:
    """What would happen: `gives` and to whom, until when; or `reason` why nothing would."""

    ticket: Ticket
    would: bool
    name: str = ""
    gives: str = ""
    ends_on: date | None = None
    waits: bool = False
    reason: str = ""
    taken_at: datetime | None = None


def try_ticket(tools: Toolbox, caller: Caller, rule_id: str, key: str) -> Trial:
    """What the rule would make of a ticket now, were it on and had it not been sent yet.

    Raises NotFound, Invalid("ticket") and AtlassianError.
    """
    rule = look_at_rule(tools, caller, rule_id)
    key = key.strip().upper()
    if not _KEY.fullmatch(key):
        raise Invalid(
            "ticket", "This is not the key of a ticket.", f"Write it as Jira shows it: {rule.project}-12."
        )
    try:
        ticket = read_ticket(tools, rule, key)
        return _trial(tools, rule, ticket)
    except NotReady as problem:
        raise Invalid("ticket", problem.sentence, problem.next_step) from problem


def _trial(tools: Toolbox, rule: TicketRule, ticket: Ticket) -> Trial:
    with tools.sessions() as session:
        taken_at = session.scalar(
            select(TicketCall.received_at).where(
                TicketCall.organization_id == rule.organization_id,
                TicketCall.rule_id == rule.id,
                TicketCall.client_key == rule.client_key,
                TicketCall.issue_id == ticket.id,
            )
        )
        judged = judge_ticket(session, rule, ticket, tools.clock())
        if judged.entry is None:
            words = judged.objection.words if judged.objection is not None else ""
            return Trial(ticket, would=False, reason=words, taken_at=taken_at)
        case, gives = _begun_and_undone(tools, session, rule, judged.entry)
        if CaseState(case.state) is CaseState.NOT_POSSIBLE:
            return Trial(ticket, would=False, name=case.name, reason=case.reason, taken_at=taken_at)
        waits = CaseState(case.state) is CaseState.REVIEW
        return Trial(
            ticket,
            would=True,
            name=case.name,
            gives=gives,
            ends_on=case.ends_on,
            waits=waits,
            taken_at=taken_at,
        )


def _begun_and_undone(tools: Toolbox, session: Session, rule: TicketRule, entry: Entry) -> tuple[Case, str]:
    """The case that would be, and what it would give in words. Nothing of it is kept."""
    run = begin_roster(
        session,
        tools,
        rule.organization_id,
        [entry],
        Origin.TICKET,
        rule.id,
        by=APP,
        now=tools.clock(),
        review=rule.with_approval,
    )
    mine = (Case.organization_id == rule.organization_id, Case.run_id == run.id)
    case = session.scalars(select(Case).where(*mine)).one()
    gives = access_in_words(session, rule.organization_id, [case]).get(case.id, "")
    session.expunge(case)
    session.rollback()
    return case, gives
