"""Long work in portions: each is one transaction, whole by itself, and between two of them others get their turn."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy.orm import Session

from services.toolbox import Toolbox

PAUSE = 0.11
"""Seconds. Whoever waits for SQLite looks every 0.1 seconds whether it is free, and nobody keeps a place for them."""


def in_portions(tools: Toolbox, portion: Callable[[Session], bool]) -> None:
    """One portion after the other, as long as each one says that there may be more."""
    while True:
        with tools.begin() as session:
            if not portion(session):
                return
        if tools.engine.dialect.name == "sqlite":
            time.sleep(PAUSE)
