"""A mail server on this machine that takes every mail and brings it nowhere; it refuses what it is told to refuse."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import asdict, dataclass
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox import mailbox
from sandbox.store import Store

KINDS = {"refuse": "550 5.1.1 No such mailbox", "busy": "451 4.7.1 Try again later", "drop": ""}


@dataclass(slots=True)
class MailFault:
    """What goes wrong for a recipient (empty: anybody). `drop`: the mail is taken, the line cut before the answer."""

    kind: str
    recipient: str = ""
    times: int | None = 1
    hits: int = 0


class MailFaults:
    """The list of faults in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[MailFault] = []

    def add(self, data: dict[str, Any]) -> None:
        """{kind, recipient, times}; ValueError for another kind."""
        if data.get("kind") not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        times = data.get("times", 1)
        fault = MailFault(
            data["kind"], str(data.get("recipient") or "").lower(), None if times is None else int(times)
        )
        with self._lock:
            self._faults.append(fault)

    def listing(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, recipient: str, *kinds: str) -> str:
        """The kind of the first fault that wants this recipient, counted down; empty when all is well."""
        with self._lock:
            for fault in self._faults:
                if fault.kind not in kinds or fault.recipient not in ("", recipient.lower()):
                    continue
                if fault.times is not None and fault.hits >= fault.times:
                    continue
                fault.hits += 1
                return fault.kind
        return ""


class PostOffice:
    """Listens on the loopback address until stop(); port 0 takes a free one."""

    def __init__(self, store: Store, faults: MailFaults, port: int) -> None:
        # It would log addresses, as every mail server does; nobody reads this one's log.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        self._controller = _Controller(_Clerk(store, faults), hostname="127.0.0.1", port=port)
        self._controller.start()

    @property
    def port(self) -> int:
        return self._controller.port

    def stop(self) -> None:
        self._controller.stop()


class _Controller(Controller):
    def _trigger_server(self) -> None:
        # aiosmtpd calls itself once, at the port it was told: with 0 that is not the one it got.
        server: Any = self.server
        self.port = int(server.sockets[0].getsockname()[1])
        super()._trigger_server()


class _Clerk:
    """What aiosmtpd asks; the names are its own."""

    def __init__(self, store: Store, faults: MailFaults) -> None:
        self._store, self._faults = store, faults

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        fault = self._faults.take(address, "refuse", "busy")
        if fault:
            return KINDS[fault]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        for recipient in envelope.rcpt_tos:
            mailbox.keep(self._store, envelope.mail_from or "", recipient, raw)
        if self._faults.take(envelope.rcpt_tos[0], "drop") and isinstance(
            server.transport, asyncio.Transport
        ):
            server.transport.abort()
        return "250 Taken"
