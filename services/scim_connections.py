"""Who asks over SCIM: a bearer token opens one connection of one organization, and nothing else (S54)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import update

from models.scim import ScimConnection, connection_of_token
from models.tenant import doors_of
from services.toolbox import Toolbox

TOKEN_BYTES = 32
GATHER = timedelta(seconds=10)
"""How long changes are collected into one run."""
NOTED_EVERY = timedelta(minutes=1)
"""How exactly the last use is known: one write a minute, not one for each request."""


@dataclass(frozen=True, slots=True)
class Provisioner:
    """The proven answer to "which identity provider asks?"."""

    organization_id: str
    connection_id: str


def new_token() -> tuple[str, str]:
    """A token, shown once, and the hash of it, which is kept."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return token, hash_of(token)


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def identify(tools: Toolbox, token: str) -> Provisioner | None:
    """Whom a token opens; None for every other token.

    An organization whose last door was closed takes nothing any more.
    """
    wanted = hash_of(token)
    with tools.look() as connection:
        found = connection_of_token(connection, wanted)
    # The index has looked it up already; what it returned is compared once more, in a time that says nothing.
    if found is None or not hmac.compare_digest(found[2], wanted):
        return None
    organization_id, connection_id, _, last_used_at = found
    now = tools.clock()
    with tools.begin() as session:
        if not doors_of(session, organization_id):
            return None
        if last_used_at is None or last_used_at <= now - NOTED_EVERY:
            session.execute(
                update(ScimConnection)
                .where(ScimConnection.organization_id == organization_id, ScimConnection.id == connection_id)
                .values(last_used_at=now)
            )
    return Provisioner(organization_id, connection_id)
