"""A ticket is sent to a rule: written down once, and nothing else. Whatever follows is the worker's."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from connect.errors import Invalid
from models.ticket import TicketCall, TicketRule
from rules.tickets import CallState, CommentState
from services.ticket_secrets import TicketSource
from services.toolbox import Toolbox

_ID = re.compile(r"[0-9]{1,19}", re.ASCII)
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}-[0-9]{1,19}", re.ASCII)


def take(tools: Toolbox, source: TicketSource, body: bytes, sent: object) -> bool:
    """Writes a ticket down for the worker; False when the rule has it already. Raises Invalid without a ticket's id.

    One that brought nothing counts anew when it comes by another key.

    Only the id counts, and says which ticket to look at: all the rest is read from Jira (services/ticket_calls.py).
    """
    issue_id, issue_key = _ticket(sent)
    now = tools.clock()
    call = TicketCall(
        organization_id=source.organization_id,
        id=str(uuid.uuid4()),
        rule_id=source.rule_id,
        client_key=source.client_key,
        issue_id=issue_id,
        issue_key=issue_key,
        body_hash=sha256(body).hexdigest(),
        received_at=now,
        resume_at=now,
    )
    mine = (
        TicketCall.organization_id == source.organization_id,
        TicketCall.rule_id == source.rule_id,
        TicketCall.client_key == source.client_key,
    )
    try:
        with tools.begin() as session:
            session.execute(
                update(TicketRule)
                .where(TicketRule.organization_id == source.organization_id, TicketRule.id == source.rule_id)
                .values(last_call_at=now)
            )
            same = select(TicketCall).where(*mine, TicketCall.issue_id == issue_id)
            before = session.scalars(same.with_for_update()).first()
            if before is None:
                session.add(call)
            elif issue_key and issue_key != before.issue_key and may_be_received_again(before):
                # It has been moved, or what came before was sent by a Jira that the rule has left.
                before.issue_key, before.body_hash, before.received_at = issue_key, call.body_hash, now
                receive_again(before, now)
            else:
                return False
    except IntegrityError:
        # The same ticket a moment ago, by a connection beside this one.
        return False
    return True


def may_be_received_again(call: TicketCall) -> bool:
    """Whether the ticket brought nothing and nobody is at it: no run of it has begun."""
    ended = call.state in (CallState.SKIPPED, CallState.FAILED)
    return call.run_id is None and ended and call.resume_at is None


def receive_again(call: TicketCall, now: datetime) -> None:
    """It is read and judged anew, as if it had just been sent."""
    call.state, call.reason, call.finished_at = CallState.RECEIVED.value, "", None
    if call.comment_state != CommentState.SENT:
        call.said = ""
    call.comment_state, call.comment_reason, call.troubles, call.resume_at = "", "", 0, now


def _ticket(sent: object) -> tuple[str, str]:
    """Id and key: of {"issue": {…}}, as the guide says, or of an issue itself, as Jira's own formats send it."""
    found = sent.get("issue", sent) if isinstance(sent, dict) else None
    if not isinstance(found, dict):
        raise Invalid("issue", "There is no ticket in this.", "Send the body that the guide shows.")
    issue_id = _text(found.get("id"))
    if not _ID.fullmatch(issue_id):
        raise Invalid("issue", "There is no id of a ticket in this.", "Send the body that the guide shows.")
    key = _text(found.get("key"))
    return issue_id, key.upper() if _KEY.fullmatch(key) else ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return ""
    if isinstance(value, int) and 0 <= value < 10**19:
        return str(value)
    return value if isinstance(value, str) else ""
