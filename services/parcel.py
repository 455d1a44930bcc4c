"""A delivery on its way: what a channel is handed, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rules.topics import Channel, Topic


@dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery, copied out of the database. `target` is an account id (mail) or a hook's id."""

    organization_id: str
    id: str
    channel: Channel
    topic: Topic
    target: str
    account_id: str
    case_id: str | None
    run_id: str | None
    facts: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """The other side took it. `status` is its HTTP or SMTP code."""

    status: int | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Not now: try again after the next pause, or at `until` when the other side named a time."""

    reason: str
    status: int | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Never: `reason` is a sentence for people, without addresses."""

    reason: str
    status: int | None = None


Outcome = Sent | Later | NotSent
