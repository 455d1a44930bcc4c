"""How many changes a second one organization may ask for: the write calls of the admin and user-management APIs."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from datetime import UTC, datetime, timedelta

from flask import Request, Response, jsonify

WINDOW = 1.0


class Rate:
    """A limit by the sliding second, for each organization by itself; `per_second` None = no limit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._moments: dict[str, deque[float]] = {}
        self.per_second: int | None = None
        self.allowed = 0
        self.refused = 0

    def limit(self, per_second: int | None) -> None:
        """A new limit; counting begins again. ValueError for less than one."""
        if per_second is not None and per_second < 1:
            raise ValueError("per_second is 1 or more, or null")
        with self._lock:
            self._moments.clear()
            self.per_second, self.allowed, self.refused = per_second, 0, 0

    def wait(self, org: str) -> float:
        """0 when one more is allowed now, and it counts; else for how many seconds it is not."""
        with self._lock:
            now = time.monotonic()
            moments = self._moments.setdefault(org, deque())
            while moments and moments[0] <= now - WINDOW:
                moments.popleft()
            if self.per_second is not None and len(moments) >= self.per_second:
                self.refused += 1
                return max(moments[0] + WINDOW - now, 0.001)
            if self.per_second is not None:
                moments.append(now)
            self.allowed += 1
            return 0.0


def is_change(request: Request) -> bool:
    """Searches are sent by POST too, and change nothing."""
    return (
        request.method in ("POST", "PUT", "PATCH", "DELETE")
        and request.path.startswith(("/admin/", "/users/"))
        and not request.path.endswith(("/search", "/workspaces"))
    )


def too_many(rate: Rate, seconds: float) -> Response:
    """429 as the gateway in front of the APIs answers (ProxyError)."""
    answer = jsonify(code=429, message="Rate limit exceeded")
    answer.status_code = 429
    reset = datetime.now(UTC) + timedelta(seconds=seconds)
    answer.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    answer.headers["X-RateLimit-Limit"] = str(rate.per_second)
    answer.headers["X-RateLimit-Remaining"] = "0"
    answer.headers["X-RateLimit-Reset"] = reset.strftime("%Y-%m-%dT%H:%M:%SZ")
    return answer
