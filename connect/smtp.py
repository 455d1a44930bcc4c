"""The conversation with a mail server: what it said at which step. Never logs whom or what it was about (S41)."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from connect.hosts import is_loopback

SILENCE = 15.0
"""Seconds that a server may take for one answer; for the last one, to the mail itself, as long as there is."""
LONGEST = 100.0
"""Seconds for the whole conversation: a server that drips its answers must not keep a worker busy."""
MOST_SAID = 64 * 1024
"""Bytes of all that a server answers in one conversation; no real one says a tenth of it."""
MOST_ADDRESSES = 3
"""Of one host: each one that is silent costs time."""
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}\b")
# Many servers look at the sender late: Postfix when it hears a recipient, Exchange when it has the mail (RFC 3463).
_OF_THE_SENDER = re.compile(rb"(?i)\A(?:[45]\.1\.[78]|5\.7\.60)\b|sender address rejected|SendAsDenied")
_ATOM = r"[^\s<>()\[\]\\,;:\"@.\x00-\x1f\x7f]+"
_ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@.{{1,255}}\Z){_ATOM}(?:\.{_ATOM})*@{_ATOM}(?:\.{_ATOM})*", re.DOTALL)


class Security(StrEnum):
    """How the connection is encrypted: from the first byte, or after STARTTLS. PLAIN is for this machine only."""

    TLS = "tls"
    STARTTLS = "starttls"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed in."""

    host: str
    port: int
    security: Security
    username: str = ""
    password: str = field(default="", repr=False)


class Trouble(StrEnum):
    """At which step a mail was not taken.

    NO_LOGIN: the server takes no user name with a password. UNKNOWN: it was handed over, and the answer did not come.
    """

    UNREACHABLE = "unreachable"
    TLS = "tls"
    LOGIN = "login"
    NO_LOGIN = "no_login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    MESSAGE = "message"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it. No trouble: the server took the mail. `for_good`: the same again gets the same answer.

    `code` is the enhanced status (RFC 3463) where the server gave one: 5.1.1 is about the address, 5.7.1 about us.
    """

    trouble: Trouble | None
    status: int | None = None
    for_good: bool = False
    code: str = ""


def parse_server(url: str) -> MailServer:
    """smtps://user:password@host:465 or smtp+starttls://…:587; smtp:// on this machine only. Raises ValueError."""
    parts = urlsplit(url)
    security = {"smtps": Security.TLS, "smtp+starttls": Security.STARTTLS, "smtp": Security.PLAIN}.get(
        parts.scheme
    )
    if security is None or not parts.hostname:
        raise ValueError("must be smtps://user:password@host:465 or smtp+starttls://user:password@host:587")
    if parts.query or parts.fragment or parts.path not in ("", "/"):
        raise ValueError("must have no path, query or fragment")
    if security is Security.PLAIN and not is_loopback(parts.hostname):
        raise ValueError("must be smtps:// or smtp+starttls:// (plain smtp is for loopback addresses only)")
    if security is Security.PLAIN and parts.username:
        raise ValueError("must not log in over a plain connection")
    standard = {Security.TLS: 465, Security.STARTTLS: 587, Security.PLAIN: 25}
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(parts.hostname, parts.port or standard[security], security, username, password)


def is_address(text: str) -> bool:
    """Whether a text has the form of one plain e-mail address."""
    return _ADDRESS.fullmatch(text) is not None


def hand_over(
    server: MailServer,
    addresses: Sequence[str],
    *,
    sender: str,
    recipient: str,
    message: bytes,
    introduce_as: str,
    longest: float = LONGEST,
    silence: float = SILENCE,
) -> Answer:
    """One mail to one recipient. `addresses` are the checked IP addresses of the server; it is met nowhere else."""
    try:
        with _connected(server, addresses, introduce_as, longest, silence) as client:
            return _converse(client, server, sender=sender, recipient=recipient, message=message)
    except ssl.SSLError:
        return Answer(Trouble.TLS)
    except smtplib.SMTPResponseException as refusal:
        return _refused(Trouble.UNREACHABLE, refusal.smtp_code, refusal.smtp_error)
    except (OSError, smtplib.SMTPException):
        return Answer(Trouble.UNREACHABLE)


def _converse(
    client: smtplib.SMTP, server: MailServer, *, sender: str, recipient: str, message: bytes
) -> Answer:
    client.ehlo_or_helo_if_needed()
    prepared = _encrypt(client, server) or _log_in(client, server) or _address(client, sender, recipient)
    return prepared or _give(client, message)


def _encrypt(client: smtplib.SMTP, server: MailServer) -> Answer | None:
    if server.security is not Security.STARTTLS:
        return None
    try:
        client.starttls(context=ssl.create_default_context())
    except (smtplib.SMTPNotSupportedError, smtplib.SMTPResponseException):
        return Answer(Trouble.TLS)
    client.ehlo_or_helo_if_needed()
    return None


