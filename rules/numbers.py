"""Whole numbers as people and addresses write them."""

from __future__ import annotations

MOST = 999_999_999
LARGEST_ID = 999_999_999_999_999_999
"""Whatever numbers its rows, a database counts further than this, and asks for nothing larger."""


def whole_number(text: str, most: int = MOST) -> int | None:
    """The number from 0 to `most` that the text says; None for anything else.

    `isdigit` alone is not enough: it takes ² for a digit, and never ends.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        return None
    number = int(text)
    return number if number <= most else None
