"""Things that go wrong on demand: answers refused, slow, cut off, garbled, odd, half told, or HTML, as asked for."""

from __future__ import annotations

import itertools
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.half_told import WORDS, tell_half

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

KINDS = (
    "403-scopes", "429", "429-no-header", "500", "502", "503", "timeout", "reset", "slow", "html", "garbled", "odd",
    "half-told", "delay-visibility",
)  # fmt: skip
_FIELDS = {"match", "kind", "method", "times", "seconds", "after", "skip", "words", "whom"}
_ids = itertools.count(1)


@dataclass(slots=True)
class Fault:
    """One fault. `times` None = until removed. `after` = the request is carried out, only its answer is spoilt.

    `skip` lets that many matching requests pass first. `seconds`: how long (Retry-After, slowness, time-out, delay).
    Half told are people without `words`, or nobody of `whom`.
    """

    match: str
    kind: str
    method: str | None = None
    times: int | None = 1
    seconds: float = 1.0
    after: bool = False
    skip: int = 0
    words: Sequence[str] = WORDS
    whom: Sequence[str] = ()
    hits: int = 0
    id: int = field(default_factory=lambda: next(_ids))

    @classmethod
    def parse(cls, data: dict[str, Any]) -> Fault:
        """From a control request; ValueError says what is wrong."""
        unknown = set(data) - _FIELDS
        if unknown or data.get("kind") not in KINDS:
            raise ValueError(
                f"kind must be one of {', '.join(KINDS)}; unknown: {', '.join(sorted(unknown)) or '-'}"
            )
        match = str(data.get("match") or ".*")
        try:
            re.compile(match)
        except re.error as error:
            raise ValueError(f"match is not a regular expression: {error}") from error
        times = data.get("times", 1)
        method = str(data["method"]).upper() if data.get("method") else None
        return cls(
            match,
            data["kind"],
            method,
            None if times is None else int(times),
            float(data.get("seconds", 1)),
            bool(data.get("after", False)),
            int(data.get("skip", 0)),
            tuple(map(str, data.get("words", WORDS))),
            tuple(map(str, data.get("whom", ()))),
        )


class Faults:
    """The list of faults in force, and the WSGI layer that applies them."""

    def __init__(self, stopping: threading.Event) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._stopping = stopping

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._faults.append(fault)
        return fault

    def listing(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def clear(self, fault_id: int | None = None) -> None:
        with self._lock:
            self._faults = [f for f in self._faults if fault_id is not None and f.id != fault_id]

    def take(self, method: str, path: str, *, delays: bool = False) -> Fault | None:
        """The first fault that wants this request, counted down. `delays`: only delay-visibility, else all others."""
        with self._lock:
            for fault in self._faults:
                if (fault.kind == "delay-visibility") is not delays:
                    continue
                if fault.method not in (None, method) or not re.search(fault.match, path):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times is not None and fault.hits >= fault.times:
                    continue
                fault.hits += 1
                return fault
        return None

    def visibility_delay(self, method: str, path: str) -> float:
        """For how many seconds the change just accepted stays invisible."""
        fault = self.take(method, path, delays=True)
        return fault.seconds if fault else 0.0

    def spoil(
        self,
        app: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]],
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Answer one request, spoilt when a fault matches."""
        fault = self.take(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if fault is None:
            return app(environ, start_response)
        environ["sandbox.fault"] = fault.kind
        if fault.kind == "slow":
            self._stopping.wait(fault.seconds)
            return app(environ, start_response)
        if fault.kind == "half-told":
            return tell_half(app, environ, start_response, fault.words, fault.whom)
        if fault.after:
            _drain(app, environ)
        if fault.kind == "timeout":
            self._stopping.wait(fault.seconds)
        if fault.kind in ("timeout", "reset"):
            raise _cut(environ)
        return _answer(fault, start_response)


def _drain(
    app: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]], environ: WSGIEnvironment
) -> None:
    """Carry the request out and throw the answer away."""

    def ignore(*_: Any) -> Callable[[bytes], object]:
        return lambda data: None

    answer = app(environ, ignore)
    for _ in answer:
        pass
    close = getattr(answer, "close", None)
    if close:
        close()


def _cut(environ: WSGIEnvironment) -> ConnectionError:
    """Close the connection with a TCP reset instead of an answer."""
    connection: socket.socket | None = environ.get("sandbox.socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    return ConnectionAbortedError("cut off by a fault")


def _answer(fault: Fault, start_response: StartResponse) -> Iterable[bytes]:
    """The answer a fault gives; bodies as Atlassian's gateway writes them (ProxyError: code, message)."""
    headers = [("Content-Type", "application/json")]
    if fault.kind == "html":
        body, status = (
            b"<!doctype html><title>Temporarily unavailable</title><h1>Be right back</h1>",
            "200 OK",
        )
        headers = [("Content-Type", "text/html; charset=utf-8")]
    elif fault.kind == "garbled":
        status, body = "200 OK", b"Be right back"
    elif fault.kind == "odd":
        status, body = "200 OK", b'{"message": "Be right back"}'
    elif fault.kind == "403-scopes":
        # As an API key answers whose scopes are chosen one by one.
        status, body = (
            "403 Forbidden",
            b'{"code": 403, "message": "The API key\'s scopes do not allow this."}',
        )
    elif fault.kind.startswith("429"):
        status, body = "429 Too Many Requests", b'{"code": 429, "message": "Rate limit exceeded"}'
        if fault.kind == "429":
            reset = datetime.now(UTC) + timedelta(seconds=fault.seconds)
            headers += [
                ("Retry-After", str(max(1, round(fault.seconds)))),
                ("X-RateLimit-Limit", "200"),
                ("X-RateLimit-Remaining", "0"),
                ("X-RateLimit-Reset", reset.strftime("%Y-%m-%dT%H:%M:%SZ")),
            ]
    else:
        text = {"500": "Internal Server Error", "502": "Bad Gateway", "503": "Service Unavailable"}[
            fault.kind
        ]
        status, body = f"{fault.kind} {text}", f'{{"code": {fault.kind}, "message": "{text}"}}'.encode()
    start_response(status, [*headers, ("Content-Length", str(len(body)))])
    return [body]
