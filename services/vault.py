"""Sealing secrets at rest: AES-GCM, bound to the row and column they belong to (S37, S38), by one of several keys."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class CredentialUnreadable(Exception):
    """A sealed value does not open: another row's, tampered with, or its key is gone. The message names no secret."""


class _Key(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def key(self) -> bytes: ...


class Vault:
    """Seals with the first key and opens with any.

    A sealed value is `key id, 0x00, nonce, ciphertext`. The associated data is the row's identity, the column and the
    key id: a value that was copied to another row or column does not open.
    """

    def __init__(self, keys: Sequence[_Key]) -> None:
        if not keys:
            raise ValueError("a vault needs a key")
        self._current = keys[0].id
        self._ciphers = {key.id: AESGCM(key.key) for key in keys}

    def seal(self, secret: str, *, row: str, column: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(
            nonce, secret.encode(), _place(row, column, self._current)
        )
        return self._current.encode() + b"\0" + nonce + sealed

    def open(self, sealed: bytes, *, row: str, column: str) -> str:
        """The secret. Raises CredentialUnreadable."""
        key_id, _, rest = bytes(sealed).partition(b"\0")
        cipher = self._ciphers.get(key_id.decode("ascii", "replace"))
        if cipher is None:
            raise CredentialUnreadable(f"{row}, {column}: its key is not among CREDENTIAL_KEYS")
        try:
            place = _place(row, column, key_id.decode())
            return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], place).decode()
        except (InvalidTag, ValueError):
            raise CredentialUnreadable(
                f"{row}, {column}: another key of this id sealed it, or it is another row's"
            ) from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether the first key sealed this value."""
        return bytes(sealed).partition(b"\0")[0] == self._current.encode()


def _place(row: str, column: str, key_id: str) -> bytes:
    # Length prefixes: otherwise ("a", "bc") and ("ab", "c") would be the same place.
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in (row, column, key_id))
