"""The log of requests that reached Atlassian's APIs, without secrets: for the control page and for contract checks."""

from __future__ import annotations

import io
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_API = re.compile(
    r"^/(admin|users|rest|wiki/rest|wiki/api|_edge|install-keys|scim|app)/|^/[0-9a-f]{8}-[0-9a-f-]{27}$"
)
KEPT = 20_000
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
App = Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]


def is_api(path: str) -> bool:
    """An address of Atlassian's APIs or of the key host (not a page, not the control API)."""
    return _API.match(path) is not None


class Journal:
    """The last requests, numbered from 1."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._numbers = count(1)

    def since(self, number: int, limit: int = 1000) -> list[dict[str, Any]]:
        with self._lock:
            return [entry for entry in self._entries if entry["n"] > number][:limit]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def add(self, entry: dict[str, Any]) -> None:
        with self._lock:
            self._entries.append({"n": next(self._numbers), **entry})

    def watch(
        self, app: App, surface: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Pass one request on and note it."""
        path = environ["PATH_INFO"]
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        environ["wsgi.input"] = io.BytesIO(body)
        seen = {"status": 0, "type": ""}

        def listen(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            seen["status"] = int(status.split(" ", 1)[0])
            seen["type"] = next((value for name, value in headers if name.lower() == "content-type"), "")
            return start_response(status, headers, *rest)

        began = time.perf_counter()
        chunks: list[bytes] = []
        try:
            answer = app(environ, listen)
            chunks = list(answer)
            close = getattr(answer, "close", None)
            if close:
                close()
        finally:
            self.add(
                {
                    "at": time.time(),
                    "surface": surface,
                    "method": environ["REQUEST_METHOD"],
                    "path": path,
                    "query": environ.get("QUERY_STRING", ""),
                    "headers": _headers(environ),
                    "body": body.decode("utf-8", "replace")[:100_000],
                    "status": seen["status"],
                    "fault": environ.get("sandbox.fault"),
                    "ms": round((time.perf_counter() - began) * 1000, 2),
                    "answer_type": seen["type"],
                    "answer_bytes": sum(map(len, chunks)),
                }
            )
        return chunks


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    found = {
        key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        found["content-type"] = environ["CONTENT_TYPE"]
    for name in _SECRET_HEADERS & set(found):
        found[name] = found[name].split(" ", 1)[0] + " (hidden)"
    return found
