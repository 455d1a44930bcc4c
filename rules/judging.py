"""The verdict on one person for one deed. The preview, the live run and the deed ask the same functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rules.access_path import USER_ROLE, groups_of_provider, of_provider, path_out
from rules.case import NOT_HERE, CaseState
from rules.changes import (
    Change,
    ChangeKind,
    Snapshot,
    holds,
    is_away,
    is_deactivated,
    is_so_already,
    needs_roles,
    of_access,
    still_to_do,
    whole_person,
)
from rules.deeds import CAPABILITIES, Action, Deed
from rules.guards import SENTENCES, guard_of
from rules.last_administrators import last_administrator, last_administrator_after
from rules.organization import OrganizationFacts
from rules.person import PersonFacts
from rules.verdict import Ground, Verdict, Why, not_possible

NOTHING_LEFT = "Has everything back already."
"""Said of somebody for whom an undo has nothing to do: as if it had been done."""


def judge(
    action: Action,
    seen: Snapshot,
    ground: Ground,
    *,
    in_several_directories: bool = False,
    refusal: str = "",
) -> Verdict:
    """The verdict on one person for one deed.

    What locks nobody out is guarded by nothing. `refusal` is what Atlassian said the last time it was asked whether
    this account may be changed.
    """
    if action.takes:
        shielded = _shielded(seen.facts, ground)
        if shielded is not None:
            return shielded
    return _possible(action, seen, ground, several=in_several_directories, refusal=refusal)


def judge_way_back(
    changes: Sequence[Change],
    done: Sequence[Change],
    seen: Snapshot | None,
    *,
    begun: Sequence[Change] = (),
) -> Verdict:
    """The verdict on taking a deed back: `changes` lead back, `done` are those they take back (S51).

    Nobody is touched whom somebody has changed since. `begun` are the changes that this same undo wrote down before
    it was interrupted: what it took back itself is nobody else's doing.
    """
    if seen is None:
        return Verdict(CaseState.NOT_POSSIBLE, NOT_HERE, Why.STATUS)
    if not changes:
        return Verdict(
            CaseState.NOT_POSSIBLE,
            "There is no way back: invite them again, and give them their groups anew.",
            Why.STATUS,
        )
    if not still_to_do(changes, seen):
        return Verdict(CaseState.NOT_POSSIBLE, NOTHING_LEFT, Why.DONE)
    # Only the deed asks for roles: a preview cannot say that somebody changed them.
    told = [change for change in done if seen.roles is not None or not needs_roles([change])]
    if not all(holds(change, seen) or change.inverse() in begun for change in told):
        return Verdict(CaseState.NOT_POSSIBLE, "Somebody changed this person since.", Why.DONE)
    return Verdict(CaseState.PLANNED, changes=tuple(changes))


def _shielded(facts: PersonFacts, ground: Ground) -> Verdict | None:
    guard = guard_of(facts, ground.guarded, ground.organization.site_owners)
    if guard is not None:
        return Verdict(CaseState.GUARDED, SENTENCES[guard], Why.GUARD)
    protection = ground.organization.protection_of(facts, ground.today)
    if protection is None:
        return None
    until = f" until {protection.until:%-d %B %Y}" if protection.until else ""
    return Verdict(CaseState.GUARDED, f"Protected{until}: {protection.reason}", Why.PROTECTED)


def _possible(action: Action, seen: Snapshot, ground: Ground, *, several: bool, refusal: str) -> Verdict:
    if action.deed is Deed.TELL and not ground.organization.can_be_reached(seen.facts):
        return not_possible(
            "No notice can reach them: neither in a product with Rollcall in it nor by mail.", Why.UNREACHABLE
        )
    if action.deed in (Deed.LIST, Deed.TELL):
        return Verdict(CaseState.PLANNED)
    obstacle = _account_obstacle(action, seen.facts, refusal)
    if obstacle is not None:
        return obstacle
    if several:
        return not_possible(
            "Is in several directories of your organization: change them at admin.atlassian.com.",
            Why.DIRECTORIES,
        )
    if action.deed is Deed.REMOVE_ACCESS:
        return _access_verdict(action, seen, ground.organization)
    if action.deed in (Deed.CHANGE_GROUPS, Deed.GIVE_ACCESS):
        return _groups_verdict(action, seen, ground.organization)
    if action.deed is Deed.TAKE_BACK:
        return _taking_back_verdict(action, seen, ground.organization)
    if action.deed is Deed.INVITE:
        return _invitation_verdict(action, seen, ground.organization)
    last = last_administrator(seen.facts, action, ground.organization)
    return last or Verdict(CaseState.PLANNED, changes=whole_person(action))


def _account_obstacle(action: Action, facts: PersonFacts, refusal: str) -> Verdict | None:
    changes = whole_person(action)
    if changes and is_so_already(changes[0], Snapshot(facts)):
        return not_possible(already(action), Why.DONE)
    also_then = (Deed.REACTIVATE, Deed.KEEP_ACCOUNT, Deed.DELETE, Deed.REMOVE)
    if is_deactivated(facts) and action.deed not in also_then:
        return not_possible(
            "The whole Atlassian account is deactivated: nothing left to do here.", Why.STATUS
        )
    if is_away(facts) and action.deed is not Deed.INVITE and not CAPABILITIES[action.deed].managed_only:
        return not_possible("Has no access to this organization's products.", Why.STATUS)
    if action.deed is Deed.GIVE_ACCESS and facts.membership_status == "suspended":
        return not_possible("Is suspended: restore them first.", Why.STATUS)
    if CAPABILITIES[action.deed].managed_only and facts.claim_status != "managed":
        return not_possible(
            "External: only the organization that manages the account may do this.", Why.EXTERNAL
        )
    if facts.management_source == "synced" and action.deed not in _BY_ACCESS:
        return not_possible(
            "Belongs to your identity provider: change them there, or the next sync undoes it.", Why.PROVIDER
        )
    if refusal and CAPABILITIES[action.deed].managed_only:
        return not_possible(refusal, Why.ATLASSIAN)
    return None


_BY_ACCESS = (Deed.REMOVE_ACCESS, Deed.CHANGE_GROUPS, Deed.GIVE_ACCESS, Deed.TAKE_BACK)
"""Deeds that leave the person as they are and change what they may open."""
_ALREADY = {
    Deed.SUSPEND: "Is suspended already.",
    Deed.RESTORE: "Is not suspended.",
    Deed.DEACTIVATE: "The whole Atlassian account is deactivated: nothing left to do here.",
    Deed.REACTIVATE: "The account is not deactivated.",
    Deed.REMOVE: "Has no access to this organization's products.",
    Deed.DELETE: "The account is being deleted already.",
    Deed.KEEP_ACCOUNT: "The account is not being deleted.",
    Deed.REMOVE_ACCESS: "Has no access to these products.",
    Deed.CHANGE_GROUPS: "Is in these groups, and out of those, already.",
    Deed.GIVE_ACCESS: "Has this access already.",
    Deed.TAKE_BACK: "Does not have this access any more.",
    Deed.INVITE: "Is in the organization already.",
}


def already(action: Action) -> str:
    """The sentence for somebody for whom the deed has nothing left to do. Not for deeds that change nothing."""
    return _ALREADY[action.deed]


def _access_verdict(action: Action, seen: Snapshot, organization: OrganizationFacts) -> Verdict:
    ending = organization.resources_of(action.products)
    if not any(access.resource_id in ending for access in seen.facts.products):
        return not_possible(already(action), Why.DONE)
    last = last_administrator(seen.facts, action, organization)
    if last is not None:
        return last
    path = path_out(seen, ending, organization)
    if path.obstacle:
        why = Why.PROVIDER if path.provider else Why.OTHER_PRODUCT
        return Verdict(
            CaseState.NOT_POSSIBLE, path.obstacle, why, groups=path.groups if path.provider else ()
        )
    return Verdict(CaseState.PLANNED, changes=path.changes)


def _groups_verdict(action: Action, seen: Snapshot, organization: OrganizationFacts) -> Verdict:
    to_do = still_to_do(of_access(wanted(action, seen)), seen)
    if not to_do:
        return not_possible(already(action), Why.DONE)
    obstacle = _groups_obstacle(to_do, organization)
    if obstacle is not None:
        return obstacle
    last = last_administrator(seen.facts, action, organization)
    return last or Verdict(CaseState.PLANNED, changes=to_do)


def _taking_back_verdict(action: Action, seen: Snapshot, organization: OrganizationFacts) -> Verdict:
    to_do = still_to_do(of_access(action), seen)
    if not to_do:
        return not_possible(already(action), Why.DONE)
    obstacle = _groups_obstacle(to_do, organization)
    return (
        obstacle
        or last_administrator_after(seen.facts, to_do, organization)
        or Verdict(CaseState.PLANNED, changes=to_do)
    )


def _invitation_verdict(action: Action, seen: Snapshot, organization: OrganizationFacts) -> Verdict:
    changes = (*whole_person(action), *of_access(action))
    obstacle = _groups_obstacle(changes, organization)
    return obstacle or Verdict(CaseState.PLANNED, changes=still_to_do(changes, seen))


def wanted(action: Action, seen: Snapshot) -> Action:
    """The action without the product access that somebody has already, by whichever way."""
    if action.leave or not action.roles:
        return action
    held = {access.resource_id for access in seen.facts.products}
    return replace(
        action, roles=tuple(one for one in action.roles if one[1] != USER_ROLE or one[0] not in held)
    )


def _groups_obstacle(changes: Sequence[Change], organization: OrganizationFacts) -> Verdict | None:
    gone = [
        change.about
        for change in changes
        if change.kind is ChangeKind.JOIN_GROUP and not organization.has_group(change.about)
    ]
    if gone:
        known = organization.groups.get(gone[0])
        name = f"The group {known.name}" if known is not None else "A group"
        return not_possible(f"{name} does not exist any more: choose another one.", Why.STATUS)
    missing = [
        change.about
        for change in changes
        if change.kind is ChangeKind.ASSIGN_ROLE and change.about not in organization.products
    ]
    if missing:
        name = organization.product_words(missing[0])
        return not_possible(
            f"Your organization has no {name} there any more: choose another product.", Why.STATUS
        )
    ours = (
        change.about for change in changes if change.kind in (ChangeKind.JOIN_GROUP, ChangeKind.LEAVE_GROUP)
    )
    synced = groups_of_provider(ours, organization)
    if not synced:
        return None
    them = "it" if len(synced) == 1 else "them"
    reason = f"{of_provider(synced, organization)}: change {them} there."
    return Verdict(CaseState.NOT_POSSIBLE, reason, Why.PROVIDER, groups=synced)
