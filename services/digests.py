"""Digests: every morning, or every Monday morning, one mail to each operator who wants it, when there is something."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from connect.caller import Caller
from connect.errors import Invalid, NotFound
from models.audit import Event
from models.organization import Operator, Organization, operators_here
from models.people import find_person
from rules.topics import Channel, DigestEvery, Topic
from services.apart import apart
from services.audit import record
from services.digest_values import digest_of
from services.doors import require_organization
from services.languages import languages
from services.matters import matters
from services.notices import send_out
from services.toolbox import Toolbox

MORNING = time(7)


def send_digests(tools: Toolbox) -> None:
    """Puts the digests on their way whose morning has come; called again, it finds nothing more to do."""
    query = select(Organization.id, Organization.digest, Organization.time_zone, Organization.digest_sent_at)
    query = query.where(Organization.digest != DigestEvery.OFF.value, Organization.doorless_since.is_(None))
    now = tools.clock()
    with tools.begin() as session:
        found = session.execute(query).all()

    def send(one: Any) -> None:
        organization_id, every, time_zone, sent_at = one
        morning = last_morning(DigestEvery(every), ZoneInfo(time_zone), now)
        if sent_at is None or sent_at < morning:
            _send(tools, organization_id, sent_at, morning)

    apart(send, found, "the digest")


def last_morning(every: DigestEvery, zone: ZoneInfo, now: datetime) -> datetime:
    """The last moment at which a digest was to be written."""
    there = now.astimezone(zone)
    day = there.date() - timedelta(days=there.weekday() if every is DigestEvery.WEEK else 0)
    morning = datetime.combine(day, MORNING, zone)
    if morning > there:
        morning = datetime.combine(day - _period(every), MORNING, zone)
    return morning.astimezone(now.tzinfo)


def change_settings(tools: Toolbox, caller: Caller, *, language: str, digest: str) -> None:
    """In which language people get mails, and how often operators a digest. Raises Invalid."""
    organization_id = require_organization(tools, caller)
    if language not in languages():
        raise Invalid("language", "Rollcall does not write in this language yet.", "Choose one of the list.")
    if digest not in set(DigestEvery):
        raise Invalid("digest", "Choose how often operators get a summary.", "Never, daily or weekly.")
    now = tools.clock()
    with tools.begin() as session:
        organization = session.get_one(Organization, organization_id)
        if (language, digest) == (organization.language, organization.digest):
            return
        if organization.digest == DigestEvery.OFF:
            # A digest tells what was done since the one before, and the first one since somebody wanted one.
            organization.digest_sent_at = now
        organization.language, organization.digest = language, digest
        record(
            session,
            Event.SETTINGS_CHANGED,
            at=now,
            actor=caller.account_id or "",
            organization_id=organization_id,
            client_key=caller.tenant,
            details={"language": language, "digest": digest},
        )


def want_digest(tools: Toolbox, caller: Caller) -> None:
    """An operator who stopped the digest gets it again. Raises NotFound for somebody who is not on the list."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        operator = session.get(Operator, (organization_id, caller.account_id or ""))
        if operator is None:
            raise NotFound(
                "Summaries go to named operators, and you are none.", "Let somebody name you under Operators."
            )
        operator.digest_stopped_at = None


def _send(tools: Toolbox, organization_id: str, sent_at: datetime | None, morning: datetime) -> None:
    now = tools.clock()
    since = sent_at or morning - timedelta(days=1)
    found = matters(tools, organization_id)
    with tools.begin() as session:
        # Of two rounds at once, the second one finds that the morning is taken.
        taken = session.scalar(
            update(Organization)
            .where(
                Organization.id == organization_id, Organization.digest_sent_at.is_not_distinct_from(sent_at)
            )
            .values(digest_sent_at=now)
            .returning(Organization.id)
        )
        if taken is None:
            return
        organization = session.get_one(Organization, organization_id)
        if digest_of(session, organization, since, now, found).is_empty:
            return
        for operator in operators_here(session, organization_id):
            person = find_person(session, organization_id, operator.account_id)
            if operator.digest_stopped_at is None and person is not None and person.email:
                send_out(
                    session,
                    organization_id,
                    Topic.DIGEST,
                    # With the organization: somebody may be an operator of two.
                    f"{organization_id}:{morning.isoformat()}",
                    now,
                    channel=Channel.MAIL,
                    target=operator.account_id,
                    facts={"since": since.isoformat(), "until": now.isoformat()},
                )


def _period(every: DigestEvery) -> timedelta:
    return timedelta(days=7 if every is DigestEvery.WEEK else 1)
