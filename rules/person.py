"""What Atlassian tells about a person, as plain values (POST …/users/search, with all it can expand)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

ORG_ADMIN = "atlassian/org-admin"
IN_USE = ("", "active")
"""What `status` and `account_status` say of an account that its owner can use. Empty: Atlassian did not say."""


@dataclass(frozen=True, slots=True)
class ProductAccess:
    """One product this person has a seat in. `last_active` is None when Atlassian has no date for it."""

    resource_id: str
    key: str
    last_active: datetime | None


@dataclass(frozen=True, slots=True)
class GroupRef:
    """A group by its id, with the name Atlassian shows."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class RoleHeld:
    """A role that somebody has on one product (resource id is an ARI), and the ways it came: both may be true."""

    resource_id: str
    role: str
    direct: bool
    by_group: bool


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """A group and whether anybody but an identity provider may change who is in it; `gone` when it was deleted."""

    id: str
    name: str
    directory_id: str = ""
    synced: bool = False
    modifiable: bool = True
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Privilege:
    """Whether an account may be changed in one way; `reason` is Atlassian's key, such as externalDirectory.scim."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """One row of the organization's directory, as read at one moment.

    `email` is None when hidden. `status` is Atlassian's summary (active, suspended, not_invited, deactivated,
    for_deletion); `membership_status` is about this directory; `account_status` about the whole account.
    Words Atlassian does not send are empty strings. `email_verified` is False while an invitation is unanswered, None
    when Atlassian does not say. `untold` names what it was asked for and said nothing of, in its own words: it may be
    empty, or left out.
    """

    account_id: str
    name: str
    nickname: str = ""
    email: str | None = None
    account_type: str = ""
    account_status: str = ""
    membership_status: str = ""
    status: str = ""
    claim_status: str = ""
    management_source: str = ""
    email_verified: bool | None = None
    platform_roles: frozenset[str] = field(default_factory=frozenset)
    added_at: datetime | None = None
    products: tuple[ProductAccess, ...] = ()
    groups: tuple[GroupRef, ...] = ()
    untold: frozenset[str] = frozenset()

    @property
    def is_org_admin(self) -> bool:
        return ORG_ADMIN in self.platform_roles

    @property
    def is_in_use(self) -> bool:
        return self.status in IN_USE
