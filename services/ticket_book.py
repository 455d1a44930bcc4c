"""What a ticket rule says this moment about a run that a ticket began, and which ticket it was."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.run import Run
from models.ticket import TicketCall, find_ticket_rule
from rules.roster import Origin

DELETED = "The ticket rule was deleted."
SWITCHED_OFF = "The ticket rule was switched off."


@dataclass(frozen=True, slots=True)
class Raised:
    """The ticket that brought a case, as it was read then. `reporter` is an account id."""

    rule_id: str
    client_key: str
    issue_id: str
    reporter: str


@dataclass(frozen=True, slots=True)
class TicketBook:
    """The ticket to look at once more, and what stands against everything that the run still has to do."""

    raised: Raised | None = None
    objection: str | None = None


def open_at(session: Session, run: Run) -> TicketBook:
    """Empty for runs of anything else. An undo is no deed of the ticket."""
    if run.origin != Origin.TICKET or run.undoes is not None:
        return TicketBook()
    rule = find_ticket_rule(session, run.organization_id, run.origin_id)
    if rule is None:
        return TicketBook(objection=DELETED)
    if not rule.is_on:
        return TicketBook(objection=SWITCHED_OFF)
    query = select(TicketCall).where(
        TicketCall.organization_id == run.organization_id,
        TicketCall.rule_id == rule.id,
        TicketCall.run_id == run.id,
    )
    call = session.scalars(query).first()
    if call is None:
        return TicketBook()
    return TicketBook(Raised(rule.id, call.client_key, call.issue_id, call.account_id))
