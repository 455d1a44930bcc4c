"""A ticket, read and judged once more before what it asks for is given.

An operator may have agreed weeks later, or tried again what failed: by then the ticket may be declined, it may name
somebody else, or its reporter may not qualify any more.
"""

from __future__ import annotations

from connect.errors import Invalid
from models.ticket import TicketRule
from rules.tickets import PersonField, Ticket
from services.ticket_book import Raised
from services.ticket_judging import objection_to, read_ticket
from services.toolbox import Toolbox

ANOTHER_JIRA = "The ticket rule looks into another Jira by now."
ANOTHER_REPORTER = "The ticket has another reporter by now."
ANOTHER_PERSON = "The ticket names somebody else by now."


def objection_now(
    tools: Toolbox, organization_id: str, raised: Raised, account_id: str, email: str
) -> str | None:
    """Why the ticket, read once more, does not ask for this any more. `account_id`: who would get it.

    `email` is the address that stood in the ticket then, empty where it named nobody by one.

    Raises NotReady (the Jira is gone) and AtlassianError.
    """
    with tools.begin() as session:
        rule = session.get_one(TicketRule, (organization_id, raised.rule_id))
        session.expunge(rule)
    if rule.client_key != raised.client_key:
        return ANOTHER_JIRA
    try:
        ticket = read_ticket(tools, rule, raised.issue_id)
    except Invalid as problem:
        return problem.sentence
    if account_id == raised.reporter and ticket.reporter != raised.reporter:
        return ANOTHER_REPORTER
    if rule.person_field and _names_another(ticket, raised, account_id, email):
        return ANOTHER_PERSON
    with tools.begin() as session:
        against = objection_to(session, rule, ticket)
    return against.words if against is not None else None


def _names_another(ticket: Ticket, raised: Raised, account_id: str, email: str) -> bool:
    named = ticket.person or PersonField()
    if email:
        return named.email.lower() != email.lower()
    return account_id not in (raised.reporter, named.account_id)
