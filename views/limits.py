"""How often is often enough: the page that nobody logs in to, per link and address (S55); SCIM, per connection."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from views.access import provisioner, ticket_source

View = TypeVar("View", bound=Callable[..., Any])

PER_LINK = "20 per minute; 100 per hour"
PER_ADDRESS = "300 per minute"
"""A whole company may come from one address."""
PER_CONNECTION = "3000 per minute"
"""Entra asks a service to bear 25 requests a second; the first cycle of a large company comes in bursts."""
PER_TICKET_RULE = "300 per minute"
"""A whole department may ask on its first morning."""


def _link() -> str:
    # Nobody who reads the memory of this process finds a link there.
    return hashlib.sha256(request.path.encode()).hexdigest()


_limiter = Limiter(_link, storage_uri="memory://", strategy="moving-window")


def limited(view: View) -> View:
    """Counts the requests of a view for its link and its sender; the one too many is a 429."""
    by_link = _limiter.shared_limit(PER_LINK, scope="link", key_func=_link)
    by_address = _limiter.shared_limit(PER_ADDRESS, scope="address", key_func=get_remote_address)
    return cast(View, by_address(by_link(view)))


def _connection() -> str:
    who = provisioner()
    return f"{who.organization_id}/{who.connection_id}"


def limited_for_providers(view: View) -> View:
    """Counts the requests of an identity provider, all of its addresses together; the one too many is a 429."""
    return cast(View, _limiter.shared_limit(PER_CONNECTION, scope="scim", key_func=_connection)(view))


def _ticket_rule() -> str:
    source = ticket_source()
    return f"{source.organization_id}/{source.rule_id}"


def limited_for_tickets(view: View) -> View:
    """Counts the tickets that are sent to one rule; the one too many is a 429, and Jira Automation tries again."""
    return cast(View, _limiter.shared_limit(PER_TICKET_RULE, scope="tickets", key_func=_ticket_rule)(view))


def register(app: Flask) -> None:
    """Every process counts for itself: that is enough against impatience and scripts."""
    _limiter.init_app(app)
