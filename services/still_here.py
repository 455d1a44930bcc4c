"""Whom a sync has not met, though they are here: nobody is marked as gone by one list alone.

It is read for minutes, while people come and go: somebody may slip from one page to another. And a row that does not
say whom it is about may be about anybody.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from connect.errors import Unexpected
from connect.gateway.organization import MOST_BY_ID, MOST_UNREADABLE, OrganizationGateway, PeoplePage
from models.people import Person
from models.sync import Sync
from services.batches import batches
from services.toolbox import Toolbox

MOST_ASKED = 100
"""People. When more are missing, many have left, or the list ended before its end: those who are asked about tell."""


def still_here(
    tools: Toolbox, gateway: OrganizationGateway, organization_id: str, sync_id: str, last: PeoplePage
) -> list[str]:
    """Account ids of people who are on no page, `last` being the last one, and whom Atlassian shows all the same.

    Raises Unexpected when nobody can ask about all who are missing, and more than a few are here (S46), and
    AtlassianError.
    """
    on_it = [*(facts.account_id for facts in last.people), *last.unreadable]
    missing = select(Person.account_id).where(
        Person.organization_id == organization_id,
        Person.sync_id != sync_id,
        Person.left_at.is_(None),
        Person.account_id.not_in(on_it),
    )
    with tools.begin() as session:
        missed = session.scalars(missing.order_by(Person.account_id).limit(MOST_ASKED + 1)).all()
        directories = session.get_one(Sync, sync_id).directory_ids.split(",")
    found = [
        account_id
        # Not of all at once: then those are shown, too, whom the organization manages and no directory has.
        for directory_id in directories
        for some in batches(missed[:MOST_ASKED], MOST_BY_ID)
        for account_id in _shown(gateway, organization_id, directory_id, some)
    ]
    if len(missed) > MOST_ASKED and len(found) > MOST_UNREADABLE:
        raise Unexpected(
            200,
            reason="atlassian_cut_short",
            sentence="Atlassian's list of people left out many who are there.",
        )
    return found


def _shown(
    gateway: OrganizationGateway, organization_id: str, directory_id: str, account_ids: Sequence[str]
) -> Sequence[str]:
    found = gateway.shown(organization_id, directory_id, account_ids)
    if "" not in found:
        return [each for each in account_ids if each in found]
    if len(account_ids) == 1:
        return account_ids
    return [shown for each in account_ids for shown in _shown(gateway, organization_id, directory_id, [each])]
