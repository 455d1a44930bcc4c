"""The worker: `python -m jobs`. It loads no pages, so that it is there soon after it was started again."""

from __future__ import annotations

import os
import sys

from config import Settings
from jobs.engine import run
from wiring import set_up_logging, toolbox_without_pages

SWITCH_SECONDS = 0.0005
"""Most threads here wait for answers. By itself Python lets one that has its answer wait five milliseconds for each
that computes, some twenty times in every deed.
"""

if __name__ == "__main__":
    sys.setswitchinterval(SWITCH_SECONDS)
    settings = Settings.from_environment(os.environ)
    set_up_logging(settings)
    run(toolbox_without_pages(settings))
