"""What a page of a sync says nothing of: not there any more, or left out?

Atlassian may leave out what is empty. But whoever were believed to be in no group would be protected no more, access
rules would take what they gave, and admins would lose their guard (S48). So another question decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from connect.errors import Gone, Unexpected
from connect.gateway.organization import MOST_UNREADABLE, OrganizationGateway, PeoplePage
from models.people import Membership, Person, Seat
from services.org_admins import Ask, known_org_admins, with_org_admins
from services.toolbox import Toolbox

GROUPS, PRODUCTS = "groups", "productAccess"
_OPENS_A_PRODUCT = ("atlassian/user", "atlassian/admin")

Has = Callable[[str], bool]
"""Whether somebody has something after all, asked of Atlassian now."""


def in_full(
    tools: Toolbox,
    gateway: OrganizationGateway,
    org_admins: Ask,
    organization_id: str,
    directory_id: str,
    page: PeoplePage,
) -> PeoplePage:
    """The page, with its org admins told. Whose groups or products were left out counts among the unreadable.

    Raises Unexpected when that is more than a few (S46), and AtlassianError.
    """

    def is_in_groups(account_id: str) -> bool:
        return bool(gateway.groups_of(organization_id, directory_id, [account_id]))

    def has_products(account_id: str) -> bool:
        try:
            roles = gateway.roles_of(organization_id, directory_id, account_id)
        except Gone:
            return False
        return any(each.role in _OPENS_A_PRODUCT for each in roles)

    account_ids = [facts.account_id for facts in page.people]
    with tools.begin() as session:
        known = known_org_admins(session, organization_id, account_ids)
        groups = _in_doubt(session, organization_id, page, GROUPS)
        products = _in_doubt(session, organization_id, page, PRODUCTS)
    left_out = {*_left_out(groups, is_in_groups), *_left_out(products, has_products)}
    people = with_org_admins(org_admins, organization_id, page.people, known)
    return replace(
        page,
        people=tuple(facts for facts in people if facts.account_id not in left_out),
        unreadable=(*page.unreadable, *sorted(left_out)),
    )


def _in_doubt(session: Session, organization_id: str, page: PeoplePage, word: str) -> list[str]:
    """Of whom nothing is said though they had some, or are met for the first time beside many others like them.

    Whoever is not let in any more may have nothing, and come without a word about it.
    """
    silent = {facts.account_id for facts in page.people if facts.is_in_use and word in facts.untold}
    if not silent:
        return []
    model = Membership if word == GROUPS else Seat
    had = select(model.account_id).where(
        model.organization_id == organization_id, model.account_id.in_(silent)
    )
    found = set(session.scalars(had.distinct()))
    if word in page.untold:
        known = select(Person.account_id).where(
            Person.organization_id == organization_id, Person.account_id.in_(silent)
        )
        strangers = silent - set(session.scalars(known))
        if len(strangers) > MOST_UNREADABLE:
            found |= strangers
    return sorted(found)


def _left_out(in_doubt: Sequence[str], has: Has) -> list[str]:
    """Who has it after all. Of many a few are asked about: what is left out is left out of a whole page."""
    found = [account_id for account_id in in_doubt[:MOST_UNREADABLE] if has(account_id)]
    if found and len(in_doubt) > MOST_UNREADABLE:
        raise Unexpected(200, reason="atlassian_not_expanded")
    return found
