"""One call of a hook: by POST, to exactly the machine that was checked, without redirects, within its time.

The connection is made by hand: a library would look the host's name up once more, and by then it could mean a machine
inside (DNS rebinding, S29). Proxies, cookies and credentials of the environment play no part. Neither the address nor
what is sent or answered is logged (S41).
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from connect.gateway.answers import retry_after
from connect.hook_addresses import HookAddress

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
WHOLE_SECONDS = 20.0
"""However slowly the other side speaks, a call is over by then."""
MOST_MACHINES = 3
"""Of a host with several addresses so many are tried."""
_COMMON = {"Content-Type": "application/json", "User-Agent": "Rollcall"}


class Trouble(StrEnum):
    """Why there was no answer, as a sentence for people."""

    CONNECT = "The host could not be reached."
    CERTIFICATE = "The host's certificate is not valid for its name."
    TOO_SLOW = "The host did not answer in time."
    BROKEN = "The host broke the connection off."


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said. `until` is when it wants to be asked again."""

    status: int
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nobody knows whether what was sent has arrived."""

    trouble: Trouble


def call_hook(
    address: HookAddress,
    body: bytes,
    headers: Mapping[str, str],
    *,
    now: datetime,
    authorities: str | None = None,
    seconds: float = WHOLE_SECONDS,
) -> Answer | NoAnswer:
    """POSTs JSON. `authorities` is a file of certificates to trust, by default those that browsers trust."""
    try:
        connection = _connect(address)
    except TimeoutError:
        return NoAnswer(Trouble.TOO_SLOW)
    except OSError:
        return NoAnswer(Trouble.CONNECT)
    overdue = threading.Event()
    # A time-out of the socket counts from one byte to the next: this ends the whole.
    watch = threading.Timer(seconds, _hang_up, (connection, overdue))
    watch.daemon = True
    watch.start()
    try:
        if address.scheme == "https":
            _secure(connection, address.host, authorities or DEFAULT_CA_BUNDLE_PATH)
        connection.request("POST", address.path, body, _COMMON | dict(headers))
        # The status says all that is needed: what else is answered is not read.
        answer = connection.getresponse()
        return Answer(answer.status, retry_after(answer.headers.get("Retry-After", ""), now))
    except ssl.SSLCertVerificationError:
        return NoAnswer(Trouble.CERTIFICATE)
    except TimeoutError:
        return NoAnswer(Trouble.TOO_SLOW)
    except (OSError, http.client.HTTPException):
        return NoAnswer(Trouble.TOO_SLOW if overdue.is_set() else Trouble.BROKEN)
    finally:
        watch.cancel()
        connection.close()


def _connect(address: HookAddress) -> http.client.HTTPConnection:
    """A connection to the first of the checked machines that takes it."""
    connection = http.client.HTTPConnection(address.host, address.port)
    # It must never connect by itself: that would look the name up anew.
    connection.auto_open = 0
    connection.sock = _first_that_listens(address)
    connection.sock.settimeout(READ_SECONDS)
    return connection


def _secure(connection: http.client.HTTPConnection, host: str, authorities: str) -> None:
    """TLS on the connection; the certificate has to be the host name's."""
    connection.default_port = 443
    trusted = ssl.create_default_context(cafile=authorities)
    trusted.minimum_version = ssl.TLSVersion.TLSv1_2
    wrapped = trusted.wrap_socket(connection.sock, server_hostname=host, do_handshake_on_connect=False)
    connection.sock = wrapped
    wrapped.do_handshake()


def _first_that_listens(address: HookAddress) -> socket.socket:
    problem: OSError = OSError()
    for machine in address.addresses[:MOST_MACHINES]:
        try:
            return socket.create_connection((machine, address.port), timeout=CONNECT_SECONDS)
        except OSError as refused:
            problem = refused
    raise problem


def _hang_up(connection: http.client.HTTPConnection, overdue: threading.Event) -> None:
    overdue.set()
    # The other thread reads from this very socket: TLS's own farewell would pull it away from under it.
    with suppress(OSError):
        socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
