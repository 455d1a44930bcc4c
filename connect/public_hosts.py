"""May a hook or a mail server of the organization be called? Only in the public network (S29).

Whoever may name an address must not reach through us what only our machines reach: loopback, the private network, the
cloud's metadata. The caller connects to the very addresses that were checked here, so that a name cannot mean another
machine a moment later.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Collection

from connect.errors import Invalid

NOT_FOUND = "host_not_found"
"""The reason of the refusal that may be over in a minute."""

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
# The last label begins with a letter: 2130706433, 0x7f.1 and 127.1 are numbers to a resolver, and no names.
_NAME = re.compile(rf"(?:{_LABEL}\.)*[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?", re.ASCII)
_LONGEST_NAME = 253
# IPv6 addresses that stand for an IPv4 address behind a translator; what is inside is checked as well.
_TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
# What Python takes for public and nobody's hook is at: protocol assignments (one cloud has its metadata there), the
# old relays to IPv6, addresses local to a site.
_NOT_PUBLIC = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10")))


def addresses_of(name: str, port: int) -> tuple[str, ...]:
    """What the machine's resolver says, nothing when it knows no such name."""
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


def check_target(
    host: str,
    port: int,
    allowed: Collection[str],
    look_up: Callable[[str, int], tuple[str, ...]] = addresses_of,
) -> tuple[str, ...]:
    """The IP addresses of a host, all of them public, unless `host:port` is in `allowed` (PRIVATE_TARGETS).

    Raises Invalid("address"): with the reason NOT_FOUND when nobody knows the name at the moment.
    """
    name = host.lower().removeprefix("[").removesuffix("]")
    if not 1 <= port <= 65535 or not (_is_name(name) or _is_address(name)):
        raise Invalid(
            "address", "This is not a host that can be called.", "Write its name, as in hooks.example.com."
        )
    addresses = (name,) if _is_address(name) else look_up(name, port)
    if not addresses:
        raise Invalid(
            "address",
            "No host of this name can be found.",
            "Check the address for typing errors.",
            reason=NOT_FOUND,
        )
    if target(name, port) not in allowed and not all(map(is_public, addresses)):
        raise Invalid(
            "address",
            "This host is in a private network, where Rollcall calls nobody.",
            "Give a host that the internet can reach, or ask whoever runs Rollcall to list it in PRIVATE_TARGETS.",
            reason="host_not_public",
        )
    return addresses


def target(host: str, port: int) -> str:
    """A host and port as PRIVATE_TARGETS spells them: [::1]:8443 for an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_public(address: str) -> bool:
    """Whether an IP address is somebody's in the internet."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and any(found in network for network in _TRANSLATED):
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if found.scope_id:
            return False
    return found.is_global and not (
        any(found in network for network in _NOT_PUBLIC)
        or found.is_private
        or found.is_loopback
        or found.is_link_local
        or found.is_multicast
        or found.is_reserved
        or found.is_unspecified
    )


def _is_name(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and _NAME.fullmatch(name) is not None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return "%" not in name
