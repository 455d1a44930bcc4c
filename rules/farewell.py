"""Leavers: the states of one, and what has to be done by hand before their access can end; never a silent skip."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rules.changes import Snapshot, is_away, is_deactivated
from rules.deeds import Action, Deed
from rules.guards import is_machine
from rules.judging import judge
from rules.last_administrators import products_touched
from rules.organization import OrganizationFacts
from rules.verdict import Ground, Why


class LeaverState(StrEnum):
    """looking → ready → checking → planned → handing_over → ending → done; handing_back → handed_back."""

    LOOKING = "looking"
    READY = "ready"
    CHECKING = "checking"
    PLANNED = "planned"
    HANDING_OVER = "handing_over"
    ENDING = "ending"
    DONE = "done"
    HANDING_BACK = "handing_back"
    HANDED_BACK = "handed_back"
    STOPPED = "stopped"


WORKING = frozenset(
    {
        LeaverState.LOOKING,
        LeaverState.CHECKING,
        LeaverState.HANDING_OVER,
        LeaverState.ENDING,
        LeaverState.HANDING_BACK,
    }
)
"""The worker looks at these by itself."""
CHOOSING = frozenset({LeaverState.READY, LeaverState.PLANNED})
"""An operator decides."""
UNDECIDED = CHOOSING | {LeaverState.LOOKING, LeaverState.CHECKING}
"""Nobody has said yet that it shall begin."""
OVER = frozenset({LeaverState.DONE, LeaverState.HANDED_BACK, LeaverState.STOPPED})
ENDINGS = (Deed.SUSPEND, Deed.DEACTIVATE, Deed.REMOVE_ACCESS, Deed.REMOVE, Deed.DELETE, Deed.LIST)
"""How access may end; LIST: it stays as it is."""
ENDING_WORDS = {
    Deed.SUSPEND: "Suspend them",
    Deed.DEACTIVATE: "Deactivate their account",
    Deed.REMOVE_ACCESS: "Remove their access to products",
    Deed.REMOVE: "Remove them from the organization",
    Deed.DELETE: "Delete their account",
    Deed.LIST: "Leave their access as it is",
}


def action_of_ending(deed: Deed, organization: OrganizationFacts) -> Action:
    """How access ends, as one action: access to products ends in all that the organization has."""
    products = tuple(sorted(organization.products)) if deed is Deed.REMOVE_ACCESS else ()
    return Action(deed, products=products)


class Obstacle(StrEnum):
    """Why an operator has to do something first."""

    YOURSELF = "yourself"
    ORG_ADMIN = "org_admin"
    KEY_HOLDER = "key_holder"
    SITE_OWNER = "site_owner"
    LAST_ADMIN = "last_admin"
    PROVIDER = "provider"
    PROTECTED = "protected"
    MACHINE = "machine"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `place` is where: "admin" (the organization's page at Atlassian), "configure", "protected"."""

    words: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Guide:
    """One obstacle with the way around it, step by step."""

    obstacle: Obstacle
    title: str
    steps: tuple[Step, ...]


_ORG_ADMIN = Guide(
    Obstacle.ORG_ADMIN,
    "They administer the organization. Rollcall never locks out an organization administrator.",
    (
        Step("Make sure that somebody else is an organization administrator, and can log in.", "admin"),
        Step("Open this person at Atlassian and take the role “Organization admin” from them.", "admin"),
        Step("Come back and look again."),
    ),
)
_KEY_HOLDER = Guide(
    Obstacle.KEY_HOLDER,
    "Rollcall works with their credential: without this account it would stop working everywhere.",
    (
        Step("Let another administrator create an Admin API key and an API token.", "admin"),
        Step("Save both under Configure Token, in every product that has Rollcall.", "configure"),
        Step("Come back and look again."),
    ),
)
_SITE_OWNER = Guide(
    Obstacle.SITE_OWNER,
    "They own another site of the organization: Atlassian does not let such an account be deactivated.",
    (
        Step("Open the site at Atlassian and name another site owner.", "admin"),
        Step("Sync now, then look again."),
    ),
)
_YOURSELF = Guide(
    Obstacle.YOURSELF,
    "This is you. Nobody can lock themselves out.",
    (Step("Ask another operator to lead you out."),),
)
_MACHINE = Guide(
    Obstacle.MACHINE,
    "This is an app or service account, not a person.",
    (
        Step("Find out which app uses it before anything is taken away."),
        Step("Remove the app or the service account at Atlassian.", "admin"),
    ),
)


