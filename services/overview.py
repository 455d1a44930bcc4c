"""The Overview: how many people, where they are active, and what needs an operator now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from connect.caller import Caller
from models.credential import Credential, CredentialKind, CredentialState, admin_keys_of
from models.organization import Organization
from models.sync import SyncState, latest_sync
from rules.filters import PeopleFilter
from services.doors import require_organization
from services.matters import Attention
from services.previews import FRESH
from services.rule_matters import about_rules
from services.summary import IDLE_DAYS, ProductActivity, Totals, summary
from services.syncing import SyncProgress, progress
from services.toolbox import Toolbox

WARN_BEFORE_EXPIRY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the page."""

    organization_name: str
    totals: Totals
    by_product: list[ProductActivity]
    attention: list[Attention]
    sync: SyncProgress | None
    last_complete: datetime | None


def overview(tools: Toolbox, caller: Caller) -> Overview:
    """The organization at a glance. Raises NotReady without a door."""
    organization_id = require_organization(tools, caller)
    now = tools.clock()
    # Before the numbers: a sync that ends in between must still be shown as running, so that the page asks again.
    sync = progress(tools, organization_id)
    with tools.begin() as session:
        last = latest_sync(session, organization_id, SyncState.COMPLETE)
        last_complete = last.finished_at if last is not None else None
    numbers = summary(tools, organization_id)
    with tools.begin() as session:
        return Overview(
            organization_name=session.get_one(Organization, organization_id).name,
            totals=numbers.totals,
            by_product=numbers.by_product,
            attention=_attention(session, organization_id, caller.tenant, numbers.totals, now),
            sync=sync,
            last_complete=last_complete,
        )


def _attention(
    session: Session,
    organization_id: str,
    client_key: str,
    totals: Totals,
    now: datetime,
) -> list[Attention]:
    found = [
        *_about_keys(session, organization_id, client_key, now),
        *_about_sync(session, organization_id, now),
        *about_rules(session, organization_id, now),
    ]
    if totals.idle:
        people = "1 person holds a seat" if totals.idle == 1 else f"{totals.idle:,} people hold seats"
        words = PeopleFilter(idle=IDLE_DAYS, status="active").to_words()
        found.append(
            Attention(
                f"idle-{totals.idle}",
                "info",
                f"{people} and have not been seen for {IDLE_DAYS} days.",
                "Look at them",
                "/app/people?" + "&".join(f"{word}={value}" for word, value in words.items()),
            )
        )
    return found


def _about_keys(session: Session, organization_id: str, client_key: str, now: datetime) -> list[Attention]:
    keys = admin_keys_of(session, organization_id)
    configure = ("Configure Token", "/app/configure")
    if not keys:
        return [
            Attention("no-key", "error", "There is no Admin API key: nothing is read or done.", *configure)
        ]
    best: Credential = keys[0]
    if best.state == CredentialState.REJECTED.value:
        expired = best.expires_on <= now.date()
        what = "The Admin API key has expired" if expired else "Atlassian rejects the Admin API key"
        return [Attention("dead-key", "error", f"{what}: nothing is read or done.", *configure)]
    days = (best.expires_on - now.date()).days
    if best.expires_on <= (now + WARN_BEFORE_EXPIRY).date():
        when = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
        sentence = (
            f"The Admin API key expires {when}."
            if days >= 0
            else "The Admin API key is past its expiry date."
        )
        return [Attention(f"key-expires-{best.expires_on}", "warning", sentence, *configure)]
    token = session.get(Credential, (client_key, CredentialKind.API_TOKEN.value))
    if token is not None and token.state == CredentialState.REJECTED.value:
        expired = token.expires_on <= now.date()
        what = "The API token has expired." if expired else "Atlassian rejects the API token."
        return [Attention("dead-token", "warning", what, *configure)]
    return []


def _about_sync(session: Session, organization_id: str, now: datetime) -> list[Attention]:
    latest = latest_sync(session, organization_id)
    if latest is not None and latest.state == SyncState.RUNNING.value:
        return []
    sync_now = ("Sync now", "/app/overview")
    if latest is not None and latest.state == SyncState.FAILED.value:
        return [
            Attention(
                f"sync-failed-{latest.id}", "error", f"The last sync failed. {latest.problem}", *sync_now
            )
        ]
    complete = latest_sync(session, organization_id, SyncState.COMPLETE)
    if complete is None:
        return [
            Attention(
                "never-synced", "warning", "Your directory has not been read completely yet.", *sync_now
            )
        ]
    if complete.started_at < now - FRESH:
        return [Attention("old-sync", "warning", "The last complete sync is older than two days.", *sync_now)]
    return []
