"""The closed list of what Rollcall can do to a person, and what each deed needs, takes and leaves a way back from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Deed(StrEnum):
    """What is done to a person. A rule takes and tells; the last nine let in, let stay, and lead back."""

    LIST = "list"
    TELL = "tell"
    REMOVE_ACCESS = "remove_access"
    CHANGE_GROUPS = "change_groups"
    SUSPEND = "suspend"
    DEACTIVATE = "deactivate"
    REMOVE = "remove"
    DELETE = "delete"
    RESTORE = "restore"
    GIVE_BACK = "give_back"
    REACTIVATE = "reactivate"
    KEEP_ACCOUNT = "keep_account"
    INVITE = "invite"
    GIVE_ACCESS = "give_access"
    TAKE_BACK = "take_back"
    PROLONG = "prolong"
    SET_BACK = "set_back"


@dataclass(frozen=True, slots=True)
class Capability:
    """One row of the table that people see beside the choice. `opposite` is None where no way leads back.

    `takes` is false for deeds that lock nobody out: guards do not apply to them.
    """

    words: str
    done: str
    for_whom: str
    credential: str
    way_back: str
    atlassian_tells: str
    opposite: Deed | None = None
    takes: bool = True
    managed_only: bool = False


_ADMIN_KEY = "Admin API Key"
_EVERYBODY = "Everybody whom no identity provider owns"
_NOTHING = "Nothing"

CAPABILITIES: dict[Deed, Capability] = {
    Deed.LIST: Capability(
        "only list them", "Listed", "Everybody", "None", "Nothing to take back", _NOTHING, takes=False
    ),
    Deed.TELL: Capability(
        "only warn them",
        "Warned",
        "Everybody whom a notice reaches: in a product with Rollcall in it, or by mail",
        "None",
        "Nothing to take back",
        _NOTHING,
        takes=False,
    ),
    Deed.REMOVE_ACCESS: Capability(
        "remove their access to products",
        "Access removed",
        "Everybody whose groups no identity provider owns",
        _ADMIN_KEY,
        "Undo gives back exactly the roles and groups that were taken",
        _NOTHING,
        Deed.GIVE_BACK,
    ),
    Deed.CHANGE_GROUPS: Capability(
        "change their groups",
        "Groups changed",
        "Everybody; groups of an identity provider are changed there",
        _ADMIN_KEY,
        "Undo puts back exactly the memberships that were changed",
        _NOTHING,
        Deed.GIVE_BACK,
    ),
    Deed.SUSPEND: Capability(
        "suspend them",
        "Suspended",
        _EVERYBODY,
        _ADMIN_KEY,
        "Restore: groups and roles were kept",
        "Nothing; at the next log-in they read that they have no access",
        Deed.RESTORE,
    ),
    Deed.DEACTIVATE: Capability(
        "deactivate their account",
        "Deactivated",
        "Managed accounts that Atlassian says may be changed",
        _ADMIN_KEY,
        "Reactivate the account: access comes back with it",
        "Logged out everywhere; at the next log-in they read that the account is deactivated",
        Deed.REACTIVATE,
        managed_only=True,
    ),
    Deed.REMOVE: Capability(
        "remove them from the organization",
        "Removed",
        _EVERYBODY,
        _ADMIN_KEY,
        "None: they must be invited again, and groups and roles are lost",
        _NOTHING,
    ),
    Deed.DELETE: Capability(
        "delete their account",
        "Deletion begun",
        "Managed accounts that Atlassian says may be deleted",
        _ADMIN_KEY,
        "Within Atlassian's 14 days the deletion can be cancelled, then never",
        "An e-mail that the account will be deleted",
        Deed.KEEP_ACCOUNT,
        managed_only=True,
    ),
    Deed.RESTORE: Capability(
        "restore them", "Restored", "Suspended people", _ADMIN_KEY, "Suspend again", _NOTHING, Deed.SUSPEND,
        takes=False,
    ),
    Deed.GIVE_BACK: Capability(
        "give back their access", "Given back", "People whose access was taken", _ADMIN_KEY,
        "Start the run again", _NOTHING, takes=False,
    ),
    Deed.REACTIVATE: Capability(
        "reactivate their account", "Reactivated", "Deactivated managed accounts", _ADMIN_KEY,
        "Deactivate again", _NOTHING, Deed.DEACTIVATE, takes=False, managed_only=True,
    ),
    Deed.KEEP_ACCOUNT: Capability(
        "cancel the deletion of their account", "Deletion cancelled", "Accounts that are being deleted",
        _ADMIN_KEY, "Delete again", _NOTHING, Deed.DELETE, takes=False, managed_only=True,
    ),
    Deed.INVITE: Capability(
        "invite them", "Invited", "Addresses that are not in your directory yet", _ADMIN_KEY,
        "Undo removes whoever has not been active since", "An invitation by e-mail",
        Deed.REMOVE, takes=False,
    ),
    Deed.GIVE_ACCESS: Capability(
        "give them access", "Access given", "Everybody; groups of an identity provider are changed there",
        _ADMIN_KEY, "Undo takes back exactly the roles and groups that were given", _NOTHING,
        Deed.TAKE_BACK, takes=False,
    ),
    Deed.TAKE_BACK: Capability(
        "take back their access", "Access taken back", "People to whom Rollcall gave it", _ADMIN_KEY,
        "Give it again", _NOTHING, Deed.GIVE_BACK, takes=False,
    ),
    Deed.PROLONG: Capability(
        "prolong their access", "Prolonged", "People whose access has an end", _ADMIN_KEY,
        "Undo sets the former last day again", _NOTHING, Deed.SET_BACK, takes=False,
    ),
    Deed.SET_BACK: Capability(
        "set the former last day of their access again", "Set back",
        "People whose access was prolonged by a list", _ADMIN_KEY, "Prolong it again", _NOTHING,
        Deed.PROLONG, takes=False,
    ),
}  # fmt: skip

FOR_RULES = (
    Deed.LIST,
    Deed.TELL,
    Deed.REMOVE_ACCESS,
    Deed.CHANGE_GROUPS,
    Deed.SUSPEND,
    Deed.DEACTIVATE,
    Deed.REMOVE,
    Deed.DELETE,
)
"""What a rule may do."""
BY_HAND = (Deed.SUSPEND, Deed.RESTORE)
"""What an operator may do to people selected in the list."""


@dataclass(frozen=True, slots=True)
class EndMoved:
    """Another last day for what the case `of` gave: `before` is the one that counted, `until` the new one."""

    of: str
    before: date
    until: date

    def inverse(self) -> EndMoved:
        return EndMoved(self.of, self.until, self.before)


@dataclass(frozen=True, slots=True)
class Action:
    """A deed with what it is about. `products` are product keys ("confluence": on every site) or resource ids;

    `leave` and `join` are group ids, `roles` what is given as (resource id, role). `message` is for
    whoever is invited or deactivated. `ends` are the last days that it moves; nothing changes at Atlassian by that.
    """

    deed: Deed
    products: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    join: tuple[str, ...] = ()
    roles: tuple[tuple[str, str], ...] = ()
    message: str = ""
    ends: tuple[EndMoved, ...] = ()

    @property
    def takes(self) -> bool:
        """Whether it may lock somebody out: who only joins groups loses nothing."""
        if self.deed is Deed.CHANGE_GROUPS and not self.leave:
            return not (self.join or self.roles)
        return CAPABILITIES[self.deed].takes
