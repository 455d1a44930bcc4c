"""What the rules know of an organization besides its people: products, groups and what they grant, who must stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from rules.person import GroupFacts, PersonFacts
from rules.products import product_name


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """One product of one site."""

    resource_id: str
    key: str
    host: str = ""

    @property
    def name(self) -> str:
        return product_name(self.key)

    @property
    def site(self) -> str:
        return self.host.rpartition("/")[2]


class ProtectedKind(StrEnum):
    """What an entry of the organization's own list is about."""

    PERSON = "person"
    GROUP = "group"
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True)
class Protection:
    """An entry of the organization's own list. `until` is the last day on which it holds; None: for ever."""

    kind: ProtectedKind
    value: str
    reason: str
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        return self.until is None or day <= self.until


@dataclass(frozen=True, slots=True)
class OrganizationFacts:
    """`grants` is group id → resource ids. `admins` is resource id → active administrators of that product.

    `site_owners` own another site of the organization. `doors` are the resource ids of the products that carry
    Rollcall: whoever can open one of them can read a notice there. `mails` says that there is a mail server.
    """

    products: Mapping[str, ProductFacts] = field(default_factory=dict)
    groups: Mapping[str, GroupFacts] = field(default_factory=dict)
    grants: Mapping[str, frozenset[str]] = field(default_factory=dict)
    admins: Mapping[str, frozenset[str]] = field(default_factory=dict)
    site_owners: frozenset[str] = frozenset()
    protections: tuple[Protection, ...] = ()
    doors: frozenset[str] = frozenset()
    mails: bool = False

    def resources_of(self, tokens: Iterable[str]) -> frozenset[str]:
        """The resource ids that product keys and resource ids name; unknown ones name nothing."""
        wanted = frozenset(tokens)
        return frozenset(
            resource_id
            for resource_id, product in self.products.items()
            if resource_id in wanted or product.key in wanted
        )

    def product_words(self, resource_id: str) -> str:
        """The product's name; with its site where the organization has the same product on several."""
        product = self.products.get(resource_id)
        if product is not None:
            alone = sum(each.key == product.key for each in self.products.values()) == 1
            return product.name if alone or not product.host else f"{product.name} on {product.site}"
        return product_name([*resource_id.split(":"), "", ""][2] or resource_id)

    def has_group(self, group_id: str) -> bool:
        group = self.groups.get(group_id)
        return group is not None and not group.gone

    def group_name(self, group_id: str) -> str:
        group = self.groups.get(group_id)
        return group.name if group is not None else "a group that is gone"

    def protection_of(self, facts: PersonFacts, day: date) -> Protection | None:
        """The first entry of the organization's own list that holds for this person."""
        if not self.protections:
            return None
        domain = (facts.email or "").rpartition("@")[2].lower()
        group_ids = {group.id for group in facts.groups}
        for protection in self.protections:
            if not protection.holds_on(day):
                continue
            match protection.kind:
                case ProtectedKind.PERSON if protection.value == facts.account_id:
                    return protection
                case ProtectedKind.GROUP if protection.value in group_ids:
                    return protection
                case ProtectedKind.DOMAIN if not domain or protection.value == domain:
                    # A hidden address may belong to the protected domain: nobody can say that it does not.
                    return protection
        return None

    def can_be_reached(self, facts: PersonFacts) -> bool:
        """Whether some notice may reach them, in a product or by mail."""
        return self.can_be_told(facts) or (self.mails and facts.email is not None)

    def can_be_told(self, facts: PersonFacts) -> bool:
        """Whether a notice inside a product reaches them: active, with a seat in a product that carries Rollcall.

        Who has not answered their invitation has a seat, and cannot open anything yet.
        """
        return (
            facts.account_status in {"", "active"}
            and facts.email_verified is not False
            and facts.membership_status in {"", "active"}
            and any(access.resource_id in self.doors for access in facts.products)
        )
