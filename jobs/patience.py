"""Steps that a database which is away ends as little as any other pause; a fault of our own ends what it met."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from dbos import DBOS

from models.db import is_away

logger = logging.getLogger("rollcall.jobs")

Given = ParamSpec("Given")
Found = TypeVar("Found")

ONCE_MORE_AFTER = 3.0
"""Seconds."""
FOR_A_DAY = round(24 * 3600 / ONCE_MORE_AFTER)


def patient(step: Callable[Given, Found]) -> Callable[Given, Found]:
    """A step of DBOS that is done again until the database is there. It may be repeated, and lets such trouble pass."""
    return DBOS.step(
        retries_allowed=True,
        interval_seconds=ONCE_MORE_AFTER,
        backoff_rate=1.0,
        max_attempts=FOR_A_DAY,
        should_retry=is_away,
    )(step)


@contextmanager
def faults_end(what: str, write_down: Callable[[], object] = lambda: None) -> Iterator[None]:
    """A fault of our own goes into the log, and `write_down` says what it ended. A database that is away passes."""
    try:
        yield
    except Exception as trouble:
        if is_away(trouble):
            raise
        logger.exception("%s met a fault", what)
        write_down()
