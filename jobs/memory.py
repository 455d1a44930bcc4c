"""How much of what was needed once the worker keeps."""

from __future__ import annotations

import ctypes

M_ARENA_MAX = -8  # malloc.h of glibc
HEAPS = 2


def share_heaps() -> None:
    """Before the first thread: all threads together take their memory from two heaps.

    glibc gives nearly every thread one of its own, and what a sync needed stays in that of whichever thread did it:
    soon in each of them, and on a machine of many cores they are many. Other C libraries have no such setting.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, HEAPS)
