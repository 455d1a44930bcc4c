"""Deliveries leave, one at a time: found when due, written down as begun, given to their channel, settled.

A mail server or a hook cannot be asked afterwards whether it took something. So what an attempt that died may have
sent goes out again under the same name (Message-ID, webhook-id), by which the other side knows it: nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from models.delivery import Delivery, find_delivery
from rules.topics import Channel, DeliveryState, Topic
from services import hook_sending, mail_sending, unreached
from services.leasing import PAUSES, lease
from services.parcel import Later, NotSent, Outcome, Parcel, Sent
from services.toolbox import Toolbox

AT_WORK = timedelta(minutes=3)
"""Longer than any channel takes: only then is an attempt believed to have died.

A mail takes 100 seconds, behind 45 at addresses of its server that say nothing.
"""

_CHANNELS: dict[Channel, Callable[[Toolbox, Parcel], Outcome]] = {
    Channel.MAIL: mail_sending.send,
    Channel.HOOK: hook_sending.send,
}


def lease_due(tools: Toolbox, limit: int = 50) -> list[tuple[str, str, int]]:
    """(organization id, delivery id, next attempt) of what is due, an equal share for every organization."""
    return lease(tools, Delivery, limit)


def send(tools: Toolbox, organization_id: str, delivery_id: str, attempt: int) -> Outcome | None:
    """One attempt at one delivery, to be settled. None, and nothing done, when it is, or another attempt is at work."""
    parcel = _begin(tools, organization_id, delivery_id, attempt)
    return None if parcel is None else _CHANNELS[parcel.channel](tools, parcel)


def settle(tools: Toolbox, organization_id: str, delivery_id: str, attempt: int, outcome: Outcome) -> None:
    """Writes down what came of an attempt. May be repeated, and come late."""
    now = tools.clock()
    with tools.begin() as session:
        row = find_delivery(session, organization_id, delivery_id)
        if row is None or row.resume_at is None:
            return
        if row.attempt != attempt and not isinstance(outcome, Sent):
            # Another attempt is made already.
            return
        row.status = outcome.status
        match outcome:
            case Sent():
                _end(row, DeliveryState.SENT, "", now)
                unreached.note_sent(session, row)
            case Later():
                _put_off(session, row, outcome, now)
            case NotSent(reason=reason):
                _give_up(session, row, reason, now)


def fail(tools: Toolbox, organization_id: str, delivery_id: str, attempt: int) -> None:
    """An attempt met a fault of our own; the fault itself is in the log."""
    with tools.begin() as session:
        row = find_delivery(session, organization_id, delivery_id)
        if row is not None and row.resume_at is not None:
            # Whatever the fault rolled back: the next attempt is another one, or it would be taken for this.
            row.attempt = max(row.attempt, attempt)
            _put_off(session, row, Later("Something went wrong inside Rollcall."), tools.clock())


def _begin(tools: Toolbox, organization_id: str, delivery_id: str, attempt: int) -> Parcel | None:
    now = tools.clock()
    with tools.begin() as session:
        row = find_delivery(session, organization_id, delivery_id)
        if row is None or row.resume_at is None or row.attempt >= attempt:
            return None
        if row.sending_since is not None and now < row.sending_since + AT_WORK:
            row.resume_at = row.sending_since + AT_WORK
            return None
        row.state, row.attempt, row.sending_since = DeliveryState.SENDING.value, attempt, now
        row.resume_at = now + AT_WORK
        return Parcel(
            organization_id=organization_id,
            id=row.id,
            channel=Channel(row.channel),
            topic=Topic(row.topic),
            target=row.target,
            account_id=row.account_id,
            case_id=row.case_id,
            run_id=row.run_id,
            facts=row.facts,
            created_at=row.created_at,
        )


def _put_off(session: Session, row: Delivery, outcome: Later, now: datetime) -> None:
    row.sending_since, row.reason = None, outcome.reason[:300]
    if row.attempt > len(PAUSES):
        _give_up(session, row, outcome.reason, now)
        return
    row.state = DeliveryState.WAITING.value
    row.resume_at = max(outcome.until or now, now + PAUSES[max(row.attempt, 1) - 1])


def _give_up(session: Session, row: Delivery, reason: str, now: datetime) -> None:
    """However it came to that: a warning that was not sent is no warning (S56)."""
    _end(row, DeliveryState.NOT_SENT, reason, now)
    unreached.note(session, row, now)


def _end(row: Delivery, state: DeliveryState, reason: str, now: datetime) -> None:
    row.state, row.reason, row.finished_at = state.value, reason[:300], now
    row.resume_at = row.sending_since = None
