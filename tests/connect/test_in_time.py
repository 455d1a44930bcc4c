"""Whoever answers with a byte now and then holds no thread: a whole answer has its time, be it head or body."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import pytest

from connect.errors import Unavailable
from connect.gateway.http import Http
from connect.gateway.in_time import WHOLE_ANSWER

PATIENCE = 0.4
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def dripping(begins: bytes, goes_on: bytes) -> Iterator[str]:
    """A server that begins its answer and goes on with the same few bytes for ever; its address."""
    over = threading.Event()

    def drip() -> None:
        with suppress(OSError):
            connection, _address = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(begins)
                while not over.wait(PATIENCE / 5):
                    connection.sendall(goes_on)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize(
    ("begins", "goes_on"),
    [
        pytest.param(b"HTTP/1.1 2", b"0", id="the first line"),
        pytest.param(HEAD, b"X-More: 1\r\n", id="the head"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="wait, wait"),
        pytest.param(HEAD + b"Content-Length: 50000\r\n\r\n", b" ", id="a body of known length"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", id="a body in pieces"),
        pytest.param(HEAD + b"Connection: close\r\n\r\n", b" ", id="a body that ends with the connection"),
    ],
)
def test_an_answer_that_comes_a_byte_at_a_time_is_over_in_time(begins: bytes, goes_on: bytes) -> None:
    with dripping(begins, goes_on) as address:
        http = Http(address, authorization=lambda *_: "", clock=lambda: datetime.now(UTC), patience=PATIENCE)
        started, answers = time.monotonic(), list[object]()

        def ask() -> None:
            try:
                answers.append(http.get("/rest"))
            except Unavailable as problem:
                answers.append(problem)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(PATIENCE * WHOLE_ANSWER * 3)
        http.close()
        assert [type(answer) for answer in answers] == [Unavailable]
        assert time.monotonic() - started >= PATIENCE * WHOLE_ANSWER * 0.9


def test_a_connection_is_kept_and_each_answer_has_its_own_time() -> None:
    def answer() -> None:
        connection, _address = listener.accept()
        with connection:
            for _ in range(3):
                if connection.recv(65536):
                    for piece in (HEAD, b"Content-Length: 2\r\n\r\n{", b"}"):
                        time.sleep(PATIENCE / 2)
                        connection.sendall(piece)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        http = Http(address, authorization=lambda *_: "", clock=lambda: datetime.now(UTC), patience=PATIENCE)
        assert [http.get("/rest") for _ in range(3)] == [{}, {}, {}]
        http.close()
        thread.join(5)
