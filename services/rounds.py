"""Whether a list that is read page by page goes round, told from a few letters beside the place that is kept (Brent).

One cursor is remembered, and after twice as many pages another one: whoever comes to it again would never end.
"""

from __future__ import annotations

import re
from hashlib import sha256

from connect.errors import Unexpected

MOST_CHARACTERS = 1900
"""Of a cursor, so that the place fits where it is kept."""
_KEPT = re.compile(r"([0-9]{1,9})~([0-9a-f]{16})~(.*)", re.DOTALL)


def cursor_at(place: str) -> str:
    """The cursor to ask with; "" at the beginning."""
    kept = _KEPT.fullmatch(place)
    return kept[3] if kept else place


def place_after(place: str, cursor: str) -> str:
    """The place to keep when the page at `place` says that the next one is at `cursor`.

    Raises Unexpected when the list goes round, or the cursor is longer than any.
    """
    if len(cursor) > MOST_CHARACTERS:
        raise Unexpected(200, reason="atlassian_odd_cursor")
    kept = _KEPT.fullmatch(place)
    pages, mark = (int(kept[1]), kept[2]) if kept else (0, "")
    here = sha256(cursor.encode()).hexdigest()[:16]
    if here == mark:
        raise Unexpected(200, reason="atlassian_endless_list")
    pages += 1
    # At the first page, the second, the fourth: sooner or later one lies on the round, and far enough behind.
    return f"{pages}~{here if pages & (pages - 1) == 0 else mark}~{cursor}"
