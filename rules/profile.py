"""Profiles: which roles a product has, what is wrong with what a profile gives, and two to begin with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from rules.access_path import USER_ROLE
from rules.organization import OrganizationFacts, ProductFacts
from rules.roster import Access

ROLES: dict[str, str] = {
    USER_ROLE: "User",
    "atlassian/admin": "Administrator",
    "atlassian/guest": "Guest: one space, free",
    "atlassian/customer": "Customer: asks for help, free",
    "atlassian/stakeholder": "Stakeholder: customer who hears of incidents, free",
    "atlassian/contributor": "Contributor: looks, comments and votes, free",
    "atlassian/basic": "Basic: some of the product, free",
}
"""Role → what it is, as Atlassian explains it (admin-organization, roleIds)."""
_EVERYWHERE = (USER_ROLE, "atlassian/admin")
_ALSO: dict[str, tuple[str, ...]] = {
    "confluence": ("atlassian/guest",),
    "jira-servicedesk": ("atlassian/customer", "atlassian/stakeholder"),
    "jira-service-desk": ("atlassian/customer", "atlassian/stakeholder"),
    "jira-product-discovery": ("atlassian/contributor",),
    "jira": ("atlassian/basic",),
    "jira-software": ("atlassian/basic",),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that a profile gives and that cannot be given: which field, the sentence, and what to do."""

    field: str
    sentence: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Term:
    """For how long access is given: so many days, the first one included, or until a day, whichever ends first.

    Without both it does not end by itself, and the term is false.
    """

    days: int | None = None
    until: date | None = None

    def __bool__(self) -> bool:
        return self.days is not None or self.until is not None

    def ends_on(self, starts_on: date) -> date | None:
        """The last day of what is given from that day on; before it when the term is over by then."""
        after = starts_on + timedelta(days=self.days - 1) if self.days is not None else None
        return min((day for day in (after, self.until) if day is not None), default=None)

    @property
    def words(self) -> str:
        """90 days, until 31 March 2027."""
        days = (f"{self.days:,} day{'' if self.days == 1 else 's'}",) if self.days is not None else ()
        until = (f"until {self.until:%-d %B %Y}",) if self.until is not None else ()
        return ", ".join((*days, *until))

    def troubles(self, today: date) -> Iterable[Trouble]:
        """That it is over."""
        if self.until is not None and self.until < today:
            yield Trouble(
                "until", f"Its last day was {self.until:%-d %B %Y}.", "Choose a later one, or leave it empty."
            )


FOR_GOOD = Term()


@dataclass(frozen=True, slots=True)
class Example:
    """A ready-made profile, built from an organization's own products."""

    key: str
    name: str
    sentence: str
    access: Access
    days: int | None = None


def roles_of(product_key: str) -> tuple[str, ...]:
    """The roles that somebody can be given on a product."""
    return (*_EVERYWHERE, *_ALSO.get(product_key, ()))


def troubles_of(access: Access, organization: OrganizationFacts) -> tuple[Trouble, ...]:
    """What of this access nobody could be given today, field by field; empty when all of it could."""
    return (*_role_troubles(access, organization), *group_troubles(access.groups, organization))


def _role_troubles(access: Access, organization: OrganizationFacts) -> Iterable[Trouble]:
    for resource_id, role in access.roles:
        product = organization.products.get(resource_id)
        name = organization.product_words(resource_id)
        if product is None:
            yield Trouble(
                "roles",
                f"Your organization has no {name} there any more.",
                "Take it out, or read the directory anew.",
            )
        elif role not in roles_of(product.key):
            yield Trouble("roles", f"{name} has no such role.", "Choose one of the list.")


def group_troubles(group_ids: Iterable[str], organization: OrganizationFacts) -> Iterable[Trouble]:
    """Groups that are gone, or that only an identity provider may change."""
    for group_id in group_ids:
        group = organization.groups.get(group_id)
        if group is None or group.gone:
            yield Trouble(
                "groups", "One of its groups does not exist any more.", "Untick it, or choose another one."
            )
        elif group.synced:
            yield Trouble(
                "groups",
                f"The group {group.name} belongs to your identity provider: only there can people be put into it.",
                "Choose a group of your own, and let an access rule mirror the other one.",
            )
        elif not group.modifiable:
            yield Trouble(
                "groups",
                f"Atlassian lets nobody change who is in the group {group.name}.",
                "Choose another one.",
            )


def examples_for(organization: OrganizationFacts) -> tuple[Example, ...]:
    """Two profiles to begin with: a colleague, and somebody who helps for a while."""
    products = sorted(organization.products.values(), key=lambda one: (one.host, one.name, one.resource_id))
    first_site = [one for one in products if one.host == products[0].host]
    users = Access(tuple((one.resource_id, USER_ROLE) for one in first_site))
    if not users:
        return ()
    names = _listed(first_site)
    helper = first_site[0]
    return (
        Example("colleague", "Colleague", f"{names}: what everybody in the team works with.", users),
        Example(
            "contractor",
            "Contractor",
            f"{helper.name} for 90 days: the access ends by itself.",
            Access(((helper.resource_id, USER_ROLE),)),
            days=90,
        ),
    )


def _listed(products: list[ProductFacts]) -> str:
    names = list(dict.fromkeys(one.name for one in products))
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
