"""Notices: what happened is said once, here, in the transaction in which it happens; channels only carry it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import insert, literal, select
from sqlalchemy.orm import Session

from models.delivery import Delivery
from models.hook import hooks_of
from rules.topics import TO_HOOKS, Channel, DeliveryState, Topic

_NAMESPACE = uuid.UUID("5f0e6a52-6f3f-4a5e-9a58-0d3c4b1d7a11")


def announce(
    session: Session,
    organization_id: str,
    topic: Topic,
    occasion: str,
    now: datetime,
    *,
    facts: dict[str, Any] | None = None,
    account_id: str = "",
    by_mail: bool = False,
    case_id: str | None = None,
    run_id: str | None = None,
) -> None:
    """Puts a notice on its way to every hook that chose the topic and, `by_mail`, to the person it is about.

    The same topic on the same `occasion` goes to each of them once, however often this is called. `facts` hold numbers
    and names of rules, never addresses (S41).
    """
    targets: list[tuple[Channel, str]] = []
    if topic in TO_HOOKS:
        targets += [
            (Channel.HOOK, hook.id)
            for hook in hooks_of(session, organization_id)
            if hook.is_on and topic in hook.topics
        ]
    if by_mail and account_id:
        targets.append((Channel.MAIL, account_id))
    for channel, target in targets:
        send_out(
            session,
            organization_id,
            topic,
            occasion,
            now,
            channel=channel,
            target=target,
            facts=facts,
            account_id=account_id,
            case_id=case_id,
            run_id=run_id,
        )


def send_out(
    session: Session,
    organization_id: str,
    topic: Topic,
    occasion: str,
    now: datetime,
    *,
    channel: Channel,
    target: str,
    facts: dict[str, Any] | None = None,
    account_id: str = "",
    case_id: str | None = None,
    run_id: str | None = None,
) -> str:
    """Puts one notice on its way to one reader; the delivery's id. Nothing happens when it is on its way already."""
    delivery_id = str(uuid.uuid5(_NAMESPACE, f"{channel}|{topic}|{occasion}|{target}"))
    row = {
        "organization_id": organization_id,
        "id": delivery_id,
        "channel": channel.value,
        "topic": topic.value,
        "target": target,
        "account_id": account_id,
        "case_id": case_id,
        "run_id": run_id,
        "facts": facts or {},
        "state": DeliveryState.WAITING.value,
        "reason": "",
        "attempt": 0,
        "created_at": now,
        "resume_at": now,
    }
    known = select(literal(1)).where(Delivery.organization_id == organization_id, Delivery.id == delivery_id)
    if session.scalar(known) is None:
        session.execute(insert(Delivery), [row])
    return delivery_id
