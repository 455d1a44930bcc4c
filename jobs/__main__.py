"""The worker: `python -m jobs`. It loads no pages, so that it is there soon after it was started again."""

from __future__ import annotations

import os
import threading

from config import Settings
from jobs.engine import run
from jobs.memory import share_heaps
from wiring import set_up_logging, toolbox_without_pages

LAST_CALLS = 20.0
"""Seconds: over before another worker takes this one for dead, and goes on with its work (services/workers.py)."""


def end_within(seconds: float) -> None:
    """Python waits for every thread, and one of them may wait for a database that is away: a day, if need be."""
    end = threading.Timer(seconds, os._exit, (0,))
    end.daemon = True
    end.start()


if __name__ == "__main__":
    share_heaps()
    settings = Settings.from_environment(os.environ)
    set_up_logging(settings)
    run(toolbox_without_pages(settings))
    end_within(LAST_CALLS)
