"""The worker: `python -m jobs`. It loads no pages, so that it is there soon after it was started again."""

from __future__ import annotations

import logging
import os

from config import Settings
from jobs.engine import run
from jobs.memory import share_heaps
from wiring import set_up_logging, toolbox_without_pages

if __name__ == "__main__":
    share_heaps()
    settings = Settings.from_environment(os.environ)
    set_up_logging(settings)
    run(toolbox_without_pages(settings))
    logging.shutdown()
    # Python would wait for every thread, and one of them may wait for a database that is away. Its work is not lost: it
    # goes on at the next start.
    os._exit(0)
