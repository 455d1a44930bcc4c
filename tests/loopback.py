"""Keeps the tests on this machine: connecting or looking up any other host raises at once, in every library."""

from __future__ import annotations

import ipaddress
from typing import Any

LOCAL_NAMES = {"", "localhost", "::"}


class LeftTheMachine(AssertionError):
    """A test tried to reach another host."""


def refuse_other_hosts(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook (PEP 578): sees every `socket.connect` and `socket.getaddrinfo` of this process."""
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if host is not None and not is_local(host):
        raise LeftTheMachine(f"tests stay on this machine, but something asked for {host!r}")


def is_local(host: object) -> bool:
    """Whether a host, by name or number, is this machine."""
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name in LOCAL_NAMES:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
