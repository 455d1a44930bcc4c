"""What an identity provider's word means for one person: at most one thing to do next, from facts alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rules.access_path import USER_ROLE
from rules.changes import Change, ChangeKind, is_away
from rules.deeds import Action, Deed
from rules.person import PersonFacts
from rules.roster import Access


class Provider(StrEnum):
    """Whose provisioning it is; only the set-up guide differs."""

    ENTRA = "entra"
    OKTA = "okta"
    GOOGLE = "google"
    ONELOGIN = "onelogin"
    JUMPCLOUD = "jumpcloud"
    KEYCLOAK = "keycloak"
    OTHER = "other"


class ScimMode(StrEnum):
    """AUDIT only says what would happen."""

    AUDIT = "audit"
    LIVE = "live"


ENDINGS = (Deed.REMOVE_ACCESS, Deed.SUSPEND, Deed.DEACTIVATE, Deed.LIST)
"""What `active: false` and DELETE may mean; LIST does nothing."""


NO_ACCESS = Access()
_GONE = frozenset({"inactive", "closed"})


class ScimState(StrEnum):
    """How far Atlassian follows what the provider said about somebody."""

    WAITING = "waiting"
    LISTED = "listed"
    WORKING = "working"
    SETTLED = "settled"
    FAILED = "failed"
    BRAKED = "braked"


@dataclass(frozen=True, slots=True)
class Known:
    """All that decides about one person.

    `wanted` is the access of the profiles of their groups, `given` what they have by this connection, `others` what
    other connections want for them. `taken` is the deed by which this connection last took their access, `invited` that
    it sent an invitation, each until they are seen here again. `person` is None while the directory shows nobody with
    their address. `again`: the provider has the same person once more, and active.
    """

    active: bool
    deleted: bool
    wanted: Access
    given: Access = NO_ACCESS
    others: Access = NO_ACCESS
    taken: Deed | None = None
    invited: bool = False
    has_address: bool = True
    person: PersonFacts | None = None
    again: bool = False

    @property
    def is_gone(self) -> bool:
        return (self.deleted or not self.active) and not self.again

    @property
    def is_here(self) -> bool:
        """Whether the directory shows them, neither suspended nor deactivated."""
        person = self.person
        return (
            person is not None
            and not is_away(person)
            and person.account_status not in _GONE
            and person.membership_status != "suspended"
        )


@dataclass(frozen=True, slots=True)
class Endings:
    """What `active: false` and DELETE mean; `products` are the resource ids of the whole organization."""

    when_inactive: Deed
    when_deleted: Deed
    products: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next at Atlassian. `takes`: it counts for the brake."""

    deed: Deed
    access: Access = NO_ACCESS
    products: tuple[str, ...] = ()

    @property
    def takes(self) -> bool:
        return self.deed in (Deed.TAKE_BACK, Deed.REMOVE_ACCESS, Deed.SUSPEND, Deed.DEACTIVATE)


@dataclass(frozen=True, slots=True)
class Rest:
    """There is nothing to do, or nothing that could be done; `reason` says why when that is not plain."""

    state: ScimState
    reason: str = ""


def next_step(known: Known, endings: Endings) -> Step | Rest:
    """The one thing to do next for this person. Done and asked again, it comes to a rest."""
    if known.is_gone:
        return _ending(known, endings.when_deleted if known.deleted else endings.when_inactive, endings)
    if known.person is None or is_away(known.person):
        return _newcomer(known)
    way_back = None if known.again else _way_back(known, known.person)
    return way_back or _access(known, known.person)


ACTIVE_AGAIN = "Their identity provider says again that they are active."
GONE_BY_NOW = "Their identity provider says by now that they are not active, or has deleted them."
NOT_GIVEN_ANY_MORE = "Their groups at the identity provider do not give this any more."
GIVEN_AGAIN = "A group of theirs at an identity provider gives this again."
TAKEN_BACK = frozenset({ACTIVE_AGAIN, GONE_BY_NOW, NOT_GIVEN_ANY_MORE, GIVEN_AGAIN})
"""What `no_longer_asked` says."""


