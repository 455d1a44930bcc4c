"""What an operator decides about a leaver: who gets what, how access ends, that it may begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Invalid
from models.audit import Event
from models.leaver import Belonging, Leaver
from models.people import find_person
from rules.deeds import Deed
from rules.farewell import CHOOSING, ENDINGS, LeaverState
from rules.handover import ORDER, BelongingState, Kind
from rules.topics import Topic
from services.leavers import changing, look_anew, record_leaver, work_on
from services.mail_reach import can_mail, has_sender
from services.notices import announce
from services.toolbox import Toolbox

MESSAGES = ("", "atlassian", "own")
"""By whom a leaver is told."""


def add_successor(tools: Toolbox, caller: Caller, leaver_id: str, account_id: str) -> bool:
    """Somebody who may be chosen for one kind or another; True when they are the only one, and so chosen for all.

    What was tried dry is out of date. Raises Invalid.
    """
    with changing(tools, caller, leaver_id, CHOOSING) as (session, leaver, _now):
        person = find_person(session, leaver.organization_id, account_id)
        if person is None or account_id == leaver.account_id:
            raise Invalid("successor", "This person cannot be a successor.", "Choose somebody else.")
        leaver.state = LeaverState.READY.value
        leaver.successors = list(dict.fromkeys([*leaver.successors, account_id]))
        alone = len(leaver.successors) == 1
        if alone:
            leaver.choices = {kind.value: account_id for kind in Kind if kind is not Kind.TOKEN}
        return alone


def remove_successor(tools: Toolbox, caller: Caller, leaver_id: str, account_id: str) -> None:
    """Takes somebody off again. What was tried dry with them does not begin."""
    with changing(tools, caller, leaver_id, CHOOSING) as (_session, leaver, _now):
        leaver.state = LeaverState.READY.value
        leaver.successors = [each for each in leaver.successors if each != account_id]
        leaver.choices = {kind: each for kind, each in leaver.choices.items() if each != account_id}


@dataclass(frozen=True, slots=True)
class Plan:
    """What an operator chose: a successor for each kind that they saw ("" leaves it), and how access ends."""

    choices: dict[str, str]
    deed: str
    ends_at: datetime | None
    revoke_tokens: bool
    why: str
    note: str
    message_by: str
    message: str


def look_again(tools: Toolbox, caller: Caller, leaver_id: str, plan: Plan) -> None:
    """Forgets what was found and looks anew, but keeps what was chosen so far: nothing acts on it before `choose`."""
    with changing(tools, caller, leaver_id, CHOOSING) as (session, leaver, now):
        choices = leaver.choices | plan.choices
        leaver.choices = {kind: each for kind, each in choices.items() if each in leaver.successors}
        if plan.deed in {deed.value for deed in ENDINGS}:
            leaver.deed = plan.deed
        if plan.message_by in MESSAGES:
            leaver.message_by = plan.message_by
        _write_down(leaver, plan)
        look_anew(session, leaver, now)


def choose(tools: Toolbox, caller: Caller, leaver_id: str, plan: Plan) -> None:
    """Writes the choice down; the worker then tries it dry. Raises Invalid."""
    if plan.deed not in {deed.value for deed in ENDINGS}:
        raise Invalid("deed", "This ending does not exist.", "Choose one of the list.")
    if plan.ends_at is not None and plan.ends_at <= tools.clock():
        raise Invalid(
            "ends_at", "This moment is over.", "Choose a later one, or end access after the handover."
        )
    if plan.message_by not in MESSAGES:
        raise Invalid("message_by", "Nobody would send this message.", "Choose one of the list.")
    if plan.message_by == "atlassian" and plan.deed != Deed.DEACTIVATE:
        raise Invalid(
            "message_by",
            "Atlassian passes a message on only when the account is deactivated.",
            "Choose to deactivate the account, or send a mail of yours.",
        )
    if plan.message_by == "own" and plan.deed == Deed.LIST:
        raise Invalid("message_by", "Their access stays: there is nothing to tell.", "Choose another ending.")
    if plan.message_by and not plan.message.strip():
        raise Invalid("message", "The message is empty.", "Write it, or choose to send none.")
    with changing(tools, caller, leaver_id, CHOOSING) as (session, leaver, now):
        if plan.message_by == "own":
            _require_mail(tools, session, leaver)
        unknown = {each for each in plan.choices.values() if each} - set(leaver.successors)
        if unknown:
            raise Invalid("successor", "Somebody was chosen who is no successor.", "Add them above first.")
        leaver.choices = {kind: each for kind, each in plan.choices.items() if each}
        leaver.deed, leaver.message_by = plan.deed, plan.message_by
        _write_down(leaver, plan)
        _give_out(session, leaver)
        work_on(leaver, LeaverState.CHECKING, now)
        record_leaver(session, Event.LEAVER_PLANNED, leaver, caller.account_id or "", now)


def _require_mail(tools: Toolbox, session: Session, leaver: Leaver) -> None:
    """A message that nobody gets is not promised."""
    if not has_sender(tools, session, leaver.organization_id):
        raise Invalid("message_by", "There is no mail server.", "Set one up under Notices, Mail.")
    person = find_person(session, leaver.organization_id, leaver.account_id)
    email = person.email if person is not None else None
    if obstacle := can_mail(tools, session, leaver.organization_id, email):
        raise Invalid("message_by", obstacle, "Tell them yourself, and choose to send nothing here.")


def confirm(tools: Toolbox, caller: Caller, leaver_id: str) -> None:
    """The handover begins. Raises Conflict when the dry run was not made, or is out of date."""
    with changing(tools, caller, leaver_id, (LeaverState.PLANNED,)) as (session, leaver, now):
        session.execute(
            update(Belonging)
            .where(
                Belonging.organization_id == leaver.organization_id,
                Belonging.leaver_id == leaver.id,
                Belonging.state == BelongingState.CHOSEN.value,
                Belonging.objection != "",
            )
            .values(state=BelongingState.REFUSED.value, reason=Belonging.objection)
        )
        session.execute(
            update(Belonging)
            .where(
                Belonging.organization_id == leaver.organization_id,
                Belonging.leaver_id == leaver.id,
                Belonging.state == BelongingState.FOUND.value,
                Belonging.kind != Kind.TOKEN.value,
            )
            .values(state=BelongingState.LEFT.value, reason="Nobody was chosen for it.")
        )
        leaver.confirmed_by, leaver.confirmed_at = caller.account_id, now
        announce(
            session,
            leaver.organization_id,
            Topic.LEAVING,
            leaver.id,
            now,
            facts={"deed": leaver.deed, "ends_at": (leaver.ends_at or now).isoformat(), "leaver": leaver.id},
            account_id=leaver.account_id,
            by_mail=leaver.message_by == "own",
        )
        work_on(leaver, LeaverState.HANDING_OVER, now)
        record_leaver(session, Event.LEAVER_CONFIRMED, leaver, caller.account_id or "", now)


def _write_down(leaver: Leaver, plan: Plan) -> None:
    """What of a plan can be kept whatever it says."""
    leaver.ends_at, leaver.revoke_tokens = plan.ends_at, plan.revoke_tokens
    leaver.why, leaver.note = plan.why.strip()[:200], plan.note.strip()[:500]
    leaver.message = plan.message.strip()[:1000]


def _give_out(session: Session, leaver: Leaver) -> None:
    """Every belonging gets the successor of its kind; what was found out about it before is forgotten."""
    keys = (Belonging.organization_id == leaver.organization_id, Belonging.leaver_id == leaver.id)
    for kind in (*ORDER, Kind.TOKEN):
        successor = leaver.choices.get(kind.value, "") if kind is not Kind.TOKEN else ""
        chosen = bool(successor) or (kind is Kind.TOKEN and leaver.revoke_tokens)
        state = BelongingState.CHOSEN if chosen else BelongingState.FOUND
        session.execute(
            update(Belonging)
            .where(*keys, Belonging.kind == kind.value)
            .values(successor=successor, state=state.value, objection="", checked=False, reason="")
        )
