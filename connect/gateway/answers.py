"""What an answer of Atlassian means: its status as one of our errors, its JSON in the shape we expect."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from connect.errors import (
    AccessForbidden,
    AtlassianError,
    Gone,
    RateLimited,
    SiteMoved,
    Unauthorized,
    Unavailable,
    Unexpected,
    Why,
)

DEFAULT_PAUSE = timedelta(seconds=60)
SHORTEST_PAUSE = timedelta(seconds=1)
# Quotas are counted by the hour (platform.md D); a longer answer is taken as "ask again in an hour".
LONGEST_PAUSE = timedelta(hours=1)
_NO_DATE = 1970
LONGEST_ID = 255
MOST = 2**31 - 1
"""Of whatever is counted: no database has to take more."""
# What beside a 409 tells "no seat is free" from "it is already so".
NO_SEAT_LEFT = frozenset({"ADMIN-409-3", "ADMIN-UAM-409-3"})
# What beside a 403 names something else than the key's scopes (specs: admin-organization, ApplicationError and
# ApiError; admin-user-management, Response.Forbidden.…).
_FORBIDDEN = {
    "ADMIN-403-3": Why.ORGANIZATION,
    "ADMIN-UAM-403-2": Why.ORGANIZATION,
    "ADMIN-403-5": Why.GROUP,
    "forbidden.targetUnverified": Why.UNCONFIRMED,
}
# User management's words for "not this account" (specs: admin-user-management, Response.Forbidden.…).
_NOT_THIS_ACCOUNT = re.compile(r"forbidden(\.\w+)?")

_TURNED_AWAY = "Something in front of Atlassian turned the request away."
_LET_US_IN = (
    "Try again in a few minutes. If it goes on, see whether your IP allowlist lets Rollcall's server in."
)


def error_for(
    status: int, headers: Mapping[str, str], body: bytes, *, now: datetime, forbidden_means: Why
) -> AtlassianError | None:
    """The error that an answer stands for, None for 2xx. `forbidden_means` is what a bare 403 says on this API."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return SiteMoved()
    unheard = _unheard(status, body)
    if unheard is not None:
        return unheard
    if status == 429:
        return RateLimited(_pause_until(headers, now))
    if status == 404:
        return Gone()
    if status == 410:
        # So Atlassian says that it has withdrawn a call: of whom it was about, it says nothing.
        return Unexpected(status, reason="atlassian_call_withdrawn")
    code, words = _error_words(body)
    if status in (401, 403) and "scope" in words.lower():
        return AccessForbidden(Why.SCOPE)
    if status == 401:
        return Unauthorized()
    if status == 403:
        bare = Why.RIGHTS if _NOT_THIS_ACCOUNT.fullmatch(code) else forbidden_means
        return AccessForbidden(_FORBIDDEN.get(code, bare))
    return Unexpected(status, code)


def _unheard(status: int, body: bytes) -> Unavailable | None:
    """Whether it is no answer to the question."""
    if status in (403, 404) and _is_page(body):
        # Atlassian's APIs refuse in JSON: this is a firewall, an allowlist of addresses, or a site that is down. Of the
        # credential, and of what was asked about, it says nothing.
        return Unavailable(_TURNED_AWAY, _LET_US_IN, reason=f"atlassian_page_{status}")
    if status in (408, 425) or status >= 500:
        return Unavailable(reason=f"atlassian_unavailable_{status}")
    return None


def _is_page(body: bytes) -> bool:
    return body.lstrip().startswith(b"<")


def json_of(body: bytes) -> Any:
    """The JSON of a successful answer; None when it is empty.

    Unavailable when it is something else, be it a page for logging in, a word about maintenance or half an answer:
    whatever was asked, nobody has answered.
    """
    if not body.strip():
        return None
    if _is_page(body):
        raise Unavailable(_TURNED_AWAY, _LET_US_IN, reason="atlassian_page_200")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unavailable(Unexpected.sentence, reason="atlassian_not_json") from error


