"""Long lists in pieces that a query can name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

Item = TypeVar("Item")

BATCH = 2000
"""Fewer than SQLite takes as values of one statement."""


def batches(items: Sequence[Item], size: int = BATCH) -> Iterable[Sequence[Item]]:
    """The items, `size` at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))
