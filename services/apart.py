"""One after the other: what meets a fault with one of them keeps nobody else from their turn."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

logger = logging.getLogger("rollcall.apart")

What = TypeVar("What")
Found = TypeVar("Found")


def apart(deed: Callable[[What], Found], each: Iterable[What], about: str) -> list[Found]:
    """What the deed returned, of those with whom it came to its end. `about` names it in the log, where faults go."""
    found = []
    for one in each:
        try:
            found.append(deed(one))
        except Exception:
            logger.exception("%s met a fault: %s", about, one)
    return found
