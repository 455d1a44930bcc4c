"""How many changes a second one organization may ask for: the write calls of the admin and user-management APIs."""

from __future__ import annotations

import math
import threading
import time
from datetime import UTC, datetime, timedelta

from flask import Request, Response, jsonify


class Rate:
    """A bucket of tokens for each organization by itself, as Atlassian says of its burst limits: a second's worth may
    come at once, and over time no more than `per_second` a second. None = no limit.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._full_at: dict[str, float] = {}
        """When each bucket will be full again, if nobody asks; none: it is full."""
        self.per_second: int | None = None
        self.allowed = 0
        self.refused = 0

    def limit(self, per_second: int | None) -> None:
        """A new limit; counting begins again. ValueError for less than one."""
        if per_second is not None and per_second < 1:
            raise ValueError("per_second is 1 or more, or null")
        with self._lock:
            self._full_at.clear()
            self.per_second, self.allowed, self.refused = per_second, 0, 0

    def wait(self, org: str) -> float:
        """0 when one more is allowed now, and it counts; else for how many seconds it is not."""
        with self._lock:
            if self.per_second is not None:
                now = time.monotonic()
                full_at = max(self._full_at.get(org, now), now) + 1 / self.per_second
                if full_at - now > 1:
                    self.refused += 1
                    return full_at - now - 1
                self._full_at[org] = full_at
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
