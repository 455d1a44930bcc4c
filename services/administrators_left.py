"""No product loses its last administrator by two deeds at once, or one soon after the other (S48)."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.organization import close_gate
from models.people import Person, ProductAdmin
from models.run import Case
from rules.case import CaseState
from rules.last_administrators import given_up_by, products_touched
from services.orders import Order


def somebody_is_left(session: Session, order: Order) -> bool:
    """Whether each product that this deed takes from one of its administrators keeps another one.

    To be asked in the transaction that begins with the deed: who is being acted on at this moment does not count, nor
    who was, as long as nobody knows what came of it.
    """
    shared = _shared_by(order)
    if not shared:
        return True
    close_gate(session, order.organization_id)
    at_stake = select(Case.id).where(
        Case.organization_id == ProductAdmin.organization_id,
        Case.account_id == ProductAdmin.account_id,
        (Case.state == CaseState.ACTING.value)
        | (
            (Case.state == CaseState.FAILED.value)
            & Case.acting_since.is_not(None)
            & (Case.finished_at > Person.synced_at)
        ),
    )
    kept = (
        select(ProductAdmin.resource_id)
        .join(
            Person,
            (Person.organization_id == ProductAdmin.organization_id)
            & (Person.account_id == ProductAdmin.account_id),
        )
        .where(
            ProductAdmin.organization_id == order.organization_id,
            ProductAdmin.resource_id.in_(shared),
            ProductAdmin.account_id != order.account_id,
            Person.left_at.is_(None),
            Person.status == "active",
            ~at_stake.exists(),
        )
    )
    return shared <= set(session.scalars(kept))


def forget_what_was_given_up(session: Session, order: Order) -> None:
    """Whoever left a way into a product is not taken for its administrator any more, until a sync says so."""
    organization = order.ground.organization
    given_up = {
        resource_id
        for resource_id in given_up_by(order.action, order.landed, organization)
        if order.account_id in organization.admins.get(resource_id, ())
    }
    if given_up:
        session.execute(
            delete(ProductAdmin)
            .where(
                ProductAdmin.organization_id == order.organization_id,
                ProductAdmin.account_id == order.account_id,
                ProductAdmin.resource_id.in_(given_up),
            )
            .execution_options(synchronize_session=False)
        )


def _shared_by(order: Order) -> set[str]:
    """What this person administers with others and the deed touches: of a single one, the verdict has spoken."""
    admins = order.ground.organization.admins
    return {
        resource_id
        for resource_id in products_touched(order.action, order.ground.organization)
        if order.account_id in admins.get(resource_id, ()) and len(admins[resource_id]) > 1
    }
