"""Tickets that ask for access: which of them count, who may ask, and how a call stands when its case has moved on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rules.case import CaseState


class CallState(StrEnum):
    """RECEIVED waits for the worker; WAITING for an operator; GIVING for Atlassian. The rest are ends."""

    RECEIVED = "received"
    WAITING = "waiting"
    GIVING = "giving"
    APPLIED = "applied"
    SKIPPED = "skipped"
    FAILED = "failed"


FOLLOWED = frozenset({CallState.WAITING, CallState.GIVING, CallState.FAILED})
"""Their case may still move: a failed one when somebody tries the run again."""
ENDS = frozenset({CallState.APPLIED, CallState.SKIPPED, CallState.FAILED})


class CommentState(StrEnum):
    """NONE: nothing is to be said on the ticket."""

    NONE = ""
    DUE = "due"
    SENT = "sent"
    NOT_SENT = "not_sent"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a rule asks of a ticket. `domains` and `groups`: the reporter meets one of them.

    `request_types` are names or ids; none: every type. `group_names` are for sentences.
    """

    project: str
    request_types: tuple[str, ...]
    domains: tuple[str, ...]
    groups: tuple[str, ...]
    group_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as its site tells it. Only what a rule asks for; `person` is what stands in the rule's field."""

    id: str
    key: str
    project: str
    request_type_id: str
    request_type: str
    reporter: str | None
    is_closed: bool
    person: PersonField | None = None


@dataclass(frozen=True, slots=True)
class PersonField:
    """The field that names the person: an address that somebody typed, or a person who was picked."""

    email: str = ""
    account_id: str = ""


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who asks, as our own directory knows them: nothing that a ticket says about them is believed."""

    account_id: str
    domain: str
    groups: frozenset[str]
    is_active: bool


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a ticket brings nobody access: `words` for operators, `said` for everybody who sees the ticket.

    `said` is empty where the ticket asks for something else: it may be another rule's, or nobody's.
    """

    words: str
    said: str = ""


def objection(terms: Terms, ticket: Ticket, reporter: Reporter | None) -> Objection | None:
    """Why this ticket brings nobody access; None when it does."""
    if ticket.project.upper() != terms.project.upper():
        return Objection(f"The ticket is in project {ticket.project}, not in {terms.project}.")
    if terms.request_types and not _is_of_type(terms, ticket):
        named = f"has the request type “{ticket.request_type}”"
        found = named if ticket.request_type else "has no request type"
        return Objection(f"The ticket {found}, which this rule does not take.")
    if ticket.is_closed:
        return Objection("The ticket is closed already.", "The ticket is closed already.")
    if ticket.reporter is None:
        return Objection("The ticket has no reporter.", "The ticket has no reporter.")
    if reporter is None:
        return Objection(
            "The reporter is not in your directory: they use the portal only, or came after the last sync.",
            _NOT_MEANT,
        )
    if not reporter.is_active:
        return Objection("The reporter is not active in your organization.", _NOT_MEANT)
    if reporter.domain in terms.domains or reporter.groups & set(terms.groups):
        return None
    return Objection(f"The reporter does not qualify: {_demand(terms)}.", _NOT_MEANT)


def another_ticket(key: str) -> str:
    """Why nothing is given for a ticket whose key and id do not belong together."""
    return f"{key} is another ticket in the Jira of the rule by now."


# Which groups and domains count is nothing that a customer of the portal has to know.
_NOT_MEANT = "Whoever raised it may not ask for this access. Ask a colleague who may, or your administrator."


def _is_of_type(terms: Terms, ticket: Ticket) -> bool:
    wanted = {one.casefold() for one in terms.request_types}
    return ticket.request_type.casefold() in wanted or ticket.request_type_id in wanted


def _demand(terms: Terms) -> str:
    parts = []
    if terms.domains:
        parts.append(f"their address is not at {' or '.join(terms.domains)}")
    if terms.groups:
        names = terms.group_names or terms.groups
        parts.append(f"they are not in {' or '.join(names)}")
    return ", and ".join(parts)


_STATES: dict[CaseState, CallState] = {
    CaseState.REVIEW: CallState.WAITING,
    CaseState.HELD: CallState.WAITING,
    CaseState.COULD_NOT_WARN: CallState.WAITING,
    CaseState.ANSWERED: CallState.WAITING,
    CaseState.PLANNED: CallState.GIVING,
    CaseState.WARNED: CallState.GIVING,
    CaseState.ACTING: CallState.GIVING,
    CaseState.ACTED: CallState.APPLIED,
    # Taking it back later is another run's story: the ticket got what it asked for.
    CaseState.UNDONE: CallState.APPLIED,
    CaseState.UNDO_SKIPPED: CallState.APPLIED,
    CaseState.FAILED: CallState.FAILED,
    CaseState.REFUSED: CallState.FAILED,
}


def state_after(case: CaseState) -> CallState:
    """How a call stands, by where its case is; whatever led to no deed is skipped."""
    return _STATES.get(case, CallState.SKIPPED)
