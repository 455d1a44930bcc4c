"""The single calls that a deed consists of: planned before, checked against facts after, taken back one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rules.deeds import Action, Deed
from rules.person import PersonFacts, RoleHeld


class ChangeKind(StrEnum):
    """One call to Atlassian that changes a person."""

    SUSPEND = "suspend"
    RESTORE = "restore"
    LEAVE_GROUP = "leave_group"
    JOIN_GROUP = "join_group"
    REVOKE_ROLE = "revoke_role"
    ASSIGN_ROLE = "assign_role"
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"
    REMOVE = "remove"
    DELETE = "delete"
    KEEP_ACCOUNT = "keep_account"
    INVITE = "invite"


INVERSE: dict[ChangeKind, ChangeKind] = {
    ChangeKind.SUSPEND: ChangeKind.RESTORE,
    ChangeKind.RESTORE: ChangeKind.SUSPEND,
    ChangeKind.LEAVE_GROUP: ChangeKind.JOIN_GROUP,
    ChangeKind.JOIN_GROUP: ChangeKind.LEAVE_GROUP,
    ChangeKind.REVOKE_ROLE: ChangeKind.ASSIGN_ROLE,
    ChangeKind.ASSIGN_ROLE: ChangeKind.REVOKE_ROLE,
    ChangeKind.DEACTIVATE: ChangeKind.REACTIVATE,
    ChangeKind.REACTIVATE: ChangeKind.DEACTIVATE,
    ChangeKind.DELETE: ChangeKind.KEEP_ACCOUNT,
    ChangeKind.KEEP_ACCOUNT: ChangeKind.DELETE,
}
"""REMOVE is missing: what the directory forgot, only an invitation brings back. Of INVITE see way_back."""


@dataclass(frozen=True, slots=True)
class Change:
    """`about` is a group id or a product's resource id, empty where the whole person changes; `role` is of roles."""

    kind: ChangeKind
    about: str = ""
    role: str = ""

    def inverse(self) -> Change | None:
        kind = INVERSE.get(self.kind)
        return None if kind is None else Change(kind, self.about, self.role)

    def to_words(self) -> list[str]:
        return [self.kind.value, self.about, self.role]

    @classmethod
    def from_words(cls, words: Sequence[str]) -> Change:
        return cls(ChangeKind(words[0]), words[1], words[2])


