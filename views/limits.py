"""How often is often enough: the page that nobody logs in to, per link and address (S55); SCIM, per connection."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, current_app, request
from limits import parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from views.access import provisioner, ticket_source

View = TypeVar("View", bound=Callable[..., Any])

COUNTS = "rollcall_counts"
PER_LINK = "20 per minute; 100 per hour"
PER_ADDRESS = "300 per minute"
"""A whole company may come from one address."""
PER_CONNECTION = "3000 per minute"
"""Entra asks a service to bear 25 requests a second; the first cycle of a large company comes in bursts."""
PER_TICKET_RULE = "300 per minute"
"""A whole department may ask on its first morning."""


def limited(view: View) -> View:
    """Counts the requests of a view for its link and its sender; the one too many is a 429."""
    return _counted(_counted(view, "link", PER_LINK, _link), "address", PER_ADDRESS, _address)


def limited_for_providers(view: View) -> View:
    """Counts the requests of an identity provider, all of its addresses together; the one too many is a 429."""
    return _counted(view, "scim", PER_CONNECTION, _connection)


def limited_for_tickets(view: View) -> View:
    """Counts the tickets that are sent to one rule; the one too many is a 429, and Jira Automation tries again."""
    return _counted(view, "tickets", PER_TICKET_RULE, _ticket_rule)


def register(app: Flask) -> None:
    """Every process counts for itself: that is enough against impatience and scripts."""
    app.extensions[COUNTS] = MovingWindowRateLimiter(MemoryStorage())


def _counted(view: View, scope: str, often: str, who: Callable[[], str]) -> View:
    """`who` is asked behind the guard: whom nobody proved is not counted for somebody else."""
    rates = parse_many(often)

    @wraps(view)
    def counted(*arguments: Any, **named: Any) -> Any:
        counts: MovingWindowRateLimiter = current_app.extensions[COUNTS]
        if not all(counts.hit(rate, scope, who()) for rate in rates):
            raise TooManyRequests
        return view(*arguments, **named)

    return cast(View, counted)


def _link() -> str:
    # Nobody who reads the memory of this process finds a link there.
    return hashlib.sha256(request.path.encode()).hexdigest()


def _address() -> str:
    return request.remote_addr or ""


def _connection() -> str:
    who = provisioner()
    return f"{who.organization_id}/{who.connection_id}"


def _ticket_rule() -> str:
    source = ticket_source()
    return f"{source.organization_id}/{source.rule_id}"
