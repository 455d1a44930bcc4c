"""Answers about people that tell less than is so: something is left out of each of them, or somebody altogether."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

WORDS = ("groups", "productAccess", "platformRoles")


def tell_half(
    app: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]],
    environ: WSGIEnvironment,
    start_response: StartResponse,
    words: Sequence[str],
    whom: Sequence[str],
) -> Iterable[bytes]:
    """The app's answer without these `words` about people, and without `whom`, by account id."""
    head: list[Any] = []

    def keep(*said: Any) -> Callable[[bytes], object]:
        head[:] = said
        return lambda data: None

    answer = app(environ, keep)
    body = b"".join(answer)
    close = getattr(answer, "close", None)
    if close:
        close()
    status, headers = head[0], dict(head[1])
    if status.startswith("200") and "json" in headers.get("Content-Type", ""):
        body = json.dumps(_half(json.loads(body), words, whom)).encode()
        headers["Content-Length"] = str(len(body))
    start_response(status, [*headers.items()])
    return [body]


def _half(answer: Any, words: Sequence[str], whom: Sequence[str]) -> Any:
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        return answer
    told = [
        {word: row[word] for word in row if word not in words}
        for row in rows
        if not (isinstance(row, dict) and row.get("accountId") in whom)
    ]
    return answer | {"data": told}
