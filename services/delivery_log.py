"""The log of what left by mail and hook: newest first; what was not sent can be sent again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.sql.elements import ColumnElement

from connect.caller import Caller
from connect.errors import Conflict, NotFound
from models.audit import Event
from models.delivery import Delivery, deliveries_by_id, find_delivery
from models.hook import hooks_of
from rules.topics import Channel, DeliveryState
from services.audit import record
from services.doors import require_organization
from services.names import names_of
from services.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class Logged:
    """One delivery with the names of its reader and of whom it is about; "" for those that are gone."""

    delivery: Delivery
    to: str
    about: str


def read_log(
    tools: Toolbox,
    caller: Caller,
    *,
    channel: Channel | None = None,
    state: DeliveryState | None = None,
    hook_id: str = "",
    offset: int = 0,
    limit: int = 50,
) -> tuple[list[Logged], int]:
    """A page of the log, and how many deliveries match."""
    organization_id = require_organization(tools, caller)
    where: list[ColumnElement[bool]] = [Delivery.organization_id == organization_id]
    if channel is not None:
        where.append(Delivery.channel == channel.value)
    if state is not None:
        where.append(Delivery.state == state.value)
    if hook_id:
        where += [Delivery.channel == Channel.HOOK.value, Delivery.target == hook_id]
    # First which, then what they are: to find a page far behind, no notice of the pages before is fetched.
    which = select(Delivery.id).where(*where).order_by(Delivery.created_at.desc(), Delivery.id)
    with tools.begin() as session:
        total = session.scalar(select(func.count(Delivery.id)).where(*where)) or 0
        rows = deliveries_by_id(
            session, organization_id, session.scalars(which.offset(offset).limit(limit)).all()
        )
        hooks = {hook.id: hook.name for hook in hooks_of(session, organization_id)}
        people = {row.account_id for row in rows} | {
            row.target for row in rows if row.channel == Channel.MAIL
        }
        names = names_of(session, organization_id, people)
        session.expunge_all()
    found = [
        Logged(
            row,
            (hooks if row.channel == Channel.HOOK else names).get(row.target, ""),
            names.get(row.account_id, ""),
        )
        for row in rows
    ]
    return found, total


def send_again(tools: Toolbox, caller: Caller, delivery_id: str) -> None:
    """One more attempt at what was not sent, under the same name, by which the other side knows it.

    Raises NotFound, and Conflict when it was sent or is on its way.
    """
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    with tools.begin() as session:
        row = find_delivery(session, organization_id, delivery_id)
        if row is None:
            raise NotFound("This notice is not in the log, or not any more.", "Reload the list.")
        if row.state != DeliveryState.NOT_SENT:
            raise Conflict("This notice was sent, or is on its way.", "Reload the list and look again.")
        row.state, row.reason, row.status = DeliveryState.WAITING.value, "", None
        row.resume_at, row.finished_at = now, None
        record(
            session,
            Event.DELIVERY_REPEATED,
            at=now,
            actor=caller.account_id or "",
            organization_id=organization_id,
            client_key=caller.tenant,
            subject=row.account_id or None,
            run_id=row.run_id,
            details={"delivery": row.id, "topic": row.topic, "channel": row.channel},
        )
