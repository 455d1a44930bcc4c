"""The worker: `python -m jobs`. It loads no pages, so that it is there soon after it was started again."""

from __future__ import annotations

import os
import sys

from config import ConfigurationError, Settings
from jobs.engine import run
from jobs.memory import share_heaps
from models.db import is_away, why_away
from models.revision import BEHIND, UPGRADE, is_behind
from wiring import set_up_logging, toolbox_without_pages

if __name__ == "__main__":
    share_heaps()
    try:
        settings = Settings.from_environment(os.environ)
    except ConfigurationError as problems:
        sys.exit(str(problems))
    set_up_logging(settings)
    tools = toolbox_without_pages(settings)
    try:
        with tools.look() as connection:
            # Or each person whose turn it is would be said to have met a fault of ours.
            problem = f"{BEHIND} {UPGRADE}" if is_behind(connection) else ""
    except Exception as trouble:
        if not is_away(trouble):
            raise
        problem = f"{why_away(trouble)} Start it again later."
    if problem:
        sys.exit(f"Rollcall cannot start:\n  - {problem}")
    run(tools)
