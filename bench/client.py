"""Sends prepared requests as fast as a server answers them; little enough work of its own to measure others."""

from __future__ import annotations

import multiprocessing
import socket
import time
from dataclasses import dataclass

PATIENCE = 20.0  # seconds at most for one measurement
READERS = 2  # as many as keep one server process busy


@dataclass(frozen=True)
class Measured:
    """`statuses` counts answers by status; `seconds` is from the first request to the last answer."""

    statuses: dict[int, int]
    seconds: float

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return sum(self.statuses.values()) / self.seconds


def measure(port: int, requests: list[bytes]) -> Measured:
    """Send each request once, from two processes, and wait for all answers."""
    shares = [requests[start::READERS] for start in range(READERS)]
    with multiprocessing.get_context("spawn").Pool(READERS) as pool:
        pool.map(_nothing, range(READERS))  # processes are up before the clock starts
        start = time.perf_counter()
        counted = pool.starmap(_send_all, [(port, share) for share in shares])
        seconds = time.perf_counter() - start
    statuses: dict[int, int] = {}
    for share in counted:
        for status, count in share.items():
            statuses[status] = statuses.get(status, 0) + count
    return Measured(statuses, seconds)


def _nothing(_number: int) -> None:
    time.sleep(0.2)


def _send_all(port: int, requests: list[bytes]) -> dict[int, int]:
    statuses: dict[int, int] = {}
    end = time.monotonic() + PATIENCE
    connection = None
    for request in requests:
        if time.monotonic() > end:
            break
        if connection is None:
            connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request)
        status, stays_open = _read(connection)
        statuses[status] = statuses.get(status, 0) + 1
        if not stays_open:
            connection.close()
            connection = None
    return statuses


def _read(connection: socket.socket) -> tuple[int, bool]:
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _more(connection)
    head = data[:end].lower()
    status = int(head[9:12])
    missing = _length(head, status) - (len(data) - end - 4)
    while missing > 0:
        missing -= len(_more(connection))
    return status, b"connection: close" not in head


def _length(head: bytes, status: int) -> int:
    if status in {204, 304}:
        return 0
    marker = head.find(b"content-length:")
    assert marker >= 0, "this client reads answers with a length only"
    return int(head[marker + 15 :].split(b"\r\n", 1)[0])


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the server closed the connection in the middle of an answer")
    return data
