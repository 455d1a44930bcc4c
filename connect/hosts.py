"""Is this address an Atlassian site? The only place that knows (S29)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from connect.errors import Invalid

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
# One pattern for the whole address: what it does not name (user info, query, fragment, escapes, blanks,
# backslashes, letters outside ASCII) cannot be in it.
_BASE_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]{1,253})(?P<port>:[0-9]{1,5})?(?P<path>/wiki)?/?", re.ASCII
)
_PATTERN = re.compile(
    r"(?P<scheme>https?)://(?P<wild>\*\.)?(?P<host>[a-z0-9.-]{1,253})(?P<port>:[0-9]{1,5})?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Site:
    """A checked site address. `base_url` has no trailing slash; Confluence's ends with `/wiki`."""

    base_url: str
    origin: str
    host: str


def is_loopback(host: str) -> bool:
    """Whether the host part of an address (no port) means this machine."""
    return host in LOOPBACK_HOSTS


def is_safe_address(url: str) -> bool:
    """Whether the operator may configure this address for outgoing calls: https, or http on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and is_loopback(parts.hostname or "")


class SiteOrigins:
    """The configured list of origins that are Atlassian sites.

    `https://*.atlassian.net` stands for one or more labels before the dot; any other entry is one exact origin.
    Plain http is for this machine only. Raises ValueError when the list is empty or an entry says something else.
    """

    def __init__(self, patterns: tuple[str, ...]) -> None:
        if not patterns:
            raise ValueError("no site origin is configured")
        self._suffixes: set[str] = set()
        self._exact: set[str] = set()
        for pattern in patterns:
            self._add(pattern)

    def _add(self, pattern: str) -> None:
        found = _PATTERN.fullmatch(pattern)
        if found is None:
            raise ValueError(f"not a site origin: {pattern}")
        host, wild, scheme = found["host"], found["wild"], found["scheme"]
        if scheme == "http" and not is_loopback(host):
            raise ValueError(f"plain http is for this machine only: {pattern}")
        if wild:
            if found["port"] or scheme != "https" or not _HOST.fullmatch(host) or _is_number(host):
                raise ValueError(f"not a site origin: {pattern}")
            self._suffixes.add("." + host)
        else:
            self._exact.add(pattern)

    def check(self, url: str) -> Site:
        """The checked form of a site's base URL. Raises Invalid("baseUrl") for anything that is not one."""
        found = _BASE_URL.fullmatch(url)
        if found is None:
            raise _not_a_site()
        host = found["host"].lower()
        origin = f"{found['scheme']}://{host}{found['port'] or ''}"
        if origin not in self._exact and not self._is_below_suffix(origin, host):
            raise _not_a_site()
        return Site(base_url=origin + (found["path"] or ""), origin=origin, host=host)

    def _is_below_suffix(self, origin: str, host: str) -> bool:
        if origin != f"https://{host}" or not _HOST.fullmatch(host) or _is_number(host):
            return False
        if any(label.startswith("xn--") for label in host.split(".")):
            return False
        return any(host.endswith(suffix) and len(host) > len(suffix) for suffix in self._suffixes)


def _is_number(host: str) -> bool:
    return host.rsplit(".", 1)[-1].isdigit()


def _not_a_site() -> Invalid:
    return Invalid("baseUrl", "This is not the address of an Atlassian site.", reason="not_a_site")
