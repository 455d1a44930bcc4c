"""Taking a deed back: the verdict on one person, and what the deed had left behind (S51)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rules.access_path import groups_of_provider, of_provider
from rules.case import CaseState
from rules.changes import Change, ChangeKind, Snapshot, still_to_do, whole_person
from rules.deeds import Action, Deed
from rules.judging import judge, judge_way_back
from rules.last_administrators import last_administrator_after
from rules.organization import OrganizationFacts
from rules.person import GroupRef, PersonFacts
from rules.verdict import Ground, Verdict, Why

_AFTER: dict[ChangeKind, dict[str, str]] = {
    ChangeKind.SUSPEND: {"membership_status": "suspended", "status": "suspended"},
    ChangeKind.RESTORE: {"membership_status": "active", "status": "active"},
    ChangeKind.DEACTIVATE: {"account_status": "inactive", "status": "deactivated"},
    ChangeKind.REACTIVATE: {"account_status": "active", "status": "active"},
    ChangeKind.DELETE: {"account_status": "closed", "status": "for_deletion"},
    ChangeKind.KEEP_ACCOUNT: {"account_status": "active", "status": "active"},
    ChangeKind.REMOVE: {"membership_status": "no_membership", "status": "not_invited"},
    ChangeKind.INVITE: {"membership_status": "active", "status": "active"},
}


def judge_undo(
    action: Action,
    back: Sequence[Change],
    done: Sequence[Change],
    seen: Snapshot | None,
    ground: Ground,
    *,
    in_several_directories: bool,
    begun: Sequence[Change] = (),
) -> Verdict:
    """The verdict on making the changes `back`, which take back those in `done`, by the deed of `action`.

    Whoever somebody has changed since is left alone; a way back that locks out is guarded like any deed. `begun` are
    the changes that this same undo wrote down before it was interrupted. A group that is gone keeps nobody from the
    rest: the reason names it.
    """
    left_out = [change.about for change in back if _into_a_gone_group(change, ground.organization)]
    if left_out:
        back = [change for change in back if change.about not in left_out]
        if not back:
            return Verdict(CaseState.NOT_POSSIBLE, f"{_gone(left_out, ground.organization)}.", Why.STATUS)
    verdict = judge_way_back(back, done, seen, begun=begun)
    if verdict.objection is not None or seen is None:
        return verdict
    if left_out:
        verdict = replace(verdict, reason=f"{_gone(left_out, ground.organization)}: the rest comes back.")
    if Change(ChangeKind.INVITE) in done and has_accepted(seen.facts):
        return Verdict(
            CaseState.NOT_POSSIBLE,
            "Has been active since the invitation: end their access as for anybody who leaves.",
            Why.DONE,
        )
    last = last_administrator_after(seen.facts, back, ground.organization)
    if last is not None:
        return last
    groups = [
        change.about for change in back if change.kind in (ChangeKind.JOIN_GROUP, ChangeKind.LEAVE_GROUP)
    ]
    synced = groups_of_provider(groups, ground.organization)
    if synced:
        them = "it" if len(synced) == 1 else "them"
        reason = f"{of_provider(synced, ground.organization)}: change {them} there."
        return Verdict(CaseState.NOT_POSSIBLE, reason, Why.PROVIDER, groups=synced)
    if still_to_do(whole_person(action), seen):
        again = judge(action, seen, ground, in_several_directories=in_several_directories)
        return again if again.objection is not None else verdict
    return verdict


def _into_a_gone_group(change: Change, organization: OrganizationFacts) -> bool:
    group = organization.groups.get(change.about)
    return change.kind is ChangeKind.JOIN_GROUP and group is not None and group.gone


def _gone(group_ids: Iterable[str], organization: OrganizationFacts) -> str:
    *names, last = (organization.group_name(group_id) for group_id in group_ids)
    return f"The groups {', '.join(names)} and {last} are gone" if names else f"The group {last} is gone"


def has_accepted(facts: PersonFacts) -> bool:
    """Whether somebody has come since they were invited."""
    return any(access.last_active for access in facts.products)


def taken_back_by(deed: Deed, done: Sequence[Change]) -> tuple[Change, ...]:
    """Of what a case did, what an undo by this deed takes back: who accepted an invitation stays here."""
    return tuple(
        change for change in done if deed is not Deed.TAKE_BACK or change.kind is not ChangeKind.INVITE
    )


def as_left_by(changes: Iterable[Change], seen: Snapshot) -> Snapshot:
    """What the directory shows once these changes have settled."""
    facts = seen.facts
    for change in changes:
        facts = _after(change, facts)
    return replace(seen, facts=facts)


def status_after(kind: ChangeKind) -> dict[str, str]:
    """The words of status that a change of the whole person leaves behind; empty for the others."""
    return _AFTER.get(kind, {})


def _after(change: Change, facts: PersonFacts) -> PersonFacts:
    if change.kind in _AFTER:
        return replace(facts, **_AFTER[change.kind])  # type: ignore[arg-type]
    if change.kind is ChangeKind.LEAVE_GROUP:
        return replace(facts, groups=tuple(group for group in facts.groups if group.id != change.about))
    if change.kind is ChangeKind.JOIN_GROUP:
        return replace(facts, groups=(*facts.groups, GroupRef(change.about, change.about)))
    return facts
