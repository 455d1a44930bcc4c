"""Addresses that nothing is sent to any more: a server refused them for good, or an operator took them out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import NotFound
from models.audit import Event
from models.mail import MailSuppression
from models.people import Person
from services.audit import record
from services.doors import require_organization
from services.toolbox import Toolbox

REFUSED = "The mail server refused this address for good."


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Somebody whose present address is on the list. `because_of` is who had it when it was refused."""

    account_id: str
    because_of: str
    name: str
    reason: str
    added_at: datetime


def list_suppressed(tools: Toolbox, caller: Caller) -> list[Suppressed]:
    """The newest first. Whoever has another address by now is left out: that one is a new one.

    An address may be somebody else's by now, such as who was deleted and came again: nothing is sent to them either.
    """
    organization_id = require_organization(tools, caller)
    query = (
        select(MailSuppression, Person.account_id, Person.name)
        .join(
            Person,
            (Person.organization_id == MailSuppression.organization_id)
            & (Person.address == MailSuppression.address)
            & Person.left_at.is_(None),
        )
        .where(MailSuppression.organization_id == organization_id)
        .order_by(MailSuppression.added_at.desc(), Person.account_id)
    )
    with tools.begin() as session:
        return [
            Suppressed(account_id, row.account_id, name, row.reason, row.added_at)
            for row, account_id, name in session.execute(query.limit(500))
        ]


def suppress(session: Session, person: Person, reason: str, now: datetime) -> None:
    """Nothing is sent to this person's present address from now on."""
    row = session.get(MailSuppression, (person.organization_id, person.account_id))
    if row is None:
        row = MailSuppression(organization_id=person.organization_id, account_id=person.account_id)
        session.add(row)
    row.address, row.reason, row.added_at = (person.email or "").lower(), reason, now


def let_go(tools: Toolbox, caller: Caller, account_id: str) -> None:
    """Mails may go to this person again. Raises NotFound."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        row = session.get(MailSuppression, (organization_id, account_id))
        if row is None:
            raise NotFound("This person is not on the list, or not any more.", "Reload the page.")
        session.delete(row)
        record(
            session,
            Event.MAIL_ADDRESS_LET_GO,
            at=tools.clock(),
            actor=caller.account_id or "",
            organization_id=organization_id,
            client_key=caller.tenant,
            subject=account_id,
        )
