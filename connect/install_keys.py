"""Atlassian's public install keys: fetched by `kid` from the configured hosts, and from nowhere else (S7, S8)."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from urllib.parse import quote

import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from connect.errors import NotAuthenticated, Unavailable
from connect.gateway.http import BoundedSession
from connect.hosts import is_safe_address

# connect-install-keys hands out UUIDs; the asap hosts use paths such as `micros/aid/prod/abc`. No dots in front of
# a segment, so no `..`; no empty segment, so no `//` and no leading slash.
_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_KID = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{0,7}}", re.ASCII)
MAX_KID_CHARACTERS = 200
MAX_KEY_BYTES = 16 * 1024
MIN_KEY_BITS = 2048

KEPT_FOR = timedelta(hours=1)
# A key may have been withdrawn while its host is silent.
BELIEVED_FOR = timedelta(days=7)
COOL_DOWN = timedelta(minutes=1)
MAX_KEPT = 256
# Anybody may send a token with a new `kid`: so many questions a minute, then nobody is asked about new ones.
MAX_QUESTIONS = 30

Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class InstallKey:
    """A public key as PEM, and when its host last gave it."""

    pem: str
    read_at: datetime


class Shelf(Protocol):
    """Where keys that have opened an event are kept, so that a new process knows them."""

    def find(self, kid: str) -> InstallKey | None: ...

    def forget(self, kid: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Known:
    key: InstallKey
    ask_at: datetime


class InstallKeys:
    """Public keys by kid. Thread-safe; the network and the shelf are asked outside the lock.

    A kid names one key for ever: what is known is used until its host says that it does not know it any more, or has
    said nothing for BELIEVED_FOR.
    `urls` are asked in their order; the next one only when the one before does not know the key or does not answer.
    `shelf` is looked at before anybody is asked: strangers' kids use up no question that one of its keys needs.
    Raises ValueError when no host is configured, or one that is neither https nor on this machine.
    """

    def __init__(
        self,
        urls: tuple[str, ...],
        *,
        clock: Callable[[], datetime],
        shelf: Shelf,
        session: Callable[[], requests.Session] = lambda: BoundedSession(
            connect_seconds=3, read_seconds=5, max_bytes=MAX_KEY_BYTES
        ),
    ) -> None:
        if not urls or not all(is_safe_address(url) for url in urls):
            raise ValueError("install keys come by https, or by http from this machine only")
        self._urls = tuple(url.rstrip("/") for url in urls)
        self._session = session
        self._clock = clock
        self._shelf = shelf
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._unknown: OrderedDict[str, datetime] = OrderedDict()
        self._asked: list[datetime] = []

    def pem_for(self, kid: str) -> str:
        """The public key as PEM.

        Raises NotAuthenticated for a malformed or unknown kid, Unavailable when no host could be asked for a new one.
        """
        if len(kid) > MAX_KID_CHARACTERS or not _KID.fullmatch(kid):
            raise NotAuthenticated(reason="kid")
        self._take_from_shelf(kid)
        kept = self._remembered(kid)
        if kept is not None:
            return kept
        try:
            pem = self._ask_all(kid)
        except Unavailable:
            with self._lock:
                known = self._known.get(kid)
            if known is None:
                raise
            return _still_believed(known.key, self._clock())
        now = self._clock()
        with self._lock:
            if pem is None:
                gone = self._known.pop(kid, None)
                _remember(self._unknown, kid, now + COOL_DOWN)
            else:
                _remember(self._known, kid, _Known(InstallKey(pem, now), now + KEPT_FOR))
        if pem is None:
            if gone is not None:
                self._shelf.forget(kid)
            raise NotAuthenticated(reason="unknown_kid")
        return pem

    def known(self, kid: str) -> InstallKey | None:
        """What is known of a key without asking anybody."""
        with self._lock:
            known = self._known.get(kid)
        return None if known is None else known.key

    def _take_from_shelf(self, kid: str) -> None:
        if self.known(kid) is not None:
            return
        found = self._shelf.find(kid)
        if found is None:
            return
        with self._lock:
            if kid not in self._known:
                _remember(self._known, kid, _Known(found, found.read_at + KEPT_FOR))

    def _remembered(self, kid: str) -> str | None:
        """A key that is still good, or None after having noted that the hosts are going to be asked."""
        now = self._clock()
        with self._lock:
            known = self._known.get(kid)
            if known is not None and now < known.ask_at:
                return _still_believed(known.key, now)
            if known is not None:
                # Outside what strangers use up: it is one question in a while. All others use what is known meanwhile.
                _remember(self._known, kid, _Known(known.key, now + COOL_DOWN))
                return None
            if kid in self._unknown and now < self._unknown[kid]:
                raise NotAuthenticated(reason="unknown_kid")
            self._asked = [moment for moment in self._asked if moment > now - COOL_DOWN]
            if len(self._asked) >= MAX_QUESTIONS:
                raise Unavailable(reason="install_keys_cool_down")
            self._asked.append(now)
        return None

    def _ask_all(self, kid: str) -> str | None:
        """The key, None when every host that answered does not know it. Raises Unavailable when one did not answer."""
        silent = False
        for url in self._urls:
            try:
                pem = self._ask(f"{url}/{quote(kid, safe='/')}")
            except Unavailable:
                silent = True
                continue
            if pem is not None:
                return pem
        if silent:
            raise Unavailable(reason="install_keys_unavailable")
        return None

    def _ask(self, address: str) -> str | None:
        with self._session() as session:
            try:
                response = session.get(address, headers={"Accept": "text/plain, */*"}, allow_redirects=False)
            except requests.RequestException:
                raise Unavailable(reason="install_keys_unavailable") from None
        # Storage hosts answer 403 for what they do not have; its page must never be taken for a key (S7).
        if 400 <= response.status_code < 500 and response.status_code not in (408, 429):
            return None
        if response.status_code != 200:
            raise Unavailable(reason="install_keys_unavailable")
        return _rsa_key(response.content)


def _still_believed(key: InstallKey, now: datetime) -> str:
    if now >= key.read_at + BELIEVED_FOR:
        raise Unavailable(reason="install_keys_unavailable")
    return key.pem


def _rsa_key(body: bytes) -> str:
    try:
        pem = body.decode("ascii").strip()
        key = load_pem_public_key(pem.encode()) if pem.startswith("-----BEGIN PUBLIC KEY-----") else None
    except ValueError:
        key = None
    if not isinstance(key, RSAPublicKey) or key.key_size < MIN_KEY_BITS:
        raise Unavailable(reason="install_keys_odd_answer")
    return pem


def _remember(shelf: OrderedDict[str, Kept], kid: str, value: Kept) -> None:
    shelf[kid] = value
    shelf.move_to_end(kid)
    while len(shelf) > MAX_KEPT:
        shelf.popitem(last=False)
