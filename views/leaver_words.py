"""States of leavers and of what they own, in people's words, with the colour that goes with them. Only vocabulary."""

from __future__ import annotations

from models.leaver import LeaverOrigin
from models.leaver_list import Standing
from rules.farewell import LeaverState
from rules.handover import BelongingState, Kind

STATES: dict[LeaverState, tuple[str, str]] = {
    LeaverState.LOOKING: ("Looking", "info"),
    LeaverState.READY: ("To decide", "discovery"),
    LeaverState.CHECKING: ("Trying it dry", "info"),
    LeaverState.PLANNED: ("To confirm", "discovery"),
    LeaverState.HANDING_OVER: ("Handing over", "info"),
    LeaverState.ENDING: ("Access ends", "info"),
    LeaverState.DONE: ("Done", "success"),
    LeaverState.HANDING_BACK: ("Handing back", "info"),
    LeaverState.HANDED_BACK: ("Handed back", ""),
    LeaverState.STOPPED: ("Stopped", "warning"),
}
STANDINGS: dict[Standing, str] = {
    Standing.ALL: "All",
    Standing.WAITING: "Waiting for you",
    Standing.UNDER_WAY: "Under way",
    Standing.OVER: "Over",
}
BELONGINGS: dict[BelongingState, tuple[str, str]] = {
    BelongingState.FOUND: ("Found", ""),
    BelongingState.CHOSEN: ("Will be handed over", "info"),
    BelongingState.MOVING: ("On its way", "info"),
    BelongingState.MOVED: ("Handed over", "success"),
    BelongingState.RETURNING: ("On its way back", "info"),
    BelongingState.MOVED_BACK: ("Handed back", ""),
    BelongingState.LEFT: ("Left as it is", ""),
    BelongingState.REFUSED: ("Not possible", "danger"),
    BelongingState.FAILED: ("Failed", "danger"),
}
_TOKENS: dict[BelongingState, tuple[str, str]] = {
    BelongingState.CHOSEN: ("Will be revoked", "warning"),
    BelongingState.MOVING: ("Being revoked", "info"),
    BelongingState.MOVED: ("Revoked", "success"),
}
ORIGINS: dict[LeaverOrigin, str] = {
    LeaverOrigin.BY_HAND: "",
    LeaverOrigin.CSV: "by a list",
    LeaverOrigin.SCIM: "by your identity provider",
    LeaverOrigin.LAST_DAY: "by their last day",
}
DOING: dict[LeaverState, str] = {
    LeaverState.LOOKING: "questions answered",
    LeaverState.CHECKING: "things tried",
    LeaverState.HANDING_OVER: "things handed over",
    LeaverState.ENDING: "things handed over",
    LeaverState.HANDING_BACK: "things handed back",
    LeaverState.STOPPED: "things handed over",
}
"""What the numbers of the progress count."""


def leaver_word(state: str) -> str:
    return STATES[LeaverState(state)][0]


def leaver_tone(state: str) -> str:
    return STATES[LeaverState(state)][1]


def belonging_word(state: str, kind: str = "") -> str:
    return _of(state, kind)[0]


def belonging_tone(state: str, kind: str = "") -> str:
    return _of(state, kind)[1]


def _of(state: str, kind: str) -> tuple[str, str]:
    found = BelongingState(state)
    return _TOKENS.get(found, BELONGINGS[found]) if kind == Kind.TOKEN else BELONGINGS[found]