def no_longer_asked(known: Known, action: Action) -> str | None:
    """Why what was once the next step is not what the provider wants any more, whatever the directory shows.

    None: it is.
    """
    if action.deed in ENDINGS:
        return None if known.is_gone else ACTIVE_AGAIN
    if known.is_gone:
        return GONE_BY_NOW
    kept = known.wanted | known.others
    if action.deed is Deed.TAKE_BACK:
        again = not set(action.roles).isdisjoint(kept.roles) or not set(action.join).isdisjoint(kept.groups)
        return GIVEN_AGAIN if again else None
    wanted = set(action.roles) <= set(known.wanted.roles) and set(action.join) <= set(known.wanted.groups)
    return None if wanted else NOT_GIVEN_ANY_MORE


def _ending(known: Known, deed: Deed, endings: Endings) -> Step | Rest:
    person = known.person
    if person is None or is_away(person):
        return Rest(ScimState.SETTLED, "Is not in your directory: there is nothing to take away.")
    if deed is Deed.LIST:
        return Rest(ScimState.SETTLED, "Stays as they are: that is what this connection says.")
    if person.account_status in _GONE or (deed is Deed.SUSPEND and person.membership_status == "suspended"):
        return Rest(ScimState.SETTLED)
    if deed is Deed.REMOVE_ACCESS:
        return Step(deed, products=endings.products) if person.products else Rest(ScimState.SETTLED)
    return Step(deed)


def _newcomer(known: Known) -> Step | Rest:
    if not known.wanted:
        return Rest(ScimState.SETTLED, "None of their groups gives a profile: they are not invited.")
    if known.invited:
        return Rest(ScimState.WAITING, "Invited. Your directory does not show them yet.")
    if not known.has_address:
        return Rest(ScimState.FAILED, "The provider names no e-mail address to invite.")
    return Step(Deed.INVITE, known.wanted)


def _way_back(known: Known, person: PersonFacts) -> Step | Rest | None:
    if person.account_status in _GONE:
        if known.taken is Deed.DEACTIVATE:
            return Step(Deed.REACTIVATE)
        return Rest(ScimState.FAILED, "Their Atlassian account is deactivated, and not by this connection.")
    if person.membership_status == "suspended":
        if known.taken is Deed.SUSPEND:
            return Step(Deed.RESTORE)
        return Rest(ScimState.FAILED, "Is suspended, and not by this connection: restore them by hand.")
    return None


def _access(known: Known, person: PersonFacts) -> Step | Rest:
    inside = {group.id for group in person.groups}
    seats = {access.resource_id for access in person.products}
    missing = Access(
        tuple(
            one
            for one in known.wanted.roles
            # Whoever has a product shows it; of the other roles only we know who was given one.
            if (one[0] not in seats if one[1] == USER_ROLE else one not in known.given.roles)
        ),
        tuple(group for group in known.wanted.groups if group not in inside),
    )
    if missing:
        return Step(Deed.GIVE_ACCESS, missing)
    kept = known.wanted | known.others
    surplus = Access(
        tuple(one for one in known.given.roles if one not in kept.roles),
        tuple(group for group in known.given.groups if group in inside and group not in kept.groups),
    )
    if surplus:
        return Step(Deed.TAKE_BACK, surplus)
    if known.again:
        return Rest(ScimState.SETTLED, "The provider has them once more, and active: they stay as they are.")
    nothing = "" if known.wanted else "None of their groups gives a profile: nothing is given."
    return Rest(ScimState.SETTLED, nothing)


def after(known: Access, changes: Iterable[Change]) -> Access:
    """What somebody has by a connection once these changes have landed."""
    roles, groups = dict.fromkeys(known.roles), dict.fromkeys(known.groups)
    for change in changes:
        match change.kind:
            case ChangeKind.ASSIGN_ROLE:
                roles[(change.about, change.role)] = None
            case ChangeKind.REVOKE_ROLE:
                roles.pop((change.about, change.role), None)
            case ChangeKind.JOIN_GROUP:
                groups[change.about] = None
            case ChangeKind.LEAVE_GROUP:
                groups.pop(change.about, None)
            case _:
                pass
    return Access(tuple(roles), tuple(groups))
