"""Operators: who may see the organization's people and make the app act on them (S26)."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, bindparam, exists, or_, select
from sqlalchemy.orm import aliased

from connect.caller import Caller
from connect.errors import Conflict, Invalid, NotFound
from models.audit import Event
from models.organization import (
    Operator,
    OperatorReason,
    close_gate,
    operators_here,
    operators_of,
    still_here,
)
from models.people import Person, find_person
from models.tenant import organization_behind
from services.audit import record
from services.doors import opened, require_organization
from services.names import names_of
from services.org_admins import with_org_admins
from services.places import Places
from services.proving import PATIENCE
from services.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class OperatorView:
    """One operator by name; `is_here` unless they are gone, and no operator as long as that is so.

    Org admins are operators without being on this list.
    """

    account_id: str
    name: str
    reason: str
    named_at: datetime
    is_here: bool


# Asked on every request: not built anew each time.
_NAMED = select(Operator.account_id).where(
    Operator.organization_id == bindparam("organization_id"),
    Operator.account_id == bindparam("account_id"),
    still_here(Operator.organization_id, Operator.account_id),
)
_ORG_ADMIN = select(Person.account_id).where(
    Person.organization_id == bindparam("organization_id"),
    Person.account_id == bindparam("account_id"),
    Person.is_org_admin.is_(True),
    still_here(Person.organization_id, Person.account_id),
)


def is_operator(tools: Toolbox, caller: Caller, *, fresh: bool, places: Places | None = None) -> bool:
    """Whether the caller is on the organization's list, or an org admin; and still here.

    For org admins the last sync answers; with `fresh` Atlassian is asked now, from one of the `places`. Raises
    AtlassianError when it has no answer: then nobody is let in by that way (S22).
    """
    if caller.account_id is None:
        return False
    with tools.look() as connection:
        organization_id = organization_behind(connection, caller.tenant)
        if organization_id is None:
            return False
        who = {"organization_id": organization_id, "account_id": caller.account_id}
        if connection.scalar(_NAMED, who) is not None:
            return True
        if connection.scalar(_ORG_ADMIN, who) is None:
            return False
    if not fresh:
        return True
    place = places.one_of(caller.tenant) if places is not None else nullcontext()
    with place, opened(tools, organization_id, PATIENCE) as gateway:
        found = gateway.people(organization_id, "-", [caller.account_id])
        # Of whom nothing is said; nobody gets in because they were one before.
        found = with_org_admins(gateway.org_admins, organization_id, found, known=())
    # One for each directory they are in.
    return any(person.is_org_admin and person.is_in_use for person in found)


def counts_as_operator(
    organization_id: SQLColumnExpression[str], account_id: SQLColumnExpression[str]
) -> ColumnElement[bool]:
    """What is_operator answers without `fresh`, as a part of another question."""
    named = exists().where(Operator.organization_id == organization_id, Operator.account_id == account_id)
    # Another name: the question around it may ask about people, too.
    reader = aliased(Person)
    org_admin = exists().where(
        reader.organization_id == organization_id,
        reader.account_id == account_id,
        reader.is_org_admin,
    )
    return and_(or_(named, org_admin), still_here(organization_id, account_id))


def list_operators(tools: Toolbox, caller: Caller) -> list[OperatorView]:
    """Everybody on the list, the first one named first."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        operators = operators_of(session, organization_id)
        here = {operator.account_id for operator in operators_here(session, organization_id)}
        names = names_of(session, organization_id, (operator.account_id for operator in operators))
        return [
            OperatorView(
                operator.account_id,
                names.get(operator.account_id, ""),
                operator.reason,
                operator.named_at,
                operator.account_id in here,
            )
            for operator in operators
        ]


def name_operator(tools: Toolbox, caller: Caller, account_id: str) -> None:
    """Puts a person of the directory on the list. Raises Invalid for a stranger, Conflict when already on it."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        person = find_person(session, organization_id, account_id)
        if person is None or person.left_at is not None or person.is_bot:
            raise Invalid(
                "account_id", "Nobody of this name is in your organization.", "Choose a person of the list."
            )
        if session.get(Operator, (organization_id, account_id)) is not None:
            raise Conflict("This person is an operator already.", "There is nothing to do.")
        session.add(
            Operator(
                organization_id=organization_id,
                account_id=account_id,
                reason=OperatorReason.NAMED.value,
                named_by=caller.account_id or "",
                named_at=now,
            )
        )
        record(
            session,
            Event.OPERATOR_NAMED,
            at=now,
            actor=caller.account_id or "",
            organization_id=organization_id,
            client_key=caller.tenant,
            subject=account_id,
            result=OperatorReason.NAMED.value,
        )


def remove_operator(tools: Toolbox, caller: Caller, account_id: str) -> None:
    """Takes somebody off the list. The last one who is still here stays: nobody could name another."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        # Of two who remove each other, the second one finds that they are the last.
        close_gate(session, organization_id)
        operator = session.get(Operator, (organization_id, account_id))
        if operator is None:
            raise NotFound("This person is not an operator.", "Reload the page.")
        if [one.account_id for one in operators_here(session, organization_id)] == [account_id]:
            raise Conflict("This is the last operator.", "Name another one first.")
        session.delete(operator)
        record(
            session,
            Event.OPERATOR_REMOVED,
            at=tools.clock(),
            actor=caller.account_id or "",
            organization_id=organization_id,
            client_key=caller.tenant,
            subject=account_id,
        )
