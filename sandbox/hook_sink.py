"""Where hooks lead: every call is kept as it came, and answered as somebody ordered."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

KEPT = 2000
MOST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """One call; `status` is what it was answered with. The headers are in lower case."""

    n: int
    name: str
    at: str
    method: str
    headers: dict[str, str]
    body: str
    status: int

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class Order:
    """How the calls of a name are answered; `times` None = until another order. `seconds`: waits before it answers."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    times: int | None = None

    @classmethod
    def parse(cls, data: dict[str, Any]) -> Order:
        """From a control request; ValueError says what is wrong."""
        unknown = set(data) - {"status", "headers", "seconds", "times"}
        status = int(data.get("status", 200))
        if unknown or not 200 <= status <= 599:
            raise ValueError(f"status from 200 to 599, headers, seconds, times; unknown: {sorted(unknown)}")
        headers = {str(name): str(value) for name, value in dict(data.get("headers", {})).items()}
        times = data.get("times")
        return cls(status, headers, float(data.get("seconds", 0)), None if times is None else int(times))


class HookSink:
    """The last calls, numbered from 1, and the orders in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=KEPT)
        self._orders: dict[str, Order] = {}
        self._numbers = count(1)

    def take(self, name: str, method: str, headers: dict[str, str], body: bytes) -> Order:
        """Keeps a call; how to answer it."""
        with self._lock:
            order = self._next_order(name)
            at = datetime.now(UTC).isoformat(timespec="seconds")
            text = body[:MOST_BYTES].decode("utf-8", "replace")
            self._calls.append(Call(next(self._numbers), name, at, method, headers, text, order.status))
        return order

    def calls(self, name: str = "") -> list[Call]:
        """In order of arrival; without a name all."""
        with self._lock:
            return [call for call in self._calls if name in ("", call.name)]

    def order(self, name: str, order: Order) -> None:
        with self._lock:
            self._orders[name] = order

    def clear(self) -> None:
        """Forgets calls and orders."""
        with self._lock:
            self._calls.clear()
            self._orders.clear()

    def _next_order(self, name: str) -> Order:
        order = self._orders.get(name, Order())
        if order.times is not None:
            order.times -= 1
            if order.times <= 0:
                del self._orders[name]
        return order
