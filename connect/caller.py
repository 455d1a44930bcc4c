"""The proven answer to "who asks?"."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Via(StrEnum):
    """How the caller was proven."""

    LIFECYCLE = "lifecycle"
    IFRAME = "iframe"
    CONTEXT = "context"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Caller:
    """One verified request.

    `tenant` is the client key taken from the verified token and from nowhere else (S18).
    `account_id` is None for anonymous visitors and for what the product itself sends (S25).
    """

    tenant: str
    account_id: str | None
    via: Via
