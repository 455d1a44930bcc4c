"""What somebody selected in a list of cases: each once, and not too many at a time."""

from __future__ import annotations

from collections.abc import Sequence

from connect.errors import Invalid

MOST_AT_ONCE = 1000


def selected(case_ids: Sequence[str]) -> list[str]:
    """Their ids. Raises Invalid for nobody, and for more than MOST_AT_ONCE."""
    wanted = list(dict.fromkeys(case_ids))
    if not wanted:
        raise Invalid("cases", "Nobody is selected.", "Select people in the queue first.")
    if len(wanted) > MOST_AT_ONCE:
        raise Invalid("cases", f"More than {MOST_AT_ONCE:,} people are selected.", "Do it in several steps.")
    return wanted
