"""How many threads may wait for Atlassian's word about whoever asks us something.

A site that takes a question and never answers holds the thread that asked. Each tenant gets a few places: however often
people press, the other tenants are answered.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from connect.errors import Unavailable

MOST_AT_ONCE = 4
"""Of one tenant: half of a web process."""
A_MOMENT = 0.5
"""Seconds that one more waits for a place: where answers come, one is free long before."""


class Places:
    """`most` for each tenant. Thread-safe."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._most = most
        self._free = threading.Condition()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one_of(self, tenant: str) -> Iterator[None]:
        """A place as long as the question lasts. Raises Unavailable when all of them stay taken."""
        with self._free:
            if not self._free.wait_for(lambda: self._taken[tenant] < self._most, A_MOMENT):
                raise Unavailable(
                    "Atlassian has not answered yet what was asked before.",
                    "Try again in a minute.",
                    reason="atlassian_too_many_wait",
                )
            self._taken[tenant] += 1
        try:
            yield
        finally:
            with self._free:
                self._taken[tenant] -= 1
                self._taken += Counter()
                self._free.notify_all()
