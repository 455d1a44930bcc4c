"""A roster: people with what each of them is to get or to lose, and the action that this means for one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import Any

from rules.changes import is_away
from rules.deeds import Action, Deed, EndMoved
from rules.organization import OrganizationFacts
from rules.person import PersonFacts

FREE_ROLES = frozenset(
    {"atlassian/customer", "atlassian/stakeholder", "atlassian/viewer", "atlassian/guest", "atlassian/basic"}
)
"""Roles on a product that cost no seat."""
_UNKNOWN_ACCOUNT = "invite:"


class Origin(StrEnum):
    """Where the entries of a run came from; BY_HAND: selected in the list of people, or chosen by a rule."""

    BY_HAND = ""
    INVITE = "invite"
    CSV = "csv"
    TICKET = "ticket"
    ACCESS_RULE = "access_rule"
    SCIM = "scim"
    LEAVER = "leaver"
    TIMED = "timed"


@dataclass(frozen=True, slots=True)
class Access:
    """What a profile gives: `roles` as (resource id, role), `groups` as ids."""

    roles: tuple[tuple[str, str], ...] = ()
    groups: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.roles or self.groups)

    def __or__(self, other: Access) -> Access:
        return Access(
            tuple(dict.fromkeys((*self.roles, *other.roles))),
            tuple(dict.fromkeys((*self.groups, *other.groups))),
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One person of a roster, known by account id or by address.

    `access` is what they get, `leave` the groups they leave, `products` those to which their access ends. Nothing
    happens before `starts_on`; what was given is taken back after `ends_on`, its last day: `prolongs` when somebody
    wrote that day down for this person, so that what they have until a sooner one lasts until then. `because` is said
    beside the person, `line` is where in a file they stand.
    """

    deed: Deed
    email: str = ""
    account_id: str = ""
    name: str = ""
    access: Access = Access()
    leave: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    starts_on: date | None = None
    ends_on: date | None = None
    prolongs: bool = False
    message: str = ""
    because: str = ""
    note: str = ""
    line: int | None = None


def action_of(entry: Entry, known: PersonFacts | None) -> Action:
    """What the entry means for the person as they are known: nobody is invited who is here already."""
    deed = entry.deed
    if deed is Deed.INVITE and known is not None and not is_away(known):
        deed = Deed.GIVE_ACCESS
    message = entry.message if deed in (Deed.INVITE, Deed.DEACTIVATE) else ""
    return Action(
        deed,
        products=entry.products,
        leave=entry.leave,
        join=entry.access.groups,
        roles=entry.access.roles,
        message=message,
    )


def as_found(action: Action, seen: PersonFacts) -> Action:
    """An invitation to somebody who turns out to be here already gives them what it would have brought."""
    if action.deed is not Deed.INVITE or is_away(seen):
        return action
    return replace(action, deed=Deed.GIVE_ACCESS, message="")


def nobody(email: str) -> PersonFacts:
    """Who has an address that no directory knows."""
    return PersonFacts("", email, email=email, membership_status="no_membership", status="not_invited")


def unknown_account(email: str) -> str:
    """What stands for the account id of somebody who has none yet: the same for the same address."""
    return _UNKNOWN_ACCOUNT + sha256(email.strip().lower().encode()).hexdigest()[:40]


def is_unknown(account_id: str) -> bool:
    return account_id.startswith(_UNKNOWN_ACCOUNT)


def seats_taken(action: Action, facts: PersonFacts, organization: OrganizationFacts) -> frozenset[str]:
    """The products (resource ids) in which this action would take a seat that the person does not hold yet."""
    if action.deed not in (Deed.INVITE, Deed.GIVE_ACCESS, Deed.CHANGE_GROUPS):
        return frozenset()
    by_role = {resource_id for resource_id, role in action.roles if role not in FREE_ROLES}
    by_group = {each for group_id in action.join for each in organization.grants.get(group_id, ())}
    return frozenset(by_role | by_group) - {access.resource_id for access in facts.products}


def short_of_seats(wanted: Iterable[frozenset[str]], free: Mapping[str, int]) -> list[str | None]:
    """For each of them in their order, the product in which no seat is left for them; None where there is one.

    `free` counts the seats of the products whose limit is known. Who gets none takes none from those behind them.
    """
    left = dict(free)
    found: list[str | None] = []
    for products in wanted:
        short = next((each for each in sorted(products) if left.get(each, 1) <= 0), None)
        found.append(short)
        if short is None:
            for each in products & left.keys():
                left[each] -= 1
    return found


def action_to_words(action: Action) -> dict[str, Any]:
    """An action as it is kept beside a case; what is empty is left out."""
    found: dict[str, Any] = {
        "products": list(action.products),
        "leave": list(action.leave),
        "join": list(action.join),
        "roles": [list(role) for role in action.roles],
        "message": action.message,
        "ends": [[end.of, end.before.isoformat(), end.until.isoformat()] for end in action.ends],
    }
    return {name: value for name, value in found.items() if value}


def action_from_words(deed: Deed, words: Mapping[str, Any] | None) -> Action:
    """The action of a case; without words it is the deed alone."""
    words = words or {}

    def texts(name: str) -> tuple[str, ...]:
        return tuple(str(each) for each in words.get(name, ()))

    roles: Sequence[Sequence[str]] = words.get("roles", ())
    ends: Sequence[Sequence[str]] = words.get("ends", ())
    return Action(
        deed,
        products=texts("products"),
        leave=texts("leave"),
        join=texts("join"),
        roles=tuple((str(resource_id), str(role)) for resource_id, role in roles),
        message=str(words.get("message", "")),
        ends=tuple(
            EndMoved(str(of), date.fromisoformat(before), date.fromisoformat(until))
            for of, before, until in ends
        ),
    )