def mapping(value: Any) -> dict[str, Any]:
    """`value` if it is a JSON object, else Unexpected."""
    if not isinstance(value, dict):
        raise Unexpected(200, reason="atlassian_odd_shape")
    return value


def rows(value: Any) -> list[dict[str, Any]]:
    """`value` if it is a list of JSON objects, else Unexpected. A missing list is odd too, never "nobody" (S46)."""
    if not isinstance(value, list):
        raise Unexpected(200, reason="atlassian_odd_shape")
    return [mapping(row) for row in value]


def text(row: Mapping[str, Any], key: str) -> str:
    """A word that may be missing: "" then. Unexpected when it is not a string.

    What no database takes is left out: nobody's name may keep the directory from being read.
    """
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unexpected(200, reason="atlassian_odd_shape")
    return value.replace("\0", "").encode(errors="replace").decode()


def required_text(row: Mapping[str, Any], key: str) -> str:
    """A word that must be there, else Unexpected."""
    value = text(row, key)
    if not value:
        raise Unexpected(200, reason="atlassian_odd_shape")
    return value


def identifier(row: Mapping[str, Any], key: str, longest: int = LONGEST_ID) -> str:
    """The same for an id, which has to go into the database whole: one too long is odd."""
    value = required_text(row, key)
    if len(value) > longest:
        raise Unexpected(200, reason="atlassian_odd_id")
    return value


def count(row: Mapping[str, Any], key: str) -> int | None:
    """How many of something there are; None when missing or something else, such as -1 or more than anybody counts."""
    value = row.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= MOST else None


def flag(row: Mapping[str, Any], key: str, *, missing: bool) -> bool:
    """Yes or no, `missing` when Atlassian does not say. Raises Unexpected when it is something else."""
    value = row.get(key)
    if value is None:
        return missing
    if not isinstance(value, bool):
        raise Unexpected(200, reason="atlassian_odd_shape")
    return value


def moment(row: Mapping[str, Any], key: str) -> datetime | None:
    """A point in time, aware; None when missing or empty, or where programs begin to count (1970, or the year 1).

    That is how many of them write that there is no date: nobody is idle since then. Raises Unexpected when it cannot be
    read: an unreadable date must never look like "was never here" (S45).
    """
    value = text(row, key)
    if not value:
        return None
    found = _parsed_moment(value)
    if found is None:
        raise Unexpected(200, reason="atlassian_odd_date")
    return found if found.year > _NO_DATE else None


def _parsed_moment(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
        # A moment at the end of time may lie behind it in UTC.
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _pause_until(headers: Mapping[str, str], now: datetime) -> datetime:
    until = (
        retry_after(headers.get("Retry-After", ""), now)
        or _reset_at(headers.get("X-RateLimit-Reset", ""))
        or now + DEFAULT_PAUSE
    )
    return min(max(until, now + SHORTEST_PAUSE), now + LONGEST_PAUSE)


def retry_after(value: str, now: datetime) -> datetime | None:
    """When a Retry-After header allows the next call: seconds, or a date. None when it says nothing.

    Whoever answers may be hostile: nonsense says nothing.
    """
    if value.strip().isascii() and value.strip().isdigit():
        return now + min(timedelta(seconds=int(value.strip()[:9])), LONGEST_PAUSE)
    try:
        found = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _reset_at(value: str) -> datetime | None:
    value = value.strip()
    if value.isascii() and value.isdigit():
        return datetime.fromtimestamp(min(int(value[:11]), 32503680000), UTC)
    return _parsed_moment(value)


def _error_words(body: bytes) -> tuple[str, str]:
    """Code and words of `{errors:[{code,title,detail}]}`, `{code,message}` or `{key}`; both may be empty."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(answer, dict):
        return "", ""
    errors = answer.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else answer
    words = (first.get("title"), first.get("detail"), first.get("message"))
    return str(first.get("code") or first.get("key") or "")[:40], " ".join(
        word for word in words if isinstance(word, str)
    )