def _log_in(client: smtplib.SMTP, server: MailServer) -> Answer | None:
    if not server.username:
        return None
    if not (server.username + server.password).isascii():
        return _log_in_by_utf8(client, server)
    try:
        client.login(server.username, server.password)
    except smtplib.SMTPResponseException as refusal:
        return _refused(Trouble.LOGIN, refusal.smtp_code, refusal.smtp_error)
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPException:
        # It offers no log-in, or none by a password, such as NTLM or XOAUTH2 alone.
        return Answer(Trouble.NO_LOGIN)
    return None


def _log_in_by_utf8(client: smtplib.SMTP, server: MailServer) -> Answer | None:
    """RFC 4616: the library knows letters of ASCII alone."""
    if "PLAIN" not in client.esmtp_features.get("auth", "").split():
        return Answer(Trouble.NO_LOGIN)
    word = b64encode(f"\0{server.username}\0{server.password}".encode()).decode()
    code, words = client.docmd("AUTH", f"PLAIN {word}")
    return None if _yes(code) else _refused(Trouble.LOGIN, code, words)


def _address(client: smtplib.SMTP, sender: str, recipient: str) -> Answer | None:
    options = () if (sender + recipient).isascii() else ("SMTPUTF8", "BODY=8BITMIME")
    if options:
        if not client.has_extn("smtputf8"):
            return Answer(Trouble.RECIPIENT, None, for_good=True)
        client.command_encoding = "utf-8"
    code, words = client.mail(sender, options)
    if not _yes(code):
        return _refused(Trouble.SENDER, code, words)
    code, words = client.rcpt(recipient)
    return None if _yes(code) else _refused(Trouble.RECIPIENT, code, words)


def _give(client: smtplib.SMTP, message: bytes) -> Answer:
    assert client.sock is not None, "the recipient was taken a moment ago"
    # A server may look a mail through for long before it takes it: whoever leaves sooner sends it again, and again.
    client.sock.settimeout(LONGEST)
    try:
        code, words = client.data(message)
    except smtplib.SMTPDataError as refusal:
        return _refused(Trouble.MESSAGE, refusal.smtp_code, refusal.smtp_error)
    except (OSError, smtplib.SMTPException):
        return Answer(Trouble.UNKNOWN)
    return Answer(None, code) if _yes(code) else _refused(Trouble.MESSAGE, code, words)


def _yes(code: int) -> bool:
    return 200 <= code <= 299


def _refused(trouble: Trouble, code: int, words: bytes | str) -> Answer:
    if not 400 <= code <= 599:
        # Nothing that a mail server says there; the line may have broken in the middle of a word.
        return Answer(Trouble.UNREACHABLE)
    said = words if isinstance(words, bytes) else words.encode("utf-8", "replace")
    if trouble in (Trouble.RECIPIENT, Trouble.MESSAGE) and _OF_THE_SENDER.search(said):
        trouble = Trouble.SENDER
    enhanced = _ENHANCED.match(said)
    return Answer(trouble, code, 500 <= code <= 599, enhanced[0].decode() if enhanced else "")


@contextmanager
def _connected(
    server: MailServer, addresses: Sequence[str], introduce_as: str, longest: float, silence: float
) -> Iterator[smtplib.SMTP]:
    client = (
        _TlsClient(local_hostname=introduce_as, timeout=silence, context=ssl.create_default_context())
        if server.security is Security.TLS
        else _Client(local_hostname=introduce_as, timeout=silence)
    )
    client.addresses, client.longest = addresses, longest
    # The certificate has to name the host that was asked for, whichever of its addresses is called.
    client._host = server.host  # type: ignore[attr-defined]  # noqa: SLF001
    try:
        code, _words = client.connect(server.host, server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, "")
        yield client
        # What was taken is taken, however the farewell goes.
        with suppress(OSError, smtplib.SMTPException):
            client.quit()
    finally:
        client.hang_up()


class _Client(smtplib.SMTP):
    """Calls the checked addresses alone, and hangs up when the conversation takes too long."""

    addresses: Sequence[str] = ()
    longest: float = LONGEST
    _line: socket.socket | None = None
    _timer: threading.Timer | None = None

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        problem: OSError = ConnectionError("no address")
        for address in self.addresses[:MOST_ADDRESSES]:
            try:
                found = socket.create_connection((address, port), timeout)
            except OSError as refused:
                problem = refused
                continue
            # A second handle on the same line: the first one moves into the encryption.
            self._line = line = found.dup()
            self._timer = threading.Timer(self.longest, _cut, (line,))
            self._timer.daemon = True
            self._timer.start()
            return found
        raise problem

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Answers(self.sock.makefile("rb"))
        return super().getreply()

    def hang_up(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._line is not None:
            self._line.close()
        self.close()


class _Answers:
    """A server's lines, up to MOST_SAID: of an answer without an end the library would keep them all."""

    def __init__(self, lines: BinaryIO) -> None:
        self._lines = lines
        self._left = MOST_SAID

    def readline(self, most: int) -> bytes:
        line = self._lines.readline(most)
        self._left -= len(line)
        if self._left < 0:
            raise OSError("the server says too much")
        return line

    def close(self) -> None:
        self._lines.close()


class _TlsClient(smtplib.SMTP_SSL, _Client):
    """Encrypted from the first byte."""


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
