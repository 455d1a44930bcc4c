"""The addresses of people over SCIM, each in a row of its own: whoever is looked up by one is found by an index."""

from __future__ import annotations

from typing import Any

from scim2_models.path import CompareOperator
from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from models.scim import ScimAddress, ScimUser
from services.scim_filters import Compare, Condition, OfType, text
from services.scim_person import key_of
from services.scim_wire import shorten_or_refuse

_FEW = 500
"""So many people with one address are named in a question; of more it is asked who they are."""


def keep_addresses(session: Session, row: ScimUser, resource: Any) -> None:
    """Writes down what filters compare. Raises InvalidValueException for what does not fit."""
    session.flush()
    mine = (ScimAddress.organization_id == row.organization_id, ScimAddress.user_id == row.id)
    session.execute(delete(ScimAddress).where(*mine))
    kept = {
        (kind_of(each.type), key_of(shorten_or_refuse(each.value, 320, "emails")))
        for each in resource.emails or ()
        if each.value
    }
    session.add_all(
        ScimAddress(organization_id=row.organization_id, user_id=row.id, kind=kind, address=address)
        for kind, address in kept
    )


def kind_of(word: Any) -> str:
    """The type of an address, as types are compared; at most 100 characters."""
    return "_".join(str(word).lower().split())[:100] if word else ""


def by_address(session: Session, organization_id: str) -> Compare:
    """Whether one of somebody's addresses is so; "is not" holds where none of them is."""
    owners, address = _owners(organization_id), text(ScimAddress.address)

    def compare(op: CompareOperator, value: Any) -> Condition:
        if value is None:
            return ScimUser.id.not_in(owners) if op is CompareOperator.eq else ScimUser.id.in_(owners)
        match op:
            case CompareOperator.eq:
                return _one_of(session, owners.where(address(op, value)))
            case CompareOperator.ne:
                return ScimUser.id.not_in(owners.where(address(CompareOperator.eq, value)))
            case _:
                return ScimUser.id.in_(owners.where(address(op, value)))

    return compare


def by_typed_address(session: Session, organization_id: str) -> OfType:
    """Whether somebody's address of this type is that one."""

    def compare(kind: str, address: str) -> Condition:
        same = (ScimAddress.kind == kind_of(kind), ScimAddress.address == key_of(address))
        return _one_of(session, _owners(organization_id).where(*same))

    return compare


def _one_of(session: Session, owners: Select[Any]) -> Condition:
    """Asked first: in one question SQLite may read everybody for the order's sake, and look each of them up."""
    found = session.scalars(owners.limit(_FEW + 1)).all()
    return ScimUser.id.in_(found if len(found) <= _FEW else owners)


def _owners(organization_id: str) -> Select[Any]:
    return select(ScimAddress.user_id).where(ScimAddress.organization_id == organization_id)
