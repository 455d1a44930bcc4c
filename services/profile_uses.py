"""What names a profile: while anything does, it stays."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.access_rule import StoredAccessRule
from models.scim import ScimGroup
from models.ticket import TicketRule

_SHOWN = 5
_FOR_GOOD = (
    ("the access rule", StoredAccessRule, StoredAccessRule.name),
    ("the identity provider's group", ScimGroup, ScimGroup.display_name),
)


def uses_of(session: Session, organization_id: str, profile_id: str) -> list[str]:
    """Whatever gives this profile by itself, as words: the ticket rule “Guests”."""
    found = []
    for words, model, name in (("the ticket rule", TicketRule, TicketRule.name), *_FOR_GOOD):
        query = select(name).where(model.organization_id == organization_id, model.profile_id == profile_id)
        if model is TicketRule:
            query = query.where(TicketRule.deleted_at.is_(None))
        found += [f"{words} “{each}”" for each in session.scalars(query.order_by(name).limit(_SHOWN))]
    return found


def given_for_good(session: Session, organization_id: str, profile_id: str) -> str | None:
    """What gives this profile for as long as something holds, as words: The access rule “Designers”."""
    for words, model, name in _FOR_GOOD:
        query = select(name).where(model.organization_id == organization_id, model.profile_id == profile_id)
        found = session.scalar(query.order_by(name).limit(1))
        if found is not None:
            return f"{words[0].upper()}{words[1:]} “{found}”"
    return None
