"""What Jira and Confluence say about people who came, changed or went: written down, and read by the worker later.

Such an event has no actor: it is about somebody, and no sign of life of theirs.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from connect.caller import Caller
from connect.errors import Invalid
from connect.gateway.admin_calls import checked_account_id
from models.access_rule import access_rules_of
from models.people import find_person
from models.reread import EVERYBODY, count_waiting, forget_all, is_waiting, put_down
from models.sync import SyncState, latest_sync
from models.tenant import find_tenant
from services.toolbox import Toolbox

CAME = "user_created"
GROUP_WENT = "group_removed"
EVENTS = frozenset({CAME, "user_updated", "user_deleted", "user_removed", GROUP_WENT})
MOST_WAITING = 200
"""Of a small organization. For more, and for a flood of events that somebody makes, one sync is the lesser work."""
SYNC_READS_MORE = 10
"""A call of a sync reads ten times as many people as one that asks for single people."""
_NOBODY = "unknown"
"""How an account that was deleted may come."""


def note_news(tools: Toolbox, caller: Caller, event: str, body: Mapping[str, Any]) -> None:
    """Writes down who is to be read again, by a verified event. Strangers are ignored unless they just came."""
    now = tools.clock()
    settle = timedelta(seconds=tools.settings.settle_seconds)
    with tools.begin() as session:
        tenant = find_tenant(session, caller.tenant)
        if tenant is None or tenant.organization_id is None:
            return
        organization_id = tenant.organization_id
        if event == GROUP_WENT:
            # It does not say who was in it; only access rules ask that soon.
            if any(rule.is_live for rule in access_rules_of(session, organization_id)):
                ask_for(session, organization_id, EVERYBODY, now, settle)
            return
        for account_id in _about(body):
            if event == CAME or find_person(session, organization_id, account_id) is not None:
                read_again(session, organization_id, account_id, now, settle, newcomer=event == CAME)


def read_again(
    session: Session,
    organization_id: str,
    account_id: str,
    now: datetime,
    settle: timedelta,
    *,
    newcomer: bool = False,
) -> None:
    """They are read by themselves once Atlassian shows what is known by now; in a flood everybody is, by one sync."""
    if not is_waiting(session, organization_id, account_id) and _is_flood(session, organization_id):
        if not is_waiting(session, organization_id, EVERYBODY):
            forget_all(session, organization_id)
        ask_for(session, organization_id, EVERYBODY, now, settle)
        return
    ask_for(session, organization_id, account_id, now, settle, newcomer=newcomer)


def _is_flood(session: Session, organization_id: str) -> bool:
    """Whether reading everybody is less work than reading one by one whoever waits."""
    waiting = count_waiting(session, organization_id)
    if waiting < MOST_WAITING:
        return False
    sync = latest_sync(session, organization_id, SyncState.COMPLETE)
    return sync is None or waiting * SYNC_READS_MORE >= sync.people


def ask_for(
    session: Session,
    organization_id: str,
    account_id: str,
    now: datetime,
    settle: timedelta,
    *,
    newcomer: bool = False,
) -> None:
    """The same, without looking whether it is a flood."""
    put_down(
        session,
        {
            "organization_id": organization_id,
            "id": str(uuid.uuid4()),
            "account_id": account_id,
            "newcomer": newcomer,
            "asked_at": now,
            # Read at once, they may still be shown as they were before the event.
            "resume_at": now + settle,
        },
    )


def _about(body: Mapping[str, Any]) -> list[str]:
    """Jira: the user; Confluence: the profile, or userAccountId (platform.md E).

    Whether the last one is the person concerned or whoever did it is not written anywhere: one reading too many does
    no harm.
    """
    places = (
        (body.get("user"), "accountId"),
        (body.get("userProfile"), "accountId"),
        (body, "userAccountId"),
    )
    found = []
    for holder, name in places:
        value = holder.get(name) if isinstance(holder, Mapping) else None
        if isinstance(value, str) and value != _NOBODY:
            with suppress(Invalid):
                checked_account_id(value)
                found.append(value)
    return list(dict.fromkeys(found))
