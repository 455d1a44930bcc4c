"""States, deeds and events in people's words, with the colour that goes with them. No logic, only vocabulary."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from models.answer import Decision
from rules.case import CaseState, RunState
from rules.deeds import CAPABILITIES, Deed
from rules.panel import Role
from rules.roster import Origin
from rules.rule import Mode
from rules.tickets import CallState
from rules.topics import AnswerKind, Channel, DeliveryState
from rules.verdict import Why
from services.delays import DelayedBy
from services.panels import Silence

STATUSES: dict[str, tuple[str, str]] = {
    "active": ("Active", "success"),
    "suspended": ("Suspended", "danger"),
    "deactivated": ("Deactivated", ""),
    "not_invited": ("Not invited", ""),
    "for_deletion": ("Being deleted", "warning"),
    "left": ("Left the directory", ""),
}

IDLE_CHOICES = [
    ("", "Any activity"),
    ("30", "Idle 30 days or more"),
    ("60", "Idle 60 days or more"),
    ("90", "Idle 90 days or more"),
    ("180", "Idle 180 days or more"),
    ("365", "Idle a year or more"),
    ("other", "Idle for …"),
    ("never", "Never came"),
    ("unknown", "Unknown"),
]

CHANNELS: dict[Channel, str] = {Channel.MAIL: "Mail", Channel.HOOK: "Hook"}
DELIVERY_STATES: dict[DeliveryState, tuple[str, str]] = {
    DeliveryState.WAITING: ("Waiting", "info"),
    DeliveryState.SENDING: ("Being sent", "info"),
    DeliveryState.SENT: ("Sent", "success"),
    DeliveryState.NOT_SENT: ("Not sent", "danger"),
}

DELAYS: dict[DelayedBy, str] = {
    DelayedBy.ANOTHER_RUN: "Another run is changing this person.",
    DelayedBy.LATE_SHOWING: "Changed a moment ago; Atlassian may not show it yet.",
    DelayedBy.INTERRUPTION: "Interrupted; Atlassian may not show yet what came of it.",
    DelayedBy.FAILED_ATTEMPT: "Atlassian gave no answer.",
}

CHIPS: list[tuple[str, dict[str, str]]] = [
    ("Everybody", {}),
    ("Idle 30 days", {"idle": "30"}),
    ("Idle 90 days", {"idle": "90"}),
    ("Idle a year", {"idle": "365"}),
    ("Never came", {"idle": "never"}),
    ("Unknown", {"idle": "unknown"}),
    ("Suspended", {"status": "suspended"}),
    ("External", {"claim": "unmanaged"}),
    ("Left", {"status": "left"}),
]

CALL_STATES: dict[CallState, tuple[str, str]] = {
    CallState.RECEIVED: ("Being read", "info"),
    CallState.WAITING: ("Waits for an operator", "discovery"),
    CallState.GIVING: ("Being given", "info"),
    CallState.APPLIED: ("Applied", "success"),
    CallState.SKIPPED: ("Skipped", ""),
    CallState.FAILED: ("Failed", "danger"),
}
"""How a ticket stands that was sent to a rule."""

RUN_STATES: dict[RunState, tuple[str, str]] = {
    RunState.PREVIEW: ("Preview", ""),
    RunState.BRAKED: ("Stopped by its brake", "warning"),
    RunState.REFUSED: ("Did not begin", "danger"),
    RunState.RUNNING: ("Running", "info"),
    RunState.STOPPED: ("Stopped", "warning"),
    RunState.FINISHED: ("Finished", "success"),
}

MODES: dict[Mode, tuple[str, str, str]] = {
    Mode.AUDIT: ("Audit", "", "Only lists: nobody is warned, nobody is touched."),
    Mode.REVIEW: ("Review", "discovery", "Every person waits under Review until an operator approves."),
    Mode.LIVE: (
        "Live",
        "success",
        "Warns and acts by itself, once an operator has looked at a preview of this version.",
    ),
}
"""Mode → word, tone, what it means."""

DEED_VERBS: dict[Deed, str] = {
    Deed.LIST: "List",
    Deed.TELL: "Warn",
    Deed.REMOVE_ACCESS: "Remove access of",
    Deed.CHANGE_GROUPS: "Change the groups of",
    Deed.SUSPEND: "Suspend",
    Deed.DEACTIVATE: "Deactivate",
    Deed.REMOVE: "Remove",
    Deed.DELETE: "Delete the accounts of",
    Deed.RESTORE: "Restore",
    Deed.GIVE_BACK: "Give access back to",
    Deed.REACTIVATE: "Reactivate",
    Deed.KEEP_ACCOUNT: "Keep the accounts of",
    Deed.INVITE: "Invite",
    Deed.GIVE_ACCESS: "Give access to",
    Deed.TAKE_BACK: "Take back the access of",
    Deed.PROLONG: "Prolong the access of",
    Deed.SET_BACK: "Set back the last day of",
}
_WILL = {
    Deed.REMOVE_ACCESS: "Will lose access",
    Deed.CHANGE_GROUPS: "Will change groups",
    Deed.DELETE: "Will be deleted",
    Deed.GIVE_BACK: "Will get access back",
    Deed.KEEP_ACCOUNT: "Will not be deleted",
    Deed.GIVE_ACCESS: "Will get access",
    Deed.TAKE_BACK: "Will lose access again",
}
_COUNTED = {
    Deed.REMOVE_ACCESS: "lost access",
    Deed.CHANGE_GROUPS: "changed groups",
    Deed.DELETE: "set to be deleted",
    Deed.GIVE_BACK: "got access back",
    Deed.KEEP_ACCOUNT: "saved from deletion",
    Deed.GIVE_ACCESS: "got access",
    Deed.TAKE_BACK: "lost access again",
}
DID = {
    Deed.REMOVE_ACCESS: "Removed a person's access",
    Deed.CHANGE_GROUPS: "Changed a person's groups",
    Deed.DELETE: "Began to delete a person's account",
    Deed.GIVE_BACK: "Gave a person's access back",
    Deed.KEEP_ACCOUNT: "Cancelled the deletion of a person's account",
    Deed.GIVE_ACCESS: "Gave a person access",
    Deed.TAKE_BACK: "Took back a person's access",
    Deed.PROLONG: "Prolonged a person as a list says",
    Deed.SET_BACK: "Set the former last day of a person again",
}
ORIGINS: dict[Origin, str] = {
    Origin.INVITE: "Invitation",
    Origin.CSV: "From a file",
    Origin.TICKET: "Ticket",
    Origin.ACCESS_RULE: "Access rule",
    Origin.SCIM: "Identity provider",
    Origin.LEAVER: "Leaver",
    Origin.TIMED: "Access with an end",
}
"""Where a run came from, beside its title."""
ROLES: dict[Role, str] = {
    Role.ASSIGNEE: "Assignee",
    Role.REPORTER: "Reporter",
    Role.WATCHER: "Watches this issue",
    Role.OWNER: "Owner",
    Role.LAST_EDITOR: "Edited it last",
}
"""What somebody has to do with an issue or a page."""
SILENCES: dict[Silence, str] = {
    Silence.NOT_CONNECTED: "Rollcall does not know your organization yet: an administrator saves an Admin API key "
    "under Configure Token.",
    Silence.NOT_LOGGED_IN: "Log in to read who is away.",
    Silence.NO_ANSWER: "Rollcall was not told who looks after this page. Open this again in a minute; "
    "of a page with restrictions apps are told nothing.",
}
"""What is said instead of who is away, to whoever asked."""
CASES: dict[CaseState, tuple[str, str]] = {
    CaseState.PLANNED: ("Waiting", "info"),
    CaseState.LISTED: ("Listed", ""),
    CaseState.REVIEW: ("To review", "discovery"),
    CaseState.HELD: ("On hold", "warning"),
    CaseState.WARNED: ("Warned, waiting", "info"),
    CaseState.COULD_NOT_WARN: ("Not reachable", "warning"),
    CaseState.ANSWERED: ("Answered, to decide", "discovery"),
    CaseState.ACTING: ("In progress", "info"),
    CaseState.GUARDED: ("Guarded", "discovery"),
    CaseState.NOT_POSSIBLE: ("Not possible", ""),
    CaseState.ACTED: ("Done", "success"),
    CaseState.FAILED: ("Failed", "danger"),
    CaseState.REFUSED: ("Refused by Atlassian", "danger"),
    CaseState.SPARED: ("Left alone", ""),
    CaseState.CANCELLED: ("Not reached", "warning"),
    CaseState.UNDONE: ("Taken back", "discovery"),
    CaseState.UNDO_SKIPPED: ("Not taken back", "warning"),
}
WHYS: dict[Why, str] = {
    Why.GUARD: "Guarded",
    Why.PROTECTED: "Protected",
    Why.LAST_ADMIN: "Last administrator",
    Why.PROVIDER: "Identity provider's",
    Why.OTHER_PRODUCT: "Would end another product",
    Why.EXTERNAL: "External",
    Why.SEATS: "No seat free",
    Why.DONE: "Done already",
    Why.STATUS: "Wrong status",
    Why.DIRECTORIES: "Several directories",
    Why.UNDER_WAY: "In another run",
    Why.TOLD: "Warned already",
    Why.KEPT: "Still needed",
    Why.GIVEN_BACK: "Given back",
    Why.UNREACHABLE: "Cannot be warned",
    Why.ATLASSIAN: "Atlassian says no",
    Why.NOT_IDLE: "Not idle",
    Why.UNKNOWN: "Unknown activity",
    Why.SCOPE: "Not meant",
    Why.LAST_DAY: "Last day left as it is",
}


def case_words(state: str, deed: Deed | str | None, run_state: RunState | str, mode: str = "") -> str:
    """A person's verdict or result in a run: "Suspended" rather than "acted". Without a deed it speaks of several.

    `mode` is that of the rule: one that only lists does nothing of what it says.
    """
    case = CaseState(state)
    if case is CaseState.ACTED and deed:
        return CAPABILITIES[Deed(deed)].done
    if case is CaseState.PLANNED and run_state == RunState.PREVIEW:
        said = will_words(Deed(deed)) if deed else "Chosen"
        return said.replace("ill ", "ould ", 1) if mode == Mode.AUDIT else said
    return CASES[case][0]


def way_back_words(deeds: Collection[Deed]) -> str:
    """What can still be done about a run once it has begun: to be read before it begins."""
    if Deed.REMOVE in deeds:
        return (
            "You can stop it. Whoever is removed by then has to be invited again: groups and roles are lost."
        )
    if Deed.DELETE in deeds:
        return "You can stop it. A deletion that has begun can be cancelled for 14 days, then never."
    return "You can stop it, and take it back."


def will_words(deed: Deed) -> str:
    """Will be suspended."""
    return _WILL.get(deed, "Will be " + CAPABILITIES[deed].done.lower())


def counted_words(deed: Deed) -> str:
    """What was done to people, behind their number: 12 suspended."""
    return _COUNTED.get(deed, CAPABILITIES[deed].done.lower())


def taken_back(counts: Mapping[CaseState, int], by_deed: Mapping[Deed, int]) -> str:
    """How far the undo of a run came, by how its people stand, and how many of them were changed or told."""
    undone, skipped = counts.get(CaseState.UNDONE, 0), counts.get(CaseState.UNDO_SKIPPED, 0)
    if not undone:
        return "Not taken back" if skipped else "Being taken back"
    # Whoever was only warned has nothing that could be taken back.
    left = counts.get(CaseState.ACTED, 0) - by_deed.get(Deed.TELL, 0)
    return "Taken back in part" if skipped or left else "Taken back"


def case_tone(state: str) -> str:
    return CASES[CaseState(state)][1]


ANSWERS: dict[str, tuple[str, str]] = {
    AnswerKind.KEEP: ("Still needs it", "success"),
    AnswerKind.GIVE_UP: ("No longer needs it", ""),
    AnswerKind.AWAY: ("Away", "info"),
    AnswerKind.ASK_BACK: ("Asks for it back", "discovery"),
    AnswerKind.PROLONG: ("Asks for longer", "discovery"),
}
DECISIONS = {
    Decision.WAITS: "Waits for an operator.",
    Decision.APPROVED: "An operator agreed.",
    Decision.REFUSED: "An operator refused.",
    Decision.AUTOMATIC: "",
}
