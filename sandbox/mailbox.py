"""The mails that the pretend post office took: one row per message and recipient, however often it came."""

from __future__ import annotations

import email
import email.policy
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Mail:
    """One message in somebody's mailbox. `times` is how often it was handed in under its Message-ID."""

    id: int
    sender: str
    recipient: str
    received_at: str
    times: int
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self.message.items()]

    def part(self, kind: str) -> str:
        """The text of one part: plain or html; empty without one."""
        found = self.message.get_body((kind,))
        return str(found.get_content()) if found is not None else ""

    def as_data(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "from": self.sender,
            "to": self.recipient,
            "received_at": self.received_at,
            "times": self.times,
            "subject": self.subject,
            "headers": dict(self.headers),
            "text": self.part("plain"),
            "html": self.part("html"),
        }


def keep(store: Store, sender: str, recipient: str, raw: bytes) -> None:
    """Puts a message into a mailbox. A mailbox shows a message once: the same Message-ID again is only counted."""
    message = _parsed(raw)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with store.write() as connection:
        connection.execute(
            "INSERT INTO mail (message_id, sender, recipient, received_at, times, raw) VALUES (?, ?, ?, ?, 1, ?) "
            "ON CONFLICT (message_id, recipient) DO UPDATE SET times = times + 1",
            (str(message["Message-ID"] or f"none-{now}"), sender, recipient, now, raw),
        )


def mails(store: Store, recipient: str = "") -> list[Mail]:
    """The newest first."""
    rows = store.all("SELECT * FROM mail WHERE ? IN ('', recipient) ORDER BY id DESC LIMIT 500", (recipient,))
    return [_mail(row) for row in rows]


def find(store: Store, number: int) -> Mail | None:
    row = store.one("SELECT * FROM mail WHERE id = ?", (number,))
    return None if row is None else _mail(row)


def forget(store: Store) -> None:
    with store.write() as connection:
        connection.execute("DELETE FROM mail")


def _mail(row: sqlite3.Row) -> Mail:
    return Mail(
        row["id"], row["sender"], row["recipient"], row["received_at"], row["times"], _parsed(row["raw"])
    )


def _parsed(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)
