"""*Send a test*: the one call that is made while somebody waits for it. It acts on nobody and takes a bounded time."""

from __future__ import annotations

import uuid
from datetime import timedelta

from sqlalchemy import func, select

from connect.caller import Caller
from connect.errors import Conflict
from models.audit import Event
from models.delivery import Delivery
from rules.topics import Channel, DeliveryState, Topic
from services import hook_sending
from services.audit import record
from services.doors import require_organization
from services.hooks import look_at_hook
from services.parcel import Outcome, Parcel, Sent
from services.toolbox import Toolbox

SECONDS = 10.0
MOST_TESTS = 10
"""In a minute, of all hooks of an organization: a button is not to become a hammer for somebody else's address."""


def try_hook(tools: Toolbox, caller: Caller, hook_id: str) -> Outcome:
    """Calls a hook once, also one that is off, and writes it into the log. Raises NotFound, and Conflict: too often."""
    organization_id = require_organization(tools, caller)
    _not_too_often(tools, organization_id)
    hook = look_at_hook(tools, caller, hook_id)
    parcel = Parcel(
        organization_id=organization_id,
        id=str(uuid.uuid4()),
        channel=Channel.HOOK,
        topic=Topic.TEST,
        target=hook.id,
        account_id="",
        case_id=None,
        run_id=None,
        facts={"sentence": f"This is a test of the hook “{hook.name}”: it works.", "path": "/app/hooks"},
        created_at=tools.clock(),
    )
    outcome = hook_sending.send(tools, parcel, seconds=SECONDS)
    _write_down(tools, caller, parcel, outcome)
    return outcome


def _not_too_often(tools: Toolbox, organization_id: str) -> None:
    query = select(func.count(Delivery.id)).where(
        Delivery.organization_id == organization_id,
        Delivery.channel == Channel.HOOK.value,
        Delivery.topic == Topic.TEST.value,
        Delivery.created_at > tools.clock() - timedelta(minutes=1),
    )
    with tools.begin() as session:
        if (session.scalar(query) or 0) >= MOST_TESTS:
            raise Conflict(
                f"{MOST_TESTS} tests were sent within a minute.", "Wait a minute, then test again."
            )


def _write_down(tools: Toolbox, caller: Caller, parcel: Parcel, outcome: Outcome) -> None:
    now = tools.clock()
    reason = "" if isinstance(outcome, Sent) else outcome.reason
    with tools.begin() as session:
        session.add(
            Delivery(
                organization_id=parcel.organization_id,
                id=parcel.id,
                channel=parcel.channel.value,
                topic=parcel.topic.value,
                target=parcel.target,
                account_id="",
                facts=parcel.facts,
                state=(DeliveryState.NOT_SENT if reason else DeliveryState.SENT).value,
                reason=reason[:300],
                status=outcome.status,
                attempt=1,
                created_at=parcel.created_at,
                finished_at=now,
            )
        )
        record(
            session,
            Event.HOOK_TESTED,
            at=now,
            actor=caller.account_id or "",
            organization_id=parcel.organization_id,
            client_key=caller.tenant,
            result=reason or "It works",
            details={"hook": parcel.target},
        )
