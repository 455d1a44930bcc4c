"""What needs an operator now: said once here, for the Overview, the strip on every page, flags, hooks and digests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from models.credential import Credential, CredentialKind, CredentialState, admin_keys_of
from models.delivery import Delivery
from models.mail import MailSender
from models.organization import Organization
from models.sync import SyncState, latest_sync
from models.tenant import doors_of
from rules.filters import PeopleFilter
from rules.topics import Channel, DeliveryState, Topic
from services.absence_matters import about_absences
from services.access_rule_matters import about_access_rules
from services.apart import apart
from services.leaver_matters import about_leavers
from services.matter import Matter
from services.notices import announce
from services.previews import FRESH
from services.rule_matters import about_rules
from services.scim_matters import about_providers
from services.summary import IDLE_DAYS, summary
from services.timed_matters import about_timed_access
from services.toolbox import Toolbox
from services.workers import silent_since

REMINDERS = (1, 7, 14, 30)
"""Days before a key expires from which it is a matter, and a new one each time."""
ABOUT_STATES = (
    Topic.KEY_EXPIRES, Topic.KEY_DEAD, Topic.SYNC_FAILED, Topic.SYNC_OLD, Topic.MAIL_BROKEN, Topic.REVIEW_WAITING,
    Topic.LOOP_FOUND, Topic.LEAVER_WAITS, Topic.ACCESS_STAYS, Topic.NOT_RESTORED,
)  # fmt: skip
_CONFIGURE = ("Configure Token", "/app/configure")
_DEAD_TOKENS = (
    select(Credential)
    .where(
        Credential.client_key.in_(bindparam("client_keys", expanding=True)),
        Credential.kind == CredentialKind.API_TOKEN.value,
        Credential.state == CredentialState.REJECTED.value,
    )
    .limit(1)
)

_LAST_SENT = (
    select(Delivery.finished_at)
    .where(
        Delivery.organization_id == bindparam("organization_id"),
        Delivery.channel == Channel.MAIL.value,
        Delivery.state == DeliveryState.SENT.value,
    )
    .order_by(Delivery.created_at.desc())
    .limit(1)
)


def matters(tools: Toolbox, organization_id: str, client_key: str | None = None) -> list[Matter]:
    """The gravest first. An API token belongs to one door: without `client_key` those of all doors are looked at."""
    now = tools.clock()
    idle = summary(tools, organization_id).totals.idle
    with tools.begin() as session:
        doors = (
            [client_key] if client_key else [door.client_key for door in doors_of(session, organization_id)]
        )
        found = [
            *_about_workers(session, organization_id, now),
            *_about_credentials(session, organization_id, doors, now),
            *_about_sync(session, organization_id, now),
            *_about_mail(session, organization_id),
            *about_rules(session, organization_id, now),
            *about_access_rules(session, organization_id, now),
            *about_providers(session, organization_id),
            *about_leavers(session, organization_id, now),
            *about_timed_access(session, organization_id),
            *about_absences(session, organization_id, now),
            *_about_idle(idle),
        ]
    return sorted(found, key=lambda matter: ("error", "warning", "info").index(matter.severity))


def announce_matters(tools: Toolbox) -> None:
    """Tells hooks of new matters. What becomes of runs is told when it happens."""
    with tools.begin() as session:
        organization_ids = session.scalars(
            select(Organization.id).where(Organization.doorless_since.is_(None))
        ).all()
    apart(lambda each: _announce(tools, each), organization_ids, "telling of matters")


def _announce(tools: Toolbox, organization_id: str) -> None:
    found = matters(tools, organization_id)
    with tools.begin() as session:
        for matter in found:
            if matter.topic in ABOUT_STATES:
                announce(
                    session,
                    organization_id,
                    matter.topic,
                    matter.key,
                    tools.clock(),
                    facts={"sentence": matter.sentence, "path": matter.action_path},
                )


def _about_workers(session: Session, organization_id: str, now: datetime) -> list[Matter]:
    """Without one every bar stands still. No hook tells it: a worker is what calls them."""
    since = silent_since(session, now, _waits_since(session, organization_id))
    if since is None:
        return []
    sentence = (
        f"No worker of Rollcall has given a sign of life since {since.day} {since:%b %Y, %H:%M} UTC: "
        "nothing is read or done until whoever runs Rollcall starts one."
    )
    return [Matter(Topic.SYNC_OLD, f"no-worker-{since.isoformat()}", "error", sentence, "", "")]


def _waits_since(session: Session, organization_id: str) -> datetime | None:
    latest = latest_sync(session, organization_id)
    return latest.started_at if latest is not None and latest.state == SyncState.RUNNING.value else None


def _about_credentials(
    session: Session, organization_id: str, doors: list[str], now: datetime
) -> list[Matter]:
    """Without a key nothing goes on, and no token is missed; a key that only expires hides none that is dead."""
    keys = _about_keys(session, organization_id, now)
    if any(matter.severity == "error" for matter in keys):
        return keys
    return [*keys, *_about_tokens(session, doors, now)]


def _about_keys(session: Session, organization_id: str, now: datetime) -> list[Matter]:
    keys = admin_keys_of(session, organization_id)
    if not keys:
        sentence = "There is no Admin API key: nothing is read or done."
        # One that was there meanwhile, and is taken away again, makes it a new matter.
        read = latest_sync(session, organization_id, SyncState.COMPLETE)
        key = f"no-key-{read.id if read is not None else ''}"
        return [Matter(Topic.KEY_DEAD, key, "error", sentence, *_CONFIGURE)]
    best: Credential = keys[0]
    if best.state == CredentialState.REJECTED.value:
        expired = best.expires_on <= now.date()
        what = "The Admin API key has expired" if expired else "The Admin API key is of no use any more"
        key = f"dead-key-{best.stored_at.isoformat()}"
        return [Matter(Topic.KEY_DEAD, key, "error", f"{what}: nothing is read or done.", *_CONFIGURE)]
    days = (best.expires_on - now.date()).days
    stage = next((stage for stage in REMINDERS if days <= stage), None)
    if stage is None:
        return []
    when = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
    sentence = (
        f"The Admin API key expires {when}." if days >= 0 else "The Admin API key is past its expiry date."
    )
    key = f"key-expires-{best.expires_on}-{stage}"
    return [Matter(Topic.KEY_EXPIRES, key, "warning", sentence, *_CONFIGURE)]


def _about_tokens(session: Session, client_keys: list[str], now: datetime) -> list[Matter]:
    token = session.scalar(_DEAD_TOKENS, {"client_keys": client_keys})
    if token is None:
        return []
    expired = token.expires_on <= now.date()
    what = "The API token has expired." if expired else "The API token is of no use any more."
    return [Matter(Topic.KEY_DEAD, f"dead-token-{token.stored_at.isoformat()}", "warning", what, *_CONFIGURE)]


def _about_sync(session: Session, organization_id: str, now: datetime) -> list[Matter]:
    latest = latest_sync(session, organization_id)
    if latest is not None and latest.state == SyncState.RUNNING.value:
        return []
    sync_now = ("Sync now", "/app/overview")
    if latest is not None and latest.state == SyncState.FAILED.value:
        sentence = f"The last sync failed. {latest.problem}"
        return [Matter(Topic.SYNC_FAILED, f"sync-failed-{latest.id}", "error", sentence, *sync_now)]
    complete = latest
    if latest is not None and latest.state != SyncState.COMPLETE.value:
        complete = latest_sync(session, organization_id, SyncState.COMPLETE)
    if complete is None:
        sentence = "Your directory has not been read completely yet."
        return [Matter(Topic.SYNC_OLD, "never-synced", "warning", sentence, *sync_now)]
    if complete.started_at < now - FRESH:
        sentence = "The last complete sync is older than two days."
        return [Matter(Topic.SYNC_OLD, f"old-sync-{complete.id}", "warning", sentence, *sync_now)]
    return []


def _about_mail(session: Session, organization_id: str) -> list[Matter]:
    """The last mail or test met a server that takes none from us: those that wait go out once it does."""
    sender = session.get(MailSender, organization_id)
    if sender is None or not sender.problem:
        return []
    # One that breaks again is a new matter: some mail has left meanwhile.
    sent = session.scalar(_LAST_SENT, {"organization_id": organization_id})
    key = f"mail-broken-{sender.changed_at.isoformat()}-{sent.date() if sent is not None else ''}"
    return [
        Matter(
            Topic.MAIL_BROKEN, key, "error", f"No mail leaves. {sender.problem}", "Mail settings", "/app/mail"
        )
    ]


def _about_idle(idle: int) -> list[Matter]:
    if not idle:
        return []
    people = "1 person holds a seat" if idle == 1 else f"{idle:,} people hold seats"
    sentence = f"{people} and {'has' if idle == 1 else 'have'} not been seen for {IDLE_DAYS} days."
    words = PeopleFilter(idle=IDLE_DAYS, status="active").to_words()
    path = "/app/people?" + "&".join(f"{word}={value}" for word, value in words.items())
    return [Matter(Topic.PEOPLE_IDLE, f"idle-{idle}", "info", sentence, "Look at them", path)]
