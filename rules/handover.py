"""Handover: what a leaver owns, who may have it next, and what to do with each thing from facts alone (S50).

found ──a successor is chosen──► chosen ──► moving ──► moved ──► returning ──► moved_back
  └──nobody is──► left            ▲           └──► refused | failed     └──► moved (it stayed: the reason says why)
                                  └──try again────────┘
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from rules.guards import is_machine
from rules.person import PersonFacts


class Kind(StrEnum):
    """What somebody owns or does."""

    SPACE = "space"
    PROJECT = "project"
    COMPONENT = "component"
    FILTER = "filter"
    DASHBOARD = "dashboard"
    ISSUE = "issue"
    GROUP = "group"
    TOKEN = "token"


ORDER = (Kind.SPACE, Kind.PROJECT, Kind.COMPONENT, Kind.FILTER, Kind.DASHBOARD, Kind.ISSUE, Kind.GROUP)
"""What can be handed over, in the order in which it is: what others need first."""
GIVEN = frozenset({Kind.SPACE, Kind.GROUP})
"""The successor gets it beside the leaver; everything else changes hands."""
FAMILY = {
    Kind.SPACE: "confluence",
    Kind.PROJECT: "jira",
    Kind.COMPONENT: "jira",
    Kind.FILTER: "jira",
    Kind.DASHBOARD: "jira",
    Kind.ISSUE: "jira",
}
"""The product (rules.products.family_of) that the next owner has to be able to open."""


@dataclass(frozen=True, slots=True)
class Words:
    """How people speak of a kind. `deed` says what becomes of one."""

    many: str
    deed: str


WORDS = {
    Kind.SPACE: Words("Spaces that they alone look after", "The successor administers the space too"),
    Kind.PROJECT: Words("Projects they lead", "The successor leads the project"),
    Kind.COMPONENT: Words("Components they lead", "The successor leads the component"),
    Kind.FILTER: Words("Filters", "The successor owns the filter"),
    Kind.DASHBOARD: Words("Dashboards", "The successor owns the dashboard"),
    Kind.ISSUE: Words("Open issues assigned to them", "The issue is assigned to the successor"),
    Kind.GROUP: Words("Groups that nobody else is in", "The successor joins the group"),
    Kind.TOKEN: Words("API tokens", "Revoked when their access ends"),
}


class BelongingState(StrEnum):
    """Where one belonging is."""

    FOUND = "found"
    CHOSEN = "chosen"
    MOVING = "moving"
    MOVED = "moved"
    RETURNING = "returning"
    MOVED_BACK = "moved_back"
    LEFT = "left"
    REFUSED = "refused"
    FAILED = "failed"


AGAIN = frozenset({BelongingState.REFUSED, BelongingState.FAILED})
"""*Try again* is about these."""
TO_MOVE = frozenset({BelongingState.CHOSEN, BelongingState.MOVING})
TO_RETURN = frozenset({BelongingState.MOVED, BelongingState.RETURNING})


@dataclass(frozen=True, slots=True)
class Found:
    """One belonging as it was found. `key` is how people name it, `place` the project that an issue is in."""

    kind: Kind
    reference: str
    name: str
    key: str = ""
    detail: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Go:
    """Make the call now."""


@dataclass(frozen=True, slots=True)
class End:
    """Nothing to call: this is what became of it, and why."""

    state: BelongingState
    reason: str = ""


Decision = Go | End

LANDED = "Found done after an interruption."
GONE = "It is not there any more."
STOPPED = "Stopped before its turn."


def decide_move(
    kind: Kind, holders: Collection[str] | None, *, leaver: str, successor: str, begun: bool
) -> Decision:
    """What to do with one belonging.

    `holders` have it now; None: it is gone. `begun`: an earlier attempt may have called.
    """
    if holders is None:
        return End(BelongingState.REFUSED, GONE)
    if successor in holders:
        if begun:
            return End(BelongingState.MOVED, LANDED)
        # Not ours to hand back later: we did not give it.
        return End(BelongingState.LEFT, "The successor has it already.")
    if leaver in holders:
        return Go()
    if kind in GIVEN:
        return End(BelongingState.REFUSED, "The leaver does not have it any more: look again.")
    whose = "Somebody else has it by now" if holders else "Nobody has it by now"
    return End(BelongingState.REFUSED, f"{whose}: it was left as it is.")


def decide_return(
    kind: Kind, holders: Collection[str] | None, *, leaver: str, successor: str, begun: bool
) -> Decision:
    """What to do to hand one back: only what the successor still has (S51)."""
    if holders is None:
        return End(BelongingState.MOVED, GONE)
    if kind in GIVEN:
        if successor in holders:
            return Go()
        reason = LANDED if begun else "The successor does not have it any more."
        return End(BelongingState.MOVED_BACK, reason)
    if successor in holders:
        return Go()
    if leaver in holders:
        return End(BelongingState.MOVED_BACK, LANDED if begun else "They have it back already.")
    return End(BelongingState.MOVED, "Somebody changed it since: it stays as it is.")


@dataclass(frozen=True, slots=True)
class Successor:
    """Who shall have it, as read at one moment. `families` are the products they can open on the belonging's site."""

    person: PersonFacts | None
    families: frozenset[str] = frozenset()
    is_leaving: bool = False


def objection_to(successor: Successor, kind: Kind, leaver: str) -> str:
    """Why somebody may not have belongings of this kind; empty when they may."""
    person = successor.person
    if person is None:
        return "Is not in your organization's directory: choose somebody else."
    if person.account_id == leaver:
        return "Is leaving: choose somebody else."
    if is_machine(person):
        return "Is an app or service account, not a person: choose somebody else."
    if person.status not in {"", "active"} or person.membership_status not in {"", "active"}:
        return "Is not active: choose somebody else, or restore them first."
    if person.account_status not in {"", "active"}:
        return "Their account is not active: choose somebody else."
    if successor.is_leaving:
        return "Is leaving too: choose somebody else."
    family = FAMILY.get(kind)
    if family is not None and family not in successor.families:
        product = "Confluence" if family == "confluence" else "Jira"
        return f"Has no access to {product} there: give them access first, or choose somebody else."
    return ""


def sole_steward(
    leaver: str, users: Collection[str], groups: dict[str, frozenset[str]], site_admins: Collection[str]
) -> str | None:
    """Whether a space would have nobody of its own without the leaver: a sentence if so, else None.

    `users` and `groups` (id → active members) administer it; `users` are active people. Those who administer the whole
    site do not count: they look after every space, and so after none.
    """
    if leaver not in users:
        return None
    others = {each for each in users if each != leaver}
    for members in groups.values():
        others |= members - {leaver}
    if not others:
        return "Nobody else may administer it."
    if others <= set(site_admins):
        return "Beside them only the site's administrators may administer it."
    return None


UNSEEN = {
    "jira": (
        "Automation rules whose actor they are: open Project settings → Automation, and the global rules.",
        "Private boards, private dashboards, and filters shared with nobody that Atlassian does not list.",
        "Project roles, notification schemes and default assignees that name them.",
    ),
    "confluence": (
        "Pages in their personal space, and drafts that nobody else can open.",
        "Restricted pages that only they may edit.",
    ),
    "": (
        "What they own inside of Marketplace apps, and OAuth connections they made for other services.",
        "Accounts elsewhere: Bitbucket, Trello, Statuspage, Opsgenie.",
    ),
}
"""What no API tells, by product; "" is true for everybody."""
