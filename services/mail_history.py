"""What somebody was told by mail about their own cases, and what was not sent and why (S56)."""

from __future__ import annotations

from sqlalchemy import select

from connect.caller import Caller
from models.delivery import Delivery
from models.run import Case
from rules.topics import Channel
from services.doors import require_organization
from services.toolbox import Toolbox

MOST = 50


def mails_to(tools: Toolbox, caller: Caller, account_id: str) -> list[Delivery]:
    """The newest first."""
    organization_id = require_organization(tools, caller)
    cases = select(Case.id).where(Case.organization_id == organization_id, Case.account_id == account_id)
    query = (
        select(Delivery)
        .where(
            Delivery.organization_id == organization_id,
            Delivery.case_id.in_(cases),
            Delivery.channel == Channel.MAIL.value,
            Delivery.target == account_id,
        )
        .order_by(Delivery.created_at.desc(), Delivery.id)
    )
    with tools.begin() as session:
        found = list(session.scalars(query.limit(MOST)))
        session.expunge_all()
        return found