def obstacles(
    action: Action,
    seen: Snapshot,
    ground: Ground,
    *,
    revokes: bool = False,
    in_several_directories: bool = False,
    refusal: str = "",
) -> tuple[Guide, ...]:
    """Everything that has to be done first, not only the first thing; empty when access can end by Rollcall.

    `revokes`: their API tokens end too, also where access stays.
    """
    if action.deed is Deed.LIST:
        # Rollcall's own token may be among those that end.
        return (_KEY_HOLDER,) if revokes and seen.facts.account_id in ground.guarded.key_holders else ()
    facts, organization = seen.facts, ground.organization
    account_id = facts.account_id
    found: list[Guide] = []
    if account_id == ground.guarded.asked_by or account_id in ground.guarded.let_go_by:
        found.append(_YOURSELF)
    if facts.is_org_admin:
        found.append(_ORG_ADMIN)
    if account_id in ground.guarded.key_holders:
        found.append(_KEY_HOLDER)
    if account_id in organization.site_owners:
        found.append(_SITE_OWNER)
    if is_machine(facts):
        found.append(_MACHINE)
    found += [
        _last_administrator(organization.product_words(each))
        for each in sorted(products_touched(action, organization))
        if organization.admins.get(each, frozenset()) == {account_id}
    ]
    protection = organization.protection_of(facts, ground.today)
    if protection is not None:
        found.append(_protected(protection.reason))
    if found:
        return tuple(found)
    verdict = judge(action, seen, ground, in_several_directories=in_several_directories, refusal=refusal)
    is_over = not in_several_directories and is_over_already(action, seen, ground)
    if verdict.objection is None or verdict.why is Why.DONE or is_over:
        return ()
    return (_provider(verdict.reason) if verdict.why is Why.PROVIDER else _other(verdict.reason),)


def is_over_already(action: Action, seen: Snapshot | None, ground: Ground) -> bool:
    """Whether nothing is left to end, be it that somebody ended more than this ending would."""
    if seen is None:
        return True
    if action.deed in (Deed.SUSPEND, Deed.REMOVE_ACCESS) and (
        is_away(seen.facts) or is_deactivated(seen.facts)
    ):
        return True
    return action.deed is not Deed.LIST and judge(action, seen, ground).why is Why.DONE


def _last_administrator(product: str) -> Guide:
    return Guide(
        Obstacle.LAST_ADMIN,
        f"They are the last administrator of {product}.",
        (
            Step(f"Give somebody else the role “Product admin” for {product}.", "admin"),
            Step("Sync now, then look again."),
        ),
    )


def _protected(reason: str) -> Guide:
    return Guide(
        Obstacle.PROTECTED,
        f"They are on your list of protected people: {reason}",
        (
            Step("Take them off the list, or ask whoever put them there.", "protected"),
            Step("Come back and look again."),
        ),
    )


def _provider(reason: str) -> Guide:
    return Guide(
        Obstacle.PROVIDER,
        reason,
        (
            Step("Deactivate the person in your identity provider, or take them out of its group there."),
            Step("Wait until it has told Atlassian: this may take up to an hour."),
            Step("Sync now, then look again; or choose another ending."),
        ),
    )


def _other(reason: str) -> Guide:
    return Guide(
        Obstacle.OTHER,
        reason,
        (Step("Do it at Atlassian, or choose another ending.", "admin"), Step("Come back and look again.")),
    )