_WHOLE_PERSON = {
    Deed.SUSPEND: (Change(ChangeKind.SUSPEND),),
    Deed.RESTORE: (Change(ChangeKind.RESTORE),),
    Deed.DEACTIVATE: (Change(ChangeKind.DEACTIVATE),),
    Deed.REACTIVATE: (Change(ChangeKind.REACTIVATE),),
    Deed.REMOVE: (Change(ChangeKind.REMOVE),),
    Deed.DELETE: (Change(ChangeKind.DELETE),),
    Deed.KEEP_ACCOUNT: (Change(ChangeKind.KEEP_ACCOUNT),),
    Deed.INVITE: (Change(ChangeKind.INVITE),),
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A person with the roles they hold, as read at one moment; `roles` is None where nobody asked for them.

    `directory_id` is where somebody was found who was looked for by an address.
    """

    facts: PersonFacts
    roles: tuple[RoleHeld, ...] | None = None
    directory_id: str = ""

    @property
    def group_ids(self) -> frozenset[str]:
        return frozenset(group.id for group in self.facts.groups)

    def has_direct(self, resource_id: str, role: str) -> bool:
        return any(
            held.direct and held.resource_id == resource_id and held.role == role for held in self.roles or ()
        )


def whole_person(action: Action) -> tuple[Change, ...]:
    """The one change of a deed that is about the whole person; empty for the others."""
    return _WHOLE_PERSON.get(action.deed, ())


def of_access(action: Action) -> tuple[Change, ...]:
    """Leave, then take roles and join: somebody is never in both groups on the way.

    What is taken back is named as it was given.
    """
    if action.deed is Deed.TAKE_BACK:
        return (
            *(Change(ChangeKind.LEAVE_GROUP, group) for group in action.join),
            *(Change(ChangeKind.REVOKE_ROLE, resource_id, role) for resource_id, role in action.roles),
        )
    return (
        *(Change(ChangeKind.LEAVE_GROUP, group) for group in action.leave),
        *(Change(ChangeKind.ASSIGN_ROLE, resource_id, role) for resource_id, role in action.roles),
        *(Change(ChangeKind.JOIN_GROUP, group) for group in action.join),
    )


def holds(change: Change, seen: Snapshot) -> bool:
    """Whether the directory already shows what the change is for."""
    match change.kind:
        case ChangeKind.LEAVE_GROUP:
            return change.about not in seen.group_ids
        case ChangeKind.JOIN_GROUP:
            return change.about in seen.group_ids
        case ChangeKind.REVOKE_ROLE:
            # Roles that nobody asked for are not roles that nobody holds.
            return seen.roles is not None and not seen.has_direct(change.about, change.role)
        case ChangeKind.ASSIGN_ROLE:
            return seen.has_direct(change.about, change.role)
        case _:
            return _SHOWS[change.kind](seen.facts)


def is_so_already(change: Change, seen: Snapshot) -> bool:
    """Whether it holds, or more than it: an account that is being deleted is beyond a deactivation."""
    return holds(change, seen) or (change.kind is ChangeKind.DEACTIVATE and is_deactivated(seen.facts))


def is_away(facts: PersonFacts) -> bool:
    """Whether somebody is not in the organization's directory, or only without any access there."""
    return facts.membership_status == "no_membership" or facts.status == "not_invited"


def is_deactivated(facts: PersonFacts) -> bool:
    """Whether the whole Atlassian account is shut, here and everywhere."""
    return facts.account_status in {"inactive", "closed"} or facts.status in {"deactivated", "for_deletion"}


def _being_deleted(facts: PersonFacts) -> bool:
    return facts.account_status == "closed" or facts.status == "for_deletion"


_SHOWS: dict[ChangeKind, Callable[[PersonFacts], bool]] = {
    ChangeKind.SUSPEND: lambda facts: facts.membership_status == "suspended",
    ChangeKind.RESTORE: lambda facts: facts.membership_status == "active",
    ChangeKind.DEACTIVATE: lambda facts: facts.account_status == "inactive",
    ChangeKind.REACTIVATE: lambda facts: facts.account_status == "active",
    ChangeKind.REMOVE: lambda facts: facts.membership_status == "no_membership",
    ChangeKind.DELETE: _being_deleted,
    ChangeKind.KEEP_ACCOUNT: lambda facts: not _being_deleted(facts),
    ChangeKind.INVITE: lambda facts: not is_away(facts),
}


def still_to_do(changes: Iterable[Change], seen: Snapshot) -> tuple[Change, ...]:
    """The changes that the directory does not show yet, in their order."""
    return tuple(change for change in changes if not holds(change, seen))


def way_back(changes: Sequence[Change], *, was_deactivated: bool = False) -> tuple[Change, ...]:
    """The inverse changes, last one first. Changes without a way back are left out.

    Who was invited goes as they came: with them go the roles and groups that the invitation brought. An account whose
    deletion is cancelled is active then, also one that `was_deactivated` before: that one is deactivated again.
    """
    if Change(ChangeKind.INVITE) in changes:
        return (Change(ChangeKind.REMOVE),)
    back = tuple(back for change in reversed(changes) if (back := change.inverse()) is not None)
    if was_deactivated and Change(ChangeKind.DELETE) in changes:
        return (*back, Change(ChangeKind.DEACTIVATE))
    return back


def needs_roles(changes: Iterable[Change]) -> bool:
    """Whether only the role assignments can tell if these changes hold."""
    return any(change.kind in (ChangeKind.REVOKE_ROLE, ChangeKind.ASSIGN_ROLE) for change in changes)
