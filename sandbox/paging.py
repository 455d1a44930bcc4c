"""Cursors as Atlassian gives them: opaque, bound to the search they came from, in the letters of its examples.

Each has a slash and a plus in it, the slash in front: signs of base64 that mean something else in an address.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any


class BadCursor(ValueError):
    """The cursor was not made by us."""


_KEY = b"pretend-atlassian-cursor"
_FIRST = "/+"


def make(payload: dict[str, Any]) -> str:
    raw = json.dumps(payload, separators=(",", ":")).encode()
    seal = hmac.new(_KEY, raw, hashlib.sha256).digest()[:6]
    return _FIRST + base64.b64encode(seal + raw).decode().replace("=", ".")


def self_cursor(name: str) -> str:
    """The cursor of one resource itself: shown, never read back, so unsealed."""
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def read(cursor: str) -> dict[str, Any]:
    """What make() was given; BadCursor otherwise."""
    try:
        data = base64.b64decode(cursor.removeprefix(_FIRST).replace(".", "="), validate=True)
        seal, raw = data[:6], data[6:]
        if not hmac.compare_digest(seal, hmac.new(_KEY, raw, hashlib.sha256).digest()[:6]):
            raise BadCursor(cursor)
        payload: dict[str, Any] = json.loads(raw)
    except BadCursor:
        raise
    except ValueError as error:
        raise BadCursor(cursor) from error
    return payload
