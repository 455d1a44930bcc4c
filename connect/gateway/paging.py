"""The next page: Atlassian sends a bare cursor on some lists and a full address on others (platform.md C)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from connect.errors import Unexpected
from connect.gateway.answers import mapping, text

MAX_CURSOR_CHARACTERS = 2000


def next_cursor(answer: dict[str, Any], *, api_url: str, path: str, current: str | None) -> str | None:
    """The cursor of the following page, None after the last.

    A full address must have the origin and the path that were asked (S31); an answer that sends us to the page
    we are on would go round for ever. Both raise Unexpected.
    """
    links = answer.get("links")
    found = text(mapping(links), "next") if links is not None else ""
    if not found:
        return None
    cursor = _cursor_of_address(found, api_url, path) if _is_address(found) else found
    if not cursor or cursor == current or len(cursor) > MAX_CURSOR_CHARACTERS:
        raise Unexpected(200, reason="atlassian_odd_cursor")
    return cursor


def cursor_in(query: str) -> str:
    """The cursor of a raw query, "" without one. A plus in it is a sign of base64, and no blank."""
    return parse_qs(query.replace("+", "%2B")).get("cursor", [""])[0]


def _is_address(found: str) -> bool:
    # Also a bare cursor may begin with a slash, which is a sign of base64.
    return "://" in found or (found.startswith("/") and "?" in found)


def _cursor_of_address(address: str, api_url: str, path: str) -> str:
    expected = urlsplit(api_url.rstrip("/") + path)
    found = urlsplit(address)
    if (found.scheme, found.netloc, found.path) != (expected.scheme, expected.netloc, expected.path):
        raise Unexpected(200, reason="atlassian_foreign_next_page")
    return cursor_in(found.query)
